"""Numbers with evidence: compare two and get a verdict.

A suite writes `assert pair.rlvr.pass_at(1, b) > pair.base.pass_at(1, b)`. Both sides are
quantities; the comparison forms the paired estimate, its interval and the verdict, notes them in
the claim's ledger and returns a Judgement, which is true only if the claim holds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from typing import Any

import numpy as np

from rlvr_gate.judging.arithmetic import Measured, check_range, number
from rlvr_gate.judging.beside import both_sides, said, ungraded, what_decides
from rlvr_gate.judging.ledger import Ledger
from rlvr_gate.judging.p_values import binomial_p_value, of_these, two_sided
from rlvr_gate.judging.power import Within, detectable, more_units, widened
from rlvr_gate.judging.regrading import dependence
from rlvr_gate.judging.terms import Array, Term, Total, Units, merged, test_of, times, total, units
from rlvr_gate.judging.truncation import Admitted
from rlvr_gate.records import (
    NOTHING,
    POPULATION,
    THESE,
    Evidence,
    Interval,
    Judgement,
    Tally,
    Unit,
    Verdict,
)
from rlvr_gate.stats.intervals import mean_interval
from rlvr_gate.stats.proportions import proportion_interval
from rlvr_gate.stats.verdicts import judge


@dataclass(frozen=True, eq=False)
class Quantity(Measured):
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
    evidence: Evidence = NOTHING
    """Shown beside the verdict, with no part in it."""
    unit: str = Unit.SHARE

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
        known = [t.within.times(t.factor) for t in self.terms if t.within is not None]
        roles = {term.role for term in self.terms}
        return reduce(add, known) if len(known) == len(roles) == len(self.terms) else None

    @property
    def target(self) -> str:
        """What its interval is about: the ledger's, where its noise within problems is known."""
        known = self.ledger.target == POPULATION or self.within is not None
        return self.ledger.target if known else POPULATION

    def interval(self, level: float) -> Interval:
        """Interval for the mean over what the claim is about (`target`)."""
        inner = self.reading(self.low, level)
        outer = inner if self.certain else self.reading(self.high, level)
        return Interval(inner.low + self.offset, outer.high + self.offset, level)

    def p_value(self, threshold: float) -> float:
        """Two-sided, of a mean at the threshold: `interval` turned round, both readings in."""
        at = threshold - self.offset
        sure = self.ledger.guaranteed
        if self.target == THESE and self.within is not None:
            return of_these(self.low, self.high, at, self.within.each)
        return two_sided(self.low, self.high, at, self.bounds, **self.units, guaranteed=sure)

    def continued(self, rescued: float) -> Quantity:
        """The same with up to such a share of each problem's cut completions right."""
        return self._of(tuple(term.continued(rescued) for term in self.terms))

    def supposing(self, share: float | None) -> Quantity:
        """The same with each unscored completion right with a chance of at most `share`.

        None: as often as the scored ones of its problem.
        """
        return self._of(tuple(term.supposing(share) for term in self.terms))

    def regraded(self, tallies: Sequence[Sequence[Tally]]) -> Quantity:
        """The same of other grades of the same completions, one count for each term."""
        graded = zip(self.terms, tallies, strict=True)
        return self._of(tuple(term.regraded(counted) for term, counted in graded))

    def verdict(self, relation: str, threshold: float) -> Verdict:
        """At the ledger's level, by the numbers alone."""
        return judge(self.value, self.interval(self.ledger.level), relation, threshold)

    @property
    def unscored(self) -> int:
        """Completions without a grade, of all checkpoints in it."""
        sides = {term.role: term.tallies for term in self.terms}
        return sum(tally.unscored for tallies in sides.values() for tally in tallies)

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
        if self.target == THESE and self.within is not None:
            return mean_interval(
                values, level=level, low=low, high=high,
                target="benchmark", within_variance=self.within.each,
            )  # fmt: skip
        sure = self.ledger.guaranteed
        return mean_interval(
            values, level=level, low=low, high=high, **self.units, guaranteed=sure
        )

    def _compare(self, other: object, relation: str) -> Judgement:
        if isinstance(other, Quantity):
            contrast, threshold, right = self - other, 0.0, other.label
        else:
            threshold = _threshold(other, self.label)
            contrast, right = self, f"{threshold:g}"
        contrast._check(f"{self.label} {relation} {right}", threshold)
        # An offset belongs to the threshold: the estimate shown is the plain difference.
        threshold -= contrast.offset
        plain = replace(contrast, offset=0.0)
        if self.ledger.margins.unscored < 1:
            plain = plain.supposing(self.ledger.margins.unscored)
        interval = plain.interval(self.ledger.level)
        verdict = judge(plain.value, interval, relation, threshold)
        names = tuple(dict.fromkeys(term.role for term in plain.terms))
        found = Admitted(verdict)
        if len(names) > 1:
            counts = all(term.reread for term in plain.terms)
            found = self.ledger.admit(
                self.benchmark,
                verdict,
                (lambda most: plain.continued(most).verdict(relation, threshold) is verdict)
                if counts
                else None,
                _both(names),
            )
        notes = (
            *ungraded(plain, relation, threshold),
            *dependence(plain, relation, threshold, verdict),
        )
        found = replace(found, notes=(*found.notes, *notes))
        return self.ledger.note(
            Judgement(
                statement=f"{self.label} {relation} {right}",
                verdict=found.verdict,
                estimate=plain.value,
                interval=interval,
                threshold=threshold,
                relation=relation,
                benchmark=self.benchmark,
                k=plain.k,
                n=plain.samples,
                p_value=plain.p_value(threshold) if found.verdict is verdict else None,
                guaranteed=self.ledger.guaranteed
                and plain.target == POPULATION
                and all(map(math.isfinite, plain.bounds)),
                test=plain._test(threshold),
                target=plain.target,
                unit=plain.unit,
                evidence=both_sides(plain, relation, found)
                | what_decides(plain, interval, verdict, threshold),
            )
        )

    def _test(self, threshold: float) -> str:
        whole = Total(self.low, self.high, self.bounds)
        return test_of(self.terms, whole, self.benchmark, threshold)

    def _check(self, statement: str, threshold: float) -> None:
        """Refuse what no data can decide."""
        if not any(term.factor for term in self.terms):
            raise ValueError(f"{statement} compares a number with itself: nothing is measured")
        low, high = self.bounds
        check_range(self.label, threshold, (low + self.offset, high + self.offset))

    def _affine(self, factor: float, offset: float, label: str) -> Quantity:
        offset += factor * self.offset
        return self._of(times(self.terms, factor), label=label, offset=offset)

    def _joined(self, other: Measured, sign: float, label: str) -> Quantity:
        if not isinstance(other, Quantity):
            raise TypeError(
                f"{label}: a mean over problems and {_KINDS[type(other)]} have no joint interval "
                "here; compare each with a number"
            )
        self._check_paired(other)
        return self._of(
            merged((*self.terms, *times(other.terms, sign))),
            label=label,
            offset=self.offset + sign * other.offset,
            k=self.k if self.k == other.k else None,
            evidence=self.evidence | other.evidence,
            unit=self.unit if self.unit == other.unit else Unit.NUMBER,
        )

    def _of(self, terms: tuple[Term, ...], **more: Any) -> Quantity:
        whole = total(terms)
        return replace(
            self, terms=terms, low=whole.low, high=whole.high, bounds=whole.bounds, **more
        )

    def _check_paired(self, other: Quantity) -> None:
        ours = [t.problem for t in self.terms[0].tallies]
        theirs = [t.problem for t in other.terms[0].tallies]
        if self.benchmark != other.benchmark or ours != theirs:
            raise ValueError(
                f"{self.label} on {self.benchmark} and {other.label} on {other.benchmark} are not "
                f"paired: both sides need the same problems of one benchmark"
            )


def _both(names: tuple[str, ...]) -> tuple[str, ...]:
    """The two ways of asking that a contrast is of, base first; none for base's and rlvr's own."""
    if len(names) != 2 or set(names) == {"base", "rlvr"}:
        return ()
    return tuple(sorted(names, key=lambda name: (not name.startswith("base"), name)))


@dataclass(frozen=True, eq=False)
class Proportion(Measured):
    """`count` of `total` units, with the exact (Clopper-Pearson) interval."""

    label: str
    count: int
    total: int
    ledger: Ledger
    benchmark: str
    evidence: Evidence = NOTHING
    problems: int = 0
    """Problems the units were found among; 0 where nobody knows."""
    unit: str = Unit.SHARE

    @property
    def value(self) -> float:
        """count / total; one half, with the interval [0, 1], where there is nothing to count."""
        return self.count / self.total if self.total else 0.5

    @property
    def interval(self) -> Interval:
        """Clopper-Pearson; all of [0, 1] where there is nothing to count."""
        if not self.total:
            return Interval(0.0, 1.0, self.ledger.level)
        return proportion_interval(self.count, self.total, level=self.ledger.level)

    def _affine(self, factor: float, offset: float, label: str) -> Estimate:  # type: ignore[override]  # no share any more
        def p_value(threshold: float) -> float | None:
            return binomial_p_value(self.count, self.total, threshold)

        return Estimate(
            self.label, self.count / self.total if self.total else None, self.interval,
            self.ledger, self.benchmark, self._counted, self.problems, p_value, (0.0, 1.0),
        )._affine(factor, offset, label)  # fmt: skip

    @property
    def _counted(self) -> Evidence:
        return replace(self.evidence, count=self.count, total=self.total)

    def _compare(self, other: object, relation: str) -> Judgement:
        threshold, interval = _threshold(other, self.label), self.interval
        check_range(self.label, threshold, (0.0, 1.0))
        verdict = judge(self.value, interval, relation, threshold)
        return self.ledger.note(
            _over_problems(
                self,
                self.value if self.total else None,
                interval,
                verdict,
                relation,
                threshold,
                self._counted,
                binomial_p_value(self.count, self.total, threshold),
            )
        )


@dataclass(frozen=True, eq=False)
class Estimate(Measured):
    """A number over problems, or other units, that came with an interval of its own."""

    label: str
    value: float | None
    """None where it is 0 / 0."""
    interval: Interval
    ledger: Ledger
    benchmark: str | None
    """None where it is over no benchmark's problems, and their truncation is no matter."""
    evidence: Evidence = NOTHING
    problems: int = 0
    p_value: Callable[[float], float | None] | None = None
    """Two-sided p of a threshold, as the interval's method has it."""
    bounds: tuple[float, float] = (-math.inf, math.inf)
    """What it can be at all."""
    unit: str = Unit.SHARE

    def _affine(self, factor: float, offset: float, label: str) -> Estimate:
        def moved(value: float) -> float:
            return factor * value + offset

        def p_value(threshold: float) -> float | None:
            return self.p_value((threshold - offset) / factor) if self.p_value else None

        ends = sorted(map(moved, (self.interval.low, self.interval.high)))
        least, most = sorted(map(moved, self.bounds))
        return replace(
            self,
            label=label,
            value=None if self.value is None else moved(self.value),
            interval=Interval(ends[0], ends[1], self.interval.level),
            p_value=p_value,
            bounds=(least, most),
        )

    def _compare(self, other: object, relation: str) -> Judgement:
        threshold, bounds = _threshold(other, self.label), self.interval
        check_range(self.label, threshold, self.bounds)
        verdict = Verdict.UNDECIDED
        if self.value is not None:
            verdict = judge(self.value, bounds, relation, threshold)
        return self.ledger.note(
            _over_problems(
                self,
                self.value,
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
    value: float | None,
    interval: Interval,
    verdict: Verdict,
    relation: str,
    threshold: float,
    evidence: Evidence,
    p_value: float | None,
) -> Judgement:
    """The judgement of one number about a benchmark's problems."""
    if value is not None and interval.high > interval.low and measured.problems:
        evidence = replace(evidence, power=detectable(interval))
        if verdict is Verdict.UNDECIDED:
            ledger = measured.ledger
            later = widened(value, interval, ledger.later(interval.level))
            more = more_units(value, later, threshold, measured.problems)
            evidence = replace(evidence, would_decide=ledger.planned(more, interval.level))
    found = Admitted(verdict)
    if measured.benchmark is not None:
        found = measured.ledger.admit(measured.benchmark, verdict)
    return Judgement(
        statement=f"{measured.label} {relation} {threshold:g}",
        verdict=found.verdict,
        estimate=value,
        interval=interval,
        threshold=threshold,
        relation=relation,
        benchmark=measured.benchmark,
        k=None,
        n=None,
        evidence=evidence | said(found),
        p_value=p_value if found.verdict is verdict else None,
        guaranteed=measured.ledger.guaranteed,
        unit=measured.unit,
    )


@dataclass(frozen=True, eq=False)
class Exact(Measured):
    """A number known without sampling error, such as a share over all weights."""

    label: str
    value: float
    ledger: Ledger
    evidence: Evidence = NOTHING
    reasons: Sequence[str] = ()
    """Why it must not be compared, e.g. that there is no update to speak of."""
    unit: str = Unit.SHARE

    def _affine(self, factor: float, offset: float, label: str) -> Exact:
        evidence = self.evidence | Evidence(numbers={self.label: self.value})
        return replace(self, label=label, value=factor * self.value + offset, evidence=evidence)

    def _joined(self, other: Measured, sign: float, label: str) -> Exact:
        if not isinstance(other, Exact):
            return super()._joined(other, sign, label)
        parts = {self.label: self.value, other.label: other.value}
        return replace(
            self,
            label=label,
            value=self.value + sign * other.value,
            evidence=other.evidence | self.evidence | Evidence(numbers=parts),
            reasons=list(dict.fromkeys([*self.reasons, *other.reasons])),
            unit=self.unit if self.unit == other.unit else Unit.NUMBER,
        )

    def _compare(self, other: object, relation: str) -> Judgement:
        right = other.label if isinstance(other, Exact) else None
        bar = other.value if isinstance(other, Exact) else _threshold(other, self.label)
        estimate = self.value - bar if right else self.value
        threshold = 0.0 if right else bar
        interval = Interval(estimate, estimate, self.ledger.level)
        theirs = other.reasons if isinstance(other, Exact) else ()
        reasons = list(dict.fromkeys([*self.reasons, *theirs]))
        verdict = judge(estimate, interval, relation, threshold)
        numbers = {right: bar} if right else {}
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
                unit=self.unit,
                evidence=Evidence(numbers={self.label: self.value, **numbers})
                | self.evidence
                | Evidence(incomparable=tuple(reasons)),
            )
        )


_KINDS = {
    Quantity: "a mean over problems",
    Proportion: "a share of counted problems",
    Estimate: "an estimate with an interval of its own",
    Exact: "a number about weights",
}


def _threshold(other: object, label: str) -> float:
    """The number that `label` is compared with."""
    if isinstance(other, Measured):
        raise TypeError(
            f"cannot compare {label} with {other.label}, {_KINDS[type(other)]}: "
            "nothing here knows their joint interval; compare each with a number"
        )
    return number(other, f"compare {label} with", "it can be compared with a number")
