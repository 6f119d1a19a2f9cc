"""The plan says where another engine is the better choice, and where it is none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rlvr_gate.records import Checkpoint
from rlvr_gate_fixtures.measurements.samples import remarks


@pytest.fixture
def large(tmp_path: Path, checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> Checkpoint:
    monkeypatch.setattr(remarks, "_SMALL", 10)
    (tmp_path / "model-1-of-2.safetensors").write_bytes(bytes(6))
    (tmp_path / "model-2-of-2.safetensors").write_bytes(bytes(6))
    return replace(checkpoint, path=tmp_path)


def test_a_large_model_on_a_processor_is_vllms(large: Checkpoint) -> None:
    (wide,) = remarks._pace("transformers/float32/cpu", large)
    (narrow,) = remarks._pace("transformers/bfloat16/cpu", large)
    assert "about twice as fast with --backend vllm" in wide
    assert "dtype=bfloat16" in wide
    assert "dtype=bfloat16" not in narrow


@pytest.mark.parametrize(
    "identity", ["transformers/float32/cuda", "vllm/0.32.0/bfloat16/cpu", "scripted", "server/x"]
)
def test_elsewhere_nothing_is_said(large: Checkpoint, identity: str) -> None:
    assert remarks._pace(identity, large) == []


def test_a_small_model_is_told_nothing(large: Checkpoint) -> None:
    (large.path / "model-2-of-2.safetensors").unlink()
    assert remarks._pace("transformers/float32/cpu", large) == []
