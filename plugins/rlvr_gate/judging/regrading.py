"""Whether a verdict depends on which of several gradings of the same completions is used."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rlvr_gate.records import Verdict

if TYPE_CHECKING:
    from rlvr_gate.judging.quantities import Quantity


def graded_otherwise(contrast: Quantity) -> Iterator[tuple[str, Quantity]]:
    """The same number under every further grading that all of its sides have, by name."""
    if not all(term.reread for term in contrast.terms):
        return
    sides = [contrast.ledger.gradings(term.role, contrast.benchmark) for term in contrast.terms]
    for grading in sides[0]:
        if all(grading in side for side in sides):
            yield grading, contrast.regraded([side[grading] for side in sides])


def dependence(
    contrast: Quantity, relation: str, threshold: float, verdict: Verdict
) -> tuple[str, ...]:
    """A note for each grading that would have led to another verdict."""
    notes = []
    for grading, other in graded_otherwise(contrast):
        found = other.verdict(relation, threshold)
        if found is not verdict:
            bounds = other.interval(contrast.ledger.level)
            notes.append(
                f"depends on the grading: {found} under {grading} grades, "
                f"[{bounds.low:+.4g}, {bounds.high:+.4g}]"
            )
    return tuple(notes)
