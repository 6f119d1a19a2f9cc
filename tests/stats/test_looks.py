"""Looks: what each may spend, and that together they spend no more than one test."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from rlvr_gate.stats.error_rates import spend
from rlvr_gate.stats.looks import (
    SMALLEST,
    boundaries,
    look_levels,
    look_sizes,
    p_over_looks,
)


@pytest.mark.parametrize("problems", [1, 30, 79, 80, 100, 159, 160, 500, 5000])
def test_looks_grow_to_all_problems_and_none_is_tiny(problems: int) -> None:
    sizes = look_sizes(problems)
    assert sizes[-1] == problems
    assert list(sizes) == sorted(set(sizes))
    assert all(size >= SMALLEST for size in sizes[:-1])


def test_boundaries_are_the_textbook_s() -> None:
    """O'Brien-Fleming-like spending of .025 to each side at four looks (gsDesign, sfLDOF)."""
    shares = (0.25, 0.5, 0.75, 1.0)
    one_side = [*spend(0.025, shares)]
    found = boundaries([2 * alpha for alpha in one_side], shares)
    assert found == pytest.approx([4.333, 2.963, 2.359, 2.014], abs=6e-4)


def test_two_looks_against_the_bivariate_normal() -> None:
    first, second = boundaries([0.02, 0.03], [0.4, 1.0])
    both = multivariate_normal([0, 0], [[1, 0.4**0.5], [0.4**0.5, 1]])
    inside = sum(
        sign * both.cdf([a, b])
        for sign, a, b in ((1, first, second), (-1, -first, second), (-1, first, -second),
                           (1, -first, -second))
    )  # fmt: skip
    assert 2 * norm.sf(first) == pytest.approx(0.02)
    assert 1 - inside == pytest.approx(0.05, abs=1e-5)


@pytest.mark.parametrize("level", [0.8, 0.9, 0.95, 0.99])
@pytest.mark.parametrize("problems", [30, 100, 200, 500])
def test_a_look_tests_at_least_at_what_it_spends(level: float, problems: int) -> None:
    sizes = look_sizes(problems)
    levels = look_levels(level, sizes)
    spent = spend(1 - level, [size / problems for size in sizes])
    assert all(1 - found >= alpha - 1e-12 for found, alpha in zip(levels, spent, strict=True))
    assert levels[-1] >= level - 1e-12
    assert sum(spent) == pytest.approx(1 - level)


def test_p_over_looks_rejects_where_the_look_does() -> None:
    sizes = look_sizes(500)
    for look, level in enumerate(look_levels(0.95, sizes)):
        assert p_over_looks(0.999 * (1 - level), look, 0.95, sizes) <= 0.05 + 1e-12
        assert p_over_looks(1.001 * (1 - level), look, 0.95, sizes) > 0.05
        assert p_over_looks(0.01 * (1 - level), look, 0.95, sizes) < 0.02
    assert p_over_looks(0.3, 0, 0.95, (30,)) == pytest.approx(0.3)
    assert p_over_looks(0.9, 0, 0.95, sizes) == 1.0
    with pytest.raises(ValueError, match=r"p-value must lie in \[0, 1\], got 1.5"):
        p_over_looks(1.5, 0, 0.95, sizes)


def test_stopping_at_the_first_look_that_decides_errs_within_the_budget() -> None:
    """Simulated: z-tests of a true null on growing parts; p_over_looks is a p-value too."""
    rng, sizes = np.random.default_rng(0), look_sizes(400)
    values = rng.standard_normal((20_000, sizes[-1]))
    levels = look_levels(0.95, sizes)
    rejected = np.zeros(len(values), dtype=bool)
    naive = rejected.copy()
    smallest = np.ones(len(values))
    for look, size in enumerate(sizes):
        z = values[:, :size].sum(axis=1) / np.sqrt(size)
        p = 2 * norm.sf(np.abs(z))
        rejected |= p < 1 - levels[look]
        naive |= p < 0.05
        smallest = np.minimum(smallest, [p_over_looks(one, look, 0.95, sizes) for one in p])
    noise = 3 * (0.05 * 0.95 / len(values)) ** 0.5
    assert rejected.mean() == pytest.approx(0.05, abs=noise)
    assert naive.mean() > 0.08  # what the spending is for
    assert np.mean(smallest <= 0.2) < 0.2 + 3 * (0.16 / len(values)) ** 0.5
