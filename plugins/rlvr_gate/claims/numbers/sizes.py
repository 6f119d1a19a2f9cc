"""Along the size of problems: how far does a gain reach, and does it fade?

Sizes are read off the names of tasks: strata of a benchmark (`3 numbers`, `5 numbers`), or whole
benchmarks of one generator (`gym:graph_color?num_vertices=8`) that differ in one number.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from rlvr_gate.claims.numbers.number import Floats
from rlvr_gate.claims.numbers.tasks import tasks
from rlvr_gate.claims.numbers.trend import contrast
from rlvr_gate.judging.beside import said
from rlvr_gate.judging.p_values import two_sided
from rlvr_gate.judging.quantities import Estimate, Quantity
from rlvr_gate.records import Curves, Evidence, Interval, Judgement, Table
from rlvr_gate.stats.intervals import mean_interval
from rlvr_gate.stats.verdicts import judge

if TYPE_CHECKING:
    from rlvr_gate.claims.views import PairView

FEWEST = 3
"""Sizes below which there is no curve."""
WHY = f"a curve needs {FEWEST} sizes: strata or benchmarks that differ in one number"
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Sized:
    """What both do on the problems of one size."""

    size: float
    base: Quantity
    rlvr: Quantity

    @property
    def gain(self) -> Quantity:
        """RLVR less base, paired by problem."""
        return self.rlvr - self.base


def sizes(names: Sequence[str]) -> tuple[float, ...] | None:
    """The number in which names differ that are otherwise alike; None where that is no size.

    >>> sizes(["gym:maze?max=7&min=7&size=50", "gym:maze?max=9&min=9&size=50"])
    (7.0, 9.0)
    >>> sizes(["3 apples", "4 pears"])
    """
    numbers = [[float(found) for found in _NUMBER.findall(name)] for name in names]
    if len({_NUMBER.sub("#", name) for name in names}) > 1:
        return None
    differing = [column for column in zip(*numbers, strict=True) if len({*column}) > 1]
    if not differing or any(_order(c) != _order(differing[0]) for c in differing):
        return None
    return differing[0] if len({*differing[0]}) == len(names) else None


def _order(column: Sequence[float]) -> list[int]:
    return sorted(range(len(column)), key=column.__getitem__)


def curve(pair: PairView, k: int, benchmarks: Sequence[str]) -> tuple[Sized, ...]:
    """The tasks that differ in size alone, the smallest first; of several such sets the largest.

    Empty where there are fewer than three sizes.
    """
    both = zip(
        tasks([pair.base.pass_at(k, b) for b in benchmarks]),
        tasks([pair.rlvr.pass_at(k, b) for b in benchmarks]),
        strict=True,
    )
    alike: dict[str, list[tuple[str, Quantity, Quantity]]] = defaultdict(list)
    for (name, base), (_, rlvr) in both:
        alike[_NUMBER.sub("#", name)].append((name, base, rlvr))
    for group in sorted(alike.values(), key=len, reverse=True):
        found = sizes([name for name, _, _ in group])
        if found is not None and len(found) >= FEWEST:
            sized = (Sized(at, b, r) for at, (_, b, r) in zip(found, group, strict=True))
            return tuple(sorted(sized, key=lambda each: each.size))
    return ()


def gain_fades(pair: PairView, k: int, benchmarks: Sequence[str]) -> Judgement:
    """Whether the gain in pass@k falls along the size of problems: large less small, below 0.

    Sizes weigh by rank, as steps do in `trend`; problems of a size are drawn apart from those of
    another, so the interval is that of a stratified mean. Undecided with fewer than three sizes.
    """
    along, ledger = curve(pair, k, benchmarks), pair.base.ledger
    for benchmark in benchmarks:
        ledger.check(benchmark)
    value, bounds, evidence = 0.0, Interval(-2.0, 2.0, ledger.level), Evidence(notes=(WHY,))
    p_value = None
    if along:
        low, high, strata = _weighted(along)
        clusters = _clusters(along)
        most = float(max(map(abs, contrast(len(along)))) * len(low) / _smallest(along))
        ends = [
            mean_interval(
                of, level=ledger.level, low=-most, high=most, strata=strata, clusters=clusters
            )
            for of in (low, high)
        ]
        value = float((low.mean() + high.mean()) / 2)
        bounds = Interval(max(ends[0].low, -2.0), min(ends[1].high, 2.0), ledger.level)
        p_value = two_sided(low, high, 0.0, (-most, most), strata, clusters)
        evidence = Evidence(numbers={"sizes": len(along)}, exhibits=shown(along))
    verdict = judge(value, bounds, "<", 0.0)
    found = ledger.admit_over(benchmarks, verdict)
    return ledger.note(
        Judgement(
            statement=f"gain in pass@{k} at large sizes less that at small ones < 0",
            verdict=found.verdict,
            estimate=value,
            interval=bounds,
            threshold=0.0,
            relation="<",
            benchmark=None,
            k=k,
            n=None,
            evidence=evidence | said(found),
            p_value=p_value if found.verdict is verdict else None,
        )
    )


def gain_at_largest(pair: PairView, k: int, benchmarks: Sequence[str]) -> Quantity | Estimate:
    """The gain in pass@k on the largest problems; anything with fewer than three sizes."""
    along = curve(pair, k, benchmarks)
    if not along:
        anything = Interval(-1.0, 1.0, pair.base.ledger.level)
        return Estimate(
            f"gain in pass@{k} on the largest problems", None, anything, pair.base.ledger,
            benchmarks[0], Evidence(notes=(WHY,)), bounds=(-1.0, 1.0),
        )  # fmt: skip
    return replace(along[-1].gain, evidence=Evidence(exhibits=shown(along)))


def _weighted(along: Sequence[Sized]) -> tuple[Floats, Floats, list[str]]:
    """Both readings of each problem's share in the contrast, whose mean it is; and its size."""
    many, ends, strata = sum(len(each.gain.low) for each in along), [], list[str]()
    for each, weight in zip(along, contrast(len(along)), strict=True):
        factor = weight * many / len(each.gain.low)
        both = (factor * each.gain.low, factor * each.gain.high)
        ends.append(both if factor >= 0 else both[::-1])
        strata += [f"{each.size:g}"] * len(each.gain.low)
    low, high = (np.concatenate(of) for of in zip(*ends, strict=True))
    return low, high, strata


def _clusters(along: Sequence[Sized]) -> list[str] | None:
    """What hangs together within each size; None where nothing does."""
    if all(each.gain.units["clusters"] is None for each in along):
        return None
    return [
        f"{each.size:g} {name}"
        for each in along
        for name in each.gain.units["clusters"] or [t.problem for t in each.gain.terms[0].tallies]
    ]


def _smallest(along: Sequence[Sized]) -> int:
    return min(len(each.gain.low) for each in along)


def shown(along: Sequence[Sized]) -> tuple[Curves, Table]:
    """Both by size with their intervals, and the gain."""
    level = along[0].base.ledger.level
    curves = {
        role: [_point(each.size, getattr(each, role), level) for each in along]
        for role in ("base", "rlvr")
    }
    rows = [(*_point(each.size, each.gain, level), len(each.gain.low)) for each in along]
    head = ("size", "gain", "low", "high", "problems")
    k = along[0].base.k
    return (
        Curves(f"pass@{k} along size", curves, x="size", y=f"pass@{k}"),
        Table(f"Gain in pass@{k} along size", head, rows, signed=head[1:4]),
    )


def _point(size: float, quantity: Quantity, level: float) -> tuple[float, float, float, float]:
    ends = quantity.interval(level)
    return size, quantity.value, ends.low, ends.high
