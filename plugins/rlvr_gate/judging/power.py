"""What a run of this size can see, and what more of it would decide a claim."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rlvr_gate.records import Interval, Power, Tally, WouldDecide
from rlvr_gate.stats.intervals import influences
from rlvr_gate.stats.verdicts import Enough, enough, minimum_detectable_effect
from rlvr_gate.stats.within import unbiased_within_variance, within_variance

Array = NDArray[np.float64]

POWER = 0.8
_MANY = 1_000_000  # beyond it, the number itself says nothing


@dataclass(frozen=True, slots=True)
class Within:
    """Variance of each problem's value given the problem: what more samples take away."""

    each: Array  # (problems,), never zero, so wide where a problem was never or always solved
    mean: float
    """Mean over problems, without bias where there are samples enough to know it."""

    def __add__(self, other: Within) -> Within:
        """Of a sum or difference of two independent values of each problem."""
        return Within(self.each + other.each, self.mean + other.mean)

    def times(self, factor: float) -> Within:
        """Of values counted `factor` times."""
        return Within(factor**2 * self.each, factor**2 * self.mean)

    def among(self, kept: NDArray[np.intp]) -> Within:
        """Of some of the problems; their mean is no longer without bias."""
        each = self.each[kept]
        return Within(each, float(each.mean()) if each.size else 0.0)


def within(tallies: Sequence[Tally], k: int) -> Within | None:
    """Of pass@k; None where a rule that looks at outcomes chose how many samples to draw."""
    samples, correct = (np.array([getattr(t, of) for t in tallies]) for of in ("n", "correct"))
    if any(t.rounds is not None for t in tallies) or k > samples.min():
        return None
    each = within_variance(samples, correct, k)
    enough_samples = 2 * k <= samples.min()
    mean = (unbiased_within_variance(samples, correct, k) if enough_samples else each).mean()
    return Within(each, float(mean))


def detectable(interval: Interval) -> Power:
    """Evidence: the distance from the threshold that such a run decides four times in five."""
    return Power(minimum_detectable_effect(interval, power=POWER), POWER)


def would_decide(
    estimate: float,
    interval: Interval,
    threshold: float,
    *,
    values: Array,
    samples: int | None,
    within: Within | None,
    strata: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
) -> WouldDecide:
    """Evidence: how many more problems or samples, if the estimate stays where it is.

    Args:
        estimate, interval: of the reading of unscored completions nearest the threshold.
        values: that reading problem by problem, ``(problems,)``.
        within: None where nobody knows how much of the spread is sampling.
    """
    if len(values) < 2:
        return unanswerable("one problem says nothing about others: more problems are needed")
    z, _ = influences(values, strata=strata, clusters=clusters)
    found = enough(
        estimate,
        interval,
        threshold,
        problems=len(values),
        samples=samples or 1,
        variance=len(values) * float(np.sum(z**2)),
        within=0.0 if within is None else within.mean,
    )
    return WouldDecide(found.problems, found.samples, _sentence(found, known=within is not None))


def more_units(
    estimate: float, interval: Interval, threshold: float, problems: int
) -> WouldDecide:
    """Evidence: how many more problems decide a claim about a count of problems."""
    found = enough(
        estimate, interval, threshold, problems=problems, samples=1, variance=1.0, within=0.0
    )
    return WouldDecide(found.problems, None, _sentence(found, known=False))


def widened(estimate: float, interval: Interval, level: float) -> Interval:
    """About the interval that the same numbers have at another level."""
    from scipy.special import ndtri

    times = float(ndtri((1 + level) / 2) / ndtri((1 + interval.level) / 2))
    low, high = estimate - interval.low, interval.high - estimate
    return Interval(estimate - times * low, estimate + times * high, level)


def more_samples(
    estimate: float, interval: Interval, threshold: float, samples: int
) -> WouldDecide:
    """Evidence: how many more samples decide a claim about these problems alone."""
    distance, half = abs(estimate - threshold), (interval.high - interval.low) / 2
    if distance < 1e-12:
        return unanswerable("the estimate lies on the threshold: no number of samples decides it")
    more = max(1, int(np.ceil(samples * ((half / distance) ** 2 - 1))))
    return WouldDecide(None, more, f"{_about(more)} more samples per problem would decide it")


def unanswerable(why: str) -> WouldDecide:
    """Evidence: there is no such number, and why."""
    return WouldDecide(None, None, why)


def _sentence(found: Enough, *, known: bool) -> str:
    if found.problems is None:
        return "the estimate lies on the threshold: no run size decides it"
    problems = f"{_about(found.problems)} more problems"
    if found.samples is not None:
        samples = f"{_about(found.samples)} more samples per problem"
        return f"{samples}, or {problems}, would decide it"
    if not known:
        return f"{problems} would decide it"
    return f"{problems} would decide it; no number of samples at these problems would"


def _about(number: int) -> str:
    return f"more than {_MANY:,}" if number > _MANY else f"about {max(number, 1):,}"
