"""One claim about several benchmarks: the mean of a difference over all of them.

That every benchmark must show a rise on its own asks more of thirty problems than thirty can tell.
A mean over the benchmarks is one claim with one tail, whatever their number; its bound is the one
of gate claims, with a benchmark's problems sharing its weight, so a small benchmark that weighs
as much as a large one widens it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from rlvr_gate.judging.arithmetic import Measured, check_range, number
from rlvr_gate.judging.beside import said
from rlvr_gate.judging.p_values import of_these
from rlvr_gate.judging.power import detectable
from rlvr_gate.judging.quantities import Quantity
from rlvr_gate.judging.terms import Array, units
from rlvr_gate.records import (
    POPULATION,
    THESE,
    Conclusion,
    Evidence,
    Interval,
    Judgement,
)
from rlvr_gate.stats.guaranteed import guaranteed_interval, guaranteed_p_value
from rlvr_gate.stats.verdicts import judge

Weigh = Literal["benchmarks", "problems"]


@dataclass(frozen=True, eq=False)
class Pooled(Measured):
    """A mean over several benchmarks of a number of each problem, one quantity a benchmark.

    Args:
        parts: of one meaning, each over another benchmark.
        weigh: every benchmark the same, or every problem.
    """

    label: str
    parts: tuple[Quantity, ...]
    weigh: Weigh = "benchmarks"
    offset: float = 0.0

    @property
    def shares(self) -> Array:
        """Of each problem in the mean, ``(problems,)``; they sum to one."""
        sizes = [len(part.low) for part in self.parts]
        if self.weigh == "problems":
            return np.full(sum(sizes), 1 / sum(sizes))
        return np.concatenate([np.full(size, 1 / size / len(sizes)) for size in sizes])

    @property
    def value(self) -> float:
        """The estimate: midway between the two readings of unscored completions."""
        return float(self.shares @ (self._all("low") + self._all("high")) / 2) + self.offset

    @property
    def interval(self) -> Interval:
        """At the claim's level, for what the claim is about (`target`)."""
        (low, high), level = self.parts[0].bounds, self.parts[0].ledger.level
        if self.target == THESE:
            return self._of_these(level)
        one, other = (
            guaranteed_interval(self._all(end), level=level, low=low, high=high,
                                clusters=self._clusters, shares=self.shares)
            for end in ("low", "high")
        )  # fmt: skip
        return Interval(one.low + self.offset, other.high + self.offset, level)

    def p_value(self, threshold: float) -> float:
        """Two-sided, of a mean at the threshold: `interval` turned round."""
        (low, high), at = self.parts[0].bounds, threshold - self.offset
        if self.target == THESE:
            problems = len(self.shares)
            least, most = (problems * self.shares * self._all(end) for end in ("low", "high"))
            return of_these(least, most, at, problems**2 * self._noise)
        above = guaranteed_p_value(
            self._all("low"), at, low=low, clusters=self._clusters, shares=self.shares
        )
        below = guaranteed_p_value(
            -self._all("high"), -at, low=-high, clusters=self._clusters, shares=self.shares
        )
        return min(1.0, 2 * min(above, below))

    @property
    def target(self) -> str:
        """Other problems of the benchmarks' kinds, or these where all their noise is known."""
        kinds = {part.target for part in self.parts}
        return THESE if kinds == {THESE} else POPULATION

    @property
    def _noise(self) -> Array:
        """What sampling alone adds to the variance of the mean, ``(problems,)``."""
        each = [part.within.each for part in self.parts if part.within is not None]
        return np.asarray(self.shares**2 * np.concatenate(each))

    def _of_these(self, level: float) -> Interval:
        from scipy.special import ndtri

        half = float(ndtri((1 + level) / 2)) * float(np.sqrt(self._noise.sum()))
        low, high = (float(self.shares @ self._all(end)) + self.offset for end in ("low", "high"))
        least, most = (bound + self.offset for bound in self.parts[0].bounds)
        return Interval(max(least, low - half), min(most, high + half), level)

    @property
    def _clusters(self) -> list[str]:
        """A unit of independence for each problem; those of different benchmarks are apart."""
        named = []
        for part in self.parts:
            tallies = part.terms[0].tallies
            each = units(tallies)["clusters"] or [tally.problem for tally in tallies]
            named += [f"{part.benchmark} {name}" for name in each]
        return named

    def _all(self, end: Literal["low", "high"]) -> Array:
        return np.concatenate([getattr(part, end) for part in self.parts])

    def _affine(self, factor: float, offset: float, label: str) -> Pooled:
        parts = tuple(factor * part for part in self.parts)
        return replace(self, label=label, parts=parts, offset=factor * self.offset + offset)

    def _compare(self, other: object, relation: str) -> Judgement:
        threshold = number(other, f"compare {self.label} with", "it can be compared with a number")
        low, high = self.parts[0].bounds
        check_range(self.label, threshold, (low + self.offset, high + self.offset))
        interval, ledger = self.interval, self.parts[0].ledger
        verdict = judge(self.value, interval, relation, threshold)
        found = ledger.admit_over([part.benchmark for part in self.parts], verdict)
        rows = tuple(self._row(part) for part in self.parts)
        return ledger.note(
            Judgement(
                statement=f"{self.label} {relation} {threshold:g}",
                verdict=found.verdict,
                estimate=self.value,
                interval=interval,
                threshold=threshold,
                relation=relation,
                benchmark=None,
                k=self.parts[0].k,
                n=self.parts[0].samples,
                evidence=Evidence(power=detectable(interval), conclusions=rows) | said(found),
                p_value=self.p_value(threshold) if found.verdict is verdict else None,
                guaranteed=self.target == POPULATION,
                target=self.target,
                unit=self.parts[0].unit,
            )
        )

    def _row(self, part: Quantity) -> Conclusion:
        bounds = part.interval(part.ledger.level)
        return Conclusion(
            f"{part.benchmark}: {len(part.low)}", part.value, bounds.low, bounds.high
        )
