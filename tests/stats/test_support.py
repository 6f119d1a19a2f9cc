"""Solved sets, the published ratios, McNemar, tags, and the same-model null."""

from __future__ import annotations

from itertools import combinations
from math import comb

import numpy as np
import pytest

from rlvr_gate.stats.null import against_same_model
from rlvr_gate.stats.support import (
    Sureness,
    leash_ratios,
    level_of_each,
    mcnemar,
    solved_sets,
    sureness,
)


def test_every_problem_is_in_one_set():
    rng = np.random.default_rng(0)
    base, rlvr = rng.integers(0, 4, 100), rng.integers(0, 4, 100)
    for m in (1, 2, 3):
        found = solved_sets(base, rlvr, m=m)
        parts = found.preserved + found.gained + found.lost + found.unreached
        assert sorted(parts) == list(range(100))
        assert all(base[i] >= m > rlvr[i] for i in found.lost)


def test_swapping_the_checkpoints_swaps_gained_and_lost():
    base, rlvr = [3, 0, 1, 0, 2], [2, 1, 0, 0, 0]
    one, other = solved_sets(base, rlvr), solved_sets(rlvr, base)
    assert (one.gained, one.lost) == (other.lost, other.gained)
    assert one.ratios.nscr == -other.ratios.nscr


# arXiv:2507.14843 table 1: P, E, S and the printed SRR, NDR, SDS, NSCR
@pytest.mark.parametrize(
    ("p", "e", "s", "printed"),
    [
        (2400, 36, 163, (0.94, 0.02, 0.03, -0.05)),
        (2388, 48, 175, (0.93, 0.02, 0.04, -0.05)),
        (2715, 28, 56, (0.98, 0.01, 0.02, -0.01)),
        (761, 83, 104, (0.88, 0.10, 0.18, -0.02)),
    ],
)
def test_ratios_reproduce_the_published_table(p, e, s, printed):
    found = leash_ratios(p, e, s)
    values = (found.retention, found.discovery, found.sds, found.nscr)
    assert values == pytest.approx(printed, abs=0.006)


def test_sds_is_the_harmonic_mean_of_retention_and_discovery():
    found = leash_ratios(40, 7, 5)
    harmonic = 2 / (1 / found.retention + 1 / found.discovery)
    assert found.sds == pytest.approx(harmonic)
    assert leash_ratios(40, 0, 5).sds == 0.0


def test_ratios_of_nothing_are_none_not_zero():
    assert leash_ratios(0, 0, 0) == leash_ratios(0, 0, 0).__class__(None, None, None, None)


@pytest.mark.parametrize(("gained", "lost"), [(0, 4), (3, 0), (16, 23), (5, 18), (2, 2), (0, 0)])
def test_mcnemar_counts_coin_flips(gained, lost):
    n = gained + lost
    tail = lambda x: sum(comb(n, i) for i in range(x, n + 1)) / 2**n  # noqa: E731
    found = mcnemar(gained, lost)
    assert found.p_more_gained == pytest.approx(tail(gained))
    assert found.p_more_lost == pytest.approx(tail(lost))
    assert found.p_two_sided == pytest.approx(min(1, 2 * tail(max(gained, lost))))


def test_tags_say_how_much_a_change_rests_on():
    assert sureness(256, 1, 256, 0) is Sureness.LUCKY
    assert sureness(256, 3, 256, 0) is Sureness.THIN
    assert sureness(256, 5, 256, 0) is Sureness.SOLID
    assert sureness(256, 4, 256, 3, m=4) is Sureness.LUCKY
    with pytest.raises(ValueError, match="one side must reach"):
        sureness(256, 1, 256, 1)


def test_the_null_averages_over_every_split_in_halves():
    n, c, m = 8, 3, 2
    ones = [1] * c + [0] * (n - c)
    lost = kept = 0
    splits = list(combinations(range(n), n // 2))
    for half in splits:
        first = sum(ones[i] for i in half)
        lost += first >= m > c - first
        kept += first >= m <= c - first
    found = against_same_model([n, n], [c, 0], [n, n], [c, 0], m=m)
    assert found.null.lost == pytest.approx(lost / len(splits))
    assert found.null.preserved == pytest.approx(kept / len(splits))
    assert found.budget == (4, 4)
    parts = found.null.preserved + 2 * found.null.lost + found.null.unreached
    assert parts == pytest.approx(2)


def test_two_runs_of_one_model_lose_no_more_than_the_null():
    rng = np.random.default_rng(3)
    p = np.where(rng.random((40, 200)) < 0.5, 0, rng.beta(0.3, 2, (40, 200)))
    b, r = rng.binomial(64, p), rng.binomial(64, p)
    found = [against_same_model(np.full(200, 64), b[i], np.full(200, 64), r[i]) for i in range(40)]
    lost = np.array([f.excess_lost_estimate for f in found])
    assert abs(lost.mean()) < 4 * lost.std() / np.sqrt(40)  # unbiased
    wrong = np.mean([f.excess_lost.low > 0 for f in found])
    assert wrong <= 0.1
    covered = np.mean([f.retention_interval.low <= 1 <= f.retention_interval.high for f in found])
    assert covered >= 0.85
    assert np.mean([f.pair.ratios.retention for f in found]) < 0.97  # raw SRR reads as shrinkage


def test_real_losses_stand_out_from_the_null():
    rng = np.random.default_rng(4)
    p = rng.beta(0.5, 2, 400)
    b, r = rng.binomial(64, p), rng.binomial(64, np.where(rng.random(400) < 0.15, 0, p))
    found = against_same_model(np.full(400, 64), b, np.full(400, 64), r)
    assert found.excess_lost.low > 0
    assert found.retention_interval.high < 1


def test_bad_counts_are_refused():
    with pytest.raises(ValueError, match="m >= 1"):
        solved_sets([1], [1], m=0)
    with pytest.raises(ValueError, match="same problems"):
        solved_sets([1, 2], [1])
    with pytest.raises(ValueError, match="counts >= 0"):
        mcnemar(-1, 2)
    with pytest.raises(ValueError, match="two samples"):
        against_same_model([1], [1], [1], [1])


def test_the_level_of_each_problem_leaves_out_those_that_cannot_reach_it():
    """One that nobody solved cannot be solid, so it is not counted; enumerated by hand."""
    alone = level_of_each([64], [9], [64], [0])
    assert alone == level_of_each([64] * 500, [9] + [0] * 499, [64] * 500, [0] * 500) == 0.025
    many = level_of_each([64] * 50, [9] * 50, [64] * 50, [0] * 50)
    assert many == 0.05 / 35  # nine on one side have p = .001445: 100 tests reach .05 / 34
    unequal = level_of_each([2, 64], [2, 30], [64, 64], [2, 30])
    assert 0.05 / 4 <= unequal <= 0.05


def test_two_runs_of_one_model_hardly_ever_show_a_solid_problem():
    """At 5 % one by one every third run would show some; together hardly a twentieth does."""
    rng = np.random.default_rng(4)
    alone = together = 0
    for _ in range(200):
        p = rng.beta(0.25, 1.5, 300)
        base, rlvr = rng.binomial(64, p), rng.binomial(64, p)
        n = np.full(300, 64)
        level = level_of_each(n, base, n, rlvr)
        solid = [
            sureness(64, max(b, r), 64, 0, alpha=alpha) is Sureness.SOLID
            for b, r in zip(base.tolist(), rlvr.tolist(), strict=True)
            if bool(b) != bool(r)
            for alpha in (0.05, level)
        ]
        alone, together = alone + any(solid[::2]), together + any(solid[1::2])
    assert together <= 10
    assert alone > 30


def test_an_interval_of_what_is_kept_holds_its_estimate_however_large() -> None:
    """A checkpoint that solves always what base seldom does keeps more than base itself would."""
    n, base, rlvr = [8] * 40, [1, 2] * 20, [8] * 40
    found = against_same_model(n, base, n, rlvr)
    assert found.retention is not None
    assert found.retention > 2
    kept, new = found.retention_interval, found.discovery_interval
    assert kept.low < found.retention < kept.high
    assert found.discovery is not None
    assert new.low <= found.discovery <= new.high
    few = against_same_model(n, rlvr, n, base)
    assert few.discovery is not None
    assert few.discovery_interval.low <= few.discovery <= few.discovery_interval.high
