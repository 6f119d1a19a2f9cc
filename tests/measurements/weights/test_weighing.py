"""Comparisons are kept by digest: never measured twice, never stale, a base's work shared."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from rlvr_gate_fixtures.evidence.weights import WeightEvidence
from rlvr_gate_fixtures.inputs.checkpoints import CheckpointError, resolve
from rlvr_gate_fixtures.measurements.weights import read as weighing
from rlvr_gate_fixtures.measurements.weights.read import Weighing

NAME = "model.layers.0.mlp.up_proj.weight"


def write(folder: Path, seed: int, flips: float) -> Path:
    words = np.random.default_rng(0).integers(0x3C00, 0x3D80, (24, 16), dtype=np.uint16)
    flip = np.random.default_rng(seed).random(words.shape) < flips
    raw = (words ^ flip).astype(np.uint16).tobytes()
    entry = {"dtype": "BF16", "shape": [24, 16], "data_offsets": [0, len(raw)]}
    text = json.dumps({NAME: entry}).encode()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + raw)
    return folder


@pytest.fixture
def weigh(tmp_path: Path):
    def _weigh(**flips: float) -> Weighing:
        folders = {"base": write(tmp_path / "base", 0, 0)}
        for role, share in flips.items():
            folders[role] = write(tmp_path / role, len(role), share)
        checkpoints = {
            role: resolve(role, str(folder), weights_only=True) for role, folder in folders.items()
        }
        return Weighing(checkpoints, tmp_path / "kept")

    return _weigh


@pytest.fixture
def counted(monkeypatch):
    """How often something was measured."""
    calls = {"measure": 0, "measure_shapes": 0, "decompose": 0, "count_together": 0}
    for name in calls:
        real = getattr(weighing, name)

        def counting(*args, name=name, real=real, **kwargs):
            calls[name] += 1
            return real(*args, **kwargs)

        monkeypatch.setattr(weighing, name, counting)
    return calls


def test_a_second_run_measures_nothing_and_says_the_same(weigh, counted):
    source = weigh(rlvr=0.2, sft=0.9)
    source.shapes("rlvr", "base")
    first = source.record()
    once = dict(counted)
    assert once == {"measure": 2, "measure_shapes": 2, "decompose": 1, "count_together": 1}
    assert weigh(rlvr=0.2, sft=0.9).record() == first
    assert counted == once


def test_nothing_is_decomposed_for_the_report_alone(weigh, counted):
    record = weigh(rlvr=0.2).record()
    assert record["rlvr"].matrices == ()
    assert record["rlvr"].tensors
    assert counted["measure_shapes"] == counted["decompose"] == 0


def test_a_second_checkpoint_starts_from_what_is_known_of_the_base(weigh, counted):
    weigh(rlvr=0.2).shapes("rlvr", "base")
    again = weigh(rlvr=0.5)
    again.shapes("rlvr", "base")
    assert counted["measure_shapes"] == 2
    assert counted["decompose"] == 1


def test_another_checkpoint_of_the_same_name_is_measured_again(weigh):
    assert weigh(rlvr=0.2).update("rlvr", "base").unchanged > 0.7 * 384
    assert weigh(rlvr=0.9).update("rlvr", "base").unchanged < 0.2 * 384


def test_roles_may_change_their_names(weigh, counted):
    weigh(rlvr=0.2).update("rlvr", "base")
    same = weigh(rlvr=0.2)
    same._checkpoints["other"] = same._checkpoints["rlvr"]
    assert same.update("other", "base").role == "other"
    assert counted["measure"] == 1


def test_damaged_files_are_measured_again(weigh, counted, tmp_path: Path):
    source = weigh(rlvr=0.2)
    source.shapes("rlvr", "base")
    first = source.record()
    for path in (tmp_path / "kept").rglob("*.*"):
        path.write_bytes(path.read_bytes()[:20])
    again = weigh(rlvr=0.2)
    again.shapes("rlvr", "base")
    assert again.record() == first
    assert counted["measure"] == counted["decompose"] == 2


def test_a_folder_that_cannot_be_written_costs_nothing_but_time(weigh, tmp_path: Path):
    (tmp_path / "kept").write_text("a file in the way")
    assert weigh(rlvr=0.2).update("rlvr", "base").parameters == 384


def test_the_trajectory_is_in_order_of_steps(weigh):
    found = weigh(**{"step-16": 0.2, "rlvr": 0.3, "step-8": 0.1, "sft": 0.9})
    assert found.trajectory == ("step-8", "step-16", "rlvr")
    assert found.together().roles == ("step-8", "step-16", "rlvr", "sft")


def test_nothing_was_sampled(weigh):
    evidence = WeightEvidence(weigh(rlvr=0.2))
    assert evidence.roles == ("base", "rlvr")
    with pytest.raises(LookupError, match="no completions of rlvr on aime: every claim"):
        evidence.tallies("rlvr", "aime")
    with pytest.raises(LookupError, match="no completions of rlvr"):
        evidence.facts("rlvr")


def test_weights_alone_need_no_configuration_and_their_digest_no_luck(tmp_path: Path):
    folder = write(tmp_path / "bare", 0, 0)
    bare = resolve("rlvr", str(folder), weights_only=True)
    with pytest.raises(CheckpointError, match=r"no config\.json"):
        resolve("rlvr", str(folder))
    (folder / "config.json").write_text("{}")
    assert resolve("rlvr", str(folder), weights_only=True).digest != bare.digest
    (folder / "config.json").unlink()
    assert resolve("rlvr", str(folder), weights_only=True).digest == bare.digest


def test_a_shipped_checkpoint_has_one_digest_either_way():
    assert resolve("base", "base").digest == resolve("base", "base", weights_only=True).digest


@pytest.mark.parametrize(
    "change",
    [
        lambda kept: kept | {"tensors": 3},
        lambda kept: kept | {"more": 1},
        lambda kept: {k: v for k, v in kept.items() if k != "tensors"},
        lambda kept: kept | {"tensors": [t | {"parameters": "many"} for t in kept["tensors"]]},
        lambda kept: [kept],
    ],
)
def test_what_is_no_comparison_is_measured_again(weigh, counted, tmp_path: Path, change):
    first = weigh(rlvr=0.2).update("rlvr", "base")
    (path,) = (tmp_path / "kept").glob("update*.json")
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    assert weigh(rlvr=0.2).update("rlvr", "base") == first
    assert counted["measure"] == 2
