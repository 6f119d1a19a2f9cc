"""The policy file is strict, and the gate fails closed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rlvr_gate.gate.decide import decide
from rlvr_gate.gate.family import with_p_values
from rlvr_gate.gate.policy import Policy, PolicyError, load_policy, parse_policy, shipped
from rlvr_gate.gate.worst import worst
from rlvr_gate.records import ClaimRecord, GateState, Interval, Judgement, Kind, Verdict


def claim(id: str, verdict: Verdict, kind: Kind = Kind.GATE, **more: object) -> ClaimRecord:
    fields = {"text": "t", "source": "", "nodeid": f"n::{id}", "benchmark": "b", "k": None,
              "margin": 0.0, "judgements": (compared(None, verdict),)} | more  # fmt: skip
    return ClaimRecord(id=id, verdict=verdict, kind=kind, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("verdicts", "state", "status"),
    [
        ([Verdict.HOLDS], GateState.OPEN, 0),
        ([Verdict.HOLDS, Verdict.UNDECIDED], GateState.UNDECIDED, 10),
        ([Verdict.UNDECIDED, Verdict.NOT_COMPARABLE], GateState.NOT_COMPARABLE, 11),
        ([Verdict.NOT_COMPARABLE, Verdict.REFUTED], GateState.CLOSED, 1),
        ([], GateState.NO_DECISION, 12),
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


@pytest.mark.parametrize("kind", Kind)
def test_a_claim_that_raised_leaves_no_decision_even_as_a_finding(kind: Kind) -> None:
    broken = claim("F", Verdict.UNDECIDED, kind, broken=True, reason="raised KeyError: 'x'")
    result = decide([claim("G", Verdict.HOLDS), broken], Policy("p"))
    assert result.state is GateState.NO_DECISION
    assert result.deciding == ("F on b (raised KeyError: 'x')",)


@pytest.mark.parametrize(
    ("more", "gap"),
    [
        ({"judgements": (), "reason": "compared nothing"}, "K1 on b (compared nothing)"),
        ({"judgements": ()}, "K1 on b (not judged)"),
        ({"judgements": (), "skipped": True, "reason": "why"}, "K1 on b (skipped: why)"),
    ],
)
def test_a_gate_claim_that_compared_nothing_leaves_no_decision(
    more: dict[str, object], gap: str
) -> None:
    claims = [claim("S2", Verdict.HOLDS), claim("K1", Verdict.HOLDS, **more)]
    assert decide(claims, Policy("p")).deciding == (gap,)


def test_with_a_gap_there_is_no_decision_whatever_was_judged() -> None:
    for verdict in (Verdict.HOLDS, Verdict.REFUTED):
        result = decide([claim("K1", verdict)], Policy("p"), ["t.py::t"], ["worker gw0 died"])
        assert (result.state, result.exit_status) == (GateState.NO_DECISION, 12)
        assert result.deciding == ("worker gw0 died",)


def test_a_failed_test_beside_the_claims_closes_the_gate() -> None:
    result = decide([claim("G", Verdict.HOLDS)], Policy("p"), ["test_x.py::test_y"])
    assert (result.state, result.exit_status) == (GateState.CLOSED, 1)
    assert result.deciding == ("test_x.py::test_y (failed)",)


def test_a_required_claim_that_was_not_judged_keeps_the_gate_shut() -> None:
    result = decide([claim("S2", Verdict.HOLDS)], Policy("p", required_claims=("S2", "K1")))
    assert result.state is GateState.NO_DECISION
    assert result.deciding == ("K1 (required, not judged)",)


def test_a_required_claim_that_a_gap_names_is_named_once() -> None:
    gaps = ["K1 on b (required, deselected)", "K10 on b (required, deselected)"]
    policy = Policy("p", required_claims=("K1", "K10", "K"))
    result = decide([claim("S2", Verdict.HOLDS)], policy, (), gaps)
    assert result.state is GateState.NO_DECISION
    assert result.deciding == (*gaps, "K (required, not judged)")


def test_a_required_benchmark_that_was_not_judged_keeps_the_gate_shut() -> None:
    policy = Policy("p", required_benchmarks=("aime24",))
    assert decide([claim("K1", Verdict.HOLDS)], policy).state is GateState.NO_DECISION


def test_a_claim_of_several_comparisons_is_as_good_as_its_worst() -> None:
    assert worst([Verdict.HOLDS, Verdict.UNDECIDED]) is Verdict.UNDECIDED
    assert worst([Verdict.REFUTED, Verdict.UNDECIDED]) is Verdict.REFUTED
    assert worst([]) is Verdict.UNDECIDED


def test_shipped_policies_parse_and_differ_in_coverage() -> None:
    assert shipped() == ["benchmarks", "coverage", "default", "real", "recorded", "weights"]
    kinds = {name: load_policy(name).kind("C1", "countdown", Kind.FINDING) for name in shipped()}
    found, gate = Kind.FINDING, Kind.GATE
    assert {name for name, kind in kinds.items() if kind is gate} == {"coverage"}
    assert {kind for name, kind in kinds.items() if name != "coverage"} == {found}


def test_a_policy_sets_the_bound_of_a_claim() -> None:
    policy = parse_policy("[claims.W1]\nbound = 0.5")
    assert policy.bound("W1", None, 0.36) == 0.5
    assert policy.bound("W2", None, 0.05) == 0.05


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
        ("[claims.W1]\nbound = true", "bound must be a number, got True"),
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


def compared(p: float | None, verdict: Verdict = Verdict.HOLDS, level: float = 0.95) -> Judgement:
    return Judgement("s", verdict, 0.1, Interval(0.0, 0.2, level), 0.0, ">", "b", 1, 8, p_value=p)


def test_false_release_is_that_of_one_comparison_and_false_blocks_add_up() -> None:
    claims = [
        claim("K1", Verdict.HOLDS, judgements=(compared(0.01),)),
        claim("C1", Verdict.HOLDS, judgements=(compared(0.01), compared(0.02, level=0.9))),
        claim("S2", Verdict.HOLDS, judgements=(compared(None),)),
        claim("F", Verdict.REFUTED, Kind.FINDING, judgements=(compared(0.5),)),
    ]
    errors = decide(claims, Policy("p")).errors
    assert errors is not None
    assert (errors.comparisons, errors.assumed) == (3, 3)
    assert errors.false_release == pytest.approx(0.05)
    assert errors.false_block == pytest.approx(0.025 + 0.025 + 0.05)
    assert decide(claims[2:], Policy("p")).errors is None


def test_tails_that_nothing_promises_are_counted() -> None:
    promised = replace(compared(0.01), guaranteed=True)
    claims = [claim("K1", Verdict.HOLDS, judgements=(promised, compared(0.01)))]
    errors = decide(claims, Policy("p")).errors
    assert errors is not None
    assert (errors.comparisons, errors.assumed) == (2, 1)


def test_findings_are_adjusted_among_themselves_and_gate_claims_are_not() -> None:
    claims = [
        claim("K1", Verdict.HOLDS, judgements=(compared(0.04),)),
        claim("A", Verdict.HOLDS, Kind.FINDING, judgements=(compared(0.01),)),
        claim("B", Verdict.UNDECIDED, Kind.FINDING, judgements=(compared(0.03),)),
        claim("W1", Verdict.HOLDS, Kind.FINDING, judgements=(compared(None),)),
    ]
    known = {c.id: (c.p_value, c.adjusted_p) for c in with_p_values(claims)}
    assert known == {"K1": (0.04, None), "A": (0.01, 0.02), "B": (0.03, 0.03), "W1": (None, None)}


def test_a_claim_of_several_comparisons_has_the_p_of_its_verdict() -> None:
    holds, bad = compared(0.02), compared(0.01, Verdict.REFUTED)
    both = (
        claim("A", Verdict.HOLDS, judgements=(holds, compared(0.01))),
        claim("B", Verdict.REFUTED, judgements=(holds, bad)),
    )
    assert [c.p_value for c in with_p_values(both)] == [0.02, 0.02]
