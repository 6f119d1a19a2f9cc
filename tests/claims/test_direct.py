"""Does a conclusion hang on problems that base guesses when asked for the answer at once?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import pytest

from rlvr_gate.claims.robust.direct import agrees_without_guessed
from rlvr_gate.claims.views import CheckpointView, EvidenceSource, PairView
from rlvr_gate.judging.ledger import Ledger
from rlvr_gate.records import Ask, Judgement, Tally, Verdict

from .counted import drawn, tallies

N, DIRECT = 16, 64


class Asked:
    """Counts of both as the run asks, and of base asked directly."""

    def __init__(
        self, base: Sequence[int], rlvr: Sequence[int], direct: Sequence[int] | None
    ) -> None:
        self.counts = {"base": tallies(base, N), "rlvr": tallies(rlvr, N)}
        if direct is not None:
            name = Ask("base", samples=DIRECT, variant="direct 1").name
            self.counts[name] = tallies(direct, DIRECT)

    def tallies(self, role: str, benchmark: str) -> tuple[Tally, ...]:
        return tuple(self.counts[role])

    def was_asked(self, name: str, benchmark: str) -> bool:
        return name in self.counts

    def guessing(self, benchmark: str) -> None:
        return None


def judged(base: Sequence[int], rlvr: Sequence[int], direct: Sequence[int] | None) -> Judgement:
    source, ledger = cast(EvidenceSource, Asked(base, rlvr, direct)), Ledger()
    pair = PairView(CheckpointView("base", source, ledger), CheckpointView("rlvr", source, ledger))
    found = agrees_without_guessed(pair, N, DIRECT, "b", 0.05)
    assert ledger.judgements == [found]
    return found


def halves(one: int, other: int, many: int = 100) -> list[int]:
    return [one] * (many // 2) + [other] * (many // 2)


LUCKY = halves(3, 0)
"""The first half is guessed: 3 of 64 draws."""


@pytest.mark.parametrize(
    ("base", "rlvr", "direct", "verdict"),
    [
        (halves(4, 0), halves(0, 0), halves(0, 0), Verdict.HOLDS),  # nothing is guessed
        (halves(4, 0), halves(0, 0), halves(64, 4), Verdict.HOLDS),  # known, or too often for luck
        (halves(4, 4), halves(0, 0), LUCKY, Verdict.HOLDS),  # base leads without them too
        (halves(4, 0), halves(0, 4), LUCKY, Verdict.UNDECIDED),  # nobody leads on all
        (halves(4, 0), halves(0, 0), LUCKY, Verdict.UNDECIDED),  # nobody leads on the rest
        ([4] * 75 + [0] * 25, [0] * 75 + [4] * 25, [3] * 75 + [0] * 25, Verdict.REFUTED),
        (halves(4, 0), halves(0, 0), [3] * 100, Verdict.UNDECIDED),  # nothing is left
    ],
)
def test_conclusions_without_what_base_guesses(
    base: list[int], rlvr: list[int], direct: list[int], verdict: Verdict
) -> None:
    assert judged(base, rlvr, direct).verdict is verdict


def test_the_rule_is_the_paper_s() -> None:
    """Low and not 0 goes out; 0, and 5 % or more, stay; so does what was not asked directly."""
    found = judged([1, 2, 3, 4, 5], [5, 4, 3, 2, 1], [0, 1, 3, 4])  # of 64: 4 is more than 5 %
    assert [each.problem for each in found.evidence.guessable or ()] == ["p1", "p2"]
    assert [row.problems for row in found.evidence.conclusions or ()] == [
        "all: 5", "without what base guesses: 3",
    ]  # fmt: skip


def test_what_cannot_be_asked_directly_stays_open() -> None:
    found = judged(halves(4, 0), halves(0, 0), None)
    assert found.verdict is Verdict.UNDECIDED
    assert "no problem can be asked so" in found.statement


def test_base_against_itself_is_never_turned() -> None:
    """The filter reads other draws than the verdict: two runs of one law have no other leader."""
    rng, turned = np.random.default_rng(3), 0
    for _ in range(100):
        p = rng.beta(0.25, 1.5, 60)
        found = judged(drawn(p, N, rng), drawn(p, N, rng), drawn(p / 4, DIRECT, rng))
        turned += found.verdict is Verdict.REFUTED
    assert turned == 0
