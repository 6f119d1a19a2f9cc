"""Confidence intervals for a mean over problems of bounded per-problem estimates.

Problems are a sample from a population of problems (target *population*) or the whole
question (target *benchmark*). Differences of two checkpoints are paired by problem before
they come here, so they live in [-1, 1]. How well this works, and where it errs wide, is
measured by ``benchmarks/coverage.py`` and written down in ``docs/statistics.md``.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rlvr_gate.records import Interval
from rlvr_gate.stats.proportions import proportion_interval

Floats = NDArray[np.float64]
Target = Literal["population", "benchmark"]

UNSEEN = 0.6
"""How far, as a share of the way to the bound, a kind of problem that the benchmark missed
may lie from the mean. Chosen by simulation: 1 is proof against anything and useless at 30
problems, 0.5 is too narrow where a few per cent of the problems are lost altogether."""


def mean_interval(
    values: ArrayLike,
    *,
    level: float = 0.95,
    low: float = -1.0,
    high: float = 1.0,
    strata: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    target: Target = "population",
    within_variance: ArrayLike | None = None,
) -> Interval:
    """Two-sided interval for the mean over problems of estimates bounded by ``low, high``.

    For a population of problems each end is the farthest of three: Student's t with a
    correction for skewness that only ever widens (Johnson 1978; Hall 1992); the same mean
    with a kind of problem that a benchmark of this size can miss altogether; and, where all
    values agree, the exact bound for zero events. Values that are all ``low`` or ``high``
    are a binomial and get Clopper-Pearson. The spread of the values holds the sampling
    within problems already, so both sources of variance are in.

    Args:
        values: one estimate (or paired difference) per problem, ``(problems,)``.
        level: nominal two-sided coverage in (0, 1); each tail gets half of the rest.
        low, high: what a value can be at all, e.g. -1, 1 for differences and 0, 1 for shares.
        strata: label per problem; the benchmark fixed how many come from each.
        clusters: label per problem; problems of one cluster are not independent.
        target: ``population`` treats problems as drawn; ``benchmark`` as fixed, where only
            the sampling within problems is uncertain.
        within_variance: variance of each value given its problem, ``(problems,)``; needed
            for ``benchmark`` (see `rlvr_gate.stats.within`).

    Returns:
        The interval, inside ``low, high``; all of it when there is one independent problem.

    Raises:
        ValueError: no values, values that are not finite or out of bounds, labels or
            variances of another length, ``benchmark`` without variances.
    """
    x = _values(values, low, high)
    _check_level(level)
    if target == "benchmark":
        half = _normal_half_width(x, level, within_variance)
        return _clipped(float(x.mean()), half, half, level, low, high)
    if target != "population":
        raise ValueError(f"target must be population or benchmark, got {target!r}")
    if strata is None and clusters is None and np.all((x == low) | (x == high)):
        share = proportion_interval(int(np.sum(x == high)), x.size, level=level)
        wide = high - low
        return Interval(low + wide * share.low, low + wide * share.high, level)
    z, df = influences(x, strata=strata, clusters=clusters)
    if df < 1:
        return Interval(low, high, level)
    mean = float(x.mean())
    up = _reach(z, df, (1 - level) / 2, high - mean)
    down = _reach(-z, df, (1 - level) / 2, mean - low)
    return _clipped(mean, down, up, level, low, high)


def influences(
    values: Floats, *, strata: ArrayLike | None = None, clusters: ArrayLike | None = None
) -> tuple[Floats, int]:
    """Centred share of each independent unit in the mean, and the degrees of freedom.

    The squares sum to the variance of the mean. A unit is a problem, or a cluster of
    problems within a stratum; strata with one unit are pooled (Cochran 1977, sec. 5A.12).

    Args:
        values: ``(problems,)``, or ``(problems, ks)`` for several means at once.
    """
    problems = len(values)
    if strata is None and clusters is None:
        return (values - values.mean(axis=0)) / np.sqrt(problems * max(problems - 1, 1)), (
            problems - 1
        )
    stratum = _labels(strata, problems, "strata")
    cluster = _labels(np.arange(problems) if clusters is None else clusters, problems, "clusters")
    unit_of = stratum * (cluster.max() + 1) + cluster
    _, first, unit = np.unique(unit_of, return_index=True, return_inverse=True)
    unit_stratum = _pooled(stratum[first])
    units = np.bincount(unit_stratum)
    sums = _sums(values - _means(values, unit_stratum[unit]), unit) / problems
    spread = np.sqrt(units / np.maximum(units - 1, 1))[unit_stratum]
    return (sums.T * spread).T, int(unit_stratum.size - units.size)


def mean_p_value(
    values: ArrayLike,
    threshold: float,
    *,
    low: float = -1.0,
    high: float = 1.0,
    strata: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
) -> float:
    """One-sided p-value of ``mean <= threshold``: small when the mean lies above.

    The `mean_interval` turned round: the smallest tail at which its low end still clears the
    threshold. For ``mean >= threshold`` negate values and threshold and swap the bounds.
    """

    def clears(tail: float) -> bool:
        found = mean_interval(
            values, level=1 - 2 * tail, low=low, high=high, strata=strata, clusters=clusters
        )
        return found.low > threshold

    if not clears(0.4999):
        return 1.0 if float(np.mean(np.asarray(values))) <= threshold else 0.5
    inside, outside = -12.0, float(np.log10(0.4999))
    for _ in range(24):
        middle = (inside + outside) / 2
        inside, outside = (inside, middle) if clears(10**middle) else (middle, outside)
    return float(10**outside)


def _reach(z: Floats, df: int, tail: float, room: float) -> float:
    """Distance from the mean to its upper end, given what is left up to the bound.

    If problems of a missed kind make up ``rate = 1 - exp(-lam / units)`` of the population, a
    benchmark holds none of them with probability ``exp(-lam)``, and its mean is off by
    ``rate * size``. Demanding that such benchmarks err no more often than ``tail`` and taking
    the worst lam gives the second term; at lam = log(1 / tail) it is the rule of three.
    """
    from scipy.special import stdtrit

    units = z.size
    se = float(np.sqrt(np.sum(z**2)))
    largest = float(np.max(np.abs(z))) * units
    size = min(room, max(UNSEEN * room, largest)) if largest > 1e-12 else room
    quantile = -float(stdtrit(df, tail))
    skew = float(np.sum(z**3)) / se**3 if se > 1e-12 else 0.0
    student = se * (quantile + max(0.0, skew) * (2 * quantile**2 + 1) / 6)
    lam = np.linspace(0.0, np.log(1 / tail), 25)[1:-1]
    missed = size * -np.expm1(-lam / units) + se * -stdtrit(df, tail * np.exp(lam))
    none_seen = size * (1 - tail ** (1 / units))
    return float(max(student, missed.max(), none_seen))


def _normal_half_width(x: Floats, level: float, within_variance: ArrayLike | None) -> float:
    from scipy.special import ndtri

    if within_variance is None:
        raise ValueError("target benchmark needs within_variance, got none")
    v = np.asarray(within_variance, dtype=np.float64)
    if v.shape != x.shape or not np.all(np.isfinite(v)) or np.any(v < 0):
        raise ValueError(f"within_variance must be {x.size} finite numbers >= 0")
    return float(ndtri((1 + level) / 2)) * float(np.sqrt(v.sum())) / x.size


def _sums(values: Floats, group: NDArray[np.intp]) -> Floats:
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    return np.add.reduceat(values[order], starts, axis=0)


def _means(values: Floats, group: NDArray[np.intp]) -> Floats:
    return np.asarray((_sums(values, group).T / np.bincount(group)).T[group])


def _pooled(stratum: NDArray[np.intp]) -> NDArray[np.intp]:
    """Strata of units, with all strata that hold one unit made one."""
    lonely = np.bincount(stratum) == 1
    return np.unique(np.where(lonely[stratum], -1, stratum), return_inverse=True)[1]


def _labels(labels: ArrayLike | None, size: int, name: str) -> NDArray[np.intp]:
    if labels is None:
        return np.zeros(size, dtype=np.intp)
    given = np.asarray(labels)
    if given.shape != (size,):
        raise ValueError(f"{name} must be {size} labels, got shape {given.shape}")
    return np.unique(given, return_inverse=True)[1]


def _values(values: ArrayLike, low: float, high: float) -> Floats:
    x = np.asarray(values, dtype=np.float64)
    if x.ndim != 1 or x.size == 0:
        raise ValueError(f"a mean needs one value per problem, got shape {x.shape}")
    if not np.all(np.isfinite(x)):
        raise ValueError(f"values must be finite, got {np.sum(~np.isfinite(x))} that are not")
    if x.min() < low - 1e-9 or x.max() > high + 1e-9:
        raise ValueError(f"values must lie in [{low}, {high}], got {x.min()} to {x.max()}")
    return x


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise ValueError(f"an interval needs 0 < level < 1, got {level}")


def _clipped(
    mean: float, down: float, up: float, level: float, low: float, high: float
) -> Interval:
    return Interval(max(low, mean - down), min(high, mean + up), level)
