"""Confidence intervals for a mean over problems of bounded per-problem estimates.

Problems are a sample from a population of problems (target *population*) or the whole
question (target *benchmark*). Differences of two checkpoints are paired by problem before
they come here, so they live in [-1, 1].
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rlvr_gate.records import Interval

Floats = NDArray[np.float64]
Target = Literal["population", "benchmark"]


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

    Args:
        values: one estimate (or paired difference) per problem, ``(problems,)``.
        level: nominal two-sided coverage in (0, 1); each tail gets half of the rest.
        low, high: what a value can be at all, e.g. -1, 1 for differences and 0, 1 for shares.
        strata: label per problem; the benchmark fixed how many come from each.
        clusters: label per problem; problems of one cluster are not independent.
        target: ``population`` treats problems as drawn; ``benchmark`` as fixed, where only
            the sampling within problems is uncertain.
        within_variance: variance of each value given its problem, ``(problems,)``; needed
            for ``benchmark``.

    Raises:
        ValueError: no values, values that are not finite or out of bounds, labels or
            variances of another length, ``benchmark`` without variances.
    """
    x = _values(values, low, high)
    if not 0 < level < 1:
        raise ValueError(f"an interval needs 0 < level < 1, got {level}")
    if target == "benchmark":
        return _fixed_problems(x, level, low, high, within_variance)
    if target != "population":
        raise ValueError(f"target must be population or benchmark, got {target!r}")
    return _drawn_problems(x, level, low, high, strata, clusters)


def _fixed_problems(
    x: Floats, level: float, low: float, high: float, within: ArrayLike | None
) -> Interval:
    from scipy.stats import norm

    if within is None:
        raise ValueError("target benchmark needs within_variance, got none")
    v = np.asarray(within, dtype=np.float64)
    if v.shape != x.shape or not np.all(np.isfinite(v)) or np.any(v < 0):
        raise ValueError(f"within_variance must be {x.size} finite numbers >= 0")
    half = float(norm.isf((1 - level) / 2)) * float(np.sqrt(v.sum())) / x.size
    return _clipped(float(x.mean()), half, half, level, low, high)


def _drawn_problems(
    x: Floats,
    level: float,
    low: float,
    high: float,
    strata: ArrayLike | None,
    clusters: ArrayLike | None,
) -> Interval:
    from scipy.stats import t

    mean = float(x.mean())
    z, df = _units(x, strata, clusters)
    if df < 1:
        return Interval(low, high, level)
    alpha = 1 - level
    quantile = float(t.isf(alpha / 2, df))
    se = float(np.sqrt(np.sum(z**2)))
    skew = float(np.sum(z**3)) / se**3 if se else 0.0
    shift = se * skew * (2 * quantile**2 + 1) / 6
    unseen = 1 - (alpha / 2) ** (1 / z.size)
    lean = float(np.sum(np.abs(z))) ** 2 < 5 * float(np.sum(z**2)) or not se
    down = max(quantile * se + max(0.0, -shift), unseen * (mean - low) if lean else 0.0)
    up = max(quantile * se + max(0.0, shift), unseen * (high - mean) if lean else 0.0)
    return _clipped(mean, down, up, level, low, high)


def _units(x: Floats, strata: ArrayLike | None, clusters: ArrayLike | None) -> tuple[Floats, int]:
    """Influence of each independent unit on the mean, scaled so that squares sum to its
    variance; and the degrees of freedom. Strata with one unit are pooled."""
    h = _labels(strata, x.size, "strata")
    g = np.arange(x.size) if clusters is None else _labels(clusters, x.size, "clusters")
    pairs, g = np.unique(np.stack([h, g]), axis=1, return_inverse=True)
    unit_stratum = pairs[0]
    counts = np.bincount(unit_stratum)
    pooled = np.where(counts == 1, -1, np.arange(counts.size))
    _, unit_stratum = np.unique(pooled[unit_stratum], return_inverse=True)
    h = unit_stratum[g]
    residual = x - (np.bincount(h, x) / np.bincount(h))[h]
    sums = np.bincount(g, residual, minlength=unit_stratum.size) / x.size
    sizes = np.bincount(unit_stratum)
    scale = sizes / np.maximum(sizes - 1, 1)
    return sums * np.sqrt(scale[unit_stratum]), int(unit_stratum.size - sizes.size)


def _labels(labels: ArrayLike | None, size: int, name: str) -> NDArray[np.intp]:
    if labels is None:
        return np.zeros(size, dtype=np.intp)
    given = np.asarray(labels)
    if given.shape != (size,):
        raise ValueError(f"{name} must be {size} labels, got shape {given.shape}")
    return np.asarray(np.unique(given, return_inverse=True)[1], dtype=np.intp)


def _values(values: ArrayLike, low: float, high: float) -> Floats:
    x = np.asarray(values, dtype=np.float64)
    if x.ndim != 1 or x.size == 0:
        raise ValueError(f"a mean needs one value per problem, got shape {x.shape}")
    if not np.all(np.isfinite(x)):
        raise ValueError(f"values must be finite, got {np.sum(~np.isfinite(x))} that are not")
    if x.min() < low - 1e-9 or x.max() > high + 1e-9:
        raise ValueError(f"values must lie in [{low}, {high}], got {x.min()} to {x.max()}")
    return x


def _clipped(
    mean: float, down: float, up: float, level: float, low: float, high: float
) -> Interval:
    return Interval(max(low, mean - down), min(high, mean + up), level)
