"""Probes and traits that a user gives: what becomes of them; others are another kernel."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from rlvr_gate.kernels.points import Traits, WeightPoint
from rlvr_gate.records import Ask, Benchmark, Checkpoint, Problem
from rlvr_gate_fixtures.backends import Passage
from rlvr_gate_fixtures.backends.scripted import ScriptedBackend, coins
from rlvr_gate_fixtures.evidence.stored import StoreEvidence
from rlvr_gate_fixtures.files.source import FileError
from rlvr_gate_fixtures.measurements.gradients import plan, probing, read
from rlvr_gate_fixtures.measurements.gradients.fill import check_gradients, planned_gradients
from rlvr_gate_fixtures.measurements.gradients.read import Kernels
from rlvr_gate_fixtures.measurements.samples.draw import Wanted, prepare
from rlvr_gate_fixtures.progress import Silent
from rlvr_gate_fixtures.run import Run
from rlvr_gate_fixtures.store.samples import Store

PROBLEMS = tuple(Problem(f"p{i}", f"{i}+{i}=", str(2 * i), "exact") for i in range(8))
BENCHMARK = Benchmark("sums", "tests", "digest", PROBLEMS)
OTHER = Benchmark("more", "tests", "other", tuple(
    Problem(f"q{i}", f"{i}-1=", str(i - 1), "exact", "minus") for i in range(8)
))  # fmt: skip
RLVR = WeightPoint("rlvr")
PASSAGES = [{"prompt": f"p{i}", "completion": "yes"} for i in range(5)] + [{"prompt": "a text"}]


class Bytes:
    """Takes each byte for a token; counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = list[str]()

    def tokens(self, checkpoint: Checkpoint, texts: Sequence[str]) -> list[tuple[int, ...]]:
        self.asked += texts
        return [tuple(text.encode()) for text in texts]


class Named:
    def identity(self) -> str:
        return "toy/1"


def given(tmp_path: Path, lines: Sequence[object] = PASSAGES, name: str = "p") -> Path:
    path = tmp_path / f"{name}.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)), "utf-8")
    return path


@pytest.fixture
def make(run_on, monkeypatch):
    monkeypatch.setattr(read, "model_of", lambda folder: read.Holding(1000, 60, 100))
    monkeypatch.setattr(probing, "context", lambda folder: 60)

    def build(*benchmarks: Benchmark, **settings: object) -> Run:
        lines = [text for b in (BENCHMARK, *benchmarks) for text in coins(b, 0.9).items()]
        run = run_on(BENCHMARK, ScriptedBackend({"*": dict(lines)}), **settings)
        run = replace(run, benchmarks={b.name: b for b in (BENCHMARK, *benchmarks)})
        run.__dict__.update(differentiator=Named(), scorer=Bytes())
        return run

    return build


def test_kernels_are_over_what_is_given(make, tmp_path: Path) -> None:
    run = make(probes=given(tmp_path))
    probing.encode_given(run)
    asked = len(run.scorer.asked)
    with Store.open(run.settings.store, readonly=True) as store:
        found = probing.probing(run, BENCHMARK, store)
    assert len(run.scorer.asked) == asked  # from the store
    assert found.passages[0] == Passage(tuple(b"p0"), tuple(b"yes"))
    assert found.passages[-1] == Passage(tuple(b"a"), tuple(b" text"))  # read, not answered
    assert list(found.probes.clusters) == list(range(6))
    assert not found.probes.own
    assert found.probes.along([1, 2]) == [1, 2]
    assert found.probes.given.startswith("p.jsonl (")
    assert found.codes == probing.CODES
    assert StoreEvidence(run).probes("sums") == found.probes


def test_another_file_is_another_kernel_and_the_plan_says_what_it_costs(
    make, tmp_path: Path
) -> None:
    names = set()
    for lines in (PASSAGES, [*PASSAGES[1:], {"prompt": "b text"}], PASSAGES[::-1]):
        run = make(probes=given(tmp_path, lines))
        probing.encode_given(run)
        with Store.open(run.settings.store, readonly=True) as store:
            names.add(Kernels(run).path(RLVR, probing.probing(run, BENCHMARK, store)))
    assert len(names) == 3
    wanted = [plan.PointOn(RLVR, name) for name in ("sums", "more", "absent")]
    (line,), lacking = planned_gradients(run, wanted, {**run.benchmarks, "more": OTHER})
    assert lacking
    assert "towards rlvr on p.jsonl: 1 points x 6 probes x 4 codes, 1 points to take" in line
    assert "gradients whole: " in line
    assert "GiB, about" in line


def test_what_is_given_is_tokenized_before_it_is_asked_whether_gradients_of_it_fit(
    make, tmp_path: Path
) -> None:
    """While the run has the store open to draw."""
    run, asked = make(probes=given(tmp_path)), []
    run.differentiator.check_float32 = asked.append
    with Store.open(run.settings.store) as store, store.writing():
        check_gradients(run, [plan.PointOn(RLVR, "sums")], run.benchmarks)
    (each,) = asked
    assert each.beside == 4 * 1000 * 6


def test_the_plan_of_traits_names_every_benchmark(make) -> None:
    run, traits = make(OTHER), Traits((), ("more",))
    wanted = [plan.PointOn(RLVR, "sums", traits)]
    (line,), _ = planned_gradients(run, wanted, run.benchmarks)
    assert line.startswith("gradients towards rlvr on traits of sums, more: 1 points")


def test_passages_of_one_prompt_leave_together(make, tmp_path: Path) -> None:
    lines = [{"prompt": f"p{i % 3}", "completion": f"c{i}"} for i in range(9)]
    run = make(probes=given(tmp_path, lines))
    with Store.open(run.settings.store) as store:
        found = probing.probing(run, BENCHMARK, store)
    assert list(found.probes.clusters) == [0, 1, 2] * 3


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"prompt": "x"}, "that holds 'x' has 1 token: nothing in it is predicted"),
        ({"prompt": "x" * 61}, "has 61 tokens, base reads 60"),
        ({"prompt": "x" * 50, "completion": "y" * 11}, "has 61 tokens, base reads 60"),
    ],
)
def test_what_a_model_cannot_read_is_refused(make, tmp_path: Path, line, said: str) -> None:
    run = make(probes=given(tmp_path, [*PASSAGES, line]))
    with pytest.raises(FileError, match=said):
        probing.encode_given(run)


def test_a_run_without_such_files_opens_no_store(make) -> None:
    run = make()
    probing.encode_given(run)
    assert not run.settings.store.exists()


def test_files_and_further_benchmarks_are_traits(make, tmp_path: Path) -> None:
    polite = [{"prompt": f"p{i // 2}", "completion": f"c{i}"} for i in range(8)]
    run = make(OTHER, traits=(("polite", given(tmp_path, polite)),))
    wanted = [Wanted(Ask("base"), b, run.settings.rounds) for b in run.benchmarks.values()]
    prepare(run, wanted, progress=Silent())
    with Store.open(run.settings.store) as store:
        probes = run.benchmarks, "sums", Traits(("1",), ("more",), ("lenient",))
        found = probing.probes_of(run, *probes, store)
    traits, clusters = found.probes.traits, found.probes.clusters
    assert list(dict.fromkeys(traits)) == [
        "right: sums", "lenient: right", "writes 1", "right: more minus", "polite",
    ]  # fmt: skip
    of = {name: [c for c, t in zip(clusters, traits, strict=True) if t == name] for name in traits}
    assert set(of["right: sums"]) <= set(range(8))
    assert set(of["right: more minus"]) <= set(range(8, 16))
    assert of["polite"] == [16, 17, 18, 19]  # the first of each prompt
    assert not found.probes.own
    kept = [i for i, t in enumerate(traits) if t == "polite"]
    assert [found.passages[i].token_ids for i in kept] == [
        tuple(f"c{i}".encode()) for i in (0, 2, 4, 6)
    ]
    assert {found.probes.of[i] for i in kept} == {"given"}
