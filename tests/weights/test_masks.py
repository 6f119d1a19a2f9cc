"""Masks by their definition, overlaps by counting, and the null they stand against."""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest

from rlvr_gate.weights.masks import (
    MaskError,
    base_masks,
    bottom_mask,
    counted_overlap,
    mask_overlaps,
    overlap,
    top_mask,
    update_overlap,
)
from rlvr_gate.weights.rounding import RoundingError, rounded_noise
from rlvr_gate.weights.sources import round_to_bf16
from rlvr_gate.weights.spectra import Matrix, decompose


def weights(seed: int, *shape: int) -> Matrix:
    drawn = np.random.default_rng((98, seed)).standard_normal(shape, dtype=np.float32)
    return round_to_bf16(drawn / np.float32(50))


@pytest.mark.parametrize("alpha", [0.0, 0.1, 0.3, 0.5, 0.999, 1.0])
@pytest.mark.parametrize("levels", [1, 3, 1000])
def test_masks_are_a_stable_sort_cut_at_the_count(alpha: float, levels: int) -> None:
    scores = np.random.default_rng(1).integers(0, levels, (13, 17)).astype(np.float32)
    count = round(alpha * 221)
    for make, order in ((top_mask, -scores), (bottom_mask, scores)):
        expected = np.zeros(221, bool)
        expected[np.argsort(order.ravel(), kind="stable")[:count]] = True
        np.testing.assert_array_equal(make(scores, alpha), expected.reshape(13, 17))


def test_ties_go_to_the_lower_position_and_halves_to_the_even_count() -> None:
    scores = np.array([[1, 2, 1], [2, 1, 2]], np.float32)
    assert top_mask(scores, 0.3).tolist() == [[False, True, False], [True, False, False]]
    assert bottom_mask(scores, 1 / 6).tolist() == [[True, False, False], [False] * 3]
    assert top_mask(np.ones(5), 0.5).sum() == 2
    assert top_mask(np.ones(7), 0.5).sum() == 4


@pytest.mark.parametrize("shape", [(70, 90), (90, 70), (80, 80), (9, 5), (1, 6)])
@pytest.mark.parametrize(("rank", "alpha"), [(64, 0.5), (3, 0.3), (1, 0.5)])
def test_base_masks_follow_their_definitions(shape, rank: int, alpha: float) -> None:
    base = weights(2, *shape)
    masks = base_masks(base, decompose(base), rank=rank, alpha=alpha)
    u, s, v = np.linalg.svd(base.astype(np.float64), full_matrices=False)
    used = min(rank, *shape)
    scores = np.abs((u[:, :used] * s[:used]) @ v[:used])
    count = round(alpha * base.size)
    assert masks.rank == used
    assert masks.principal.sum() == masks.low.sum() == count
    assert scores[masks.principal].min() >= scores[~masks.principal].max(initial=0) - 1e-8
    assert np.abs(base)[masks.low].max(initial=0) <= np.abs(base)[~masks.low].min()
    third = dict(masks.named())["principal_not_low"]
    np.testing.assert_array_equal(third, masks.principal & ~masks.low)


def test_rank_is_clipped_to_that_of_the_base() -> None:
    rng = np.random.default_rng(3)
    low = rng.integers(-3, 4, (70, 2)) @ rng.integers(-3, 4, (2, 80))
    base = low.astype(np.float32)
    masks = base_masks(base, decompose(base, keep=3))
    assert masks.rank == 2
    np.testing.assert_array_equal(np.abs(base)[masks.principal] >= 1, True)
    nothing = np.zeros((70, 80), np.float32)
    assert base_masks(nothing, decompose(nothing)).rank == 0


def test_masks_move_with_permutations_and_transposition() -> None:
    base = (np.random.default_rng(4).standard_normal((70, 90))).astype(np.float32)
    rows, columns = (np.random.default_rng(s).permutation(n) for s, n in ((5, 70), (6, 90)))
    one = base_masks(base, decompose(base), rank=8, alpha=0.3)
    for change in (lambda m: m[rows][:, columns], lambda m: m.T):
        moved = np.ascontiguousarray(change(base))
        other = base_masks(moved, decompose(moved), rank=8, alpha=0.3)
        np.testing.assert_array_equal(other.principal, change(one.principal))
        np.testing.assert_array_equal(other.low, change(one.low))


def test_overlap_counts_the_update_inside_the_mask() -> None:
    mask = np.array([[True, True], [False, False]])
    assert overlap(mask, np.array([[True, False], [True, True]])) == 1 / 3
    assert overlap(mask, mask) == 1
    assert overlap(mask, ~mask) == 0
    assert overlap(mask, np.zeros((2, 2), bool)) is None


def test_overlaps_of_a_matrix_are_those_of_its_masks() -> None:
    base = weights(7, 70, 90)
    rlvr = base + rounded_noise(base, 1e-5, "gaussian", np.random.default_rng(8))
    masks = base_masks(base, decompose(base))
    found = mask_overlaps(base, rlvr, masks, draws=50, seed=3)
    assert [row.mask for row in found] == ["principal", "low", "principal_not_low"]
    for row, (_, mask) in zip(found, masks.named(), strict=True):
        assert row.density == mask.mean()
        assert row.overlap == overlap(mask, rlvr != base)
        assert [against.null.noise for against in row.nulls] == ["gaussian", "sign"]
        for against in row.nulls:
            if against.null.sd:
                expected = (row.overlap - against.null.mean) / against.null.sd
                assert against.z == pytest.approx(expected)
    assert found == mask_overlaps(base, rlvr, masks, draws=50, seed=3)
    assert json.loads(json.dumps([dataclasses.asdict(row) for row in found]))


def test_gaussian_noise_does_not_stand_out_from_its_null_but_from_alpha() -> None:
    base, z = weights(9, 200, 250), []
    masks = base_masks(base, decompose(base))
    for seed in range(8):
        rng = np.random.default_rng((seed, 10))
        rlvr = base + rounded_noise(base, 2e-5, "gaussian", rng)
        principal, low, _ = mask_overlaps(base, rlvr, masks, noises=("gaussian",))
        z += [row.nulls[0].z for row in (principal, low)]
        assert low.overlap > 0.7
        assert principal.overlap < 0.45
    assert abs(np.mean(z)) < 1
    assert np.max(np.abs(z)) < 5


def test_an_update_that_avoids_principal_weights_stands_out() -> None:
    base = weights(11, 200, 250)
    masks = base_masks(base, decompose(base))
    update = rounded_noise(base, 2e-5, "gaussian", np.random.default_rng(12))
    update[masks.principal & (np.random.default_rng(13).random(base.shape) < 0.5)] = 0
    principal = mask_overlaps(base, base + update, masks, noises=("gaussian",))[0]
    assert principal.nulls[0].z < -20


def test_no_update_has_no_overlap_and_no_null() -> None:
    base = weights(14, 70, 80)
    for row in mask_overlaps(base, base, base_masks(base, decompose(base))):
        assert row.overlap is None
        assert row.nulls == ()


def test_a_finer_base_has_overlaps_but_no_null() -> None:
    base = np.random.default_rng(15).standard_normal((70, 80)).astype(np.float32)
    masks = base_masks(base, decompose(base))
    assert mask_overlaps(base, base * np.float32(1.5), masks, noises=())[0].overlap == 0.5
    with pytest.raises(RoundingError, match="bfloat16"):
        mask_overlaps(base, base * np.float32(1.5), masks)


def test_two_updates_are_compared_with_chance() -> None:
    first = np.array([1, 1, 1, 1, 0, 0, 0, 0], bool)
    second = np.array([1, 1, 0, 0, 1, 0, 0, 0], bool)
    found = update_overlap(first, second)
    p, q = 4 / 8, 3 / 8
    assert found.jaccard == 2 / 5
    assert found.jaccard_random == pytest.approx(p * q / (p + q - p * q))
    assert (found.o1, found.o1_random) == (2 / 4, q)
    assert (found.o2, found.o2_random) == (2 / 3, p)
    mean, variance = 4 * 3 / 8, 4 * 3 * 4 * 5 / (8 * 8 * 7)  # hypergeometric
    assert found.z == pytest.approx((2 - mean) / math.sqrt(variance))


def test_independent_masks_are_at_chance_and_equal_ones_are_not() -> None:
    rng = np.random.default_rng(16)
    z = []
    for _ in range(200):
        first, second = rng.random((2, 40, 50)) < [[[0.3]], [[0.6]]]
        z.append(update_overlap(first, second).z)
    assert abs(np.mean(z)) < 0.3
    assert 0.8 < np.std(z) < 1.2
    same = update_overlap(first, first)
    assert same.jaccard == same.o1 == same.o2 == 1
    assert same.z > 20


def test_empty_and_full_updates_have_no_chance_level_to_beat() -> None:
    none, full = np.zeros((3, 4), bool), np.ones((3, 4), bool)
    assert dataclasses.astuple(update_overlap(none, none)) == (None, None, None, 0, None, 0, None)
    assert dataclasses.astuple(update_overlap(full, full)) == (1, 1, 1, 1, 1, 1, None)
    assert update_overlap(none, full).jaccard == 0
    assert counted_overlap(1, 1, 1, 1).z is None


def test_what_is_no_mask_is_refused() -> None:
    base = weights(17, 5, 6)
    known = decompose(base, keep=2)
    for alpha in (-0.1, 1.1, math.nan):
        with pytest.raises(MaskError, match=r"lies in \[0, 1\], got alpha="):
            top_mask(base, alpha)
    with pytest.raises(MaskError, match="a score is NaN"):
        bottom_mask(np.array([1.0, np.nan]), 0.5)
    with pytest.raises(MaskError, match="rank >= 1, got rank=0"):
        base_masks(base, known, rank=0)
    with pytest.raises(MaskError, match=r"rank 3 needs as many .* keeps 2"):
        base_masks(base, known, rank=3)
    with pytest.raises(MaskError, match=r"of shape \(5, 6\), base of \(6, 5\)"):
        base_masks(base.T, known)
    with pytest.raises(MaskError, match="compare equals"):
        overlap(np.ones(3, bool), np.ones(4, bool))
    with pytest.raises(MaskError, match="compare equals"):
        update_overlap(np.ones(3, bool), np.ones(4, bool))
    for counts in ((1, 1, 2, 4), (5, 1, 0, 4), (3, 3, 1, 4), (0, 0, 0, 0), (1, 1, -1, 4)):
        with pytest.raises(MaskError, match="no two masks have counts"):
            counted_overlap(*counts)
