"""How much of what a checkpoint writes stands in a corpus, word for word?

The creativity index (Lu et al., arXiv:2410.04265; arXiv:2505.24864 has it beside gains): of a text
the share of words that lie in no span of L words of the corpus, added up over L from 5 to 12; 0
is copied whole, 8 shares no span. It says something of one corpus alone, so its name and size
stand beside every number. What a base learned from is seldom a file; what is, is a part of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rlvr_gate.claims.numbers.tasks import law
from rlvr_gate.claims.texts.corpus import Corpus
from rlvr_gate.claims.texts.spans import LENGTHS
from rlvr_gate.claims.ways.methods import Used
from rlvr_gate.judging.quantities import Quantity
from rlvr_gate.judging.terms import Term
from rlvr_gate.records import Judgement, Unit

if TYPE_CHECKING:
    from rlvr_gate.claims.views import CheckpointView, PairView

Floats = NDArray[np.float64]
ENDS = (0.0, float(len(LENGTHS)))


def creativity(view: CheckpointView, benchmark: str, corpus: Corpus) -> Quantity:
    """The creativity index of a checkpoint's completions, the mean over those of each problem.

    Anything from 0 to 8 where nobody recorded the texts, or where outcomes stopped the samples.
    """
    view.ledger.check(benchmark)
    tallies = view.counts(benchmark)
    used = view.source.methods(view.role, benchmark, corpus.index)
    label = f"{view.role} creativity index"
    low, high = np.full(len(tallies), ENDS[0]), np.full(len(tallies), ENDS[1])
    if used is None:
        label += " (not recorded)"
    elif any(tally.rounds is not None for tally in tallies):
        label += " (needs fixed samples)"
    else:
        low = high = means(used)
    term = Term(
        view.role, label, low, high, tallies, bounds=ENDS, samples=max(t.n for t in tallies)
    )
    found = Quantity(label, benchmark, low, high, ENDS, (term,), view.ledger, unit=Unit.NUMBER)
    return found.beside(corpus.facts)


def means(used: Sequence[Mapping[str, Used]]) -> Floats:
    """Of each problem, over its completions."""
    return np.array(
        [
            sum(float(index) * of.n for index, of in each.items())
            / sum(o.n for o in each.values())
            for each in used
        ]
    )


def creativity_against_gain(
    pair: PairView, k: int, benchmarks: Sequence[str], corpus: Corpus
) -> Judgement:
    """Slope of the gain in pass@k over base's creativity index, one point a task.

    As `start_against_gain`: each number from another half of a task's problems, ten tasks or more.
    """
    starts = [creativity(pair.base, b, corpus) for b in benchmarks]
    gains = [pair.rlvr.pass_at(k, b) - pair.base.pass_at(k, b) for b in benchmarks]
    label = f"slope of the gain in pass@{k} over base's creativity index, over tasks"
    return law(pair, label, ">", starts, gains, ("creativity index of base", "gain"))
