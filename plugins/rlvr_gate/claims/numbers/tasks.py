"""Numbers over tasks: a task is a benchmark, or a stratum of one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from rlvr_gate.claims.numbers.number import Floats
from rlvr_gate.judging.beside import said
from rlvr_gate.judging.power import unanswerable
from rlvr_gate.judging.quantities import Quantity
from rlvr_gate.records import Evidence, Interval, Judgement, Table, Unit, Verdict
from rlvr_gate.stats.verdicts import judge

if TYPE_CHECKING:
    from rlvr_gate.claims.views import PairView

FEWEST = 10
"""Tasks below which nothing is said of a law over tasks."""
_DRAWS = 4_000
_STEEPEST = 100.0  # a slope beyond is shown as this


def tasks(quantities: Sequence[Quantity]) -> Iterator[tuple[str, Quantity]]:
    """Every benchmark, or its strata where it has some."""
    for quantity in quantities:
        strata = quantity.strata
        for name in sorted(set(strata or ())):
            keep = [label == name for label in strata or ()]
            yield f"{quantity.benchmark} {name}", quantity.among(keep, name)
        if strata is None:
            yield quantity.benchmark, quantity


def start_against_gain(pair: PairView, k: int, benchmarks: Sequence[str]) -> Judgement:
    """Slope of the gain in pass@k over base's pass@k, one point a task, free of shared noise.

    A start and a gain of the same problems share their noise, and a slope of -1 comes of itself.
    So each task's problems are parted, even and odd: gain on one half against start on the other,
    both ways averaged; the slope divides by the covariance of the two starts, which errors do not
    touch. Holds where its bootstrap over tasks lies below 0 and permutations of the gains give
    such a correlation in under 2.5 %; refuted likewise above; undecided with fewer than ten
    tasks, or where starts do not differ surely. A gain cannot exceed 1 - start: beside it the
    slope of the share of that gap that was closed.
    """
    starts = [pair.base.pass_at(k, b) for b in benchmarks]
    gains = [pair.rlvr.pass_at(k, b) - pair.base.pass_at(k, b) for b in benchmarks]
    label = f"slope of the gain in pass@{k} over base's pass@{k}, over tasks"
    return law(pair, label, "<", starts, gains, ("base", "gain"), ceiling=True)


def law(
    pair: PairView,
    label: str,
    relation: Literal["<", ">"],
    starts: Sequence[Quantity],
    gains: Sequence[Quantity],
    named: tuple[str, str],
    *,
    ceiling: bool = False,
) -> Judgement:
    """Whether one number falls, or rises, with another over tasks, free of noise that they share.

    Args:
        starts, gains: one of each benchmark, over the same problems.
        named: what the two are called.
        ceiling: whether a gain ends at 1 - start, so that the share of it is shown beside.
    """
    both = zip(tasks(starts), tasks(gains), strict=True)
    halves = [(name, _halves(start), _halves(gain)) for (name, start), (_, gain) in both]
    whole = [(name, b, g) for name, b, g in halves if b is not None and g is not None]
    ledger, verdict = pair.base.ledger, Verdict.UNDECIDED
    slope, bounds, p = 0.0, Interval(-np.inf, np.inf, ledger.level), 1.0
    evidence = Evidence(
        numbers={"tasks": len(whole)},
        notes=(f"{len(whole)} tasks, and a law over tasks needs {FEWEST}",),
    )
    if len(whole) >= FEWEST:
        b, g = (np.array([each[i] for each in whole]) for i in (1, 2))
        names = [name for name, _, _ in whole]
        slope, bounds, p, evidence = _fitted(b, g, names, named, ledger.level, ceiling=ceiling)
        if p < (1 - ledger.level) / 2:
            verdict = judge(slope, bounds, relation, 0.0)
    finite = Interval(max(bounds.low, -_STEEPEST), min(bounds.high, _STEEPEST), bounds.level)
    found = ledger.admit_over([start.benchmark for start in starts], verdict)
    return ledger.note(
        Judgement(
            statement=f"{label} {relation} 0",
            verdict=found.verdict,
            estimate=slope,
            interval=finite,
            threshold=0.0,
            relation=relation,
            benchmark=None,
            k=gains[0].k,
            n=None,
            unit=Unit.NUMBER,
            evidence=evidence | said(found),
            p_value=min(1.0, 2 * p) if found.verdict is verdict and len(whole) >= FEWEST else None,
        )
    )


def _halves(quantity: Quantity) -> tuple[float, float] | None:
    """The mean over even and over odd problems; None where there is one problem."""
    values = (quantity.low + quantity.high) / 2
    return None if len(values) < 2 else (float(values[::2].mean()), float(values[1::2].mean()))


def crossed(b: Floats, g: Floats) -> tuple[Floats, Floats]:
    """Correlation of start and gain, and slope, both ways averaged.

    Args:
        b, g: start and gain on either half, ``(…, tasks, 2)``; both answers are ``(…,)``, the
            slope not a number where starts do not vary together.
    """
    b, g = (x - x.mean(axis=-2, keepdims=True) for x in (b, g))
    both = np.stack([(b[..., 0] * g[..., 1]).sum(-1), (b[..., 1] * g[..., 0]).sum(-1)])
    size = np.sqrt((b**2).sum(-2) * (g[..., ::-1] ** 2).sum(-2))
    starts = (b[..., 0] * b[..., 1]).sum(-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        r = np.nan_to_num(both[0] / size[..., 0] + both[1] / size[..., 1]) / 2
        return r, np.where(starts > 0, both.mean(axis=0) / starts, np.nan)


def _fitted(
    b: Floats,
    g: Floats,
    names: Sequence[str],
    named: tuple[str, str],
    level: float,
    *,
    ceiling: bool,
) -> tuple[float, Interval, float, Evidence]:
    rng, tail = np.random.default_rng(0), (1 - level) / 2
    r, slope = map(float, crossed(b, g))
    drawn = rng.integers(0, len(b), (_DRAWS, len(b)))
    slopes = crossed(b[drawn], g[drawn])[1]
    mixed = rng.permuted(np.tile(np.arange(len(b)), (_DRAWS, 1)), axis=1)
    flat = crossed(np.broadcast_to(b, (_DRAWS, *b.shape)), g[mixed])[0]
    p = float(1 + min(np.sum(flat <= r), np.sum(flat >= r))) / (1 + _DRAWS)  # the smaller tail
    unsure = float(np.isnan(slopes).mean()) > tail  # starts that may not differ at all
    bounds = Interval(-np.inf, np.inf, level)
    if not unsure and np.isfinite(slope):
        low, high = np.nanquantile(slopes, [tail, 1 - tail]).tolist()
        bounds = Interval(low, high, level)
    numbers: dict[str, float | None] = {"tasks": len(b), "correlation": r, "p of permutations": p}
    if ceiling:
        closed = g / np.maximum(1 - b[:, ::-1], 1e-9)
        slope_closed = _finite(float(crossed(b, closed)[1]))
        numbers["slope of the share of the gap closed"] = slope_closed
    rows = [
        (name, float(start.mean()), float(gain.mean()))
        for name, start, gain in zip(names, b, g, strict=True)
    ]
    title = "Start and gain" if ceiling else f"{named[0].capitalize()} and {named[1]}"
    table = Table(title, ("task", *named), rows, signed=(named[1],))
    found = slope if np.isfinite(slope) else 0.0
    return found, bounds, p, Evidence(numbers=numbers, exhibits=(table,))


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def out_of_reach(pair: PairView, benchmark: str, *, least: float = 0.05) -> Judgement:
    """Tasks of a benchmark that base never solved and RLVR solves for sure at least so often.

    A task is selected where all of base's draws failed. That is proof of a small rate, for any
    task and all at once: of T tasks the upper limit is ``1 - (alpha / T)^(1 / draws)``, so that
    selecting on the draws that are judged costs nothing here. RLVR's draws select nothing; its
    interval is that of one among the selected (Bonferroni). Holds where one task is solved,
    refuted where tasks were selected and none can be, undecided where none was. A task may be out
    of reach for its format alone: grades are those of the benchmark's own verifier.
    """
    ledger = pair.base.ledger
    found = [
        (name, sum(t.n for t in base.terms[0].tallies), base.high.max() == 0, rlvr)
        for (name, base), (_, rlvr) in zip(
            tasks([pair.base.pass_at(1, benchmark)]),
            tasks([pair.rlvr.pass_at(1, benchmark)]),
            strict=True,
        )
    ]
    selected = [(name, draws, rlvr) for name, draws, never, rlvr in found if never]
    level = 1 - (1 - ledger.level) / max(len(selected), 1)
    rows, best, verdict = [], Interval(0.0, 1.0, ledger.level), Verdict.UNDECIDED
    for name, draws, rlvr in selected:
        bounds = rlvr.interval(level)
        limit = 1 - ((1 - ledger.level) / len(found)) ** (1 / draws)
        rows.append((name, draws, limit, rlvr.value, bounds.low, bounds.high))
    if rows:
        top = max(rows, key=lambda row: row[4])
        best = Interval(top[4], max(row[5] for row in rows), ledger.level)
        verdict = (
            Verdict.HOLDS
            if best.low > least
            else Verdict.REFUTED
            if best.high < least
            else Verdict.UNDECIDED
        )
    head = ("task", "draws of base, none right", "its rate at most", "rlvr", "low", "high")
    notes = () if rows else ("base solved a problem of every task: none was out of its reach",)
    nothing = None if rows else unanswerable("no task is out of base's reach: no run size decides")
    return ledger.enter(
        benchmark,
        Judgement(
            statement=f"rlvr's pass@1 on the best task that base never solved > {least:g}",
            verdict=verdict,
            estimate=max((row[3] for row in rows), default=None),
            interval=best,
            threshold=least,
            relation=">",
            benchmark=benchmark,
            k=1,
            n=None,
            evidence=Evidence(
                numbers={"tasks": len(found), "never solved by base": len(rows)},
                notes=notes,
                would_decide=nothing,
                exhibits=(Table("Out of base's reach", head, rows),) if rows else (),
            ),
        ),
    )
