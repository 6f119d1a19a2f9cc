"""Waivers: they excuse what they name, until their day, and never in silence."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from rlvr_gate.gate.decide import decide
from rlvr_gate.gate.meaning import Known, names_benchmarks, unknown_benchmarks, unknown_claims
from rlvr_gate.gate.policy import Policy, PolicyError, parse_policy
from rlvr_gate.records import (
    ClaimRecord,
    GateState,
    Interval,
    Judgement,
    Kind,
    Verdict,
    Waiver,
)

DAY = "2026-06-30"
HOLDS, REFUTED = Verdict.HOLDS, Verdict.REFUTED


def claim(id: str, verdict: Verdict, benchmark: str | None = "b") -> ClaimRecord:
    judged = Judgement("", verdict, 0.1, Interval(0, 1, 0.95), 0, ">", benchmark, 1, 8)
    return ClaimRecord(id, "t", "", Kind.GATE, f"n::{id}{benchmark}", benchmark, None, 0.0,
                       verdict, (judged,))  # fmt: skip


def policy(*waivers: Waiver) -> Policy:
    return Policy("p", waivers=waivers)


def waiver(id: str = "C", benchmark: str | None = None, until: str = DAY) -> Waiver:
    return Waiver(id, benchmark, "known", until)


OK, BAD = claim("K", HOLDS), claim("C", REFUTED)


def test_a_waived_claim_does_not_close_the_gate_and_does_not_say_it_held() -> None:
    result = decide([OK, BAD], policy(waiver()), today=DAY)
    assert (result.state, result.exit_status) == (GateState.OPEN, 0)
    assert result.deciding == ("K on b",)
    assert [(use.state, use.days) for use in result.waivers] == [("used", 0)]


def test_an_undecided_claim_is_excused_too() -> None:
    result = decide([OK, claim("C", Verdict.UNDECIDED)], policy(waiver()), today=DAY)
    assert result.state is GateState.OPEN


@pytest.mark.parametrize(
    ("claims", "given", "state"),
    [
        ([OK, BAD], waiver("D"), GateState.CLOSED),
        ([OK, BAD], waiver("C", "other"), GateState.CLOSED),
        ([OK, BAD, claim("C", REFUTED, "c")], waiver("C", "b"), GateState.CLOSED),
        ([OK, BAD, claim("D", REFUTED)], waiver(), GateState.CLOSED),
        ([OK, claim("C", Verdict.NOT_COMPARABLE)], waiver(), GateState.NOT_COMPARABLE),
        ([BAD], waiver(), GateState.CLOSED),
        ([OK, BAD], waiver(until="2026-06-29"), GateState.CLOSED),
        ([OK], waiver(until="2026-06-29"), GateState.NO_DECISION),
    ],
    ids=["another claim", "another benchmark", "one of two benchmarks", "one of two claims",
         "not comparable", "nothing that holds", "expired", "expired and not needed"],
)  # fmt: skip
def test_a_waiver_opens_nothing_that_it_does_not_name(
    claims: list[ClaimRecord], given: Waiver, state: GateState
) -> None:
    result = decide(claims, policy(given), today=DAY)
    assert result.state is state
    assert result.exit_status != 0


def test_a_run_that_was_not_whole_or_failed_cannot_be_waived() -> None:
    assert decide([OK, BAD], policy(waiver()), gaps=["x"], today=DAY).exit_status == 12
    assert decide([OK, BAD], policy(waiver()), ["t.py::x"], today=DAY).exit_status == 1
    unjudged = replace(BAD, judgements=())
    assert decide([OK, unjudged], policy(waiver()), today=DAY).exit_status == 12
    required = Policy("p", required_claims=("D",), waivers=(waiver("D"),))
    assert decide([OK], required, today=DAY).exit_status == 12


def test_an_expired_waiver_is_named_with_what_to_do() -> None:
    result = decide([OK], policy(waiver("C", "b", "2026-01-01")), today=DAY)
    assert result.deciding == (
        "waiver of C on b expired on 2026-01-01: renew it, or take it out of the policy",
    )
    assert result.waivers[0].state == "expired"


def test_a_waiver_of_a_claim_that_holds_is_not_needed() -> None:
    result = decide([OK, claim("C", HOLDS)], policy(waiver()), today=DAY)
    assert result.state is GateState.OPEN
    assert [use.state for use in result.waivers] == ["not needed"]


@pytest.mark.parametrize(
    ("claims", "given", "state", "days"),
    [
        ([OK, BAD], waiver("D"), "matches nothing", 0),
        ([OK, BAD], waiver("C", "other"), "matches nothing", 0),
        ([OK, claim("C", HOLDS)], waiver("C", "c"), "matches nothing", 0),
        ([OK, BAD], waiver("D", until="2026-06-29"), "expired", -1),
        ([OK, claim("C", Verdict.NOT_COMPARABLE)], waiver(), "without force", 0),
        ([BAD], waiver(until="2026-07-30"), "without force", 30),
        ([OK, BAD, claim("C", HOLDS, "c")], waiver(), "used", 0),
        ([OK, BAD, claim("C", HOLDS, "c")], waiver("C", "c"), "not needed", 0),
    ],
    ids=["no such claim", "no such benchmark", "holds elsewhere", "expired first",
         "not comparable", "nothing that holds", "one of two holds", "the one that holds"],
)  # fmt: skip
def test_a_waiver_says_what_became_of_it(
    claims: list[ClaimRecord], given: Waiver, state: str, days: int
) -> None:
    """One that names nothing is never told as one that nobody needed."""
    [use] = decide(claims, policy(given), today=DAY).waivers
    assert (use.state, use.days) == (state, days)


def test_a_finding_is_no_gate_claim_and_matches_nothing() -> None:
    finding = replace(BAD, kind=Kind.FINDING)
    [use] = decide([OK, finding], policy(waiver()), today=DAY).waivers
    assert use.state == "matches nothing"


def test_a_waiver_ends_within_a_year() -> None:
    today = date(2026, 1, 1)
    for until in ("2027-01-03", "2027-12-31", "9999-12-31"):
        with pytest.raises(PolicyError, match="2027-01-02 is the latest day today"):
            parse_policy(TEXT.replace("2026-12-31", until), today=today)
    for until in ("2027-01-02", "2026-01-01", "2000-01-01"):
        text = TEXT.replace("2026-12-31", until)
        assert parse_policy(text, today=today).waivers[0].until == until
    far = (date.today() + timedelta(days=400)).isoformat()
    with pytest.raises(PolicyError, match="more than a year away"):
        parse_policy(TEXT.replace("2026-12-31", far))


def test_the_clock_is_asked_where_no_day_is_given() -> None:
    assert decide([OK, BAD], policy(waiver(until="2000-01-01"))).exit_status == 1
    assert decide([OK, BAD], policy(waiver(until="9999-12-31"))).exit_status == 0


TODAY = date(2026, 6, 30)
TEXT = """
[[waivers]]
claim = "C1"
benchmark = "countdown"
reason = "known"
until = 2026-12-31
"""


def test_waivers_are_read_from_the_policy() -> None:
    expected = (Waiver("C1", "countdown", "known", "2026-12-31"),)
    assert parse_policy(TEXT, today=TODAY).waivers == expected
    every = parse_policy(TEXT.replace('benchmark = "countdown"\n', ""), today=TODAY)
    assert every.waivers[0].benchmark is None


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("until = 2026-12-31", "", "until must be a day, such as 2026-12-31, got None"),
        ("until = 2026-12-31", "until = 2026-12-31T00:00:00Z", "until must be a day"),
        ("until = 2026-12-31", 'until = "for ever"', "until must be a day"),
        (
            "until = 2026-12-31",
            'until = "2026-12-31"',
            "got '2026-12-31': write it without quotes",
        ),
        ('claim = "C1"', 'claim = "S2"', "S2 says whether the runs can be compared at all"),
        ('reason = "known"', "", "reason must be a text that says something"),
        ('reason = "known"', 'reason = " "', "reason must be a text that says something"),
        ('claim = "C1"', "claim = 1", "claim must be a text"),
        ('benchmark = "countdown"', 'benchmark = ""', "benchmark must be a text"),
        ("[[waivers]]", "[waivers]", "write each as a table of its own"),
        ('reason = "known"', 'reason = "known"\nkind = "x"', "unknown key 'kind'"),
    ],
)
def test_a_waiver_that_says_too_little_or_too_much_is_refused(
    old: str, new: str, why: str
) -> None:
    with pytest.raises(PolicyError, match=why):
        parse_policy(TEXT.replace(old, new) + "[claims.K1]\nmargin = 0.1\n", today=TODAY)
    with pytest.raises(PolicyError, match="write each as a table of its own"):
        parse_policy("waivers = [1]\n")


def test_two_waivers_of_one_claim_are_refused() -> None:
    with pytest.raises(PolicyError, match="two are about the same, claim 'C1'"):
        parse_policy(TEXT + TEXT, today=TODAY)


def test_a_waiver_of_what_is_unknown_or_never_decides_is_refused() -> None:
    known = {
        "C1": Known(frozenset({"benchmark"}), ((None, Kind.FINDING),), 0.0, 0.0),
        "K1": Known(frozenset({"benchmark"}), ((None, Kind.GATE),), 0.0, 0.0),
    }
    given = policy(waiver("C1"), waiver("K1", "b"), waiver("X9"))
    said = list(unknown_claims(given, known))
    assert "C1 is a finding under this policy and never decides" in said[0]
    assert "unknown claim 'X9'" in said[1]
    assert len(said) == 2
    assert names_benchmarks(given)
    assert not names_benchmarks(policy(waiver()))
    assert ["[[waivers]] benchmark" in why for why in unknown_benchmarks(given, ["a"])] == [True]
