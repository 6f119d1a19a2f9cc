"""Do several engines draw from the same model? Correct completions of the same problems compared.

Under "the same model behind all" the counts of a problem are exchangeable between engines, because
each engine had as many independent samples of it. So every difference of pass@k is centred at 0,
its squares a problem are its variance, and shuffling each problem's counts between the engines
gives the law of all differences together: of every pair of engines at every k, however much they
depend on each other. `reach` is what chance allows to each so that in 95 of 100 comparisons of one
model with itself no difference of the table is beyond it (the largest of the standardised
differences, Westfall and Young): no normal approximation, and no price for overlapping k.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from rlvr_gate.stats.passk import pass_at_k

_SHUFFLES = 2000


class Row(NamedTuple):
    """The second engine's pass@k minus the first one's."""

    group: str
    k: int
    one: int
    """Position of the first engine."""
    two: int
    difference: float
    reach: float
    """How far from 0 chance may bring it."""


def compare(
    correct: Sequence[Mapping[str, np.ndarray]],
    samples: int,
    ladder: Sequence[int],
    *,
    level: float = 0.95,
    seed: int = 0,
) -> list[Row]:
    """Every pair of engines at every k.

    Args:
        correct: for each engine group (such as a checkpoint) -> correct completions a problem.
        samples: completions a problem, of every engine.
    """
    rng = np.random.default_rng(seed)
    counts = {group: np.stack([one[group] for one in correct]) for group in correct[0]}
    values = pass_at_k(samples, np.arange(samples + 1)[:, None], np.array(ladder))
    pairs = list(combinations(range(len(correct)), 2))
    largest = np.zeros(_SHUFFLES)
    for shuffle in range(_SHUFFLES):
        for of in counts.values():
            mixed = rng.permuted(of, axis=0)
            difference, scale = _differences(values[mixed], pairs)
            largest[shuffle] = max(largest[shuffle], np.abs(_ratio(difference, scale)).max())
    bound = float(np.quantile(largest, level, method="higher"))
    rows = []
    for group, of in counts.items():
        difference, scale = _differences(values[of], pairs)
        for column, k in enumerate(ladder):
            for line, (one, two) in enumerate(pairs):
                here = float(difference[line, column]), bound * float(scale[line, column])
                rows.append(Row(group, k, one, two, *here))
    return rows


def within(rows: Sequence[Row]) -> bool:
    """Whether chance explains every difference."""
    return all(abs(row.difference) <= row.reach for row in rows)


def _differences(
    values: np.ndarray, pairs: Sequence[tuple[int, int]]
) -> tuple[np.ndarray, np.ndarray]:
    """(pairs, ks): mean differences and their standard errors, from (engines, problems, ks)."""
    each = np.stack([values[two] - values[one] for one, two in pairs])
    return each.mean(axis=1), np.sqrt((each**2).sum(axis=1)) / values.shape[1]


def _ratio(difference: np.ndarray, scale: np.ndarray) -> np.ndarray:
    return np.divide(difference, scale, out=np.zeros_like(difference), where=scale > 0)
