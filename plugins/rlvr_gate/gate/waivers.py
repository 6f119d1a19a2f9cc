"""Waivers: a gate claim that somebody answers for, until a day. Never in silence, never for good.

A waiver excuses a claim that is refuted or undecided. Runs that are not comparable, or not whole,
cannot be waived: nothing is known then. The gate that opens on one says so, and one that has
expired keeps the gate from opening, whatever became of its claim.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from rlvr_gate.records import ClaimRecord, Verdict, Waiver, WaiverUse

USED, NOT_NEEDED, EXPIRED = "used", "not needed", "expired"
WITHOUT_FORCE = "without force"
"""What it names does not hold, and no waiver can excuse that: nothing is comparable, or holds."""
MATCHES_NOTHING = "matches nothing"
"""No gate claim of the run is what it names: a slip of the pen, or a claim of another run."""
_WAIVABLE = (Verdict.REFUTED, Verdict.UNDECIDED)


def uses(
    waivers: Iterable[Waiver], gates: Sequence[ClaimRecord], today: str
) -> Iterator[WaiverUse]:
    """What became of each waiver.

    Args:
        gates: the gate claims; where none of them holds, none is excused.
        today: ISO 8601; a waiver holds to the end of its last day.
    """
    for waiver in waivers:
        left = date.fromisoformat(waiver.until) - date.fromisoformat(today)
        yield WaiverUse(waiver, _state(waiver, gates, left.days), left.days)


def _state(waiver: Waiver, gates: Sequence[ClaimRecord], days: int) -> str:
    named = [claim for claim in gates if _names(waiver, claim)]
    if days < 0:
        return EXPIRED
    if not named:
        return MATCHES_NOTHING
    if all(claim.verdict is Verdict.HOLDS for claim in named):
        return NOT_NEEDED
    some_hold = any(claim.verdict is Verdict.HOLDS for claim in gates)
    return USED if some_hold and any(excuses(waiver, c) for c in named) else WITHOUT_FORCE


def excused(found: Iterable[WaiverUse], claim: ClaimRecord) -> bool:
    """Whether one of the waivers in use speaks of the claim."""
    return any(use.state == USED and excuses(use.waiver, claim) for use in found)


def excuses(waiver: Waiver, claim: ClaimRecord) -> bool:
    """Whether a waiver speaks of this claim and verdict."""
    return claim.verdict in _WAIVABLE and _names(waiver, claim)


def _names(waiver: Waiver, claim: ClaimRecord) -> bool:
    return waiver.claim == claim.id and waiver.benchmark in (None, claim.benchmark)


def expired(found: Iterable[WaiverUse]) -> tuple[str, ...]:
    """Those that have expired, as what keeps a gate from opening."""
    return tuple(
        f"waiver of {spelled(use.waiver)} expired on {use.waiver.until}: renew it, or take it "
        "out of the policy"
        for use in found
        if use.state == EXPIRED
    )


def spelled(waiver: Waiver) -> str:
    """`C1 on countdown`, or just `C1`."""
    return f"{waiver.claim} on {waiver.benchmark}" if waiver.benchmark else waiver.claim
