"""A kernel's eigenvalues and eigenvectors, and where its spectrum may be cut.

A kernel is ``K[i, j] = <df_i/dtheta, df_j/dtheta>`` over probes i, j: symmetric, with no negative
eigenvalue but for rounding. Directions belong to it only as far as its eigenvalues lie apart, so
subspaces are compared at cuts where they do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_ROUNDING = 1e-4
"""Of the largest entry, by which float32 gradients may leave a kernel lopsided or negative."""


class KernelError(ValueError):
    """No kernel, or two that cannot be compared; the message says what was expected."""


@dataclass(frozen=True, slots=True)
class Spectrum:
    """Eigenvalues, descending, (probes,), and eigenvectors in columns, (probes, probes)."""

    values: Floats
    vectors: Floats

    @property
    def effective_rank(self) -> float:
        """``(sum lambda)^2 / sum lambda^2``: over how many directions the trace is spread."""
        return float(self.values.sum() ** 2 / np.square(self.values).sum())


def checked(kernel: NDArray[np.floating]) -> Floats:
    """A kernel in float64, symmetric to the last bit.

    Raises:
        KernelError: not square, not finite, lopsided, of negative eigenvalues, or zero.
    """
    square = np.asarray(kernel, np.float64)
    if square.ndim != 2 or square.shape[0] != square.shape[1] or len(square) < 2:
        raise KernelError(f"a kernel is (probes, probes), two at least, got {square.shape}")
    if not np.isfinite(square).all():
        raise KernelError("a kernel is finite: some gradient of a probe is not")
    largest = float(np.abs(square).max())
    if not largest:
        raise KernelError("the kernel is zero: no probe depends on the weights")
    if float(np.abs(square - square.T).max()) > _ROUNDING * largest:
        raise KernelError("a kernel is symmetric, got one that is not")
    return (square + square.T) / 2


def spectrum(kernel: NDArray[np.floating]) -> Spectrum:
    """Decompose a kernel; negative eigenvalues within rounding become zero.

    Raises:
        KernelError: it is none.
    """
    values, vectors = np.linalg.eigh(checked(kernel))
    if values[0] < -_ROUNDING * values[-1]:
        raise KernelError(
            f"a kernel has no negative eigenvalue, got {values[0]:.3g} beside {values[-1]:.3g}"
        )
    return Spectrum(np.maximum(values[::-1], 0.0), np.ascontiguousarray(vectors[:, ::-1]))


def cuts(values: Floats, gap: float = 0.1) -> tuple[int, ...]:
    """The k after which the spectrum falls by more than a share ``gap`` of the k-th eigenvalue.

    >>> cuts(np.array([5.0, 4.9, 2.0, 1.95, 1.0]))
    (2, 4)
    """
    falls = values[:-1] - values[1:] > gap * values[:-1]
    return tuple(int(k) + 1 for k in np.flatnonzero(falls))
