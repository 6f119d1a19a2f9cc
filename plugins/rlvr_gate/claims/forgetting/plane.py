"""How far checkpoints went from their base, and what they forgot: for the record of a run.

Whatever a run asks for: divergences that some claim had measured are read, none is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import fmean

from rlvr_gate.claims.overview import fewest
from rlvr_gate.claims.views import CheckpointView, EvidenceSource
from rlvr_gate.judging.ledger import Ledger
from rlvr_gate.records import Distance, Plane

FEWEST = 2
"""Checkpoints, below which there is no plane to draw."""


def plane(
    source: EvidenceSource, benchmarks: Sequence[str], roles: Sequence[str], level: float
) -> Plane | None:
    """Divergence from base on the new task, and forgetting; None for fewer than two checkpoints.

    Where there are no prior tasks, what is forgotten is what base reached on the new one: pass@k
    at the largest k. That is a cost of the same kind, and no measure of other tasks.

    Args:
        benchmarks: the new task first.
        roles: the checkpoints that all of these were asked, without base.
    """
    new, *prior = benchmarks
    base = CheckpointView("base", source, Ledger(level=level))
    seen = [
        (CheckpointView(role, source, base.ledger), found)
        for role in roles
        if (found := _divergence(base, role, new, level))
    ]
    if len(seen) < FEWEST:
        return None
    whose = ["base", *(view.role for view, _ in seen)]
    k = 1 if prior else min(fewest(source.tallies(role, new)) for role in whose)
    rows = [
        Distance(
            view.role, *found, (view.pass_at(1, new) - base.pass_at(1, new)).value,
            fmean(_lost(base, view, prior or [new], k)),
        )
        for view, found in seen
    ]  # fmt: skip
    return Plane(new, tuple(prior), k, tuple(sorted(rows, key=lambda row: (row.kl, row.role))))


def _divergence(
    base: CheckpointView, role: str, benchmark: str, level: float
) -> tuple[float, float, float] | None:
    """Estimate and interval; None where no claim had it measured."""
    try:
        found = base.divergence_to(CheckpointView(role, base.source, base.ledger), benchmark)
    except LookupError:
        return None
    bounds = found.interval(level)
    return found.value, bounds.low, bounds.high


def _lost(
    base: CheckpointView, view: CheckpointView, benchmarks: Sequence[str], k: int
) -> Iterator[float]:
    for benchmark in benchmarks:
        yield (base.pass_at(k, benchmark) - view.pass_at(k, benchmark)).value
