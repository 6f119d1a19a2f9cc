"""Singular values of a matrix and of its update: how much was moved, over how many directions.

A decomposition works on the Gram matrix of the shorter side, formed in float64 from float32
blocks, reduced to tridiagonal form once: all its eigenvalues, and the eigenvectors of the largest
only. Squaring costs accuracy for small singular values, so every result carries an error bound,
and `method="svd"` is the exact path for when a bound is too wide.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import blas, eigh_tridiagonal, lapack

Matrix = NDArray[np.float32]
"""A weight matrix, (rows, columns), already rounded to the checkpoint's dtype."""
Array = NDArray[np.float64]
Method = Literal["auto", "gram", "svd"]

KEPT = 512
"""Singular vectors kept by default: the k of arXiv:2606.07082's principal angles is 512."""
_EPS = float(np.finfo(np.float64).eps)
_RANK_EPS = float(np.finfo(np.float32).eps)
_SMALL = 64  # shorter side below which a plain SVD costs nothing
_BLOCK = 2048  # longer-side entries converted to float64 at a time
_SLACK = 4.0  # over the square-root law of rounding errors


class SpectraError(ValueError):
    """A matrix or a request that has no spectrum; the message says what was expected."""


class NumericsError(ArithmeticError):
    """Computed numbers contradict a theorem or each other: a fault of the numerics."""


@dataclass(frozen=True, slots=True)
class Decomposition:
    """Everything about one matrix alone that a comparison needs; cache it for a base."""

    shape: tuple[int, int]
    values: Array
    """All singular values, descending, (min(shape),)."""
    vectors: Array
    """Leading singular vectors of the shorter side, (min(shape), kept): left ones if rows <=
    columns, else right ones."""
    square_error: float
    """Bound on the error of any squared singular value; 0 where an SVD was taken."""
    residual: float
    """Frobenius norm of Gram @ vectors - vectors * values**2; 0 where an SVD was taken."""
    method: Literal["gram", "svd"]

    @property
    def kept(self) -> int:
        """How many singular vectors are held."""
        return int(self.vectors.shape[1])

    @property
    def rank(self) -> int:
        """Numerical rank at tolerance max(shape) * eps_fp32 * largest value."""
        return numerical_rank(self.values, self.shape)

    @property
    def norm(self) -> float:
        """Frobenius norm."""
        return float(np.linalg.norm(self.values))

    def gap(self, k: int) -> float:
        """The singular gap gamma_k = sigma_k - sigma_(k+1), with sigma = 0 past the end.

        Raises:
            SpectraError: k is not in 1..min(shape).
        """
        if not 1 <= k <= self.values.size:
            raise SpectraError(f"the gap after k needs 1 <= k <= {self.values.size}, got {k=}")
        return float(self.values[k - 1] - (self.values[k] if k < self.values.size else 0.0))

    def errors(self) -> Array:
        """Bound on the absolute error of each singular value, (min(shape),)."""
        floor = rounding(self.values)
        if not self.square_error:
            return np.full_like(self.values, floor)
        root = math.sqrt(self.square_error)  # below it a value is reported as zero
        unseen, seen = math.sqrt(2) * root, self.square_error / np.maximum(self.values, root)
        return np.where(self.values > 0, seen, unseen) + floor

    def save(self, path: Path) -> None:
        """Write to an npz file, without pickle."""
        with path.open("wb") as file:
            np.savez(
                file, shape=np.array(self.shape), values=self.values, vectors=self.vectors,
                bounds=np.array([self.square_error, self.residual]),
                svd=np.array(self.method == "svd"),
            )  # fmt: skip

    @classmethod
    def load(cls, path: Path) -> Decomposition:
        """Read what `save` wrote; the file is never unpickled.

        Raises:
            OSError: there is no such file.
        SpectraError: it is not a whole decomposition.
        """
        with path.open("rb") as raw:
            try:
                file = np.load(raw, allow_pickle=False)
                rows, columns = (int(n) for n in file["shape"])
                values, vectors = (file[n].astype(np.float64) for n in ("values", "vectors"))
                square_error, residual = (float(b) for b in file["bounds"])
                method: Literal["gram", "svd"] = "svd" if file["svd"] else "gram"
            except (ValueError, KeyError, TypeError, EOFError, BadZipFile) as error:
                raise SpectraError(
                    f"{path.name} is not a saved decomposition ({type(error).__name__}): delete it"
                ) from error
        short = min(rows, columns)
        sound = values.shape == (short,) and vectors.ndim == 2 and np.isfinite(vectors).all()
        if not sound or vectors.shape[0] != short or not 0 < vectors.shape[1] <= short:
            raise SpectraError(f"{path.name} holds arrays of the wrong shape: delete it")
        return cls((rows, columns), values, vectors, square_error, residual, method)


@dataclass(frozen=True, slots=True)
class SpectralShift:
    """How far the singular values moved."""

    nss: float | None
    """Normalised spectral shift ||sigma(W+) - sigma(W0)||_2 / ||sigma(W0)||_2 over all singular
    values (arXiv:2511.08567); None where base is zero and the update is not."""
    nss_error: float
    """Bound on the numerical error of `nss`."""
    shift_norm: float
    """||sigma(W+) - sigma(W0)||_2."""
    largest_shift: float
    """max_i |sigma_i(W+) - sigma_i(W0)|."""

    @property
    def precise(self) -> bool:
        """Whether the error bound is below a thousandth of the value, or below 1e-11."""
        return self.nss is None or self.nss_error <= max(1e-3 * self.nss, 1e-11)


@dataclass(frozen=True, slots=True)
class UpdateSpectrum:
    """Size and rank of one update dW = W+ - W0."""

    spectral_norm: float
    frobenius_norm: float
    relative_norm: float | None
    """||dW||_F / ||W0||_F; None where base is zero and the update is not."""
    rank: int
    """Singular values above max(m, n) * eps_fp32 * largest (arXiv:2505.11711's code)."""
    full_rank: int
    """min(m, n)."""
    stable_rank: float
    """||dW||_F^2 / ||dW||_2^2; 0 for no update."""
    effective_rank: float
    """exp(entropy of sigma / sum sigma): Roy & Vetterli 2007, "The effective rank"; 0 for none."""


def decompose(matrix: Matrix, *, keep: int = KEPT, method: Method = "auto") -> Decomposition:
    """All singular values and the `keep` leading vectors of the shorter side.

    Args:
        matrix: (rows, columns), finite.
        keep: vectors wanted; clipped to the shorter side.
        method: "gram" (fast), "svd" (float64 SVD), or "auto": an SVD only for small matrices
            and for those on which the fast path fails its own checks.

    Returns:
        The decomposition, with `min(keep, min(shape))` vectors.

    Raises:
        SpectraError: not a finite, non-empty 2-D matrix, or keep < 1.
    """
    if keep < 1:
        raise SpectraError(f"keep at least one singular vector, got {keep=}")
    check_matrix(matrix)
    short = min(matrix.shape)
    if method == "svd" or short < 3 or (method == "auto" and short <= _SMALL):
        return _by_svd(matrix, keep)
    try:
        return _by_gram(matrix, keep)
    except NumericsError:
        if method == "gram":
            raise
        return _by_svd(matrix, keep)


def singular_values(matrix: Matrix) -> Array:
    """All singular values, descending, (min(shape),): fast, without vectors.

    The absolute error is at most about 1e-7 of the largest, and far less for all but the
    smallest values; decompose(...).errors() bounds each.

    Raises:
        SpectraError: not a finite, non-empty 2-D matrix.
    """
    check_matrix(matrix)
    if min(matrix.shape) <= _SMALL:
        return np.linalg.svd(matrix.astype(np.float64), compute_uv=False)
    diagonal, beside = _tridiagonal(gram(matrix))[1:3]
    squares = _eigenvalues(diagonal, beside)
    return _positive_roots(squares, _square_error(squares))


def spectral_shift(base: Decomposition, rlvr: Decomposition) -> SpectralShift:
    """Shift of the whole spectrum, with a bound on its numerical error.

    Raises:
        SpectraError: the two matrices differ in shape.
    """
    if base.shape != rlvr.shape:
        raise SpectraError(f"base has shape {base.shape}, rlvr has {rlvr.shape}: compare equals")
    shift = rlvr.values - base.values
    norm = float(np.linalg.norm(shift))
    error = float(np.linalg.norm(base.errors() + rlvr.errors()))
    whole = base.norm
    if not whole:
        return SpectralShift(None if norm else 0.0, 0.0, norm, float(shift.max(initial=0.0)))
    return SpectralShift(norm / whole, error / whole, norm, float(np.abs(shift).max()))


def update_spectrum(
    base: Matrix, rlvr: Matrix, *, base_norm: float | None = None
) -> UpdateSpectrum:
    """Norms and ranks of rlvr - base.

    Args:
        base_norm: the base's Frobenius norm where it is known already.

    Raises:
        SpectraError: shapes differ, or a matrix is not finite.
    """
    values = singular_values(difference(base, rlvr))
    return describe(values, base.shape, frobenius(base) if base_norm is None else base_norm)


def describe(values: Array, shape: tuple[int, ...], base_norm: float) -> UpdateSpectrum:
    """The `UpdateSpectrum` of an update with these singular values, descending."""
    norm = float(np.linalg.norm(values))
    relative = norm / base_norm if base_norm else (None if norm else 0.0)
    return UpdateSpectrum(
        float(values[0]), norm, relative, numerical_rank(values, shape), values.size,
        stable_rank(values), effective_rank(values),
    )  # fmt: skip


def numerical_rank(values: Array, shape: tuple[int, ...]) -> int:
    """Count of singular values above max(shape) * eps_fp32 * largest."""
    return int(np.count_nonzero(values > max(shape) * _RANK_EPS * values[0]))


def stable_rank(values: Array) -> float:
    """Sum of squared singular values over the largest squared; 0 if all are zero."""
    return float(np.square(values / values[0]).sum()) if values.size and values[0] else 0.0


def effective_rank(values: Array) -> float:
    """exp of the entropy of values / sum (Roy & Vetterli 2007); 0 if all are zero."""
    shares = values[values > 0] / (values.sum() or 1.0)
    return float(np.exp(-(shares * np.log(shares)).sum())) if shares.size else 0.0


def difference(base: Matrix, rlvr: Matrix) -> Matrix:
    """rlvr - base in float32, exact for bfloat16 values within a factor 2**15 of each other.

    Raises:
        SpectraError: shapes differ.
    """
    if base.shape != rlvr.shape:
        raise SpectraError(f"base has shape {base.shape}, rlvr has {rlvr.shape}: compare equals")
    return rlvr - base


def frobenius(matrix: Matrix) -> float:
    """Frobenius norm, summed in float64."""
    rows = (np.square(row, dtype=np.float64).sum() for row in _blocks(matrix))
    return math.sqrt(math.fsum(rows))


def rounding(values: Array) -> float:
    """What float64 rounding can do to singular values that a backward-stable method returns.

    Rounding errors accumulate like a random walk (Higham & Mary 2019), so the bound grows with
    the square root of the size.
    """
    return _SLACK * _EPS * math.sqrt(values.size) * float(values[0])


def check_matrix(matrix: Matrix) -> None:
    """Refuse what has no singular values.

    Raises:
        SpectraError: not 2-D, empty, or with a NaN or an infinity.
    """
    if matrix.ndim != 2 or 0 in matrix.shape:
        raise SpectraError(f"expected a non-empty 2-D matrix, got shape {matrix.shape}")
    if not all(np.isfinite(block).all() for block in _blocks(matrix)):
        raise SpectraError(
            f"a {matrix.shape[0]} x {matrix.shape[1]} matrix holds a NaN or an infinity: "
            "the checkpoint is damaged, fetch it again"
        )


def gram(matrix: Matrix) -> Array:
    """Lower triangle of the Gram matrix of the shorter side, float64, Fortran order."""
    short = min(matrix.shape)
    total = np.zeros((short, short), order="F")
    wide = matrix.shape[0] <= matrix.shape[1]
    for first in range(0, max(matrix.shape), _BLOCK):
        block = matrix[:, first : first + _BLOCK] if wide else matrix[first : first + _BLOCK]
        block64 = np.ascontiguousarray(block, dtype=np.float64)
        total = blas.dsyrk(
            1.0, block64.T, beta=1.0, c=total, trans=wide, lower=1, overwrite_c=1
        )  # fmt: skip
    return total


def _blocks(matrix: Matrix) -> list[Matrix]:
    step = max(1, (1 << 20) // matrix.shape[1])
    return [matrix[first : first + step] for first in range(0, matrix.shape[0], step)]


def _by_svd(matrix: Matrix, keep: int) -> Decomposition:
    left, values, right = np.linalg.svd(matrix.astype(np.float64), full_matrices=False)
    short = left if matrix.shape[0] <= matrix.shape[1] else right.T
    return Decomposition(_shape(matrix), values, short[:, :keep].copy(), 0.0, 0.0, "svd")


def _by_gram(matrix: Matrix, keep: int) -> Decomposition:
    lower = gram(matrix)
    trace, short = float(np.trace(lower)), lower.shape[0]
    keep = min(keep, short)
    reduced, diagonal, beside, reflectors = _tridiagonal(lower.copy(order="F"))
    squares = _eigenvalues(diagonal, beside)
    leading, vectors = eigh_tridiagonal(
        diagonal, beside, select="i", select_range=(short - keep, short - 1)
    )
    vectors = _rotated(reduced, reflectors, vectors)[:, ::-1]
    square_error = _square_error(squares)
    residual = float(
        np.linalg.norm(blas.dsymm(1.0, lower, vectors, lower=1) - vectors * leading[::-1])
    )
    defect = float(np.abs(vectors.T @ vectors - np.eye(keep)).max())
    drift = abs(float(squares.sum()) - trace)
    if defect > 1e-10 or residual > keep * square_error or drift > short * square_error:
        raise NumericsError(
            f"the fast path failed its checks on a matrix of shape {matrix.shape}: "
            f"{defect=:.1e}, {residual=:.1e}, {drift=:.1e}; use method='svd'"
        )
    return Decomposition(
        _shape(matrix), _positive_roots(squares, square_error), np.ascontiguousarray(vectors),
        square_error, residual, "gram",
    )  # fmt: skip


def _square_error(squares: Array) -> float:
    return _SLACK * _EPS * math.sqrt(squares.size) * max(float(squares[0]), 0.0)


def _positive_roots(squares: Array, error: float) -> Array:
    return np.sqrt(np.where(squares > error, squares, 0.0))  # the rest cannot be told from zero


def _shape(matrix: Matrix) -> tuple[int, int]:
    return int(matrix.shape[0]), int(matrix.shape[1])


def _tridiagonal(lower: Array) -> tuple[Array, Array, Array, Array]:
    size = lower.shape[0]
    work = int(lapack.dsytrd_lwork(size, lower=1)[0])
    return cast(
        tuple[Array, Array, Array, Array],
        lapack.dsytrd(lower, lower=1, lwork=work, overwrite_a=1)[:4],
    )


def _eigenvalues(diagonal: Array, beside: Array) -> Array:
    values, failed = lapack.dsterf(diagonal, beside)
    if failed:
        raise NumericsError(f"dsterf left {failed} eigenvalues unconverged; use method='svd'")
    return np.asarray(values[::-1])


def _rotated(reduced: Array, reflectors: Array, vectors: Array) -> Array:
    """Eigenvectors of the tridiagonal form turned into those of the full matrix."""
    below, moved = np.asfortranarray(reduced[1:, :-1]), np.asfortranarray(vectors[1:])
    work = int(lapack.dormqr("L", "N", below, reflectors, moved, -1)[1][0])
    vectors[1:] = lapack.dormqr("L", "N", below, reflectors, moved, work, overwrite_c=1)[0]
    return vectors
