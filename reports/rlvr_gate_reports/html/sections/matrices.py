"""The measured matrices of an update as a table: size, rank, spectrum, rotation, masks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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


def matrix_panel(update: Mapping[str, object]) -> MatrixPanel | None:
    """Read `matrices` of one role's entry of `RunRecord.weights`; None where there are none."""
    listed = update.get("matrices")
    matrices = [m for m in listed if isinstance(m, Mapping)] if isinstance(listed, list) else []
    if not matrices:
        return None
    tops = sorted({int(m["top"]) for m in matrices})
    return MatrixPanel(
        tuple(_row(m) for m in matrices),
        ", ".join(str(k) for k in tops),
        sum(bool(m["ill_conditioned"]) for m in matrices),
    )


def _row(matrix: Mapping[str, object]) -> MatrixRow:
    masks = {str(m["mask"]): m for m in _list(matrix.get("masks")) if isinstance(m, Mapping)}
    sides = [_float(matrix.get(key)) or 0.0 for key in ("left_angle", "right_angle")]
    ill = bool(matrix.get("ill_conditioned"))
    return MatrixRow(
        name=str(matrix["name"]).removesuffix(".weight"),
        shape=" × ".join(str(n) for n in _list(matrix.get("shape"))),
        size=_small(matrix.get("relative_norm")),
        shift=_small(matrix.get("nss")),
        angle=f"{max(sides):.2f}°" + (" (no gap)" if ill else ""),
        gap=_small(matrix.get("gap")),
        rank=f"{matrix['rank']} / {matrix['full_rank']}",
        stable=_beside(matrix, "stable_rank", "null_stable_rank"),
        effective=_beside(matrix, "effective_rank", "null_effective_rank"),
        low=_share(masks.get("low")),
        principal=_share(masks.get("principal")),
        note=str(matrix.get("note", "")),
    )


def _beside(matrix: Mapping[str, object], key: str, null: str) -> str:
    """A rank, and that of rounding alone in brackets."""
    found, alone = _float(matrix.get(key)), _float(matrix.get(null))
    if found is None:
        return "–"
    return f"{found:.1f}" + ("" if alone is None else f" ({alone:.1f})")


def _share(mask: Mapping[str, object] | None) -> str:
    """The overlap, and what rounding alone shows in brackets."""
    if mask is None or _float(mask.get("overlap")) is None:
        return "–"
    low, high = (_float(mask.get(key)) for key in ("null_low", "null_high"))
    alone = ""
    if low is not None and high is not None:
        ends = dict.fromkeys((words.number(low), words.number(high)))
        alone = f" ({'–'.join(ends)})"
    return words.number(_float(mask.get("overlap"))) + alone


def _small(value: object) -> str:
    found = _float(value)
    return "–" if found is None else f"{found:.1e}".replace("-", "−") if found else "0"


def _float(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else ()
