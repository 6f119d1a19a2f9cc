"""Two-sided p-values of a threshold: the intervals behind the verdicts, turned round.

A verdict is decided at level 1 - alpha when its p-value is at most alpha.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rlvr_gate.stats.intervals import mean_p_value

Array = NDArray[np.float64]


def two_sided(
    low: Array,
    high: Array,
    threshold: float,
    bounds: tuple[float, float],
    strata: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    guaranteed: bool = False,
) -> float:
    """Of a mean whose problems read `low` to `high`; the reading nearest the threshold counts."""
    above = mean_p_value(
        low, threshold, low=bounds[0], high=bounds[1], strata=strata, clusters=clusters,
        guaranteed=guaranteed,
    )  # fmt: skip
    below = mean_p_value(
        -high, -threshold, low=-bounds[1], high=-bounds[0], strata=strata, clusters=clusters,
        guaranteed=guaranteed,
    )  # fmt: skip
    return min(1.0, 2 * min(above, below))


def of_these(low: Array, high: Array, threshold: float, variances: Array) -> float:
    """Of a mean over these problems and no others: only their sampling is uncertain.

    Args:
        variances: of each problem's number given the problem, ``(problems,)``.
    """
    from scipy.special import ndtr

    error = max(float(np.sqrt(variances.sum())) / len(variances), 1e-300)
    above, below = (
        ndtr(-(low.mean() - threshold) / error),
        ndtr((high.mean() - threshold) / error),
    )
    return min(1.0, 2 * float(min(above, below)))


def binomial_p_value(count: int, total: int, share: float) -> float | None:
    """Exact, twice the smaller tail as in the Clopper-Pearson interval; None without a total.

    >>> binomial_p_value(4, 4, 0.5)
    0.125
    """
    from scipy.stats import binom

    if not total:
        return None
    tails = binom.sf(count - 1, total, share), binom.cdf(count, total, share)
    return min(1.0, 2 * float(min(tails)))
