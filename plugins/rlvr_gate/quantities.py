"""Numbers with evidence: compare two and get a verdict.

A suite writes `assert pair.rlvr.pass_at(1, b) > pair.base.pass_at(1, b)`. Both sides are
quantities; the comparison forms the paired estimate, its interval and the verdict, notes them in
the claim's ledger and returns a Judgement, which is true only if the claim holds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import add

import numpy as np
from numpy.typing import NDArray

from rlvr_gate.beside import both_sides, not_comparable, what_decides
from rlvr_gate.looks import Look
from rlvr_gate.p_values import binomial_p_value, two_sided
from rlvr_gate.power import Within, detectable, more_units
from rlvr_gate.records import Interval, Judgement, Tally, Verdict
from rlvr_gate.stats.intervals import mean_interval
from rlvr_gate.stats.proportions import proportion_interval
from rlvr_gate.stats.verdicts import judge
from rlvr_gate.units import Units, units

Array = NDArray[np.float64]


@dataclass
class Ledger:
    """The comparisons one claim made, in order, and the level they were made at."""

    level: float = 0.95
    comparability: Callable[[str], Sequence[str]] = lambda benchmark: ()
    """benchmark -> why the two runs are not comparable on it; empty where they are."""
    look: Look | None = None
    """Which of several looks this is, each with its share of 1 - level; None for one look."""
    overall: float | None = None
    """The level all looks keep together; `level` is then this look's own."""
    judgements: list[Judgement] = field(default_factory=list)

    @classmethod
    def at(cls, look: Look, level: float) -> Ledger:
        """The ledger of one look, all of which together keep `level`."""
        return cls(level=look.level(level), look=look, overall=level)

    def note(self, judgement: Judgement) -> Judgement:
        if self.look is not None and self.overall is not None:
            judgement = self.look.over_all(judgement, self.overall)
        self.judgements.append(judgement)
        return judgement


class Comparable:
    """The four comparisons, each returning a Judgement; equality is left to Python."""

    def __gt__(self, other: object) -> Judgement:
        return self._compare(other, ">")

    def __ge__(self, other: object) -> Judgement:
        return self._compare(other, ">=")

    def __lt__(self, other: object) -> Judgement:
        return self._compare(other, "<")

    def __le__(self, other: object) -> Judgement:
        return self._compare(other, "<=")

    def _compare(self, other: object, relation: str) -> Judgement:
        raise NotImplementedError  # pragma: no cover - every subclass has its own


@dataclass(frozen=True, slots=True)
class Term:
    """One checkpoint's share of a quantity, kept so that a verdict can explain itself."""

    role: str
    label: str
    low: Array  # (problems,) unscored completions counted as wrong
    high: Array  # (problems,) unscored completions counted as correct
    tallies: tuple[Tally, ...]
    within: Within | None = None
    """How much of the spread is sampling; None where nobody can say."""
    bounds: tuple[float, float] = (0.0, 1.0)
    """The range of one problem's number."""
    samples: int | None = None
    """Completions of a problem that it rests on; None: all that the tallies count."""

    @property
    def most_samples(self) -> int:
        """Completions of a problem that it rests on, at most."""
        return self.samples or max((tally.n for tally in self.tallies), default=0)

    def of(self, position: int) -> str:
        """What a reader should see of one problem: correct of n, or the number itself."""
        if self.samples is not None:
            return f"{self.low[position]:.4g}"
        return f"{self.tallies[position].correct}/{self.tallies[position].n}"

    def among(self, kept: NDArray[np.intp]) -> Term:
        """This term over the problems at these positions."""
        return replace(
            self,
            low=self.low[kept],
            high=self.high[kept],
            tallies=tuple(self.tallies[position] for position in kept),
            within=None if self.within is None else self.within.among(kept),
        )


@dataclass(frozen=True, eq=False)
class Quantity(Comparable):
    """A mean over a benchmark's problems of one number per problem.

    `low` and `high` differ where completions are unscored: low counts them as wrong, high as
    correct. The interval covers both readings, so a timeout is never evidence.

    Args:
        label: in words, `rlvr pass@1`.
        low, high: shape (problems,).
        bounds: the range one problem's number can have, before any offset.
        offset: a constant added to the mean, e.g. minus a margin.
    """

    label: str
    benchmark: str
    low: Array
    high: Array
    bounds: tuple[float, float]
    terms: tuple[Term, ...]
    ledger: Ledger
    k: int | None = None
    offset: float = 0.0
    context: Mapping[str, object] = field(default_factory=dict)
    """Evidence shown beside the verdict, with no part in it."""

    def __sub__(self, other: object) -> Quantity:
        if isinstance(other, int | float):
            return self._shifted(-float(other), f"{self.label} − {other:g}")
        if not isinstance(other, Quantity):
            return NotImplemented
        self._check_paired(other)
        return Quantity(
            label=f"{self.label} − {other.label}",
            benchmark=self.benchmark,
            low=self.low - other.high,
            high=self.high - other.low,
            bounds=(self.bounds[0] - other.bounds[1], self.bounds[1] - other.bounds[0]),
            terms=self.terms + other.terms,
            ledger=self.ledger,
            k=self.k if self.k == other.k else None,
            offset=self.offset - other.offset,
            context={**self.context, **other.context},
        )

    def __add__(self, other: object) -> Quantity:
        if not isinstance(other, int | float):
            return NotImplemented
        return self._shifted(float(other), f"{self.label} + {other:g}")

    def beside(self, evidence: Mapping[str, object]) -> Quantity:
        """The same quantity, with evidence to show beside its verdict."""
        return replace(self, context={**self.context, **evidence})

    def among(self, keep: Sequence[bool], which: str) -> Quantity:
        """The same quantity over some of the problems, called `which`."""
        kept = np.flatnonzero(np.asarray(keep, dtype=bool))
        terms = tuple(term.among(kept) for term in self.terms)
        label, low, high = f"{self.label}, {which}", self.low[kept], self.high[kept]
        return replace(self, label=label, low=low, high=high, terms=terms)

    @property
    def strata(self) -> tuple[str, ...] | None:
        """Stratum of each problem; None where the benchmark has no strata."""
        return self.units["strata"]

    @property
    def units(self) -> Units:
        """What the intervals need to know of how the problems hang together."""
        return units(self.terms[0].tallies)

    @property
    def value(self) -> float:
        """The estimate: midway between the two readings of unscored completions."""
        return float((self.low.mean() + self.high.mean()) / 2 + self.offset)

    @property
    def within(self) -> Within | None:
        """Variance within problems; None unless the terms are independent and all known."""
        known = [term.within for term in self.terms if term.within is not None]
        roles = {term.role for term in self.terms}
        return reduce(add, known) if len(known) == len(roles) == len(self.terms) else None

    def interval(self, level: float) -> Interval:
        """Interval for the mean over the population the problems were drawn from."""
        inner = self.reading(self.low, level)
        outer = inner if self.certain else self.reading(self.high, level)
        return Interval(inner.low + self.offset, outer.high + self.offset, level)

    def p_value(self, threshold: float) -> float:
        """Two-sided, of a mean at the threshold: `interval` turned round, both readings in."""
        at = threshold - self.offset
        return two_sided(self.low, self.high, at, self.bounds, **self.units)

    @property
    def samples(self) -> int | None:
        """Completions of a problem that it rests on, at most."""
        return max((term.most_samples for term in self.terms), default=None)

    @property
    def certain(self) -> bool:
        """Whether every completion was scored, so that there is one reading."""
        return np.array_equal(self.low, self.high)

    def reading(self, values: Array, level: float) -> Interval:
        """Interval for the mean of one reading of unscored completions."""
        low, high = self.bounds
        return mean_interval(values, level=level, low=low, high=high, **self.units)

    def _compare(self, other: object, relation: str) -> Judgement:
        if isinstance(other, int | float):
            contrast, threshold, right = self, float(other), f"{other:g}"
        elif isinstance(other, Quantity):
            contrast, threshold, right = self - other, 0.0, other.label
        else:
            raise TypeError(
                f"cannot compare {self.label} with {other!r}: need a quantity or a number"
            )
        # An offset belongs to the threshold: the estimate shown is the plain difference.
        threshold -= contrast.offset
        plain = contrast._shifted(-contrast.offset, contrast.label)
        interval = plain.interval(self.ledger.level)
        verdict = judge(plain.value, interval, relation, threshold)
        roles = {term.role for term in plain.terms}
        reasons = list(self.ledger.comparability(self.benchmark)) if len(roles) > 1 else []
        if reasons:
            verdict = Verdict.NOT_COMPARABLE
        return self.ledger.note(
            Judgement(
                statement=f"{self.label} {relation} {right}",
                verdict=verdict,
                estimate=plain.value,
                interval=interval,
                threshold=threshold,
                relation=relation,
                benchmark=self.benchmark,
                k=plain.k,
                n=plain.samples,
                p_value=None if reasons else plain.p_value(threshold),
                evidence=both_sides(plain, relation, reasons)
                | what_decides(plain, interval, verdict, threshold),
            )
        )

    def _shifted(self, by: float, label: str) -> Quantity:
        return replace(self, label=label, offset=self.offset + by)

    def _check_paired(self, other: Quantity) -> None:
        ours = [t.problem for t in self.terms[0].tallies]
        theirs = [t.problem for t in other.terms[0].tallies]
        if self.benchmark != other.benchmark or ours != theirs:
            raise ValueError(
                f"{self.label} on {self.benchmark} and {other.label} on {other.benchmark} are not "
                f"paired: both sides need the same problems of one benchmark"
            )


@dataclass(frozen=True, eq=False)
class Proportion(Comparable):
    """`count` of `total` units, with the exact (Clopper-Pearson) interval."""

    label: str
    count: int
    total: int
    ledger: Ledger
    benchmark: str
    evidence: Mapping[str, object] = field(default_factory=dict)
    problems: int = 0
    """Problems the units were found among; 0 where nobody knows."""

    @property
    def value(self) -> float:
        """count / total; one half, with the interval [0, 1], where there is nothing to count."""
        return self.count / self.total if self.total else 0.5

    def _compare(self, other: object, relation: str) -> Judgement:
        threshold = _number(other, self.label)
        interval = Interval(0.0, 1.0, self.ledger.level)
        if self.total:
            interval = proportion_interval(self.count, self.total, level=self.ledger.level)
        verdict = judge(self.value, interval, relation, threshold)
        counted = {"count": self.count, "total": self.total, **self.evidence}
        return self.ledger.note(
            _over_problems(
                self,
                self.value,
                interval,
                verdict,
                relation,
                threshold,
                counted,
                binomial_p_value(self.count, self.total, threshold),
            )
        )


@dataclass(frozen=True, eq=False)
class Estimate(Comparable):
    """A number over a benchmark's problems that came with an interval of its own."""

    label: str
    value: float | None
    """None where it is 0 / 0."""
    interval: Interval
    ledger: Ledger
    benchmark: str
    evidence: Mapping[str, object] = field(default_factory=dict)
    problems: int = 0
    p_value: Callable[[float], float] | None = None
    """Two-sided p of a threshold, as the interval's method has it."""

    def _compare(self, other: object, relation: str) -> Judgement:
        threshold, bounds = _number(other, self.label), self.interval
        value = (bounds.low + bounds.high) / 2 if self.value is None else self.value
        verdict = judge(value, bounds, relation, threshold)
        if self.value is None:
            verdict = Verdict.UNDECIDED
        return self.ledger.note(
            _over_problems(
                self,
                value,
                bounds,
                verdict,
                relation,
                threshold,
                self.evidence,
                self.p_value(threshold) if self.p_value else None,
            )
        )


def _over_problems(
    measured: Proportion | Estimate,
    value: float,
    interval: Interval,
    verdict: Verdict,
    relation: str,
    threshold: float,
    evidence: Mapping[str, object],
    p_value: float | None,
) -> Judgement:
    """The judgement of one number about a benchmark's problems."""
    power: dict[str, object] = {}
    if interval.high > interval.low and measured.problems:
        power["power"] = detectable(interval)
        if verdict is Verdict.UNDECIDED:
            power["would decide"] = more_units(value, interval, threshold, measured.problems)
    reasons = list(measured.ledger.comparability(measured.benchmark))
    return Judgement(
        statement=f"{measured.label} {relation} {threshold:g}",
        verdict=Verdict.NOT_COMPARABLE if reasons else verdict,
        estimate=value,
        interval=interval,
        threshold=threshold,
        relation=relation,
        benchmark=measured.benchmark,
        k=None,
        n=None,
        evidence={**evidence, **not_comparable(reasons), **power},
        p_value=None if reasons else p_value,
    )


@dataclass(frozen=True, eq=False)
class Exact(Comparable):
    """A number known without sampling error, such as a share over all weights."""

    label: str
    value: float
    ledger: Ledger
    evidence: Mapping[str, object] = field(default_factory=dict)
    reasons: Sequence[str] = ()
    """Why it must not be compared, e.g. that there is no update to speak of."""

    def _compare(self, other: object, relation: str) -> Judgement:
        right = other.label if isinstance(other, Exact) else None
        bar = other.value if isinstance(other, Exact) else _number(other, self.label)
        estimate = self.value - bar if right else self.value
        threshold = 0.0 if right else bar
        interval = Interval(estimate, estimate, self.ledger.level)
        theirs = other.reasons if isinstance(other, Exact) else ()
        reasons = list(dict.fromkeys([*self.reasons, *theirs]))
        verdict = judge(estimate, interval, relation, threshold)
        return self.ledger.note(
            Judgement(
                statement=f"{self.label} {relation} {right or format(bar, 'g')}",
                verdict=Verdict.NOT_COMPARABLE if reasons else verdict,
                estimate=estimate,
                interval=interval,
                threshold=threshold,
                relation=relation,
                benchmark=None,
                k=None,
                n=None,
                evidence={self.label: self.value, **({right: bar} if right else {}),
                          **self.evidence, **not_comparable(reasons)},
            )
        )  # fmt: skip


def _number(other: object, label: str) -> float:
    if isinstance(other, bool) or not isinstance(other, int | float):
        raise TypeError(f"{label} can be compared with a number, got {other!r}")
    return float(other)
