"""Where a tensor's numbers come from: a file, mapped window by window, or whoever has `words`.

Files are mapped and let go in windows of a few megabytes, so memory does not grow with the
checkpoint.
"""

from __future__ import annotations

import math
import mmap
import os
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rlvr_gate.weights.layout import LayoutError, TensorSlot

Words = NDArray[np.generic]

FLOATS = ("BF16", "F16", "F32", "F64")
"""Element types whose values can be compared, fewest digits first."""

_TYPES = {"F64": np.float64, "F32": np.float32, "F16": np.float16, "BF16": np.uint16}
_PIECE = 1 << 20  # elements turned into numbers at a time


class WeightsError(ValueError):
    """Two checkpoints' weights cannot be compared; the message says which tensor."""


class Source(Protocol):
    """One tensor of a checkpoint."""

    @property
    def name(self) -> str:
        """As its checkpoint calls it."""

    @property
    def dtype(self) -> str:
        """Element type in the words of safetensors: `BF16`."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def path(self) -> Path:
        """The file to name in messages."""


class Computed(Source, Protocol):
    """A tensor that lies in no file as it is, such as a base with an adapter merged into it."""

    def words(self, first: int, count: int) -> Words:
        """Elements `first` to `first + count`, row by row, rounded to `dtype`."""

    def exact(self, first: int, count: int) -> NDArray[np.float32]:
        """The same elements before rounding."""


def elements(source: Source) -> int:
    """How many numbers a tensor holds."""
    return math.prod(source.shape)


def item_bytes(source: Source) -> int:
    """Size of one element."""
    return np.dtype(_TYPES[source.dtype]).itemsize


def words(source: Source, first: int, count: int) -> Words:
    """Elements `first` to `first + count` of a tensor, bfloat16 as raw words; read-only.

    Raises:
        LayoutError: the file has shrunk since its header was read.
    """
    if isinstance(source, TensorSlot):
        return _mapped(source, first, count)
    computed: Computed = source  # type: ignore[assignment]  # whatever lies in no file
    return computed.words(first, count)


def _mapped(slot: TensorSlot, first: int, count: int) -> Words:
    kind = np.dtype(_TYPES[slot.dtype])
    start = slot.start + first * kind.itemsize
    stop = start + count * kind.itemsize
    low = start - start % mmap.ALLOCATIONGRANULARITY
    with slot.path.open("rb") as file:
        if os.fstat(file.fileno()).st_size < stop:
            raise LayoutError(f"{slot.path.name} was cut short while it was read; copy it again")
        if not count:
            return np.empty(0, kind)
        window = mmap.mmap(file.fileno(), stop - low, access=mmap.ACCESS_READ, offset=low)
    if start % kind.itemsize:  # legal, if odd: numpy wants its words aligned
        return np.frombuffer(window[start - low :], kind)
    return np.frombuffer(window, kind, count, start - low)


def values(found: Words, dtype: str) -> NDArray[np.float64]:
    """Elements as they lie on disk -> the numbers they stand for."""
    if dtype == "BF16":
        return (found.astype(np.uint32) << 16).view(np.float32).astype(np.float64)
    return found.astype(np.float64)


def matrix(source: Source) -> NDArray[np.float32]:
    """A whole tensor as float32 numbers, shape (rows, columns); leading axes are joined.

    A computed tensor comes unrounded, so that an adapter's update keeps its own rank.
    """
    total = elements(source)
    found = np.empty(total, np.float32)
    for first in range(0, total, _PIECE):
        count = min(_PIECE, total - first)
        if isinstance(source, TensorSlot):
            part = values(_mapped(source, first, count), source.dtype)
            found[first : first + count] = part
        else:
            computed: Computed = source  # type: ignore[assignment]  # as in `words`
            found[first : first + count] = computed.exact(first, count)
    return found.reshape(-1, source.shape[-1])


def coarser(one: str, other: str) -> str:
    """The element type of fewer digits: F64 before F32 before F16 before BF16."""
    return min(one, other, key=FLOATS.index)


def rounded(found: NDArray[np.float64], dtype: str) -> NDArray[np.float64]:
    """Numbers rounded to an element type, ties to even."""
    if dtype == "F64":
        return found
    with np.errstate(over="ignore"):
        if dtype == "F16":
            return found.astype(np.float16).astype(np.float64)
        single = found.astype(np.float32)
    return (round_to_bf16(single) if dtype == "BF16" else single).astype(np.float64)


def to_words(found: NDArray[np.float32], dtype: str) -> Words:
    """Numbers as a file of this element type would hold them."""
    if dtype == "BF16":
        return (round_to_bf16(found).view(np.uint32) >> 16).astype(np.uint16)
    return found.astype(_TYPES[dtype])


def round_to_bf16(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Round float32 to the nearest bfloat16, ties to even, kept in float32."""
    bits = values.view(np.uint32)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) & np.uint32(0xFFFF0000)
    return np.where(np.isnan(values), values, rounded.view(np.float32))
