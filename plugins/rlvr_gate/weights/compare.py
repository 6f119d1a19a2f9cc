"""The weight update of a checkpoint against another: every tensor, streamed, no torch.

Files are mapped window by window, so a 70B pair needs no more memory than a 1B pair. Values are
compared in the coarser of the two element types; the sparsity of arXiv:2511.08567 (def. 2.2), with
both rounded to bfloat16, stands beside it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rlvr_gate.records import Matching, TensorRow, WeightTotals
from rlvr_gate.weights.adapter import adapted
from rlvr_gate.weights.layout import is_adapter, tensor_slots
from rlvr_gate.weights.pairing import Pair, Pairing, pair_tensors
from rlvr_gate.weights.scan import ABSOLUTE_TOLERANCE, change, threads
from rlvr_gate.weights.sources import WeightsError, round_to_bf16

__all__ = [
    "ABSOLUTE_TOLERANCE", "TensorChange", "Update", "WeightsError", "compare", "measure",
    "pairing", "round_to_bf16",
]  # fmt: skip

_BINS = 24  # of a density profile along rows or columns


@dataclass(frozen=True, slots=True)
class TensorChange:
    """How far one tensor moved between two checkpoints."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    parameters: int
    unchanged: int
    """Equal in the coarser of the two element types."""
    within_tolerance: int
    """Absolute difference at most 1e-5."""
    max_abs: float
    update_norm: float
    """Frobenius norm of the difference."""
    base_norm: float
    unchanged_exact: int
    """Equal as numbers, nothing rounded; differs from `unchanged` where element types do."""
    unchanged_bf16: int
    """Equal with both rounded to bfloat16."""
    within_relative: int
    """|b - a| <= 1e-3 max(|a|, |b|) in bfloat16: eta of arXiv:2511.08567, def. 2.1."""
    row_dispersion: float | None
    """Variance of the rows' update ratios over p (1 - p) / columns, what independent updates of
    density p would show; None where there are no two rows, or nothing or everything changed."""
    column_dispersion: float | None
    row_density: tuple[float, ...] = ()
    """Share changed along the rows, in at most 24 equal bins; empty for vectors."""
    column_density: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Update:
    """The whole weight update of a checkpoint against another."""

    role: str
    against: str
    tensors: tuple[TensorChange, ...]
    notes: tuple[str, ...] = ()
    """What was matched in a way one should know of."""
    missing: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    """Tensors equal in both that are no floating-point weights."""
    unmatched_parameters: int = 0
    """Weights of `against` that have no partner."""
    adapter_rank: int | None = None
    """The largest rank of the adapter that made it; None for whole weights."""

    @property
    def parameters(self) -> int:
        return sum(t.parameters for t in self.tensors)

    @property
    def unchanged(self) -> int:
        return sum(t.unchanged for t in self.tensors)

    @property
    def unchanged_fraction(self) -> float:
        """Update sparsity in [0, 1], weighted by parameters."""
        return self.unchanged / self.parameters

    def share(self, count: str, tensors: Iterable[TensorChange] | None = None) -> float:
        """A count of `TensorChange`, as a share of the weights of all or some tensors."""
        chosen = self.tensors if tensors is None else tuple(tensors)
        whole = sum(t.parameters for t in chosen)
        return sum(int(getattr(t, count)) for t in chosen) / whole if whole else 0.0

    def relative_norm(self) -> float:
        """Frobenius norm of the whole update over that of the weights it started from."""
        return _ratio(
            math.hypot(*(t.update_norm for t in self.tensors)),
            math.hypot(*(t.base_norm for t in self.tensors)),
        )

    def incomplete(self, most: float = 0.05) -> str:
        """Why this comparison says too little about the checkpoint; empty where it does not."""
        if factors := [name for name in self.extra if ".lora_" in name]:
            return (
                f"{self.role} is a LoRA that was never merged: it holds {len(factors)} factors, "
                f"e.g. {factors[0]}; save it after merge_and_unload()"
            )
        lost = self.unmatched_parameters
        share = lost / (lost + self.parameters)
        if share <= most:
            return ""
        return (
            f"{share:.1%} of {self.against}'s weights have no partner in {self.role} (bound "
            f"{most:.0%}), e.g. {', '.join(self.missing[:2]) or 'rows of a resized embedding'}"
        )

    def totals(self) -> WeightTotals:
        """What it comes to over all tensors."""
        return WeightTotals(
            self.parameters,
            self.unchanged,
            self.unchanged_fraction,
            within_tolerance=self.share("within_tolerance"),
            within_relative=self.share("within_relative"),
            bf16=self.share("unchanged_bf16"),
            exact=self.share("unchanged_exact"),
            relative_update=self.relative_norm(),
        )

    def rows(self) -> tuple[TensorRow, ...]:
        """Every tensor, as reports show it."""
        return tuple(map(_row, self.tensors))

    def matching(self) -> Matching:
        """How tensors were matched."""
        return Matching(
            self.notes, self.missing, self.extra, self.skipped, self.unmatched_parameters
        )


def compare(base: Path, rlvr: Path, *, role: str = "rlvr", against: str = "base") -> Update:
    """Compare every tensor of two checkpoints in Hugging Face layout.

    Args:
        base: folder of the checkpoint that training started from.
        rlvr: folder of the trained checkpoint, or of a LoRA adapter trained on `base`.

    Raises:
        LayoutError: a file is missing or truncated.
        WeightsError: nothing to compare, a tensor of another shape, element types without
            values, NaN or infinite weights, or an adapter of another base.
    """
    return measure(pairing(base, rlvr, role=role, against=against), role=role, against=against)


def pairing(base: Path, other: Path, *, role: str, against: str) -> Pairing:
    """Which tensor is which, from the headers alone."""
    ours = tensor_slots(base)
    if is_adapter(other):
        return adapted(ours, other, against=against, role=role)
    return pair_tensors(ours, tensor_slots(other), against=against, role=role)


def measure(
    found: Pairing, *, role: str, against: str, tell: Callable[[int], None] = lambda _: None
) -> Update:
    """Stream through the paired tensors, on every core this process may use.

    Args:
        tell: called after each tensor with the number of its weights.
    """
    with ThreadPoolExecutor(threads()) as pool:
        changes = tuple(_told(_change(pair, pool), tell) for pair in found.pairs)
    return Update(
        role, against, changes, found.notes, found.missing, found.extra, found.skipped,
        found.unmatched_parameters, found.adapter_rank,
    )  # fmt: skip


def _told(change: TensorChange, tell: Callable[[int], None]) -> TensorChange:
    tell(change.parameters)
    return change


def _change(pair: Pair, pool: ThreadPoolExecutor) -> TensorChange:
    found = change(pair.base, pair.other, pool=pool)
    kinds = pair.base.dtype, pair.other.dtype
    rows, columns = found.changed_by_row(), found.columns
    return TensorChange(
        name=pair.name,
        dtype=kinds[0] if kinds[0] == kinds[1] else "/".join(kinds),
        shape=pair.base.shape,
        parameters=found.parameters,
        unchanged=found.unchanged,
        within_tolerance=found.within_tolerance,
        max_abs=found.max_abs,
        update_norm=math.sqrt(found.squares),
        base_norm=math.sqrt(found.base_squares),
        unchanged_exact=found.unchanged_exact,
        unchanged_bf16=found.unchanged_bf16,
        within_relative=found.within_relative,
        row_dispersion=dispersion(rows, _length(columns)),
        column_dispersion=dispersion(columns, _length(rows)),
        row_density=_profile(rows, _length(columns)),
        column_density=_profile(columns, _length(rows)),
    )


def _length(counts: NDArray[np.int64] | None) -> int:
    return 0 if counts is None else len(counts)


def dispersion(changed: NDArray[np.int64] | None, width: int) -> float | None:
    """Variance of the lines' update ratios over the binomial expectation p (1 - p) / width.

    About 1 where every weight is updated independently; stripes (arXiv:2511.08567, fig. 2) make
    it large.

    Args:
        changed: changed weights of every line (row or column), shape (lines,).
        width: weights in a line.
    """
    if changed is None or len(changed) < 2 or not width:
        return None
    ratios = changed / width
    density = float(ratios.mean())
    if not 0 < density < 1:
        return None
    return float(ratios.var(ddof=1) / (density * (1 - density) / width))


def _profile(changed: NDArray[np.int64] | None, width: int) -> tuple[float, ...]:
    """Share changed in at most 24 equal stretches of lines."""
    if changed is None or not width:
        return ()
    parts = np.array_split(changed, min(_BINS, len(changed)))
    return tuple(round(float(part.mean()) / width, 6) for part in parts)


def _row(tensor: TensorChange) -> TensorRow:
    return TensorRow(
        name=tensor.name,
        dtype=tensor.dtype,
        shape=tensor.shape,
        parameters=tensor.parameters,
        unchanged=tensor.unchanged,
        unchanged_bf16=tensor.unchanged_bf16,
        within_tolerance=tensor.within_tolerance,
        max_abs=tensor.max_abs,
        relative_l2=_ratio(tensor.update_norm, tensor.base_norm),
        row_dispersion=tensor.row_dispersion,
        column_dispersion=tensor.column_dispersion,
        row_density=tensor.row_density,
        column_density=tensor.column_density,
    )


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
