"""Sketches: what they keep, and how well."""

from __future__ import annotations

import numpy as np
import pytest

from rlvr_gate.kernels.sketch import Sketch, sketch_error
from rlvr_gate.kernels.spectrum import KernelError

RANDOM = np.random.default_rng(2)


def folded(vector: np.ndarray, size: int, seed: int) -> np.ndarray:
    """A vector in three tensors, one shorter than the sketch."""
    parts = np.split(vector, [7, 60])
    return sum(Sketch(size, seed).fold(at, part) for at, part in enumerate(parts))


def matrix(length: int, size: int, seed: int) -> np.ndarray:
    return np.stack([folded(row, size, seed) for row in np.eye(length)])


def test_every_coordinate_has_one_place_and_a_sign() -> None:
    found = matrix(100, 16, 3)
    assert (np.abs(found).sum(1) == 1).all()
    assert {-1.0, 1.0} == set(found[found != 0])


def test_a_block_never_meets_itself() -> None:
    found = np.abs(matrix(7, 16, 0))
    assert (found.sum(0) <= 1).all()


def test_a_sketch_is_linear() -> None:
    x, y = RANDOM.normal(size=(2, 100))
    assert np.allclose(folded(x, 16, 1) + 2 * folded(y, 16, 1), folded(x + 2 * y, 16, 1))
    assert np.allclose(x @ matrix(100, 16, 1), folded(x, 16, 1))


def test_one_seed_one_sketch() -> None:
    assert (matrix(100, 16, 1) == matrix(100, 16, 1)).all()
    assert (matrix(100, 16, 1) != matrix(100, 16, 2)).any()


@pytest.mark.parametrize("alike", [True, False])
def test_inner_products_are_kept_within_the_bound(alike: bool) -> None:
    """Over 2,000 sketches: no bias beyond four standard errors, no variance beyond the bound."""
    x = RANDOM.normal(size=100)
    y = x + 0.1 * RANDOM.normal(size=100) if alike else RANDOM.normal(size=100)
    size, seeds = 16, 2000
    found = np.array([folded(x, size, s) @ folded(y, size, s) for s in range(seeds)])
    bound = ((x @ x) * (y @ y) + (np.abs(x) @ np.abs(y)) ** 2) / size
    assert abs(found.mean() - x @ y) < 4 * np.sqrt(bound / seeds)
    assert 0.3 * bound < found.var() < 1.15 * bound


def test_a_kernel_errs_within_the_bound() -> None:
    gradients = RANDOM.normal(size=(8, 100)) + 1
    kernel = gradients @ gradients.T
    errors = []
    for seed in range(200):
        short = gradients @ matrix(100, 32, seed)
        errors.append(np.linalg.norm(short @ short.T - kernel) / np.linalg.norm(kernel))
    assert 0.3 * sketch_error(kernel, 32) < np.sqrt(np.mean(np.square(errors)))
    assert np.sqrt(np.mean(np.square(errors))) < sketch_error(kernel, 32)


def test_a_sketch_has_a_size() -> None:
    with pytest.raises(KernelError, match="2 at least, got 1"):
        Sketch(1)
