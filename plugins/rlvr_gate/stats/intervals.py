"""Confidence intervals for a mean over problems of bounded per-problem estimates.

Problems are a sample from a population of problems (target *population*) or the whole
question (target *benchmark*). Differences of two checkpoints are paired by problem before
they come here, so they live in [-1, 1]. How well this works, and where it errs wide, is
measured by ``studies/coverage.py`` and written down in ``docs/statistics.md``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rlvr_gate.records import Interval
from rlvr_gate.stats.guaranteed import guaranteed_interval, guaranteed_p_value
from rlvr_gate.stats.proportions import proportion_interval

Floats = NDArray[np.float64]
Target = Literal["population", "benchmark"]

UNSEEN = 0.6
"""How far, as a share of the way to the bound, a kind of problem that the benchmark missed
may lie from the mean. Chosen by simulation: 1 is a quarter wider at 30 problems to cover next
to nothing more, 0.5 is too narrow where a few per cent of the problems are lost altogether."""

TINY = 1e-12  # below float rounding of a mean of bounded values


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
    guaranteed: bool = False,
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
        low, high: what a value can be at all, e.g. -1, 1 for differences and 0, 1 for shares;
            infinite where nothing bounds it, as with nats: then a kind of problem that the
            benchmark missed is taken to lie no farther out than the farthest one seen.
        strata: label per problem; the benchmark fixed how many come from each.
        clusters: label per problem; problems of one cluster are not independent.
        target: ``population`` treats problems as drawn; ``benchmark`` as fixed, where only
            the sampling within problems is uncertain.
        within_variance: variance of each value given its problem, ``(problems,)``; needed
            for ``benchmark`` (see `rlvr_gate.stats.within`).
        guaranteed: ends that keep their level for every law of bounded values, about a third
            wider (see `rlvr_gate.stats.guaranteed`); nothing promises that without bounds.

    Returns:
        The interval, inside ``low, high``; all of it when there is one independent problem.

    Raises:
        ValueError: no values, values that are not finite or out of bounds, labels or
            variances of another length, ``benchmark`` without variances, one independent
            problem where nothing bounds the values.
    """
    x = _values(values, low, high, dimensions=1)
    _check_level(level)
    if target == "benchmark":
        half = _normal_half_width(x, level, within_variance)
        mean = float(x.mean())
        return Interval(max(low, mean - half), min(high, mean + half), level)
    if target != "population":
        raise ValueError(f"target must be population or benchmark, got {target!r}")
    if guaranteed and np.isfinite([low, high]).all():
        units = None if clusters is None else _labels(clusters, x.size, "clusters")
        return guaranteed_interval(x, level=level, low=low, high=high, clusters=units)
    lows, highs = mean_ends(
        x[:, None], level=level, low=low, high=high, strata=strata, clusters=clusters
    )
    return Interval(float(lows[0]), float(highs[0]), level)


def mean_ends(
    values: ArrayLike,
    *,
    level: float = 0.95,
    low: float = -1.0,
    high: float = 1.0,
    strata: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
) -> tuple[Floats, Floats]:
    """Ends of `mean_interval` (target population) for every column of ``(problems, means)``."""
    x = _values(values, low, high, dimensions=2)
    _check_level(level)
    z, df = influences(x, strata=strata, clusters=clusters)
    if df < 1 and not np.isfinite([low, high]).all():
        raise ValueError("one independent problem says nothing of a mean that nothing bounds")
    if df < 1:
        return np.full(x.shape[1], low), np.full(x.shape[1], high)
    mean, tail = x.mean(axis=0), (1 - level) / 2
    part = unit_shares(len(x), clusters)
    lows = np.maximum(low, mean - _reach(-z, df, tail, mean - low, part))
    highs = np.minimum(high, mean + _reach(z, df, tail, high - mean, part))
    if strata is None and clusters is None and np.isfinite(high - low):
        for i in np.flatnonzero(np.all((x == low) | (x == high), axis=0)):
            share = proportion_interval(int(np.sum(x[:, i] == high)), len(x), level=level)
            lows[i], highs[i] = (low + (high - low) * end for end in (share.low, share.high))
    return lows, highs


def unit_shares(problems: int, clusters: ArrayLike | None = None) -> Floats:
    """Part of the mean that each independent unit is, ``(units,)``; they sum to one."""
    if clusters is None:
        return np.full(problems, 1 / problems)
    return np.bincount(_labels(clusters, problems, "clusters")) / problems


def effective_units(share: Floats) -> float:
    """How many units of equal size would vary as much: all of them where sizes agree."""
    return float(1 / np.sum(share**2))


def influences(
    values: Floats, *, strata: ArrayLike | None = None, clusters: ArrayLike | None = None
) -> tuple[Floats, float]:
    """Centred share of each independent unit in the mean, and the degrees of freedom.

    The squares sum to the variance of the mean. A unit is a problem, or a cluster of
    problems; strata with one unit are pooled (Cochran 1977, sec. 5A.12). Problems of a cluster
    are taken to come out alike, as copies do: a cluster that is a large part of the mean then
    counts by its size, and the degrees of freedom (Satterthwaite's) fall towards one.

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
    sums = _sums(values - _means(values, unit_stratum[unit]), unit) / problems
    size = np.bincount(unit).astype(np.float64)
    part = size / np.bincount(unit_stratum, weights=size)[unit_stratum]  # of its stratum
    alone = _by_stratum(part**2, unit_stratum) - 2 * part + 1  # variance of a unit's deviation
    spread = 1 / np.sqrt(np.where(alone > TINY, alone, 1.0))
    z = _sums((sums.T * spread).T, cluster[first])  # a cluster may lie in several strata
    df = float(len(z) - (unit_stratum.max() + 1))
    if clusters is not None:
        df = min(df, _freedom(size / problems * spread, part, unit_stratum))
    return z, df


def _freedom(root: Floats, part: Floats, stratum: NDArray[np.intp]) -> float:
    """Satterthwaite's degrees of freedom of a sum of squared deviations of units' means.

    The sum is ``x' B x`` with ``B = (I - 1 p')' D (I - 1 p')`` in each stratum, for independent
    units of one variance, so ``df = tr(B)^2 / tr(B^2)``.

    Args:
        root: square roots of the diagonal of D, ``(units,)``.
        part: p, each unit's part of its stratum.
    """
    d = root**2

    def total(values: Floats) -> Floats:
        return np.bincount(stratum, weights=values).astype(np.float64)

    t, a, b, s = total(d), total(d * d), total(d * part), total(part**2)
    trace = t - 2 * b + s * t
    square = (
        a + 2 * a * s + 2 * b * b + (t * s) ** 2 - 4 * t * b * s
        - 4 * total(d * d * part) + 2 * t * total(d * part**2)
    )  # fmt: skip
    return float(trace.sum() ** 2 / square.sum()) if square.sum() > 0 else 0.0


def _by_stratum(values: Floats, stratum: NDArray[np.intp]) -> Floats:
    return np.asarray(np.bincount(stratum, weights=values)[stratum])


def mean_p_value(
    values: ArrayLike,
    threshold: float,
    *,
    low: float = -1.0,
    high: float = 1.0,
    strata: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    guaranteed: bool = False,
) -> float:
    """One-sided p-value of ``mean <= threshold``: small when the mean lies above.

    The `mean_interval` turned round: the smallest tail at which its low end still clears the
    threshold. For ``mean >= threshold`` negate values and threshold and swap the bounds.
    """
    if guaranteed and np.isfinite([low, high]).all():
        return guaranteed_p_value(values, threshold, low=low, clusters=clusters)

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


def ratio_interval(
    numerator: ArrayLike,
    denominator: ArrayLike,
    *,
    level: float = 0.95,
    high: float = 1.0,
    clusters: ArrayLike | None = None,
    guaranteed: bool = False,
) -> Interval:
    """Interval for ``mean(numerator) / mean(denominator)`` of per-problem values in [0, 1].

    Fieller's way: the ratios r for which the `mean_interval` of ``numerator - r
    denominator`` holds zero. All of ``0, high`` where the denominator is not surely positive.
    """
    top, bottom = np.asarray(numerator, float), np.asarray(denominator, float)

    def ends(ratio: float) -> Interval:
        low = -max(ratio, 1e-9)
        return mean_interval(
            top - ratio * bottom, level=level, low=low, high=1.0, clusters=clusters,
            guaranteed=guaranteed,
        )  # fmt: skip

    return Interval(
        _root(lambda r: ends(r).low > 0, high),
        _root(lambda r: ends(r).high >= 0, high),
        level,
    )


def _root(still: Callable[[float], bool], high: float) -> float:
    """Largest r in ``0..high`` up to which ``still`` holds, by bisection."""
    if still(high):
        return high
    left, right = 0.0, high
    for _ in range(18):
        middle = (left + right) / 2
        left, right = (middle, right) if still(middle) else (left, middle)
    return left


def _reach(z: Floats, df: float, tail: float, room: Floats, share: Floats) -> Floats:
    """Distance from each mean to its upper end, given what is left up to the bound.

    If problems of a missed kind make up ``rate = 1 - exp(-lam / units)`` of the population, a
    benchmark holds none of them with probability ``exp(-lam)``, and its mean is off by
    ``rate * size``. Demanding that such benchmarks err no more often than ``tail`` and taking
    the worst lam gives the second term; at lam = log(1 / tail) it is the rule of three.

    Args:
        z: influences, ``(units, means)``.
        room: distance to the bound, ``(means,)``.
        share: part of the mean that each unit is, ``(units,)``; units of unequal sizes miss as
            much as fewer of equal size.
    """
    from scipy.special import stdtrit

    units = effective_units(share)
    se = np.sqrt((z * z).sum(axis=0))
    largest = np.abs(z).max(axis=0) * units
    size = np.where(largest > TINY, np.clip(largest, UNSEEN * room, room), room)
    size = np.where(np.isfinite(room), size, largest)
    quantile = -float(stdtrit(df, tail))
    skew = (z * z * z).sum(axis=0) / np.maximum(se, TINY) ** 3
    student = se * (quantile + np.maximum(0.0, skew) * (2 * quantile**2 + 1) / 6)
    lam = np.linspace(0.0, np.log(1 / tail), 25)[1:-1]
    rate, spread = -np.expm1(-lam / units), -stdtrit(df, tail * np.exp(lam))
    missed = (rate[:, None] * size + spread[:, None] * se).max(axis=0)
    none_seen = size * (1 - tail ** (1 / units))
    return np.asarray(np.maximum(np.maximum(student, missed), none_seen))


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


def _values(values: ArrayLike, low: float, high: float, *, dimensions: int) -> Floats:
    x = np.asarray(values, dtype=np.float64)
    if x.ndim != dimensions or x.size == 0:
        raise ValueError(f"a mean needs one value per problem, got shape {x.shape}")
    if not np.all(np.isfinite(x)):
        raise ValueError(f"values must be finite, got {np.sum(~np.isfinite(x))} that are not")
    if x.min() < low - 1e-9 or x.max() > high + 1e-9:
        raise ValueError(f"values must lie in [{low}, {high}], got {x.min()} to {x.max()}")
    return x


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise ValueError(f"an interval needs 0 < level < 1, got {level}")
