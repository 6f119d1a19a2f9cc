"""Along a training run: does a number rise or fall from step to step?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from operator import add
from typing import TYPE_CHECKING

from rlvr_gate.judging.quantities import Quantity
from rlvr_gate.records import Table, Verdict

if TYPE_CHECKING:
    from rlvr_gate.claims.views import CheckpointView


def trend(series: Sequence[CheckpointView], k: int, benchmark: str) -> Quantity:
    """pass@k late in the run less pass@k early: one contrast of all steps for each problem.

    Steps weigh by their rank, ``j`` less the mean rank, scaled so that late and early ones each
    weigh one: whoever trains on need not say how far apart the checkpoints lie. The base that all
    share enters each problem's number once, so the ordinary interval over problems is right.

    Raises:
        ValueError: fewer than three checkpoints.
    """
    if len(series) < 3:
        raise ValueError(f"a trend needs three checkpoints or more, got {len(series)}")
    parts = [
        weight * view.pass_at(k, benchmark)
        for view, weight in zip(series, contrast(len(series)), strict=True)
        if weight
    ]
    found: Quantity = reduce(add, parts)
    return replace(found, label=f"trend of pass@{k} over {len(series)} checkpoints")


def contrast(steps: int) -> list[float]:
    """Weights that sum to 0, those above it to 1.

    >>> contrast(4)
    [-0.75, -0.25, 0.25, 0.75]
    """
    ranks = [j - (steps - 1) / 2 for j in range(steps)]
    late = sum(rank for rank in ranks if rank > 0)
    return [rank / late for rank in ranks]


def along(series: Sequence[CheckpointView], k: int, benchmark: str, margin: float) -> Table:
    """Each step against base at `k`, and from which step on coverage is lost for sure.

    Tested from the last step backwards, each at full level, until one is not lost by more than
    the margin (a fixed sequence needs no correction): the step before is where to stop early.
    """
    base, losing, rows = series[0], True, []
    for view in reversed(series[1:]):
        gap = view.pass_at(k, benchmark) - base.pass_at(k, benchmark)
        bounds = gap.interval(base.ledger.level)
        losing = losing and gap.verdict(">", -margin) is Verdict.REFUTED
        rows.append((
            view.role, view.pass_at(1, benchmark).value, gap.value, bounds.low, bounds.high,
            "lost" if losing else "",
        ))  # fmt: skip
    head = ("checkpoint", "pass@1", f"pass@{k} − base", "low", "high", "coverage")
    return Table("Along the run", head, rows[::-1], signed=head[2:5])
