"""At which budget may base overtake? Every whole k, one band (arXiv:2609.22547)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rlvr_gate.claims.ladder import band, crossing
from rlvr_gate.claims.numbers.banded import p_of
from rlvr_gate.judging.quantities import Estimate
from rlvr_gate.records import Evidence, Interval, Unit
from rlvr_gate.stats import bands
from rlvr_gate.stats.bands import Band

if TYPE_CHECKING:
    from rlvr_gate.claims.views import PairView


def overtaking_budget(pair: PairView, k: int, benchmark: str) -> Estimate:
    """The smallest budget from which on base is not behind, `k` + 1 where there is none up to k.

    Its interval is the set that the band over all k's allows. Fixed before any ladder was read:
    a grid of all k chosen afterwards would be none.
    """
    (base, rlvr), ledger = pair.at_every_k(k, benchmark), pair.base.ledger
    gaps = [after - before for before, after in zip(base, rlvr, strict=True)]
    whole = band(gaps, ledger.level)
    found = bands.crossover(whole)
    beyond = whole.ks[-1] + 1

    def p_value(threshold: float) -> float:
        return p_of(lambda level: _allowed(band(gaps, level)), threshold)

    return Estimate(
        "budget from which base is not behind",
        float(found.k or beyond),
        _allowed(whole),
        ledger,
        benchmark,
        Evidence(crossover=crossing(whole)),
        len(gaps[0].low),
        p_value,
        (1.0, float(beyond)),
        Unit.SAMPLES,
    )


def _allowed(whole: Band) -> Interval:
    found = bands.crossover(whole)
    beyond = whole.ks[-1] + 1
    return Interval(float(found.low or beyond), float(found.high or beyond), whole.level)
