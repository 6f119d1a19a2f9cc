"""How alike two kernels over the same texts are: CKA, and CKNNA, which looks at neighbours only.

CKA is arXiv:1905.00414 with the unbiased HSIC of Song et al. (2012): with texts hardly more than
features the biased one finds likeness in noise. CKNNA is arXiv:2405.07987 as its authors' code has
it, each kernel's own norm over its own neighbours, and the mean of both orders where that code
takes one; the formula printed there has one mask everywhere, which calls kernels alike of which a
part of the neighbours agree.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rlvr_gate.kernels.spectrum import Floats, KernelError

NEAREST = 10
"""Neighbours of a text."""
_FEWEST = 4  # texts that an unbiased HSIC needs


def linear(features: Floats, *, cosine: bool = False) -> Floats:
    """Inner products of features, centred over the texts, (texts, texts) in float64.

    Args:
        features: (texts, features).
        cosine: of features of length 1.

    Raises:
        KernelError: they are no finite matrix.
    """
    x = np.asarray(features, dtype=np.float64)
    if x.ndim != 2 or not np.isfinite(x).all():
        raise KernelError(f"features are a finite matrix (texts, features), got shape {x.shape}")
    x = x - x.mean(0)
    if cosine:
        x = x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), np.finfo(float).tiny)
    return np.asarray(x @ x.T)


def cka(one: Floats, other: Floats) -> float:
    """Centred kernel alignment with unbiased HSIC: 1 where alike, about 0 where unrelated.

    Raises:
        KernelError: shapes differ, there are fewer than four texts, or a kernel has no spread.
    """
    return _share(hsic(one, other), hsic(one, one), hsic(other, other))


def cknna(one: Floats, other: Floats, nearest: int = NEAREST) -> float:
    """Alignment over the pairs of texts that are neighbours in both kernels.

    Args:
        nearest: how many of a text's likeliest others are its neighbours.

    Raises:
        KernelError: as of `cka`, or there are no more texts than neighbours.
    """
    ours, theirs = neighbours(one, nearest), neighbours(other, nearest)
    both = ours & theirs
    return _share(
        hsic(both * one, both * other), hsic(ours * one, ours * one),
        hsic(theirs * other, theirs * other),
    )  # fmt: skip


def shared_neighbours(one: Floats, other: Floats, nearest: int = NEAREST) -> float:
    """Share of neighbours that the two kernels have in common."""
    both = neighbours(one, nearest) & neighbours(other, nearest)
    return float(both.sum() / (len(one) * nearest))


def neighbours(kernel: Floats, nearest: int) -> NDArray[np.bool_]:
    """Which texts are nearest to each, (texts, texts): a row has `nearest` of them, not itself.

    Of equal ones the first are taken.

    Raises:
        KernelError: there are no more texts than neighbours.
    """
    count = len(kernel)
    if not 0 < nearest < count:
        raise KernelError(f"{nearest} neighbours need more than {nearest} texts, got {count}")
    others = np.where(np.eye(count, dtype=bool), -np.inf, kernel)
    first = np.argsort(-others, axis=1, kind="stable")[:, :nearest]
    found = np.zeros((count, count), dtype=bool)
    np.put_along_axis(found, first, True, axis=1)
    return found


def hsic(one: Floats, other: Floats) -> float:
    """The unbiased Hilbert-Schmidt independence criterion (Song et al. 2012, eq. 4).

    Raises:
        KernelError: shapes differ, or there are fewer than four texts.
    """
    n = len(one)
    if one.shape != other.shape or one.shape != (n, n) or n < _FEWEST:
        raise KernelError(
            f"likeness needs two kernels over the same {_FEWEST} texts or more, got "
            f"{one.shape} and {other.shape}"
        )
    off = ~np.eye(n, dtype=bool)
    k, l = one * off, other * off  # noqa: E741  # as printed
    crossed = (k * l.T).sum()
    sums = k.sum() * l.sum() / ((n - 1) * (n - 2))
    chained = (k.sum(0) @ l.sum(1) + k.sum(1) @ l.sum(0)) / 2  # alike for symmetric ones
    return float((crossed + sums - 2 * chained / (n - 2)) / (n * (n - 3)))


def _share(between: float, one: float, other: float) -> float:
    if not (one > 0 and other > 0):
        raise KernelError("a kernel has no spread over these texts: nothing can be like it")
    return float(between / np.sqrt(one * other))
