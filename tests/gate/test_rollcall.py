"""The roll call: a gate that may open has heard every claim that was collected, and once."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest

from rlvr_gate.gate.decide import decide
from rlvr_gate.gate.policy import Policy
from rlvr_gate.gate.rollcall import CollectedClaim, RollCall
from rlvr_gate.records import ClaimRecord, GateState, Interval, Judgement, Kind, Verdict

JUDGED = Judgement(
    "a > b", Verdict.HOLDS, 0.5, Interval(0.4, 0.6, 0.95), 0.0, ">", "b", 1, 8
)  # fmt: skip


def collected(id: str, **more: object) -> CollectedClaim:
    return replace(CollectedClaim(f"t.py::{id}", id, Kind.GATE, "b", None), **more)


def judged(id: str, verdict: Verdict = Verdict.HOLDS) -> ClaimRecord:
    judgement = replace(JUDGED, verdict=verdict)
    return ClaimRecord(
        id, "text", "", Kind.GATE, f"t.py::{id}", "b", None, 0.0, verdict, (judgement,)
    )


def called(*ids: str, heard: tuple[str, ...]) -> RollCall:
    roll = RollCall()
    roll.collect(map(collected, ids))
    for id in heard:
        roll.answer(f"t.py::{id}", judged(id))
    return roll


def state(roll: RollCall, *required: str) -> GateState:
    """What the gate would be; every verdict in these tests holds."""
    policy = Policy("p", required_claims=required)
    return decide(roll.claims, policy, roll.failed_tests, roll.gaps(required)).state


def test_a_whole_run_has_no_gaps_in_any_order() -> None:
    for heard in permutations(("S2", "K1", "C1")):
        roll = called("C1", "K1", "S2", heard=heard)
        assert roll.gaps(("K1",)) == ()
        assert [claim.id for claim in roll.claims] == ["C1", "K1", "S2"]
        assert state(roll, "K1") is GateState.OPEN


def test_nothing_heard_of_at_all_is_not_open() -> None:
    roll = RollCall()
    assert (roll.gaps(()), roll.claims) == ((), [])
    assert state(roll) is GateState.NO_DECISION


def test_a_claim_that_was_not_heard_is_a_gap() -> None:
    roll = called("K1", "S2", heard=("S2",))
    assert roll.gaps(()) == ("K1 on b (collected, not judged)",)
    assert state(roll) is GateState.NO_DECISION


def test_a_verdict_that_nobody_collected_opens_nothing() -> None:
    for roll in (called("S2", heard=("S2", "K1")), called(heard=("K1",)), RollCall()):
        roll.answer("t.py::K1", judged("K1"))
        assert "t.py::K1 (judged, never collected)" in roll.gaps(())
        assert state(roll) is GateState.NO_DECISION


def test_a_deselected_claim_is_missed_where_it_is_required() -> None:
    roll = RollCall()
    roll.collect([collected("K1", selected=False), collected("S2")])
    roll.answer("t.py::S2", judged("S2"))
    assert roll.gaps(()) == ()
    assert roll.gaps(("K1",)) == ("K1 on b (required, deselected)",)


def test_workers_agree_on_what_was_collected_in_any_order() -> None:
    roll = called("K1", "S2", heard=("K1", "S2"))
    roll.collect(map(collected, ("S2", "K1")))
    assert roll.gaps(()) == ()


@pytest.mark.parametrize(
    "other",
    [("K1",), ("K1", "S2", "C1"), ("K1", "W1"), ()],
    ids=["fewer", "more", "another", "none"],
)
def test_workers_that_collected_something_else_leave_no_decision(other: tuple[str, ...]) -> None:
    """The later one also must not make the earlier one's claims forgotten."""
    roll = called("K1", "S2", heard=("K1", "S2"))
    roll.collect(map(collected, other))
    assert "the workers collected different claims" in roll.gaps(())
    assert state(roll) is GateState.NO_DECISION


@pytest.mark.parametrize(
    "change", [{"kind": Kind.FINDING}, {"benchmark": "easy"}, {"k": 8}, {"selected": False}]
)
def test_workers_that_differ_in_what_a_claim_is_leave_no_decision(
    change: dict[str, object],
) -> None:
    roll = called("K1", heard=("K1",))
    roll.collect([collected("K1", **change)])
    assert "the workers collected different claims" in roll.gaps(())


def test_the_same_verdict_twice_counts_once() -> None:
    roll = called("K1", heard=("K1", "K1"))
    assert len(roll.claims) == 1
    assert state(roll) is GateState.OPEN


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_second_verdict_neither_replaces_nor_hides_behind_the_first(
    order: tuple[int, int],
) -> None:
    roll, both = called("K1", heard=()), (judged("K1"), judged("K1", Verdict.REFUTED))
    for index in order:
        roll.answer("t.py::K1", both[index])
    assert roll.claims == [both[order[0]]]
    assert roll.gaps(()) == ("t.py::K1 was reported twice, with different verdicts",)
    assert state(roll) is GateState.NO_DECISION


def test_a_verdict_in_the_report_of_another_claim_opens_nothing() -> None:
    """S2's report brings K1's verdict: neither is taken for judged."""
    roll = called("K1", "S2", heard=())
    roll.answer("t.py::S2", judged("K1"))
    roll.answer("t.py::S2", judged("S2"))
    assert "the report of t.py::S2 holds the verdict of t.py::K1" in roll.gaps(())
    assert state(roll) is GateState.NO_DECISION


def test_a_failed_test_and_a_trouble_are_told_once_each() -> None:
    roll = called("K1", heard=("K1",))
    for _ in range(2):
        roll.fail("t.py::other")
        roll.note("worker gw0 died")
    assert roll.failed_tests == ["t.py::other"]
    assert roll.gaps(()) == ("worker gw0 died",)
    assert state(roll) is GateState.NO_DECISION


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("selected", [True, False])
def test_a_collected_claim_crosses_to_another_process(kind: Kind, selected: bool) -> None:
    """As execnet sends it: text, numbers, truth and nothing, of no class of their own."""
    claim = CollectedClaim("t.py::K1[b]", "K1", kind, None, 8, selected)
    wire = claim.to_wire()
    assert {type(value) for value in wire.values()} <= {str, int, bool, type(None)}
    assert CollectedClaim.from_wire(wire) == claim


def test_a_kind_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="'blocker' is not a valid Kind"):
        CollectedClaim.from_wire({**collected("K1").to_wire(), "kind": "blocker"})
