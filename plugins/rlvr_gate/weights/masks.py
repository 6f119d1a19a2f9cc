"""Where the update lands: its mask against principal and small weights, and against another's.

Shares are of the update mask U: overlap(M, U) = |M & U| / |U|, so a mask of density alpha holds
alpha of an update that ignores it. bfloat16 rounding does not ignore it: small weights change
first, so each overlap also stands beside what rounded noise of the same norm would show.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rlvr_gate.records import UpdateOverlap
from rlvr_gate.weights.rounding import (
    NOISES,
    Noise,
    OverlapNull,
    magnitudes,
    matched_scale,
    overlap_null,
)
from rlvr_gate.weights.spectra import Array, Decomposition, Matrix, difference, frobenius

Mask = NDArray[np.bool_]
RANK = 64
"""Rank of the reconstruction that defines principal weights (arXiv:2606.07082)."""
ALPHA = 0.5
"""Density of both masks (arXiv:2606.07082; its main figure uses 0.3)."""
_BLOCK = 1024  # longer-side entries reconstructed at a time


class MaskError(ValueError):
    """A mask that cannot be made or compared; the message says what was expected."""


@dataclass(frozen=True, slots=True)
class BaseMasks:
    """Masks of one base matrix, each (m, n)."""

    principal: Mask
    """The alpha largest |W0^(r)|, W0^(r) the rank-r reconstruction."""
    low: Mask
    """The alpha smallest |W0|."""
    rank: int
    """r, clipped to the numerical rank."""
    alpha: float

    def named(self) -> tuple[tuple[str, Mask], ...]:
        """The three masks of arXiv:2511.08567, by name."""
        return (
            ("principal", self.principal),
            ("low", self.low),
            ("principal_not_low", self.principal & ~self.low),
        )


@dataclass(frozen=True, slots=True)
class AgainstNull:
    """An overlap held against what rounding alone would show."""

    null: OverlapNull
    z: float | None
    """(overlap - null mean) / null sd; None where the null has no spread or there is no update."""


@dataclass(frozen=True, slots=True)
class MaskOverlap:
    """How much of an update one mask of the base holds."""

    mask: str
    density: float
    """Share of weights in the mask: the overlap of an update that ignores it."""
    overlap: float | None
    """|mask & update| / |update|; None without an update."""
    nulls: tuple[AgainstNull, ...]
    """One for each kind of noise; empty without an update."""


def top_mask(scores: NDArray[np.floating], alpha: float) -> Mask:
    """The round(alpha * size) largest scores; ties go to the lower row-major position.

    `round` is Python's: halves go to the even count.

    Raises:
        MaskError: alpha is not in [0, 1], or a score is NaN.
    """
    count = _count(scores, alpha)
    if count in (0, scores.size):
        return np.full(scores.shape, bool(count))
    flat = scores.ravel()
    threshold = np.partition(flat, flat.size - count)[flat.size - count]
    chosen = flat > threshold
    ties = np.flatnonzero(flat == threshold)
    chosen[ties[: count - int(chosen.sum())]] = True
    mask: Mask = chosen.reshape(scores.shape)
    return mask


def bottom_mask(scores: NDArray[np.floating], alpha: float) -> Mask:
    """The round(alpha * size) smallest scores; ties go to the lower row-major position.

    Raises:
        MaskError: alpha is not in [0, 1], or a score is NaN.
    """
    return top_mask(-scores, alpha)


def base_masks(
    base: Matrix, known: Decomposition, *, rank: int = RANK, alpha: float = ALPHA
) -> BaseMasks:
    """Principal and low-magnitude masks of a base (m, n).

    Raises:
        MaskError: rank < 1, `known` keeps fewer vectors or is of another shape, or alpha is not
            in [0, 1].
    """
    if rank < 1:
        raise MaskError(f"a reconstruction needs rank >= 1, got {rank=}")
    if known.shape != base.shape:
        raise MaskError(f"the decomposition is of shape {known.shape}, base of {base.shape}")
    used = min(rank, known.rank)
    if used > known.kept:
        raise MaskError(
            f"rank {used} needs as many singular vectors, the decomposition keeps {known.kept}"
        )
    scores = _reconstruction(base, known.vectors[:, :used])
    return BaseMasks(
        top_mask(np.abs(scores, out=scores), alpha), bottom_mask(np.abs(base), alpha), used, alpha
    )


def mask_overlaps(
    base: Matrix,
    rlvr: Matrix,
    masks: BaseMasks,
    *,
    noises: tuple[Noise, ...] = NOISES,
    draws: int = 200,
    seed: int = 0,
) -> tuple[MaskOverlap, ...]:
    """Overlap of the update with the principal, the low and the principal-not-low mask.

    Args:
        base, rlvr: (m, n), bfloat16 values.
        masks: `base_masks` of the base.
        noises, draws, seed: of the rounding null; no noises, no null, any dtype.

    Raises:
        RoundingError: base is not bfloat16 and a null was asked for.
        SpectraError: shapes differ.
    """
    update = difference(base, rlvr)
    norm, changed = frobenius(update), update != 0
    whole = magnitudes(base) if noises and norm else None
    scales = {n: matched_scale(whole, norm, n) for n in noises} if whole else {}
    rows = []
    for name, mask in masks.named():
        share = overlap(mask, changed)
        nulls: tuple[AgainstNull, ...] = ()
        if whole is not None:
            held = magnitudes(base, mask)
            drawn = (
                overlap_null(whole, held, scale, noise, draws=draws, seed=seed)
                for noise, scale in scales.items()
            )
            nulls = tuple(AgainstNull(null, _z(share, null.mean, null.sd)) for null in drawn)
        rows.append(MaskOverlap(name, float(mask.mean()), share, nulls))
    return tuple(rows)


def overlap(mask: Mask, update: Mask) -> float | None:
    """|mask & update| / |update|; None for an empty update.

    Raises:
        MaskError: shapes differ.
    """
    if mask.shape != update.shape:
        raise MaskError(f"mask has shape {mask.shape}, update has {update.shape}: compare equals")
    changed = int(np.count_nonzero(update))
    return int(np.count_nonzero(mask & update)) / changed if changed else None


def update_overlap(first: Mask, second: Mask) -> UpdateOverlap:
    """Compare two update masks of one shape.

    Raises:
        MaskError: shapes differ.
    """
    if first.shape != second.shape:
        raise MaskError(f"masks have shapes {first.shape} and {second.shape}: compare equals")
    return counted_overlap(
        int(np.count_nonzero(first)), int(np.count_nonzero(second)),
        int(np.count_nonzero(first & second)), first.size,
    )  # fmt: skip


def counted_overlap(first: int, second: int, both: int, size: int) -> UpdateOverlap:
    """`update_overlap` from counts summed over blocks or tensors.

    Args:
        first, second: weights that each run changed.
        both: weights that both changed.
        size: weights in all.

    Raises:
        MaskError: no such sets exist.
    """
    least, most = max(0, first + second - size), min(first, second)
    if size < 1 or not least <= both <= most or max(first, second) > size:
        raise MaskError(f"no two masks have counts {first=}, {second=}, {both=}, {size=}")
    p, q, union = first / size, second / size, first + second - both
    spread = p * q * (1 - p) * (1 - q) * size * size / max(size - 1, 1)
    return UpdateOverlap(
        both / union if union else None,
        p * q / (p + q - p * q) if union else None,
        both / first if first else None, q,
        both / second if second else None, p,
        (both - p * q * size) / math.sqrt(spread) if spread else None,
    )  # fmt: skip


def _count(scores: NDArray[np.floating], alpha: float) -> int:
    if not 0 <= alpha <= 1:
        raise MaskError(f"a mask's density lies in [0, 1], got {alpha=}")
    if np.isnan(scores).any():
        raise MaskError("a score is NaN and has no place in an order: the checkpoint is damaged")
    return round(alpha * scores.size)


def _reconstruction(base: Matrix, vectors: Array) -> Matrix:
    """Projection of base (m, n) on leading singular vectors of its shorter side."""
    scores = np.empty_like(base)
    wide = base.shape[0] <= base.shape[1]
    for first in range(0, max(base.shape), _BLOCK):
        part = (slice(None), slice(first, first + _BLOCK))
        part = part if wide else part[::-1]
        block = base[part].astype(np.float64)
        scores[part] = vectors @ (vectors.T @ block) if wide else (block @ vectors) @ vectors.T
    return scores


def _z(value: float | None, mean: float | None, sd: float | None) -> float | None:
    return (value - mean) / sd if value is not None and mean is not None and sd else None
