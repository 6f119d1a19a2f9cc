"""A LoRA adapter as a checkpoint that is sampled: the base with something on it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from rlvr_gate.records import Checkpoint
from rlvr_gate_fixtures.inputs.checkpoints import CheckpointError, resolve
from rlvr_gate_fixtures.inputs.pairs import check_pair
from rlvr_gate_fixtures.run import Settings, resolve_run

pytest.importorskip("safetensors")
from safetensors.numpy import save_file

QUERY = "base_model.model.model.layers.0.self_attn.q_proj"
FACTORS = {
    f"{QUERY}.lora_A.weight": np.ones((2, 8), np.float32),
    f"{QUERY}.lora_B.weight": np.ones((8, 2), np.float32),
}
SETTINGS = {"peft_type": "LORA", "r": 2, "lora_alpha": 4}


@pytest.fixture
def base(make_checkpoint) -> Checkpoint:
    return resolve("base", str(make_checkpoint()))


@pytest.fixture
def adapter(tmp_path: Path):
    def make(factors=FACTORS, name: str = "adapter", **settings: object) -> Path:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        save_file(factors, folder / "adapter_model.safetensors")
        (folder / "adapter_config.json").write_text(json.dumps(SETTINGS | settings))
        return folder

    return make


def test_it_is_asked_as_its_base_is_and_is_another_checkpoint(base, adapter) -> None:
    found = resolve("rlvr", str(adapter()), onto=base)
    assert found.adapter == found.weights == adapter()
    assert found.path == base.path
    assert (found.stop_ids, found.template_digest) == (base.stop_ids, base.template_digest)
    assert found.digest != base.digest
    assert found.loaded != base.loaded
    assert found.notes == ("a LoRA adapter on base: 1 of 11 tensors change",)
    assert check_pair(base, found) == ()


def test_its_identity_is_that_of_base_factors_and_settings(base, adapter, make_checkpoint) -> None:
    other = resolve("base", str(make_checkpoint("other", max_position_embeddings=64)))
    more = {name: factor + 1 for name, factor in FACTORS.items()}
    found = [
        resolve("rlvr", str(folder), onto=onto).digest
        for folder, onto in (
            (adapter(), base),
            (adapter(name="again"), base),
            (adapter(), other),
            (adapter(name="scaled", lora_alpha=8), base),
            (adapter(more, "more"), base),
        )
    ]
    assert found[0] == found[1]
    assert len(set(found)) == 4


def test_a_run_puts_every_adapter_on_its_base(base, adapter, tmp_path: Path) -> None:
    script = tmp_path / "script.json"
    script.write_text("{}")
    settings = Settings(
        str(base.path), str(adapter()), (("sft", str(adapter(name="sft", lora_alpha=8))),),
        ("countdown",), 4, tmp_path / "store", "scripted", {"script": str(script)}, 0, 1.0, 1.0,
        8,
    )  # fmt: skip
    run = resolve_run(settings)
    assert run.checkpoints["rlvr"].adapter == adapter()
    assert len({stream.checkpoint_digest for stream in run.streams.values()}) == 3


def test_weights_alone_are_known_by_the_adapters_files_as_ever(base, adapter) -> None:
    """Comparisons that were kept before adapters were sampled keep their names."""
    found = resolve("rlvr", str(adapter()), weights_only=True)
    assert (found.path, found.weights, found.adapter) == (adapter(), adapter(), None)
    assert found == resolve("rlvr", str(adapter()), weights_only=True, onto=base)


def test_a_base_is_whole(adapter) -> None:
    with pytest.raises(CheckpointError, match="merge the adapter into its base first"):
        resolve("base", str(adapter()))


@pytest.mark.parametrize(
    ("factors", "settings", "words"),
    [
        ({QUERY + ".lora_A.weight": np.ones((2, 9), np.float32),
          QUERY + ".lora_B.weight": np.ones((8, 2), np.float32)}, {}, "for another base"),
        ({n.replace("layers.0", "layers.7"): f for n, f in FACTORS.items()}, {},
         "which base lacks"),
        (FACTORS, {"use_dora": True}, "DoRA rescales"),
        (FACTORS, {"peft_type": "IA3"}, "expected 'LORA'"),
        ({**FACTORS, QUERY + ".lora_B.weight": np.full((8, 2), np.nan, np.float32)}, {}, "NaN"),
        ({**FACTORS, "base_model.model.lm_head.weight": np.ones((4, 8), np.float32)},
         {"modules_to_save": ["lm_head"]}, "unties the output head"),
    ],
)  # fmt: skip
def test_what_cannot_be_put_on_the_base_is_refused(
    base, adapter, factors, settings, words
) -> None:
    with pytest.raises(CheckpointError, match=f"rlvr checkpoint .*{words}"):
        resolve("rlvr", str(adapter(factors, **settings)), onto=base)


def test_missing_factors_are_refused(base, adapter) -> None:
    folder = adapter()
    (folder / "adapter_model.safetensors").rename(folder / "adapter_model.bin")
    with pytest.raises(CheckpointError, match="a pickle"):
        resolve("rlvr", str(folder), onto=base)


def test_whole_weights_beside_an_adapter_are_ambiguous(base, adapter, make_checkpoint) -> None:
    whole = make_checkpoint("both")
    for file in adapter().iterdir():
        (whole / file.name).write_bytes(file.read_bytes())
    with pytest.raises(CheckpointError, match="some engines add it"):
        resolve("rlvr", str(whole), onto=base)


def test_a_tokenizer_beside_it_must_be_the_bases(base, adapter) -> None:
    folder = adapter()
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).write_bytes((base.path / name).read_bytes())
    resolve("rlvr", str(folder), onto=base)
    (folder / "chat_template.jinja").write_text("{{ y }}")
    with pytest.raises(CheckpointError, match=r"beside the adapter differs .*\(chat template\)"):
        resolve("rlvr", str(folder), onto=base)
    (folder / "chat_template.jinja").unlink()
    rules = json.loads((folder / "tokenizer.json").read_text())
    rules["model"]["vocab"]["c"] = 2
    (folder / "tokenizer.json").write_text(json.dumps(rules))
    with pytest.raises(CheckpointError, match=r"\(model.vocab\)"):
        resolve("rlvr", str(folder), onto=base)
