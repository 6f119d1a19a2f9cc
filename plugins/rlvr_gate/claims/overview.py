"""One benchmark seen as a whole: curves with their band, the crossover, and every stratum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from rlvr_gate.claims.ladder import band
from rlvr_gate.claims.numbers import NUMBERS
from rlvr_gate.claims.views import CheckpointView, EvidenceSource, PairView
from rlvr_gate.judging.quantities import Ledger, Quantity
from rlvr_gate.records import PAIR, Crossover, CurvePoint, NumberRow, StratumRow, Tally

Curve = list[CurvePoint]


@dataclass(frozen=True, slots=True)
class Overview:
    """What the record says of a benchmark beside its claims."""

    curves: Mapping[str, Curve]
    """role -> points; the pseudo role `difference` holds rlvr minus base, paired."""
    crossover: Crossover
    strata: Sequence[StratumRow]
    numbers: Sequence[NumberRow]


def overview(
    source: EvidenceSource,
    benchmark: str,
    ladder: Sequence[int],
    level: float,
    others: Sequence[str] = (),
) -> Overview:
    """Estimate pass@k of both checkpoints over the ladder, and their paired difference.

    Args:
        others: further roles, or ways of asking, whose curve is wanted as far as samples go.
    """
    ledger = Ledger(level=level)
    ours, theirs = (CheckpointView(role, source, ledger) for role in PAIR)
    pair = PairView(ours, theirs)
    base, rlvr = ([view.pass_at(k, benchmark) for k in sorted(ladder)] for view in (ours, theirs))
    gaps = [after - before for before, after in zip(base, rlvr, strict=True)]
    whole = band(gaps, level)
    difference = [
        replace(point, band_low=low, band_high=high)
        for point, low, high in zip(_curve(gaps, level), whole.low, whole.high, strict=True)
    ]
    curves = {"base": _curve(base, level), "rlvr": _curve(rlvr, level), "difference": difference}
    for name in others:
        view, most = CheckpointView(name, source, ledger), _fewest(source.tallies(name, benchmark))
        curves[name] = _curve(
            [view.pass_at(k, benchmark) for k in sorted(ladder) if k <= most], level
        )
    ends = dict.fromkeys((0, len(gaps) - 1))
    rows = [row for i in ends for row in _by_stratum(base[i], rlvr[i], level)]
    strata = sorted(rows, key=lambda row: row.stratum)
    crossover = pair.crossover(max(ladder), benchmark)
    return Overview(curves, crossover, strata, _numbers(pair, benchmark, level))


def _numbers(pair: PairView, benchmark: str, level: float) -> list[NumberRow]:
    """A row for each of `numbers.NUMBERS` that says where it is shown, as far as samples go."""
    if _fewest(pair.base.source.tallies("base", benchmark)) < 2:
        return []
    return [
        _row(number(pair.base, benchmark, **shown), number(pair.rlvr, benchmark, **shown), level)
        for number in NUMBERS
        for shown in number.shown
    ]


def _row(base: Quantity, rlvr: Quantity, level: float) -> NumberRow:
    gap = rlvr - base
    bounds = gap.interval(level)
    label = base.label.removeprefix("base ")
    return NumberRow(label, base.value, rlvr.value, gap.value, bounds.low, bounds.high)


def _curve(quantities: Sequence[Quantity], level: float) -> Curve:
    points = []
    for quantity in quantities:
        bounds = quantity.interval(level)
        points.append(CurvePoint(quantity.k or 0, quantity.value, bounds.low, bounds.high))
    return points


def _fewest(tallies: Sequence[Tally]) -> int:
    """The largest k that every problem has an answer for."""
    return min(t.n if t.rounds is None else t.rounds.sizes[-1] for t in tallies)


def _by_stratum(base: Quantity, rlvr: Quantity, level: float) -> list[StratumRow]:
    """The difference in every stratum on its own; each is a smaller benchmark."""
    rows = []
    for stratum in sorted(set(base.strata or ())):
        keep = [label == stratum for label in base.strata or ()]
        ours, theirs = base.among(keep, stratum), rlvr.among(keep, stratum)
        gap = theirs - ours
        bounds = gap.interval(level)
        rows.append(
            StratumRow(
                stratum, sum(keep), base.k, ours.value, theirs.value, gap.value,
                bounds.low, bounds.high,
            )
        )  # fmt: skip
    return rows
