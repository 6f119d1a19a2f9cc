"""Strict and lenient grades, and the conclusions that they lead to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import pytest

from rlvr_gate.claims.views import CheckpointView, EvidenceSource, PairView
from rlvr_gate.judging.ledger import Ledger
from rlvr_gate.judging.quantities import Quantity
from rlvr_gate.judging.regrading import dependence
from rlvr_gate.judging.settling import Look
from rlvr_gate.judging.terms import Term
from rlvr_gate.records import ClaimRecord, Judgement, Kind, Tally, Verdict

Counts = Mapping[tuple[str, str], int]
"""(role, grading) -> correct of 16, on each of the problems."""
PROBLEMS, N = 400, 16


class Graded:
    """Every problem alike but for a little, so that intervals are narrow."""

    def __init__(self, counts: Counts) -> None:
        self.counts = counts

    def tallies(self, role: str, benchmark: str) -> tuple[Tally, ...]:
        name, _, rest = role.partition(" (")
        correct = self.counts[name, rest.removesuffix(" grades)")]
        return tuple(Tally(f"p{i}", N, correct + i % 2) for i in range(PROBLEMS))

    def graded(self, role: str, grading: str, benchmark: str) -> tuple[Tally, ...] | None:
        known = (role, grading) in self.counts
        return self.tallies(f"{role} ({grading} grades)", benchmark) if known else None

    def guessing(self, benchmark: str) -> None:
        return None


def pair_of(counts: Counts, ledger: Ledger | None = None) -> PairView:
    source, ledger = cast(EvidenceSource, Graded(counts)), ledger or Ledger()
    return PairView(CheckpointView("base", source, ledger), CheckpointView("rlvr", source, ledger))


def judged(base: tuple[int, int, int], rlvr: tuple[int, int, int]) -> Judgement:
    """Of (strict, own, lenient) correct of 16."""
    counts = {
        (role, grading): n
        for role, of in (("base", base), ("rlvr", rlvr))
        for grading, n in zip(("strict", "", "lenient"), of, strict=True)
    }
    return pair_of(counts).graded_alike("b", 0.02)


@pytest.mark.parametrize(
    ("base", "rlvr", "verdict"),
    [
        ((4, 4, 4), (8, 8, 8), Verdict.HOLDS),
        ((3, 4, 5), (7, 8, 9), Verdict.HOLDS),  # form counts, and for both alike
        ((8, 8, 8), (4, 4, 4), Verdict.HOLDS),  # the same word: base leads
        ((0, 4, 8), (8, 8, 8), Verdict.UNDECIDED),  # lenient says nothing, strict a lead
        ((4, 4, 8), (8, 8, 9), Verdict.UNDECIDED),  # the same word, and much of it form
        ((2, 4, 12), (8, 8, 8), Verdict.REFUTED),  # opposite leaders
    ],
)
def test_the_words_of_each_grading(
    base: tuple[int, int, int], rlvr: tuple[int, int, int], verdict: Verdict
) -> None:
    assert judged(base, rlvr).verdict is verdict


def test_the_format_gain_is_the_difference_of_differences() -> None:
    """base strict 0, lenient all, rlvr all in both: (0) - (1) = -1, but for the odd problems."""
    found = judged((0, 15, 15), (15, 15, 15))
    rows = {row.problems: row.difference for row in found.evidence.conclusions or ()}
    assert rows["format gain"] == pytest.approx(-15 / 16)
    assert rows["gain, strict grades"] == pytest.approx(15 / 16)
    assert rows["gain, the verifier's own grades"] == pytest.approx(0)


def test_without_further_grades_it_stays_open() -> None:
    found = pair_of({("base", ""): 4, ("rlvr", ""): 8}).graded_alike("b", 0.02)
    assert found.verdict is Verdict.UNDECIDED
    assert "not graded otherwise" in found.statement
    assert len(found.evidence.conclusions or ()) == 1
    assert not found.evidence.exhibits


def test_without_further_grades_no_look_keeps_a_run_going() -> None:
    """Else every problem would be asked to the end for a claim that nothing can decide."""
    found = pair_of({("base", ""): 4, ("rlvr", ""): 8}).graded_alike("b", 0.02)
    claim = ClaimRecord("V2", "", "", Kind.FINDING, "t", "b", None, 0.02, found.verdict, (found,))
    assert Look(0, (50, 100)).settles(claim)
    assert found.evidence.would_decide is not None
    assert found.evidence.would_decide.text.startswith("no number of samples under one grading")


def contrast(gradings: Mapping[str, tuple[int, int]], ledger: Ledger) -> Quantity:
    """rlvr - base, own grades 4 and 8; further ones as (base, rlvr)."""
    counts = {("base", ""): 4, ("rlvr", ""): 8}
    for name, both in gradings.items():
        counts |= {("base", name): both[0], ("rlvr", name): both[1]}
    pair = pair_of(counts, ledger)
    source = pair.base.source

    def graded(role: str, benchmark: str) -> dict[str, tuple[Tally, ...]]:
        found = {name: source.graded(role, name, benchmark) for name in gradings}
        return {name: tallies for name, tallies in found.items() if tallies}

    ledger.gradings = graded
    return pair.rlvr.pass_at(1, "b") - pair.base.pass_at(1, "b")


def test_a_verdict_says_on_which_grading_it_hangs() -> None:
    gap = contrast({"strict": (8, 4), "lenient": (4, 8)}, Ledger())
    (note,) = (gap > 0).evidence.notes
    assert note.startswith("depends on the grading: refuted under strict grades, [-0.")


def test_a_verdict_that_does_not_hang_on_it_says_nothing() -> None:
    assert (contrast({"strict": (3, 9), "lenient": (5, 9)}, Ledger()) > 0).evidence.notes == ()
    assert (contrast({}, Ledger()) > 0).evidence.notes == ()


def test_what_only_one_side_was_graded_by_is_left_alone() -> None:
    gap = contrast({"strict": (8, 4)}, ledger := Ledger())
    whole = ledger.gradings
    ledger.gradings = lambda role, b: whole(role, b) if role == "rlvr" else {}
    assert dependence(gap, ">", 0.0, Verdict.HOLDS) == ()


def test_what_is_no_count_cannot_be_graded_otherwise() -> None:
    gap = contrast({"strict": (8, 4)}, Ledger())
    terms = tuple(Term(t.role, t.label, t.low, t.high, t.tallies) for t in gap.terms)
    bare = Quantity(gap.label, "b", gap.low, gap.high, gap.bounds, terms, gap.ledger)
    assert dependence(bare, ">", 0.0, Verdict.HOLDS) == ()
    with pytest.raises(ValueError, match="does not follow from counts"):
        terms[0].regraded(terms[0].tallies)


def test_a_pair_asked_otherwise_is_held_against_itself_so_asked() -> None:
    """Solved sets of clean solutions: which runs are compared is asked of the ledger by name."""
    seen: list[tuple[str, ...]] = []

    def comparability(benchmark: str, *both: str) -> list[str]:
        seen.append(both)
        return []

    def even(benchmark: str, *both: str) -> tuple[()]:
        seen.append(both)
        return ()

    ledger = Ledger(comparability=comparability, even=even)
    counts = {(role, g): 4 for role in ("base", "rlvr") for g in ("", "clean")}
    pair = pair_of(counts, ledger)
    assert not pair.solved("b").lost_share > 0.5
    assert set(seen) == {()}
    seen.clear()
    clean = pair.at(grading="clean")
    assert clean.base.role == "base (clean grades)"
    assert not clean.solved("b").lost_share > 0.5
    assert set(seen) == {("base (clean grades)", "rlvr (clean grades)")}
    assert len(ledger.judgements) == 2
