"""A pair, or a series, over counts that a test makes up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

from rlvr_gate.claims.views import CheckpointView, EvidenceSource, PairView
from rlvr_gate.judging.ledger import Ledger
from rlvr_gate.records import Answers, Tally


class Counted:
    """An EvidenceSource over tallies of each role, and answers where there are some."""

    def __init__(
        self,
        tallies: Mapping[str, Sequence[Tally]],
        answers: Mapping[str, Sequence[Answers]] | None = None,
    ) -> None:
        self._tallies, self._answers = tallies, answers

    def tallies(self, role: str, benchmark: str) -> tuple[Tally, ...]:
        return tuple(self._tallies[role])

    def answers(self, role: str, benchmark: str) -> Sequence[Answers] | None:
        return None if self._answers is None else self._answers[role]

    def guessing(self, benchmark: str) -> None:
        return None


def tallies(correct: Sequence[int], n: int, strata: Sequence[str] = ("",)) -> list[Tally]:
    return [
        Tally(f"p{i}", n, int(c), stratum=strata[i % len(strata)]) for i, c in enumerate(correct)
    ]


def views(level: float = 0.95, answers: object = None, **roles: Sequence[Tally]) -> PairView:
    source = cast(EvidenceSource, Counted(roles, answers))  # type: ignore[arg-type]
    ledger = Ledger(level)
    return PairView(CheckpointView("base", source, ledger), CheckpointView("rlvr", source, ledger))


def pair_of(base: Sequence[int], rlvr: Sequence[int], n: int, **more: object) -> PairView:
    return views(base=tallies(base, n), rlvr=tallies(rlvr, n), **more)  # type: ignore[arg-type]


def drawn(p: NDArray[np.float64], n: int, rng: np.random.Generator) -> list[int]:
    counts: list[int] = rng.binomial(n, p).tolist()
    return counts
