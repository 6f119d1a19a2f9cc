"""How a kernel moved: rescaled along its own directions, or turned.

Both kernels are divided by their trace first, so that a change of all gradients' size is told
apart (`trace_ratio`). With ``A`` the kernel before, ``B`` the one after, ``U`` the eigenvectors of
A and ``D = B - A``:

- distance ``|D| / |A|``, alignment ``<A, B> / (|A| |B|)``, in Frobenius norms;
- rescaling: the share of ``|D|^2`` on the diagonal of ``U' D U``. A symmetric matrix that knows
  nothing of U has ``2 / (n + 1)`` of it there, so this number means nothing without its null;
- turn: ``|A B - B A| / (sqrt 2 |A| |B|)``, in [0, 1] (Boettcher and Wenzel, 2008), 0 if and only
  if both have the same eigenvectors. In A's basis the commutator's entry k, l is that of D times
  ``lambda_k - lambda_l``: a rotation counts by how far apart the eigenvalues are that it mixes,
  and one between equal eigenvalues, which is none, counts nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rlvr_gate.kernels.spectrum import Floats, KernelError, checked, cuts, spectrum

_STILL = 1e-12  # distance of two kernels that differ by rounding alone


@dataclass(frozen=True, slots=True)
class KernelChange:
    """One kernel against another on the same probes under the same codes."""

    distance: float
    alignment: float
    rescaling: float | None
    """In [0, 1]; None where nothing changed beside the trace."""
    turn: float
    trace_ratio: float
    """After over before."""


@dataclass(frozen=True, slots=True)
class CutAngles:
    """Principal angles, degrees, between the top-k subspaces of two kernels over the probes."""

    k: int
    gap: float
    """``(lambda_k - lambda_(k+1)) / lambda_k`` of the kernel before."""
    largest: float
    mean: float
    sound: bool
    """Whether the change is smaller than the gap: else directions may swap across the cut."""


def kernel_change(before: Floats, after: Floats) -> KernelChange:
    """Compare two kernels in every way.

    Args:
        before, after: (probes, probes).

    Raises:
        KernelError: one is no kernel, or they are over different probes.
    """
    a, b, ratio = _normalised(before, after)
    aligned = float((a * b).sum() / (np.linalg.norm(a) * np.linalg.norm(b)))
    moved, turned = distance(before, after), turn(before, after)
    share = rescaling(before, after) if moved > _STILL else None
    return KernelChange(moved, min(1.0, aligned), share, turned, ratio)


def distance(before: Floats, after: Floats) -> float:
    """How far a kernel moved, over its size; raises KernelError as `kernel_change` does."""
    a, b, _ = _normalised(before, after)
    return float(np.linalg.norm(b - a) / np.linalg.norm(a))


def turn(before: Floats, after: Floats) -> float:
    """How far it turned, weighed by its spectrum; raises KernelError as `kernel_change` does."""
    a, b, _ = _normalised(before, after)
    mixed = a @ b
    sizes = np.linalg.norm(a) * np.linalg.norm(b)
    return float(np.linalg.norm(mixed - mixed.T) / (np.sqrt(2) * sizes))


def rescaling(before: Floats, after: Floats) -> float:
    """The share of a change that is on the diagonal of the eigenbasis before.

    Raises:
        KernelError: as of `kernel_change`, or nothing changed.
    """
    a, b, _ = _normalised(before, after)
    change, basis = b - a, spectrum(a).vectors
    size = float(np.square(change).sum())
    if size <= _STILL**2:
        raise KernelError("the kernels are equal: no part of their change is a rescaling")
    return float(np.square(((change @ basis) * basis).sum(0)).sum()) / size


def cut_angles(before: Floats, after: Floats, gap: float = 0.1) -> Sequence[CutAngles]:
    """Angles at every cut of the spectrum before, see `cuts`.

    Raises:
        KernelError: as of `kernel_change`.
    """
    a, b, _ = _normalised(before, after)
    ours, theirs = spectrum(a), spectrum(b)
    moved = float(np.linalg.norm(b - a, 2))
    found = []
    for k in cuts(ours.values, gap):
        room = float(ours.values[k - 1] - ours.values[k])
        cosines = np.linalg.svd(ours.vectors[:, :k].T @ theirs.vectors[:, :k], compute_uv=False)
        angles = np.degrees(np.arccos(np.clip(cosines, 0, 1)))
        share = room / float(ours.values[k - 1])
        found.append(CutAngles(k, share, float(angles.max()), float(angles.mean()), moved < room))
    return found


def _normalised(before: Floats, after: Floats) -> tuple[Floats, Floats, float]:
    a, b = checked(before), checked(after)
    if a.shape != b.shape:
        raise KernelError(f"two kernels need the same probes, got {len(a)} and {len(b)}")
    one, other = float(a.trace()), float(b.trace())
    if not (one > 0 and other > 0):
        raise KernelError(f"a kernel's trace is positive, got {one:.3g} and {other:.3g}")
    return a / one, b / other, other / one
