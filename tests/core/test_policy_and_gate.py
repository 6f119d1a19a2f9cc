"""The policy file is strict, and the gate fails closed."""

from __future__ import annotations

import pytest

from rlvr_gate.gate import decide, worst
from rlvr_gate.policy import Policy, PolicyError, load_policy, parse_policy, shipped
from rlvr_gate.records import ClaimRecord, GateState, Kind, Verdict


def claim(id: str, verdict: Verdict, kind: Kind = Kind.GATE, **more: object) -> ClaimRecord:
    fields = {"text": "t", "source": "", "nodeid": f"n::{id}", "benchmark": "b", "k": None,
              "margin": 0.0, "judgements": ()} | more  # fmt: skip
    return ClaimRecord(id=id, verdict=verdict, kind=kind, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("verdicts", "state", "status"),
    [
        ([Verdict.HOLDS], GateState.OPEN, 0),
        ([Verdict.HOLDS, Verdict.UNDECIDED], GateState.UNDECIDED, 10),
        ([Verdict.UNDECIDED, Verdict.NOT_COMPARABLE], GateState.NOT_COMPARABLE, 11),
        ([Verdict.NOT_COMPARABLE, Verdict.REFUTED], GateState.CLOSED, 1),
        ([], GateState.UNDECIDED, 10),
    ],
)
def test_the_worst_gate_claim_decides(
    verdicts: list[Verdict], state: GateState, status: int
) -> None:
    claims = [claim(f"G{i}", verdict) for i, verdict in enumerate(verdicts)]
    result = decide(claims, Policy("p"))
    assert (result.state, result.exit_status) == (state, status)


def test_a_finding_never_decides() -> None:
    claims = [claim("G", Verdict.HOLDS), claim("F", Verdict.REFUTED, Kind.FINDING)]
    assert decide(claims, Policy("p")).state is GateState.OPEN


def test_a_claim_that_raised_closes_the_gate_even_as_a_finding() -> None:
    claims = [claim("G", Verdict.HOLDS), claim("F", Verdict.UNDECIDED, Kind.FINDING, broken=True)]
    result = decide(claims, Policy("p"))
    assert result.state is GateState.CLOSED
    assert result.deciding == ("F on b (raised)",)


def test_a_failed_test_beside_the_claims_closes_the_gate() -> None:
    result = decide([claim("G", Verdict.HOLDS)], Policy("p"), ["test_x.py::test_y"])
    assert (result.state, result.exit_status) == (GateState.CLOSED, 1)
    assert result.deciding == ("test_x.py::test_y (failed)",)


def test_a_required_claim_that_was_not_judged_keeps_the_gate_shut() -> None:
    result = decide([claim("S2", Verdict.HOLDS)], Policy("p", required_claims=("S2", "K1")))
    assert result.state is GateState.UNDECIDED
    assert result.deciding == ("K1 (required, not judged)",)


def test_a_required_benchmark_that_was_not_judged_keeps_the_gate_shut() -> None:
    policy = Policy("p", required_benchmarks=("aime24",))
    assert decide([claim("K1", Verdict.HOLDS)], policy).state is GateState.UNDECIDED


def test_a_claim_of_several_comparisons_is_as_good_as_its_worst() -> None:
    assert worst([Verdict.HOLDS, Verdict.UNDECIDED]) is Verdict.UNDECIDED
    assert worst([Verdict.REFUTED, Verdict.UNDECIDED]) is Verdict.REFUTED
    assert worst([]) is Verdict.UNDECIDED


def test_shipped_policies_parse_and_differ_in_coverage() -> None:
    assert shipped() == ["coverage", "default"]
    kinds = {name: load_policy(name).kind("C1", "countdown", Kind.FINDING) for name in shipped()}
    assert kinds == {"default": Kind.FINDING, "coverage": Kind.GATE}


def test_a_policy_can_be_limited_to_benchmarks() -> None:
    policy = parse_policy('[claims.C1]\nkind = "gate"\nmargin = 0.1\nbenchmarks = ["a"]')
    assert policy.kind("C1", "a", Kind.FINDING) is Kind.GATE
    assert policy.kind("C1", "b", Kind.FINDING) is Kind.FINDING
    assert policy.margin("C1", "b", 0.02) == 0.02


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[policy]\nlevle = 0.9", "unknown key 'levle'; known: name, level"),
        ("[claim.K1]\nkind = 'gate'", "unknown key 'claim'"),
        ("[claims.K1]\nkind = 'blocker'", "kind must be 'gate' or 'finding', got 'blocker'"),
        ("[claims.K1]\nmargin = 'wide'", "margin must be a number, got 'wide'"),
        ("[policy]\nlevel = 95", "level must be a number between 0.5 and 1, got 95"),
        ("[policy]\nrequired_claims = 'K1'", "required_claims must be a list of strings"),
        ("[policy", "not TOML"),
        ("claims = 3", "claims must be a table"),
    ],
)
def test_a_malformed_policy_is_refused_with_the_key(text: str, message: str) -> None:
    with pytest.raises(PolicyError, match="policy") as caught:
        parse_policy(text)
    assert message in str(caught.value)


def test_an_unknown_policy_names_the_shipped_ones() -> None:
    with pytest.raises(PolicyError, match=r"no policy 'strict': expected a shipped name"):
        load_policy("strict")
