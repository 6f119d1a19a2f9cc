"""The variance within a problem, against the exact binomial sum."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest

from rlvr_gate.stats.passk import pass_at_k
from rlvr_gate.stats.within import unbiased_within_variance, within_variance


def weights(n, p):
    return np.array([comb(n, c) * p**c * (1 - p) ** (n - c) for c in range(n + 1)])


def true_variance(n, k, p):
    w, f = weights(n, p), pass_at_k(n, np.arange(n + 1), k)
    return w @ f**2 - (w @ f) ** 2


@pytest.mark.parametrize("p", [0.02, 0.3, 0.9])
@pytest.mark.parametrize("k", [1, 3, 6])
def test_the_unbiased_variance_is_unbiased(k, p):
    n = 12
    found = unbiased_within_variance(n, np.arange(n + 1), k)
    assert weights(n, p) @ found == pytest.approx(true_variance(n, k, p))


def test_at_k_one_it_is_the_sample_variance_over_n():
    n, c = 20, np.arange(21)
    p = c / n
    assert unbiased_within_variance(n, c, 1) == pytest.approx(p * (1 - p) / (n - 1))


def test_the_posterior_variance_averages_the_exact_one():
    n, k, c = 10, 7, 3
    grid = np.sin((np.arange(300) + 0.5) * np.pi / 600) ** 2  # Jeffreys is even in the angle
    likelihood = grid**c * (1 - grid) ** (n - c)
    exact = sum(likelihood * [true_variance(n, k, p) for p in grid]) / likelihood.sum()
    assert float(within_variance(n, c, k)) == pytest.approx(exact, rel=1e-3)


@pytest.mark.parametrize("k", [1, 8, 32, 64])
def test_no_count_claims_certainty_where_there_is_none(k):
    found = within_variance(64, np.arange(65), k)
    assert np.all(found[: 64 - k + 1] > 0)
    assert found[0] > 0


def test_many_samples_leave_little():
    assert within_variance(1024, 300, 1) == pytest.approx(300 / 1024 * 724 / 1024 / 1024, rel=0.01)


def test_the_unbiased_variance_needs_twice_k_samples():
    with pytest.raises(ValueError, match="2k <= samples, got k=5, samples=8"):
        unbiased_within_variance(8, 1, 5)
