"""From verdicts to the release: one state, one exit status, and who decided it."""

from __future__ import annotations

from collections.abc import Sequence

from rlvr_gate.policy import Policy
from rlvr_gate.records import ClaimRecord, GateResult, GateState, Kind, Verdict

EXIT_STATUS = {
    GateState.OPEN: 0,
    GateState.CLOSED: 1,
    GateState.UNDECIDED: 10,
    GateState.NOT_COMPARABLE: 11,
}
"""pytest itself uses 0-5; 1 is shared on purpose: a closed gate is a failed run."""

_DECIDES = (
    (Verdict.REFUTED, GateState.CLOSED),
    (Verdict.NOT_COMPARABLE, GateState.NOT_COMPARABLE),
    (Verdict.UNDECIDED, GateState.UNDECIDED),
)

_SEVERITY = (Verdict.NOT_COMPARABLE, Verdict.REFUTED, Verdict.UNDECIDED, Verdict.HOLDS)


def worst(verdicts: Sequence[Verdict]) -> Verdict:
    """The verdict of a claim made of several comparisons: all must hold.

    No comparison at all is undecided: nothing measured is not green.
    """
    return min(verdicts, key=_SEVERITY.index) if verdicts else Verdict.UNDECIDED


def decide(
    claims: Sequence[ClaimRecord], policy: Policy, failed_tests: Sequence[str] = ()
) -> GateResult:
    """Answer the whole run, failing closed; tests that failed beside the claims close it too.

    Open needs every gate claim to hold, every required claim and benchmark to have been judged,
    and at least one gate claim. That all must hold is an intersection-union test: the chance of a
    false release is bounded by that of a single claim, without correction.
    """
    broken = tuple(f"{name(claim)} (raised)" for claim in claims if claim.broken)
    broken += tuple(f"{nodeid} (failed)" for nodeid in failed_tests)
    if broken:
        return GateResult(GateState.CLOSED, EXIT_STATUS[GateState.CLOSED], broken, policy.name)
    gates = [claim for claim in claims if claim.kind is Kind.GATE]
    for verdict, state in _DECIDES:
        deciding = tuple(name(claim) for claim in gates if claim.verdict is verdict)
        if deciding:
            return GateResult(state, EXIT_STATUS[state], deciding, policy.name)
    missing = _missing(gates, policy)
    state = GateState.UNDECIDED if missing else GateState.OPEN
    deciding = missing or tuple(name(claim) for claim in gates)
    return GateResult(state, EXIT_STATUS[state], deciding, policy.name)


def name(claim: ClaimRecord) -> str:
    """`K1 on countdown`, `K1 on countdown at k=8`, or just `W1`."""
    on = f" on {claim.benchmark}" if claim.benchmark else ""
    at = f" at k={claim.k}" if claim.k else ""
    return f"{claim.id}{on}{at}"


def _missing(gates: Sequence[ClaimRecord], policy: Policy) -> tuple[str, ...]:
    judged = {claim.id for claim in gates}
    benchmarks = {claim.benchmark for claim in gates}
    wanted = [c for c in policy.required_claims if c not in judged]
    wanted += [f"benchmark {b}" for b in policy.required_benchmarks if b not in benchmarks]
    missing = tuple(f"{what} (required, not judged)" for what in wanted)
    return missing or (() if gates else ("no gate claim was judged",))
