"""What a kernel is, and where its spectrum may be cut."""

from __future__ import annotations

import numpy as np
import pytest

from rlvr_gate.kernels.spectrum import KernelError, checked, cuts, spectrum


def test_a_kernel_is_its_eigenvalues_along_its_eigenvectors() -> None:
    gradients = np.random.default_rng(0).normal(size=(6, 40))
    kernel = gradients @ gradients.T
    found = spectrum(kernel)
    assert np.allclose((found.vectors * found.values) @ found.vectors.T, kernel)
    assert np.allclose(found.values, np.linalg.svd(gradients, compute_uv=False) ** 2)


def test_effective_rank_counts_equal_directions() -> None:
    assert spectrum(np.diag([3.0, 3.0, 3.0, 0.0])).effective_rank == pytest.approx(3)


def test_rounding_below_zero_is_zero() -> None:
    assert spectrum(np.diag([1.0, -1e-6])).values.tolist() == [1.0, 0.0]


@pytest.mark.parametrize(
    ("kernel", "why"),
    [
        (np.ones((2, 3)), "two at least"),
        (np.ones((1, 1)), "two at least"),
        (np.ones(4), "two at least"),
        (np.array([[1.0, np.nan], [np.nan, 1.0]]), "finite"),
        (np.zeros((2, 2)), "no probe depends"),
        (np.array([[1.0, 0.5], [0.0, 1.0]]), "symmetric"),
        (np.diag([1.0, -0.5]), "no negative eigenvalue"),
    ],
)
def test_what_is_no_kernel_is_refused(kernel: np.ndarray, why: str) -> None:
    with pytest.raises(KernelError, match=why):
        spectrum(kernel)


def test_rounding_makes_no_kernel_lopsided() -> None:
    square = checked(np.array([[1.0, 0.5], [0.50001, 1.0]], np.float32))
    assert square[0, 1] == square[1, 0]


def test_a_spectrum_is_cut_where_it_falls() -> None:
    assert cuts(np.array([5.0, 4.9, 2.0, 1.95, 1.0])) == (2, 4)
    assert cuts(np.array([5.0, 4.9, 2.0, 1.95, 1.0]), gap=0.55) == (2,)
    assert cuts(np.full(4, 2.0)) == ()
    assert cuts(np.array([1.0, 0.0, 0.0])) == (1,)
