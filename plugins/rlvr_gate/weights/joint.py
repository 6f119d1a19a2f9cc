"""Several checkpoints of one base together: do their updates hit the same weights?

One pass over all files counts the updates two by two, those of consecutive checkpoints, and the
weights that any of them changed; masks are those of bfloat16 (arXiv:2511.08567, def. 2.2).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rlvr_gate.records import UpdateOverlap
from rlvr_gate.weights.masks import counted_overlap
from rlvr_gate.weights.pairing import Pairing
from rlvr_gate.weights.scan import Window, each_window, threads
from rlvr_gate.weights.sources import Source, elements, rounded, values, words


@dataclass(frozen=True, slots=True)
class Together:
    """Counts over the tensors that every checkpoint shares with the base."""

    roles: tuple[str, ...]
    parameters: int
    changed: tuple[int, ...]
    """Weights that each checkpoint changed."""
    both: tuple[tuple[int, ...], ...]
    """Weights that two of them changed, by position in `roles`."""
    moved: tuple[int, ...]
    """Weights in which each differs from the one before it; the first, from the base."""
    ever: tuple[int, ...]
    """Weights that differ from the base in this checkpoint or an earlier one."""

    def overlap(self, first: str, second: str) -> UpdateOverlap:
        """How two updates overlap, beside what chance would give them.

        Raises:
            ValueError: a role takes no part.
        """
        i, j = self.roles.index(first), self.roles.index(second)
        return counted_overlap(self.changed[i], self.changed[j], self.both[i][j], self.parameters)


def count_together(
    pairings: Mapping[str, Pairing], tell: Callable[[int], None] = lambda _: None
) -> Together:
    """Count over all checkpoints at once, in the order of `pairings` (role -> its tensors).

    Tensors that some checkpoint lacks or holds in another shape are left out.

    Args:
        tell: called after each tensor with the number of its weights.
    """
    roles = tuple(pairings)
    tables = [{p.name: p for p in pairing.pairs} for pairing in pairings.values()]
    size = len(roles)
    both = np.zeros((size, size), np.int64)
    moved, ever = np.zeros(size, np.int64), np.zeros(size, np.int64)
    parameters = 0
    with ThreadPoolExecutor(threads()) as pool:
        for name, pair in tables[0].items() if tables else ():
            found = [table[name] for table in tables if name in table]
            if len(found) < size or any(p.base.shape != pair.base.shape for p in found):
                continue
            sources: list[Source] = [pair.base, *(p.other for p in found)]
            parameters += elements(pair.base)
            for counts in each_window(_count, sources, pool):
                both += counts[0]
                moved += counts[1]
                ever += counts[2]
            tell(elements(pair.base))
    return Together(
        roles, parameters, _whole(both.diagonal()), tuple(_whole(row) for row in both),
        _whole(moved), _whole(ever),
    )  # fmt: skip


def _whole(counts: NDArray[np.int64]) -> tuple[int, ...]:
    return tuple(int(n) for n in counts)


def _count(window: Window) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    base, *others = (_comparable(slot, window) for slot in window.slots)
    masks = [other != base for other in others]
    size = len(masks)
    both = np.zeros((size, size), np.int64)
    for i in range(size):
        for j in range(i, size):
            both[i, j] = both[j, i] = np.count_nonzero(masks[i] & masks[j])
    before: Sequence[NDArray[np.float32]] = [base, *others[:-1]]
    moved = [np.count_nonzero(a != b) for a, b in zip(others, before, strict=True)]
    union, ever = np.zeros(window.count, bool), []
    for mask in masks:
        union |= mask
        ever.append(int(np.count_nonzero(union)))
    return both, np.array(moved, np.int64), np.array(ever, np.int64)


def _comparable(slot: Source, window: Window) -> NDArray[np.float32]:
    """A window's numbers rounded to bfloat16, in float32 so that -0 equals 0."""
    found = words(slot, window.first, window.count)
    if slot.dtype == "BF16":
        bits = found.astype(np.uint32)
        bits <<= 16
        return bits.view(np.float32)
    return rounded(values(found, slot.dtype), "BF16").astype(np.float32)
