"""The guess floor, and the conclusion without what guesses solve."""

from __future__ import annotations

from typing import cast

import pytest

from rlvr_gate.claims.guessing import Guessing, guesser
from rlvr_gate.claims.views import CheckpointView, EvidenceSource, PairView
from rlvr_gate.gate.explain import notes
from rlvr_gate.judging.ledger import Ledger
from rlvr_gate.records import Answers, Judgement, Tally, Verdict

Counts = list[int]


def answers(of: str | None, right: str, n: int = 8) -> Answers:
    return Answers({of: n}, frozenset({right}))


class Answered:
    """Counts and answers given in the test."""

    def __init__(self, base: Counts, rlvr: Counts, guessing: Guessing | None) -> None:
        self.counts = {"base": base, "rlvr": rlvr}
        self._guessing = guessing

    def tallies(self, role: str, benchmark: str) -> tuple[Tally, ...]:
        return tuple(Tally(f"p{i}", 16, c) for i, c in enumerate(self.counts[role]))

    def guessing(self, benchmark: str) -> Guessing | None:
        return self._guessing


def judged(base: Counts, rlvr: Counts, guessing: Guessing | None) -> Judgement:
    source, ledger = cast(EvidenceSource, Answered(base, rlvr, guessing)), Ledger()
    pair = PairView(CheckpointView("base", source, ledger), CheckpointView("rlvr", source, ledger))
    return pair.guess_filtered(16, "b")


def floor_of(*floor: float) -> Guessing:
    import numpy as np

    return Guessing(np.array(floor))


def test_a_guesser_draws_from_the_answers_to_the_other_problems() -> None:
    """Eight yes and two no: the yes problems are guessed, each other problem weighing the same."""
    said = [answers("yes", "yes", 4 + i) for i in range(8)] + [answers("no", "no")] * 2
    found = guesser(said, said)
    assert found is not None
    assert found.floor.tolist() == pytest.approx([7 / 9] * 8 + [1 / 9] * 2)
    assert found.reaches(64) == pytest.approx(1.0, abs=1e-3)


def test_answers_nobody_else_gives_cannot_be_guessed() -> None:
    said = [answers(str(i), str(i)) for i in range(9)]
    found = guesser(said, said)
    assert found is not None
    assert found.reaches(256) == 0.0
    assert not found.solves(256).any()


def test_without_answers_there_is_no_guesser() -> None:
    assert guesser((), ()) is None
    assert guesser() is None


BASE, RLVR = [4] * 60 + [0] * 20, [8] * 30 + [0] * 50  # base covers more at k = 16


def test_nothing_to_guess_leaves_the_conclusion_alone() -> None:
    found = judged(BASE, RLVR, floor_of(*[0.0] * 80))
    assert found.verdict is Verdict.HOLDS
    assert found.evidence.guessable == ()


def test_the_same_leader_without_the_guessable_problems_holds() -> None:
    found = judged(BASE, RLVR, floor_of(*[0.2] * 10, *[0.0] * 70))
    assert found.verdict is Verdict.HOLDS
    assert [row.problems for row in found.evidence.conclusions or ()] == [
        "all: 80",
        "without the guessable: 70",
    ]
    assert len(found.evidence.guessable or ()) == 10


def test_another_leader_is_refuted_and_an_open_one_undecided() -> None:
    guessed = [4] * 60, [0] * 60  # what base solves beyond rlvr is all guessable
    turned = judged(guessed[0] + [0] * 30, guessed[1] + [9] * 30, floor_of(*[0.5] * 60, *[0] * 30))
    assert turned.verdict is Verdict.REFUTED
    open_ = judged(guessed[0] + [3] * 30, guessed[1] + [3] * 30, floor_of(*[0.5] * 60, *[0] * 30))
    assert open_.verdict is Verdict.UNDECIDED
    assert judged(BASE, RLVR, floor_of(*[0.5] * 80)).verdict is Verdict.UNDECIDED


def test_counts_without_answers_are_undecided_and_say_so() -> None:
    found = judged(BASE, RLVR, None)
    assert found.verdict is Verdict.UNDECIDED
    assert "answers not recorded" in found.statement


def test_the_floor_stands_beside_every_claim_at_more_than_one_sample() -> None:
    source = cast(EvidenceSource, Answered(BASE, RLVR, floor_of(*[0.2] * 10, *[0.0] * 70)))
    base, rlvr = (CheckpointView(role, source, Ledger()) for role in ("base", "rlvr"))
    large = base.pass_at(16, "b") > rlvr.pass_at(16, "b")
    assert any("guessing from the other problems' answers" in note for note in notes(large))
    assert (base.pass_at(1, "b") > rlvr.pass_at(1, "b")).evidence.guess_floor is None
