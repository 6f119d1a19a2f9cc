"""What bfloat16 rounding alone does to an update: the null for masks, ranks and spectra.

A weight only changes when its update crosses half the distance to a neighbouring bfloat16 value,
so even a structureless update hits small weights first and leaves a full-rank remainder. How a
weight responds depends on its value alone and bfloat16 has few values, so the response is computed
exactly for each value that occurs, and draws are binomial counts per value instead of matrices.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtr

from rlvr_gate.weights.sources import round_to_bf16
from rlvr_gate.weights.spectra import (
    Array,
    Matrix,
    check_matrix,
    effective_rank,
    singular_values,
    stable_rank,
)

Noise = Literal["gaussian", "sign"]
"""A structureless update: iid normal, or Adam-like, random signs of one magnitude (to 5 %)."""
NOISES: tuple[Noise, ...] = ("gaussian", "sign")

_LARGEST = 0x7F7F  # code of the largest finite bfloat16
_STEPS = 36  # neighbours summed on each side: all that noise of these many gaps can reach
_EXACT = {"gaussian": 2.0, "sign": 16.0}
_JITTER = 0.05  # relative half-width of the "sign" magnitudes: keeps the realised norm continuous
_MARGIN = 1.1  # over the edge: weights' gains differ, which leaves some structure of its own
_BLOCK = 1 << 22


class RoundingError(ValueError):
    """A base that is not bfloat16, or an update that no rounding null can match."""


@dataclass(frozen=True, slots=True)
class Response:
    """How weights answer noise of one scale, for each distinct magnitude, arrays (values,)."""

    flip: Array
    """Probability that the rounded weight differs."""
    square: Array
    """Expected squared change."""
    cross: Array
    """Expected change times noise."""


@dataclass(frozen=True, slots=True)
class OverlapNull:
    """The share of an update that a mask would hold if rounding noise were all there is."""

    noise: Noise
    scale: float
    """Standard deviation or magnitude of the noise before rounding, in units of the weights."""
    density: float
    """Expected share of weights that such noise changes; the observed one may differ."""
    mean: float | None
    """Mean of |mask & update| / |update| over the draws; None where none changed a weight."""
    sd: float | None
    draws: int


@dataclass(frozen=True, slots=True)
class RankNull:
    """Ranks of updates that are rounded noise of the observed norm, mean and sd over draws."""

    noise: Noise
    density: float
    stable_rank: float
    stable_rank_sd: float
    effective_rank: float
    effective_rank_sd: float
    signal_rank: float
    """Mean count of singular values above `noise_edge`."""
    draws: int


@dataclass(frozen=True, slots=True)
class SignalRank:
    """An update's rank above the edge of its own rounding noise."""

    edge: float
    """Largest singular value that rounding noise explains."""
    rank: int
    """Singular values above the edge: what rounding did not make. An update without structure has
    some too once it is not small beside rounding; `RankNull.signal_rank` says how many."""
    stable_rank: float
    """Of the values above the edge, noise removed; 0 if none."""
    effective_rank: float
    """Likewise; exp of entropy (Roy & Vetterli 2007)."""
    explained: float
    """Share of ||dW||_F^2 in the signal above the edge, noise removed, in [0, 1]."""


@dataclass(frozen=True, slots=True)
class Magnitudes:
    """The distinct magnitudes of a bfloat16 matrix: all that the rounding null needs of a base."""

    codes: NDArray[np.int64]
    """Bit patterns without sign, ascending, (values,)."""
    counts: NDArray[np.int64]
    """How many weights have each, (values,)."""

    @property
    def size(self) -> int:
        """How many weights there are."""
        return int(self.counts.sum())


def magnitudes(base: Matrix, mask: NDArray[np.bool_] | None = None) -> Magnitudes:
    """Count the distinct magnitudes of a matrix, or of its weights in `mask`.

    Raises:
        RoundingError: a value is not a bfloat16 value.
    """
    held = magnitude_codes(base)
    counts = np.bincount((held if mask is None else held[mask]).ravel(), minlength=_LARGEST + 1)
    codes = np.flatnonzero(counts)
    return Magnitudes(codes, counts[codes])


def magnitude_codes(base: Matrix) -> NDArray[np.uint16]:
    """bfloat16 bit patterns without the sign, of the shape of `base`.

    Raises:
        RoundingError: a value is not a finite bfloat16 value.
    """
    bits = np.ascontiguousarray(base).view(np.uint32)
    if np.any(bits & np.uint32(0xFFFF)):
        raise RoundingError(
            "the rounding null is about bfloat16, this base has finer values: "
            "round both checkpoints to bfloat16 first"
        )
    codes = ((bits >> np.uint32(16)) & np.uint32(0x7FFF)).astype(np.uint16)
    if codes.size and codes.max() > _LARGEST:
        raise RoundingError("the base holds a NaN or an infinity: fetch it again")
    return codes


def response(codes: NDArray[np.int64], scale: float, noise: Noise) -> Response:
    """What rounding makes of noise of one scale, exactly, for magnitudes `codes` (values,).

    Moments are sums over the neighbours that the noise can reach; where those are too many they
    are the noise's own, plus gap^2/12 of rounding.
    """
    above, moment = _tail(noise), _upper_moment(noise)
    second = 1.0 if noise == "gaussian" else 1.0 + _JITTER**2 / 3
    values = _value(codes)
    up, down = _value(codes + 1) - values, values - _value(codes - 1)
    flip = above(up / (2 * scale)) + above(down / (2 * scale))
    square = np.full(codes.size, second * scale**2) + up**2 / 12
    cross = np.full(codes.size, second * scale**2)
    coarse = np.flatnonzero(scale <= _EXACT[noise] * up)
    square[coarse] = cross[coarse] = 0.0
    for side in (1, -1):
        reach = codes[coarse, None] + side * np.arange(_STEPS + 1)
        far = np.abs(_value(reach) - values[coarse, None])  # (coarse, steps + 1), ascending
        edges = (far[:, 1:] + far[:, :-1]) / (2 * scale)
        square[coarse] += (np.diff(far**2) * above(edges)).sum(1)
        cross[coarse] += scale * (np.diff(far) * moment(edges)).sum(1)
    return Response(np.minimum(flip, 1.0), square, cross)


def matched_scale(base: Magnitudes, norm: float, noise: Noise) -> float:
    """The scale at which rounded noise is expected to have Frobenius norm `norm`.

    Raises:
        RoundingError: `norm` is not positive and finite.
    """
    if not 0 < norm < math.inf:
        raise RoundingError(f"a rounding null needs an update of positive norm, got {norm}")

    def excess(log_scale: float) -> float:
        square = response(base.codes, math.exp(log_scale), noise).square
        return float((base.counts * square).sum()) / norm**2 - 1.0

    low = high = math.log(norm / math.sqrt(base.size))
    while excess(low) > 0:
        low -= 1.0
    while excess(high) < 0:
        high += 1.0
    return math.exp(brentq(excess, low, high, xtol=1e-9) if low < high else low)


def overlap_null(
    base: Magnitudes, masked: Magnitudes, scale: float, noise: Noise, *, draws: int = 200,
    seed: int = 0,
) -> OverlapNull:  # fmt: skip
    """Overlap of a mask with the update mask of rounded noise.

    Each draw counts, value by value, how many weights inside and outside the mask change: the
    distribution of drawing a whole matrix, at the cost of its distinct values.

    Args:
        base: magnitudes of the whole matrix.
        masked: magnitudes of its weights in the mask.
        scale: `matched_scale` of the observed norm.

    Raises:
        RoundingError: fewer than two draws are asked for.
    """
    if draws < 2:
        raise RoundingError(f"a mean and its sd need at least 2 draws, got {draws}")
    flip = response(base.codes, scale, noise).flip
    within = np.zeros_like(base.counts)
    within[np.searchsorted(base.codes, masked.codes)] = masked.counts
    rng = np.random.default_rng(seed)
    inside = np.array([rng.binomial(within, flip).sum() for _ in range(draws)])
    outside = np.array([rng.binomial(base.counts - within, flip).sum() for _ in range(draws)])
    changed = inside + outside
    shares = inside[changed > 0] / changed[changed > 0]
    known = shares.size > 1
    return OverlapNull(
        noise, scale, float((base.counts * flip).sum() / base.size),
        float(shares.mean()) if known else None, float(shares.std(ddof=1)) if known else None,
        draws,
    )  # fmt: skip


def rank_null(
    base: Matrix, norm: float, noise: Noise = "gaussian", *, draws: int = 3, seed: int = 0
) -> RankNull:
    """Stable and effective rank that rounded noise of one norm would show.

    Each draw costs one spectrum of the matrix.

    Raises:
        RoundingError: base is not bfloat16, the norm is not positive, or draws < 2.
        SpectraError: base is not a finite 2-D matrix.
    """
    if draws < 2:
        raise RoundingError(f"a mean and its sd need at least 2 draws, got {draws}")
    check_matrix(base)
    scale = matched_scale(magnitudes(base), norm, noise)
    rng = np.random.default_rng((seed, *base.shape))  # not the stream a base was drawn from
    spectra, changed = [], []
    for _ in range(draws):
        update = rounded_noise(base, scale, noise, rng)
        changed.append(np.count_nonzero(update) / update.size)
        spectra.append(singular_values(update))
    edge = noise_edge(base, norm)
    stable = [stable_rank(s) for s in spectra]
    effective = [effective_rank(s) for s in spectra]
    return RankNull(
        noise, float(np.mean(changed)), float(np.mean(stable)), float(np.std(stable, ddof=1)),
        float(np.mean(effective)), float(np.std(effective, ddof=1)),
        float(np.mean([np.count_nonzero(s > edge) for s in spectra])), draws,
    )  # fmt: skip


def rounded_noise(base: Matrix, scale: float, noise: Noise, rng: np.random.Generator) -> Matrix:
    """One update bf16(base + noise) - base, of the shape of `base`."""
    if noise == "gaussian":
        drawn = rng.standard_normal(base.shape, dtype=np.float32)
    else:
        drawn = 1 + _JITTER * (2 * rng.random(base.shape, dtype=np.float32) - 1)
        drawn *= rng.integers(0, 2, base.shape, dtype=np.int8) * np.float32(2) - 1
    drawn *= np.float32(scale)
    drawn += base
    return round_to_bf16(drawn) - base


def signal_rank(base: Matrix, norm: float, values: Array) -> SignalRank:
    """Rank of an update with its bfloat16 rounding noise taken off.

    Rounding turns a true update L into dW = c L + noise with c the regression of rounded on true
    changes, so that noise and L are uncorrelated (Bussgang 1952); both follow from each weight's
    distance to its neighbours and the observed norm. Independent noise with row sums of variance
    r and column sums q has its largest singular value near sqrt(max r) + sqrt(max q), the edge of
    Marchenko & Pastur 1967 where variances are equal, an upper bound where not (Bandeira & van
    Handel 2016); we add the Tracy-Widom fluctuation at 1 in 1,000 (Johnstone 2001) and a tenth.
    Values above are shrunk as Gavish & Donoho 2017 derive for squared error.

    Directions weaker than the noise are missed. Where most weights are unchanged, rounding also
    cubes a low-rank update: its odd harmonics (L * L * L elementwise) are structure, not noise,
    and the strongest can be counted; the effective rank suffers least.

    Args:
        base: (m, n), bfloat16 values.
        norm: Frobenius norm of the observed update.
        values: its singular values, descending, (min(m, n),).

    Raises:
        RoundingError: base is not bfloat16, or norm is not positive.
    """
    edge = noise_edge(base, norm)
    ratio = min(base.shape) / max(base.shape)
    # Noise of variance 1 / max(m, n) has its edge at 1 + sqrt(ratio).
    scaled = values[values > edge] * ((1 + math.sqrt(ratio)) / edge)
    room = np.maximum((scaled**2 - ratio - 1) ** 2 - 4 * ratio, 0.0)
    clean = np.sqrt(room) / scaled * (edge / (1 + math.sqrt(ratio)))
    return SignalRank(
        edge, scaled.size, stable_rank(clean), effective_rank(clean),
        float(np.square(clean).sum() / norm**2),
    )  # fmt: skip


def noise_edge(base: Matrix, norm: float) -> float:
    """Largest singular value expected of the rounding noise in an update of Frobenius norm `norm`.

    Raises:
        RoundingError: base is not bfloat16, or norm is not positive.
    """
    held = magnitude_codes(base)
    found = magnitudes(base)
    scale = matched_scale(found, norm, "gaussian")
    answer = response(found.codes, scale, "gaussian")
    gain = float((found.counts * answer.cross).sum()) / (found.size * scale**2)
    variance = np.zeros(_LARGEST + 1)
    variance[found.codes] = answer.square - 2 * gain * answer.cross + (gain * scale) ** 2
    rows, columns = np.zeros(base.shape[0]), np.zeros(base.shape[1])
    step = max(1, _BLOCK // base.shape[1])
    for first in range(0, base.shape[0], step):
        noise = variance[held[first : first + step]]
        rows[first : first + step] = noise.sum(1)
        columns += noise.sum(0)
    edge = math.sqrt(rows.max()) + math.sqrt(columns.max())
    return _MARGIN * _fluctuation(base.shape) * edge


def _fluctuation(shape: tuple[int, ...]) -> float:
    short, long = math.sqrt(min(shape)), math.sqrt(max(shape))
    spread = (1 / short + 1 / long) ** (1 / 3) / (short + long)  # of the square, relative
    return math.sqrt(1 + 3.27 * spread)  # 3.27: Tracy-Widom of order 1, quantile .999


def _value(codes: NDArray[np.int64]) -> Array:
    """The bfloat16 value of a signed code: codes count neighbours outwards from zero."""
    bits = np.minimum(np.abs(codes), _LARGEST).astype(np.uint32) << np.uint32(16)
    return np.sign(codes) * bits.view(np.float32).astype(np.float64)


def _tail(noise: Noise) -> Callable[[Array], Array]:
    """P(z > x) of unit noise for x >= 0."""
    if noise == "gaussian":
        return lambda x: np.asarray(ndtr(-x))
    return lambda x: 0.5 * np.clip((1 + _JITTER - x) / (2 * _JITTER), 0.0, 1.0)


def _upper_moment(noise: Noise) -> Callable[[Array], Array]:
    """E[z; z > x] of unit noise for x >= 0."""
    if noise == "gaussian":
        return lambda x: np.exp(-0.5 * np.square(np.minimum(x, 38.0))) / math.sqrt(2 * math.pi)
    most = 1 + _JITTER
    return lambda x: (most**2 - np.square(np.clip(x, 1 - _JITTER, most))) / (8 * _JITTER)
