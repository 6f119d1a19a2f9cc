"""Is what only RLVR solved within the base's reach? (arXiv:2504.13837v5 app. C.7)"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rlvr_gate.claims.numbers.ratio import both_readings, fewest, ratio, unknown
from rlvr_gate.judging.quantities import Estimate
from rlvr_gate.records import Evidence

if TYPE_CHECKING:
    from rlvr_gate.claims.views import PairView

MORE = 4
"""How many times the budget base is given again, in draws that selected nothing."""


def within_reach(pair: PairView, benchmark: str) -> Estimate:
    """Of what RLVR alone solves in k draws, the share that base solves in 4 k fresh ones.

    k is a fifth of the samples, and all ways to part them are averaged in closed form: with w(q)
    the chance that q draws of base all fail, ``sum w(k) - w(5k)`` over ``sum w(k)``, each problem
    weighed by RLVR's pass@k. So no draw is judged that selected, and none has to be drawn anew.
    Fewer than five samples of a problem say nothing.
    """
    k = fewest(pair, benchmark) // (1 + MORE)
    if k < 1:
        one = pair.rlvr.pass_at(1, benchmark)
        why = f"needs {1 + MORE} samples of every problem: one that selects, {MORE} fresh ones"
        return unknown("share of what rlvr alone solves that base reaches", one, (0.0, 1.0), why)
    once, again = (pair.base.pass_at(q, benchmark) for q in (k, (1 + MORE) * k))
    rlvr = pair.rlvr.pass_at(k, benchmark)
    parts = [
        ((late - early) * solved, (1 - early) * solved)
        for early, late in both_readings(once, again)
        for (solved,) in both_readings(rlvr)
    ]
    numbers = {
        "draws that select": k,
        "fresh draws of base": MORE * k,
        "expected problems of RLVR alone": float(parts[0][1].sum()),
        "the same of base against itself": float(((1 - once.low) * once.low).sum()),
    }
    label = f"share of what rlvr alone solves in {k} draws that base solves in {MORE * k} more"
    return ratio(label, rlvr, parts, Evidence(numbers=numbers))
