"""Bounds that promise their level: special cases, exact enumeration, clusters, looks."""

from __future__ import annotations

from fractions import Fraction
from math import prod

import numpy as np
import pytest
from scipy.special import gammaln

from rlvr_gate.stats.guaranteed import below_zero, guaranteed_interval, guaranteed_p_value
from rlvr_gate.stats.intervals import mean_ends, mean_interval, mean_p_value, ratio_interval
from rlvr_gate.stats.looks import look_levels, p_over_looks
from rlvr_gate.stats.proportions import proportion_interval

TAIL = 0.025


@pytest.mark.parametrize(("count", "of"), [(0, 30), (3, 30), (30, 30), (250, 500), (1, 2)])
@pytest.mark.parametrize("level", [0.95, 0.9999, 1 - 1e-9])
def test_values_at_their_bounds_are_a_binomial(count, of, level):
    x = np.repeat([0.0, 1.0], [of - count, count])
    found, exact = (
        guaranteed_interval(x, level=level, low=0, high=1),
        proportion_interval(count, of, level=level),
    )
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high), abs=1e-8)


@pytest.mark.parametrize("value", [0.01, 0.3, 1.0])
def test_one_value_is_markovs_inequality(value):
    assert guaranteed_p_value([value], 0.005, low=0.0) == pytest.approx(0.005 / value)


def by_partial_fractions(distance):
    """P(sum of exponentials, each times a distance, <= 0), exactly: distances all different."""
    a = [Fraction(d) for d in distance]
    return float(1 - sum(
        prod((x / (x - y) for j, y in enumerate(a) if j != i), start=Fraction(1))
        for i, x in enumerate(a) if x > 0
    ))  # fmt: skip


@pytest.mark.parametrize("units", [2, 5, 40])
def test_the_integral_is_the_exact_sum(units):
    rng = np.random.default_rng(units)
    for shift in (-0.5, -0.1, 0.0, 0.2, 0.5):
        distance = rng.uniform(-1, 1, units) + shift
        if distance.min() < 0 < distance.max():
            found = below_zero(distance, np.ones((1, units), dtype=int))[0]
            assert found == pytest.approx(by_partial_fractions(distance.tolist()), rel=1e-9)


@pytest.mark.parametrize("near", [1e-6, 1e-9, 1e-12, 1e-15])
def test_a_value_next_to_the_threshold_costs_no_digits(near):
    """The integrand then decays over many magnitudes; all nodes may be needed."""
    for distance in ([-1.0, near], [-near, 1.0], [-near, -1.0, 2 * near]):
        found = below_zero(np.array(distance), np.ones((1, len(distance)), dtype=int))[0]
        assert found == pytest.approx(by_partial_fractions(distance), rel=1e-9)


def test_where_all_lie_on_one_side_it_is_sure():
    assert guaranteed_p_value([0.1, 0.2], -1.0, low=-1.0) == 0.0
    assert guaranteed_p_value([0.1, 0.2], 0.2, low=-1.0) == 1.0
    assert guaranteed_p_value([-1.0, -1.0], -1.0, low=-1.0) == 1.0


def test_no_jump_where_all_values_agree():
    same, one_off = np.zeros(30), np.append(np.zeros(29), 1 / 256)
    found = [guaranteed_interval(x, level=0.95, low=-1, high=1) for x in (same, one_off)]
    assert found[0].high == pytest.approx(1 - TAIL ** (1 / 30))
    assert found[1].high == pytest.approx(found[0].high, abs=1e-3)
    assert mean_interval(one_off).high < 0.7 * mean_interval(same).high  # what findings keep


def test_mirrored_values_have_mirrored_ends():
    x = np.random.default_rng(4).uniform(-0.3, 0.5, 60)
    one = guaranteed_interval(x, level=0.95, low=-1, high=1)
    other = guaranteed_interval(-x, level=0.95, low=-1, high=1)
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low))
    assert guaranteed_p_value(x, one.low, low=-1) == pytest.approx(TAIL, rel=1e-6)


def states(problems):
    first, second = np.indices((problems + 1, problems + 1)).reshape(2, -1)
    third = problems - first - second
    return np.stack([first, second, third], axis=1)[third >= 0]


def worst_case(rejected, counts, values):
    """Largest chance to reject over the laws on three values whose mean is zero: exact sums."""
    ways, worst = gammaln(counts.sum(axis=1) + 1) - gammaln(counts + 1).sum(axis=1), 0.0
    low, middle, high = values
    for rare in np.geomspace(1e-4, 0.6, 60):  # share of the lowest value
        top = (-low * rare - middle * (1 - rare)) / (high - middle)
        law = np.array([rare, 1 - rare - top, top])
        if law.min() >= 0:
            with np.errstate(divide="ignore", invalid="ignore"):
                log = np.where(counts > 0, counts * np.log(law), 0.0).sum(axis=1)
            worst = max(worst, float(np.exp(ways + log)[rejected].sum()))
    return worst


LAWS = [(-1.0, a * b, b) for b in (0.02, 0.1, 0.3, 1.0) for a in (-0.5, 0.0, 0.5)]


@pytest.mark.parametrize("problems", [10, 30])
@pytest.mark.parametrize("values", LAWS)
def test_no_law_of_three_values_is_falsely_released_more_often_than_promised(problems, values):
    counts = states(problems)
    with_bound = counts + np.array([1, 0, 0])
    rejected = below_zero(np.array(values), with_bound) <= TAIL
    assert worst_case(rejected, counts, values) <= TAIL


def test_the_sharper_interval_is_falsely_released_three_times_as_often():
    """Most problems gain a little, a rare kind loses everything: why gate claims do not use it."""
    counts, values = states(30), (-1.0, 0.025, 0.1)
    x = np.array([np.repeat(values, row) for row in counts]).T
    low, _ = mean_ends(x, level=0.95)
    assert worst_case(low > 0, counts, values) > 3 * TAIL


@pytest.mark.parametrize("sizes", [[40] * 5 + [1] * 100, [30] + [1] * 20, [5] * 20])
@pytest.mark.parametrize("rare", [0.03, 0.2, 0.5])
def test_clusters_of_any_sizes_err_no_more_often_than_promised(sizes, rare):
    """Clusters come out alike: the worst there is. Gains of most pay for the loss of some."""
    rng, size = np.random.default_rng(7), np.array(sizes)
    lost = rng.random((600, len(size))) < rare
    means = np.where(lost, -1.0, rare / (1 - rare))
    errors = 0
    for row in means:
        distance = np.append(row * size, -size.max())
        values, counts = np.unique(distance, return_counts=True)
        errors += below_zero(values, counts[None, :])[0] <= TAIL
    assert errors / 600 <= TAIL + 3 * (TAIL / 600) ** 0.5


def test_an_interval_of_clusters_is_that_of_their_sums():
    x = np.random.default_rng(1).uniform(-0.2, 0.4, 40)
    alone = mean_interval(x, guaranteed=True)
    copied = mean_interval(np.repeat(x, 3), clusters=np.repeat(np.arange(40), 3), guaranteed=True)
    assert (copied.low, copied.high) == pytest.approx((alone.low, alone.high))
    p = mean_p_value(np.repeat(x, 3), 0.0, clusters=np.repeat(np.arange(40), 3), guaranteed=True)
    assert p == pytest.approx(mean_p_value(x, 0.0, guaranteed=True))


def test_one_cluster_says_next_to_nothing():
    found = mean_interval([0.5, 0.5], clusters=["a", "a"], guaranteed=True)
    assert found.low == pytest.approx(-1 + TAIL * 1.5)
    assert found.high == pytest.approx(1 - TAIL * 0.5)


def test_a_guaranteed_ratio_is_wider_and_holds_the_ratio():
    rng = np.random.default_rng(2)
    bottom = rng.random(100) < 0.6
    top = bottom & (rng.random(100) < 0.9)
    plain, sure = ratio_interval(top, bottom), ratio_interval(top, bottom, guaranteed=True)
    assert sure.low <= plain.low < plain.high <= sure.high


def test_guaranteed_looks_add_up_whatever_they_have_to_do_with_each_other():
    sizes = (125, 250, 375, 500)
    levels = look_levels(0.95, sizes, guaranteed=True)
    assert sum(1 - level for level in levels) == pytest.approx(0.05)
    plain = look_levels(0.95, sizes)
    assert sum(1 - level for level in plain) > 0.05  # right for random walks only
    for look, level in enumerate(levels):
        assert p_over_looks(1 - level, look, 0.95, sizes, guaranteed=True) == pytest.approx(0.05)
