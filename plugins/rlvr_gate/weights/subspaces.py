"""How far the update turned a matrix's leading singular subspaces, and whether theory agrees.

Angles come from sines, singular values of (I - P0) U+, which stay accurate where an arccos of a
cosine near 1 loses half its digits; above 45 degrees they come from cosines.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.linalg import blas, cholesky

from rlvr_gate.weights.spectra import (
    KEPT,
    Array,
    Decomposition,
    Matrix,
    NumericsError,
    SpectraError,
    SpectralShift,
    UpdateSpectrum,
    check_matrix,
    decompose,
    describe,
    difference,
    rounding,
    singular_values,
    spectral_shift,
)

PRECISION = 0.05
"""Degrees: angles known less accurately are computed again by the exact path, or flagged."""
_BLOCK = 1024  # longer-side entries multiplied at a time
_SINGLE = float(np.finfo(np.float32).eps)


@dataclass(frozen=True, slots=True)
class Angles:
    """Principal angles between two subspaces of one dimension, in degrees."""

    largest: float
    mean: float
    curve: tuple[float, ...]
    """All k angles, ascending."""
    projector_distance: float
    """||P0 - P+||_F / sqrt(2) = sqrt(sum sin^2), in [0, sqrt(k)]."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """Rotation of the top-k singular subspaces of a matrix by its update."""

    k: int
    requested_k: int
    left: Angles
    """In the space of rows, (m,)."""
    right: Angles
    """In the space of columns, (n,)."""
    gap: float
    """gamma_k = sigma_k - sigma_(k+1) of the base."""
    wedin_degrees: float
    """arcsin(min(1, ||dW||_2 / gamma_k)) as arXiv:2511.08567 states it; 90 says nothing."""
    ill_conditioned: bool
    """||dW||_2 >= gamma_k: the update can swap directions across the cut at k, so large angles
    need not mean that much was learned; read the projector distance beside them."""
    error_degrees: float
    """Bound on the numerical error of any angle; 90 where the base has no gap after k."""
    note: str
    """Why k was clipped, or that the numerics cannot tell; empty if neither."""

    @property
    def precise(self) -> bool:
        """Whether the numerical error is within 0.05 degrees."""
        return self.error_degrees <= PRECISION


@dataclass(frozen=True, slots=True)
class Inequalities:
    """Perturbation theorems that any pair of matrices satisfies; slack is bound - value."""

    weyl_slack: float
    """||dW||_2 - max_i |sigma_i(W+) - sigma_i(W0)|."""
    mirsky_slack: float
    """||dW||_F - ||sigma(W+) - sigma(W0)||_2."""
    wedin_slack: float | None
    """||dW||_2 / delta - sin(largest angle); None where Wedin's theorem says nothing."""
    tolerance: float
    """Rounding allowed on the first two, in units of the weights."""


@dataclass(frozen=True, slots=True)
class Geometry:
    """Everything about one pair of matrices that singular values and vectors tell."""

    shape: tuple[int, int]
    shift: SpectralShift
    update: UpdateSpectrum
    rotation: Rotation
    inequalities: Inequalities
    method: str
    """`gram` or `svd`: which path gave the numbers; `equal` where nothing changed."""


def geometry(
    base: Matrix,
    rlvr: Matrix,
    *,
    k: int = KEPT,
    known: Decomposition | None = None,
    update_values: Array | None = None,
) -> Geometry:
    """Spectral shift, update spectrum and rotation of one pair, at the accuracy stated.

    The fast path is taken first; where its error bounds are wider than a thousandth of the
    shift or 0.05 degrees, both matrices are decomposed again by a float64 SVD.

    Args:
        base, rlvr: (m, n), already rounded to the checkpoint's dtype.
        k: dimension of the subspaces, clipped to the rank.
        known: `decompose(base, keep=k)` from an earlier comparison.
        update_values: `singular_values(difference(base, rlvr))` where they are known already.

    Raises:
        SpectraError: shapes differ, a matrix is not finite, or `known` is of another shape or
            keeps fewer than k vectors.
        NumericsError: the numbers contradict Weyl, Mirsky or Wedin.
    """
    change = difference(base, rlvr)
    check_matrix(change)
    ours = known if known is not None else decompose(base, keep=k)
    if ours.shape != base.shape:
        raise SpectraError(f"the decomposition is of shape {ours.shape}, base of {base.shape}")
    if not change.any():
        return _equal(ours, k)
    values = singular_values(change) if update_values is None else update_values
    update = describe(values, base.shape, ours.norm)
    theirs = decompose(rlvr, keep=k)
    shift, turned = _measured(base, rlvr, ours, theirs, k, update)
    coarse = not shift.precise or not turned.precise
    if coarse and "gram" in (ours.method, theirs.method):
        ours, theirs = (decompose(m, keep=k, method="svd") for m in (base, rlvr))
        shift, turned = _measured(base, rlvr, ours, theirs, k, update)
    laws = inequalities(ours, theirs, shift, update, turned)
    return Geometry(ours.shape, shift, update, turned, laws, theirs.method)


def rotation(
    base: Matrix,
    rlvr: Matrix,
    ours: Decomposition,
    theirs: Decomposition,
    *,
    k: int = KEPT,
    update_norm: float,
) -> Rotation:
    """Principal angles between the top-k singular subspaces of two matrices.

    Args:
        base, rlvr: (m, n).
        ours, theirs: their decompositions, each with at least k vectors or all.
        k: clipped to min(m, n) and to both numerical ranks, with a note.
        update_norm: ||dW||_2, or an upper bound of it such as ||dW||_F.

    Raises:
        SpectraError: k < 1, shapes differ, or a decomposition keeps too few vectors.
    """
    if k < 1:
        raise SpectraError(f"a subspace needs k >= 1, got {k=}")
    if not base.shape == rlvr.shape == ours.shape == theirs.shape:
        raise SpectraError(
            f"expected four of one shape, got {base.shape}, {rlvr.shape}, {ours.shape} and "
            f"{theirs.shape}"
        )
    used, note = _clipped(k, ours, theirs)
    if used > min(ours.kept, theirs.kept):
        raise SpectraError(
            f"k = {used} needs as many singular vectors, the decompositions keep {ours.kept} "
            f"and {theirs.kept}: decompose with keep={used}"
        )
    if not used:
        return _unturned(k, ours, note)
    apart, short = _between(ours.vectors[:, :used], theirs.vectors[:, :used])
    sloppiness, long = _single_error(ours, used, update_norm, short), None
    if math.degrees(sloppiness) <= PRECISION / 10:
        long = _small_angles(_long_side_apart(base, rlvr, ours, theirs, apart))
    if long is None:
        sloppiness = 0.0
        long = _between(_long_side(base, ours, used), _long_side(rlvr, theirs, used))[1]
    left, right = (short, long) if base.shape[0] <= base.shape[1] else (long, short)
    gap = ours.gap(used)
    ill = update_norm >= gap
    error = _error(ours, used) + _error(theirs, used) + sloppiness
    error = math.degrees(min(math.pi / 2, error))
    if error > PRECISION:
        note = "; ".join(filter(None, (note, f"no gap after k = {used} to numerical accuracy")))
    wedin = 90.0 if ill else math.degrees(math.asin(update_norm / gap))
    return Rotation(used, k, left, right, gap, wedin, ill, error, note)


def inequalities(
    ours: Decomposition,
    theirs: Decomposition,
    shift: SpectralShift,
    update: UpdateSpectrum,
    turned: Rotation,
) -> Inequalities:
    """Check the numbers against Weyl, Mirsky and Wedin.

    Wedin's bound is checked with the gap between one matrix's k-th and the other's (k+1)-th
    value, as the theorem has it: with the base's own gap alone it can be exceeded.

    Raises:
        NumericsError: a theorem is violated beyond rounding: the numerics are at fault.
    """
    errors = ours.errors() + theirs.errors()
    own = rounding(np.full(ours.values.size, update.spectral_norm))
    tolerance = float(np.linalg.norm(errors)) + own * math.sqrt(errors.size)
    weyl = update.spectral_norm - shift.largest_shift
    mirsky = update.frobenius_norm - shift.shift_norm
    wedin = _wedin_slack(ours, theirs, update.spectral_norm, turned)
    allowed = math.sin(math.radians(turned.error_degrees)) + 1e-9
    broken = [
        name
        for name, slack, most in (
            ("Weyl", weyl, tolerance), ("Mirsky", mirsky, tolerance), ("Wedin", wedin, allowed),
        )
        if slack is not None and slack < -most
    ]  # fmt: skip
    if broken:
        raise NumericsError(
            f"{' and '.join(broken)} violated on a matrix of shape {ours.shape}: slacks "
            f"{weyl:.2e}, {mirsky:.2e} and {wedin}, rounding explains {tolerance:.2e}; "
            "this is a fault of the numerics: report it with both matrices"
        )
    return Inequalities(weyl, mirsky, wedin, tolerance)


def _measured(
    base: Matrix, rlvr: Matrix, ours: Decomposition, theirs: Decomposition, k: int,
    update: UpdateSpectrum,
) -> tuple[SpectralShift, Rotation]:  # fmt: skip
    return spectral_shift(ours, theirs), rotation(
        base, rlvr, ours, theirs, k=k, update_norm=update.spectral_norm
    )


def _equal(ours: Decomposition, k: int) -> Geometry:
    nothing = describe(np.zeros_like(ours.values), ours.shape, ours.norm)
    used, note = _clipped(k, ours, ours)
    return Geometry(
        ours.shape, SpectralShift(0.0, 0.0, 0.0, 0.0), nothing, _unturned(k, ours, note, used),
        Inequalities(0.0, 0.0, None, 0.0), "equal",
    )  # fmt: skip


def _unturned(k: int, ours: Decomposition, note: str, used: int = 0) -> Rotation:
    still = Angles(0.0, 0.0, (0.0,) * used, 0.0)
    gap = ours.gap(used) if used else 0.0
    return Rotation(used, k, still, still, gap, 0.0, False, 0.0, note)


def _clipped(k: int, ours: Decomposition, theirs: Decomposition) -> tuple[int, str]:
    used = min(k, ours.rank, theirs.rank)
    if used == k:
        return k, ""
    size = min(ours.shape)
    why = "the shorter side" if used == size else "the numerical rank"
    return used, f"k = {k} clipped to {used}, {why}"


def _long_side(matrix: Matrix, held: Decomposition, k: int) -> Array:
    """Leading singular vectors of the longer side, orthonormal, (max(shape), k)."""
    wide = matrix.shape[0] <= matrix.shape[1]
    scaled = np.ascontiguousarray((held.vectors[:, :k] / held.values[:k]).T)
    across = np.empty((k, max(matrix.shape)))
    for first in range(0, max(matrix.shape), _BLOCK):
        part = slice(first, first + _BLOCK)
        block = (matrix[:, part] if wide else matrix[part]).astype(np.float64)
        np.matmul(scaled, block if wide else block.T, out=across[:, part])
    # Orthogonal up to rounding * (sigma_1 / sigma_k)^2: one Cholesky QR makes it whole.
    root = cholesky(across @ across.T, lower=False)
    vectors: Array = blas.dtrsm(1.0, root, across.T, side=1, lower=0, overwrite_b=1)
    return vectors


def _long_side_apart(
    base: Matrix, rlvr: Matrix, ours: Decomposition, theirs: Decomposition, apart: Array
) -> Array:
    """(I - P0) V+ for the longer side's subspaces, (max(shape), k), without V+ itself.

    With U+ = U0 C + apart, V+ sigma+ = W+.T U+ is W0.T U0 C, which lies in V0, plus
    W0.T apart + dW.T U+: both small, so that float32 products lose nothing of the angles.
    """
    k, wide = apart.shape[1], base.shape[0] <= base.shape[1]
    new, turned, old = (
        np.ascontiguousarray(v.T, dtype=np.float32)
        for v in (theirs.vectors[:, :k], apart, ours.vectors[:, :k] / ours.values[:k])
    )
    moved = np.empty((k, max(base.shape)), dtype=np.float32)
    kept = np.empty_like(moved)  # V0
    for start in range(0, max(base.shape), _BLOCK):
        part = slice(start, start + _BLOCK)
        before = base[:, part] if wide else base[part].T
        after = rlvr[:, part] if wide else rlvr[part].T
        moved[:, part] = turned @ before + new @ (after - before)
        kept[:, part] = old @ before
    moved -= (moved @ kept.T) @ kept
    return moved.T / theirs.values[:k]


def _single_error(held: Decomposition, k: int, update_norm: float, short: Angles) -> float:
    """Bound in radians on what float32 products do to the longer side's sines."""
    largest, last = float(held.values[0]), float(held.values[k - 1])
    size = largest * math.sin(math.radians(short.largest)) + update_norm
    return 4 * _SINGLE * math.sqrt(held.values.size) * size / last


def _between(ours: Array, theirs: Array) -> tuple[Array, Angles]:
    """What of `theirs` lies outside `ours`, and their angles; both orthonormal, (size, k)."""
    inner = ours.T @ theirs
    apart = theirs - ours @ inner
    small = _small_angles(apart)
    if small is not None:
        return apart, small
    sines = _roots(apart.T @ apart)  # descending
    cosines = _roots(inner.T @ inner)[::-1]  # ascending: the same angles, largest first
    steep = np.square(sines) > 0.5
    radians = np.where(steep, np.arccos(np.minimum(cosines, 1)), np.arcsin(np.minimum(sines, 1)))
    return apart, _angles(radians)


def _small_angles(apart: Array) -> Angles | None:
    """Angles from the sines alone; None if one is above 45 degrees."""
    sines = _roots(apart.T @ apart)
    return _angles(np.arcsin(sines)) if np.square(sines[0]) <= 0.5 else None


def _angles(radians: Array) -> Angles:
    """The record of descending angles."""
    curve = np.degrees(radians[::-1])
    return Angles(
        float(curve[-1]), float(curve.mean()), tuple(curve.tolist()),
        float(np.linalg.norm(np.sin(radians))),
    )  # fmt: skip


def _roots(square: Array) -> Array:
    values: Array = np.sqrt(np.maximum(np.linalg.eigvalsh(square), 0.0))[::-1]
    return values


def _error(held: Decomposition, k: int) -> float:
    """Bound in radians on how far the computed top-k subspaces are from the matrix's own.

    Davis & Kahan: the residual and the rounding of the Gram matrix over the gap of squares;
    for an SVD, rounding over the gap. The longer side adds the rounding of W.T @ u / sigma.
    """
    last = held.values[k - 1]
    after = held.values[k] if k < held.values.size else 0.0
    noise = rounding(held.values)
    gap = float(last - after)
    if k == held.values.size:  # the whole shorter side: only the longer side can err
        return noise / float(last)
    if held.method == "svd":
        return math.inf if gap <= noise else noise / gap + noise / float(last)
    squares = gap * float(last + after)
    moved = held.square_error + held.residual
    return math.inf if squares <= moved else moved / squares + noise / float(last)


def _wedin_slack(
    ours: Decomposition, theirs: Decomposition, norm: float, turned: Rotation
) -> float | None:
    if not turned.k:
        return None
    kth, after = turned.k - 1, turned.k
    ends = after == ours.values.size
    delta = max(
        float(one.values[kth] - (0.0 if ends else other.values[after]))
        for one, other in ((ours, theirs), (theirs, ours))
    )
    if delta <= norm:
        return None
    return norm / delta - math.sin(math.radians(max(turned.left.largest, turned.right.largest)))
