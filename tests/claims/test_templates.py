"""Is RLVR as good under other chat templates as under its own?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import pytest

from rlvr_gate.claims import numbers
from rlvr_gate.claims.views import CheckpointView, EvidenceSource, PairView
from rlvr_gate.judging.ledger import Ledger
from rlvr_gate.records import CHATS, Ask, Facts, Judgement, Table, Tally, Verdict

N, MANY = 16, 300


@dataclass(frozen=True)
class Read:
    """The facts of an ask that matter here."""

    prompt_digests: Mapping[str, str]


class Worded:
    """Correct of N of every problem, by role and template."""

    def __init__(
        self, counts: Mapping[str, int], digests: Mapping[str, str], problems: int
    ) -> None:
        self.counts, self.digests, self.problems = counts, digests, problems

    def tallies(self, role: str, benchmark: str) -> tuple[Tally, ...]:
        c = self.counts[role]
        return tuple(
            Tally(f"p{i}", N, min(N, max(0, c + 2 * (i % 2) - 1))) for i in range(self.problems)
        )

    def facts(self, role: str) -> Read:
        return Read({"b": self.digests[role]})

    def guessing(self, benchmark: str) -> None:
        return None


def judged(
    base: tuple[int, int, int], rlvr: tuple[int, int, int], digests: str = "abc", many: int = MANY
) -> list[Judgement]:
    """Correct of N under own, base's and no template; what they read has these digests."""
    counts, read = {}, {}
    for role, of in (("base", base), ("rlvr", rlvr)):
        for chat, c, digest in zip(CHATS, of, digests, strict=True):
            name = Ask(role, chat=chat, samples=N).name
            counts[name], read[name] = c, digest
    source, ledger = cast(EvidenceSource, Worded(counts, read, many)), Ledger()
    pair = PairView(CheckpointView("base", source, ledger), CheckpointView("rlvr", source, ledger))
    found = numbers.keeps_under_templates(pair, N, "b", 0.05)
    assert ledger.judgements == found
    return found


HOLDS, REFUTED = Verdict.HOLDS, Verdict.REFUTED


@pytest.mark.parametrize(
    ("rlvr", "verdicts"),
    [
        ((8, 8, 8), [HOLDS, HOLDS]),
        ((8, 9, 10), [HOLDS, HOLDS]),  # better without its own is no loss
        ((8, 8, 4), [HOLDS, REFUTED]),
        ((8, 2, 8), [REFUTED, HOLDS]),
    ],
)
def test_each_other_template(rlvr: tuple[int, int, int], verdicts: list[Verdict]) -> None:
    assert [found.verdict for found in judged((4, 4, 4), rlvr)] == verdicts


def test_roles_swapped_ask_of_the_other() -> None:
    """The claim reads RLVR's templates: what base loses has no part in it."""
    assert all(judged((8, 2, 2), (8, 8, 8)))
    assert not all(judged((8, 8, 8), (8, 2, 2)))


def test_templates_that_make_the_same_prompts_cannot_matter() -> None:
    found = judged((4, 4, 4), (8, 8, 4), digests="aab")
    assert [each.verdict for each in found] == [HOLDS, REFUTED]
    assert (found[0].estimate, found[0].interval.low, found[0].interval.high) == (0, 0, 0)
    assert "same prompts as its own, token by token" in found[0].evidence.notes[0]
    assert all(each.verdict is HOLDS for each in judged((4, 4, 4), (8, 8, 8), digests="aaa"))


def test_the_fair_gain_is_over_base_s_best_template() -> None:
    """Base is as good as RLVR without a template: the fair gain is none."""
    (found, _) = judged((2, 4, 8), (8, 8, 8))
    table, fair = found.evidence.exhibits
    assert isinstance(table, Table)
    assert [row[0] for row in table.rows] == ["its own", "base's", "none"]
    assert isinstance(fair, Facts)
    assert fair.facts["base's best template"] == "none"
    assert fair.facts["rlvr under its own less base under that"] == pytest.approx(0)


def test_one_problem_chooses_nothing() -> None:
    (found, _) = judged((2, 4, 8), (8, 8, 8), many=1)
    assert isinstance(found.evidence.exhibits[1], Facts)
    assert not found.evidence.exhibits[1].facts
