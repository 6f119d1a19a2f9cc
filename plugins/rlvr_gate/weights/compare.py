"""Compare two checkpoints' weights, streamed from safetensors without torch.

One tensor at a time, in blocks, straight from memory-mapped files: a 70B pair needs a few hundred
megabytes of memory. Values are compared in the coarser of the two dtypes, and bfloat16 is the
coarsest kept: a weight is *unchanged* when both read as the same value.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rlvr_gate.weights.layout import TensorSlot, tensor_slots

_DTYPES = {"F64": np.float64, "F32": np.float32, "F16": np.float16, "BF16": np.uint16}
_BLOCK = 1 << 22  # elements compared at a time
ABSOLUTE_TOLERANCE = 1e-5
"""The tolerance of arXiv:2505.11711, reported beside bit equality because it inflates sparsity."""


class WeightsError(ValueError):
    """Two checkpoints' weights cannot be compared; the message says which tensor."""


@dataclass(frozen=True, slots=True)
class TensorChange:
    """How far one tensor moved between two checkpoints."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    parameters: int
    unchanged: int
    within_tolerance: int
    """Absolute difference at most 1e-5."""
    max_abs: float
    update_norm: float
    """Frobenius norm of the difference."""
    base_norm: float


@dataclass(frozen=True, slots=True)
class Update:
    """The whole weight update of a checkpoint against another."""

    role: str
    against: str
    tensors: tuple[TensorChange, ...]

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

    def summary(self) -> dict[str, object]:
        """Totals as JSON-able numbers."""
        return {
            "parameters": self.parameters,
            "unchanged": self.unchanged,
            "unchanged_fraction": self.unchanged_fraction,
            "unchanged_fraction_at_1e-5": sum(t.within_tolerance for t in self.tensors)
            / self.parameters,
            "relative_update": _ratio(
                math.hypot(*(t.update_norm for t in self.tensors)),
                math.hypot(*(t.base_norm for t in self.tensors)),
            ),
        }

    def document(self) -> dict[str, object]:
        """Everything as JSON-able numbers: `{against, total, tensors}`."""
        return {
            "against": self.against,
            "total": self.summary(),
            "tensors": [
                {
                    "name": t.name,
                    "dtype": t.dtype,
                    "shape": list(t.shape),
                    "parameters": t.parameters,
                    "unchanged": t.unchanged,
                    "max_abs": t.max_abs,
                    "relative_l2": _ratio(t.update_norm, t.base_norm),
                }
                for t in self.tensors
            ],
        }


def compare(base: Path, rlvr: Path, *, role: str = "rlvr", against: str = "base") -> Update:
    """Compare every tensor of two checkpoints in Hugging Face layout.

    Raises:
        LayoutError: a file is missing or truncated.
        WeightsError: the two hold different tensors, shapes or dtypes that have no values.
    """
    ours, theirs = tensor_slots(base), tensor_slots(rlvr)
    if ours.keys() != theirs.keys():
        only = sorted(ours.keys() ^ theirs.keys())
        raise WeightsError(
            f"{against} and {role} hold different tensors, e.g. {', '.join(only[:3])} "
            f"({len(only)} in one only): compare checkpoints of one architecture"
        )
    return Update(role, against, tuple(_change(ours[n], theirs[n]) for n in sorted(ours)))


def _change(base: TensorSlot, rlvr: TensorSlot) -> TensorChange:
    if base.shape != rlvr.shape:
        raise WeightsError(
            f"tensor {base.name} has shape {base.shape} in base and {rlvr.shape} in rlvr"
        )
    unchanged = within = 0
    max_abs, update, norm = 0.0, 0.0, 0.0
    to_bf16 = "BF16" in (base.dtype, rlvr.dtype)
    for ours, theirs in zip(_blocks(base, to_bf16), _blocks(rlvr, to_bf16), strict=True):
        delta = theirs.astype(np.float64) - ours
        unchanged += int((ours == theirs).sum())
        within += int((np.abs(delta) <= ABSOLUTE_TOLERANCE).sum())
        max_abs = max(max_abs, float(np.abs(delta).max(initial=0.0)))
        update += float(np.square(delta).sum())
        norm += float(np.square(ours.astype(np.float64)).sum())
    dtype = base.dtype if base.dtype == rlvr.dtype else f"{base.dtype}/{rlvr.dtype}"
    return TensorChange(
        base.name, dtype, base.shape, math.prod(base.shape), unchanged, within, max_abs,
        math.sqrt(update), math.sqrt(norm),
    )  # fmt: skip


def _blocks(slot: TensorSlot, to_bf16: bool) -> Iterator[NDArray[np.float32 | np.float64]]:
    if slot.dtype not in _DTYPES:
        raise WeightsError(
            f"{slot.path}: tensor {slot.name} has dtype {slot.dtype}, expected one of "
            f"{', '.join(_DTYPES)}: quantized weights cannot be compared value by value"
        )
    dtype = np.dtype(_DTYPES[slot.dtype])
    count = math.prod(slot.shape)
    for first in range(0, count, _BLOCK):
        # An offset that is not a multiple of the item size is legal; frombuffer reads it.
        with slot.path.open("rb") as file:
            file.seek(slot.start + first * dtype.itemsize)
            raw = file.read(min(_BLOCK, count - first) * dtype.itemsize)
        yield _values(np.frombuffer(raw, dtype), slot.dtype, to_bf16)


def _values(
    raw: NDArray[np.generic], dtype: str, to_bf16: bool
) -> NDArray[np.float32 | np.float64]:
    if dtype == "BF16":
        return (raw.astype(np.uint32) << 16).view(np.float32)
    if to_bf16:
        return round_to_bf16(raw.astype(np.float32))
    return raw.astype(np.float64 if dtype == "F64" else np.float32)


def round_to_bf16(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Round float32 to the nearest bfloat16, ties to even, kept in float32."""
    bits = values.view(np.uint32)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) & np.uint32(0xFFFF0000)
    return np.where(np.isnan(values), values, rounded.view(np.float32))


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
