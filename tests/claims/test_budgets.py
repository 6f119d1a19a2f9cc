"""Budgets and reliabilities: read off one band over all of them, never one by one."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from rlvr_gate.claims import numbers
from rlvr_gate.claims.numbers.banded import LEAST, p_of
from rlvr_gate.records import Interval, Verdict
from rlvr_gate.stats.passk import pass_at_k

from .counted import drawn, pair_of


def test_where_base_overtakes_by_hand() -> None:
    """Three problems, n 4: the gap is 1/12, -1/6, ., -2/3, so base is ahead from k = 2 on."""
    pair = pair_of([1, 1, 1], [4, 0, 0], 4)
    base, rlvr = pair.at_every_k(4, "b")
    gaps = [after.value - before.value for before, after in zip(base, rlvr, strict=True)]
    assert [gaps[0], gaps[1], gaps[3]] == pytest.approx([1 / 12, -1 / 6, -2 / 3])
    found = numbers.overtaking_budget(pair, 4, "b")
    assert found.value == 2
    assert found.interval.low <= 2 <= found.interval.high
    assert found.bounds == (1, 5)


def test_overtaking_holds_is_refuted_and_stays_open() -> None:
    rng = np.random.default_rng(3)
    p = rng.beta(0.6, 2.0, 200)
    lost = np.where(np.arange(200) % 3, np.minimum(1, 2.5 * p), 0.0)
    crossing = pair_of(drawn(p, 32, rng), drawn(lost, 32, rng), 32)
    assert (numbers.overtaking_budget(crossing, 32, "b") <= 32).verdict is Verdict.HOLDS
    ahead = pair_of(drawn(p / 2, 32, rng), drawn(np.minimum(1, p + 0.2), 32, rng), 32)
    assert (numbers.overtaking_budget(ahead, 32, "b") <= 32).verdict is Verdict.REFUTED
    same = pair_of(drawn(p, 32, rng), drawn(p, 32, rng), 32)
    judged = numbers.overtaking_budget(same, 32, "b") <= 32
    assert judged.evidence.crossover is not None


def test_the_set_of_all_budgets_lies_within_that_of_the_ladder() -> None:
    """Thinning to a ladder can only widen it, to its neighbours."""
    rng = np.random.default_rng(4)
    p = rng.beta(0.6, 2.0, 150)
    lost = np.where(np.arange(150) % 3, np.minimum(1, 2.5 * p), 0.0)
    pair = pair_of(drawn(p, 64, rng), drawn(lost, 64, rng), 64)
    every = numbers.overtaking_budget(pair, 64, "b").interval
    assert 1 <= every.low <= every.high <= 65


def test_least_gain_in_cover_is_over_all_reliabilities_from_one_on() -> None:
    """Base solves half the problems always; rlvr all of them half of the time."""
    pair = pair_of([8] * 20 + [0] * 20, [4] * 40, 8)
    worst = numbers.least_cover_gain(pair, "b", above=0.5)
    assert worst.value == pytest.approx(1 / 70 - 0.5)  # at tau = 1: four of four, or .5
    assert (worst > -0.02).verdict is Verdict.REFUTED
    swapped = pair_of([4] * 40, [8] * 40, 8)
    assert (numbers.least_cover_gain(swapped, "b", above=0.5) > -0.02).verdict is Verdict.HOLDS
    assert (numbers.least_cover_gain(pair_of([1], [1], 1), "b", above=0.5) > 0).verdict is (
        Verdict.UNDECIDED
    )
    with pytest.raises(ValueError, match="0 < above <= 1"):
        numbers.least_cover_gain(pair, "b", above=0.0)


def test_pass_at_k_is_the_mean_of_cover_under_its_weights() -> None:
    """pass@k = integral of k (1 - tau)^(k - 1) G(tau): p in {0, 1/2} gives .375 at k = 2."""
    rates = [Fraction(0), Fraction(1, 2)]

    def integral(k: int) -> Fraction:
        """Of a step function that falls at each rate: G is constant between them."""
        ends = sorted({Fraction(0), *rates})
        total = Fraction(0)
        for low, high in pairwise(ends):
            cover = Fraction(sum(p >= high for p in rates), len(rates))
            total += cover * ((1 - low) ** k - (1 - high) ** k)
        return total

    for k in (1, 2, 3, 7):
        assert integral(k) == sum(1 - (1 - p) ** k for p in rates) / 2
    assert integral(2) == Fraction(3, 8)
    # and of samples: G-Pass at the smallest tau is pass@k, at tau = 1 pass^k
    pair = pair_of([2], [2], 4)
    low, high = (numbers.cover_at(pair.base, "b", tau=t).value for t in (0.5, 1.0))
    assert (low, high) == pytest.approx((float(pass_at_k(4, 2, 2)), 1 / 6))


def test_p_values_of_a_band_turn_its_level() -> None:
    def at(level: float) -> Interval:
        return Interval(1 - level, 2.0, level)  # holds x while 1 - level <= x

    assert p_of(at, 0.2) == pytest.approx(0.2, rel=0.15)
    assert p_of(at, 3.0) == LEAST
    assert p_of(at, 1.5) == 1.0


def test_a_model_against_itself_alarms_no_more_often_than_the_level() -> None:
    rng, alarms = np.random.default_rng(7), 0
    for _ in range(60):
        p = rng.beta(0.5, 1.5, 80)
        pair = pair_of(drawn(p, 16, rng), drawn(p, 16, rng), 16)
        reliable = numbers.least_cover_gain(pair, "b", above=0.5)
        alarms += reliable.interval.low > 0 or reliable.interval.high < -0.02
    assert alarms <= 5
