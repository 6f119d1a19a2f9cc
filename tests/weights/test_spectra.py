"""Spectra against plain float64 references, planted values and identities."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from rlvr_gate.weights.sources import round_to_bf16
from rlvr_gate.weights.spectra import (
    Decomposition,
    Matrix,
    SpectraError,
    decompose,
    describe,
    difference,
    effective_rank,
    frobenius,
    numerical_rank,
    singular_values,
    spectral_shift,
    stable_rank,
    update_spectrum,
)

SHAPES = [(90, 130), (130, 90), (100, 100), (65, 400)]


def random(seed: int, *shape: int) -> Matrix:
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


def pair(seed: int, *shape: int, step: float = 1e-3) -> tuple[Matrix, Matrix]:
    base = round_to_bf16(random(seed, *shape) / np.float32(50))
    return base, round_to_bf16(base * (1 + np.float32(step) * random(seed + 1, *shape)))


def reference(matrix: Matrix) -> np.ndarray:
    return np.linalg.svd(matrix.astype(np.float64), compute_uv=False)


def orthogonal(rng: np.random.Generator, size: int, k: int) -> np.ndarray:
    return np.linalg.qr(rng.standard_normal((size, k)))[0]


@pytest.mark.parametrize("method", ["gram", "svd"])
@pytest.mark.parametrize("shape", [*SHAPES, (3, 3), (5, 2), (1, 7), (7, 1), (1, 1)])
def test_singular_values_are_those_of_a_float64_svd_within_their_bounds(shape, method) -> None:
    matrix = random(0, *shape)
    held = decompose(matrix, method=method)
    expected = reference(matrix)
    assert np.all(np.abs(held.values - expected) <= held.errors())
    assert held.errors().max() < 1e-6 * expected[0]
    np.testing.assert_allclose(singular_values(matrix), expected, atol=1e-7 * expected[0])
    assert held.kept == min(shape)


@pytest.mark.parametrize("shape", SHAPES)
def test_vectors_are_orthonormal_and_belong_to_their_values(shape) -> None:
    matrix = random(1, *shape)
    held = decompose(matrix, keep=7)
    assert (held.method, held.kept) == ("gram", 7)
    whole = matrix.astype(np.float64) if shape[0] <= shape[1] else matrix.T.astype(np.float64)
    np.testing.assert_allclose(held.vectors.T @ held.vectors, np.eye(7), atol=1e-12)
    np.testing.assert_allclose(
        np.linalg.norm(whole.T @ held.vectors, axis=0), held.values[:7], rtol=1e-12
    )


def test_small_values_beside_large_ones_stay_within_their_bounds() -> None:
    rng = np.random.default_rng(2)
    values = np.geomspace(1, 1e-9, 80)
    matrix = (orthogonal(rng, 80, 80) * values) @ orthogonal(rng, 200, 80).T
    held = decompose(matrix.astype(np.float32), method="gram")
    expected = reference(matrix.astype(np.float32))
    assert np.all(np.abs(held.values - expected) <= held.errors())
    assert held.errors()[0] < 1e-12 < 1e-9 < held.errors()[-1] < 1e-6


def test_planted_rank_is_found_on_both_paths() -> None:
    rng = np.random.default_rng(3)
    for rank in (1, 5, 40):
        matrix = rng.integers(-3, 4, (90, rank)) @ rng.integers(-3, 4, (rank, 140))
        for method in ("gram", "svd"):
            assert decompose(matrix.astype(np.float32), method=method).rank == rank


def test_rank_counts_values_above_the_stated_tolerance() -> None:
    values = np.array([2.0, 2e-4, 2e-6])
    assert numerical_rank(values, (3, 3)) == 3  # 3 * 2**-23 = 3.6e-7
    assert numerical_rank(values, (100, 3)) == numerical_rank(values, (3, 100)) == 2  # 1.2e-5
    assert numerical_rank(np.zeros(3), (3, 3)) == 0


@pytest.mark.parametrize("shape", [(70, 90), (90, 70), (4, 9)])
def test_shift_equals_its_definition(shape) -> None:
    base, rlvr = pair(4, *shape)
    before, after = reference(base), reference(rlvr)
    shift = spectral_shift(decompose(base), decompose(rlvr))
    expected = np.linalg.norm(after - before) / np.linalg.norm(before)
    assert 1e-6 < expected < 1e-2
    assert shift.nss == pytest.approx(expected, rel=1e-8)
    assert shift.nss_error < 1e-8 * expected
    assert shift.precise
    assert shift.largest_shift == pytest.approx(np.abs(after - before).max(), rel=1e-8)


def test_shift_of_a_scaled_matrix_is_the_scale() -> None:
    base = round_to_bf16(random(5, 80, 120))
    shift = spectral_shift(decompose(base), decompose(base * np.float32(1.5)))
    assert shift.nss == pytest.approx(0.5, rel=1e-9)


def test_a_shift_below_the_numerics_says_that_it_is_not_precise() -> None:
    singular = round_to_bf16(random(6, 70, 1) @ random(7, 1, 70)).astype(np.float32)
    moved = singular.copy()
    moved[0, 0] += np.float32(2**-20)
    shift = spectral_shift(*(decompose(m, method="gram") for m in (singular, moved)))
    exact = spectral_shift(*(decompose(m, method="svd") for m in (singular, moved)))
    assert shift.nss is not None
    assert exact.nss is not None
    assert not shift.precise
    assert abs(shift.nss - exact.nss) <= shift.nss_error + exact.nss_error


def test_update_spectrum_equals_plain_definitions() -> None:
    base, rlvr = pair(8, 75, 140, step=2e-3)
    found, delta = update_spectrum(base, rlvr), rlvr.astype(np.float64) - base
    values = np.linalg.svd(delta, compute_uv=False)
    shares = values / values.sum()
    assert found.spectral_norm == pytest.approx(values[0])
    assert found.frobenius_norm == pytest.approx(np.linalg.norm(delta))
    assert found.relative_norm == pytest.approx(np.linalg.norm(delta) / np.linalg.norm(base))
    assert found.rank == np.linalg.matrix_rank(delta, tol=140 * 2.0**-23 * values[0])
    assert found.stable_rank == pytest.approx((values**2).sum() / values[0] ** 2)
    assert found.effective_rank == pytest.approx(np.exp(-(shares * np.log(shares)).sum()))


def test_known_ranks_of_known_spectra() -> None:
    flat = np.full(12, 3.0)
    assert stable_rank(flat) == pytest.approx(12)
    assert effective_rank(flat) == pytest.approx(12)
    assert stable_rank(np.array([2.0, 0.0])) == effective_rank(np.array([2.0, 0.0])) == 1.0
    assert effective_rank(np.array([0.75, 0.25])) == pytest.approx(4 / 3**0.75)
    assert stable_rank(np.array([2.0, 1.0])) == 1.25


def test_nothing_is_zero_and_never_nan() -> None:
    nothing = np.zeros((70, 90), dtype=np.float32)
    base = random(9, 70, 90)
    for matrix in (nothing, base):
        shift = spectral_shift(decompose(matrix), decompose(matrix))
        update = update_spectrum(matrix, matrix)
        assert (shift.nss, shift.shift_norm, shift.largest_shift) == (0.0, 0.0, 0.0)
        assert (update.rank, update.stable_rank, update.effective_rank) == (0, 0.0, 0.0)
        assert (update.relative_norm, update.spectral_norm) == (0.0, 0.0)
    assert decompose(nothing, method="gram").rank == 0


def test_an_update_of_a_zero_base_has_no_relative_size() -> None:
    nothing, rlvr = np.zeros((70, 90), dtype=np.float32), random(10, 70, 90)
    assert spectral_shift(decompose(nothing), decompose(rlvr)).nss is None
    assert update_spectrum(nothing, rlvr).relative_norm is None


@pytest.mark.parametrize("scale", [2.0**-20, 2.0**-3, 2.0**7])
def test_scaling_both_leaves_relative_shift_and_ranks(scale: float) -> None:
    base, rlvr = pair(11, 80, 96)
    one = spectral_shift(decompose(base), decompose(rlvr))
    scaled = [m * np.float32(scale) for m in (base, rlvr)]
    other = spectral_shift(*map(decompose, scaled))
    assert other.nss == pytest.approx(one.nss, rel=1e-9)
    a, b = update_spectrum(base, rlvr), update_spectrum(*scaled)
    assert (a.rank, a.full_rank) == (b.rank, b.full_rank)
    assert b.effective_rank == pytest.approx(a.effective_rank, rel=1e-9)
    assert b.spectral_norm == pytest.approx(scale * a.spectral_norm, rel=1e-9)


def test_permuting_or_transposing_both_leaves_everything() -> None:
    base, rlvr = pair(12, 80, 96)
    rng = np.random.default_rng(13)
    rows, columns = rng.permutation(80), rng.permutation(96)
    expected = update_spectrum(base, rlvr)
    for change in (lambda m: m[rows][:, columns], lambda m: m.T):
        b, r = change(base), change(rlvr)
        shift = spectral_shift(decompose(b), decompose(r))
        assert shift.nss == pytest.approx(
            spectral_shift(decompose(base), decompose(rlvr)).nss, rel=1e-9
        )
        found = update_spectrum(b, r)
        assert found.rank == expected.rank
        assert found.stable_rank == pytest.approx(expected.stable_rank, rel=1e-9)


def test_a_given_base_norm_is_used() -> None:
    base, rlvr = pair(14, 10, 12)
    assert update_spectrum(base, rlvr, base_norm=frobenius(base)) == update_spectrum(base, rlvr)
    assert describe(np.array([3.0, 4.0]), (2, 2), 10.0).relative_norm == 0.5


def test_a_decomposition_survives_the_disk_without_pickle(tmp_path: Path) -> None:
    for method in ("gram", "svd"):
        held = decompose(random(15, 70, 80), keep=5, method=method)
        held.save(tmp_path / "base.npz")
        again = Decomposition.load(tmp_path / "base.npz")
        np.testing.assert_array_equal(again.values, held.values)
        np.testing.assert_array_equal(again.vectors, held.vectors)
        for name in ("shape", "square_error", "residual", "method"):
            assert getattr(again, name) == getattr(held, name)


def test_a_damaged_decomposition_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "base.npz"
    decompose(random(16, 20, 30), keep=3).save(file)
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SpectraError, match=r"base\.npz is not a saved decomposition .*delete it"):
        Decomposition.load(file)
    np.savez(file, shape=np.array([object()], dtype=object))
    with pytest.raises(SpectraError, match="not a saved decomposition"):
        Decomposition.load(file)
    np.savez(file, shape=np.array([20, 30]), values=np.ones(3), vectors=np.ones((20, 3)),
             bounds=np.zeros(2), svd=np.array(True))  # fmt: skip
    with pytest.raises(SpectraError, match="wrong shape"):
        Decomposition.load(file)
    file.unlink()
    with pytest.raises(FileNotFoundError):
        Decomposition.load(file)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_matrix_with_nan_or_infinity_is_refused(bad: float) -> None:
    matrix = random(17, 70, 80)
    matrix[69, 79] = bad
    for call in (decompose, singular_values):
        with pytest.raises(SpectraError, match="70 x 80 matrix holds a NaN or an infinity"):
            call(matrix)


def test_what_has_no_spectrum_is_refused() -> None:
    with pytest.raises(SpectraError, match=r"non-empty 2-D matrix, got shape \(3,\)"):
        decompose(random(18, 3))
    with pytest.raises(SpectraError, match=r"got shape \(0, 3\)"):
        singular_values(random(18, 0, 3))
    with pytest.raises(SpectraError, match="keep at least one singular vector, got keep=0"):
        decompose(random(18, 3, 3), keep=0)
    with pytest.raises(SpectraError, match=r"base has shape \(2, 3\), rlvr has \(3, 2\)"):
        difference(random(18, 2, 3), random(18, 3, 2))
    with pytest.raises(SpectraError, match="compare equals"):
        spectral_shift(decompose(random(18, 2, 3)), decompose(random(18, 3, 2)))
    with pytest.raises(SpectraError, match="needs 1 <= k <= 2, got k=3"):
        decompose(random(18, 2, 3)).gap(3)
