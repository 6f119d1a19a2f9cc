"""Ratios of means over problems, in [0, 1], with Fieller's interval over every reading."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rlvr_gate.claims.numbers.number import Floats
from rlvr_gate.judging.p_values import two_sided
from rlvr_gate.judging.quantities import Estimate, Quantity
from rlvr_gate.records import NOTHING, Evidence, Interval, Tally

if TYPE_CHECKING:
    from rlvr_gate.claims.views import PairView

Parts = tuple[Floats, Floats]
"""Numerator and denominator of each problem, both in [0, 1], ``(problems,)``."""


def fewest(pair: PairView, benchmark: str) -> int:
    """Samples that every problem has of both, or can have under a stopping rule."""
    return min(_most(tally) for each in (pair.base, pair.rlvr) for tally in each.counts(benchmark))


def _most(tally: Tally) -> int:
    return tally.n if tally.rounds is None else tally.rounds.sizes[-1]


def both_readings(*quantities: Quantity) -> list[tuple[Floats, ...]]:
    """The numbers of each problem with what is unscored as wrong, and as correct; or one."""
    low = tuple(quantity.low for quantity in quantities)
    high = tuple(quantity.high for quantity in quantities)
    return [low] if all(quantity.certain for quantity in quantities) else [low, high]


def ratio(
    label: str, of: Quantity, parts: Sequence[Parts], evidence: Evidence = NOTHING
) -> Estimate:
    """Mean numerator over mean denominator, unknown where the denominator is 0.

    Args:
        of: any quantity over the same problems: whose they are, and how they hang together.
        parts: one for each reading of what is unscored; the interval covers all of them.
    """
    from rlvr_gate.stats.intervals import ratio_interval

    clusters, ledger = of.units["clusters"], of.ledger
    found = [
        ratio_interval(top, bottom, level=ledger.level, clusters=clusters,
                       guaranteed=ledger.guaranteed)
        for top, bottom in parts
    ]  # fmt: skip
    known = [float(top.mean() / bottom.mean()) for top, bottom in parts if bottom.any()]

    def p_value(threshold: float) -> float:
        bounds = -max(threshold, 1e-9), 1.0
        values = [top - threshold * bottom for top, bottom in parts]
        return max(two_sided(v, v, 0.0, bounds, clusters=clusters, guaranteed=ledger.guaranteed)
                   for v in values)  # fmt: skip

    return Estimate(
        label,
        (min(known) + max(known)) / 2 if known else None,
        Interval(min(i.low for i in found), max(i.high for i in found), ledger.level),
        ledger,
        of.benchmark,
        evidence,
        len(of.low),
        p_value if known else None,
        (0.0, 1.0),
    )


def unknown(label: str, of: Quantity, bounds: tuple[float, float], why: str) -> Estimate:
    """Anything within the bounds: what so few samples say."""
    everything = Interval(*bounds, of.ledger.level)
    evidence = Evidence(notes=(why,))
    return Estimate(label, None, everything, of.ledger, of.benchmark, evidence, bounds=bounds)
