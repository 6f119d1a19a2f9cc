"""The mean interval: identities, edges, bad input; its coverage is in test_coverage."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, t

from rlvr_gate.stats.intervals import (
    effective_units,
    influences,
    mean_ends,
    mean_interval,
    mean_p_value,
    ratio_interval,
    unit_shares,
)
from rlvr_gate.stats.proportions import proportion_interval, wilson_interval


def differences(problems=200, seed=0):
    rng = np.random.default_rng(seed)
    return np.clip(rng.normal(0.1, 0.2, problems), -1, 1)


def test_many_symmetric_values_give_students_t():
    x = np.concatenate([differences(2000), 0.2 - differences(2000)])  # no skewness left
    half = t.isf(0.025, x.size - 1) * x.std(ddof=1) / np.sqrt(x.size)
    found = mean_interval(x)
    assert (found.low, found.high) == pytest.approx((x.mean() - half, x.mean() + half))


def test_it_is_never_narrower_than_students_t():
    for seed in range(20):
        x = np.random.default_rng(seed).beta(0.2, 2, 40)
        half = t.isf(0.025, 39) * x.std(ddof=1) / np.sqrt(40)
        found = mean_interval(x, low=0.0)
        assert found.low <= max(0, x.mean() - half) + 1e-12
        assert found.high >= x.mean() + half - 1e-12


def test_a_long_tail_widens_its_own_side_only():
    x = np.concatenate([np.zeros(190), np.full(10, 0.9)])
    found = mean_interval(x)
    assert found.high - x.mean() > x.mean() - found.low


@pytest.mark.parametrize("value", [-1.0, 0.0, 0.3, 1.0])
def test_equal_values_still_leave_room_for_unseen_problems(value):
    found = mean_interval(np.full(30, value))
    share = 1 - 0.025 ** (1 / 30)  # the exact bound for none of 30
    assert found.low == pytest.approx(value - share * (value + 1))
    assert found.high == pytest.approx(value + share * (1 - value))


def test_zero_one_values_are_a_binomial():
    x = np.repeat([0.0, 1.0], [27, 3])
    assert mean_interval(x, low=0.0) == proportion_interval(3, 30)


def test_one_problem_says_nothing_about_a_population():
    assert (mean_interval([0.5]).low, mean_interval([0.5]).high) == (-1.0, 1.0)
    assert mean_interval([0.5, 0.6], clusters=["a", "a"]).low == -1.0


def test_a_higher_level_is_wider_and_holds_the_lower():
    ends = [mean_interval(differences(60), level=level) for level in (0.5, 0.8, 0.95, 0.999)]
    assert [e.low for e in ends] == sorted((e.low for e in ends), reverse=True)
    assert [e.high for e in ends] == sorted(e.high for e in ends)


def test_columns_are_judged_one_by_one():
    x = np.stack([differences(50, seed) for seed in range(4)] + [np.ones(50)], axis=1)
    low, high = mean_ends(x)
    each = [mean_interval(column) for column in x.T]
    assert low == pytest.approx([e.low for e in each])
    assert high == pytest.approx([e.high for e in each])


def test_strata_take_their_between_variance_out():
    x = np.repeat([0.0, 0.8], 100) + differences(200) / 10
    strata = np.repeat(["easy", "hard"], 100)
    plain, stratified = mean_interval(x), mean_interval(x, strata=strata)
    assert stratified.high - stratified.low < (plain.high - plain.low) / 2
    z, df = influences(x, strata=strata)
    parts = [x[:100].var(ddof=1) / 100 / 4, x[100:].var(ddof=1) / 100 / 4]
    assert np.sum(z**2) == pytest.approx(sum(parts))
    assert df == 198


def test_lonely_strata_are_pooled_not_dropped():
    x, strata = differences(6), [1, 1, 1, 2, 3, 4]
    z, df = influences(x, strata=strata)
    expected = 0.25 * x[:3].var(ddof=1) / 3 + 0.25 * x[3:].var(ddof=1) / 3
    assert np.sum(z**2) == pytest.approx(expected)
    assert df == 4


def test_clusters_of_copies_count_once():
    x = differences(40)
    copied, names = np.repeat(x, 8), np.repeat(np.arange(40), 8)
    z, df = influences(copied, clusters=names)
    assert np.sum(z**2) == pytest.approx(x.var(ddof=1) / 40)
    assert df == 39
    once, repeated = mean_interval(x), mean_interval(copied, clusters=names)
    assert (repeated.low, repeated.high) == pytest.approx((once.low, once.high), abs=2e-3)


def test_fixed_problems_have_the_variance_within_only():
    found = mean_interval([0.1, 0.3], target="benchmark", within_variance=[0.01, 0.03], level=0.95)
    assert found.high - 0.2 == pytest.approx(1.959964 * np.sqrt(0.04) / 2)


def test_the_p_value_is_the_interval_turned_round():
    x = differences(80)
    p = mean_p_value(x, 0.05)
    assert mean_interval(x, level=1 - 2 * p * 1.01).low > 0.05
    assert mean_interval(x, level=1 - 2 * p * 0.99).low <= 0.05
    assert mean_p_value(x, float(x.mean())) >= 0.4999


def test_a_ratio_of_identical_values_is_one_and_of_nothing_is_anything():
    x = np.random.default_rng(1).uniform(0.2, 1, 200)
    same = ratio_interval(x, x, high=2.0)
    assert same.low <= 1 <= same.high
    assert same.high - same.low < 0.05
    nothing = ratio_interval(np.zeros(20), np.zeros(20))
    assert (nothing.low, nothing.high) == (0.0, 1.0)


def test_a_ratio_covers_the_ratio_of_means():
    rng, hits = np.random.default_rng(5), 0
    for _ in range(40):
        bottom = rng.random(150) < 0.5
        top = bottom & (rng.random(150) < 0.9)
        found = ratio_interval(top, bottom)
        hits += found.low <= 0.9 <= found.high
    assert hits / 40 >= 0.85


@pytest.mark.parametrize("n", [1, 10, 30])
def test_clopper_pearson_errs_at_most_half_alpha_at_each_end(n):
    ends = [proportion_interval(c, n) for c in range(n + 1)]
    for p in np.linspace(0.01, 0.99, 25):
        weight = binom.pmf(np.arange(n + 1), n, p)
        assert weight[[e.low > p for e in ends]].sum() <= 0.025
        assert weight[[e.high < p for e in ends]].sum() <= 0.025


def test_wilson_solves_the_score_equation():
    found = wilson_interval(7, 40)
    for p in (found.low, found.high):
        assert (7 / 40 - p) ** 2 == pytest.approx(1.959964**2 * p * (1 - p) / 40, rel=1e-5)


@pytest.mark.parametrize(
    ("values", "options", "reason"),
    [
        ([], {}, "one value per problem"),
        ([[0.1]], {}, "one value per problem"),
        ([0.1, float("nan")], {}, "finite"),
        ([0.1, 1.2], {}, r"lie in \[-1"),
        ([0.1, -0.2], {"low": 0.0}, r"lie in \[0"),
        ([0.1, 0.2], {"level": 1.0}, "0 < level < 1"),
        ([0.1, 0.2], {"strata": ["a"]}, "strata must be 2 labels"),
        ([0.1, 0.2], {"clusters": ["a"]}, "clusters must be 2 labels"),
        ([0.1, 0.2], {"target": "benchmark"}, "needs within_variance"),
        ([0.1, 0.2], {"target": "benchmark", "within_variance": [-1, 0]}, "numbers >= 0"),
        ([0.1, 0.2], {"target": "world"}, "population or benchmark"),
    ],
)
def test_bad_input_is_refused_with_the_reason(values, options, reason):
    with pytest.raises(ValueError, match=reason):
        mean_interval(values, **options)


@pytest.mark.parametrize("interval", [proportion_interval, wilson_interval])
def test_a_proportion_of_nothing_is_refused(interval):
    for count, total in ((0, 0), (3, 2), (-1, 2)):
        with pytest.raises(ValueError, match=f"count={count}, total={total}"):
            interval(count, total)
    with pytest.raises(ValueError, match="level"):
        interval(1, 2, level=0)


def test_equal_clusters_have_the_degrees_of_freedom_of_their_number():
    x = differences(21)
    for copies in (1, 3, 8):
        names = np.repeat(np.arange(21), copies)
        assert influences(np.repeat(x, copies), clusters=names)[1] == pytest.approx(20)


def test_a_cluster_that_is_most_of_the_benchmark_is_one_observation():
    sizes = np.array([30, *[1] * 20])
    values, names = np.repeat([1.0, *[0.0] * 20], sizes), np.repeat(np.arange(21), sizes)
    assert influences(values, clusters=names)[1] < 1.1
    found = mean_interval(values, clusters=names)
    assert found.low < 0  # taken as twenty degrees of freedom, it lay above


def test_the_variance_of_unequal_clusters_is_right_where_members_are_copies():
    rng, sizes = np.random.default_rng(2), np.array([10, 7, 5, *[2] * 5, *[1] * 10])
    names, part = np.repeat(np.arange(len(sizes)), sizes), sizes / sizes.sum()
    draws = rng.normal(size=(20_000, len(sizes))) / 10
    z, _ = influences(np.repeat(draws.T, sizes, axis=0), clusters=names)
    assert np.sum(z**2, axis=0).mean() == pytest.approx(0.01 * np.sum(part**2), rel=0.02)


@pytest.mark.parametrize("sizes", [[30, *[1] * 20], [10, *[1] * 40], [5] * 8 + [1] * 40])
@pytest.mark.parametrize("alike", [1.0, 0.5])
def test_unequal_clusters_are_covered(sizes, alike):
    rng, names, hits = np.random.default_rng(1), np.repeat(np.arange(len(sizes)), sizes), 0

    def drawn(number):
        return rng.beta(0.6, 0.6, number) - rng.beta(0.6, 0.6, number)

    for _ in range(300):
        values = alike * np.repeat(drawn(len(sizes)), sizes) + (1 - alike) * drawn(len(names))
        found = mean_interval(values, clusters=names)
        hits += found.low <= 0 <= found.high
    assert hits / 300 >= 0.92


def test_few_large_clusters_among_singles_are_covered():
    """Five clusters of 40 and 100 singles, of which two in three cannot change: Student's t on
    the number of units held the truth in .77 of such runs."""
    rng, sizes = np.random.default_rng(1), [40] * 5 + [1] * 100
    names, errors = np.repeat(np.arange(len(sizes)), sizes), 0
    assert effective_units(unit_shares(300, names)) == pytest.approx(300**2 / (5 * 1600 + 100))
    for _ in range(300):
        moved = rng.random(len(sizes)) < 0.3
        drawn = np.where(moved, rng.beta(2, 4, len(sizes)), 0.0)
        found = mean_interval(np.repeat(drawn, sizes), clusters=names)
        errors += not found.low <= 0.1 <= found.high
    assert errors / 300 <= 0.05
    assert effective_units(unit_shares(40)) == pytest.approx(40)


def test_a_cluster_in_two_strata_is_one_unit():
    x = differences(20)
    strata, names = np.repeat(["a", "b"], 20), np.tile(np.arange(20), 2)
    z, df = influences(np.tile(x, 2), strata=strata, clusters=names)
    assert np.sum(z**2) == pytest.approx(x.var(ddof=1) / 20)
    assert df <= 19
