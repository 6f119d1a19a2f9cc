"""Estimators against enumeration, exact fractions and identities between them."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations
from math import comb

import numpy as np
import pytest

from rlvr_gate.stats.passk import (
    cover_at,
    default_ladder,
    g_pass_at_k,
    ladder,
    mean_at_n,
    mean_g_pass_at_k,
    pass_at_k,
    pass_power_k,
)


@pytest.mark.parametrize("n", [1, 2, 5, 7])
def test_estimators_count_the_subsets_of_the_samples(n):
    for c in range(n + 1):
        outcomes = [1] * c + [0] * (n - c)
        for k in range(1, n + 1):
            drawn = [sum(subset) for subset in combinations(outcomes, k)]
            share = lambda test: sum(map(test, drawn)) / len(drawn)  # noqa: B023, E731
            assert float(pass_at_k(n, c, k)) == pytest.approx(share(lambda s: s >= 1))
            assert float(pass_power_k(n, c, k)) == pytest.approx(share(lambda s: s == k))  # noqa: B023
            for tau in (0.25, 0.5, 1.0):
                need = max(1, -int(-tau * k // 1))
                at_least = share(lambda s: s >= need)  # noqa: B023
                assert float(g_pass_at_k(n, c, k, tau)) == pytest.approx(at_least)


@pytest.mark.parametrize("n", [32, 128, 256, 1024])
def test_the_product_form_agrees_with_exact_fractions(n):
    rng = np.random.default_rng(n)
    for k in (1, 2, 8, n // 2, n - 1, n):
        for c in {0, 1, n - k, n, *rng.integers(0, n + 1, 5).tolist()}:
            exact = 1 - Fraction(comb(n - c, k), comb(n, k))
            assert float(pass_at_k(n, c, k)) == pytest.approx(float(exact), abs=1e-13)


def test_unbiased_over_all_counts_for_every_k():
    n, p = 12, 0.3
    c = np.arange(n + 1)
    weight = np.array([comb(n, x) * p**x * (1 - p) ** (n - x) for x in c])
    for k in range(1, n + 1):
        assert weight @ pass_at_k(n, c, k) == pytest.approx(1 - (1 - p) ** k)
        assert weight @ pass_power_k(n, c, k) == pytest.approx(p**k)


def test_at_k_equal_n_pass_at_k_is_coverage_and_at_one_it_is_accuracy():
    n, c = 64, np.arange(65)
    assert pass_at_k(n, c, n).tolist() == (c > 0).astype(float).tolist()
    assert pass_at_k(n, c, 1) == pytest.approx(mean_at_n(n, c))
    assert pass_power_k(n, c, n).tolist() == (c == n).astype(float).tolist()


def test_pass_at_k_is_the_integral_of_coverage_over_thresholds():
    # pass@k = integral of k (1 - t)^(k-1) G(t) dt, at the plug-in p = c/n with replacement
    n, c, k = 1000, np.array([0, 30, 400, 1000]), 3
    t = (np.arange(n) + 0.5) / n
    cover = np.stack([cover_at(n, c, x) for x in t])
    integral = (k * (1 - t) ** (k - 1)) @ cover / n
    assert integral == pytest.approx(1 - (1 - c / n) ** k, abs=1e-3)


def test_g_pass_runs_from_pass_at_k_to_pass_power_k():
    n, c = 48, np.arange(49)
    assert g_pass_at_k(n, c, 8, 0.0) == pytest.approx(pass_at_k(n, c, 8))
    assert g_pass_at_k(n, c, 8, 1e-6) == pytest.approx(pass_at_k(n, c, 8))
    assert g_pass_at_k(n, c, 8, 1.0) == pytest.approx(pass_power_k(n, c, 8))


def test_a_threshold_times_k_that_is_whole_is_not_rounded_up():
    assert float(g_pass_at_k(10, 3, 10, 0.3)) == 1.0
    assert cover_at(10, [2, 3], 0.3).tolist() == [0.0, 1.0]


def test_mean_g_pass_averages_the_upper_half_of_the_thresholds():
    n, c, k = 16, np.arange(17), 6
    tails = [g_pass_at_k(n, c, k, i / k) for i in range(4, 7)]
    assert mean_g_pass_at_k(n, c, k) == pytest.approx(2 / k * np.sum(tails, axis=0))
    assert mean_g_pass_at_k(n, c, 1).tolist() == [0.0] * 17


def test_samples_may_differ_between_problems():
    values = pass_at_k([4, 8, 16], [1, 1, 1], 4)
    assert values == pytest.approx([1.0, 0.5, 0.25])
    table = ladder(pass_at_k, [4, 8], [1, 2], [1, 2, 4])
    assert table.shape == (2, 3)
    assert table[1] == pytest.approx(pass_at_k(8, 2, [1, 2, 4]))


def test_k_beyond_the_samples_is_an_error_naming_both():
    with pytest.raises(ValueError, match=r"1 <= k <= samples, got k=9, samples=8"):
        pass_at_k([16, 8], [1, 1], 9)


@pytest.mark.parametrize(
    ("samples", "correct", "k", "reason"),
    [
        (8, 9, 1, "correct=9, samples=8"),
        (8, -1, 1, "correct=-1"),
        (8, 1, 0, "k=0"),
        ([], [], 1, "got none"),
        (8, float("nan"), 1, "whole numbers"),
        (8, 1.5, 1, "whole numbers"),
    ],
)
def test_counts_out_of_range_are_errors(samples, correct, k, reason):
    with pytest.raises(ValueError, match=reason):
        pass_at_k(samples, correct, k)


def test_a_threshold_outside_its_range_is_an_error():
    for estimate in (lambda t: g_pass_at_k(4, 1, 2, t), lambda t: cover_at(4, 1, t)):
        with pytest.raises(ValueError, match="tau must lie"):
            estimate(1.5)


def test_the_default_ladder_doubles_and_ends_at_the_samples():
    assert default_ladder(1) == (1,)
    assert default_ladder(100) == (1, 2, 4, 8, 16, 32, 64, 100)
    with pytest.raises(ValueError, match="samples >= 1"):
        default_ladder(0)
