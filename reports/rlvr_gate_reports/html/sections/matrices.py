"""The measured matrices of an update as a table: size, rank, spectrum, rotation, masks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rlvr_gate.records import MaskShare, MatrixShape
from rlvr_gate_reports import words


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One matrix, worded; angles in degrees."""

    name: str
    shape: str
    size: str
    """Relative Frobenius norm."""
    shift: str
    """Normalised spectral shift."""
    angle: str
    gap: str
    rank: str
    stable: str
    effective: str
    low: str
    principal: str
    note: str


@dataclass(frozen=True, slots=True)
class MatrixPanel:
    """All measured matrices, and how to read them."""

    rows: tuple[MatrixRow, ...]
    top: str
    """The k's of the angles."""
    ill: int
    """Matrices whose gap is below the update's spectral norm."""


def matrix_panel(matrices: Sequence[MatrixShape]) -> MatrixPanel | None:
    """None where none was measured."""
    if not matrices:
        return None
    return MatrixPanel(
        tuple(map(_row, matrices)),
        ", ".join(map(str, sorted({m.top for m in matrices}))),
        sum(m.ill_conditioned for m in matrices),
    )


def _row(matrix: MatrixShape) -> MatrixRow:
    masks = {m.mask: m for m in matrix.masks}
    return MatrixRow(
        name=matrix.name.removesuffix(".weight"),
        shape=" × ".join(map(str, matrix.shape)),
        size=_small(matrix.relative_norm),
        shift=_small(matrix.nss),
        angle=f"{matrix.angle:.2f}°" + (" (no gap)" if matrix.ill_conditioned else ""),
        gap=_small(matrix.gap),
        rank=f"{matrix.rank} / {matrix.full_rank}",
        stable=_beside(matrix.stable_rank, matrix.null_stable_rank),
        effective=_beside(matrix.effective_rank, matrix.null_effective_rank),
        low=_share(masks.get("low")),
        principal=_share(masks.get("principal")),
        note=matrix.note,
    )


def _beside(found: float, alone: float | None) -> str:
    """A rank, and that of rounding alone in brackets."""
    return f"{found:.1f}" + ("" if alone is None else f" ({alone:.1f})")


def _share(mask: MaskShare | None) -> str:
    """The overlap, and what rounding alone shows in brackets."""
    if mask is None or mask.overlap is None:
        return "–"
    alone = ""
    if mask.null_low is not None and mask.null_high is not None:
        ends = dict.fromkeys((words.number(mask.null_low), words.number(mask.null_high)))
        alone = f" ({'–'.join(ends)})"
    return words.number(mask.overlap) + alone


def _small(found: float | None) -> str:
    return "–" if found is None else f"{found:.1e}".replace("-", "−") if found else "0"
