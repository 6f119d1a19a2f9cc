"""Verdicts about these problems alone: which interval answers, and that none is confused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from rlvr_gate.claims.views import CheckpointView, PairView
from rlvr_gate.gate.explain import ALONE, notes
from rlvr_gate.judging.ledger import Ledger
from rlvr_gate.judging.p_values import of_these
from rlvr_gate.records import POPULATION, THESE, Tally, Verdict
from rlvr_gate.stats.adaptive import Rounds
from rlvr_gate.stats.within import within_variance


class Source:
    """Counts of two checkpoints on two benchmarks."""

    def __init__(self, counts: Mapping[str, list[int]], n: int = 64, more: object = None) -> None:
        self.of = {
            role: tuple(Tally(f"p{i}", n, c, rounds=more) for i, c in enumerate(each))  # type: ignore[arg-type]
            for role, each in counts.items()
        }

    def tallies(self, role: str, benchmark: str) -> tuple[Tally, ...]:
        return self.of[role] if benchmark == "b" else self.of[role][:10]

    def guessing(self, benchmark: str) -> None:
        return None


def pair(source: Source, target: str = THESE) -> PairView:
    ledger = Ledger(guaranteed=True, target=target)
    views = (CheckpointView(role, source, ledger) for role in ("base", "rlvr"))  # type: ignore[arg-type]
    return PairView(*views)


LIFTED = {"base": [20] * 15, "rlvr": [26] * 15}
"""Every problem gains alike: sure of these fifteen, not of others."""


def test_what_is_sure_of_these_problems_is_not_sure_of_others() -> None:
    alone, kind = (
        p.rlvr.pass_at(1, "b") > p.base.pass_at(1, "b")
        for p in (pair(Source(LIFTED)), pair(Source(LIFTED), POPULATION))
    )
    assert (alone.verdict, alone.target, alone.guaranteed) == (Verdict.HOLDS, THESE, False)
    assert (kind.verdict, kind.target, kind.guaranteed) == (Verdict.UNDECIDED, POPULATION, True)
    for judged in (alone, kind):
        assert judged.evidence.targets is not None
        decides = {t.target: t.decides for t in judged.evidence.targets}
        assert decides == {"population": judged is kind, "this benchmark": judged is alone}
        one = next(t for t in judged.evidence.targets if t.decides)
        assert (judged.interval.low, judged.interval.high) == pytest.approx((one.low, one.high))
        assert (ALONE in notes(judged)) == (judged is alone)
    assert alone.evidence.targets == tuple(
        replace(t, decides=not t.decides) for t in kind.evidence.targets or ()
    )


def test_the_interval_is_that_of_the_sampling_and_its_p_value_is_the_interval_turned_round() -> (
    None
):
    p = pair(Source({"base": [20, 30, 9, 0], "rlvr": [26, 25, 30, 3]}))
    judged = p.rlvr.pass_at(2, "b") > p.base.pass_at(2, "b")
    n = np.full(4, 64)
    variance = sum(within_variance(n, c, 2) for c in ([20, 30, 9, 0], [26, 25, 30, 3]))
    half = norm.ppf(0.975) * np.sqrt(variance.sum()) / 4
    assert judged.interval.high - judged.interval.low == pytest.approx(2 * half)
    assert judged.p_value == pytest.approx(2 * norm.sf(judged.estimate / (half / norm.ppf(0.975))))
    assert of_these(np.zeros(3), np.zeros(3), 0.0, np.zeros(3)) == 1.0


def test_more_problems_decide_nothing_about_these_and_more_samples_do() -> None:
    p = pair(Source({"base": [20] * 15, "rlvr": [21] * 15}))
    judged = p.rlvr.pass_at(1, "b") > p.base.pass_at(1, "b")
    more = judged.evidence.would_decide
    assert judged.verdict is Verdict.UNDECIDED
    assert more is not None and more.samples is not None  # noqa: PT018
    assert more.problems is None
    again = pair(Source({"base": [c * 4 for c in [20] * 15], "rlvr": [84] * 15}, 256))
    assert (again.rlvr.pass_at(1, "b") > again.base.pass_at(1, "b")).verdict is Verdict.UNDECIDED
    same = pair(Source({"base": [20] * 15, "rlvr": [20] * 15}))
    on_it = (same.rlvr.pass_at(1, "b") > same.base.pass_at(1, "b")).evidence.would_decide
    assert on_it is not None
    assert on_it.samples is None


def test_where_the_noise_of_these_problems_is_not_known_the_verdict_is_about_their_kind() -> None:
    """Of adaptive samples, and of shares of problems: wider, and said."""
    adaptive = pair(Source(LIFTED, 64, Rounds((16, 64), 64)))
    judged = adaptive.rlvr.pass_at(1, "b") > adaptive.base.pass_at(1, "b")
    assert (judged.target, judged.guaranteed) == (POPULATION, True)
    p = pair(Source(LIFTED))
    never = p.rlvr.never_solved("b") > p.base.never_solved("b")
    assert never.target == POPULATION


def test_a_mean_over_benchmarks_is_about_these_where_all_its_parts_are() -> None:
    alone = pair(Source(LIFTED)).gain(1, ["b", "c"]) > 0
    kind = pair(Source(LIFTED), POPULATION).gain(1, ["b", "c"]) > 0
    assert (alone.verdict, alone.target, alone.guaranteed) == (Verdict.HOLDS, THESE, False)
    assert (kind.verdict, kind.target, kind.guaranteed) == (Verdict.UNDECIDED, POPULATION, True)
    n = np.full(1, 64)
    each = float(sum(within_variance(n, [c], 1)[0] for c in (20, 26)))
    half = norm.ppf(0.975) * np.sqrt(each * (15 / 30**2 + 10 / 20**2))
    assert alone.interval.high - alone.interval.low == pytest.approx(2 * half)
    assert alone.p_value is not None
    assert alone.p_value < 1e-3


def test_these_problems_are_covered_by_simulation() -> None:
    """The same problems, sampled again and again: 95 % of the intervals hold their difference."""
    rng = np.random.default_rng(2)
    base, rlvr = rng.beta(0.5, 1.5, 40), rng.beta(0.5, 1.5, 40)
    true, held = float(np.mean(rlvr - base)), 0
    for _ in range(300):
        counts = {"base": rng.binomial(64, base).tolist(), "rlvr": rng.binomial(64, rlvr).tolist()}
        p = pair(Source(counts))
        found = (p.rlvr.pass_at(1, "b") - p.base.pass_at(1, "b")).interval(0.95)
        held += found.low <= true <= found.high
    assert held / 300 > 0.92
