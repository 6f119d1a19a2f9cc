"""The plan says where another engine is the better choice, and where it is none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rlvr_gate.records import Checkpoint
from rlvr_gate_fixtures.measurements.samples import engines, remarks
from rlvr_gate_fixtures.measurements.samples.plan import make_plan


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


@pytest.fixture
def seven(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (engines, remarks):
        monkeypatch.setattr(module, "parameters", lambda folder: 7_000_000_000)


@pytest.mark.usefixtures("seven")
def test_the_plan_says_what_either_engine_would_take_of_a_large_checkpoint_on_a_gpu(
    need, store, backend
) -> None:
    asked = need(1000)
    gpu = replace(asked, stream=replace(asked.stream, backend="transformers/bfloat16/cuda"))
    rows = make_plan([gpu], store, backend).rows
    (said,) = engines.suggested(rows, store)
    assert rows[0].tokens == 640_000
    assert said == (
        "base has 7.0G parameters, on one GPU: transformers 11 min (1,000 tokens/s, an estimate "
        "nobody measured), vllm 26 s (25,000 tokens/s, an estimate nobody measured); "
        "--backend vllm is made for this"
    )
    store.add_pace(gpu.stream, 100, 100_000, 1000.0)
    other = replace(gpu.stream, backend="vllm/0.32.0/bfloat16/cuda")
    store.add_pace(other, 100, 100_000, 10.0)
    store.add_pace(replace(other, checkpoint_digest="another"), 100, 100_000, 1.0)
    (said,) = engines.suggested(make_plan([gpu], store, backend).rows, store)
    assert "(100 tokens/s, measured), vllm" in said
    assert "(10,000 tokens/s, measured); --backend vllm is made for this" in said


@pytest.mark.usefixtures("seven")
def test_no_other_engine_is_suggested_where_none_is_better_or_nothing_is_drawn(
    need, store, backend, large: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    for identity in ("transformers/float32/cpu", "vllm/0.32.0/bfloat16/cuda", "scripted"):
        asked = need(10)
        other = replace(asked, stream=replace(asked.stream, backend=identity))
        assert engines.suggested(make_plan([other], store, backend).rows, store) == []
    gpu = replace(asked, stream=replace(asked.stream, backend="transformers/bfloat16/cuda"))
    rows = make_plan([gpu], store, backend).rows
    store.add_pace(gpu.stream, 100, 100_000_000, 1.0)
    assert engines.suggested(make_plan([gpu], store, backend).rows, store) == []
    assert engines.suggested([replace(row, missing=0) for row in rows], store) == []
    assert remarks._pace("transformers/bfloat16/cuda", large) == [
        "7.0G parameters on a GPU: --backend vllm is made for this (see --plan)"
    ]
    monkeypatch.setattr(engines, "parameters", lambda folder: 1_000_000_000)
    assert engines.suggested(rows, store) == []
    assert remarks._pace("transformers/bfloat16/cuda", large) == []
