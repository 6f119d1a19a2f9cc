"""Looks at a growing part of a benchmark: what each may spend, and what it proves.

A benchmark's problems are asked in a random order and its claims judged after each quarter of
them. Testing at the full level every time would err too often. So each look gets a share of the
error budget (Lan and DeMets 1983), and its own level follows from the joint distribution of what
was seen so far: problems are independent, so a mean over them is a random walk in the share of
problems asked, and the chance to cross a boundary now and not before is an integral over the
walks that have not crossed (Armitage, McPherson and Rowe 1969). Intervals made at these levels
are repeated confidence intervals (Jennison and Turnbull 1989).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rlvr_gate.stats.error_rates import spend

Floats = NDArray[np.float64]

SHARES = (0.25, 0.5, 0.75, 1.0)
SMALLEST = 40
"""Problems of the first look, at least: below it intervals are wide and a look is wasted."""

_NODES = 160  # of the quadrature over the walks that go on; 40 agree to twelve digits


def look_sizes(problems: int) -> tuple[int, ...]:
    """Problems asked by each look, ending at all of them.

    >>> look_sizes(500), look_sizes(100), look_sizes(30)
    ((125, 250, 375, 500), (50, 75, 100), (30,))
    """
    early = [round(problems * share) for share in SHARES[:-1]]
    return (*(size for size in early if size >= SMALLEST), problems)


def look_levels(
    level: float, sizes: Sequence[int], *, guaranteed: bool = False
) -> tuple[float, ...]:
    """Level at which each look must test so that all looks together keep `level`.

    Args:
        guaranteed: whatever the looks have to do with each other: each spends its own share, and
            the shares add up. Otherwise what is looked at is taken to be a random walk.

    >>> [round(found, 4) for found in look_levels(0.95, (50, 75, 100))]
    [0.9944, 0.9784, 0.9589]
    >>> [round(found, 4) for found in look_levels(0.95, (50, 75, 100), guaranteed=True)]
    [0.9944, 0.9819, 0.9736]
    """
    return _levels(level, tuple(sizes), guaranteed)


@lru_cache(maxsize=256)
def _levels(level: float, sizes: tuple[int, ...], guaranteed: bool) -> tuple[float, ...]:
    from scipy.special import ndtr

    shares = [size / sizes[-1] for size in sizes]
    spent = spend(1 - level, shares)
    if guaranteed:
        return tuple(1 - alpha for alpha in spent)
    return tuple(float(2 * ndtr(bound) - 1) for bound in boundaries(spent, shares))


def boundaries(spent: Sequence[float], shares: Sequence[float]) -> tuple[float, ...]:
    """|z| beyond which each look rejects: the first crossings spend exactly `spent`.

    Args:
        spent: two-sided chance to cross at each look and not before.
        shares: of the final information at each look, increasing.
    """
    from scipy.optimize import brentq
    from scipy.special import ndtri

    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    bounds = [-float(ndtri(spent[0] / 2))]
    scale = np.sqrt(shares[0])
    walks = nodes * bounds[0] * scale  # that go on: where they are, and how likely
    chance = weights * bounds[0] * np.exp(-((walks / scale) ** 2) / 2) / np.sqrt(2 * np.pi)
    for alpha, share, before in zip(spent[1:], shares[1:], shares[:-1], strict=True):
        step, scale = np.sqrt(share - before), np.sqrt(share)
        bound = brentq(_excess, 0.0, 40.0, (walks / step, chance, scale / step, alpha), xtol=1e-12)
        reached = nodes * bound * scale
        jumps = (reached[:, None] - walks[None, :]) / step
        density = np.exp(-(jumps**2) / 2) @ chance / (step * np.sqrt(2 * np.pi))
        walks, chance = reached, weights * bound * scale * density
        bounds.append(bound)
    return tuple(bounds)


def _excess(bound: float, walks: Floats, chance: Floats, scale: float, alpha: float) -> float:
    """What crosses `bound` in the next step, beyond `alpha`; all in units of the step."""
    from scipy.special import ndtr

    crossed = ndtr(walks - bound * scale) + ndtr(-walks - bound * scale)
    return float(chance @ crossed) - alpha


def p_over_looks(
    p: float, look: int, level: float, sizes: Sequence[int], *, guaranteed: bool = False
) -> float:
    """p-value over all looks of a claim that was decided at `look` (from 0) with `p`.

    Weighted Bonferroni, `p` over the share of the budget that is spent at this look; and at most
    the whole budget 1 - `level` where the look rejects, at levels as in `look_levels`.
    """
    if not 0 <= p <= 1:
        raise ValueError(f"a p-value must lie in [0, 1], got {p}")
    share = spend(1 - level, [size / sizes[-1] for size in sizes])[look] / (1 - level)
    rejects = p <= 1 - look_levels(level, sizes, guaranteed=guaranteed)[look]
    return min(p / share, 1 - level if rejects else 1.0)
