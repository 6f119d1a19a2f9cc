"""One pass over a pair of tensors, straight from the page cache: what changed, and by how much.

Files are mapped in windows of a few megabytes, so memory does not grow with the checkpoint, and
read in blocks that stay in a core's cache. Two bfloat16 tensors are compared as raw words and
their differences taken in float32, where a difference of two such words that lie close is exact;
every other combination of types takes the plain road through float64. Windows are spread over the
cores; their results are added in the order of the file, so a result does not depend on threads.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from rlvr_gate.weights.sources import (
    FLOATS,
    Source,
    WeightsError,
    coarser,
    elements,
    item_bytes,
    rounded,
    values,
    words,
)

Counts = NDArray[np.int64]
Result = TypeVar("Result")

ABSOLUTE_TOLERANCE = 1e-5
"""The tolerance of arXiv:2505.11711v2 sec. 2.2; reported beside equality: it inflates sparsity."""
RELATIVE_TOLERANCE = 1e-3
"""eta of arXiv:2511.08567, def. 2.1: |b - a| <= eta max(|a|, |b|); equality for bfloat16."""

_WINDOW = 16 << 20  # bytes of each file mapped at a time and thread
_BLOCK = 1 << 17  # elements worked on at a time: their buffers fit a core's cache
_SUMMED = 1 << 13  # squares added in float32 before they join a float64: 6 digits are exact
_MOST_COLUMNS = 1 << 16  # wider rows are cut, and have no row and column counts
_LANES = 255  # bytes that can be added before one overflows
_EXPONENT_TOP = np.uint64(0x4000400040004000)  # set in a half's word where |w| >= 2
_INFINITY = {"BF16": 0x7F80, "F16": 0x7C00}  # the word of infinity; those of NaN are larger
_NEGATIVE_ZERO = -0x8000  # the bfloat16 word of -0, as int16


_ADDED = (
    "parameters", "unchanged", "unchanged_exact", "unchanged_bf16", "within_relative",
    "within_tolerance", "squares", "base_squares",
)  # fmt: skip


@dataclass(slots=True)
class Change:
    """What one pass over a pair of tensors counted; `add` joins passes over consecutive parts."""

    parameters: int = 0
    unchanged: int = 0
    """Equal after rounding to the coarser of the two element types."""
    unchanged_exact: int = 0
    """Equal as numbers, nothing rounded."""
    unchanged_bf16: int = 0
    """Equal after rounding both to bfloat16 (arXiv:2511.08567, def. 2.2)."""
    within_relative: int = 0
    """|b - a| <= 1e-3 max(|a|, |b|), in bfloat16."""
    within_tolerance: int = 0
    """|b - a| <= 1e-5, in the coarser of the two element types."""
    max_abs: float = 0.0
    squares: float = 0.0
    """Sum of squared differences."""
    base_squares: float = 0.0
    rows: list[Counts] = field(default_factory=list)
    """Changed elements (in bfloat16) of each row, in pieces; empty where there are no rows."""
    columns: Counts | None = None

    def add(self, other: Change) -> None:
        """Append the counts of the part that follows."""
        for name in _ADDED:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.max_abs = max(self.max_abs, other.max_abs)
        self.rows += other.rows
        if other.columns is not None:
            self.columns = other.columns if self.columns is None else self.columns + other.columns

    def changed_by_row(self) -> Counts | None:
        """Shape (rows,); None where the tensor has no rows."""
        return np.concatenate(self.rows) if self.rows else None


@dataclass(frozen=True, slots=True)
class Window:
    """Consecutive elements of one tensor, in every checkpoint that takes part."""

    slots: tuple[Source, ...]
    first: int
    count: int
    columns: int
    """Length of a row; 0 where elements are taken as one long line."""


def windows(slots: Sequence[Source]) -> Iterator[Window]:
    """Cut tensors of one shape into pieces of whole rows that are mapped at once."""
    total, columns = elements(slots[0]), _columns(slots[0])
    size = max(1, _WINDOW // max(map(item_bytes, slots)))
    step = max(1, size // columns) * columns if columns else size
    for first in range(0, total, step):
        yield Window(tuple(slots), first, min(step, total - first), columns)


def _columns(slot: Source) -> int:
    if len(slot.shape) < 2 or not 0 < slot.shape[-1] <= _MOST_COLUMNS:
        return 0
    return slot.shape[-1]


def threads() -> int:
    """Cores this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def each_window(
    work: Callable[[Window], Result], slots: Sequence[Source], pool: ThreadPoolExecutor | None
) -> list[Result]:
    """`work` on every window of a tensor, results in the order of the file."""
    pieces = windows(slots)
    return list(pool.map(work, pieces) if pool else map(work, pieces))


def change(
    base: Source,
    other: Source,
    *,
    sizes: bool = True,
    vetted: bool = False,
    pool: ThreadPoolExecutor | None = None,
) -> Change:
    """Compare two tensors of one shape.

    Args:
        sizes: also take differences: norms, largest, and what lies within 1e-5. Without, two
            bfloat16 tensors are only compared for equality, near the speed of reading.
        vetted: both are known to be finite and to hold no -0, so that needs no second look.
        pool: spreads windows over threads.

    Raises:
        WeightsError: a value is NaN or infinite.
    """
    alike = base.dtype == other.dtype == "BF16"
    equality = _vetted_equality if vetted else _equality
    kernel = (_differences if sizes else equality) if alike else _plain
    total = Change()
    for part in each_window(kernel, (base, other), pool):
        total.add(part)
    return total


# bfloat16 against bfloat16


def _equality(window: Window, *, vetted: bool = False) -> Change:
    """Only which words differ, by row and column."""
    a, b = _both(window)
    changed = np.empty(min(window.count, _rows_at_once(window, 2 * _BLOCK)), bool)
    counts = _Counter(window)
    for start in range(0, window.count, len(changed)):
        ours, theirs = a[start : start + len(changed)], b[start : start + len(changed)]
        differs = changed[: len(ours)]
        np.not_equal(ours, theirs, out=differs)
        if not vetted:
            _check_finite(ours, theirs, window)
            if _has_negative_zero(ours) or _has_negative_zero(theirs):
                differs &= (ours | theirs) & 0x7FFF != 0
        counts.add(differs)
    found = counts.change()
    found.within_tolerance = -1
    return found


def _vetted_equality(window: Window) -> Change:
    return _equality(window, vetted=True)


def _differences(window: Window) -> Change:
    """Differences too, in float32."""
    a, b = _both(window)
    size = min(window.count, _rows_at_once(window))
    x, y = (np.empty(size, np.float32) for _ in range(2))
    flags = np.empty(size, bool)
    counts = _Counter(window)
    within, largest, squares, base_squares = 0, 0.0, 0.0, 0.0
    for start in range(0, window.count, size):
        ours, theirs = a[start : start + size], b[start : start + size]
        n = len(ours)
        u, d, flag = x[:n], y[:n], flags[:n]
        _widen(ours, u)
        look = partial(_check_finite, ours, theirs, window)
        base_squares += _sum_of_squares(u, look)
        np.subtract(_widen(theirs, d), u, out=d)
        np.not_equal(d, 0, out=flag)  # exact: float32 keeps every bfloat16 difference from 0
        counts.add(flag)
        if flag.any():
            squares += _sum_of_squares(d, look)
            np.abs(d, out=d)
            largest = max(largest, float(d.max()))
            np.less_equal(d, np.float32(ABSOLUTE_TOLERANCE), out=flag)
            within += int(np.count_nonzero(flag))
        else:
            within += n
    found = counts.change()
    found.within_tolerance, found.max_abs = within, largest
    found.squares, found.base_squares = squares, base_squares
    return found


def _both(window: Window) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
    one, two = (words(slot, window.first, window.count) for slot in window.slots)
    return one.view(np.uint16), two.view(np.uint16)


def _rows_at_once(window: Window, most: int = _BLOCK) -> int:
    """Elements of a block: whole rows, where there are rows."""
    return max(1, most // window.columns) * window.columns if window.columns else most


def _widen(words: NDArray[np.uint16], into: NDArray[np.float32]) -> NDArray[np.float32]:
    """bfloat16 words as the float32 numbers they stand for."""
    bits = into.view(np.uint32)
    np.copyto(bits, words)
    np.left_shift(bits, 16, out=bits)
    return into


def _sum_of_squares(values: NDArray[np.float32], odd: Callable[[], None]) -> float:
    """In float32, or in float64 where that would overflow or lose everything.

    NaN and infinity cannot hide in a sum of squares: `odd` is called to look for them.
    """
    parts = (values[start : start + _SUMMED] for start in range(0, len(values), _SUMMED))
    with np.errstate(over="ignore", invalid="ignore"):
        found = sum(float(np.dot(part, part)) for part in parts)
    if 1e-30 < found < np.inf:
        return found
    odd()
    return float(np.square(values, dtype=np.float64).sum())


def _check_finite(ours: NDArray[np.uint16], theirs: NDArray[np.uint16], window: Window) -> None:
    for found, slot in zip((ours, theirs), window.slots, strict=True):
        if not _finite_halves(found, _INFINITY[slot.dtype]):
            raise _not_finite(slot)


def _finite_halves(found: NDArray[np.uint16], infinity: int) -> bool:
    """Look closer only where a block holds numbers of 2 and above; most weights are below 1."""
    whole = len(found) - len(found) % 4
    seen = np.bitwise_or.reduce(found[:whole].view(np.uint64))
    rest = np.bitwise_or.reduce(found[whole:])
    large = bool(seen & _EXPONENT_TOP) or bool(rest & 0x4000)
    return not large or int((found & 0x7FFF).max()) < infinity


def is_finite(slot: Source, pool: ThreadPoolExecutor | None = None) -> bool:
    """Whether every number of a tensor is one; whole numbers always are."""
    return slot.dtype not in FLOATS or all(each_window(_all_finite, (slot,), pool))


def _all_finite(window: Window) -> bool:
    (slot,) = window.slots
    found = words(slot, window.first, window.count)
    blocks = (found[start : start + _BLOCK] for start in range(0, window.count, _BLOCK))
    if slot.dtype in _INFINITY:
        infinity = _INFINITY[slot.dtype]
        return all(_finite_halves(block.view(np.uint16), infinity) for block in blocks)
    return all(bool(np.isfinite(block).all()) for block in blocks)


def _not_finite(slot: Source) -> WeightsError:
    return WeightsError(
        f"{slot.path}: tensor {slot.name} holds NaN or infinite values: a checkpoint saved from a "
        "diverged run cannot be compared; take an earlier one"
    )


def _has_negative_zero(words: NDArray[np.uint16]) -> bool:
    return int(words.view(np.int16).min(initial=0)) == _NEGATIVE_ZERO


class _Counter:
    """Adds up a window's mask of changed elements, by row and by column."""

    def __init__(self, window: Window) -> None:
        self.window = window
        columns = window.columns
        self.cut = columns - columns % 8
        pieces = -(-self.cut // (8 * _LANES)) if columns else 0
        self.rows = window.count // columns if columns else 0
        self.lanes = np.zeros((self.rows, pieces), np.uint64)
        self.tails = np.zeros(self.rows, np.int64)
        self.columns = np.zeros(columns, np.int64)
        self.row = self.flat = 0

    def add(self, mask: NDArray[np.bool_]) -> None:
        """Count a block, of whole rows where there are rows."""
        if not self.window.columns:
            self.flat += int(np.count_nonzero(mask))
            return
        table = mask.view(np.uint8).reshape(-1, self.window.columns)
        first, last = self.row, self.row + len(table)
        self.row = last
        self._add_rows(table, slice(first, last))
        for start in range(0, len(table), _LANES):  # so that no byte overflows
            part = table[start : start + _LANES]
            self.columns += np.add.reduce(part, axis=0, dtype=np.uint8)

    def _add_rows(self, table: NDArray[np.uint8], rows: slice) -> None:
        """Eight bytes at a time: each byte of a word is a count of its own."""
        if self.cut == self.window.columns:
            words = table.view(np.uint64)
        else:
            words = np.ascontiguousarray(table[:, : self.cut]).view(np.uint64)
            self.tails[rows] = table[:, self.cut :].sum(axis=1)
        for piece in range(self.lanes.shape[1]):
            part = words[:, piece * _LANES : (piece + 1) * _LANES]
            np.add.reduce(part, axis=1, out=self.lanes[rows, piece])

    def change(self) -> Change:
        """The counts as a Change, with equality in all its forms."""
        found = Change(self.window.count)
        changed = self.flat
        if self.window.columns:
            by_row = self.lanes.view(np.uint8).reshape(self.rows, -1).sum(axis=1, dtype=np.int64)
            by_row += self.tails
            found.rows, found.columns = [by_row], self.columns
            changed = int(by_row.sum())
        same = self.window.count - changed
        found.unchanged = found.unchanged_exact = same
        found.unchanged_bf16 = found.within_relative = same
        return found


# Every other combination of element types


def _plain(window: Window) -> Change:
    a, b = (words(slot, window.first, window.count) for slot in window.slots)
    common = coarser(*(slot.dtype for slot in window.slots))
    counts = _Counter(window)
    found = Change()
    size = _rows_at_once(window)
    for start in range(0, window.count, size):
        x, y = (
            values(part[start : start + size], slot.dtype)
            for part, slot in zip((a, b), window.slots, strict=True)
        )
        for numbers, slot in zip((x, y), window.slots, strict=True):
            if not np.isfinite(numbers).all():
                raise _not_finite(slot)
        found.unchanged_exact += int(np.count_nonzero(x == y))
        found.base_squares += float(np.square(x).sum())
        delta = np.abs(rounded(y, common) - rounded(x, common))
        found.unchanged += int(np.count_nonzero(delta == 0))
        found.within_tolerance += int(np.count_nonzero(delta <= ABSOLUTE_TOLERANCE))
        found.max_abs = max(found.max_abs, float(delta.max(initial=0.0)))
        found.squares += float(np.square(delta).sum())
        p, q = rounded(x, "BF16"), rounded(y, "BF16")
        larger = np.maximum(np.abs(p), np.abs(q))
        near = np.abs(q - p) <= RELATIVE_TOLERANCE * larger
        found.within_relative += int(np.count_nonzero(near))
        counts.add(p != q)
    mask = counts.change()
    found.parameters, found.unchanged_bf16 = mask.parameters, mask.unchanged_bf16
    found.rows, found.columns = mask.rows, mask.columns
    return found
