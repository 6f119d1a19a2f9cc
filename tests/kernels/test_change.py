"""Planted rescalings, planted rotations, their mixture: each is told from the others."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from rlvr_gate.kernels.change import cut_angles, kernel_change, rescaling
from rlvr_gate.kernels.spectrum import KernelError

Square = NDArray[np.float64]
VALUES = np.array([9.0, 7.0, 4.0, 3.9, 1.0, 0.5])
RANDOM = np.random.default_rng(1)
BASIS = np.linalg.qr(RANDOM.normal(size=(6, 6)))[0]
BEFORE = (BASIS * VALUES) @ BASIS.T


def turned(one: int, other: int, degrees: float, values: Square = VALUES) -> Square:
    """The kernel with two of its eigenvectors turned into each other."""
    turn, angle = np.eye(6), np.radians(degrees)
    turn[np.ix_([one, other], [one, other])] = [
        [np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)],
    ]  # fmt: skip
    basis = BASIS @ turn
    return (basis * values) @ basis.T


def test_nothing_changes_nothing() -> None:
    found = kernel_change(BEFORE, 3 * BEFORE)
    assert max(found.distance, found.turn) < 1e-12
    assert found.rescaling is None
    assert found.alignment == pytest.approx(1)
    assert found.trace_ratio == pytest.approx(3)


def test_equal_kernels_have_no_share() -> None:
    assert kernel_change(BEFORE, BEFORE).rescaling is None


def test_a_planted_rescaling_is_all_rescaling() -> None:
    rescaled = turned(0, 1, 0, VALUES * np.array([2, 0.3, 1, 1.5, 0.1, 4]))
    found = kernel_change(BEFORE, rescaled)
    assert found.rescaling == pytest.approx(1)
    assert found.turn == pytest.approx(0, abs=1e-12)
    assert found.distance > 0.2
    assert found.alignment < 0.99


@pytest.mark.parametrize("degrees", [0.5, 5, 30, 45, 80])
def test_a_planted_rotation_turns_by_as_much_as_theory_says(degrees: float) -> None:
    angle, apart = np.radians(degrees), VALUES[0] - VALUES[4]
    found = kernel_change(BEFORE, turned(0, 4, degrees))
    of = np.square(VALUES).sum()
    assert found.turn == pytest.approx(apart**2 * np.sin(angle) * np.cos(angle) / of)
    assert found.rescaling == pytest.approx(np.sin(angle) ** 2)
    assert found.distance == pytest.approx(np.sqrt(2 / of) * apart * np.sin(angle))
    assert found.trace_ratio == pytest.approx(1)


def test_a_mixture_shows_both() -> None:
    scales = np.array([1.3, 0.8, 1, 1.1, 0.9, 1])
    mixed = kernel_change(BEFORE, turned(0, 4, 10, VALUES * scales))
    alone = kernel_change(BEFORE, turned(0, 4, 10))
    rescaled = kernel_change(BEFORE, turned(0, 4, 0, VALUES * scales))
    assert alone.rescaling < 0.1 < 0.4 < mixed.rescaling < 0.95 < rescaled.rescaling
    assert rescaled.turn < 1e-12 < 0.05 < mixed.turn
    assert mixed.turn == pytest.approx(alone.turn, rel=0.6)


def test_a_swap_of_directions_is_a_rescaling() -> None:
    found = kernel_change(BEFORE, turned(0, 4, 90))
    assert found.turn == pytest.approx(0, abs=1e-12)
    assert found.rescaling == pytest.approx(1)


def test_turning_what_is_nearly_equal_counts_nearly_nothing() -> None:
    """Eigenvalues 2 and 3 are 4.0 and 3.9: single directions of theirs mean nothing."""
    near, far = (kernel_change(BEFORE, turned(i, j, 45)) for i, j in ((2, 3), (0, 4)))
    assert near.turn < 1e-3 * far.turn
    assert near.alignment > 0.9999


def test_neither_size_nor_basis_of_the_probes_matters() -> None:
    after = turned(0, 4, 20, VALUES * np.array([1, 2, 1, 1, 1, 1]))
    other = np.linalg.qr(RANDOM.normal(size=(6, 6)))[0]
    here = kernel_change(BEFORE, after)
    there = kernel_change(5 * other @ BEFORE @ other.T, 0.1 * other @ after @ other.T)
    assert [there.distance, there.turn, there.alignment, there.rescaling] == pytest.approx(
        [here.distance, here.turn, here.alignment, here.rescaling]
    )


def test_a_change_that_knows_nothing_of_the_basis_has_two_in_n_plus_one_on_it() -> None:
    n, shares = 40, []
    for _ in range(40):
        start = np.diag(np.linspace(10, 20, n))
        noise = RANDOM.normal(size=(n, n))
        change = noise + noise.T
        change -= np.eye(n) * change.trace() / n
        shares.append(kernel_change(start, start + 1e-3 * change).rescaling)
    assert np.mean(shares) == pytest.approx(2 / (n + 1), rel=0.1)


def test_the_largest_turn_there_is() -> None:
    """Boettcher and Wenzel's bound is reached by rank one at 45 degrees, up to sqrt 2."""
    one, other = np.diag([1.0, 0.0]), np.full((2, 2), 0.5)
    assert kernel_change(one, other).turn == pytest.approx(0.5)


def test_equal_kernels_have_no_rescaling() -> None:
    with pytest.raises(KernelError, match="equal"):
        rescaling(BEFORE, 2 * BEFORE)


def test_angles_are_those_across_the_cut() -> None:
    """Turning 0 into 4 crosses the cuts between them, turning 0 into 1 those after 1 do not."""
    across = {found.k: found for found in cut_angles(BEFORE, turned(0, 4, 7))}
    assert sorted(across) == [1, 2, 4, 5]
    assert [across[k].largest for k in (1, 2, 4)] == pytest.approx([7, 7, 7])
    assert across[4].mean == pytest.approx(7 / 4, rel=1e-3)
    assert across[5].largest == pytest.approx(0, abs=1e-5)
    within = {found.k: found for found in cut_angles(BEFORE, turned(0, 1, 7))}
    assert within[2].largest == pytest.approx(0, abs=1e-5)
    assert within[1].largest == pytest.approx(7)


def test_an_angle_is_unsound_where_the_change_is_larger_than_the_gap() -> None:
    by_k = {found.k: found for found in cut_angles(BEFORE, turned(0, 4, 30))}
    assert not by_k[1].sound
    small = {found.k: found for found in cut_angles(BEFORE, turned(0, 4, 1))}
    assert small[1].sound
    assert small[1].gap == pytest.approx(2 / 9)


def test_other_probes_cannot_be_compared() -> None:
    with pytest.raises(KernelError, match="the same probes, got 6 and 5"):
        kernel_change(BEFORE, BEFORE[:5, :5])


def test_a_trace_is_positive() -> None:
    lopsided = np.array([[0.0, 1.0], [1.0, 0.0]])
    with pytest.raises(KernelError, match="trace is positive"):
        kernel_change(lopsided, lopsided)
