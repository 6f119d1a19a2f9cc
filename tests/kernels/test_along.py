"""Shares of an update along a kernel's directions, against the directions themselves."""

from __future__ import annotations

import numpy as np
import pytest

from rlvr_gate.kernels.along import share_along
from rlvr_gate.kernels.spectrum import KernelError

RANDOM = np.random.default_rng(3)


def test_shares_are_those_of_the_right_singular_vectors() -> None:
    gradients, update = RANDOM.normal(size=(6, 50)), RANDOM.normal(size=50)
    directions = np.linalg.svd(gradients, full_matrices=False)[2]
    expected = np.cumsum((directions @ update) ** 2) / (update @ update)
    found = share_along(gradients @ gradients.T, gradients @ update, float(np.linalg.norm(update)))
    assert np.allclose(found, expected)


def test_an_update_within_the_gradients_is_all_along_them() -> None:
    gradients = RANDOM.normal(size=(6, 50))
    update = 0.3 * gradients[2] - gradients[4]
    found = share_along(gradients @ gradients.T, gradients @ update, float(np.linalg.norm(update)))
    assert found[-1] == pytest.approx(1)


def test_a_random_update_has_its_share_by_chance() -> None:
    gradients = RANDOM.normal(size=(6, 500))
    shares = []
    for _ in range(400):
        update = RANDOM.normal(size=500)
        size = float(np.linalg.norm(update))
        shares.append(share_along(gradients @ gradients.T, gradients @ update, size)[-1])
    assert np.mean(shares) == pytest.approx(6 / 500, rel=0.15)


def test_directions_that_are_rounding_are_none() -> None:
    twice = np.repeat(RANDOM.normal(size=(1, 50)), 2, axis=0)
    assert len(share_along(twice @ twice.T, twice @ twice[0], 1.0)) == 1


def test_no_update_has_no_share() -> None:
    with pytest.raises(KernelError, match="has a size, got 0"):
        share_along(np.eye(2), np.zeros(2), 0)
