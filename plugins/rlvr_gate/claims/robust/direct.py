"""Does a conclusion hang on problems that base guesses, asked for the answer at once?

The filter of arXiv:2504.13837v5, app. C.2: out goes what base, asked directly, gets right now and
then, so with a chance that is low and not 0; what it knows and what it never hits stay. Its draws
are other ones than those that are judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rlvr_gate.claims.guessing import agreed, leads
from rlvr_gate.judging.quantities import Quantity
from rlvr_gate.records import Evidence, Guessable, Interval, Judgement, Tally, Unit

if TYPE_CHECKING:
    from rlvr_gate.claims.views import PairView

DIRECT = "direct 1"


def agrees_without_guessed(
    pair: PairView, k: int, samples: int, benchmark: str, bound: float
) -> Judgement:
    """Whether the same checkpoint leads at `k` without what base guesses when asked directly.

    Guessed is what it gets right in some of `samples` direct draws and in fewer than `bound` of
    them. The claim needs ``@pytest.mark.asks("base", variant="direct 1", samples=samples)``.
    """
    ledger = pair.base.ledger
    ledger.check(benchmark)
    gap = pair.rlvr.pass_at(k, benchmark) - pair.base.pass_at(k, benchmark)
    base = pair.base.at(variant=DIRECT, samples=samples)
    asked = base.source.was_asked(base.role, benchmark)
    rates = _rates(gap, base.counts(benchmark)) if asked else None
    left_out = None if rates is None else (rates > 0) & (rates < bound)
    found = agreed(gap, left_out, ledger.level)
    unknown = "" if asked else " (no problem can be asked so)"
    return ledger.enter(
        benchmark,
        Judgement(
            statement=f"conclusions at k = {k} that direct guessing changes = 0{unknown}",
            verdict=found.verdict,
            estimate=found.low if asked else None,
            interval=Interval(found.low, found.high, ledger.level),
            threshold=0.0,
            relation="<=",
            benchmark=benchmark,
            k=k,
            n=None,
            unit=Unit.COUNT,
            p_value=found.p_value,
            guaranteed=ledger.guaranteed,
            evidence=Evidence(
                conclusions=leads({"all": gap, "without what base guesses": found.rest}),
                guessable=_guessed(gap, rates, left_out),
            ),
        ),
    )


def _rates(gap: Quantity, direct: Sequence[Tally]) -> NDArray[np.float64]:
    """How often each judged problem was right when asked directly; NaN where it was not asked."""
    right = {tally.problem: tally.correct / tally.n for tally in direct}
    return np.array([right.get(tally.problem, np.nan) for tally in gap.terms[0].tallies])


def _guessed(
    gap: Quantity, rates: NDArray[np.float64] | None, left_out: NDArray[np.bool_] | None
) -> tuple[Guessable, ...] | None:
    if rates is None or left_out is None:
        return None
    problems = [tally.problem for tally in gap.terms[0].tallies]
    return tuple(Guessable(problems[i], float(rates[i])) for i in np.flatnonzero(left_out))
