"""How many different answers a checkpoint gives: entropy over them (arXiv:2507.14843v4 tab. 5)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from rlvr_gate.claims.numbers.number import Floats
from rlvr_gate.judging.quantities import Quantity
from rlvr_gate.judging.terms import Term
from rlvr_gate.records import Answers, Unit

if TYPE_CHECKING:
    from rlvr_gate.claims.views import CheckpointView

DRAWS = 32
"""Answers of a problem that the entropy is over, as published; fewer where there are fewer."""


def answer_entropy(view: CheckpointView, benchmark: str) -> Quantity:
    """Entropy of the extracted answers of 32 draws, in nats; no answer is one of them.

    The mean over all choices of 32 of the samples, in closed form. Answers are told apart as the
    verifier spells them. Of few draws an entropy comes out low, more so for the richer checkpoint;
    with as many draws of both that can only hide a fall. Anything, where nobody recorded the
    answers, there is one, or samples were stopped by their outcomes.
    """
    given, tallies = view.source.answers(view.role, benchmark), view.counts(benchmark)
    fixed = all(tally.rounds is None for tally in tallies)
    draws = min(DRAWS, *(tally.n for tally in tallies))
    most, label = math.log(max(draws, 2)), f"{view.role} entropy of {draws} answers"
    low, high = np.zeros(len(tallies)), np.full(len(tallies), most)
    if given is None:
        label += " (not recorded)"
    elif not fixed:
        label += " (needs fixed samples)"
    elif draws > 1:
        low = high = entropies(given, draws)
    term = Term(view.role, label, low, high, tallies, bounds=(0.0, most), samples=draws)
    return Quantity(label, benchmark, low, high, (0.0, most), (term,), view.ledger, unit=Unit.NATS)


def entropies(given: Sequence[Answers], draws: int) -> Floats:
    """Expected plug-in entropy of `draws` of each problem's answers, ``(problems,)``."""
    from scipy.stats import hypergeom

    drawn = np.arange(1, draws + 1)
    part = -(drawn / draws) * np.log(drawn / draws)

    def expected(counts: Sequence[int]) -> float:
        f = np.array(counts)[:, None]
        return float((hypergeom.pmf(drawn, f.sum(), f, draws) * part).sum())

    return np.array([expected([*each.given.values()]) for each in given])
