"""Simultaneous bands over a ladder of k, and where two curves cross."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rlvr_gate.records import Interval
from rlvr_gate.stats.intervals import TINY, influences, mean_ends

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Band:
    """A curve over k with a band that holds all of it at once with probability ``level``."""

    ks: tuple[int, ...]
    estimate: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    level: float
    pointwise_level: float
    """Level of each single interval that makes the whole band reach ``level``."""

    def at(self, k: int) -> Interval:
        """The band at one k, as an interval of the simultaneous level."""
        i = self.ks.index(k)
        return Interval(self.low[i], self.high[i], self.level)


@dataclass(frozen=True, slots=True)
class CrossingSet:
    """Where base catches up with rlvr for good, on the ladder of k that was looked at.

    The confidence set is ``low..high`` in ladder steps: at level ``level``, rlvr leads
    somewhere below ``low``'s predecessor, and base is not behind from ``high`` on.
    """

    k: int | None
    """Smallest k from which on base >= rlvr at every larger k; None: rlvr leads at the end."""
    last_lead: int | None
    """Largest k at which rlvr still leads; None: it leads nowhere."""
    low: int | None
    """Smallest k the data allow as crossover; None: the data rule a crossover out."""
    high: int | None
    """Largest k the data allow; None: the end of the ladder does not bound it."""
    level: float


def simultaneous_band(
    values: ArrayLike,
    ks: Sequence[int],
    *,
    level: float = 0.95,
    low: float = -1.0,
    high: float = 1.0,
    strata: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    draws: int = 4000,
    seed: int = 0,
) -> Band:
    """Band for the mean over problems at every k of a ladder at once (sup-t).

    Gaussian multipliers on the problems' influences (Chernozhukov, Chetverikov and Kato
    2013; Montiel Olea and Plagborg-Moller 2019) give the critical value of the largest
    studentised error over the ladder; every k then gets the `mean_interval` of the
    pointwise level with that critical value, so the band is as honest at the edges.

    Args:
        values: per-problem estimates or paired differences, ``(problems, len(ks))``.
        draws, seed: multiplier draws and their seed; the band is a function of both.
    """
    x = np.asarray(values, dtype=np.float64)
    if x.ndim != 2 or x.shape[1] != len(ks) or not x.size:
        raise ValueError(f"a band needs (problems, {len(ks)}) values, got shape {x.shape}")
    if list(ks) != sorted(set(ks)):
        raise ValueError(f"a ladder of k must increase, got {list(ks)}")
    pointwise = _pointwise_level(x, level, strata, clusters, draws, seed)
    lows, highs = mean_ends(
        x, level=pointwise, low=low, high=high, strata=strata, clusters=clusters
    )
    return Band(
        tuple(ks),
        tuple(x.mean(axis=0).tolist()),
        tuple(lows.tolist()),
        tuple(highs.tolist()),
        level,
        pointwise,
    )


def crossover(difference: Band) -> CrossingSet:
    """Where the curves cross, from the band of the paired difference rlvr - base.

    Nothing is fitted: a crossover below a k where the whole band is above zero is ruled
    out, and so is one above a k from which on the whole band is at or below zero.
    """
    ks = difference.ks
    leads = [d > TINY for d in difference.estimate]
    surely = [d > TINY for d in difference.low]
    maybe = [d > TINY for d in difference.high]
    estimate, low, high = (_after_last(flags, ks) for flags in (leads, surely, maybe))
    last = max((k for k, lead in zip(ks, leads, strict=True) if lead), default=None)
    return CrossingSet(estimate, last, low, high, difference.level)


def _after_last(flags: Sequence[bool], ks: Sequence[int]) -> int | None:
    """The k after the last true flag: the first if none is true, None if the last is."""
    position = max((i for i, flag in enumerate(flags) if flag), default=-1) + 1
    return ks[position] if position < len(ks) else None


def _pointwise_level(
    x: Floats,
    level: float,
    strata: ArrayLike | None,
    clusters: ArrayLike | None,
    draws: int,
    seed: int,
) -> float:
    from scipy.stats import norm

    z, _ = influences(x, strata=strata, clusters=clusters)  # (units, ks)
    se = np.sqrt(np.sum(z**2, axis=0))
    moving = se > TINY
    if not moving.any():
        return level
    studentised = np.ascontiguousarray(z[:, moving] / se[moving])
    largest = _largest(studentised.tobytes(), z.shape[0], draws, seed)
    critical = float(np.quantile(largest, level))
    return max(level, 1 - 2 * float(norm.sf(critical)))


@lru_cache(maxsize=4)
def _largest(studentised: bytes, units: int, draws: int, seed: int) -> Floats:
    """The largest studentised error of each draw; kept, because bands of one curve at several
    levels, or of several claims, have it in common and it is most of their work.

    Args:
        studentised: float64 ``(units, ks)``, as bytes.
    """
    z = np.frombuffer(studentised).reshape(units, -1)
    multipliers = np.random.default_rng(seed).standard_normal((draws, units))
    found: Floats = np.abs(multipliers @ z).max(axis=1)
    found.setflags(write=False)
    return found
