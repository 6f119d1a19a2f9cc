"""One benchmark seen as a whole: curves with their band, the crossover, and every stratum."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from rlvr_gate.claims.ladder import band, crossing
from rlvr_gate.claims.numbers import NUMBERS
from rlvr_gate.claims.views import CheckpointView, EvidenceSource, PairView
from rlvr_gate.judging.ledger import Ledger
from rlvr_gate.judging.quantities import Quantity
from rlvr_gate.records import PAIR, Crossover, CurvePoint, NumberRow, StratumRow, Tally
from rlvr_gate.stats.bands import Band

_MOST_K = 1_024  # points of a curve

Curve = list[CurvePoint]


@dataclass(frozen=True, slots=True)
class Overview:
    """What the record says of a benchmark beside its claims."""

    curves: Mapping[str, Curve]
    """role -> points; the pseudo role `difference` holds rlvr minus base, paired."""
    every_k: Mapping[str, Curve]
    """`curves` of the pair at every k; empty where the ladder has as many."""
    crossover: Crossover
    strata: Sequence[StratumRow]
    numbers: Sequence[NumberRow]


def overview(
    source: EvidenceSource,
    benchmark: str,
    ladder: Sequence[int],
    level: float,
    others: Sequence[str] = (),
    say: Callable[[str], None] = lambda what: None,
) -> Overview:
    """Estimate pass@k of both checkpoints over the ladder, and their paired difference.

    Args:
        others: further roles, or ways of asking, whose curve is wanted as far as samples go.
        say: told what is read next.
    """
    say(f"{benchmark}, the pair")
    ledger = Ledger(level=level)
    ours, theirs = (CheckpointView(role, source, ledger) for role in PAIR)
    pair = PairView(ours, theirs)
    base, rlvr = ([view.pass_at(k, benchmark) for k in sorted(ladder)] for view in (ours, theirs))
    curves = _curves(base, rlvr, level)
    for name in others:
        say(f"{benchmark}, {name}")
        view, most = CheckpointView(name, source, ledger), fewest(source.tallies(name, benchmark))
        curves[name] = _curve(
            [view.pass_at(k, benchmark) for k in sorted(ladder) if k <= most], level
        )
    ends = dict.fromkeys((0, len(base) - 1))
    rows = [row for i in ends for row in _by_stratum(base[i], rlvr[i], level)]
    strata = sorted(rows, key=lambda row: row.stratum)
    whole = pair.at_every_k(max(ladder), benchmark)
    every_k = _curves(*whole, level) if len(ladder) < len(whole[0]) <= _MOST_K else {}
    crossover = crossing(_gaps(*whole, level)[1])
    return Overview(curves, every_k, crossover, strata, _numbers(pair, benchmark, level))


def _gaps(
    base: Sequence[Quantity], rlvr: Sequence[Quantity], level: float
) -> tuple[list[Quantity], Band]:
    """The paired difference at each k, and the band that holds at all of them."""
    gaps = [after - before for before, after in zip(base, rlvr, strict=True)]
    return gaps, band(gaps, level)


def _curves(base: Sequence[Quantity], rlvr: Sequence[Quantity], level: float) -> dict[str, Curve]:
    """Both checkpoints, and rlvr minus base with its band."""
    gaps, whole = _gaps(base, rlvr, level)
    difference = [
        replace(point, band_low=low, band_high=high)
        for point, low, high in zip(_curve(gaps, level), whole.low, whole.high, strict=True)
    ]
    return {"base": _curve(base, level), "rlvr": _curve(rlvr, level), "difference": difference}


def _numbers(pair: PairView, benchmark: str, level: float) -> list[NumberRow]:
    """A row for each of `numbers.NUMBERS` that says where it is shown, as far as samples go."""
    if fewest(pair.base.source.tallies("base", benchmark)) < 2:
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


def fewest(tallies: Sequence[Tally]) -> int:
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
