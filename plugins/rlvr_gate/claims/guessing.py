"""How far guessing gets: answers of the other problems, drawn blindly, beside every large k.

An answer counts as right where it is spelled like one that the problem's verifier accepted. No
verifier runs here, so judging stays pure and instant; a right answer in a spelling that nobody
gave is missed, and the floor is then a little low.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rlvr_gate.judging.quantities import Quantity
from rlvr_gate.records import (
    Answers,
    Conclusion,
    Evidence,
    Guessable,
    GuessFloor,
    Interval,
    Judgement,
    Unit,
    Verdict,
)
from rlvr_gate.stats.guess import guess_floor, guess_pass_at_k, guessable

LIMIT = 0.05
"""A problem that k guesses solve with more than this chance is guessable: a rule of ours.

That of arXiv:2504.13837v5, app. C.2, is another: it leaves out what its base, asked directly
without a chain of thought, gets right with a chance between 0 and 5 % a draw, and keeps the rest.
"""


@dataclass(frozen=True, slots=True)
class Guessing:
    """A guesser that saw the benchmark but not the problem, against every problem."""

    floor: NDArray[np.float64]  # (problems,) chance that one guess is right

    def reaches(self, k: int) -> float:
        """Its pass@k, the mean over problems."""
        return float(guess_pass_at_k(self.floor, k).mean())

    def solves(self, k: int) -> NDArray[np.bool_]:
        """Problems that `k` guesses solve with more than `LIMIT`, ``(problems,)``."""
        return guessable(self.floor, k, limit=LIMIT)

    def beside(self, k: int) -> Evidence:
        """What the guesser reaches at this k."""
        floor = GuessFloor(k, self.reaches(k), int(self.solves(k).sum()))
        return Evidence(guess_floor=floor)


def guesser(*roles: Sequence[Answers]) -> Guessing | None:
    """The guesser who pools what all checkpoints answered; None where nobody knows that."""
    if not roles or any(len(answers) < 2 for answers in roles):
        return None
    of_problem = list(zip(*roles, strict=True))
    given = [
        [answer for part in parts for answer, times in part.given.items() for _ in range(times)]
        for parts in of_problem
    ]
    return Guessing(guess_floor(given, [frozenset().union(*(p.right for p in parts))
                                        for parts in of_problem]))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Agreed:
    """Whether a conclusion stays the same without some problems: no conclusion may differ."""

    rest: Quantity | None
    """The difference over the others; None where nothing is left out, or nothing left."""
    low: float
    high: float
    """Conclusions that differ, at least and at most."""
    p_value: float | None

    @property
    def verdict(self) -> Verdict:
        """Open where either conclusion is."""
        if self.low < self.high:
            return Verdict.UNDECIDED
        return Verdict.REFUTED if self.low else Verdict.HOLDS


def agreed(difference: Quantity, left_out: NDArray[np.bool_] | None, level: float) -> Agreed:
    """Which checkpoint's lead the interval supports, over all and without those left out.

    Args:
        left_out: of each problem; None where nobody knows.
    """
    rest = None
    if left_out is not None and left_out.any() and not left_out.all():
        rest = difference.among((~left_out).tolist(), "without guessable problems")
    signs = [q.interval(level).sign for q in (difference, rest) if q is not None]
    low, high, p_value = 0.0, 1.0, None
    if left_out is not None and not left_out.any():
        high = 0.0
    elif len(signs) == 2 and all(signs):
        low = high = float(signs[0] != signs[1])
    if rest is not None:
        p_value = max(difference.p_value(0.0), rest.p_value(0.0))  # both leads must be known
    return Agreed(rest, low, high, p_value)


def filtered(difference: Quantity, guessing: Guessing | None, k: int, level: float) -> Judgement:
    """Whether the conclusion stays the same without the problems that guesses solve.

    The conclusion is which checkpoint's lead the interval supports. Counted like a pre-check:
    no conclusion may differ. Nothing to leave out: the same. Either one open: undecided.
    """
    found = agreed(difference, None if guessing is None else guessing.solves(k), level)
    unknown = " (answers not recorded)" if guessing is None else ""
    return Judgement(
        statement=f"conclusions at k = {k} that guessing changes = 0{unknown}",
        verdict=found.verdict,
        estimate=None if guessing is None else found.low,
        interval=Interval(found.low, found.high, level),
        threshold=0.0,
        relation="<=",
        benchmark=difference.benchmark,
        k=k,
        n=None,
        evidence=_evidence(difference, found.rest, guessing, k),
        p_value=found.p_value,
        guaranteed=difference.ledger.guaranteed,
        unit=Unit.COUNT,
    )


def leads(of: Mapping[str, Quantity | None]) -> tuple[Conclusion, ...]:
    """The difference over each set of problems, with its interval."""
    rows = []
    for name, quantity in of.items():
        if quantity is not None:
            bounds = quantity.interval(quantity.ledger.level)
            which = f"{name}: {len(quantity.low)}"
            rows.append(Conclusion(which, quantity.value, bounds.low, bounds.high))
    return tuple(rows)


def _evidence(
    difference: Quantity, rest: Quantity | None, guessing: Guessing | None, k: int
) -> Evidence:
    if guessing is None:
        return Evidence()
    chances = guess_pass_at_k(guessing.floor, k)
    tallies = difference.terms[0].tallies
    return replace(
        guessing.beside(k),
        conclusions=leads({"all": difference, "without the guessable": rest}),
        guessable=tuple(
            Guessable(tallies[i].problem, float(chances[i]))
            for i in np.argsort(-chances, kind="stable")
            if chances[i] > LIMIT
        ),
    )
