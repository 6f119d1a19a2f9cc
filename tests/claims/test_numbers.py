"""Numbers of their own file: unbiased by enumeration, monotone, read twice where unscored."""

from __future__ import annotations

from dataclasses import replace
from math import comb

import numpy as np
import pytest

from rlvr_gate.claims.numbers import NUMBERS, cover_at, solved_over
from rlvr_gate.records import Rounds, Tally


def tally(n: int, correct: int, unscored: int = 0) -> Tally:
    return Tally("p", n, correct, unscored)


def read(*tallies: Tally, tau: float) -> tuple[float, float]:
    found = cover_at._read(tallies, {"tau": tau})
    return float(found.low.mean()), float(found.high.mean())


def test_cover_of_four_samples_by_hand() -> None:
    assert read(tally(4, 2), tau=1.0) == pytest.approx((1 / 6, 1 / 6))
    assert read(tally(4, 2), tau=0.5) == pytest.approx((5 / 6, 5 / 6))


@pytest.mark.parametrize("tau", [0.1, 0.3, 0.5, 0.7, 1.0])
@pytest.mark.parametrize("p", [0.0, 0.2, 0.5, 0.9, 1.0])
def test_its_mean_is_the_chance_over_half_the_samples(p: float, tau: float) -> None:
    """Over all outcomes of n samples, weighted by their probability."""

    def binomial(count: int, c: int) -> float:
        return comb(count, c) * p**c * (1 - p) ** (count - c)

    n, half = 10, 5
    outcomes = [tally(n, c) for c in range(n + 1)]
    each = cover_at._read(outcomes, {"tau": tau}).low
    mean = sum(binomial(n, c) * value for c, value in enumerate(each))
    least = next(c for c in range(half + 1) if c >= round(tau * half, 9))
    assert mean == pytest.approx(sum(binomial(half, c) for c in range(least, half + 1)))


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number.label)
def test_every_number_lies_in_the_unit_interval_and_does_not_fall(number) -> None:
    n = np.full(13, 12)
    for shown in number.shown:
        values = number.each(n, np.arange(13), **shown)
        assert values.min() >= 0
        assert values.max() <= 1
        assert (np.diff(values) >= -1e-12).all()


def test_unscored_samples_are_read_both_ways_and_chosen_n_says_nothing() -> None:
    low, high = read(tally(8, 3, 2), tau=0.5)
    assert (low, high) == (read(tally(8, 3), tau=0.5)[0], read(tally(8, 5), tau=0.5)[0])
    assert low < high
    assert read(replace(tally(8, 3), rounds=Rounds((4, 8), 3)), tau=0.5) == (0.0, 1.0)


def test_over_nine_tenths_are_the_last_two_bins_of_the_histogram() -> None:
    """Exactly .9 is not over it, whatever floats make of it; one sample tells nothing."""
    of = [tally(10, c) for c in (8, 9, 10)] + [tally(256, c) for c in (230, 231, 256)]
    found = solved_over._read(of, {"share": 0.9})
    assert found.low.tolist() == found.high.tolist() == [0, 0, 1, 0, 1, 1]
    once = solved_over._read([tally(1, 1), tally(10, 10)], {"share": 0.9})
    assert (once.low.tolist(), once.high.tolist()) == ([0, 1], [1, 1])
    with pytest.raises(ValueError, match="a share of the samples lies in"):
        solved_over._read(of, {"share": 1.0})


@pytest.mark.parametrize("tau", [0.0, -1.0, 1.1, float("nan")])
def test_a_threshold_outside_the_unit_interval_is_refused(tau: float) -> None:
    with pytest.raises(ValueError, match="0 < tau <= 1"):
        read(tally(4, 2), tau=tau)
