"""Do conclusions stand when only clean solutions count, and does a gain survive a calculator?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np
import pytest

from rlvr_gate.claims.robust.calculator import gain_with_calculator, quotient
from rlvr_gate.claims.robust.clean import stands_when_clean
from rlvr_gate.claims.views import CheckpointView, EvidenceSource, PairView
from rlvr_gate.claims.ways.methods import Classifier, Used
from rlvr_gate.judging.ledger import Ledger
from rlvr_gate.records import Facts, Interval, Judgement, Table, Tally, Verdict

from .counted import drawn, tallies

N = 16
Counts = Mapping[str, Sequence[Tally]]
"""By role, or role and grading as `base (clean grades)`."""


class Regraded:
    """Counts by role and grading, and each problem's texts where there are some."""

    def __init__(self, counts: Counts, texts: Mapping[str, Mapping[str, Used]] | None = None):
        self.counts, self.texts = counts, texts

    def tallies(self, role: str, benchmark: str) -> tuple[Tally, ...]:
        return tuple(self.counts[role])

    def graded(self, role: str, grading: str, benchmark: str) -> tuple[Tally, ...] | None:
        name = f"{role} ({grading} grades)"
        return self.tallies(name, benchmark) if name in self.counts else None

    def guessing(self, benchmark: str) -> None:
        return None

    def methods(
        self, role: str, benchmark: str, classify: Classifier
    ) -> Sequence[Mapping[str, Used]] | None:
        if self.texts is None:
            return None
        return [{classify(text): used for text, used in self.texts[role].items()}]


def pair_over(source: Regraded, ledger: Ledger | None = None) -> PairView:
    ledger = ledger or Ledger()
    views = (CheckpointView(r, cast(EvidenceSource, source), ledger) for r in ("base", "rlvr"))
    return PairView(*views)


def counted(grading: str, **correct: tuple[Sequence[int], Sequence[int]]) -> Counts:
    """(right, otherwise graded) of each role's problems."""
    return {
        name: tallies(of, N)
        for role, (own, other) in correct.items()
        for name, of in ((role, own), (f"{role} ({grading} grades)", other))
    }


def clean(base: tuple[list[int], list[int]], rlvr: tuple[list[int], list[int]]) -> Judgement:
    return stands_when_clean(pair_over(Regraded(counted("clean", base=base, rlvr=rlvr))), N, "b")


MANY = 60
EVERYWHERE = [4] * MANY
HALF = [12] * (MANY // 2) + [0] * (MANY // 2)


@pytest.mark.parametrize(
    ("base", "rlvr", "verdict"),
    [
        ((EVERYWHERE, EVERYWHERE), (HALF, HALF), Verdict.HOLDS),
        ((EVERYWHERE, [3] * MANY), (HALF, HALF), Verdict.HOLDS),  # fewer, and the same words
        ((EVERYWHERE, EVERYWHERE), ([12] * MANY, [1] * MANY), Verdict.REFUTED),  # K1 turns
        ((EVERYWHERE, [0] * MANY), (HALF, HALF), Verdict.REFUTED),  # K2 and K4 turn
        ((EVERYWHERE, EVERYWHERE), (HALF, [4] * 40 + [0] * 20), Verdict.REFUTED),
        ((EVERYWHERE, EVERYWHERE), ([12] * MANY, EVERYWHERE), Verdict.UNDECIDED),  # K1 goes out
        ((EVERYWHERE, EVERYWHERE), (EVERYWHERE, EVERYWHERE), Verdict.UNDECIDED),  # none was said
    ],
)  # fmt: skip
def test_the_words_of_clean_solutions(
    base: tuple[list[int], list[int]], rlvr: tuple[list[int], list[int]], verdict: Verdict
) -> None:
    assert clean(base, rlvr).verdict is verdict


def test_what_it_shows() -> None:
    found = clean((EVERYWHERE, [3] * MANY), (HALF, HALF))
    assert found.interval == Interval(0, 0, 0.95)
    assert len(found.evidence.conclusions or ()) == 6
    (table,) = found.evidence.exhibits
    assert isinstance(table, Table)
    assert table.rows[0] == ("base", MANY * N, 4 * MANY, 3 * MANY, MANY, 0, MANY, MANY)
    assert table.rows[1] == ("rlvr", MANY * N, 360, 360, 0, 0, 30, 30)


def test_right_answers_that_state_nothing_are_not_comparable() -> None:
    """Over 5 % of rlvr's right completions have no arithmetic to look at."""
    counts = dict(counted("clean", base=(EVERYWHERE, EVERYWHERE), rlvr=(HALF, HALF)))
    counts["rlvr (clean grades)"] = [
        Tally(t.problem, t.n, t.correct - (t.correct > 0), unscored=int(t.correct > 0))
        for t in counts["rlvr"]
    ]
    found = stands_when_clean(pair_over(Regraded(counts)), N, "b")
    assert found.verdict is Verdict.NOT_COMPARABLE
    assert "8.3% of rlvr's right completions state no arithmetic" in found.evidence.incomparable[0]


@pytest.mark.parametrize("grading", ["clean", "repaired"])
def test_without_further_grades_both_stay_open(grading: str) -> None:
    pair = pair_over(Regraded({"base": tallies(EVERYWHERE, N), "rlvr": tallies(HALF, N)}))
    found = (
        stands_when_clean(pair, N, "b")
        if grading == "clean"
        else gain_with_calculator(pair, "b") > 0
    )
    assert isinstance(found, Judgement)
    assert found.verdict is Verdict.UNDECIDED


def calculator(base: tuple[list[int], list[int]], rlvr: tuple[list[int], list[int]]) -> Judgement:
    pair = pair_over(Regraded(counted("repaired", base=base, rlvr=rlvr)))
    return gain_with_calculator(pair, "b") > 0  # type: ignore[return-value]  # a judgement


@pytest.mark.parametrize(
    ("base", "rlvr", "verdict", "share"),
    [
        ((EVERYWHERE, [5] * MANY), ([8] * MANY, [9] * MANY), Verdict.HOLDS, 0.25),
        ((EVERYWHERE, [10] * MANY), ([8] * MANY, [8] * MANY), Verdict.REFUTED, 1.5),
        (([8] * MANY, [8] * MANY), (EVERYWHERE, EVERYWHERE), Verdict.REFUTED, 0.0),
    ],
)  # fmt: skip
def test_a_gain_and_the_calculators_share_of_it(
    base: tuple[list[int], list[int]],
    rlvr: tuple[list[int], list[int]],
    verdict: Verdict,
    share: float,
) -> None:
    found = calculator(base, rlvr)
    assert found.verdict is verdict
    (facts,) = (e for e in found.evidence.exhibits if isinstance(e, Facts))
    assert facts.facts["calculator share"] == pytest.approx(share)


def test_no_share_is_told_of_a_gain_that_may_be_none() -> None:
    found = calculator((EVERYWHERE, [5] * MANY), (EVERYWHERE, [5] * MANY))
    assert found.verdict is Verdict.UNDECIDED
    (facts,) = (e for e in found.evidence.exhibits if isinstance(e, Facts))
    assert facts.facts["calculator share"] == "not known: the gain may be 0"


@pytest.mark.parametrize(("mended", "said"), [(4, True), (5, False)])
def test_where_no_slip_is_put_right_it_is_said(mended: int, said: bool) -> None:
    """It holds as the gain itself does, for nobody stated anything to recompute."""
    twelve = [12] * MANY
    found = calculator((EVERYWHERE, [mended] * MANY), (twelve, twelve))
    assert found.verdict is Verdict.HOLDS
    (facts,) = (e for e in found.evidence.exhibits if isinstance(e, Facts))
    assert ("no more than K1" in str(facts.facts.get("the repair"))) is said


def test_what_the_repair_made_right_and_wrong_is_counted_by_text() -> None:
    """Net 0, and both ways counted: a lucky slip is put right too."""
    counts = counted("repaired", base=([4], [4]), rlvr=([8], [8]))
    texts = {
        "base": {"a": Used(4, 4), "b": Used(4, 0), "c": Used(8, 0)},
        "base (repaired grades)": {"a": Used(4, 0), "b": Used(4, 4), "c": Used(8, 0)},
        "rlvr": {"a": Used(8, 8), "b": Used(8, 0)},
        "rlvr (repaired grades)": {"a": Used(8, 8), "b": Used(8, 0)},
    }
    found = gain_with_calculator(pair_over(Regraded(counts, texts)), "b") > 0
    assert isinstance(found, Judgement)
    (table,) = (e for e in found.evidence.exhibits if isinstance(e, Table))
    assert [row[-2:] for row in table.rows] == [(4, 4), (0, 0)]


def test_fieller_of_a_quotient() -> None:
    """part ~ 1 +- .5, whole ~ 4 +- 0: all r with |1 - 4 r| <= .5."""
    found = quotient(lambda r: Interval(0.5 - 4 * r, 1.5 - 4 * r, 0.9), 1.0, 4.0)
    assert found is not None
    assert (found.low, found.high) == pytest.approx((0.125, 0.375), abs=1e-4)
    assert found.level == 0.9
    assert quotient(lambda r: Interval(0, 1, 0.9), 1.0, 0.0) is None
    wide = quotient(lambda r: Interval(-9, 9, 0.9), 1.0, 4.0)
    assert wide == Interval(-4, 4, 0.9)


def test_base_against_itself_raises_no_alarm() -> None:
    """Both of one law: clean keeps nine of ten right ones, the repair mends one wrong in fifty.

    A2 is refuted in none of 100 runs, A1 holds in at most 2.5 % of them, up to noise.
    """
    rng, turned, gains = np.random.default_rng(0), 0, 0
    for _ in range(100):
        p, counts = rng.beta(0.25, 1.5, 50), dict[str, Sequence[Tally]]()
        for role in ("base", "rlvr"):
            right = np.array(drawn(p, 32, rng))
            kept, mended = rng.binomial(right, 0.9), rng.binomial(32 - right, 0.02)
            counts[role] = tallies(right.tolist(), 32)
            counts[f"{role} (clean grades)"] = tallies(kept.tolist(), 32)
            counts[f"{role} (repaired grades)"] = tallies((right + mended).tolist(), 32)
        pair = pair_over(Regraded(counts))
        turned += stands_when_clean(pair, 32, "b").verdict is Verdict.REFUTED
        gains += bool(gain_with_calculator(pair, "b") > 0)
    assert turned == 0
    assert gains <= 7  # 2.5 of 100 expected at most; 7 has a chance below .01
