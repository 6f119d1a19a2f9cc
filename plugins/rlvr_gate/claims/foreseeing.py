"""What a claim compares, found by judging it on counts that nobody drew.

A claim is a function, so what it holds against what is known when it is called: on a made-up run
of the benchmark's own problems, in which nothing has changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rlvr_gate.claims.views import CheckpointView, PairView
from rlvr_gate.judging.ledger import Ledger
from rlvr_gate.judging.planning import KINDS, Design, told
from rlvr_gate.records import Judgement, Problem, Tally


@dataclass(frozen=True)
class Supposed:
    """Counts of a run that was not made, in which no checkpoint differs from another."""

    problems: Mapping[str, Sequence[Problem]]
    samples: int

    def tallies(self, role: str, benchmark: str) -> tuple[Tally, ...]:
        """Of problems that are mostly hard."""
        asked = self.problems[benchmark]
        chances = np.random.default_rng(0).beta(*KINDS["hard"], len(asked))
        rng = np.random.default_rng([*role.encode()])
        return tuple(
            Tally(p.id, self.samples, int(c), stratum=p.stratum, cluster=p.cluster)
            for p, c in zip(asked, rng.binomial(self.samples, chances), strict=True)
        )

    def graded(self, role: str, grading: str, benchmark: str) -> None:
        """Nobody has graded."""
        return None

    def guessing(self, benchmark: str) -> None:
        """Nobody has answered."""
        return None


def supposed_pair(source: Supposed, level: float) -> tuple[PairView, Ledger]:
    """The pair of a gate claim, and what notes its comparisons."""
    ledger = Ledger(level, guaranteed=True)
    base, rlvr = (CheckpointView(role, source, ledger) for role in ("base", "rlvr"))  # type: ignore[arg-type]  # all that counts tell
    return PairView(base, rlvr), ledger


def foreseen(judgement: Judgement, source: Supposed, level: float) -> list[str]:
    """What such a comparison could detect, in sentences; none where nothing is sampled."""
    if design := design_of(judgement, source, level):
        return list(told(design))
    if judgement.evidence.power is None:
        return []
    effect = judgement.evidence.power.effect
    return [f"where nothing changed, a run of this size detects {effect:.3f} beyond the threshold"]


def design_of(judgement: Judgement, source: Supposed, level: float) -> Design | None:
    """Of a claim that pass@k of rlvr exceeds that of base; None of any other."""
    sides = [side.label for side in judgement.evidence.sides or ()]
    k, benchmark = judgement.k, judgement.benchmark
    rises = judgement.relation in (">", ">=") and sides == [f"rlvr pass@{k}", f"base pass@{k}"]
    if k is None or benchmark is None or not rises:
        return None
    units = len({problem.cluster or problem.id for problem in source.problems[benchmark]})
    return Design(units, source.samples, k, round(judgement.threshold, 9), level)
