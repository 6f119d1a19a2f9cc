"""How a benchmark's problems hang together: strata that were fixed, clusters that were drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from rlvr_gate.records import Tally


class Units(TypedDict):
    """How a benchmark's problems hang together, as the intervals take it."""

    strata: tuple[str, ...] | None
    clusters: tuple[str, ...] | None


def units(tallies: Sequence[Tally]) -> Units:
    """Stratum and cluster of each problem; None where the benchmark has none.

    A problem without a cluster is one of its own.
    """
    strata = tuple(t.stratum for t in tallies)
    clusters = tuple(f"c {t.cluster}" if t.cluster else f"p {t.problem}" for t in tallies)
    return Units(
        strata=strata if len(set(strata)) > 1 else None,
        clusters=clusters if len(set(clusters)) < len(clusters) else None,
    )
