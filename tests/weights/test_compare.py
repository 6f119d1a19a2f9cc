"""Weight comparison against torch, on real files, and its refusals."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from rlvr_gate.weights.compare import WeightsError, compare, round_to_bf16
from rlvr_gate.weights.layout import LayoutError, read_header, weight_files

torch = pytest.importorskip("torch")
safetensors = pytest.importorskip("safetensors.torch")


def save(folder: Path, tensors: dict[str, object], name: str = "model.safetensors") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    safetensors.save_file(tensors, folder / name)
    return folder


def random(seed: int, *shape: int) -> object:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_unchanged_fraction_equals_torchs_bf16_equality(tmp_path: Path) -> None:
    base = random(0, 300, 70)
    step = random(1, 300, 70) * 1e-3
    ours, theirs = base.bfloat16(), (base + step).bfloat16()
    update = compare(save(tmp_path / "a", {"w": ours}), save(tmp_path / "b", {"w": theirs}))
    expected = (ours == theirs).double().mean().item()
    assert 0 < expected < 1
    assert update.unchanged_fraction == expected
    delta = theirs.double() - ours.double()
    assert update.tensors[0].max_abs == delta.abs().max().item()
    assert update.totals().relative_update == pytest.approx(
        (delta.norm() / ours.double().norm()).item(), rel=1e-6
    )
    assert update.totals().within_tolerance == pytest.approx(
        (delta.abs() <= 1e-5).double().mean().item()
    )


def test_different_dtypes_are_compared_in_the_coarser(tmp_path: Path) -> None:
    weights = random(2, 1000)
    a = save(tmp_path / "a", {"w": weights.bfloat16()})
    b = save(tmp_path / "b", {"w": weights.float()})
    assert compare(a, b).unchanged_fraction == 1.0
    assert compare(a, b).tensors[0].dtype == "BF16/F32"


def test_signed_zeros_are_equal_and_nan_is_refused(tmp_path: Path) -> None:
    a = save(tmp_path / "a", {"w": torch.tensor([0.0, 1.0, 2.0]).bfloat16()})
    b = save(tmp_path / "b", {"w": torch.tensor([-0.0, 1.0, 2.5]).bfloat16()})
    assert compare(a, b).unchanged == 2
    c = save(tmp_path / "c", {"w": torch.tensor([0.0, 1.0, float("nan")]).bfloat16()})
    with pytest.raises(WeightsError, match=r"c/model\.safetensors: tensor w holds NaN"):
        compare(a, c)


def test_rounding_agrees_with_torch_on_every_tie() -> None:
    bits = np.random.default_rng(0).integers(0, 2**32, 200_000, dtype=np.uint32)
    bits[:1000] = (bits[:1000] & 0xFFFF0000) | 0x8000  # exact ties
    values = bits.view(np.float32)
    finite = values[np.isfinite(values)]
    expected = torch.from_numpy(finite.copy()).bfloat16().float().numpy()
    np.testing.assert_array_equal(round_to_bf16(finite), expected)


def test_shards_are_read_through_the_index(tmp_path: Path) -> None:
    whole = {"a": random(3, 8, 8).bfloat16(), "b": random(4, 8).bfloat16()}
    one = save(tmp_path / "one", whole)
    two = save(tmp_path / "two", {"a": whole["a"]}, "x-1.safetensors")
    save(two, {"b": whole["b"]}, "x-2.safetensors")
    index = {"weight_map": {"a": "x-1.safetensors", "b": "x-2.safetensors"}}
    (two / "model.safetensors.index.json").write_text(json.dumps(index))
    assert compare(one, two).unchanged_fraction == 1.0
    (two / "x-2.safetensors").unlink()
    with pytest.raises(LayoutError, match=r"shard x-2\.safetensors .* is missing"):
        weight_files(two)


def test_a_truncated_file_is_refused_with_both_sizes(tmp_path: Path) -> None:
    file = save(tmp_path, {"w": random(5, 100)}) / "model.safetensors"
    whole = file.read_bytes()
    file.write_bytes(whole[:-10])
    with pytest.raises(LayoutError, match=f"truncated: its header promises {len(whole)} bytes"):
        read_header(file)


@pytest.mark.parametrize(
    "data",
    [b"", b"\x00", (10**9).to_bytes(8, "little") + b"{}", (2).to_bytes(8, "little") + b"[]",
     (2).to_bytes(8, "little") + b"{x"],
)  # fmt: skip
def test_a_hostile_header_is_an_error_not_a_crash(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "model.safetensors").write_bytes(data)
    with pytest.raises(LayoutError):
        read_header(tmp_path / "model.safetensors")


def test_different_tensors_and_shapes_are_refused(tmp_path: Path) -> None:
    a = save(tmp_path / "a", {"w": random(0, 2, 2)})
    b = save(tmp_path / "b", {"v": random(0, 2, 2)})
    c = save(tmp_path / "c", {"w": random(0, 4)})
    with pytest.raises(WeightsError, match=r"hold different tensors, e\.g\. v, w"):
        compare(a, b)
    with pytest.raises(WeightsError, match=r"shape \(2, 2\) in base and \(4,\) in rlvr"):
        compare(a, c)


def test_a_pickle_is_named_and_not_read(tmp_path: Path) -> None:
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    with pytest.raises(LayoutError, match="pickles run code"):
        weight_files(tmp_path)
