"""Principal angles against planted rotations and scipy, and the theorems they obey."""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest
from scipy.linalg import subspace_angles

from rlvr_gate.weights import subspaces
from rlvr_gate.weights.sources import round_to_bf16
from rlvr_gate.weights.spectra import (
    Matrix,
    NumericsError,
    SpectraError,
    decompose,
    describe,
    difference,
    frobenius,
    singular_values,
    spectral_shift,
)
from rlvr_gate.weights.subspaces import Geometry, Rotation, geometry, inequalities, rotation

SHAPES = [(80, 120), (120, 80), (90, 90)]


def random(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


def pair(seed: int, *shape: int, step: float = 1e-3) -> tuple[Matrix, Matrix]:
    base = round_to_bf16((random(seed, *shape) / 50).astype(np.float32))
    return base, round_to_bf16((base + step * random(seed + 1, *shape) / 50).astype(np.float32))


def turn(base: Matrix, rlvr: Matrix, k: int, method: str = "gram") -> Rotation:
    ours, theirs = (decompose(m, keep=k, method=method) for m in (base, rlvr))
    return rotation(base, rlvr, ours, theirs, k=k, update_norm=frobenius(rlvr - base))


def planted(shape: tuple[int, int], k: int, left: float, right: float, low: float = 0.5):
    """A float64 matrix with spectrum 2..1 | low..0.1, and itself with the k-th and (k+1)-th
    singular vectors turned into each other by known angles in degrees."""
    short = min(shape)
    values = np.concatenate([np.linspace(2, 1, k), np.linspace(low, 0.1, short - k)])
    u, v = (np.linalg.qr(random(s, n, short))[0] for s, n in enumerate(shape))

    def turned(basis: np.ndarray, degrees: float) -> np.ndarray:
        moved, c, s = (
            basis.copy(),
            math.cos(math.radians(degrees)),
            math.sin(math.radians(degrees)),
        )
        moved[:, k - 1] = c * basis[:, k - 1] + s * basis[:, k]
        moved[:, k] = c * basis[:, k] - s * basis[:, k - 1]
        return moved

    return (u * values) @ v.T, (turned(u, left) * values) @ turned(v, right).T


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("left", "right"), [(1e-4, 3e-4), (0.02, 0.3), (30, 5), (45, 80), (89, 0)]
)
def test_planted_rotations_are_found_on_both_sides(shape, left: float, right: float) -> None:
    base, rlvr = planted(shape, 6, left, right)
    for method in ("gram", "svd"):
        found = turn(base, rlvr, 6, method)  # type: ignore[arg-type]  # float64 plants finer angles
        for side, angle in ((found.left, left), (found.right, right)):
            assert side.largest == pytest.approx(angle, rel=1e-3, abs=2e-5)
            assert side.mean == pytest.approx(angle / 6, rel=1e-3, abs=2e-5)
            assert side.projector_distance == pytest.approx(
                math.sin(math.radians(angle)), rel=1e-3, abs=1e-6
            )
        assert found.error_degrees < 1e-2
        assert (found.k, found.note) == (6, "")
        assert found.gap == pytest.approx(0.5)


@pytest.mark.parametrize("step", [1e-5, 1e-2, 1.0])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("k", [1, 11])
def test_angles_agree_with_scipy_on_full_svds(shape, k: int, step: float) -> None:
    base = random(3, *shape).astype(np.float32)
    rlvr = (base + step * random(4, *shape)).astype(np.float32)
    found = turn(base, rlvr, k)
    (u0, _, v0), (u1, _, v1) = (np.linalg.svd(m.astype(np.float64)) for m in (base, rlvr))
    for side, a, b in (
        (found.left, u0[:, :k], u1[:, :k]),
        (found.right, v0[:k].T, v1[:k].T),
    ):
        expected = np.degrees(subspace_angles(a, b))[::-1]
        np.testing.assert_allclose(side.curve, expected, rtol=1e-3, atol=1e-5)
        assert side.largest == side.curve[-1]
        assert side.mean == pytest.approx(np.mean(side.curve))
        distance = np.linalg.norm(a @ a.T - b @ b.T) / math.sqrt(2)
        assert side.projector_distance == pytest.approx(distance, rel=1e-3)


def test_the_whole_shorter_side_cannot_turn() -> None:
    base, rlvr = pair(5, 70, 90, step=0.1)
    found = turn(base, rlvr, 70)
    assert found.left.largest < 1e-6
    assert found.right.largest > 1
    assert found.gap == decompose(base).values[-1]


@pytest.mark.parametrize("gap", [1e-3, 1e-5, 1e-7])
def test_a_nearly_degenerate_cut_is_flagged_and_still_accurate(gap: float) -> None:
    base, rlvr = planted((80, 100), 5, 0.5, 0.5, low=1 - gap)
    found = geometry(base, rlvr, k=5).rotation  # type: ignore[arg-type]
    assert found.left.largest == pytest.approx(0.5, abs=0.05)
    assert found.right.largest == pytest.approx(0.5, abs=0.05)
    assert found.error_degrees <= 0.05
    assert found.gap == pytest.approx(gap, rel=1e-3)
    assert not found.ill_conditioned  # a turn within the pair is as small as its gap
    noisy = rlvr + 1e-2 * random(6, 80, 100)
    assert geometry(base, noisy, k=5).rotation.ill_conditioned  # type: ignore[arg-type]
    assert geometry(base, noisy, k=5).rotation.wedin_degrees == 90  # type: ignore[arg-type]


def test_a_cut_without_a_gap_is_never_given_as_known() -> None:
    base = np.zeros((70, 90), np.float32)
    np.fill_diagonal(base, 1)
    rlvr = base.copy()
    rlvr[0, 1] = 2**-8
    found = geometry(base, rlvr, k=9).rotation
    assert found.gap == 0
    assert found.ill_conditioned
    assert found.error_degrees == 90
    assert not found.precise
    assert found.note == "no gap after k = 9 to numerical accuracy"


def test_the_reported_error_covers_the_difference_between_the_paths() -> None:
    for gap in (1e-2, 1e-6, 1e-9):
        base, rlvr = planted((80, 100), 5, 2.0, 3.0, low=1 - gap)
        fast, exact = (turn(base, rlvr, 5, m) for m in ("gram", "svd"))  # type: ignore[arg-type]
        for a, b in ((fast.left, exact.left), (fast.right, exact.right)):
            assert abs(a.largest - b.largest) <= fast.error_degrees + exact.error_degrees


def test_wedin_bound_is_the_papers() -> None:
    base, rlvr = planted((70, 80), 4, 0.3, 0.1)
    norm = np.linalg.norm(rlvr - base, 2)
    found = geometry(base, rlvr, k=4).rotation  # type: ignore[arg-type]
    assert found.wedin_degrees == pytest.approx(math.degrees(math.asin(norm / 0.5)), rel=1e-4)
    assert 0.3 <= found.wedin_degrees < 1
    assert geometry(base, rlvr, k=4).method == "gram"  # type: ignore[arg-type]  # no shift to miss
    assert not found.ill_conditioned


def test_wedin_with_the_base_gap_alone_can_be_exceeded_and_the_check_uses_the_theorem() -> None:
    # sin of the angle .316 > ||dW|| / gamma_1 = .3, though nothing is wrong.
    base = np.array([[2.0, 0], [0, 1]], np.float32)
    rlvr = base + np.array([[-0.18, 0.24], [0.24, 0.18]], np.float32)
    found = geometry(base, rlvr, k=1)
    sine = math.sin(math.radians(found.rotation.left.largest))
    assert sine > found.update.spectral_norm / found.rotation.gap
    assert found.inequalities.wedin_slack is None or found.inequalities.wedin_slack >= 0


@pytest.mark.parametrize("seed", range(6))
def test_every_pair_obeys_weyl_mirsky_and_wedin(seed: int) -> None:
    base, rlvr = pair(seed, 66 + seed, 80, step=10.0 ** -(seed + 1))
    laws = geometry(base, rlvr, k=1 + seed).inequalities
    assert laws.weyl_slack > 0
    assert laws.mirsky_slack > 0
    assert laws.wedin_slack is None or laws.wedin_slack > 0
    assert laws.tolerance < 1e-6


def test_numbers_that_break_a_theorem_are_an_error() -> None:
    base, rlvr = planted((70, 80), 3, 0.5, 0.2)
    ours, theirs = (decompose(m, keep=3) for m in (base, rlvr))  # type: ignore[arg-type]
    shift = spectral_shift(ours, theirs)
    values = np.linalg.svd(rlvr - base, compute_uv=False)
    update = describe(values, base.shape, ours.norm)
    turned = turn(base, rlvr, 3)  # type: ignore[arg-type]
    assert inequalities(ours, theirs, shift, update, turned).wedin_slack is not None
    wrong = [
        ("Weyl", dataclasses.replace(shift, largest_shift=1.0), turned),
        ("Mirsky", dataclasses.replace(shift, shift_norm=9.0), turned),
        ("Wedin", shift, dataclasses.replace(
            turned, left=dataclasses.replace(turned.left, largest=20.0))),
    ]  # fmt: skip
    for name, shifted, rotated in wrong:
        with pytest.raises(NumericsError, match=f"^{name} violated on a matrix of shape"):
            inequalities(ours, theirs, shifted, update, rotated)


def test_k_is_clipped_to_the_size_and_to_the_rank_with_a_note() -> None:
    base, rlvr = pair(7, 5, 9)
    assert turn(base, rlvr, 512).k == 5
    assert turn(base, rlvr, 512).note == "k = 512 clipped to 5, the shorter side"
    assert turn(base, rlvr, 512).requested_k == 512
    low = (random(8, 70, 3) @ random(9, 3, 90)).astype(np.float32)
    assert turn(low, low * np.float32(2), 10).note == "k = 10 clipped to 3, the numerical rank"
    row = random(10, 1, 9).astype(np.float32)
    found = geometry(row, row + np.float32(1e-3))
    assert (found.rotation.k, found.rotation.left.largest) == (1, 0.0)
    assert found.rotation.right.largest == pytest.approx(
        math.degrees(subspace_angles(row.T, (row + np.float32(1e-3)).T)[0]), rel=1e-4
    )


@pytest.mark.parametrize("shape", [(70, 80), (80, 70), (3, 4), (1, 1)])
def test_nothing_changed_is_all_zero(shape) -> None:
    for base in (random(11, *shape).astype(np.float32), np.zeros(shape, np.float32)):
        found = geometry(base, base.copy(), k=2)
        assert found.method == "equal"
        assert found.shift.nss == found.update.stable_rank == found.rotation.left.largest == 0
        assert found.rotation.right.curve == (0.0,) * found.rotation.k
        assert not found.rotation.ill_conditioned


def test_an_update_of_a_zero_base_turns_nothing_and_says_so() -> None:
    found = geometry(np.zeros((70, 80), np.float32), random(12, 70, 80).astype(np.float32), k=4)
    assert found.shift.nss is None
    assert (found.rotation.k, found.rotation.left.largest) == (0, 0.0)
    assert found.rotation.note == "k = 4 clipped to 0, the numerical rank"


def test_a_known_decomposition_gives_the_same_geometry() -> None:
    base, rlvr = pair(13, 70, 90)
    values = singular_values(difference(base, rlvr))
    found = geometry(base, rlvr, k=9, known=decompose(base, keep=9), update_values=values)
    assert found == geometry(base, rlvr, k=9)
    with pytest.raises(SpectraError, match=r"of shape \(90, 70\), base of \(70, 90\)"):
        geometry(base, rlvr, known=decompose(base.T))


def test_geometry_falls_back_to_an_svd_where_the_fast_path_is_too_coarse() -> None:
    base = (random(14, 90, 3) @ random(15, 3, 100)).astype(np.float32)
    rlvr = base.copy()
    rlvr[0, 0] *= np.float32(1 + 2**-8)
    assert decompose(base).method == "gram"
    found = geometry(base, rlvr, k=2)
    before, after = (np.linalg.svd(m.astype(np.float64), compute_uv=False) for m in (base, rlvr))
    assert found.method == "svd"
    assert found.shift.nss == pytest.approx(
        np.linalg.norm(after - before) / np.linalg.norm(before), rel=1e-3
    )


def test_float32_products_are_left_where_they_would_not_do(monkeypatch) -> None:
    base, rlvr = pair(16, 80, 120, step=1e-2)
    fast = turn(base, rlvr, 8)
    monkeypatch.setattr(subspaces, "PRECISION", 0.0)
    careful = turn(base, rlvr, 8)
    np.testing.assert_allclose(fast.right.curve, careful.right.curve, rtol=1e-4)
    assert careful.error_degrees < fast.error_degrees


@pytest.mark.parametrize("scale", [2.0**-12, 2.0**9])
def test_scaling_both_leaves_angles(scale: float) -> None:
    base, rlvr = pair(17, 80, 100)
    one, other = (geometry(base * s, rlvr * s, k=7) for s in map(np.float32, (1, scale)))
    np.testing.assert_allclose(other.rotation.left.curve, one.rotation.left.curve, rtol=1e-5)
    np.testing.assert_allclose(other.rotation.right.curve, one.rotation.right.curve, rtol=1e-3)
    assert other.rotation.wedin_degrees == pytest.approx(one.rotation.wedin_degrees)


def test_permuting_leaves_angles_and_transposing_swaps_the_sides() -> None:
    base, rlvr = pair(18, 80, 100)
    rows, columns = (
        np.random.default_rng(0).permutation(80),
        np.random.default_rng(1).permutation(100),
    )
    one = geometry(base, rlvr, k=7).rotation
    moved = geometry(base[rows][:, columns], rlvr[rows][:, columns], k=7).rotation
    other = geometry(base.T, rlvr.T, k=7).rotation
    np.testing.assert_allclose(moved.left.curve, one.left.curve, rtol=1e-4)
    np.testing.assert_allclose(moved.right.curve, one.right.curve, rtol=1e-4)
    np.testing.assert_allclose(other.left.curve, one.right.curve, rtol=1e-4)
    np.testing.assert_allclose(other.right.curve, one.left.curve, rtol=1e-4)


def test_the_record_is_json() -> None:
    found: Geometry = geometry(*pair(19, 70, 72), k=3)
    assert json.loads(json.dumps(dataclasses.asdict(found)))["rotation"]["k"] == 3


def test_requests_that_make_no_sense_are_refused() -> None:
    base, rlvr = pair(20, 6, 8)
    ours, theirs = decompose(base, keep=2), decompose(rlvr)
    with pytest.raises(SpectraError, match="a subspace needs k >= 1, got k=0"):
        rotation(base, rlvr, ours, theirs, k=0, update_norm=1.0)
    with pytest.raises(SpectraError, match=r"k = 5 needs as many .* keep 2 and 6: .*keep=5"):
        rotation(base, rlvr, ours, theirs, k=5, update_norm=1.0)
    with pytest.raises(SpectraError, match="expected four of one shape"):
        rotation(base, rlvr, ours, decompose(base.T), k=1, update_norm=1.0)
    damaged = rlvr.copy()
    damaged[0, 0] = np.nan
    with pytest.raises(SpectraError, match="NaN or an infinity"):
        geometry(base, damaged)
