"""One table of relations that every estimator must satisfy."""

from __future__ import annotations

import numpy as np
import pytest

from rlvr_gate.stats.adaptive import Rounds, adaptive_pass_at_k
from rlvr_gate.stats.intervals import mean_interval
from rlvr_gate.stats.null import against_same_model
from rlvr_gate.stats.passk import (
    cover_at,
    g_pass_at_k,
    mean_at_n,
    mean_g_pass_at_k,
    pass_at_k,
    pass_power_k,
)
from rlvr_gate.stats.within import within_variance

N = 32
C = np.random.default_rng(0).integers(0, N + 1, 40)
KS = range(1, N + 1)
RULE = Rounds((N,), 4)

ESTIMATORS = {
    "pass@k": lambda c, k: pass_at_k(N, c, k),
    "pass^k": lambda c, k: pass_power_k(N, c, k),
    "G-Pass@k": lambda c, k: g_pass_at_k(N, c, k, 0.5),
    "mG-Pass@k": lambda c, k: mean_g_pass_at_k(N, c, k),
    "Cover@tau": lambda c, k: cover_at(N, c, k / N),
    "mean@n": lambda c, k: mean_at_n(N, c),
    "adaptive": lambda c, k: adaptive_pass_at_k(N, c, k, RULE),
}
every = pytest.mark.parametrize("name", ESTIMATORS)


@every
def test_values_are_shares(name):
    for k in KS:
        values = ESTIMATORS[name](np.arange(N + 1), k)
        assert values.min() >= 0
        assert values.max() <= 1


@every
def test_the_order_of_problems_does_not_matter(name):
    order = np.random.default_rng(1).permutation(C.size)
    assert np.array_equal(ESTIMATORS[name](C[order], 8), ESTIMATORS[name](C, 8)[order])


@every
def test_one_more_correct_sample_never_lowers_it(name):
    for k in KS:
        assert np.all(np.diff(ESTIMATORS[name](np.arange(N + 1), k)) >= -1e-12)


@every
def test_none_correct_is_zero_and_all_correct_is_one(name):
    for k in range(2, N + 1, 3):
        assert ESTIMATORS[name](np.array([0]), k)[0] == pytest.approx(0)
        if name != "mG-Pass@k" or k % 2 == 0:  # its thresholds miss one half when k is odd
            assert ESTIMATORS[name](np.array([N]), k)[0] == pytest.approx(1)


@pytest.mark.parametrize(
    ("name", "sign"), [("pass@k", 1), ("adaptive", 1), ("pass^k", -1), ("Cover@tau", -1)]
)
def test_a_larger_budget_moves_it_one_way(name, sign):
    curve = np.stack([ESTIMATORS[name](C, k) for k in KS])
    assert np.all(sign * np.diff(curve, axis=0) >= -1e-12)


def paired(seed=2, problems=60):
    rng = np.random.default_rng(seed)
    p = rng.beta(0.5, 1, problems)
    return rng.binomial(N, p), rng.binomial(N, np.sqrt(p))


@pytest.mark.parametrize("k", [1, 8, 16, 32])
def test_swapping_the_checkpoints_flips_the_sign_of_the_difference(k):
    b, r = (pass_at_k(N, c, k) for c in paired())
    one, other = mean_interval(r - b), mean_interval(b - r)
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low))


@pytest.mark.parametrize("k", [1, 8, 16, 32])
def test_the_order_of_problems_does_not_move_the_interval(k):
    b, r = (pass_at_k(N, c, k) for c in paired())
    order = np.random.default_rng(3).permutation(b.size)
    one, other = mean_interval(r - b), mean_interval((r - b)[order])
    assert (one.low, one.high) == pytest.approx((other.low, other.high))


def test_a_benchmark_twice_as_long_is_surer():
    b, r = (pass_at_k(N, c, 8) for c in paired())
    once, twice = mean_interval(r - b), mean_interval(np.tile(r - b, 2))
    assert twice.high - twice.low < once.high - once.low


def test_more_samples_leave_less_variance_within():
    few, many = within_variance(32, 8, 4), within_variance(256, 64, 4)
    assert many < few


def test_swapping_the_checkpoints_swaps_the_expected_sets():
    b, r = paired()
    n = np.full(b.size, N)
    one, other = against_same_model(n, b, n, r).pair, against_same_model(n, r, n, b).pair
    assert one.gained == pytest.approx(other.lost)
    assert one.preserved == pytest.approx(other.preserved)
