"""When a claim needs no further look, and what its judgement then says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rlvr_gate.judging.ledger import Ledger
from rlvr_gate.judging.settling import HOPE, Look
from rlvr_gate.records import (
    ClaimRecord,
    Evidence,
    Interval,
    Judgement,
    Kind,
    LookTaken,
    Verdict,
    WouldDecide,
)
from rlvr_gate.stats.looks import look_levels

LOOK = Look(0, (50, 100))


def judgement(verdict: Verdict = Verdict.UNDECIDED, more: WouldDecide | None = None) -> Judgement:
    return Judgement("a > b", verdict, 0.1, Interval(-0.1, 0.3, 0.95), 0.0, ">", "sums", 1, 16,
                     Evidence(would_decide=more), 0.004)  # fmt: skip


def claim(*judgements: Judgement, kind: Kind = Kind.FINDING, **more: object) -> ClaimRecord:
    verdict = judgements[0].verdict if judgements else Verdict.UNDECIDED
    record = ClaimRecord("K1", "", "", kind, "t", "sums", 1, 0.0, verdict, judgements)
    return replace(record, **more)  # type: ignore[arg-type]


def needing(problems: int | None) -> Judgement:
    return judgement(more=WouldDecide(problems, None, ""))


def test_a_decided_claim_is_settled() -> None:
    for verdict in (Verdict.HOLDS, Verdict.REFUTED, Verdict.NOT_COMPARABLE):
        assert LOOK.settles(claim(judgement(verdict), kind=Kind.GATE))
    assert LOOK.settles(claim(judgement(Verdict.NOT_COMPARABLE)))


def test_a_claim_that_raised_or_compared_nothing_is_settled() -> None:
    assert LOOK.settles(claim(kind=Kind.GATE))
    assert LOOK.settles(claim(needing(10), kind=Kind.GATE, broken=True))


def test_a_finding_gives_up_where_the_problems_left_can_hardly_decide_it() -> None:
    # 50 are left. At the last look's level fewer do than at this look's: by (2.01 / 2.77)^2.
    assert not LOOK.settles(claim(needing(50)))
    assert not LOOK.settles(claim(needing(HOPE * 50)))
    assert LOOK.settles(claim(needing(1000)))
    assert LOOK.settles(claim(needing(None)))
    assert not LOOK.settles(claim(judgement()))  # nobody can say


def test_a_finding_of_several_comparisons_goes_on_while_one_has_hope() -> None:
    assert not LOOK.settles(claim(needing(1000), needing(20)))
    assert LOOK.settles(claim(needing(1000), needing(2000)))


def test_a_gate_claim_never_gives_up() -> None:
    assert not LOOK.settles(claim(needing(None), kind=Kind.GATE))
    assert not LOOK.settles(claim(needing(10**6), kind=Kind.GATE))


def test_a_judgement_says_what_it_means_over_all_looks() -> None:
    ledger = Ledger.at(LOOK, 0.95)
    assert ledger.level == look_levels(0.95, LOOK.sizes)[0] == pytest.approx(0.99443, abs=1e-5)
    strict = replace(judgement(), interval=Interval(-0.1, 0.3, ledger.level))
    noted = ledger.note(strict)
    assert noted.interval == Interval(-0.1, 0.3, 0.95)
    assert noted.p_value == pytest.approx(0.004 * 0.05 / (1 - ledger.level))
    assert noted.evidence.look == LookTaken(1, 2, 50, 100, ledger.level)
    assert ledger.judgements == [noted]


def test_without_looks_nothing_changes() -> None:
    ledger = Ledger(0.95)
    assert ledger.note(judgement()) == judgement()


def test_a_gate_claims_looks_add_up() -> None:
    ledgers = [Ledger.at(Look(i, LOOK.sizes), 0.95, guaranteed=True) for i in range(2)]
    assert sum(1 - ledger.level for ledger in ledgers) == pytest.approx(0.05)
    noted = ledgers[1].note(replace(judgement(), p_value=0.04))
    assert noted.p_value == pytest.approx(0.04 * 0.05 / (1 - ledgers[1].level))
    assert noted.evidence.look == LookTaken(2, 2, 100, 100, ledgers[1].level)
    assert Ledger.at(None, 0.95, guaranteed=True) == Ledger(0.95, guaranteed=True)


def test_a_finding_goes_on_until_it_surely_stays_decided_among_all() -> None:
    decided = claim(judgement(Verdict.HOLDS))
    assert LOOK.settles(decided, staying={"t"})
    assert not LOOK.settles(decided, staying={"another"})
    assert LOOK.settles(claim(judgement(Verdict.HOLDS), kind=Kind.GATE), staying=())
