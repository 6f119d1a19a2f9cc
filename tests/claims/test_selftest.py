"""The gate about itself: halves of one model, what is planted, what two sessions differ by."""

from __future__ import annotations

import numpy as np
import pytest

from rlvr_gate.claims.selftest import (
    EFFECTS,
    Often,
    _share,
    ceiling,
    self_test,
    sessions,
    told_apart,
)
from rlvr_gate.stats.passk import pass_at_k

P = np.random.default_rng(0).beta(0.4, 1.0, 120)
COUNTS = np.random.default_rng(1).binomial(64, P).tolist()


def test_one_model_twice_is_seldom_called_two() -> None:
    told = list(self_test(64, COUNTS, level=0.95, runs=60, seed=0))
    same = [t for t in told if t.effect == 0]
    assert [(t.k, t.threshold) for t in same] == [(1, 0.0), (16, -0.02)]
    for each in same:
        assert each.wrong.times <= 3  # 2.5 % of 60 is 1.5
        assert each.wrong.ends[0] <= 0.025


def test_what_is_planted_is_found_the_more_the_larger_it_is() -> None:
    told = list(self_test(64, COUNTS, level=0.95, runs=40, seed=0))
    drops = {t.effect: t.refuted.times for t in told if t.k == 1 and t.effect < 0}
    rises = {t.effect: t.holds.times for t in told if t.k == 1 and t.effect > 0}
    assert sorted(drops) == sorted(-e for e in EFFECTS)
    assert sorted(rises) == sorted(EFFECTS)
    assert drops[-0.05] > 15 > 3 > drops[-0.01]
    assert rises[0.05] > 15 > 3 > rises[0.01]
    assert all(t.wrong.times <= 4 for t in told)


def test_the_same_seed_gives_the_same_rates() -> None:
    one, other = (list(self_test(16, [3] * 40, level=0.95, runs=5, seed=3)) for _ in range(2))
    assert one == other


def test_halves_are_disjoint_and_lose_what_was_asked_for() -> None:
    """The planted size is exact on average: the share lost times what there is to lose."""
    counts = np.array(COUNTS)
    for k in (1, 16):
        now = np.mean(pass_at_k(np.full(counts.size, 64), counts, k))
        assert _share(64, counts, k, 0.03) * now == pytest.approx(0.03)
    assert _share(64, counts, 1, 0.9) == 1.0
    assert _share(64, counts, 1, 0.0) == 0.0
    full = list(self_test(8, [8] * 30, level=0.95, runs=3, seed=0))
    assert full[0].holds.times == full[0].refuted.times == 0  # both halves solve everything


@pytest.mark.parametrize(("samples", "correct"), [(3, [1, 2]), (8, [1]), (8, [0, 0])])
def test_too_little_is_refused(samples: int, correct: list[int]) -> None:
    with pytest.raises(ValueError, match="halves need at least 4 samples of 2 problems"):
        next(self_test(samples, correct, level=0.95, runs=1, seed=0))


def test_what_counts_as_wrong() -> None:
    told = {(t.effect, t.k): t for t in self_test(8, [2] * 9, level=0.95, runs=2, seed=0)}
    at_margin = told[-0.02, 2]
    assert at_margin.wrong is at_margin.holds  # the margin itself is too much
    assert told[-0.01, 2].wrong is told[-0.01, 2].refuted
    assert told[0.01, 1].wrong is told[0.01, 1].refuted
    assert told[0.0, 1].wrong is told[0.0, 1].holds


def test_findings_tell_one_model_apart_as_often_as_their_level_says() -> None:
    found = dict(told_apart(64, COUNTS, level=0.95, runs=100, seed=0))
    assert list(found) == [1, 2, 4, 8, 16, 32]
    for often in found.values():
        assert often.ends[0] <= 0.05
    assert sum(often.times for often in found.values()) > 0  # halves are not one and the same


def test_clusters_are_units() -> None:
    """All problems one cluster: nothing can be told, whatever is planted."""
    told = self_test(64, COUNTS, level=0.95, runs=5, seed=0, clusters=["c"] * len(COUNTS))
    assert all(t.holds.times == t.refuted.times == 0 for t in told if t.k == 1)


def test_a_margin_is_rounded_upwards() -> None:
    assert ceiling(0.00121) == 0.0013


def test_rates_have_their_exact_interval() -> None:
    assert Often(0, 100).ends == pytest.approx((0.0, 1 - 0.025 ** (1 / 100)))


def test_two_sessions_of_one_model_differ_by_chance_and_a_shift_is_seen() -> None:
    rng = np.random.default_rng(5)
    inside = 0
    for _ in range(100):
        one, other = (rng.binomial(64, P).tolist() for _ in range(2))
        found = sessions(64, one, other)
        inside += found.low <= 0 <= found.high
        assert found.effect >= abs(found.difference)
    assert inside >= 89  # 95 of 100, less three standard errors
    moved = sessions(
        64, rng.binomial(64, P).tolist(), rng.binomial(64, P + 0.1 * (1 - P)).tolist()
    )
    assert moved.low > 0.02
