"""From which reliability on does RLVR lead? Cover@tau over all tau at once (arXiv:2510.08325)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rlvr_gate.claims.ladder import band
from rlvr_gate.claims.numbers.banded import p_of
from rlvr_gate.claims.numbers.cover import cover_at
from rlvr_gate.claims.numbers.ratio import fewest, unknown
from rlvr_gate.judging.quantities import Estimate, Quantity
from rlvr_gate.judging.readings import ONE_SAMPLE
from rlvr_gate.records import Curves, Evidence, Interval
from rlvr_gate.stats.bands import Band

if TYPE_CHECKING:
    from rlvr_gate.claims.views import PairView


def least_cover_gain(pair: PairView, benchmark: str, above: float) -> Estimate:
    """The least of RLVR's Cover@tau less base's, over every tau from `above` to 1.

    Its interval is read from one band over tau = 1/h .. 1, h half of the samples. Beside it the
    curves, up to which tau base is surely ahead, and from which on RLVR is not surely behind.

    Raises:
        ValueError: `above` is no share.
    """
    half = fewest(pair, benchmark) // 2
    if not 0 < above <= 1:
        raise ValueError(f"needs 0 < above <= 1, got {above}")
    if half < 1:
        one = pair.rlvr.pass_at(1, benchmark)
        return unknown("least gain in Cover@tau", one, (-1.0, 1.0), ONE_SAMPLE)
    base, rlvr = (
        [cover_at(view, benchmark, tau=j / half) for j in range(1, half + 1)]
        for view in (pair.base, pair.rlvr)
    )
    gaps = [
        replace(ours - theirs, k=j)
        for j, (theirs, ours) in enumerate(zip(base, rlvr, strict=True), 1)
    ]
    first = min(j for j in range(1, half + 1) if j / half >= above - 1e-9)
    judged, ledger = gaps[first - 1 :], pair.base.ledger
    whole = band(gaps, ledger.level)

    def p_value(threshold: float) -> float:
        return p_of(lambda level: _least(band(gaps, level), first), threshold)

    return Estimate(
        f"least gain in Cover@tau from {above:g} on",
        min(gap.value for gap in judged),
        _least(whole, first),
        ledger,
        benchmark,
        Evidence(numbers=_where(whole, half), exhibits=(_curves(base, rlvr, half),)),
        len(gaps[0].low),
        p_value,
        (-1.0, 1.0),
    )


def _least(whole: Band, first: int) -> Interval:
    """Of the curve's least value from the budget `first` on."""
    return Interval(min(whole.low[first - 1 :]), min(whole.high[first - 1 :]), whole.level)


def _where(whole: Band, half: int) -> dict[str, float | None]:
    behind = [j for j, high in zip(whole.ks, whole.high, strict=True) if high < 0]
    under = [j for j, low in zip(whole.ks, whole.low, strict=True) if low < 0]
    last = max(under, default=0)
    return {
        "base surely ahead up to tau": max(behind) / half if behind else None,
        "rlvr not behind at any tau from": (last + 1) / half if last < half else None,
    }


def _curves(base: list[Quantity], rlvr: list[Quantity], half: int) -> Curves:
    points = {
        name: [(j / half, each.value) for j, each in enumerate(of, 1)]
        for name, of in (("base", base), ("rlvr", rlvr))
    }
    return Curves("Problems solved with a probability of at least tau", points, x="tau")
