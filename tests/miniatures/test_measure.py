"""Measurements are zero where nothing changed and right where we know the change."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from safetensors.torch import load_file, save_file  # noqa: E402

from rlvr_gate_miniatures import __main__ as command  # noqa: E402
from rlvr_gate_miniatures.measure import correct_counts, rotation, weights_row  # noqa: E402
from rlvr_gate_miniatures.rollouts import Rollout  # noqa: E402

SHIPPED = command.SHIPPED


def changed(folder: Path, change) -> Path:
    """A copy of the base's weights, each tensor passed through ``change``."""
    tensors = load_file(SHIPPED / "base" / "model.safetensors")
    folder.mkdir()
    save_file(
        {name: change(weight).to(torch.bfloat16).contiguous() for name, weight in tensors.items()},
        folder / "model.safetensors",
    )
    return folder


def test_the_base_did_not_move_from_itself() -> None:
    row = weights_row(SHIPPED / "base", SHIPPED / "base")
    assert row["identical"] == 1.0
    assert row["relative update"] == 0.0
    assert row["angle@1"] == pytest.approx(0, abs=1e-3)


def test_doubling_changes_every_weight_and_rotates_none(tmp_path: Path) -> None:
    double = changed(tmp_path / "double", lambda weight: weight * 2)
    row = weights_row(double, SHIPPED / "base")
    assert row["relative update"] == pytest.approx(1.0)
    assert row["identical"] < 0.01
    assert row["angle@16"] == pytest.approx(0, abs=1e-3)


def test_a_rotation_of_the_leading_direction_is_measured_in_degrees(tmp_path: Path) -> None:
    """Two matrices whose first left singular vectors differ by 30 degrees; right ones agree."""
    for name, degrees in (("old", 0), ("new", 30)):
        angle = math.radians(degrees)
        left = torch.tensor([math.cos(angle), math.sin(angle), 0.0])
        (tmp_path / name).mkdir()
        matrix = torch.outer(left, torch.tensor([1.0, 0.0, 0.0, 0.0]))
        save_file({"w": matrix}, tmp_path / name / "model.safetensors")
    assert rotation(tmp_path / "new", tmp_path / "old", ranks=(1,))[1] == pytest.approx(
        15, abs=0.1
    )


def test_correct_completions_are_counted_by_problem() -> None:
    drawn = [Rollout(index % 2, (1,), "", index < 3, False) for index in range(6)]
    assert correct_counts(drawn, 3) == [2, 1, 0]


def test_shipping_replaces_whole_folders(tmp_path: Path) -> None:
    out, shipped = tmp_path / "out", tmp_path / "shipped"
    for name in command.NAMES:
        (out / name).mkdir(parents=True)
        (out / name / "manifest.json").write_text(json.dumps({"name": name}))
    (shipped / "base").mkdir(parents=True)
    (shipped / "base" / "left-over").touch()
    command.ship(out, shipped)
    assert not (shipped / "base" / "left-over").exists()
    assert sorted(path.name for path in shipped.iterdir()) == sorted(command.NAMES)


def test_further_seeds_go_to_folders_of_their_own() -> None:
    assert command.folder(Path("out"), 0) == Path("out")
    assert command.folder(Path("out"), 2) == Path("out/seed-2")
