"""How many questions does a checkpoint know by heart?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

import numpy as np
import pytest

from rlvr_gate.claims.robust.recited import CONTROL, PROBE, VARIANTS, recited
from rlvr_gate.claims.views import CheckpointView, EvidenceSource
from rlvr_gate.judging.ledger import Ledger
from rlvr_gate.records import Ask, Judgement, Table, Tally, Verdict

Counts = tuple[int, int, int]
"""Recited, ended in the middle, and questions."""


class Probed:
    """One greedy draw of each question, by variant."""

    def __init__(self, counts: Mapping[str, Counts], questions: int = 0) -> None:
        self.questions = questions
        self.counts = {Ask("rlvr", variant=v, **PROBE).name: c for v, c in counts.items()}

    def was_asked(self, name: str, benchmark: str) -> bool:
        return name in self.counts

    def tallies(self, role: str, benchmark: str) -> tuple[Tally, ...]:
        right, open_, asked = self.counts.get(role, (0, 0, self.questions))
        return tuple(
            Tally(f"p{i}", 1, int(i < right), int(right <= i < right + open_))
            for i in range(asked)
        )


def judged(counts: Mapping[str, Counts], questions: int = 0) -> Judgement:
    source = cast(EvidenceSource, Probed(counts, questions))
    return recited(CheckpointView("rlvr", source, Ledger()), "b") < 0.05


@pytest.mark.parametrize(
    ("counts", "verdict"),
    [
        ((0, 0, 500), Verdict.HOLDS),
        ((273, 0, 500), Verdict.REFUTED),  # as published of MATH-500
        ((0, 0, 30), Verdict.UNDECIDED),  # AIME's 30: 0 of 30 leaves .116
        ((6, 0, 30), Verdict.REFUTED),  # 20 %
        ((0, 100, 500), Verdict.UNDECIDED),  # a fifth ended before anybody could tell
        ((273, 10, 500), Verdict.REFUTED),
    ],
)
def test_few_or_many(counts: Counts, verdict: Verdict) -> None:
    assert judged({VARIANTS[0]: counts}).verdict is verdict


@pytest.mark.parametrize(
    ("counts", "questions", "verdict"),
    [
        ((0, 0, 200), 400, Verdict.HOLDS),  # half of them, the others are too short
        ((0, 0, 199), 400, Verdict.UNDECIDED),  # nobody knows of the rest
        ((0, 0, 380), 400, Verdict.HOLDS),
        ((60, 0, 100), 400, Verdict.REFUTED),  # enough of all, whatever the rest
        ((10, 0, 100), 400, Verdict.UNDECIDED),  # 10 % of these, 2.5 % of all
    ],
)
def test_a_few_long_questions_do_not_speak_for_the_rest(
    counts: Counts, questions: int, verdict: Verdict
) -> None:
    found = judged({VARIANTS[0]: counts}, questions)
    assert found.verdict is verdict
    assert f"{counts[2]} of {questions} questions have ten words of their own" in (
        found.evidence.notes
    )


def test_answers_that_were_cut_have_no_part_in_it() -> None:
    """One checkpoint against a number: that the pair's answers end differently changes nothing."""
    cut = [Tally(f"p{i}", 8, 0, truncated=8 * (i % 2)) for i in range(200)]
    ledger = Ledger(even=lambda *_: ([replace(t, truncated=0) for t in cut], cut))
    source = cast(EvidenceSource, Probed({VARIANTS[0]: (0, 0, 500)}))
    found = recited(CheckpointView("rlvr", source, ledger), "b") < 0.05
    assert found.verdict is Verdict.HOLDS
    assert ledger.judgements == [found]


def test_thirty_questions_leave_too_much_open() -> None:
    found = judged({VARIANTS[0]: (0, 0, 30)})
    assert found.interval.high == pytest.approx(0.1157, abs=1e-4)


def test_the_other_parts_and_the_control_stand_beside() -> None:
    found = judged({VARIANTS[0]: (3, 0, 300), "begun 80": (9, 1, 300), CONTROL: (2, 0, 300)})
    (table,) = (e for e in found.evidence.exhibits if isinstance(e, Table))
    assert table.rows == (
        ("60 %", 300, 3, 0), ("80 %", 300, 9, 1), ("60 % of fresh problems", 300, 2, 0),
    )  # fmt: skip


def test_without_questions_in_words_no_number_of_samples_decides() -> None:
    found = judged({})
    assert found.verdict is Verdict.UNDECIDED
    assert found.evidence.would_decide is not None
    assert "has ten words" in found.evidence.would_decide.text


def test_clean_is_seldom_said_of_what_is_not() -> None:
    """5 % recited in truth: at most 2.5 % of runs hold, and as few refute."""
    rng = np.random.default_rng(0)
    words = [judged({VARIANTS[0]: (int(c), 0, 300)}).verdict
             for c in rng.binomial(300, 0.05, 400)]  # fmt: skip
    assert words.count(Verdict.HOLDS) <= 18
    assert words.count(Verdict.REFUTED) <= 18
