"""What a change of support looks like when nothing changed: the same-model null.

Two runs of one checkpoint disagree on hard problems, so they *gain* and *lose* some by
chance and retain less than all (arXiv:2507.14843v4 reports no such null). Here base's own n
samples are split into two halves, over all splits at once, and compared like two
checkpoints; the real pair is compared at the same budget, half of n.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rlvr_gate.records import Interval
from rlvr_gate.stats.intervals import mean_interval, ratio_interval
from rlvr_gate.stats.passk import Ints, checked
from rlvr_gate.stats.support import Ratios, leash_ratios

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class NullExpectation:
    """Expected number of problems in each solved set, over all choices of half the samples."""

    preserved: float
    gained: float
    lost: float
    unreached: float

    @property
    def ratios(self) -> Ratios:
        """SRR, NDR, SDS and NSCR of the expected counts."""
        return leash_ratios(self.preserved, self.gained, self.lost)


@dataclass(frozen=True, slots=True)
class NullComparison:
    """The pair against base-against-itself, at one budget and one ``m``."""

    budget: tuple[int, ...]
    """Samples of each side that are compared, per problem: half of the smaller n."""
    m: int
    pair: NullExpectation
    null: NullExpectation
    excess_lost: Interval
    """Share of problems lost beyond what two runs of base lose to each other."""
    excess_gained: Interval
    """Share of problems gained beyond what two runs of base gain on each other."""
    excess_lost_estimate: float
    excess_gained_estimate: float
    retention: float | None
    """SRR of the pair over SRR of the null: 1 where all that is lost is noise."""
    retention_interval: Interval
    """From 0 to 2, or to four times the ratio, which nothing bounds."""
    discovery: float | None
    """NDR of the pair less what chance alone gains: 0 where all that is gained is noise."""
    discovery_interval: Interval
    """Up to 1."""


def against_same_model(
    base_samples: ArrayLike,
    base_correct: ArrayLike,
    rlvr_samples: ArrayLike,
    rlvr_correct: ArrayLike,
    *,
    m: int = 1,
    level: float = 0.95,
) -> NullComparison:
    """Compare gained and lost problems with those of base against itself.

    With q the chance to reach ``m`` correct in half the samples, the per-problem values
    below are unbiased for ``q_base (1 - q_rlvr) - q_base (1 - q_base)`` and its mirror
    image, so their means are zero for two runs of one model, whatever the problems.

    Raises:
        ValueError: fewer than two samples, ``m < 1``, or counts out of range.
    """
    nb, cb, _ = checked(base_samples, base_correct, 1)
    nr, cr, _ = checked(rlvr_samples, rlvr_correct, 1)
    half = np.minimum(nb, nr) // 2
    if m < 1 or nb.ndim != 1 or nb.shape != nr.shape or half.min() < 1:
        raise ValueError(
            f"the same-model null needs m >= 1 and two samples of every problem, got {m=}, "
            f"shapes {nb.shape}, {nr.shape}"
        )
    base, rlvr = _reach(nb, cb, half, m), _reach(nr, cr, half, m)
    return compared(base, rlvr, _both_halves(nb, cb, half, m), half.tolist(), m=m, level=level)


def compared(
    base: Floats,
    rlvr: Floats,
    both: Floats,
    budget: Sequence[int],
    *,
    m: int,
    level: float,
    clusters: ArrayLike | None = None,
    guaranteed: bool = False,
) -> NullComparison:
    """The comparison from chances per problem, however they were estimated.

    Args:
        clusters: label per problem; problems of one cluster are not independent.
        guaranteed: the ratios' intervals keep their level for every law of the problems.
        base, rlvr: that the checkpoint reaches ``m`` within the budget, ``(problems,)``.
        both: that two disjoint sets of base's samples of that budget each do.
    """
    null_lost = base - both  # one half reaches m, the other does not
    pair = NullExpectation(*map(float, (
        (base * rlvr).sum(), (rlvr * (1 - base)).sum(), (base * (1 - rlvr)).sum(),
        ((1 - base) * (1 - rlvr)).sum(),
    )))  # fmt: skip
    null = NullExpectation(*map(float, (
        both.sum(), null_lost.sum(), null_lost.sum(), (1 - 2 * base + both).sum(),
    )))  # fmt: skip
    lost = base * (1 - rlvr) - null_lost
    gained = rlvr * (1 - base) - null_lost
    kept, kept_null = pair.ratios.retention, null.ratios.retention
    return NullComparison(
        tuple(budget), m, pair, null,
        mean_interval(lost, level=level, clusters=clusters),
        mean_interval(gained, level=level, clusters=clusters),
        float(lost.mean()), float(gained.mean()),
        kept / kept_null if kept is not None and kept_null else None,
        ratio_interval(base * rlvr, both, level=level, high=_wide(base * rlvr, both),
                       clusters=clusters, guaranteed=guaranteed),
        *_discovered(base * rlvr + null_lost, rlvr, level, clusters, guaranteed),
    )  # fmt: skip


def _wide(top: Floats, bottom: Floats) -> float:
    """How far a ratio's interval is looked for that nothing bounds: 2, or four times the ratio."""
    return max(2.0, 4 * float(top.sum() / bottom.sum())) if bottom.sum() > 0 else 2.0


def _discovered(
    expected: Floats, rlvr: Floats, level: float, clusters: ArrayLike | None, guaranteed: bool
) -> tuple[float | None, Interval]:
    """What rlvr solves beyond the problems it shares with base or gains by chance.

    ``expected`` lies in [0, 1]: base * rlvr <= base, and both >= 2 base - 1.
    """
    known = np.clip(expected, 0.0, 1.0)
    share = ratio_interval(
        known, rlvr, level=level, high=_wide(known, rlvr), clusters=clusters,
        guaranteed=guaranteed,
    )  # fmt: skip
    new = 1 - float(expected.sum() / rlvr.sum()) if rlvr.sum() else None
    return new, Interval(1 - share.high, 1 - share.low, level)


def _reach(n: Ints, c: Ints, half: Ints, m: int) -> Floats:
    """P(at least m correct among ``half`` of the n samples)."""
    from scipy.stats import hypergeom

    return np.asarray(hypergeom.sf(m - 1, n, c, half), dtype=np.float64)


def _both_halves(n: Ints, c: Ints, half: Ints, m: int) -> Floats:
    """P(two disjoint sets of ``half`` samples each hold at least m correct)."""
    from scipy.stats import hypergeom

    out = np.zeros(n.shape)
    for n_, h in {*zip(n.tolist(), half.tolist(), strict=True)}:
        at = (n == n_) & (half == h)
        x = np.arange(m, h + 1)
        counts, where = np.unique(c[at], return_inverse=True)
        first = hypergeom.pmf(x[None, :], n_, counts[:, None], h)
        left = np.clip(counts[:, None] - x[None, :], 0, n_ - h)  # beyond it `first` is 0
        second = hypergeom.sf(m - 1, n_ - h, left, h)
        out[at] = (first * second).sum(axis=1)[where]
    return out
