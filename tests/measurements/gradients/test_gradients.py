"""Kernels of a run: which are asked, which are kept, and what probes they are over."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from rlvr_gate.kernels.measured import KernelAt
from rlvr_gate.kernels.points import Traits, WeightPoint
from rlvr_gate.records import (
    Ask,
    Benchmark,
    Completion,
    FinishReason,
    Problem,
)
from rlvr_gate.stats.adaptive import Rounds
from rlvr_gate_fixtures.backends import BackendError, InFloat32, KernelJob
from rlvr_gate_fixtures.backends.devices import DevicesBackend
from rlvr_gate_fixtures.backends.scripted import ScriptedBackend, coins
from rlvr_gate_fixtures.backends.transformers import backend as transformers_backend
from rlvr_gate_fixtures.evidence.stored import StoreEvidence
from rlvr_gate_fixtures.measurements.gradients import plan, read
from rlvr_gate_fixtures.measurements.gradients import probing as probes_room
from rlvr_gate_fixtures.measurements.gradients.fill import (
    check_gradients,
    differentiate,
    planned_gradients,
)
from rlvr_gate_fixtures.measurements.gradients.probing import CODES, probing
from rlvr_gate_fixtures.measurements.gradients.read import Kernels
from rlvr_gate_fixtures.measurements.samples.draw import Wanted, prepare
from rlvr_gate_fixtures.measurements.samples.schedule import Schedule
from rlvr_gate_fixtures.progress import Silent
from rlvr_gate_fixtures.run import Run
from rlvr_gate_fixtures.stages import Stages
from rlvr_gate_fixtures.store.samples import Store

PROBLEMS = tuple(Problem(f"p{i}", f"{i}+{i}=", str(2 * i), "exact") for i in range(8))
BENCHMARK = Benchmark("sums", "tests", "digest", PROBLEMS)
RLVR, NOISE = WeightPoint("rlvr"), WeightPoint("rlvr", noise=0)
WANTED = [plan.PointOn(RLVR, "sums"), plan.PointOn(NOISE, "sums")]


class Toy:
    """Takes kernels without a model; dies before the point at `die_at`."""

    def __init__(self, die_at: int | None = None, name: str = "toy/1") -> None:
        self.jobs = list[KernelJob]()
        self.die_at, self._name = die_at, name

    def identity(self) -> str:
        return self._name

    @contextmanager
    def kept(self) -> Iterator[None]:
        yield

    def gradients(self, job: KernelJob, tell):
        self.jobs.append(job)
        n = len(job.passages)
        for at, point in enumerate(job.points):
            if at == self.die_at:
                raise BackendError("the toy died")
            tell((at + 1) * n * len(job.codes))
            kernels = np.stack([np.eye(n, dtype=np.float32)] * len(job.codes))
            zeros = np.zeros(n, np.float32)
            yield point, KernelAt(kernels, kernels[:, 0, :0], zeros, zeros, 1.0 + at)


@pytest.fixture
def run(run_on, monkeypatch) -> Run:
    hold(monkeypatch, read.Holding(weights=1000, reach=60, rest=100))
    run = run_on(BENCHMARK)
    run.__dict__["differentiator"] = Toy()
    return run


def hold(monkeypatch, model: read.Holding) -> None:
    monkeypatch.setattr(read, "model_of", lambda folder: model)


def fill(run: Run) -> None:
    prepare(run, [Wanted(Ask(role), BENCHMARK, run.settings.rounds) for role in run.checkpoints],
            progress=Silent())  # fmt: skip


def take(run: Run, wanted=WANTED) -> None:
    differentiate(run, wanted, run.benchmarks, progress=Silent())


def test_kernels_are_taken_once_and_kept(run: Run) -> None:
    fill(run)
    take(run)
    (job,) = run.differentiator.jobs
    assert job.points == (RLVR, NOISE)
    assert (job.codes, job.sketch) == (CODES, 0)
    take(run)
    assert len(run.differentiator.jobs) == 1
    assert planned_gradients(run, WANTED, run.benchmarks)[1] is False
    take(run, [plan.PointOn(WeightPoint("rlvr", 0.5), "sums")])
    assert len(run.differentiator.jobs) == 2


class Small(Toy):
    """Says that the machine has so many bytes beside the weights."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room, self.asked = room, list[InFloat32]()

    def check_float32(self, asked: InFloat32) -> None:
        self.asked.append(asked)
        if asked.beside > self.room:
            raise BackendError(f"{asked.what} are too large")


def test_whether_gradients_fit_is_asked_before_they_are_taken(run: Run) -> None:
    run.__dict__["differentiator"] = small = Small(0)
    fill(run)
    with pytest.raises(BackendError, match="gradients towards rlvr are too large"):
        take(run)
    (asked,) = small.asked
    assert [each.role for each in asked.weights] == ["base", "rlvr"] * 2
    with Store.open(run.settings.store, readonly=True) as store:
        probes = probing(run, BENCHMARK, store)
    assert asked.beside == 4 * 1000 * len(probes.passages)
    assert small.jobs == []
    small.room = asked.beside
    take(run)
    assert len(small.jobs) == 1
    small.room = 0
    take(run)  # kept: a machine too small for them may judge them
    assert len(small.asked) == 2


def test_before_anything_is_drawn_the_weights_are_asked_about(run: Run) -> None:
    run.__dict__["differentiator"] = small = Small(-1)
    with Store.open(run.settings.store):
        pass
    with pytest.raises(BackendError, match="are too large"):
        check_gradients(run, WANTED, run.benchmarks)
    assert [each.beside for each in small.asked] == [0]
    small.room = 1 << 40
    fill(run)
    take(run)
    small.room = -1
    check_gradients(run, WANTED, run.benchmarks)
    check_gradients(run, [], run.benchmarks)


def test_a_run_whose_gradients_do_not_fit_draws_nothing(run: Run, monkeypatch) -> None:
    monkeypatch.setattr(Run, "differentiator", Small(-1))
    run = replace(run, needed=tuple((Ask(role), "sums") for role in ("base", "rlvr")))
    stages = Stages(run, None, points=WANTED)
    with pytest.raises(BackendError, match="gradients towards rlvr are too large"):
        stages.go([], (), progress=Silent(), drawing=nullcontext, take_turns=False)
    with Store.open(run.settings.store, readonly=True) as store:
        assert all(store.pace(each).tokens_per_completion is None for each in run.streams.values())


@pytest.mark.parametrize(
    ("keeps", "scored", "points", "adaptive", "turns"),
    [
        (True, (), (), True, False),
        (False, (), (), False, False),  # one look: nothing comes after it
        (False, (), WANTED, True, False),  # gradients need the memory
        (False, [(None, "sums")], (), True, False),  # so does what scores
        (False, (), (), True, True),  # another process may need the engine's device
    ],
)
def test_an_adaptive_engine_stays_loaded_where_nothing_else_needs_its_memory(
    run: Run, monkeypatch, keeps, scored, points, adaptive, turns
) -> None:
    kept = nullcontext()
    monkeypatch.setattr(run.backend, "kept", lambda: kept)
    stages = Stages(run, Schedule.first([BENCHMARK], Rounds((2,), 1), 0) if adaptive else None,
                    points=points)  # fmt: skip
    assert (stages._warm(scored, turns) is kept) == keeps


def test_base_is_one_place_for_all_checkpoints(run: Run) -> None:
    """In one job, in the plan's passes, and where a part is kept."""
    fill(run)
    homes = [WeightPoint("base", 0.0), WeightPoint("rlvr", 0.0)]  # two ways from base
    wanted = [plan.PointOn(point, "sums") for point in (*homes, RLVR)]
    with Store.open(run.settings.store, readonly=True) as store:
        (each,) = plan.make_plan(run, wanted, run.benchmarks, store)
    assert (each.title, each.passes) == ("gradients towards base, rlvr", 2 * 4 * each.probes)
    take(run, wanted)
    (job,) = run.differentiator.jobs
    assert ([other.role for other in job.others], job.points) == (["base", "rlvr"], (*homes, RLVR))
    take(run, [*wanted, plan.PointOn(NOISE, "sums")])
    assert [other.role for other in run.differentiator.jobs[1].others] == ["rlvr"]


def test_evidence_reads_what_was_kept(run: Run) -> None:
    fill(run)
    take(run)
    evidence = StoreEvidence(run)
    assert evidence.kernel(NOISE, "sums").size == 2.0
    probes = evidence.probes("sums")
    assert len(probes.of) == len(evidence.kernel(RLVR, "sums").kl)
    with pytest.raises(LookupError, match=r"nobody took the kernel of 0\.5 of rlvr on sums"):
        evidence.kernel(WeightPoint("rlvr", 0.5), "sums")


def test_what_arrived_before_a_failure_is_kept(run: Run) -> None:
    fill(run)
    run.__dict__["differentiator"] = Toy(die_at=1)
    with pytest.raises(BackendError, match="the toy died"):
        take(run)
    run.__dict__["differentiator"] = Toy()
    take(run)
    assert [job.points for job in run.differentiator.jobs] == [(NOISE,)]


def test_another_engine_checkpoint_or_probe_is_another_kernel(run: Run) -> None:
    fill(run)
    take(run)
    with Store.open(run.settings.store, readonly=True) as store:
        probes = probing(run, BENCHMARK, store)
        here = Kernels(run).path(RLVR, probes)
        fewer = replace(probes, passages=probes.passages[:-1])
        assert Kernels(run).path(RLVR, fewer) != here
        assert Kernels(run).path(NOISE, probes) != here
        run.__dict__["differentiator"] = Toy(name="toy/2")
        assert Kernels(run).path(RLVR, probes) != here


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 torn", None])
def test_a_damaged_file_is_taken_again(run: Run, damage: bytes | None) -> None:
    fill(run)
    take(run)
    for path in (run.settings.store / "gradients").iterdir():
        if damage is None:  # whole, of other probes
            np.savez(path, kernels=np.eye(3), products=0, kl=0, logprob=0, size=1.0)
        else:
            path.write_bytes(damage)
    take(run)
    assert len(run.differentiator.jobs) == 2


def test_nothing_pickled_is_read(run: Run) -> None:
    fill(run)
    take(run)
    path = next((run.settings.store / "gradients").iterdir())
    np.savez(path, kernels=np.array([object()]), products=0, kl=0, logprob=0, size=1.0)
    with Store.open(run.settings.store, readonly=True) as store:
        kept = [Kernels(run).read(p, probing(run, BENCHMARK, store)) for p in (RLVR, NOISE)]
    assert sum(each is None for each in kept) == 1


def test_probes_are_first_completions_without_empty_and_equal_ones(run: Run) -> None:
    fill(run)
    with Store.open(run.settings.store) as store:
        prompts = [p.prompt_ids for p in _prompted(run, store)]
        found = probing(run, BENCHMARK, store)
    pairs = [(p.prompt_ids, p.token_ids) for p in found.passages]
    assert len(set(pairs)) == len(pairs)
    assert all(ids for _, ids in pairs)
    assert {prompts.index(prompt) for prompt, _ in pairs} == set(found.probes.clusters)
    assert list(found.probes.clusters) == sorted(found.probes.clusters)
    assert set(found.probes.of) <= {"base", "rlvr"}
    assert found.tokens == sum(len(p) + len(c) for p, c in pairs)


def test_an_empty_completion_is_no_probe(run: Run) -> None:
    with Store.open(run.settings.store) as store, store.writing():
        for role, ids in (("base", ()), ("rlvr", (7,))):
            for problem in _prompted(run, store):
                store.add(
                    run.streams[role],
                    [(problem.prompt_ids, Completion(0, ids, "", FinishReason.STOP, 0.0))],
                )
        assert set(probing(run, BENCHMARK, store).probes.of) == {"rlvr"}


def test_the_plan_says_what_it_takes(run: Run, monkeypatch) -> None:
    lines, any_ = planned_gradients(run, WANTED, run.benchmarks)
    assert any_
    assert lines == [
        "gradients towards rlvr on sums: 2 points x at most 200 probes x 4 codes, once drawn"
    ]
    fill(run)
    lines, any_ = planned_gradients(run, WANTED, run.benchmarks)
    assert any_
    assert "2 points to take, gradients whole: 0.0 GiB, about 1 s on one CPU core" in lines[0]
    hold(monkeypatch, read.Holding(weights=7 * 10**9, reach=10**12, rest=10**6))
    lines, _ = planned_gradients(run, WANTED, run.benchmarks)
    assert "gradients folded into 262,144 numbers: 105.3 GiB" in lines[0]
    take(run)
    assert run.differentiator.jobs[0].sketch == 262144
    assert planned_gradients(run, WANTED, run.benchmarks)[0][0].endswith(
        "kept from an earlier run"
    )
    assert planned_gradients(run, [], run.benchmarks) == ([], False)
    assert planned_gradients(run, WANTED, {}) == ([], False)


def test_between_whole_and_sketched_gradients_are_held_as_factors(run: Run, monkeypatch) -> None:
    fill(run)
    with Store.open(run.settings.store, readonly=True) as store:
        probes = probing(run, BENCHMARK, store)
    count, model = len(probes.passages), read.Holding(10**9, 2 * 10**6, 10**5)
    hold(monkeypatch, model)
    bytes_held = 4 * (probes.tokens * 2 * 10**6 + count * 10**5)
    (line,) = planned_gradients(run, WANTED, run.benchmarks)[0]
    memory = (16 * 10**9 + bytes_held) / 2**30  # factors leave nothing for other codes
    assert f"gradients as factors: {memory:.1f} GiB" in line
    take(run)
    assert (run.differentiator.jobs[0].sketch, run.differentiator.jobs[0].factored) == (0, True)
    # Exact either way: where they are held whole the same kernels are read.
    hold(monkeypatch, replace(model, weights=10**4))
    assert planned_gradients(run, WANTED, run.benchmarks)[1] is False
    # At the bound products cost no more than passes do: terms, and numbers of a term.
    for weights in (read.WHOLE // 4 + 1, 10**10):
        edge = read.Holding(weights, max(weights, read.WHOLE // 4) // probes.tokens, 0)
        hold(monkeypatch, edge)
        assert read.holding(Path(), probes).factored
        assert 2 * probes.tokens**2 * edge.reach < 6 * weights * probes.tokens
        hold(monkeypatch, replace(edge, reach=edge.reach + 1))
        assert read.holding(Path(), probes).how == "folded into 262,144 numbers"


def test_factors_whose_products_cost_more_than_passes_are_not_made(run: Run, monkeypatch) -> None:
    """Many probes of a small model; a store that was begun with factors goes on with them."""
    fill(run)
    with Store.open(run.settings.store, readonly=True) as store:
        probes = probing(run, BENCHMARK, store)
    weights = read.WHOLE // 4 // len(probes.passages) + 1
    edge = read.Holding(weights, 3 * weights // probes.tokens, 0)
    hold(monkeypatch, edge)
    assert read.holding(Path(), probes).factored
    take(run, WANTED[:1])
    hold(monkeypatch, replace(edge, reach=edge.reach + 1))
    assert read.holding(Path(), probes).sketch
    assert planned_gradients(run, WANTED[:1], run.benchmarks)[1] is False
    take(run)
    assert [job.factored for job in run.differentiator.jobs] == [True, True]


def test_a_store_that_was_begun_with_sketches_goes_on_with_them(run: Run, monkeypatch) -> None:
    fill(run)
    model = read.Holding(10**9, 10**12, 0)
    hold(monkeypatch, model)
    take(run)
    hold(monkeypatch, replace(model, reach=1))
    assert planned_gradients(run, WANTED, run.benchmarks)[1] is False
    take(run, [plan.PointOn(WeightPoint("rlvr", 0.5), "sums")])
    assert [job.sketch for job in run.differentiator.jobs] == [262144, 262144]


def test_traits_are_base_s_right_completions_by_stratum_and_those_that_hold_a_text(run) -> None:
    fill(run)
    strata = [replace(p, stratum="odd" if i % 2 else "even") for i, p in enumerate(PROBLEMS)]
    tasks = replace(BENCHMARK, problems=tuple(strata))
    with Store.open(run.settings.store) as store:
        found = probes_room.trait_probing(run, [tasks], Traits(("0", "none of them")), store)
        wrong = probes_room.trait_probing(run, [tasks], Traits(), store)
        for passage, trait, number in zip(
            found.passages, found.probes.traits, found.probes.clusters, strict=True
        ):
            drawn = store.completions(run.streams["base"], passage.prompt_ids, 4)
            texts = [c.text for c in drawn if c.token_ids == passage.token_ids]
            kind, _, of = trait.partition(" ")
            if kind == "writes":
                assert of in texts[0]
            else:
                assert trait == f"right: {strata[number].stratum}"
                assert strata[number].answer == texts[0]
    assert set(found.probes.of) == {"base"}
    assert found.codes == (None,)
    assert "writes none of them" not in found.probes.traits
    assert set(wrong.probes.traits) <= {"right: even", "right: odd"}
    assert not wrong.probes.enough


def test_traits_are_planned_beside_kernels(run: Run) -> None:
    fill(run)
    strata = [replace(p, stratum="abc"[i % 3]) for i, p in enumerate(PROBLEMS * 2)]
    strata = [replace(p, id=f"q{i}") for i, p in enumerate(strata)]
    tasks = {"sums": replace(BENCHMARK, problems=tuple(strata))}
    wanted = [*WANTED, *(replace(each, traits=Traits()) for each in WANTED)]
    lines, _ = planned_gradients(run, wanted, tasks)
    assert "on traits of sums: 2 points x" in lines[1]
    differentiate(run, wanted, tasks, progress=Silent())
    assert [job.codes for job in run.differentiator.jobs] == [CODES, (None,)]
    differentiate(run, wanted, tasks, progress=Silent())
    assert len(run.differentiator.jobs) == 2


def test_an_adaptive_run_reads_at_every_look_what_its_first_has_taken(run: Run) -> None:
    many = replace(BENCHMARK, problems=tuple(
        replace(PROBLEMS[i % 8], id=f"q{i}", prompt=f"{i}+0=") for i in range(80)
    ))  # fmt: skip
    run = replace(run, benchmarks={"sums": many}, backend=ScriptedBackend({"*": coins(many, 0.5)}))
    run.__dict__["differentiator"] = Toy()
    schedule = Schedule.first([many], Rounds((4,), 4), 0)
    ((_, part),) = schedule.due
    assert len(part.problems) < 80
    first = replace(many, problems=part.problems)
    asked = [Wanted(Ask(role), first, part.rounds) for role in run.checkpoints]
    prepare(run, asked, progress=Silent())
    differentiate(run, WANTED, {"sums": first}, progress=Silent())
    later = replace(schedule, asked={"sums": replace(schedule.asked["sums"], caps=(4, 4))})
    assert len(later.asked["sums"].problems) > len(part.problems)
    for each in (schedule, later):
        evidence = StoreEvidence(run, each)
        assert evidence.kernel(NOISE, "sums").size == 2.0
        assert len(set(evidence.probes("sums").clusters)) == len(part.problems)


def test_checkpoints_of_other_shapes_are_refused_before_anything_is_drawn(
    run: Run, monkeypatch
) -> None:
    slots = {"/x/base": (64, 8), "/x/rlvr": (72, 8)}
    monkeypatch.setattr(
        plan, "tensor_slots", lambda path: {"embed": SimpleNamespace(shape=slots[str(path)])}
    )
    with pytest.raises(ValueError, match="embed is 72 x 8 in rlvr and 64 x 8 in base; leave"):
        plan.check(run, WANTED)
    slots["/x/rlvr"] = (64, 8)
    plan.check(run, WANTED)
    plan.check(run, [])


def test_too_few_probes_start_no_engine(run: Run) -> None:
    fill(run)
    few = replace(BENCHMARK, problems=PROBLEMS[:1])
    differentiate(run, WANTED, {"sums": few}, progress=Silent())
    assert run.differentiator.jobs == []


def test_gradients_are_float32_whatever_draws(run: Run) -> None:
    options = {"threads": "3", "device": "cpu", "dtype": "bfloat16", "slots": "4"}
    settings = replace(run.settings, backend="transformers", backend_options=options)
    found = Run(settings, {}, {}, {}, run.backend).differentiator
    assert found.identity() == "transformers/float32/cpu"
    assert found.threads == 3
    other = Run(replace(settings, backend="vllm"), {}, {}, {}, run.backend).differentiator
    assert other.identity().startswith("transformers/float32/")
    options = {"threads": "1"}
    lanes = replace(settings, backend_options=options, devices=("cpu",) * 2)
    beside = Run(lanes, {}, {}, {}, run.backend).differentiator
    assert isinstance(beside, DevicesBackend)
    assert beside.identity() == found.identity()


@pytest.mark.parametrize(
    ("devices", "there", "place"),
    [((), "cuda", None), (("2", "3"), "cuda", ("2",)), (("cpu",), "cpu", ()),
     (("GPU-7",), "cuda", ("GPU-7",))],
)  # fmt: skip
def test_what_works_alone_takes_the_first_device_of_the_run(
    run: Run, monkeypatch, devices, there, place
) -> None:
    """On a machine with GPUs: not one that the run was not given."""
    monkeypatch.setattr(transformers_backend, "_has_cuda", lambda: True)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    settings = replace(
        run.settings, devices=devices, backend="transformers", score_backend="transformers"
    )
    for found in (Run(settings, {}, {}, {}, run.backend).differentiator,
                  Run(settings, {}, {}, {}, run.backend).scorer):  # fmt: skip
        assert found.device == there
        assert (found.place and found.place.gpus) == place
        assert found.identity().endswith(there)


def _prompted(run: Run, store: Store):
    from rlvr_gate_fixtures.measurements.samples.plan import prompted

    return prompted(run.checkpoints["base"], BENCHMARK, store, run.backend)
