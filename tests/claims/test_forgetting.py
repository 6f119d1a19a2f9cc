"""Forgetting is compared where two checkpoints are a match on the new task, and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from rlvr_gate.claims import numbers
from rlvr_gate.claims.views import CheckpointView, PairView, ScoreOf, TokenScores
from rlvr_gate.judging.ledger import Ledger
from rlvr_gate.records import Curves, Tally, Verdict

N, M = 20, 200
ALL = ("new", "old", "older")
Rates = Mapping[str, float]


class Source:
    """Every problem of a benchmark at one rate; divergences from base of each role."""

    def __init__(self, kl: Rates, rates: Mapping[str, Rates]) -> None:
        self._kl, self._rates = kl, rates

    def tallies(self, role: str, benchmark: str) -> tuple[Tally, ...]:
        correct = round(N * self._rates[role][benchmark])
        return tuple(Tally(f"p{i}", N, correct) for i in range(M))

    def scores(self, asked: ScoreOf, benchmark: str) -> TokenScores:
        each = np.full((M, 2), self._kl[asked.to]) * (1 + np.linspace(-0.01, 0.01, M)[:, None])
        return TokenScores(each, np.ones((M, 2)), "toy")

    def guessing(self, benchmark: str) -> None:
        return None


def rates(new: float, old: float, older: float) -> Rates:
    return {"new": new, "old": old, "older": older}


def pair_of(rlvr: Rates, sft: Rates, kl: Sequence[float] = (0.1, 0.1), about=ALL):
    source = Source(
        dict(zip(("rlvr", "sft"), kl, strict=True)),
        {"base": rates(0.1, 1, 1), "rlvr": rlvr, "sft": sft},
    )
    ledger = Ledger(about=about)
    base, ours, other = (CheckpointView(r, source, ledger) for r in ("base", "rlvr", "sft"))  # type: ignore[arg-type]
    return PairView(base, ours), other


def judged(pair: PairView, other: CheckpointView, at: str = "gain", benchmarks=ALL):
    return numbers.forgets_less(pair, other, benchmarks, margin=0.02, at=at)  # type: ignore[arg-type]


def test_by_hand() -> None:
    """RLVR at 1 and .9 of the prior tasks, SFT at .5 and .9: forgotten .05 and .30."""
    pair, sft = pair_of(rates(0.6, 1, 0.9), rates(0.6, 0.5, 0.9))
    found = judged(pair, sft)
    assert found.estimate == pytest.approx(0.25)
    assert found.verdict is Verdict.HOLDS
    (table,) = found.evidence.exhibits
    assert [row[2] for row in table.rows] == [pytest.approx(0.05), pytest.approx(0.30)]
    assert [row[1] for row in table.rows] == [pytest.approx(0.5)] * 2
    assert [c.difference for c in found.evidence.conclusions or ()] == [0.5, 0]


def test_who_forgets_more_is_refuted_and_swapping_turns_the_sign() -> None:
    ours, theirs = rates(0.6, 0.5, 0.9), rates(0.6, 1, 0.9)
    found, swapped = judged(*pair_of(ours, theirs)), judged(*pair_of(theirs, ours))
    assert found.verdict is Verdict.REFUTED
    assert found.estimate == pytest.approx(-swapped.estimate)


@pytest.mark.parametrize("new", [0.55, 0.65])
def test_a_smaller_or_larger_gain_is_no_match(new: float) -> None:
    found = judged(*pair_of(rates(0.6, 1, 0.9), rates(new, 0.5, 0.9)))
    assert found.verdict is Verdict.NOT_COMPARABLE
    assert found.p_value is None
    assert "no match: gain on the new task" in (found.evidence.incomparable or ())[0]


def test_matched_by_divergence_whatever_was_gained() -> None:
    pair, sft = pair_of(rates(0.6, 1, 0.9), rates(0.3, 0.5, 0.9), (0.1, 0.105))
    found = judged(pair, sft, "kl")
    assert found.verdict is Verdict.HOLDS
    (plane,) = (e for e in found.evidence.exhibits if isinstance(e, Curves))
    assert plane.curves["sft"] == ((pytest.approx(0.105), pytest.approx(0.3)),)
    assert judged(pair, sft).verdict is Verdict.NOT_COMPARABLE
    far = judged(*pair_of(rates(0.6, 1, 0.9), rates(0.6, 0.5, 0.9), (0.1, 0.12)), "kl")
    assert far.verdict is Verdict.NOT_COMPARABLE
    assert "KL from base" in (far.evidence.incomparable or ())[0]


def test_without_a_prior_task_nothing_can_be_forgotten() -> None:
    pair, sft = pair_of(rates(0.6, 1, 0.9), rates(0.6, 0.5, 0.9), about=("new",))
    found = judged(pair, sft, benchmarks=("new",))
    assert found.verdict is Verdict.UNDECIDED
    assert "no prior task is asked" in found.evidence.notes[0]


def test_a_prior_task_that_is_not_comparable_leaves_nothing_to_say() -> None:
    pair, sft = pair_of(rates(0.6, 1, 0.9), rates(0.6, 0.5, 0.9))

    def unlike(benchmark: str, *roles: str) -> list[str]:
        assert set(roles) <= {"rlvr", "sft"}
        return ["prompts differ"] * (benchmark == "older")

    pair.base.ledger.comparability = unlike
    found = judged(pair, sft)
    assert found.verdict is Verdict.NOT_COMPARABLE
    assert found.evidence.incomparable == ("older: prompts differ",)
