"""Kernels as claims see them: planted turns at planted sizes, divergences and gains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import numpy as np
import pytest
from scipy.linalg import expm

from rlvr_gate.claims.kernels import KernelView
from rlvr_gate.claims.views import CheckpointView, EvidenceSource
from rlvr_gate.judging.ledger import Ledger
from rlvr_gate.judging.quantities import Estimate, Exact
from rlvr_gate.kernels.change import kernel_change
from rlvr_gate.kernels.measured import KernelAt, Probes
from rlvr_gate.kernels.points import LINE, SEEDS, WeightPoint
from rlvr_gate.records import Tally, Verdict

PROBLEMS, CODES = 15, 4
N = 2 * PROBLEMS


class World:
    """Turns of the base's kernel by an angle for each unit of a role's update.

    rlvr turns twice as fast as sft for its size, a tenth of sft's; and its KL, a square of its
    size, is four times as large.
    """

    sizes: Mapping[str, float] = {"rlvr": 0.1, "sft": 1.0, "step-8": 0.05, "same": 0.0}
    speeds: Mapping[str, float] = {"rlvr": 0.02, "sft": 0.01, "step-8": 0.02, "same": 0.0}
    factors: Mapping[str, float] = {"rlvr": 4.0, "sft": 1.0, "step-8": 4.0, "same": 0.0}
    correct: Mapping[str, int] = {"base": 10, "rlvr": 50, "sft": 30, "step-8": 20, "same": 10}

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

    def probes(self, benchmark: str) -> Probes:
        return Probes(np.repeat(range(PROBLEMS), 2).tolist(), ["base", "rlvr"] * PROBLEMS)

    def tallies(self, role: str, benchmark: str) -> tuple[Tally, ...]:
        return tuple(Tally(f"p{i}", 100, self.correct[role] + i % 3) for i in range(PROBLEMS + 5))

    def kernel(self, point: WeightPoint, benchmark: str) -> KernelAt:
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
        return KernelAt(kernels, np.zeros((CODES, 0)), kl, -kl, size)


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


def test_too_few_probes_are_no_kernel() -> None:
    world = World()
    world.probes = lambda benchmark: Probes([0, 0, 1, 1, 2], ["base", "rlvr"] * 2 + ["base"])
    found = view("rlvr", world).turn()
    assert found.reasons == (
        "a kernel needs 6 probes of 3 problems, b has 5 of 3: more problems are needed",
    )
    assert not found.evidence.exhibits
    assert not Probes([0, 0, 0, 1, 1, 1], ["base"] * 6).enough


def test_every_point_taken_stands_beside_the_verdict() -> None:
    found = view("rlvr").over(view("sft"), "turn").evidence
    table, curves = found.exhibits
    names = [row[0] for row in table.rows]
    assert {"rlvr", "sft", "step-8", "0.5 of sft", "noise 0 of the size of rlvr"} <= set(names)
    assert "base" not in names
    assert [x for x, _ in curves.curves["sft"]] == [*sorted(LINE), 1.0]
    assert 0.05 in [x for x, _ in curves.curves["rlvr"]]


def test_what_was_not_taken_is_left_out_of_the_table_and_refused_where_it_is_read() -> None:
    world = World(absent={WeightPoint("rlvr", noise=1), WeightPoint("step-8")})
    rlvr = view("rlvr", world)
    assert "noise 1 of the size of rlvr" not in [
        r[0] for r in rlvr.turn().evidence.exhibits[0].rows
    ]
    with pytest.raises(LookupError, match="noise 1"):
        rlvr.over_noise("turn")


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
