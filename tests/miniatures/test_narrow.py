"""The narrow run: what its texts hold, what is shipped, what training moves."""

from __future__ import annotations

import hashlib
import json
import random
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from safetensors.torch import load_file

from rlvr_gate_fixtures.inputs.checkpoints import resolve
from rlvr_gate_fixtures.inputs.pairs import check_pair
from rlvr_gate_miniatures import countdown, narrow
from rlvr_gate_miniatures.model import load_model, weights_digest
from rlvr_gate_miniatures.narrow import BASE, SHIPPED, Narrow, lowered, product, save

NOTHING: frozenset[str] = frozenset()


def test_its_texts_are_products_of_three_numbers() -> None:
    rng = random.Random(0)
    puzzles = [countdown.draw(rng, NOTHING) for _ in range(200)]
    texts = [(puzzle, product(puzzle, rng)) for puzzle in puzzles]
    taught = [(puzzle, text) for puzzle, text in texts if text is not None]
    assert len(taught) > 50
    assert all(len(p.numbers) == 3 and "*" in t and t[0] == "m" for p, t in taught)


def test_the_shipped_adapter_is_what_its_manifest_says() -> None:
    told = json.loads((SHIPPED / "manifest.json").read_text())
    weights = (SHIPPED / narrow.WEIGHTS).read_bytes()
    assert told["digest"] == hashlib.sha256(weights).hexdigest()
    assert told["recipe"] == json.loads(json.dumps(asdict(Narrow())))
    assert told["parents"] == {"base": weights_digest(BASE)}
    assert len(weights) < 200_000
    base = resolve("base", "base")
    found = resolve("narrow", str(SHIPPED), onto=base)
    check_pair(base, found)
    assert found.adapter == SHIPPED


def test_what_is_saved_is_what_was_trained(tmp_path: Path) -> None:
    recipe = replace(Narrow(), rank=2)
    model = load_model(BASE)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    added = lowered(model, recipe, 0)
    for name, layer in model.named_modules():
        if name in added:  # nothing is added at first
            assert bool((layer.weight == before[f"{name}.weight"]).all())
    assert sum(p.numel() for p in model.parameters() if p.requires_grad) == sum(
        low.a.numel() + low.b.numel() for low in added.values()
    )
    save(added, recipe, tmp_path)
    factors = load_file(tmp_path / narrow.WEIGHTS)
    assert len(factors) == 2 * len(added)
    assert factors["base_model.model.model.layers.0.mlp.up_proj.lora_A.weight"].shape == (2, 192)
    assert json.loads((tmp_path / "adapter_config.json").read_text())["r"] == 2


@pytest.mark.slow
def test_training_writes_an_adapter_that_learned(tmp_path: Path) -> None:
    recipe = Narrow(sft=replace(Narrow().sft, steps=4, rows=8))
    narrow.train(tmp_path, 0, recipe)
    told = json.loads((tmp_path / "manifest.json").read_text())
    assert [point["step"] for point in told["curve"]] == [1, 2, 3, 4]
    factors = load_file(tmp_path / narrow.WEIGHTS)
    assert any(bool(f.any()) for name, f in factors.items() if "lora_B" in name)
