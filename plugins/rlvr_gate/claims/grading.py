"""Do strict and lenient grades of the same completions lead to the same conclusion?

Strict grades count an answer only in a form that a prompt asks for, lenient ones the last answer
anywhere. What RLVR gains between the two is form: the *format gain*.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rlvr_gate.judging.quantities import Quantity
from rlvr_gate.records import (
    Conclusion,
    Evidence,
    Interval,
    Judgement,
    Table,
    Tally,
    Unit,
    Verdict,
    WouldDecide,
)

OTHERWISE = ("strict", "lenient")
"""The gradings that a conclusion is held against."""
OWN = "the verifier's own"
NEVER = WouldDecide(
    None,
    None,
    "no number of samples under one grading, which is all that adaptive samples and "
    "most recorded files have",
)


def alike(
    gaps: Mapping[str, Quantity], form: Quantity | None, margin: float, level: float
) -> Judgement:
    """Whether every grading has the same checkpoint lead, and little of the gain is form.

    Refuted where two gradings have opposite leaders beyond their intervals; holds where all say
    the same word and the format gain's interval lies within the margin.

    Args:
        gaps: rlvr - base in pass@1, by grading; the verifier's own alone where there is no other.
        form: (lenient - strict) of rlvr minus that of base; None where these are not known.
    """
    words = {gap.interval(level).sign for gap in gaps.values()}
    inside = form is not None and _within(form.interval(level), margin)
    verdict = Verdict.UNDECIDED
    if {1, -1} <= words:
        verdict = Verdict.REFUTED
    elif len(words) == 1 and inside:
        verdict = Verdict.HOLDS
    changed = float(verdict is Verdict.REFUTED)
    open_ = 1.0 if verdict is Verdict.UNDECIDED else changed
    gap = gaps[OWN]
    return Judgement(
        statement="conclusions at k = 1 that the grading changes = 0, format gain within "
        f"±{margin:g}" + ("" if form is not None else " (not graded otherwise)"),
        verdict=verdict,
        estimate=changed if form is not None else None,
        interval=Interval(changed, open_, level),
        threshold=0.0,
        relation="<=",
        benchmark=gap.benchmark,
        k=1,
        n=None,
        unit=Unit.COUNT,
        evidence=_evidence(gaps, form, level),
    )


def _within(interval: Interval, margin: float) -> bool:
    return -margin <= interval.low and interval.high <= margin


def _evidence(gaps: Mapping[str, Quantity], form: Quantity | None, level: float) -> Evidence:
    rows = [_row(f"gain, {name} grades", gap, level) for name, gap in gaps.items()]
    if form is None:
        return Evidence(conclusions=tuple(rows), would_decide=NEVER)
    rows.append(_row("format gain", form, level))
    return Evidence(conclusions=tuple(rows), exhibits=(_counts(gaps),))


def _row(which: str, quantity: Quantity, level: float) -> Conclusion:
    bounds = quantity.interval(level)
    return Conclusion(which, quantity.value, bounds.low, bounds.high)


def _counts(gaps: Mapping[str, Quantity]) -> Table:
    """Completions of each checkpoint by grading: correct, and unscored."""
    rows = [
        (*_named(term.role, name), *_counted(term.tallies))
        for name, gap in gaps.items()
        for term in gap.terms
    ]
    head = ("checkpoint", "grades", "completions", "correct", "unscored")
    return Table("The same completions by each grading", head, sorted(rows))


def _named(role: str, grading: str) -> tuple[str, str]:
    return role.removesuffix(f" ({grading} grades)"), grading


def _counted(tallies: Sequence[Tally]) -> tuple[int, int, int]:
    return (
        sum(t.n for t in tallies),
        sum(t.correct for t in tallies),
        sum(t.unscored for t in tallies),
    )
