"""Completions without a grade: the worst case, as if like the others, and between."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import pytest

from rlvr_gate.claims.views import CheckpointView, PairView
from rlvr_gate.judging.ledger import Ledger
from rlvr_gate.judging.readings import solve_rate, supposing
from rlvr_gate.records import Judgement, Margins, Rounds, Tally, Verdict
from rlvr_gate.stats.passk import pass_at_k


class Counts:
    """Evidence of counts alone."""

    def __init__(self, **of: Sequence[Tally]) -> None:
        self.of = {role: tuple(tallies) for role, tallies in of.items()}

    def tallies(self, role: str, benchmark: str) -> tuple[Tally, ...]:
        return self.of[role]

    def guessing(self, benchmark: str) -> None:
        return None


def test_a_chance_of_none_and_of_all_are_the_two_readings():
    tallies = [Tally("a", 8, 2, 3), Tally("b", 8, 0, 1), Tally("c", 8, 5, 0)]
    read = partial(solve_rate, k=4)
    known = read(tallies)
    assert supposing(read, tallies, 0.0, known).high == pytest.approx(known.low)
    assert supposing(read, tallies, 1.0, known).high == pytest.approx(known.high)


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_between_them_it_is_the_mean_over_what_the_unscored_may_be(share):
    tallies, read = [Tally("a", 8, 1, 2)], partial(solve_rate, k=3)
    by_hand = sum(
        (share if one else 1 - share) * (share if two else 1 - share)
        * float(pass_at_k(8, 1 + one + two, 3))
        for one in (0, 1) for two in (0, 1)
    )  # fmt: skip
    assert supposing(read, tallies, share, read(tallies)).high[0] == pytest.approx(by_hand)


def test_stopping_rules_are_read_by_their_own_estimator():
    rule = Rounds((4, 8), 2)
    tallies = [Tally("a", 8, 1, 2, rounds=rule), Tally("b", 4, 3, 1, rounds=rule)]
    read = partial(solve_rate, k=6)
    known, found = read(tallies), supposing(read, tallies, 0.3, read(tallies))
    assert np.all(known.low <= found.high)
    assert np.all(found.high <= known.high)


def coverage_kept(margins: Margins, unscored: bool = True) -> Judgement:
    """500 problems x 256, one completion in a thousand without a grade: coverage, 2 points."""
    rng = np.random.default_rng(11)
    p = np.where(rng.random(500) < 0.4, 0.0, rng.beta(0.5, 1.5, 500))
    sides = {}
    for role in ("base", "rlvr"):
        correct, lost = rng.binomial(256, p), rng.binomial(256, 0.001, 500) * unscored
        right = [int(max(0, c - u)) for c, u in zip(correct, lost, strict=True)]
        sides[role] = [
            Tally(f"p{i}", 256, r, int(u))
            for i, (r, u) in enumerate(zip(right, lost, strict=True))
        ]
    source, ledger = Counts(**sides), Ledger(margins=margins, guaranteed=True)
    pair = PairView(*(CheckpointView(r, source, ledger) for r in ("base", "rlvr")))  # type: ignore[arg-type]
    return pair.rlvr.pass_at(128, "b") > pair.base.pass_at(128, "b") - 0.04


def test_one_in_a_thousand_leaves_a_large_k_open_and_says_what_would_close_it():
    judged = coverage_kept(Margins())
    assert judged.verdict is Verdict.UNDECIDED
    (note,) = judged.evidence.notes
    assert note.startswith("would be holds unless each unscored one is right with ")
    assert "unscored completions right as often as the others of their problem" in note
    turns = int(note.split("right with ")[1].split("%")[0]) / 100
    assert coverage_kept(Margins(unscored=turns - 0.02)).verdict is Verdict.HOLDS
    assert coverage_kept(Margins(unscored=turns + 0.02)).verdict is Verdict.UNDECIDED


def test_what_the_worst_case_cannot_change_is_said_to_stand():
    base = [Tally(f"p{i}", 64, 5 + i % 4, 1) for i in range(60)]
    rlvr = [Tally(f"p{i}", 64, 40 + i % 9, 1) for i in range(60)]
    source, ledger = Counts(base=base, rlvr=rlvr), Ledger(guaranteed=True)
    pair = PairView(*(CheckpointView(r, source, ledger) for r in ("base", "rlvr")))  # type: ignore[arg-type]
    judged = pair.rlvr.pass_at(1, "b") > pair.base.pass_at(1, "b")
    assert judged.verdict is Verdict.HOLDS
    assert judged.evidence.notes[0].startswith("holds whatever the unscored completions would")


def test_nothing_is_said_where_all_have_a_grade():
    assert coverage_kept(Margins(), unscored=False).evidence.notes == ()
