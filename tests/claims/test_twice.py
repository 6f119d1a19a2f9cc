"""Base drawn twice: a session's effect, what is no second collection, what both tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import pytest

from rlvr_gate.claims import twice
from rlvr_gate.claims.selftest import likely_copies
from rlvr_gate.claims.twice import copies, foreign
from rlvr_gate.claims.views import CheckpointView, EvidenceSource, PairView
from rlvr_gate.judging.ledger import Ledger
from rlvr_gate.records import (
    THESE,
    CheckpointFacts,
    Curves,
    Judgement,
    Rounds,
    Sampling,
    Table,
    Tally,
    Verdict,
)

from .counted import Counted, drawn, tallies

P = np.random.default_rng(0).beta(0.4, 1.0, 200)
N = 32


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Splits: a hundred are for users."""
    monkeypatch.setattr(twice, "RUNS", 4)


def facts(role: str, digest: str = "b", **versions: str) -> CheckpointFacts:
    return CheckpointFacts(role, role, digest, "e/1", Sampling(), (), 0, {}, versions)


class Sessions(Counted):
    """Base, its second collection and rlvr, with who drew them."""

    def facts(self, role: str) -> CheckpointFacts:
        return facts(role, "r" if role == "rlvr" else "b")


def judged(again: Sequence[Tally], base: Sequence[Tally], margin: float = 0.02) -> Judgement:
    source = cast(EvidenceSource, Sessions({"base": base, "again": again, "rlvr": base}))
    ledger = Ledger(guaranteed=True)
    views = (CheckpointView(role, source, ledger) for role in ("base", "rlvr"))
    found = PairView(*views).drawn_twice("b", margin)
    assert ledger.judgements == [found]
    return found


def session(seed: int, shift: float = 0.0) -> list[Tally]:
    return tallies(drawn(P + shift * (1 - P), N, np.random.default_rng(seed)), N)


def test_two_sessions_of_one_engine_are_alike_and_a_shift_is_refuted() -> None:
    found = [judged(session(2 * i), session(2 * i + 1), 0.03) for i in range(10)]
    words = [each.verdict for each in found]
    assert words.count(Verdict.REFUTED) == 0
    assert words.count(Verdict.HOLDS) >= 8  # +-.011 about these problems
    for each in found:
        assert each.target == THESE
        assert not each.guaranteed  # a normal interval, and counted as one
        assert 0 <= each.interval.low <= each.estimate <= each.interval.high
        assert (each.p_value is not None and each.p_value < 0.05) == (
            each.verdict is not Verdict.UNDECIDED
        )
    assert judged(session(0), session(1, shift=0.1)).verdict is Verdict.REFUTED
    assert judged(session(1, shift=0.1), session(0)).verdict is Verdict.REFUTED
    assert judged(session(0), session(1), margin=0.001).verdict is Verdict.UNDECIDED


def test_the_margin_that_is_offered_is_no_smaller_than_what_was_not_excluded() -> None:
    found = judged(session(0), session(1))
    offered = float(found.evidence.notes[0].rpartition("margin = ")[2].split("`")[0])
    assert found.interval.high <= offered <= found.interval.high + 1e-4


def test_error_and_power_of_whole_runs_stand_beside_it() -> None:
    table, power = judged(session(0), session(1)).evidence.exhibits
    assert isinstance(table, Table)
    assert isinstance(power, Curves)
    rows = {(row[0], row[1]): row for row in table.rows}
    assert {k1 for k1, _ in rows} == {"K1: pass@1 rises", "C1: pass@16 falls by less than 0.02"}
    wrong = rows["K1: pass@1 rises", 0.0]
    assert float(str(wrong[6])) <= 0.025  # the least that its rate can be
    seen = [y for x, y, *_ in power.curves["K1: pass@1 rises"] if x > 0]
    assert seen[-1] >= seen[0]


def test_no_rates_where_samples_differ() -> None:
    ragged = [Tally(t.problem, 16, min(t.correct, 16)) if i % 2 else t
              for i, t in enumerate(session(1))]  # fmt: skip
    rounds = Rounds((N,), 4)
    adaptive = [Tally(t.problem, N, t.correct, rounds=rounds) for t in session(1)]
    for again in (ragged, adaptive):
        evidence = judged(again, session(0) if again is ragged else adaptive).evidence
        assert evidence.exhibits == ()
        assert "need as many samples of every problem" in evidence.notes[1]


def test_the_same_completions_are_no_second_collection() -> None:
    found = judged(session(0), session(0))
    assert found.verdict is Verdict.NOT_COMPARABLE
    assert found.p_value is None
    assert "as many correct as base on 200 of 200 problems" in found.evidence.incomparable[0]


@pytest.mark.parametrize("share", [0.3, 0.6])
def test_a_part_of_the_same_completions_is_seen_too(share: float) -> None:
    one, other = session(0), session(1)
    mixed = [o if i < share * len(one) else t
             for i, (o, t) in enumerate(zip(one, other, strict=True))]  # fmt: skip
    assert list(copies(one, mixed))


def test_two_draws_are_seldom_taken_for_copies() -> None:
    """The chance is exact: uniform, or larger, over draws."""
    rng = np.random.default_rng(7)
    chances = [
        likely_copies([8] * 60, *(drawn(P[:60], 8, rng) for _ in range(2)))[1] for _ in range(400)
    ]
    for level in (0.01, 0.05, 0.2):
        assert np.mean(np.array(chances) <= level) <= level + 3 * np.sqrt(level / 400)
    assert likely_copies([4, 4], [0, 4], [0, 4]) == (2, 1.0)  # nothing else could come out
    assert list(copies(session(0)[:3], tallies([1, 1, 1], 7))) == []  # other numbers of samples


def test_who_drew_what() -> None:
    same = facts("base", vllm="1"), facts("again", vllm="1"), facts("rlvr", "r", vllm="1")
    assert list(foreign(*same)) == []
    other = facts("base"), facts("again", "x"), facts("rlvr", "r")
    assert "again is another checkpoint than base" in next(iter(foreign(*other)))
    older = facts("base", vllm="1"), facts("again", vllm="1"), facts("rlvr", "r", vllm="2")
    assert "(vllm 1; vllm 2), so they do not test this one" in next(iter(foreign(*older)))
    across = facts("base", vllm="1"), facts("again", vllm="2"), facts("rlvr", "r", vllm="2")
    assert list(foreign(*across)) == []  # the change of the engine is what they measure
    unknown = facts("base"), facts("again"), facts("rlvr", "r", vllm="2")
    assert "(e/1; vllm 2)" in next(iter(foreign(*unknown)))
