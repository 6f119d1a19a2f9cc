"""Is RLVR less at home in solutions that others wrote? (arXiv:2507.14843v4 tab. 2)"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from rlvr_gate.claims.solved import CLASSES
from rlvr_gate.judging.quantities import Estimate, Quantity
from rlvr_gate.judging.terms import Term
from rlvr_gate.records import Evidence, Table, Tally, Unit

if TYPE_CHECKING:
    from rlvr_gate.claims.views import CheckpointView, PairView

Floats = NDArray[np.float64]

FEWEST = 10
"""Problems of a category below which nothing is said of it."""
NATS = (0.0, float("inf"))
_SEVERAL = 2


class TraceSource(Protocol):
    """Where scores of others' solutions come from."""

    def traced(self, name: str, role: str, benchmark: str) -> Sequence[Floats]:
        """Of each problem asked, in order, mean -log p per token of each right solution.

        LookupError where the claim did not ask in time.
        """


def surprise(view: CheckpointView, name: str, benchmark: str) -> Quantity | None:
    """-log p per token of others' right solutions, of the problems that have one; or None.

    Solutions of a problem are averaged first.
    """
    view.ledger.check(benchmark)
    each = view.source.traced(name, view.role, benchmark)
    kept = [len(values) > 0 for values in each]
    if not any(kept):
        return None
    tallies = tuple(
        Tally(t.problem, len(v), len(v), stratum=t.stratum, cluster=t.cluster)
        for t, v in zip(view.source.tallies("base", benchmark), each, strict=True)
    )
    means = np.array([values.mean() if len(values) else 0.0 for values in each])
    label = f"{view.role} log-perplexity of {name}'s solutions"
    most = max(map(len, each))
    term = Term(name, label, means, means, tallies, bounds=NATS, samples=most)
    whole = Quantity(
        label, benchmark, means, means, NATS, (term,), view.ledger, unit=Unit.NATS_PER_TOKEN
    )
    return whole if all(kept) else whole.among(kept, f"{sum(kept)} problems with a solution")


def less_at_home(pair: PairView, name: str, benchmark: str) -> Quantity | Estimate:
    """How much more others' right solutions surprise RLVR than its base, in nats a token.

    Paired by problem; both read the base's prompt. Beside it the same by what the pair solves:
    its categories come from the pair's own samples, the solutions from elsewhere, so that no
    selection bends it. The claim needs `@pytest.mark.traces(name)`.
    """
    label = f"{name}'s solutions: surprise of rlvr less that of base"
    base, rlvr = (surprise(view, name, benchmark) for view in (pair.base, pair.rlvr))
    if base is None or rlvr is None or len(base.low) < _SEVERAL:
        from rlvr_gate.claims.numbers.ratio import unknown  # which hands this out

        one = pair.rlvr.pass_at(1, benchmark)
        why = f"needs right solutions of {_SEVERAL} problems or more"
        return unknown(label, one, (-100.0, 100.0), f"{name}: {why}")
    gap = rlvr - base
    ratio = {"perplexity of rlvr over base's": float(np.exp(gap.value))}
    shown = Evidence(numbers=ratio, exhibits=(_by_category(pair, benchmark, base, rlvr, gap),))
    return replace(gap, label=label, evidence=gap.evidence | shown)


def _by_category(
    pair: PairView, benchmark: str, base: Quantity, rlvr: Quantity, gap: Quantity
) -> Table:
    """Of preserved, gained, lost and unreached problems, where there are enough."""
    sets = pair.solved(benchmark)
    solved = {problem: name for name in CLASSES for problem in sets.ids(name)}
    of = [solved[tally.problem] for tally in gap.terms[0].tallies]
    rows: list[tuple[str | float | None, ...]] = []
    for name in CLASSES:
        keep = [each == name for each in of]
        if sum(keep) < FEWEST:
            rows.append((name, sum(keep), None, None, None, None, None))
            continue
        one, two, difference = (q.among(keep, name) for q in (base, rlvr, gap))
        bounds = difference.interval(gap.ledger.level)
        perplexities = (float(np.exp(q.value)) for q in (one, two))
        rows.append((name, sum(keep), *perplexities, difference.value, bounds.low, bounds.high))
    head = ("solved by the pair", "problems", "perplexity, base", "rlvr", "difference", "low",
            "high")  # fmt: skip
    return Table("Others' solutions by what the pair solves", head, rows, signed=head[4:])
