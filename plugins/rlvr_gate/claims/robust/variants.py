"""Is the gain as large on variants of the problems: another guise, or others of their kind?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from operator import add
from typing import TYPE_CHECKING

import numpy as np

from rlvr_gate.judging.quantities import Quantity
from rlvr_gate.records import (
    POPULATION,
    Evidence,
    Interval,
    Judgement,
    Table,
    Verdict,
    WouldDecide,
)

if TYPE_CHECKING:
    from rlvr_gate.claims.views import CheckpointView, PairView

AS_HARD = 0.05
"""By how much base's pass@1 may differ on variants that are to be as hard as the originals."""


def keeps_gain(
    pair: PairView,
    variants: Sequence[str],
    samples: int,
    benchmark: str,
    margin: float,
    as_hard: float = AS_HARD,
) -> Judgement:
    """Whether RLVR's gain in pass@1 on variants falls short of the originals' by a margin at most.

    One number a problem, its variants' mean gain less its own: the original is the unit, however
    many variants it has. Estimated from those that have one; it holds only if it also does with
    nothing gained on variants of the others, so that a gain cannot hide where no variant is made.
    Where base finds the variants harder or easier by more than `as_hard`, they are another
    question, and where that stays open so does the verdict. The claim needs
    ``asks("base", "rlvr", variant=variants, samples=samples)`` and
    ``asks("base", "rlvr", samples=samples)``.
    """
    ledger = pair.base.ledger
    ledger.check(benchmark)
    own = pair.at(samples=samples)
    first = pair.base.at(variant=variants[0], samples=samples)
    if not first.source.was_asked(first.role, benchmark):
        return ledger.note(_nobody(pair, benchmark, margin))
    parts = [_one(pair, variant, samples, benchmark, own) for variant in variants]
    change, base = (_mean([part[i] for part in parts]) for i in (0, 1))
    loss = replace(change, label=f"{variants[0].partition(' ')[0]} variants' gain - own gain")
    harder = base.interval(ledger.level)
    found = _apart(loss) > -margin
    table = _table(parts, variants, ledger.level)
    all_in, notes = _counting_all(own, first, loss, benchmark)
    if found.verdict is Verdict.HOLDS and all_in.low <= -margin:
        found = replace(found, verdict=Verdict.UNDECIDED, p_value=None)
    return ledger.note(_checked(found, harder, as_hard, table, notes))


def _counting_all(
    own: PairView, first: CheckpointView, loss: Quantity, benchmark: str
) -> tuple[Interval, list[str]]:
    """The loss over all problems, nothing gained on variants of those without, and what to say."""
    had = {tally.problem for tally in first.counts(benchmark)}
    lacks = np.array([tally.problem not in had for tally in own.base.counts(benchmark)])
    note = f"{(~lacks).sum()} of {len(lacks)} problems have such variants"
    if not lacks.any():
        return loss.interval(loss.ledger.level), [note]
    whole = _apart(own.base.pass_at(1, benchmark) - own.rlvr.pass_at(1, benchmark))
    low, high = whole.low.copy(), whole.high.copy()
    low[~lacks], high[~lacks] = loss.low, loss.high
    # Its terms are the originals' alone: what they say of the noise is not said of the variants'.
    ledger = replace(whole.ledger, target=POPULATION)
    ends = replace(whole, low=low, high=high, bounds=loss.bounds, ledger=ledger).interval(
        ledger.level
    )
    worst = f"with nothing gained on variants of the others it lies in [{ends.low:+.3f}, "
    return ends, [note, f"{worst}{ends.high:+.3f}]"]


Contrasts = tuple[Quantity, Quantity]
"""The change of the gain, and of base's pass@1, from originals to a variant."""


def _one(pair: PairView, variant: str, samples: int, benchmark: str, own: PairView) -> Contrasts:
    """Over the problems that have this variant."""
    other = pair.at(variant=variant, samples=samples)
    had = {tally.problem for tally in other.base.counts(benchmark)}
    keep = [tally.problem in had for tally in own.base.counts(benchmark)]
    base, rlvr = (
        theirs.pass_at(1, benchmark) - ours.pass_at(1, benchmark).among(keep, "with variants")
        for theirs, ours in ((other.base, own.base), (other.rlvr, own.rlvr))
    )
    return rlvr - base, base


def _mean(parts: Sequence[Quantity]) -> Quantity:
    return reduce(add, parts) / len(parts)


def _apart(quantity: Quantity) -> Quantity:
    """The same with a ledger that keeps nothing, to be looked at before it is noted."""
    alone = replace(quantity.ledger, judgements=[], look=None, again=None)
    return replace(quantity, ledger=alone)


def _checked(
    found: Judgement, harder: Interval, as_hard: float, table: Table, notes: Sequence[str]
) -> Judgement:
    """The verdict, where variants are as hard as their originals."""
    ends = f"[{harder.low:+.3f}, {harder.high:+.3f}]"
    said = f"base's pass@1 on variants less its own lies in {ends}"
    verdict, reasons, notes = found.verdict, list[str](), [*notes]
    if harder.low > as_hard or harder.high < -as_hard:
        reasons.append(f"{said}: they are not as hard as the originals (to {as_hard:g})")
        verdict = Verdict.NOT_COMPARABLE
    elif harder.low < -as_hard or as_hard < harder.high:
        notes.append(f"{said}: whether they are as hard as the originals (to {as_hard:g}) is open")
        verdict = {Verdict.NOT_COMPARABLE: verdict}.get(verdict, Verdict.UNDECIDED)
    evidence = replace(
        found.evidence,
        notes=(*found.evidence.notes, *notes),
        incomparable=(*found.evidence.incomparable, *reasons),
        exhibits=(*found.evidence.exhibits, table),
    )
    p_value = found.p_value if verdict is found.verdict else None
    return replace(found, verdict=verdict, evidence=evidence, p_value=p_value)


def _table(parts: Sequence[Contrasts], variants: Sequence[str], level: float) -> Table:
    head = ("variant", "gain less own", "low", "high", "base less own", "base low", "base high")
    rows = [
        (variant, *_told(change, level), *_told(base, level))
        for variant, (change, base) in zip(variants, parts, strict=True)
    ]
    signed = ("gain less own", "base less own")
    return Table("Each variant beside the originals", head, rows, signed=signed)


def _told(quantity: Quantity, level: float) -> tuple[float, float, float]:
    ends = quantity.interval(level)
    return quantity.value, ends.low, ends.high


def _nobody(pair: PairView, benchmark: str, margin: float) -> Judgement:
    """No problem has such a variant."""
    why = "no problem of this benchmark has such a variant that is made here"
    return Judgement(
        statement=f"variants' gain - own gain > {-margin:g} ({why})",
        verdict=Verdict.UNDECIDED,
        estimate=None,
        interval=Interval(-2.0, 2.0, pair.base.ledger.level),
        threshold=-margin,
        relation=">",
        benchmark=benchmark,
        k=1,
        n=None,
        evidence=Evidence(would_decide=WouldDecide(None, None, f"no number of samples: {why}")),
    )
