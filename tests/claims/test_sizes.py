"""Along size: what is a size, whether a gain fades, and how often that is said falsely."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rlvr_gate.claims import numbers
from rlvr_gate.claims.numbers.sizes import sizes
from rlvr_gate.claims.views import PairView
from rlvr_gate.records import Curves, Tally, Verdict

from .counted import drawn, views
from .test_over_tasks import pair_over

SIZES = (3, 4, 5, 6)


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["b 3 numbers", "b 10 numbers", "b 4 numbers"], (3.0, 10.0, 4.0)),
        (["gym:m?max=7&min=7&size=50", "gym:m?max=9&min=9&size=50"], (7.0, 9.0)),
        (["n 0.5", "n 1.5"], (0.5, 1.5)),
        (["3 numbers", "4 letters"], None),  # two tasks
        (["b", "b"], None),  # no number at all
        (["b 1 2", "b 2 1"], None),  # which of the two is the size?
        (["b 1 of 2", "b 1 of 3", "b 2 of 4"], None),  # no size of its own for each
    ],
)
def test_a_size_is_the_one_number_in_which_names_differ(
    names: list[str], found: tuple[float, ...] | None
) -> None:
    assert sizes(names) == found


def counts(
    rates: list[float], rng: np.random.Generator, each: int = 60, n: int = 16
) -> list[Tally]:
    found = []
    for size, rate in zip(SIZES, rates, strict=True):
        right = drawn(rng.beta(2 * rate + 0.01, 2 * (1 - rate) + 0.01, each), n, rng)
        found += [
            Tally(f"{size}-{i}", n, c, stratum=f"{size} numbers") for i, c in enumerate(right)
        ]
    return found


def sized(base: list[float], rlvr: list[float], seed: int = 0) -> PairView:
    rng = np.random.default_rng(seed)
    return views(base=counts(base, rng), rlvr=counts(rlvr, rng))


BASE = [0.3, 0.2, 0.1, 0.05]


def test_a_gain_that_fades_is_seen_and_its_reverse_is_refuted() -> None:
    fading = numbers.gain_fades(sized(BASE, [0.8, 0.5, 0.2, 0.05]), 1, ["b"])
    assert fading.verdict is Verdict.HOLDS
    assert fading.benchmark is None
    growing = numbers.gain_fades(sized(BASE, [0.3, 0.3, 0.5, 0.7]), 1, ["b"])
    assert growing.verdict is Verdict.REFUTED
    assert fading.p_value is not None
    assert fading.p_value < 0.001


def test_the_estimate_is_the_contrast_of_the_gains() -> None:
    """By hand: gains .5, .25, .25, 0 weigh -.75, -.25, .25, .75."""

    def tallies(each: list[int]) -> list[Tally]:
        return [
            Tally(f"{size}-{i}", 4, c, stratum=f"{size} numbers")
            for size, c in zip(SIZES, each, strict=True)
            for i in range(size)  # sizes need not have as many problems
        ]

    pair = views(base=tallies([1, 1, 1, 1]), rlvr=tallies([3, 2, 2, 1]))
    found = numbers.gain_fades(pair, 1, ["b"])
    assert found.estimate == pytest.approx(-0.375)
    curves, table = found.evidence.exhibits
    assert isinstance(curves, Curves)
    assert [point[:2] for point in curves.curves["rlvr"]] == [
        (3, 0.75),
        (4, 0.5),
        (5, 0.5),
        (6, 0.25),
    ]
    assert [row[1] for row in table.rows] == [0.5, 0.25, 0.25, 0.0]  # type: ignore[union-attr]


def test_swapping_the_pair_turns_the_sign() -> None:
    one, other = sized(BASE, [0.8, 0.5, 0.2, 0.05]), sized([0.8, 0.5, 0.2, 0.05], BASE)
    rng = np.random.default_rng(1)
    base, rlvr = counts(BASE, rng), counts([0.8, 0.5, 0.2, 0.05], rng)
    one, other = views(base=base, rlvr=rlvr), views(base=rlvr, rlvr=base)
    ours, theirs = (numbers.gain_fades(pair, 1, ["b"]) for pair in (one, other))
    assert ours.estimate == pytest.approx(-theirs.estimate)
    assert ours.interval.low == pytest.approx(-theirs.interval.high)


def test_benchmarks_of_one_generator_are_sizes_too() -> None:
    names = [f"gym:maze?max_size={size}&min_size={size}&size=50" for size in SIZES]

    def each(rates: list[float], seed: int) -> dict[str, list[Tally]]:
        rng = np.random.default_rng(seed)
        return {
            name: [Tally(f"p{i}", 16, c) for i, c in enumerate(drawn(np.full(60, rate), 16, rng))]
            for name, rate in zip(names, rates, strict=True)
        }

    pair = pair_over(each(BASE, 0), each([0.8, 0.5, 0.2, 0.05], 1))
    assert numbers.gain_fades(pair, 1, names).verdict is Verdict.HOLDS
    far = numbers.gain_at_largest(pair, 1, names) > 0
    assert far.benchmark == names[-1]


def test_without_three_sizes_nothing_is_said() -> None:
    rng = np.random.default_rng(0)
    both = [
        Tally(f"p{i}", 8, c, stratum=f"{3 + i % 2} numbers")
        for i, c in enumerate(drawn(np.full(80, 0.4), 8, rng))
    ]
    pair = views(base=both, rlvr=both)
    found = numbers.gain_fades(pair, 1, ["b"])
    assert found.verdict is Verdict.UNDECIDED
    assert "a curve needs 3 sizes" in found.evidence.notes[0]
    assert found.p_value is None
    far = numbers.gain_at_largest(pair, 1, ["b"]) > 0
    assert far.verdict is Verdict.UNDECIDED


def test_the_lead_at_the_largest_is_judged_there_alone() -> None:
    pair = sized(BASE, [0.3, 0.2, 0.1, 0.6])
    far = numbers.gain_at_largest(pair, 1, ["b"]) > 0
    assert far.verdict is Verdict.HOLDS
    assert "6 numbers" in far.statement
    lost = numbers.gain_at_largest(sized([0.9, 0.9, 0.9, 0.6], BASE), 1, ["b"]) > 0
    assert lost.verdict is Verdict.REFUTED


def test_what_is_unscored_widens_it() -> None:
    rng = np.random.default_rng(0)
    base, rlvr = counts(BASE, rng), counts([0.8, 0.5, 0.2, 0.05], rng)
    holes = [Tally(t.problem, t.n, max(0, t.correct - 4), 4, stratum=t.stratum) for t in rlvr]
    sure = numbers.gain_fades(views(base=base, rlvr=rlvr), 1, ["b"])
    open_ = numbers.gain_fades(views(base=base, rlvr=holes), 1, ["b"])
    assert open_.interval.high - open_.interval.low > sure.interval.high - sure.interval.low


def test_copies_of_a_problem_are_one_problem() -> None:
    rng = np.random.default_rng(0)
    base, rlvr = counts(BASE, rng), counts([0.8, 0.5, 0.2, 0.05], rng)

    def twins(of: list[Tally]) -> list[Tally]:
        return [replace(t, problem=f"{t.problem}{x}", cluster=t.problem) for t in of for x in "ab"]

    one = numbers.gain_fades(views(base=base, rlvr=rlvr), 1, ["b"])
    two = numbers.gain_fades(views(base=twins(base), rlvr=twins(rlvr)), 1, ["b"])
    assert two.estimate == pytest.approx(one.estimate)
    assert two.interval.high - two.interval.low == pytest.approx(
        one.interval.high - one.interval.low, rel=0.1
    )


def test_a_gain_that_stays_alarms_in_a_twentieth() -> None:
    alarms = [
        numbers.gain_fades(
            sized([0.1, 0.2, 0.3, 0.4], [0.3, 0.4, 0.5, 0.6], seed), 1, ["b"]
        ).verdict
        for seed in range(200)
    ]
    assert sum(verdict is not Verdict.UNDECIDED for verdict in alarms) <= 17  # 10 of 200; 2.3 sd
