"""What stands beside a verdict over problems: both sides, deciding problems, and its power."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from rlvr_gate.judging.power import Within, detectable, unanswerable, would_decide
from rlvr_gate.judging.readings import ONE_SAMPLE
from rlvr_gate.judging.units import Units
from rlvr_gate.records import Interval, Verdict
from rlvr_gate.stats.intervals import mean_interval

if TYPE_CHECKING:
    from rlvr_gate.judging.quantities import Quantity
    from rlvr_gate.judging.terms import Term

_SHOWN_PROBLEMS = 6


def not_comparable(reasons: Sequence[str]) -> dict[str, object]:
    """Why a verdict was not given; nothing where it was."""
    return {"not comparable": list(reasons)} if reasons else {}


def both_sides(contrast: Quantity, relation: str, reasons: Sequence[str]) -> dict[str, object]:
    """Both sides of a comparison, the problems that weigh most, what comes with the quantity."""
    level = contrast.ledger.level
    found: dict[str, object] = {
        "curves": [_term_evidence(term, level, contrast.units) for term in contrast.terms],
        "problems": len(contrast.low),
    }
    if contrast.strata:
        found["strata"] = len(set(contrast.strata))
    clusters = contrast.units["clusters"]
    if clusters:
        found["independent clusters"] = len(set(clusters))
    if len(contrast.terms) > 1:
        found["deciding problems"] = _deciding(contrast, relation)
    if contrast.k is not None and len(contrast.terms) > 1 and contrast.within is not None:
        found["targets"] = _targets(contrast, contrast.within)
    return {**found, **contrast.context, **not_comparable(reasons)}


def _targets(contrast: Quantity, within: Within) -> list[dict[str, object]]:
    """The interval for these very problems beside the one the verdict is made from."""
    level, (low, high) = contrast.ledger.level, contrast.bounds
    one, other = (
        mean_interval(values, level=level, low=low, high=high,
                      target="benchmark", within_variance=within.each)
        for values in (contrast.low, contrast.high)
    )  # fmt: skip
    drawn = contrast.interval(level)
    return [
        {"target": "population", "decides": True, "low": drawn.low, "high": drawn.high},
        {"target": "this benchmark", "decides": False, "low": one.low, "high": other.high},
    ]


def what_decides(
    contrast: Quantity, interval: Interval, verdict: Verdict, threshold: float
) -> dict[str, object]:
    """The effect that such a run detects, and where it is undecided, what would decide it."""
    evidence: dict[str, object] = {"power": detectable(interval)}
    if verdict is not Verdict.UNDECIDED:
        return evidence
    if not contrast.certain and contrast.low.mean() <= threshold <= contrast.high.mean():
        unscored = any(t.unscored for term in contrast.terms for t in term.tallies)
        why = "adaptive samples only bound it: a fixed number of samples says more"
        if unscored:
            why = "completions that were not scored leave it open: no run size decides"
        elif contrast.samples == 1:
            why = ONE_SAMPLE
        return evidence | {"would decide": unanswerable(why)}
    nearest = contrast.low if contrast.value > threshold else contrast.high
    evidence["would decide"] = would_decide(
        float(nearest.mean()),
        contrast.reading(nearest, interval.level),
        threshold,
        values=nearest,
        samples=contrast.samples,
        within=contrast.within,
        **contrast.units,
    )
    return evidence


def _term_evidence(term: Term, level: float, units: Units) -> dict[str, object]:
    low, high = (
        mean_interval(values, level=level, low=term.bounds[0], high=term.bounds[1], **units)
        for values in (term.low, term.high)
    )
    return {
        "role": term.role,
        "label": term.label,
        "value": float((term.low.mean() + term.high.mean()) / 2),
        "low": low.low,
        "high": high.high,
    }


def _deciding(contrast: Quantity, relation: str) -> list[dict[str, object]]:
    """The problems that weigh most against the claim (or, if it holds, for it)."""
    values = (contrast.low + contrast.high) / 2  # (problems,)
    sign = 1.0 if relation in (">", ">=") else -1.0
    against = np.argsort(sign * values, kind="stable")
    order = against if sign * values.mean() <= 0 else against[::-1]
    rows = []
    for index in order[:_SHOWN_PROBLEMS]:
        if values[index] == 0:
            break
        problem = contrast.terms[0].tallies[index].problem
        rows.append(
            {"problem": problem, "difference": float(values[index])}
            | {term.label: term.of(int(index)) for term in contrast.terms}
        )
    return rows
