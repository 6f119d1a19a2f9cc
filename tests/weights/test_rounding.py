"""The rounding null against drawn matrices, and ranks of planted updates behind rounding."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rlvr_gate.weights.rounding import (
    NOISES,
    Magnitudes,
    RoundingError,
    magnitude_codes,
    magnitudes,
    matched_scale,
    noise_edge,
    overlap_null,
    rank_null,
    response,
    rounded_noise,
    signal_rank,
)
from rlvr_gate.weights.sources import round_to_bf16
from rlvr_gate.weights.spectra import Matrix, describe, frobenius, singular_values

RELATIVE = [1e-4, 1e-3, 1e-2, 0.3]


def weights(seed: int, *shape: int) -> Matrix:
    drawn = np.random.default_rng((99, seed)).standard_normal(shape, dtype=np.float32)
    return round_to_bf16(drawn / np.float32(50))


def one(value: float) -> Magnitudes:
    return magnitudes(np.array([[value]], dtype=np.float32))


def test_codes_order_magnitudes_and_forget_signs() -> None:
    base = np.array([[0.0, -0.0, 1.0], [-1.0, 2.0, 1.0078125]], np.float32)
    assert magnitude_codes(base).tolist() == [[0, 0, 0x3F80], [0x3F80, 0x4000, 0x3F81]]
    found = magnitudes(base)
    assert dict(zip(found.codes.tolist(), found.counts.tolist(), strict=True)) == {
        0: 2, 0x3F80: 2, 0x3F81: 1, 0x4000: 1,
    }  # fmt: skip
    assert magnitudes(base, base > 1).counts.tolist() == [1, 1]
    assert found.size == 6


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("value", [1.0, 1.5, 1.9921875, 0.0])
@pytest.mark.parametrize("scale", [2.0**-9, 2.0**-8, 2.0**-7, 2.0**-5, 0.1])
def test_a_weights_response_is_what_drawing_shows(noise, value: float, scale: float) -> None:
    rng = np.random.default_rng(5)
    base = np.full((1, 200_000), value, np.float32)
    expected = response(one(value).codes, scale, noise)
    update = rounded_noise(base, scale, noise, rng).astype(np.float64)
    flips, squares = (update != 0).mean(), np.square(update)
    assert flips == pytest.approx(expected.flip[0], abs=5 * math.sqrt(0.25 / update.size))
    error = squares.std() / math.sqrt(update.size)
    assert squares.mean() == pytest.approx(expected.square[0], abs=5 * error + 1e-12)


def test_flip_probability_is_that_of_half_a_gap_each_way() -> None:
    # 1.0 has neighbours 2**-7 above and 2**-8 below.
    flip = response(one(1.0).codes, 2.0**-9, "gaussian").flip[0]
    tail = [0.5 * math.erfc(t / math.sqrt(2)) for t in (2.0, 1.0)]
    assert flip == pytest.approx(sum(tail))
    assert response(one(1.0).codes, 2.0**-9 * 0.9, "sign").flip[0] == 0
    assert response(one(1.0).codes, 2.0**-8 * 0.9, "sign").flip[0] == 0.5
    assert response(one(1.0).codes, 2.0**-8 * 1.1, "sign").flip[0] == 1


def test_cross_moment_is_the_regression_of_rounded_on_true_noise() -> None:
    rng = np.random.default_rng(6)
    for scale in (2.0**-9, 2.0**-7, 2.0**-4):
        z = scale * rng.standard_normal(400_000)
        update = round_to_bf16((1.5 + z).astype(np.float32)) - 1.5
        product = update * z
        error = product.std() / math.sqrt(z.size)
        found = response(one(1.5).codes, scale, "gaussian").cross[0]
        assert found == pytest.approx(product.mean(), abs=5 * error)


def test_moments_are_continuous_where_the_exact_sum_ends() -> None:
    codes = magnitudes(weights(0, 40, 50)).codes
    gap = 2.0**-7  # of 1.0 to 2.0
    near = one(1.25).codes
    for noise, end in (("gaussian", 2), ("sign", 16)):
        below, above = (response(near, end * gap * f, noise) for f in (1 - 1e-9, 1 + 1e-9))
        tolerance = 1e-6 if noise == "gaussian" else 1e-3  # a flat band still feels the lattice
        assert below.square[0] == pytest.approx(above.square[0], rel=tolerance)
        assert below.cross[0] == pytest.approx(above.cross[0], rel=tolerance)
        wide = response(codes, 10.0, noise)
        assert wide.square == pytest.approx(np.full(codes.size, wide.square[0]), rel=1e-3)


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("relative", RELATIVE)
def test_matched_noise_realises_the_norm_it_was_matched_to(noise, relative: float) -> None:
    base, rng = weights(1, 200, 300), np.random.default_rng(7)
    norm = relative * frobenius(base)
    scale = matched_scale(magnitudes(base), norm, noise)
    squares = [frobenius(rounded_noise(base, scale, noise, rng)) ** 2 for _ in range(8)]
    error = np.std(squares, ddof=1) / math.sqrt(8)
    assert np.mean(squares) == pytest.approx(norm**2, abs=5 * error + 0.005 * norm**2)


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("relative", RELATIVE)
def test_overlap_null_is_what_drawn_matrices_show(noise, relative: float) -> None:
    base, rng = weights(2, 150, 200), np.random.default_rng(8)
    mask = np.abs(base) < np.median(np.abs(base))
    norm = relative * frobenius(base)
    scale = matched_scale(magnitudes(base), norm, noise)
    null = overlap_null(magnitudes(base), magnitudes(base, mask), scale, noise, seed=1)
    shares, densities = [], []
    for _ in range(40):
        changed = rounded_noise(base, null.scale, noise, rng) != 0
        shares.append((mask & changed).sum() / changed.sum())
        densities.append(changed.mean())
    error = np.std(shares, ddof=1)
    assert null.mean == pytest.approx(np.mean(shares), abs=error + 1e-4)
    assert null.sd == pytest.approx(error, rel=0.5, abs=1e-4)
    assert null.density == pytest.approx(np.mean(densities), abs=5e-3)


def test_rounding_alone_puts_small_updates_on_small_weights() -> None:
    base = weights(3, 150, 200)
    mask = np.abs(base) <= np.quantile(np.abs(base), 0.3)
    whole, held = magnitudes(base), magnitudes(base, mask)
    scales = [matched_scale(whole, r * frobenius(base), "gaussian") for r in RELATIVE]
    found = [overlap_null(whole, held, scale, "gaussian") for scale in scales]
    shares = [null.mean for null in found]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] == pytest.approx(1.0, abs=1e-3)
    assert shares[-1] == pytest.approx(mask.mean(), abs=0.01)


def test_draws_are_seeded() -> None:
    base = magnitudes(weights(4, 50, 60))
    half = Magnitudes(base.codes, base.counts // 2)
    null = [overlap_null(base, half, 1e-5, "gaussian", seed=s) for s in (1, 1, 2)]
    assert null[0] == null[1] != null[2]


def test_a_null_that_changes_nothing_has_no_overlap() -> None:
    base = one(1.0)
    null = overlap_null(base, base, 1e-6, "gaussian", draws=3)
    assert (null.mean, null.sd) == (None, None)


def test_rounding_makes_a_low_rank_update_full_rank_and_the_correction_sees_through() -> None:
    base, rng = weights(5, 300, 400), np.random.default_rng(9)
    for rank, size in ((1, 1e-3), (3, 3e-4), (3, 1e-4), (8, 1e-2)):
        true = rng.standard_normal((300, rank)) @ rng.standard_normal((rank, 400)) * size
        update = round_to_bf16((base + true / math.sqrt(rank)).astype(np.float32)) - base
        values = singular_values(update)
        plain = describe(values, base.shape, frobenius(base))
        found = signal_rank(base, plain.frobenius_norm, values)
        exact = describe(singular_values(true.astype(np.float32)), base.shape, 1.0)
        assert plain.rank > 290
        assert found.rank == rank
        assert found.effective_rank == pytest.approx(exact.effective_rank, rel=0.05)
        assert found.stable_rank == pytest.approx(exact.stable_rank, rel=0.15)
        assert values[rank] < found.edge < values[rank - 1]


def test_the_edge_is_just_above_the_noise_that_a_strong_update_leaves() -> None:
    base, rng = weights(6, 300, 400), np.random.default_rng(10)
    for _ in range(5):
        true = 1e-3 * np.outer(rng.standard_normal(300), rng.standard_normal(400))
        update = round_to_bf16((base + true).astype(np.float32)) - base
        values = singular_values(update)
        edge = noise_edge(base, frobenius(update))
        assert values[1] < edge < 1.3 * values[1]


def test_noise_below_rounding_shows_hardly_any_rank() -> None:
    base, rng = weights(7, 300, 400), np.random.default_rng(11)
    update = rounded_noise(base, 3e-6, "gaussian", rng)
    values = singular_values(update)
    found = signal_rank(base, frobenius(update), values)
    assert np.count_nonzero(values > 1e-4 * values[0]) > 290
    assert found.rank <= 3
    assert found.explained < 0.05


@pytest.mark.parametrize("strength", [1.3, 2.0, 9.0])
def test_what_is_above_the_edge_is_shrunk_to_the_best_estimate(strength: float) -> None:
    """A direction of strength x shows as y^2 = (x + 1/x)(x + b/x) in noise of unit size; the best
    estimate is x times both cosines between shown and true directions (Gavish & Donoho 2017)."""
    base, b, x2 = weights(12, 60, 80), 60 / 80, strength**2
    unit = noise_edge(base, 1.0) / (1 + math.sqrt(b))
    shown = math.sqrt((strength + 1 / strength) * (strength + b / strength))
    found = signal_rank(base, 1.0, np.array([shown * unit, 0.0]))
    cosines = (x2**2 - b) ** 2 / ((x2**2 + b * x2) * (x2**2 + x2))
    assert found.rank == 1
    assert found.explained == pytest.approx(x2 * cosines * unit**2)


def test_nothing_above_the_edge_is_rank_zero() -> None:
    base = weights(8, 60, 80)
    found = signal_rank(base, 1e-3, np.zeros(60))
    assert (found.rank, found.stable_rank, found.effective_rank, found.explained) == (0, 0, 0, 0)


def test_rank_null_is_high_and_reproducible() -> None:
    base = weights(9, 120, 150)
    for noise in NOISES:
        null = rank_null(base, 1e-2 * frobenius(base), noise, draws=3, seed=4)
        assert null == rank_null(base, 1e-2 * frobenius(base), noise, draws=3, seed=4)
        # Marchenko & Pastur: ||R||_F^2 / ||R||_2^2 -> n / (1 + sqrt(n / m))^2
        assert null.stable_rank == pytest.approx(120 / (1 + math.sqrt(0.8)) ** 2, rel=0.1)
        assert 100 < null.effective_rank < 120
        assert 0 < null.stable_rank_sd < 5


def test_a_structureless_update_is_above_rounding_only_where_it_is_large() -> None:
    base = weights(13, 120, 150)
    small, large = (rank_null(base, r * frobenius(base)) for r in (1e-5, 0.1))
    assert small.signal_rank < 3
    assert large.signal_rank > 100


def test_rank_null_does_not_draw_the_stream_a_base_was_drawn_from() -> None:
    drawn = np.random.default_rng(0).standard_normal((100, 100), dtype=np.float32)
    base = round_to_bf16(drawn)
    null = rank_null(base, 1e-3 * frobenius(base), draws=2, seed=0)
    assert null.density > 0.1
    assert null.stable_rank_sd < 5


def test_what_has_no_null_is_refused() -> None:
    fine = np.array([[1.0, 1.001]], np.float32)
    with pytest.raises(RoundingError, match="round both checkpoints to bfloat16 first"):
        magnitudes(fine)
    with pytest.raises(RoundingError, match="NaN or an infinity"):
        magnitudes(np.array([[np.inf]], np.float32))
    base = magnitudes(weights(10, 4, 4))
    for norm in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(RoundingError, match="an update of positive norm"):
            matched_scale(base, norm, "gaussian")
    with pytest.raises(RoundingError, match="at least 2 draws, got 1"):
        overlap_null(base, base, 0.1, "gaussian", draws=1)
    with pytest.raises(RoundingError, match="at least 2 draws, got 0"):
        rank_null(weights(10, 4, 4), 0.1, draws=0)
