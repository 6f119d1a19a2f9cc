"""The streamed comparison against a plain fp64 one: exact counts, whatever the layout."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from rlvr_gate.weights import scan
from rlvr_gate.weights.compare import dispersion
from rlvr_gate.weights.layout import LayoutError, tensor_slots
from rlvr_gate.weights.sources import WeightsError, matrix, round_to_bf16

SHAPES = [(1,), (7,), (4099,), (3, 5), (157, 192), (64, 40), (300, 2041), (2, 70_000), (4, 3, 9)]


def pair(save, base, other):
    ours, theirs = save("base", {"w": base}), save("rlvr", {"w": other})
    return tensor_slots(ours)["w"], tensor_slots(theirs)["w"]


def moved(rng, shape, scale=1e-3, share=0.4):
    base = rng.standard_normal(shape).astype(np.float32) * 0.02
    step = rng.standard_normal(shape) * scale * (rng.random(shape) < share)
    return base, (base + step).astype(np.float32)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("sizes", [True, False])
def test_bfloat16_counts_equal_those_of_a_plain_comparison(save, bf16, number, shape, sizes):
    rng = np.random.default_rng(len(shape) + shape[0])
    a, b = (bf16(values) for values in moved(rng, shape))
    found = scan.change(*pair(save, a, b), sizes=sizes)
    x, y = number(a), number(b)
    assert found.parameters == x.size
    assert found.unchanged == found.unchanged_bf16 == found.unchanged_exact == (x == y).sum()
    near = np.abs(y - x) <= 1e-3 * np.maximum(np.abs(x), np.abs(y))
    assert found.within_relative == near.sum()  # eta below 2^-9 says the same as equality
    if len(shape) > 1 and shape[-1] <= 65_536:
        changed = (x != y).reshape(-1, shape[-1])
        np.testing.assert_array_equal(found.changed_by_row(), changed.sum(1))
        np.testing.assert_array_equal(found.columns, changed.sum(0))
    else:
        assert found.changed_by_row() is None
    if sizes:
        assert found.within_tolerance == (np.abs(y - x) <= 1e-5).sum()
        assert found.max_abs == np.abs(y - x).max()
        assert found.squares == pytest.approx(((y - x) ** 2).sum(), rel=1e-6)
        assert found.base_squares == pytest.approx((x**2).sum(), rel=1e-6)


@pytest.mark.parametrize("kinds", ["32 32", "16 16", "64 64", "bf 32", "32 bf", "bf 16", "16 32"])
def test_every_pair_of_types_is_compared_in_the_coarser(save, bf16, number, kinds):
    rng = np.random.default_rng(3)
    store = {"32": np.float32, "16": np.float16, "64": np.float64}
    a, b = (
        bf16(values) if kind == "bf" else values.astype(store[kind])
        for values, kind in zip(moved(rng, (211, 37)), kinds.split(), strict=True)
    )
    found = scan.change(*pair(save, a, b))
    x, y = (number(v) if v.dtype == np.uint16 else v.astype(np.float64) for v in (a, b))
    assert found.unchanged_exact == (x == y).sum()
    p, q = (number(bf16(v)) for v in (x, y))
    assert found.unchanged_bf16 == (p == q).sum()
    assert found.changed_by_row().sum() == (p != q).sum()
    assert (
        found.within_relative == (np.abs(q - p) <= 1e-3 * np.maximum(np.abs(p), np.abs(q))).sum()
    )
    coarse = "bf" if "bf" in kinds else min(kinds.split())
    u, v = (p, q) if coarse == "bf" else (z.astype(store[coarse]).astype(float) for z in (x, y))
    assert found.unchanged == (u == v).sum()
    assert found.within_tolerance == (np.abs(v - u) <= 1e-5).sum()
    assert found.squares == pytest.approx(((v - u) ** 2).sum(), rel=1e-9)


def test_the_absolute_tolerance_is_exact_at_its_edge(save, bf16, number):
    """Every bfloat16 number, beside the neighbours of itself plus and minus 1e-5."""
    words = np.arange(1 << 16, dtype=np.uint16)
    words = words[(words & 0x7FFF) < 0x3F80]  # below 1
    x = number(words)
    others = [bf16(x + sign * 1e-5) for sign in (1, -1)]
    one = np.uint16(1)
    others += [shifted for other in others for shifted in (other + one, other - one)]
    for index, other in enumerate(others):
        keep = (other & 0x7FFF) < 0x7F80
        y = number(other[keep])
        found = scan.change(*pair(save, words[keep], other[keep]))
        assert found.within_tolerance == (np.abs(y - x[keep]) <= 1e-5).sum(), index


@pytest.mark.parametrize("sizes", [True, False])
def test_signed_zeros_are_equal(save, sizes):
    a = np.array([0x0000, 0x8000, 0x8000, 0x3F80, 0x0000], np.uint16)
    b = np.array([0x8000, 0x0000, 0x8000, 0x3F80, 0x0001], np.uint16)
    assert scan.change(*pair(save, a, b), sizes=sizes).unchanged == 4


@pytest.mark.parametrize("bad", [0x7F80, 0xFF80, 0x7FC0, 0xFFFF])
@pytest.mark.parametrize("where", [0, 5, 4096])
@pytest.mark.parametrize("sizes", [True, False])
@pytest.mark.parametrize("side", [0, 1, 2])
def test_nan_and_infinity_are_refused_wherever_they_are(save, bad, where, sizes, side):
    both = [np.full(4097, 0x3C00, np.uint16) for _ in range(2)]
    for index, words in enumerate(both):
        if side in (index, 2):
            words[where] = bad
    with pytest.raises(WeightsError, match="tensor w holds NaN or infinite"):
        scan.change(*pair(save, *both), sizes=sizes)


@pytest.mark.parametrize("kind", [np.float32, np.float16])
def test_nan_is_refused_in_other_types_too(save, kind):
    good, bad = np.ones(9, kind), np.ones(9, kind)
    bad[3] = np.nan
    with pytest.raises(WeightsError, match="NaN"):
        scan.change(*pair(save, good, bad))


def test_large_finite_weights_are_fine(save, bf16, number):
    a = bf16(np.array([3.0, -2.0, 1e38, 500.0, 1e-38]))
    b = bf16(np.array([3.0, -2.5, 1e38, 501.0, 2e-38]))
    x, y = number(a), number(b)
    found = scan.change(*pair(save, a, b))
    assert found.unchanged == 2 + (x[3] == y[3])
    assert found.squares == pytest.approx(((y - x) ** 2).sum(), rel=1e-6)
    assert found.base_squares == pytest.approx((x**2).sum(), rel=1e-6)


def test_windows_blocks_and_threads_do_not_show(save, bf16, monkeypatch):
    rng = np.random.default_rng(5)
    slots = pair(save, *(bf16(values) for values in moved(rng, (517, 64))))
    whole = scan.change(*slots)
    monkeypatch.setattr(scan, "_WINDOW", 3000)
    monkeypatch.setattr(scan, "_BLOCK", 130)
    with ThreadPoolExecutor(3) as pool:
        cut = scan.change(*slots, pool=pool)
    assert cut.unchanged == whole.unchanged
    assert cut.within_tolerance == whole.within_tolerance
    np.testing.assert_array_equal(cut.changed_by_row(), whole.changed_by_row())
    np.testing.assert_array_equal(cut.columns, whole.columns)
    assert cut.squares == pytest.approx(whole.squares, rel=1e-6)


def test_an_odd_offset_is_read_all_the_same(save, bf16, tmp_path):
    """The format lets data start anywhere."""
    rng = np.random.default_rng(6)
    slots = pair(save, *(bf16(values) for values in moved(rng, (33, 8))))
    shifted = []
    for index, slot in enumerate(slots):
        path = tmp_path / f"odd{index}"
        path.write_bytes(b"\0" + slot.path.read_bytes())
        shifted.append(replace(slot, path=path, start=slot.start + 1, stop=slot.stop + 1))
    assert scan.change(*shifted).unchanged == scan.change(*slots).unchanged


def test_a_file_that_shrinks_is_an_error_not_a_crash(save, bf16):
    slots = pair(save, bf16(np.ones((64, 64))), bf16(np.ones((64, 64))))
    slots[1].path.write_bytes(slots[1].path.read_bytes()[:-100])
    with pytest.raises(LayoutError, match="was cut short while it was read"):
        scan.change(*slots)


def test_known_to_be_clean_tensors_give_the_same_counts(save, bf16):
    rng = np.random.default_rng(7)
    slots = pair(save, *(bf16(values) for values in moved(rng, (90, 33))))
    one, two = (scan.change(*slots, sizes=False, vetted=v) for v in (False, True))
    assert one.unchanged == two.unchanged
    np.testing.assert_array_equal(one.columns, two.columns)


def test_a_matrix_is_read_whole(save, bf16, number):
    words = bf16(np.random.default_rng(8).standard_normal((41, 17)))
    slot = tensor_slots(save("m", {"w": words}))["w"]
    np.testing.assert_array_equal(matrix(slot), number(words))
    np.testing.assert_array_equal(round_to_bf16(matrix(slot)), matrix(slot))


def test_dispersion_of_independent_updates_is_about_one_and_of_stripes_large():
    rng = np.random.default_rng(9)
    drawn = rng.binomial(500, 0.3, 4000)
    assert dispersion(drawn, 500) == pytest.approx(1, abs=5 * np.sqrt(2 / 3999))
    stripes = np.where(np.arange(4000) % 2, 500, 0)
    # half the lines whole: variance 1/4 over (1/2)(1/2)/500
    assert dispersion(stripes, 500) == pytest.approx(500 * 4000 / 3999)
    assert dispersion(np.zeros(10, int), 5) is None
    assert dispersion(np.full(10, 5), 5) is None
    assert dispersion(np.array([3]), 5) is None
