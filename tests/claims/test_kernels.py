"""Kernels as claims see them: planted turns at planted sizes, divergences and gains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from scipy.linalg import expm

from rlvr_gate.claims import numbers
from rlvr_gate.claims.kernels import KernelView
from rlvr_gate.claims.views import CheckpointView, EvidenceSource
from rlvr_gate.judging.ledger import Ledger
from rlvr_gate.judging.quantities import Estimate, Exact
from rlvr_gate.kernels.change import kernel_change
from rlvr_gate.kernels.measured import KernelAt, Probes
from rlvr_gate.kernels.points import LINE, SEEDS, Traits, WeightPoint
from rlvr_gate.records import Tally, Verdict

PROBLEMS, CODES = 15, 4
N = 2 * PROBLEMS


class World:
    """Turns of the base's kernel by an angle for each unit of a role's update.

    rlvr turns twice as fast as sft for its size, a tenth of sft's; and its KL, a square of its
    size, is four times as large.
    """

    sizes: Mapping[str, float] = {
        "rlvr": 0.1, "sft": 1.0, "step-8": 0.05, "same": 0.0, "idle": 0.5,
    }  # fmt: skip
    speeds: Mapping[str, float] = {
        "rlvr": 0.02, "sft": 0.01, "step-8": 0.02, "same": 0.0, "idle": 0.0,
    }  # fmt: skip
    factors: Mapping[str, float] = {
        "rlvr": 4.0, "sft": 1.0, "step-8": 4.0, "same": 0.0, "idle": 0.0,
    }  # fmt: skip
    correct: Mapping[str, int] = {
        "base": 10, "rlvr": 50, "sft": 30, "step-8": 20, "same": 10, "idle": 10,
    }  # fmt: skip

    def __init__(self, **changes: object) -> None:
        random = np.random.default_rng(0)
        self.gradients = random.normal(size=(CODES, N, 80)) + random.normal(size=(1, N, 80))
        lopsided = random.normal(size=(N, N))
        self.way = lopsided - lopsided.T
        self.absent: set[WeightPoint] = set()
        self.scaled = np.ones(N)
        for name, value in changes.items():
            setattr(self, name, value)

    @property
    def roles(self) -> list[str]:
        return ["base", *self.sizes]

    def probes(self, benchmark: str, traits: Traits | None = None) -> Probes:
        names = () if traits is None else ["a", "b", "c"] * (N // 3)
        return Probes(np.repeat(range(PROBLEMS), 2).tolist(), ["base", "rlvr"] * PROBLEMS, names)

    def tallies(self, role: str, benchmark: str) -> tuple[Tally, ...]:
        return tuple(Tally(f"p{i}", 100, self.correct[role] + i % 3) for i in range(PROBLEMS + 5))

    def was_asked(self, name: str, benchmark: str) -> bool:
        return name in self.correct

    def kernel(self, point: WeightPoint, benchmark: str, traits: Traits | None = None) -> KernelAt:
        if point in self.absent:
            raise LookupError(f"nobody took the kernel of {point.name}")
        size = point.scale * self.sizes[point.role]
        speed = self.speeds[point.role] * (1 if point.noise is None else 0.25 + 0.05 * point.noise)
        rotated = expm(speed * size * self.way)
        rows = np.einsum("ij,cjp->cip", rotated, self.gradients)
        if point.role == "sft" and point.scale == 1:
            rows = rows * self.scaled[:, None]
        kl = np.array([1.0, 7.0] * PROBLEMS) * self.factors[point.role] * size**2
        kernels = (rows @ rows.transpose(0, 2, 1)).astype(np.float32)
        products = np.zeros((CODES, 0))
        if not point.scale:
            products = np.einsum("cip,p->ci", self.gradients, self.update_of(point.role))
        return KernelAt(kernels, products, kl, -kl, size)

    def update_of(self, role: str) -> np.ndarray:
        """A tenth of it lies along the first probe's gradient of the first code."""
        across = np.linalg.svd(self.gradients[0])[2][-1]
        along = self.gradients[0, 0] / np.linalg.norm(self.gradients[0, 0])
        share = {"rlvr": 0.1, "sft": 0.4}.get(role, 0.0)
        return self.sizes[role] * (np.sqrt(share) * along + np.sqrt(1 - share) * across)


def view(role: str, world: World | None = None, ledger: Ledger | None = None) -> KernelView:
    source = cast(EvidenceSource, world or World())
    base = CheckpointView("base", source, ledger or Ledger())
    checkpoint = CheckpointView(role, source, base.ledger)
    return checkpoint.kernel_since(base, "b")


def test_its_own_numbers_are_those_of_the_mean_kernels() -> None:
    world = World()
    base, rlvr = (world.kernel(WeightPoint("rlvr", s), "b").mean() for s in (0, 1))
    expected, found = kernel_change(base, rlvr), view("rlvr", world)
    assert found.distance().value == pytest.approx(expected.distance)
    assert found.turn().value == pytest.approx(expected.turn)
    assert found.rescaling().value == pytest.approx(expected.rescaling)
    for number in (found.distance(), found.turn(), found.rescaling()):
        assert isinstance(number, Estimate)
        assert 0 <= number.interval.low < number.value < number.interval.high
        assert number.problems == PROBLEMS


@pytest.mark.parametrize(
    ("at", "expected"), [("", 0.2), ("size", 2.0), ("kl", 1.0), ("gain", 0.1)]
)
def test_two_updates_are_matched_as_they_were_planted(at: str, expected: float) -> None:
    found = view("rlvr").over(view("sft"), "turn", at)
    assert found.value == pytest.approx(expected, rel=0.03)
    assert found.interval.low < expected * 1.01
    numbers = (found.value, found.interval.low, found.interval.high, found.p_value(1.1))
    assert {type(number) for number in numbers} == {float}
    assert found.interval.high > expected * 0.99
    assert found.interval.high / found.interval.low < 1.2


def test_verdicts_follow_and_turn_with_the_match() -> None:
    ledger, world = Ledger(), World()
    rlvr, sft = view("rlvr", world, ledger), view("sft", world, ledger)
    for at in ("", "size"):
        _ = rlvr.over(sft, "turn", at) < 1
    absolute, matched = ledger.judgements
    assert (absolute.verdict, matched.verdict) == (Verdict.HOLDS, Verdict.REFUTED)
    assert absolute.p_value < 1e-6
    assert absolute.benchmark == "b"


def test_divergence_is_along_what_the_base_wrote() -> None:
    """Every other probe is rlvr's, and diverges seven times as much."""
    rows = view("rlvr")._evidence(None).exhibits[0].rows
    (row,) = [r for r in rows if r[0] == "rlvr"]
    assert row[2] == pytest.approx(4 * 0.1**2)


def test_noise_is_the_mean_of_its_seeds() -> None:
    found = view("rlvr").over_noise("turn")
    assert found.value == pytest.approx(1 / (0.25 + 0.05 * np.mean(SEEDS)), rel=0.02)


def test_a_planted_rescaling_is_a_larger_share() -> None:
    """The other's probes are rescaled beside its turn, by no direction of base's alone."""
    still = World(speeds={**World.speeds, "sft": 0.0}, scaled=np.linspace(0.8, 1.2, N))
    found = view("rlvr", still).over(view("sft", still), "rescaling")
    assert found.value < 0.1


@pytest.mark.parametrize("at", ["size", "kl"])
def test_what_has_no_counterpart_is_not_comparable(at: str) -> None:
    far = World(sizes={**World.sizes, "rlvr": 3.0})
    found = view("rlvr", far).over(view("sft", far), "turn", at)
    assert isinstance(found, Exact)
    assert "nothing there is like it" in found.reasons[0]
    near = World(sizes={**World.sizes, "rlvr": 0.001})
    assert isinstance(view("rlvr", near).over(view("sft", near), "turn", at), Exact)


def test_who_gained_nothing_has_no_number_for_each_point() -> None:
    worse = World(correct={**World.correct, "sft": 9})
    found = view("rlvr", worse).over(view("sft", worse), "turn", "gain")
    assert found.reasons == ("sft gained nothing on b in pass@1",)


def test_the_same_weights_moved_no_kernel() -> None:
    ledger = Ledger()
    same = view("same", ledger=ledger)
    assert "hold the same weights" in same.turn().reasons[0]
    assert "hold the same weights" in same.over_noise("turn").reasons[0]
    found = view("rlvr").over(view("same"), "turn")
    assert "hold the same weights" in found.reasons[0]
    _ = same.turn() < 1
    assert ledger.judgements[0].verdict is Verdict.NOT_COMPARABLE


def test_an_update_that_leaves_the_kernel_alone_has_no_rescaling() -> None:
    """As a permutation of neurons does, or one of what no probe reads."""
    idle = view("idle")
    assert idle.turn().value == pytest.approx(0, abs=1e-9)
    for found in (
        idle.rescaling(), idle.over(view("sft"), "rescaling"), idle.over_noise("rescaling"),
        view("rlvr").over(idle, "rescaling"),
    ):  # fmt: skip
        assert isinstance(found, Exact)
        assert "idle's kernel is base's to 1e-05" in found.reasons[0]
    assert idle.over(view("sft"), "turn").value < 1e-6


def test_too_few_probes_are_no_kernel() -> None:
    world = World()
    world.probes = lambda benchmark, traits=None: Probes(
        [0, 0, 1, 1, 2], ["base", "rlvr"] * 2 + ["base"]
    )
    found = view("rlvr", world).turn()
    assert found.reasons == (
        "a kernel needs 6 probes of 3 problems, b has 5 of 3: more problems are needed",
    )
    assert not found.evidence.exhibits
    assert not Probes([0, 0, 0, 1, 1, 1], ["base"] * 6).enough


def test_every_point_taken_stands_beside_the_verdict() -> None:
    found = view("rlvr").over(view("sft"), "turn").evidence
    table, curves, by_kl, by_gain = found.exhibits
    names = [row[0] for row in table.rows]
    assert {"rlvr", "sft", "step-8", "0.5 of sft", "noise 0 of the size of rlvr"} <= set(names)
    assert "base" not in names
    assert [x for x, _ in curves.curves["sft"]] == [*sorted(LINE), 1.0]
    assert 0.05 in [x for x, _ in curves.curves["rlvr"]]
    assert [x for x, _ in by_kl.curves["sft"]] == pytest.approx([x**2 for x in [*sorted(LINE), 1]])
    assert [y for _, y in by_kl.curves["sft"]] == [y for _, y in curves.curves["sft"]]
    assert [x for x, _ in by_gain.curves["rlvr"]] == pytest.approx([0.1, 0.4])
    assert [x for x, _ in by_gain.curves["sft"]] == pytest.approx([0.2])
    turns = {row[0]: row[4] for row in table.rows}
    assert [y for _, y in by_gain.curves["rlvr"]] == [turns["step-8"], turns["rlvr"]]


def test_a_checkpoint_that_was_not_asked_has_no_gain_to_be_drawn_by() -> None:
    class Unasked(World):
        def was_asked(self, name: str, benchmark: str) -> bool:
            return name != "step-8"

        def tallies(self, role: str, benchmark: str) -> tuple[Tally, ...]:
            if role == "step-8":
                raise RuntimeError("the store holds none of step-8")
            none = role == "rlvr"
            return tuple(replace(t, n=0, correct=0) if none else t
                         for t in super().tallies(role, benchmark))  # fmt: skip

    exhibits = view("rlvr", Unasked()).over(view("sft"), "turn").evidence.exhibits
    assert [list(each.curves) for each in exhibits if each.title == "Turn by gain in pass@1"] == [
        ["sft"]
    ]


def test_where_no_divergence_is_known_none_is_shown_or_matched() -> None:
    world = World(factors=dict.fromkeys(World.factors, np.nan))
    rlvr, sft = view("rlvr", world), view("sft", world)
    assert "no divergence is known" in rlvr.over(sft, "turn", "kl").reasons[0]
    assert rlvr.over(sft, "turn", "size").value == pytest.approx(2, rel=0.03)
    table, *drawn = rlvr.turn().evidence.exhibits
    assert {row[2] for row in table.rows} == {None}
    assert [each.title for each in drawn] == ["Turn by size of update", "Turn by gain in pass@1"]


def test_what_was_not_taken_is_left_out_of_the_table_and_refused_where_it_is_read() -> None:
    world = World(absent={WeightPoint("rlvr", noise=1), WeightPoint("step-8")})
    rlvr = view("rlvr", world)
    assert "noise 1 of the size of rlvr" not in [
        r[0] for r in rlvr.turn().evidence.exhibits[0].rows
    ]
    with pytest.raises(LookupError, match="noise 1"):
        rlvr.over_noise("turn")


def traits(role: str, world: World) -> KernelView:
    source, ledger = cast(EvidenceSource, world), Ledger()
    base, other = (CheckpointView(r, source, ledger) for r in ("base", role))
    return other.traits_since(base, "b", "*")


def test_traits_are_means_over_their_probes() -> None:
    world = World()
    base, rlvr = (world.kernel(WeightPoint("rlvr", s), "b").mean() for s in (0, 1))
    mean = np.tile(np.eye(3), N // 3) / (N // 3)
    expected = kernel_change(mean @ base @ mean.T, mean @ rlvr @ mean.T)
    found = traits("rlvr", world)
    assert found.turn().value == pytest.approx(expected.turn)
    assert found.distance().value == pytest.approx(expected.distance)
    (row, *_) = [r for r in found.turn().evidence.exhibits[0].rows if r[0] == "rlvr"]
    assert row[3] == pytest.approx(expected.distance)


class Given(World):
    """Its probes are a user's, of prompts that are no problems; all problems gain more."""

    def probes(self, benchmark: str, traits: Traits | None = None) -> Probes:
        named = super().probes(benchmark, traits)
        clusters = [100 + c for c in named.clusters]
        return replace(named, clusters=clusters, of=["given"] * N, given="p.jsonl (0a)")

    def tallies(self, role: str, benchmark: str) -> tuple[Tally, ...]:
        return tuple(Tally(f"p{i}", 100, self.correct[role] + i) for i in range(PROBLEMS + 5))


def test_over_given_probes_gains_are_of_all_problems_and_divergences_of_all_probes() -> None:
    world = Given()
    ratio = view("rlvr", world).over(view("sft", world), "turn", "gain")
    assert ratio.value == pytest.approx(0.1, rel=0.03)
    # Every probe's KL counts where none is base's own: 1 and 7, in the mean 4.
    (table, *curves) = view("rlvr", world).turn().evidence.exhibits
    (row, *_) = [r for r in table.rows if r[0] == "rlvr"]
    assert row[2] == pytest.approx(4 * 4 * 0.1**2)
    assert table.title == f"Kernels over {N} probes of {PROBLEMS} prompts of p.jsonl (0a)"
    assert "Turn by gain in pass@1" in [each.title for each in curves]


def test_traits_over_several_benchmarks_are_named_in_the_table() -> None:
    world = Given()
    source, ledger = cast(EvidenceSource, world), Ledger(about=("b", "c"))
    base, rlvr = (CheckpointView(r, source, ledger) for r in ("base", "rlvr"))
    found = rlvr.traits_since(base, ["b", "c"], "*", grading=("strict",))
    assert found.traits == Traits(("*",), ("c",), ("strict",))
    assert found.turn().evidence.exhibits[0].title.endswith("3 traits: a, b, c")


def test_too_few_traits_are_named() -> None:
    world = World()
    world.probes = lambda benchmark, traits=None: Probes(
        np.repeat(range(PROBLEMS), 2).tolist(), ["base"] * N, ["right: b", "writes *"] * PROBLEMS
    )
    found = traits("rlvr", world).share_along()
    assert "b has right: b, writes *" in found.reasons[0]


def test_the_share_along_base_is_that_of_the_update() -> None:
    """With one code it is planted; means over codes and probes know less of it."""
    world = World()
    world.gradients = world.gradients[:1].repeat(CODES, 0)
    found = view("rlvr", world).share_along()
    assert found.value == pytest.approx(0.1, rel=1e-4)
    ratio = view("rlvr", world).share_along_over(view("sft", world))
    assert ratio.value == pytest.approx(0.25, rel=1e-4)
    assert 0 < traits("rlvr", world).share_along().value < 0.1
    same = view("same", world)
    assert "same weights" in same.share_along().reasons[0]
    assert "same weights" in view("rlvr", world).share_along_over(same).reasons[0]


def test_only_base_is_compared_with() -> None:
    ledger, source = Ledger(), cast(EvidenceSource, World())
    rlvr, sft = (CheckpointView(role, source, ledger) for role in ("rlvr", "sft"))
    with pytest.raises(ValueError, match="compared with base's, got sft"):
        rlvr.kernel_since(sft, "b")


@pytest.mark.parametrize(
    ("point", "name"),
    [
        (WeightPoint("rlvr", 0), "base"),
        (WeightPoint("rlvr"), "rlvr"),
        (WeightPoint("sft", 0.25), "0.25 of sft"),
        (WeightPoint("sft", 1, None, True), "sft, in bfloat16"),
        (WeightPoint("sft", 0.5, 2, True), "noise 2 of the size of 0.5 of sft in bfloat16"),
    ],
)
def test_points_have_names(point: WeightPoint, name: str) -> None:
    assert point.name == name


class Weighed(World):
    """With angles of weights that order the checkpoints as planted."""

    angles: Mapping[str, float] = {"step-8": 0.5, "rlvr": 0.9, "sft": 9.0, "far": 20.0}

    def __init__(self, **changes: object) -> None:
        super().__init__(**changes)
        for name in ("sizes", "speeds", "factors"):
            setattr(self, name, {**getattr(self, name), "far": 1.5 * getattr(self, name)["sft"]})

    def update(self, role: str, against: str) -> SimpleNamespace:
        return SimpleNamespace(
            share=lambda criterion: 0.5, incomplete=lambda: "", totals=lambda: None
        )

    def shapes(self, role: str, against: str) -> SimpleNamespace:
        matrix = SimpleNamespace(unchanged=False, angle=self.angles[role])
        return SimpleNamespace(matrices=[matrix], left_out=())


@pytest.mark.parametrize(
    ("angles", "tau"),
    [
        ({}, 1.0),
        ({"step-8": 20.0, "rlvr": 9.0, "sft": 0.9, "far": 0.5}, -1.0),
        ({"step-8": 0.9, "rlvr": 0.5}, 2 / 3),
        ({"step-8": 0.9}, None),
    ],
)
def test_weights_track_the_kernel_where_both_order_checkpoints_alike(angles, tau) -> None:
    world = Weighed(angles={**Weighed.angles, **angles})
    source, ledger = cast(EvidenceSource, world), Ledger()
    base, *others = (CheckpointView(r, source, ledger) for r in ("base", *Weighed.angles))
    found = numbers.weights_track_kernel(base, [base, *others], "b")
    assert tau is None or found.value == pytest.approx(tau)
    table, _ = found.evidence.exhibits
    assert [row[1] for row in table.rows] == sorted(world.angles.values())
    few = numbers.weights_track_kernel(base, others[:3], "b")
    assert few.reasons == ("an order needs 4 checkpoints, got 3",)
