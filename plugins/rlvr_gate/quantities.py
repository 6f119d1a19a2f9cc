"""Numbers with evidence: compare two and get a verdict.

A suite writes `assert pair.rlvr.pass_at(1, b) > pair.base.pass_at(1, b)`. Both sides are
quantities; the comparison forms the paired estimate, its interval and the verdict, notes them in
the claim's ledger and returns a Judgement, which is true only if the claim holds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rlvr_gate.records import Interval, Judgement, Tally, Verdict
from rlvr_gate.stats.intervals import mean_interval
from rlvr_gate.stats.proportions import proportion_interval
from rlvr_gate.stats.verdicts import judge

Array = NDArray[np.float64]

_SHOWN_PROBLEMS = 6


@dataclass
class Ledger:
    """The comparisons one claim made, in order, and the level they were made at."""

    level: float = 0.95
    comparability: Callable[[str], Sequence[str]] = lambda benchmark: ()
    """benchmark -> why the two runs are not comparable on it; empty where they are."""
    judgements: list[Judgement] = field(default_factory=list)

    def note(self, judgement: Judgement) -> Judgement:
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
        )

    def __add__(self, other: object) -> Quantity:
        if not isinstance(other, int | float):
            return NotImplemented
        return self._shifted(float(other), f"{self.label} + {other:g}")

    @property
    def value(self) -> float:
        """The estimate: midway between the two readings of unscored completions."""
        return float((self.low.mean() + self.high.mean()) / 2 + self.offset)

    def interval(self, level: float) -> Interval:
        """Interval for the mean over the population the problems were drawn from."""
        low, high = self.bounds
        inner = mean_interval(self.low, level=level, low=low, high=high)
        outer = inner
        if not np.array_equal(self.low, self.high):
            outer = mean_interval(self.high, level=level, low=low, high=high)
        return Interval(inner.low + self.offset, outer.high + self.offset, level)

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
                n=max((t.n for term in plain.terms for t in term.tallies), default=None),
                evidence=_evidence(plain, relation, reasons),
            )
        )

    def _shifted(self, by: float, label: str) -> Quantity:
        return Quantity(
            label, self.benchmark, self.low, self.high, self.bounds, self.terms, self.ledger,
            self.k, self.offset + by,
        )  # fmt: skip

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
        reasons = list(self.ledger.comparability(self.benchmark))
        if reasons:
            verdict = Verdict.NOT_COMPARABLE
        counted = {"count": self.count, "total": self.total}
        return self.ledger.note(
            Judgement(
                statement=f"{self.label} {relation} {threshold:g}",
                verdict=verdict,
                estimate=self.value,
                interval=interval,
                threshold=threshold,
                relation=relation,
                benchmark=self.benchmark,
                k=None,
                n=None,
                evidence={**counted, **self.evidence, **_not_comparable(reasons)},
            )
        )


@dataclass(frozen=True, eq=False)
class Exact(Comparable):
    """A number known without sampling error, such as a share over all weights."""

    label: str
    value: float
    ledger: Ledger
    evidence: Mapping[str, object] = field(default_factory=dict)

    def _compare(self, other: object, relation: str) -> Judgement:
        right = other.label if isinstance(other, Exact) else None
        bar = other.value if isinstance(other, Exact) else _number(other, self.label)
        estimate = self.value - bar if right else self.value
        threshold = 0.0 if right else bar
        interval = Interval(estimate, estimate, self.ledger.level)
        return self.ledger.note(
            Judgement(
                statement=f"{self.label} {relation} {right or format(bar, 'g')}",
                verdict=judge(estimate, interval, relation, threshold),
                estimate=estimate,
                interval=interval,
                threshold=threshold,
                relation=relation,
                benchmark=None,
                k=None,
                n=None,
                evidence={self.label: self.value, **({right: bar} if right else {}),
                          **self.evidence},
            )
        )  # fmt: skip


def _number(other: object, label: str) -> float:
    if isinstance(other, bool) or not isinstance(other, int | float):
        raise TypeError(f"{label} can be compared with a number, got {other!r}")
    return float(other)


def _not_comparable(reasons: Sequence[str]) -> dict[str, object]:
    return {"not comparable": list(reasons)} if reasons else {}


def _evidence(contrast: Quantity, relation: str, reasons: Sequence[str]) -> dict[str, object]:
    level = contrast.ledger.level
    evidence: dict[str, object] = {
        "curves": [_term_evidence(term, level) for term in contrast.terms],
        "problems": len(contrast.low),
    }
    if len(contrast.terms) > 1:
        evidence["deciding problems"] = _deciding(contrast, relation)
    return {**evidence, **_not_comparable(reasons)}


def _term_evidence(term: Term, level: float) -> dict[str, object]:
    low = mean_interval(term.low, level=level, low=0.0, high=1.0)
    high = mean_interval(term.high, level=level, low=0.0, high=1.0)
    return {
        "role": term.role,
        "label": term.label,
        "value": float((term.low.mean() + term.high.mean()) / 2),
        "low": low.low,
        "high": high.high,
    }


def _deciding(contrast: Quantity, relation: str) -> list[dict[str, object]]:
    """The problems that weigh most against the claim (or, if it holds, for it)."""
    values = (contrast.low + contrast.high) / 2  # (problems,)
    sign = 1.0 if relation in (">", ">=") else -1.0
    against = np.argsort(sign * values, kind="stable")
    order = against if sign * values.mean() <= 0 else against[::-1]
    rows = []
    for index in order[:_SHOWN_PROBLEMS]:
        if values[index] == 0:
            break
        tallies = {term.label: term.tallies[index] for term in contrast.terms}
        rows.append(
            {"problem": next(iter(tallies.values())).problem, "difference": float(values[index])}
            | {label: f"{t.correct}/{t.n}" for label, t in tallies.items()}
        )
    return rows
