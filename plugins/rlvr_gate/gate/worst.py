"""The verdict of what is made of several verdicts."""

from __future__ import annotations

from collections.abc import Sequence

from rlvr_gate.records import Verdict

_SEVERITY = (Verdict.NOT_COMPARABLE, Verdict.REFUTED, Verdict.UNDECIDED, Verdict.HOLDS)


def worst(verdicts: Sequence[Verdict]) -> Verdict:
    """All must hold. Nothing at all is undecided: nothing measured is not green."""
    return min(verdicts, key=_SEVERITY.index) if verdicts else Verdict.UNDECIDED
