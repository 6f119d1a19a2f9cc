"""Each checkpoint at its best temperature, chosen on other problems than it is judged on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rlvr_gate.judging.quantities import Quantity
from rlvr_gate.records import Curves, Evidence, Table, Tally
from rlvr_gate.stats.passk import default_ladder

if TYPE_CHECKING:
    from rlvr_gate.claims.views import CheckpointView, PairView

PARTS = 3
"""One part of the problems chooses, the others are judged."""


def hull(
    view: CheckpointView,
    temperatures: Sequence[float],
    samples: int,
    benchmark: str,
    k: int | None = None,
) -> Quantity:
    """pass@k of two thirds of the problems, at the temperature that is best on the last third.

    Best for this k: half of `samples` where none is named. They are drawn at every temperature:
    the claim is marked with ``asks(ROLE, temperature=temperatures, samples=samples)``. Of equals
    the one listed first counts. Chosen where it is judged the best of equals looks better than it
    is. Chosen on the other folds of a cross-fit it does not, but as choices and judged problems
    depend on each other the mean varies more than its interval says: of five equal temperatures
    15 % of intervals leave out the truth. So the problems that choose are not judged at all.
    """
    k = k or max(1, samples // 2)
    grid = [view.at(temperature=t, samples=samples) for t in temperatures]
    each = [asked.pass_at(k, benchmark) for asked in grid]
    choosing = chooses(grid[0].counts(benchmark))
    values = [float((q.low + q.high)[choosing].mean()) for q in each]
    best = int(np.argmax(values))
    rows: list[tuple[str, float | None, float, str]] = [
        (f"{t:g}", value / 2, float(q.low[~choosing].mean()), "chosen" if q is each[best] else "")
        for t, value, q in zip(temperatures, values, each, strict=True)
    ]
    if share := k // len(grid):
        few = [asked.pass_at(share, benchmark).low[~choosing] for asked in grid]
        anyhow = float(1 - np.prod(1 - np.stack(few), axis=0).mean())
        rows.append(("any of them, as many draws in all", None, anyhow, ""))
    head = ("temperature", f"pass@{k} of those that choose", "of those judged", "")
    shown = Evidence(exhibits=(Table(f"{view.role} by temperature", head, rows),))
    found = each[best].among((~choosing).tolist(), "problems that chose nothing")
    label = f"{view.role} pass@{k} at its best temperature"
    return replace(found, label=label, evidence=found.evidence | shown)


def hull_curves(
    pair: PairView, temperatures: Sequence[float], samples: int, benchmark: str
) -> Curves:
    """Both hulls over k, each k at the temperature chosen for it; to show beside a claim."""
    ks = default_ladder(max(1, samples // 2))
    curves = {
        view.role: [(float(k), hull(view, temperatures, samples, benchmark, k).value) for k in ks]
        for view in (pair.base, pair.rlvr)
    }
    return Curves("pass@k at the temperature that is best for each k", curves, x="k")


def chooses(tallies: Sequence[Tally]) -> NDArray[np.bool_]:
    """Whether a problem chooses: every third, clusters whole and strata spread."""
    units = {t.cluster or f"problem {t.problem}": t.stratum for t in tallies}
    order = sorted(units, key=lambda unit: units[unit])
    number = {unit: i % PARTS for i, unit in enumerate(order)}
    return np.array([number[t.cluster or f"problem {t.problem}"] == 0 for t in tallies])
