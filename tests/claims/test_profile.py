"""A claim about the profile: its verdict is the rule's, and what it read stands beside it."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from rlvr_gate.claims import numbers
from rlvr_gate.claims.profile import looks as profile
from rlvr_gate.claims.profile.rule import KINDS, Features, Reference
from rlvr_gate.claims.views import CheckpointView, PairView, ScoreOf, TokenScores
from rlvr_gate.judging.ledger import Ledger
from rlvr_gate.records import Table, Tally, Verdict

N, M = 8, 100
KNOWN = (
    Reference("a", "a", "rlvr", Features(0.8, (-0.1, 0.1), (0.2, 0.3))),
    Reference("b", "b", "sft", Features(0.0, (3.9, 4.1), (0.2, 0.3))),
    Reference("c", "c", "distillation", Features(0.0, (0.9, 1.1), (0.2, 0.3))),
)


class Source:
    """Problems that a role solves equally often, texts that surprise base alike."""

    def __init__(self, correct: int, surprise: float) -> None:
        self._correct, self._surprise = {"base": 1, "rlvr": correct}, surprise

    def tallies(self, role: str, benchmark: str) -> tuple[Tally, ...]:
        return tuple(Tally(f"p{i}", N, self._correct[role]) for i in range(M))

    def scores(self, asked: ScoreOf, benchmark: str) -> TokenScores:
        mean = -1.0 - (self._surprise if asked.of == "rlvr" else 0.0)
        return TokenScores(np.full((M, 2), mean), np.ones((M, 2)), "toy")

    def guessing(self, benchmark: str) -> None:
        return None


def judged(monkeypatch, unchanged: float, correct: int, surprise: float, kind: str = "rlvr"):
    monkeypatch.setattr(profile, "REFERENCES", KNOWN)
    source, ledger = Source(correct, surprise), Ledger(about=("b",))
    base, rlvr = (CheckpointView(role, source, ledger) for role in ("base", "rlvr"))  # type: ignore[arg-type]
    update = SimpleNamespace(unchanged=lambda: SimpleNamespace(value=unchanged))
    monkeypatch.setattr(CheckpointView, "update_since", lambda self, other: update)
    return numbers.looks_like(PairView(base, rlvr), "b", kind)


@pytest.mark.parametrize(
    ("unchanged", "correct", "surprise", "kind", "verdict"),
    [
        (0.8, 4, 0.0, "rlvr", Verdict.HOLDS),
        (0.8, 4, 0.0, "sft", Verdict.REFUTED),
        (0.8, 1, 0.0, "spurious", Verdict.HOLDS),
        (0.0, 4, 4.0, "rlvr", Verdict.REFUTED),
        (0.0, 4, 4.0, "sft", Verdict.HOLDS),
        (0.0, 4, 1.0, "distillation", Verdict.HOLDS),
        (1.0, 1, 0.0, "nothing", Verdict.HOLDS),
        (0.8, 4, 4.0, "rlvr", Verdict.UNDECIDED),
    ],
)
def test_the_verdict_is_the_rules(
    monkeypatch, unchanged, correct, surprise, kind, verdict
) -> None:
    found = judged(monkeypatch, unchanged, correct, surprise, kind)
    assert found.verdict is verdict
    assert (found.interval.low, found.interval.high) == {
        Verdict.HOLDS: (1, 1), Verdict.REFUTED: (0, 0), Verdict.UNDECIDED: (0, 1),
    }[verdict]  # fmt: skip


def test_what_was_read_and_how_far_the_rule_is_to_be_trusted_stand_beside_it(monkeypatch) -> None:
    read, told = judged(monkeypatch, 0.8, 4, 0.25).evidence.exhibits
    assert isinstance(read, Table)
    assert isinstance(told, Table)
    assert read.rows[0][:4] == ("this checkpoint", "?", 0.8, pytest.approx(0.25))
    assert [row[0] for row in read.rows[2:]] == ["a", "b", "c"]
    assert [row[0] for row in told.rows] == ["rlvr", "sft", "distillation"]


def test_a_kind_that_is_none_is_refused(monkeypatch) -> None:
    with pytest.raises(ValueError, match="a profile is one of"):
        judged(monkeypatch, 0.8, 4, 0.0, "dpo")


def test_the_shipped_references_are_of_known_kinds_and_fit_a_rule() -> None:
    assert {r.kind for r in profile.REFERENCES} <= set(KINDS)
    at = profile.cuts(profile.REFERENCES)
    assert None not in (at.dense, at.foreign, at.taught)
    early = [r for r in profile.REFERENCES if not r.fits]
    assert profile.cuts([replace(r) for r in profile.REFERENCES if r not in early]) == at
