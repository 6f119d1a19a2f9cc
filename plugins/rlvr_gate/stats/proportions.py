"""Intervals for a count out of a total."""

from __future__ import annotations

from rlvr_gate.records import Interval


def proportion_interval(count: int, total: int, *, level: float = 0.95) -> Interval:
    """Clopper-Pearson interval for a binomial proportion: each tail at most (1 - level) / 2.

    Raises:
        ValueError: not ``0 <= count <= total``, nothing counted, or a level outside (0, 1).

    >>> proportion_interval(0, 10).high < proportion_interval(0, 5).high
    True
    """
    from scipy.special import betaincinv

    _check(count, total, level)
    tail = (1 - level) / 2
    low = float(betaincinv(count, total - count + 1, tail)) if count else 0.0
    high = float(betaincinv(count + 1, total - count, 1 - tail)) if count < total else 1.0
    return Interval(low, high, level)


def wilson_interval(count: int, total: int, *, level: float = 0.95) -> Interval:
    """Score interval (Wilson 1927): ``level`` on average over p, below it at some p.

    Shorter than `proportion_interval`; for display, not for a verdict.
    """
    from scipy.special import ndtri

    _check(count, total, level)
    z2 = float(ndtri((1 + level) / 2)) ** 2
    share, scale = count / total, 1 + z2 / total
    centre = share + z2 / (2 * total)
    half = float((z2 * (share * (1 - share) / total + z2 / (4 * total**2))) ** 0.5)
    return Interval(max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale), level)


def _check(count: int, total: int, level: float) -> None:
    if total < 1 or not 0 <= count <= total:
        raise ValueError(
            f"a proportion needs 0 <= count <= total and total >= 1, got {count=}, {total=}"
        )
    if not 0 < level < 1:
        raise ValueError(f"an interval needs 0 < level < 1, got {level}")
