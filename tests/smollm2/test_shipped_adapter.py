"""The adapter in the repository is what its manifest says the recipe made."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from rlvr_gate.weights.layout import read_header
from rlvr_gate_fixtures.inputs.wholeness import check_values
from rlvr_gate_smollm2 import package, problems
from rlvr_gate_smollm2.run import weights_digest
from rlvr_gate_smollm2.train import LORA

FOLDER = Path(__file__).parents[2] / "fixtures" / "adapters" / "smollm2-lora"
MANIFEST = json.loads((FOLDER / "manifest.json").read_text())


def test_its_weights_are_those_of_its_manifest() -> None:
    assert weights_digest(FOLDER) == MANIFEST["digest"]
    check_values(FOLDER / "adapter_model.safetensors")


def test_the_recipe_is_the_one_that_made_it() -> None:
    made = json.loads(json.dumps(asdict(replace(LORA, steps=len(MANIFEST["curve"])))))
    assert MANIFEST["made_by"]["recipe"] == made
    assert MANIFEST["made_by"]["held_out"] == problems.HELD_OUT_SEED
    assert (MANIFEST["package"], MANIFEST["package_digest"]) == (
        package.PACKAGE, package.WHEEL_DIGEST
    )  # fmt: skip


def test_it_holds_factors_of_the_recipes_rank_and_nothing_else() -> None:
    slots = read_header(FOLDER / "adapter_model.safetensors")
    assert len(slots) == 2 * 7 * 30
    assert {min(slot.shape) for slot in slots} == {LORA.rank}
    assert {slot.dtype for slot in slots} == {"BF16"}


def test_its_curve_rises() -> None:
    rewards = [point["reward"] for point in MANIFEST["curve"]]
    assert sum(rewards[-4:]) > 3 * sum(rewards[:4])
