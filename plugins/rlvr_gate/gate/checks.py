"""Checks: the table of what a gain must survive, a row for each, whatever was judged.

A check holds where every claim of it was judged and holds on every benchmark. A claim that was not
run, was skipped or raised leaves it undecided: nothing asked is nothing survived.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rlvr_gate.gate.worst import worst
from rlvr_gate.records import Check, CheckRow, ClaimRecord, Verdict


def rows(checks: Iterable[Check], claims: Sequence[ClaimRecord]) -> tuple[CheckRow, ...]:
    """What became of each check, in the policy's order."""
    return tuple(_row(check, claims) for check in checks)


def _row(check: Check, claims: Sequence[ClaimRecord]) -> CheckRow:
    asked = [claim for claim in claims if claim.id in check.claims]
    missing = [f"{id} (not run)" for id in check.claims if id not in {c.id for c in asked}]
    missing += [f"{c.id} ({_why(c)})" for c in asked if _unjudged(c)]
    verdicts = [claim.verdict for claim in asked if not _unjudged(claim)]
    verdict = worst([*verdicts, *([Verdict.UNDECIDED] if missing else [])])
    return CheckRow(check, verdict, tuple(dict.fromkeys(missing)))


def _unjudged(claim: ClaimRecord) -> bool:
    return claim.broken or not claim.judgements


def _why(claim: ClaimRecord) -> str:
    return claim.reason or "compared nothing"
