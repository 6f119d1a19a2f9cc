"""Solved sets of two checkpoints on the same problems, and how sure they are.

A problem is *solved* with at least ``m`` correct samples. The ratios are those of The
Invisible Leash (arXiv:2507.14843v4 sec. 3.2, def. 3.3), taken over problems.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, slots=True)
class SupportSets:
    """Positions (in problem order) of the four solved sets, at ``m`` correct samples."""

    m: int
    preserved: tuple[int, ...]
    """Both checkpoints solve it."""
    gained: tuple[int, ...]
    """Only rlvr solves it."""
    lost: tuple[int, ...]
    """Only base solves it."""
    unreached: tuple[int, ...]
    """Neither does."""

    @property
    def ratios(self) -> Ratios:
        """SRR, NDR, SDS and NSCR of these sets."""
        return leash_ratios(len(self.preserved), len(self.gained), len(self.lost))


@dataclass(frozen=True, slots=True)
class Ratios:
    """The Invisible Leash's summary of a change of support; ``None`` where 0/0."""

    retention: float | None
    """SRR = P / (P + S): share of what base solved that rlvr still solves."""
    discovery: float | None
    """NDR = E / (P + E): share of what rlvr solves that is new."""
    sds: float | None
    """Harmonic mean of the two, 0 without gains."""
    nscr: float | None
    """(E - S) / (P + E + S): net change of support, in [-1, 1]."""


@dataclass(frozen=True, slots=True)
class McNemar:
    """Exact McNemar test of gained against lost problems."""

    gained: int
    lost: int
    p_two_sided: float
    p_more_gained: float
    """One-sided: how often chance alone gains this many or more."""
    p_more_lost: float
    """One-sided: how often chance alone loses this many or more."""


class Sureness(StrEnum):
    """How much a gained or lost problem rests on."""

    SOLID = "solid"
    """Sampling noise alone would hardly (p <= alpha) give counts this far apart."""
    LUCKY = "one lucky sample"
    """Without its luckiest sample the solver would not count as solving it."""
    THIN = "thin"
    """More than one sample, but the same success probability explains both counts."""


def solved_sets(base_correct: ArrayLike, rlvr_correct: ArrayLike, *, m: int = 1) -> SupportSets:
    """Sort problems into preserved, gained, lost and unreached.

    Args:
        base_correct: correct samples of base, ``(problems,)``.
        rlvr_correct: correct samples of rlvr on the same problems, in the same order.
        m: correct samples that count as solved, at least 1.

    Raises:
        ValueError: ``m < 1``, or counts that are not one per problem for both.

    >>> solved_sets([3, 0, 1, 0], [2, 1, 0, 0])
    SupportSets(m=1, preserved=(0,), gained=(1,), lost=(2,), unreached=(3,))
    """
    if m < 1:
        raise ValueError(f"a solved set needs m >= 1 correct samples, got {m=}")
    base, rlvr = _pair(base_correct, rlvr_correct)
    b, r = base >= m, rlvr >= m
    return SupportSets(m, *(_where(mask) for mask in (b & r, r & ~b, b & ~r, ~b & ~r)))


def leash_ratios(preserved: float, gained: float, lost: float) -> Ratios:
    """SRR, NDR, SDS, NSCR from (expected) problem counts (arXiv:2507.14843v4 def. 3.3).

    >>> leash_ratios(preserved=19, gained=0, lost=4).nscr
    -0.17391304347826086
    """
    p, e, s = preserved, gained, lost
    retention = p / (p + s) if p + s else None
    discovery = e / (p + e) if p + e else None
    both = p * p + 2 * p * e + e * s
    sds = None if retention is None or discovery is None else (2 * p * e / both if e else 0.0)
    return Ratios(retention, discovery, sds, (e - s) / (p + e + s) if p + e + s else None)


def mcnemar(gained: int, lost: int) -> McNemar:
    """Exact (binomial) McNemar test that a discordant problem is as likely gained as lost.

    Two-sided: twice the smaller tail, at most 1. With no discordant problem every p is 1.

    >>> mcnemar(gained=0, lost=4).p_two_sided
    0.125
    """
    from scipy.stats import binom

    if min(gained, lost) < 0:
        raise ValueError(f"McNemar needs counts >= 0, got {gained=}, {lost=}")
    more_gained = float(binom.sf(gained - 1, gained + lost, 0.5))
    more_lost = float(binom.sf(lost - 1, gained + lost, 0.5))
    return McNemar(gained, lost, min(1.0, 2 * min(more_gained, more_lost)), more_gained, more_lost)


def sureness(
    solver_samples: int,
    solver_correct: int,
    other_samples: int,
    other_correct: int,
    *,
    m: int = 1,
    alpha: float = 0.05,
) -> Sureness:
    """Tag a gained or lost problem: the solver reached ``m``, the other did not.

    Solid means that Fisher's exact test (one-sided) rejects one success probability for
    both. Among many problems `alpha` is `level_of_each` of them.

    >>> str(sureness(256, 1, 256, 0))
    'one lucky sample'
    >>> str(sureness(256, 9, 256, 0))
    'solid'
    """
    if not other_correct < m <= solver_correct:
        raise ValueError(
            f"one side must reach {m=} and the other not, got {solver_correct=}, {other_correct=}"
        )
    from scipy.stats import hypergeom

    total, samples = solver_correct + other_correct, solver_samples + other_samples
    p = float(hypergeom.sf(solver_correct - 1, samples, total, solver_samples))
    if p <= alpha:
        return Sureness.SOLID
    return Sureness.LUCKY if solver_correct == m else Sureness.THIN


def level_of_each(
    base_samples: ArrayLike,
    base_correct: ArrayLike,
    rlvr_samples: ArrayLike,
    rlvr_correct: ArrayLike,
    *,
    alpha: float = 0.05,
) -> float:
    """At which level to test each problem, both ways, so that all together err at most `alpha`.

    ``alpha / K`` instead of Bonferroni's ``alpha / (2 problems)``: given how many samples were
    correct in both together, a problem's p-value cannot be below that of all of them on one side,
    so problems that cannot reach ``alpha / K`` need not be counted, and K is the smallest number
    for which at most K tests can (Tarone 1990).

    Args:
        base_samples, base_correct, rlvr_samples, rlvr_correct: one for each problem.

    >>> level_of_each([64] * 9, [9] + [0] * 8, [64] * 9, [0] * 9)
    0.025
    """
    from scipy.stats import hypergeom

    base, rlvr = _pair(base_samples, rlvr_samples)
    total = np.add(*_pair(base_correct, rlvr_correct))
    least = [
        hypergeom.sf(np.minimum(total, side) - 1, base + rlvr, total, side)
        for side in (base, rlvr)
    ]
    counts = np.arange(1, 2 * base.size + 1)
    reach = np.searchsorted(np.sort(np.concatenate(least)), alpha / counts, side="right")
    return float(alpha / counts[np.argmax(reach <= counts)])


def _pair(base: ArrayLike, rlvr: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    b, r = np.asarray(base, dtype=np.int64), np.asarray(rlvr, dtype=np.int64)
    if b.ndim != 1 or b.shape != r.shape:
        raise ValueError(f"solved sets need the same problems, got shapes {b.shape}, {r.shape}")
    return b, r


def _where(mask: NDArray[np.bool_]) -> tuple[int, ...]:
    return tuple(np.flatnonzero(mask).tolist())
