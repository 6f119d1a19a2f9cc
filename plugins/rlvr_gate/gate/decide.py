"""From verdicts to the release: one state, one exit status, and who decided it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Protocol

from rlvr_gate.gate import checks, waivers
from rlvr_gate.gate.policy import Policy
from rlvr_gate.records import (
    ClaimRecord,
    ErrorControl,
    GateResult,
    GateState,
    Kind,
    Verdict,
    WaiverUse,
)

EXIT_STATUS = {
    GateState.OPEN: 0,
    GateState.CLOSED: 1,
    GateState.UNDECIDED: 10,
    GateState.NOT_COMPARABLE: 11,
    GateState.NO_DECISION: 12,
    GateState.NOT_FINISHED: 12,
}
"""pytest itself uses 0-5; 1 is shared on purpose: a closed gate is a failed run."""

FAILED = 13
"""Exit status where the gate itself failed: the verdict stands, a report of it does not."""

_DECIDES = (
    (Verdict.REFUTED, GateState.CLOSED),
    (Verdict.NOT_COMPARABLE, GateState.NOT_COMPARABLE),
    (Verdict.UNDECIDED, GateState.UNDECIDED),
)


def decide(
    claims: Sequence[ClaimRecord],
    policy: Policy,
    failed_tests: Sequence[str] = (),
    gaps: Sequence[str] = (),
    today: str | None = None,
) -> GateResult:
    """Answer the whole run, failing closed; tests that failed beside the claims close it too.

    Open needs a whole run, every gate claim to hold, every required claim and benchmark to have
    been judged, and at least one gate claim. That all must hold is an intersection-union test: the
    chance of a false release is bounded by that of a single claim, without correction.

    Args:
        gaps: what kept the run from being whole; with any there is no decision.
        today: ISO 8601, for the policy's waivers; None: it is asked of the clock.
    """
    day = date.today().isoformat() if today is None else today
    gates = [claim for claim in claims if claim.kind is Kind.GATE]
    waived = tuple(waivers.uses(policy.waivers, gates, day))
    result = _answer(claims, policy, failed_tests, gaps, waived)
    return replace(
        result,
        errors=error_control(claims),
        waivers=waived,
        checks=checks.rows(policy.checks, claims),
    )


def undecidable(reasons: Sequence[str], policy: str) -> GateResult:
    """There is no decision, for these reasons."""
    return _result(GateState.NO_DECISION, tuple(reasons), policy)


def error_control(claims: Sequence[ClaimRecord]) -> ErrorControl | None:
    """Bound false release and false block by the tails of the gate claims' comparisons.

    The two are about different things: opening needs all of them to hold (intersection-union),
    closing needs any one refuted (union). Both are true whatever the laws of the problems, as far
    as each comparison's interval is (`Judgement.guaranteed`).
    """
    from rlvr_gate.stats.error_rates import gate_error_rates

    sampled = [
        judgement
        for claim in claims
        if claim.kind is Kind.GATE
        for judgement in claim.judgements
        if judgement.p_value is not None
    ]
    if not sampled:
        return None
    again = [judgement.evidence.again.number for judgement in sampled if judgement.evidence.again]
    rates = gate_error_rates([(1 - judgement.interval.level) / 2 for judgement in sampled])
    return ErrorControl(
        len(sampled),
        round(rates.false_release, 9),
        round(rates.false_block, 9),
        sum(not judgement.guaranteed for judgement in sampled),
        max(again) if len(again) == len(sampled) else None,
    )


def _answer(
    claims: Sequence[ClaimRecord],
    policy: Policy,
    failed_tests: Sequence[str],
    gaps: Sequence[str],
    waived: Sequence[WaiverUse],
) -> GateResult:
    gates = [claim for claim in claims if claim.kind is Kind.GATE]
    missing = (*gaps, *_unjudged(claims), *_missing(gates, policy, gaps))
    if missing:
        return _result(GateState.NO_DECISION, missing, policy.name)
    if failed_tests:
        failed = tuple(f"{nodeid} (failed)" for nodeid in failed_tests)
        return _result(GateState.CLOSED, failed, policy.name)
    asked = [claim for claim in gates if not waivers.excused(waived, claim)]
    for verdict, state in _DECIDES:
        deciding = tuple(name(claim) for claim in asked if claim.verdict is verdict)
        if deciding:
            return _result(state, deciding, policy.name)
    if stale := waivers.expired(waived):
        return _result(GateState.NO_DECISION, stale, policy.name)
    return _result(GateState.OPEN, tuple(name(claim) for claim in asked), policy.name)


def _result(state: GateState, deciding: tuple[str, ...], policy: str) -> GateResult:
    return GateResult(state, EXIT_STATUS[state], deciding, policy)


class Named(Protocol):
    """A claim at one benchmark and k, judged or not."""

    @property
    def id(self) -> str: ...
    @property
    def benchmark(self) -> str | None: ...
    @property
    def k(self) -> int | None: ...


def name(claim: Named) -> str:
    """`K1 on countdown`, `K1 on countdown at k=8`, or just `W1`."""
    on = f" on {claim.benchmark}" if claim.benchmark else ""
    at = f" at k={claim.k}" if claim.k else ""
    return f"{claim.id}{on}{at}"


def _unjudged(claims: Sequence[ClaimRecord]) -> tuple[str, ...]:
    """Claims that were asked and gave no answer: those that raised, gate claims that compared
    nothing or were skipped."""
    said = [(claim, _why_unjudged(claim)) for claim in claims]
    return tuple(f"{name(claim)} ({why})" for claim, why in said if why)


def _why_unjudged(claim: ClaimRecord) -> str:
    if claim.broken:
        return claim.reason or "raised"
    if claim.kind is Kind.GATE and not claim.judgements:
        return f"skipped: {claim.reason}" if claim.skipped else claim.reason or "not judged"
    return ""


def _missing(gates: Sequence[ClaimRecord], policy: Policy, gaps: Sequence[str]) -> tuple[str, ...]:
    """What the policy needs and nobody judged; a claim that a gap names is not named again."""
    judged = {claim.id for claim in gates}
    benchmarks = {claim.benchmark for claim in gates}
    wanted = [c for c in policy.required if c not in judged]
    wanted = [c for c in wanted if not any(gap.startswith(f"{c} ") for gap in gaps)]
    wanted += [f"benchmark {b}" for b in policy.required_benchmarks if b not in benchmarks]
    missing = tuple(f"{what} (required, not judged)" for what in wanted)
    return missing or (() if gates else ("no gate claim was judged",))
