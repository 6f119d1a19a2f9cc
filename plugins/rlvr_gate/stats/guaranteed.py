"""Bounds for a mean of bounded values that promise their level for every law of the values.

Gaffke (2005): give every value a standard exponential weight, add one observation at the bound
against the claim, and ask how often the weighted mean falls short of the threshold. With one value
that is Markov's inequality, with values at the two bounds the binomial test, with all values alike
the rule of three; where values spread it comes close to Student's t. That it never errs more often
than it says, whatever the law, is proved for these cases and conjectured for all (Learned-Miller
and Thomas 2019; Phan, Thomas and Learned-Miller 2021); ``studies/coverage.py --only "worst case"``
enumerates laws of three values exactly and finds none beyond it.

Clusters are one unit each: the sum over a cluster of its problems' distances from the threshold.
That is a mean of independent units too, bounded by the largest cluster, so an uneven design is
covered, as wide as its few large clusters make it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rlvr_gate.records import Interval

Floats = NDArray[np.float64]

_STEP, _NODES, _TURN = 0.1, 240, 40  # of the trapezoidal rule, and how many are taken at a time
_SMALL = 1e-13  # of the integral: nodes that add less come to nothing
_HALVINGS = 60


@dataclass(frozen=True, slots=True)
class Sample:
    """Sums over independent units, with the one observation at the lower bound as the last."""

    total: Floats  # (units + 1,)
    weight: Floats  # (units + 1,), how many problems each sums

    def p_value(self, threshold: float) -> float:
        """Of `the mean is at most the threshold`; small where it lies above."""
        distance, counts = np.unique(self.total - threshold * self.weight, return_counts=True)
        return float(below_zero(distance, counts[None, :])[0])

    def lower_end(self, tail: float) -> float:
        """The largest threshold that the mean exceeds at this `tail`."""
        from scipy.optimize import brentq
        from scipy.special import ndtri

        means = self.total / self.weight
        low, high = float(means[-1]), float(means.max())
        if high <= low:
            return low
        aim = float(ndtri(tail))

        def short(threshold: float) -> float:
            return float(ndtri(np.clip(self.p_value(threshold), 1e-300, 1 - 1e-16))) - aim

        return float(brentq(short, low, high, xtol=1e-10))


def sample(
    values: ArrayLike,
    low: float,
    clusters: ArrayLike | None = None,
    shares: ArrayLike | None = None,
) -> Sample:
    """The values of problems, ``(problems,)``, ready for bounds from below.

    Args:
        shares: of each problem in the mean, ``(problems,)``; the same for all where None.
    """
    x = np.asarray(values, dtype=np.float64)
    part = np.ones(x.size) if shares is None else np.asarray(shares, dtype=np.float64) * x.size
    _, unit = np.unique(np.arange(x.size) if clusters is None else clusters, return_inverse=True)
    total, weight = np.bincount(unit, weights=part * x), np.bincount(unit, weights=part)
    largest = weight.max()
    return Sample(np.append(total, largest * low), np.append(weight, largest))


def guaranteed_interval(
    values: ArrayLike,
    *,
    level: float,
    low: float,
    high: float,
    clusters: ArrayLike | None = None,
    shares: ArrayLike | None = None,
) -> Interval:
    """Two-sided interval for the mean; each end errs in at most half of ``1 - level``.

    Strata that a benchmark fixed are not needed: without them it only errs wide.

    Args:
        shares: of each problem in the mean, ``(problems,)``, where they differ: of several
            benchmarks' problems, say, where every benchmark counts the same.
    """
    x, tail = np.asarray(values, dtype=np.float64), (1 - level) / 2
    part = np.ones(x.size) if shares is None else np.asarray(shares, dtype=np.float64)
    mean = float(np.average(x, weights=part))
    least = sample(x, low, clusters, shares).lower_end(tail)
    most = -sample(-x, -high, clusters, shares).lower_end(tail)
    return Interval(min(least, mean), max(most, mean), level)


def guaranteed_p_value(
    values: ArrayLike,
    threshold: float,
    *,
    low: float,
    clusters: ArrayLike | None = None,
    shares: ArrayLike | None = None,
) -> float:
    """One-sided p-value of ``mean <= threshold``, for any law of values of at least ``low``."""
    return sample(values, low, clusters, shares).p_value(threshold)


def below_zero(distance: Floats, counts: NDArray[np.int64]) -> Floats:
    """P(a sum of exponentials, each times a distance, is at most zero), for every row of counts.

    The Bromwich integral of the sum's moment generating function over ``-s``, along the vertical
    line through its saddle point, where nothing cancels: exact to about ten digits however small
    the probability. No pole is nearer to the saddle point than one of its own widths, so the
    trapezoidal rule after ``y = width sinh(u)`` converges geometrically.

    Args:
        distance: ``(values,)``.
        counts: how many exponentials have each distance, ``(rows, values)``.
    """
    found = np.where(counts @ (distance > 0) > 0, 0.0, 1.0)  # where all lie on one side
    mixed = (counts @ (distance > 0) > 0) & (counts @ (distance < 0) > 0)
    if mixed.any():
        found[mixed] = _integral(distance, counts[mixed])
    return np.asarray(found)


def _integral(distance: Floats, counts: NDArray[np.int64]) -> Floats:
    pole = 1 / np.where(counts > 0, distance, 0.0).min(axis=1)  # the nearest on the left of 0
    saddle = pole * _saddle(distance, counts, pole)
    ratio = distance / (1 - saddle[:, None] * distance)
    width = 1 / np.sqrt((counts * ratio**2).sum(axis=1) + saddle**-2)
    total, height = np.zeros(len(saddle)), np.zeros(len(saddle))
    for start in range(0, _NODES, _TURN):
        u = _STEP * np.arange(start, start + _TURN)
        at = saddle[:, None] + 1j * width[:, None] * np.sinh(u)  # (rows, nodes)
        log = -np.log(-at)
        for each, d in zip(counts.T, distance, strict=True):
            log -= each[:, None] * np.log1p(-d * at)
        if not start:
            height = log[:, 0].real
        terms = np.exp(log - height[:, None]) * np.cosh(u)
        if not start:
            terms[:, 0] /= 2
        total += terms.real.sum(axis=1)
        if np.all(np.abs(terms[:, -1]) < _SMALL * np.abs(total)):
            break
    return np.asarray(np.exp(height) * width * _STEP * total / np.pi)


def _saddle(distance: Floats, counts: NDArray[np.int64], pole: Floats) -> Floats:
    """Where the integrand is least on the real line, as a share of the way to `pole`."""
    left, right = np.zeros(len(pole)), np.ones(len(pole))
    for _ in range(_HALVINGS):
        middle = (left + right) / 2
        at = (middle * pole)[:, None]
        slope = (counts * distance / (1 - at * distance)).sum(axis=1) - 1 / at[:, 0]
        left, right = np.where(slope > 0, middle, left), np.where(slope > 0, right, middle)
    return (left + right) / 2
