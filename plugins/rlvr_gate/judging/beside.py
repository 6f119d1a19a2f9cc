"""What stands beside a verdict over problems: both sides, deciding problems, and its power."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, cast, get_args

import numpy as np

from rlvr_gate.judging.power import (
    Within,
    detectable,
    more_samples,
    unanswerable,
    would_decide,
)
from rlvr_gate.judging.readings import ONE_SAMPLE
from rlvr_gate.judging.terms import Units
from rlvr_gate.judging.truncation import Admitted, turning
from rlvr_gate.records import (
    POPULATION,
    THESE,
    Crossover,
    Deciding,
    Evidence,
    Exhibit,
    Interval,
    Side,
    Target,
    Verdict,
)
from rlvr_gate.records.plain import packed, unpacked
from rlvr_gate.stats.intervals import effective_units, mean_interval, unit_shares

if TYPE_CHECKING:
    from rlvr_gate.judging.quantities import Quantity
    from rlvr_gate.judging.terms import Term

_SHOWN_PROBLEMS = 6
_MOST = 20  # exhibits beside one verdict
_EVEN = 0.6  # effective units per unit; below it a reader should know


def shown(exhibits: Sequence[object], evidence: Evidence) -> Evidence:
    """`evidence`, with what a suite puts beside it.

    Raises:
        TypeError: it is no exhibit.
        ValueError: there are too many.
    """
    for each in exhibits:
        if type(each) is Crossover:
            evidence |= Evidence(crossover=unpacked(Crossover, packed(each)))
        elif type(each) in get_args(Exhibit):
            evidence |= Evidence(exhibits=(cast(Exhibit, each),))
        else:
            raise TypeError(
                "beside a verdict stands a Table, Curves, a Heat map or Facts, got "
                f"{type(each).__name__}: a dict of names and numbers is Facts({{…}})"
            )
    if len(evidence.exhibits) > _MOST:
        raise ValueError(f"beside a verdict stand at most {_MOST} exhibits")
    return evidence


def said(found: Admitted) -> Evidence:
    """Why a verdict is not that of the numbers alone, or stands although it might not."""
    return Evidence(notes=found.notes, incomparable=found.reasons)


def both_sides(contrast: Quantity, relation: str, admitted: Admitted) -> Evidence:
    """Both sides of a comparison, the problems that weigh most, what comes with the quantity."""
    level, clusters, several = (
        contrast.ledger.level, contrast.units["clusters"], len(contrast.terms) > 1
    )  # fmt: skip
    targets = None
    if contrast.k is not None and several and contrast.within is not None:
        targets = _targets(contrast, contrast.within)
    return contrast.evidence | Evidence(
        sides=tuple(_side(term, level, contrast.units) for term in contrast.terms),
        problems=len(contrast.low),
        strata=len(set(contrast.strata)) if contrast.strata else None,
        clusters=len(set(clusters)) if clusters else None,
        deciding=_deciding(contrast, relation) if several else None,
        targets=targets,
        notes=(*admitted.notes, *(_uneven(clusters) if clusters else ())),
        incomparable=admitted.reasons,
    )


def _uneven(clusters: Sequence[str]) -> tuple[str, ...]:
    """A warning where clusters are so unequal that they tell much less than their number."""
    of = effective_units(unit_shares(len(clusters), clusters))
    units = len(set(clusters))
    if of >= _EVEN * units:
        return ()
    return (f"{units} clusters of unequal sizes tell as much as about {of:.0f} equal ones",)


def ungraded(contrast: Quantity, relation: str, threshold: float) -> tuple[str, ...]:
    """What the completions without a grade could change, and would were they like the others."""
    if not contrast.unscored or contrast.certain:
        return ()
    alike = contrast.supposing(None).interval(contrast.ledger.level)
    like = (
        f"were the {contrast.unscored} unscored completions right as often as the others of their "
        f"problem, the interval would be [{alike.low:+.4g}, {alike.high:+.4g}]"
    )
    verdict = contrast.verdict(relation, threshold)
    if verdict is not Verdict.UNDECIDED:
        return (f"{verdict} whatever the unscored completions would have been; {like}",)
    best = contrast.supposing(0.0).verdict(relation, threshold)
    if best is Verdict.UNDECIDED:
        return (like,)
    turns = turning(lambda s: contrast.supposing(s).verdict(relation, threshold) is best)
    return (f"would be {best} unless each unscored one is right with {turns:.0%}; {like}",)


def _targets(contrast: Quantity, within: Within) -> tuple[Target, ...]:
    """The interval for the population and that for these very problems, and which decides."""
    level, (low, high) = contrast.ledger.level, contrast.bounds
    one, other = (
        mean_interval(values, level=level, low=low, high=high,
                      target="benchmark", within_variance=within.each)
        for values in (contrast.low, contrast.high)
    )  # fmt: skip
    ledger = replace(contrast.ledger, target=POPULATION)
    drawn = replace(contrast, ledger=ledger).interval(level)
    return (
        Target("population", contrast.target == POPULATION, drawn.low, drawn.high),
        Target("this benchmark", contrast.target == THESE, one.low, other.high),
    )


def what_decides(
    contrast: Quantity, interval: Interval, verdict: Verdict, threshold: float
) -> Evidence:
    """The effect that such a run detects, and where it is undecided, what would decide it."""
    evidence = Evidence(power=detectable(interval))
    if verdict is not Verdict.UNDECIDED:
        return evidence
    if not contrast.certain and contrast.low.mean() <= threshold <= contrast.high.mean():
        unscored = any(t.unscored for term in contrast.terms for t in term.tallies)
        why = "adaptive samples only bound it: a fixed number of samples says more"
        if unscored:
            why = "completions that were not scored leave it open: no run size decides"
        elif contrast.samples == 1:
            why = ONE_SAMPLE
        return replace(evidence, would_decide=unanswerable(why))
    nearest = contrast.low if contrast.value > threshold else contrast.high
    if contrast.target == THESE:
        reach = contrast.reading(nearest, interval.level)
        more = more_samples(float(nearest.mean()), reach, threshold, contrast.samples or 1)
        return replace(evidence, would_decide=more)
    more = would_decide(
        float(nearest.mean()),
        contrast.reading(nearest, contrast.ledger.later(interval.level)),
        threshold,
        values=nearest,
        samples=contrast.samples,
        within=contrast.within,
        **contrast.units,
    )
    return replace(evidence, would_decide=contrast.ledger.planned(more, interval.level))


def _side(term: Term, level: float, units: Units) -> Side:
    low, high = (
        mean_interval(values, level=level, low=term.bounds[0], high=term.bounds[1], **units)
        for values in (term.low, term.high)
    )
    value = float((term.low.mean() + term.high.mean()) / 2)
    return Side(term.role, term.label, value, low.low, high.high)


def _deciding(contrast: Quantity, relation: str) -> tuple[Deciding, ...]:
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
        sides = {term.label: term.of(int(index)) for term in contrast.terms}
        rows.append(Deciding(problem, float(values[index]), sides))
    return tuple(rows)
