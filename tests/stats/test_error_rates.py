"""Holm, spending over looks, and which error a number is about."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from rlvr_gate.stats.error_rates import gate_error_rates, holm, spend, spend_again


def closed_test(p_values):
    """Adjusted p by the closure of Bonferroni tests: what Holm is a shortcut for."""
    indices = range(len(p_values))
    subsets = [s for size in range(1, len(p_values) + 1) for s in combinations(indices, size)]
    return [
        max(min(1.0, len(s) * min(p_values[i] for i in s)) for s in subsets if j in s)
        for j in indices
    ]


def test_holm_is_the_closure_of_bonferroni():
    rng = np.random.default_rng(0)
    for size in (1, 2, 3, 5):
        for _ in range(20):
            p = (rng.random(size) ** 3).tolist()
            assert holm(p) == pytest.approx(closed_test(p))


def test_holm_keeps_ties_and_order():
    assert holm([0.02, 0.02, 1.0]) == pytest.approx((0.06, 0.06, 1.0))


def test_spending_adds_up_and_saves_the_most_for_last():
    shares = spend(0.05, [1 / 16, 1 / 8, 1 / 4, 1 / 2, 1])
    assert sum(shares) == pytest.approx(0.05)
    assert list(shares) == sorted(shares)
    assert spend(0.05, [1.0]) == pytest.approx((0.05,))


def test_many_looks_at_nothing_err_no_more_than_the_budget():
    rng, sizes = np.random.default_rng(1), np.array([16, 32, 64, 128, 256])
    from scipy.special import ndtri

    steps = rng.standard_normal((20000, 5)) * np.sqrt(np.diff(sizes, prepend=0))
    z = steps.cumsum(axis=1) / np.sqrt(sizes)
    limits = -ndtri(np.array(spend(0.05, (sizes / 256).tolist())))
    assert np.mean((z > limits).any(axis=1)) <= 0.05
    assert np.mean((z > -ndtri(0.05)).any(axis=1)) > 0.1  # naive peeking


def test_release_takes_the_weakest_claim_and_blocking_adds_up():
    found = gate_error_rates([0.025, 0.025, 0.01])
    assert found.false_release == 0.025
    assert found.false_block == pytest.approx(0.06)
    assert "intersection-union" in found.statement
    assert gate_error_rates([0.4] * 5).false_block == 1.0


@pytest.mark.parametrize("bad", [[], [-0.1], [1.1], [float("nan")]])
def test_what_is_no_probability_is_refused(bad):
    for function in (holm, gate_error_rates):
        with pytest.raises(ValueError, match=r"numbers in \[0, 1\]"):
            function(bad)


@pytest.mark.parametrize("bad", [[], [0.5], [0.5, 0.4, 1.0], [0.0, 1.0]])
def test_looks_without_an_end_are_refused(bad):
    with pytest.raises(ValueError, match="ending at 1"):
        spend(0.05, bad)


@pytest.mark.parametrize("alpha", [0, 1, -0.1, 5, float("nan")])
def test_a_budget_that_is_no_probability_is_refused(alpha):
    with pytest.raises(ValueError, match=r"must lie in \(0, 1\), got"):
        spend(alpha, [0.5, 1.0])


@pytest.mark.parametrize("kept", [0.01, 0.2, 0.9])
def test_judgements_again_never_spend_more_than_the_budget(kept):
    spent: list[float] = []
    for _ in range(60):
        spent.append(spend_again(spent, kept))
    assert spent[0] == pytest.approx(1 - kept)
    assert spent[1:30] == pytest.approx([kept / 2**j for j in range(1, 30)])
    assert sum(spent) <= 1 + 1e-9
    assert min(spent) > 0


def test_what_was_spent_counts_whoever_spent_it():
    """As where the policy changed in between, or two stores were merged."""
    assert spend_again([0.5, 0.1], 0.2) == pytest.approx(0.2)
    assert 0 < spend_again([0.8, 0.8], 0.2) < 1e-9


@pytest.mark.parametrize("kept", [0.0, 1.0, -1, float("nan")])
def test_to_keep_all_or_nothing_is_refused(kept):
    with pytest.raises(ValueError, match=r"must lie in \(0, 1\)"):
        spend_again([], kept)
