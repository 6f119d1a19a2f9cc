"""What is said to be needed is what transformers builds; other kinds are asked of its loader."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from rlvr_gate_fixtures.backends.children import loading as loading_child
from rlvr_gate_fixtures.backends.children.jobs import Refused
from rlvr_gate_fixtures.inputs import loading
from rlvr_gate_fixtures.inputs.architectures import ARCHITECTURES, needed
from rlvr_gate_fixtures.inputs.checkpoints import CheckpointError, resolve

from . import zoo

SMALL = {
    "vocab_size": 40, "hidden_size": 24, "intermediate_size": 20, "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 2, "pad_token_id": 0,
}  # fmt: skip
UNSAID = ("head_dim", "tie_word_embeddings", "attention_bias", "mlp_bias", "num_key_value_heads")


@pytest.mark.parametrize("kind", ARCHITECTURES)
@pytest.mark.parametrize("more", [
    {}, {"head_dim": 10, "tie_word_embeddings": True}, {"attention_bias": True, "mlp_bias": True},
    {"num_key_value_heads": 4, "tie_word_embeddings": False},
], ids=str)  # fmt: skip
def test_the_table_says_what_transformers_builds(kind, more):
    transformers = pytest.importorskip("transformers")
    torch = pytest.importorskip("torch")
    config = transformers.AutoConfig.for_model(kind, **SMALL | more)
    with torch.device("meta"):
        model = transformers.AutoModelForCausalLM.from_config(config)
    head = {"lm_head.weight"} if config.tie_word_embeddings else set()
    built = {n: tuple(t.shape) for n, t in model.state_dict().items() if n not in head}
    assert type(model).__name__ == ARCHITECTURES[kind].name
    written = {k: v for k, v in config.to_dict().items() if k not in UNSAID}
    assert needed(ARCHITECTURES[kind], written | SMALL | more) == built
    assert needed(ARCHITECTURES[kind], config.to_dict()) == built


# Kinds that the table does not hold


@pytest.fixture
def gpt2(tmp_path):
    """A whole GPT-2, small, with the zoo's tokenizer."""
    transformers = pytest.importorskip("transformers")
    config = transformers.GPT2Config(
        vocab_size=16, n_embd=8, n_layer=2, n_head=2, bos_token_id=0, eos_token_id=2
    )
    transformers.GPT2LMHeadModel(config).save_pretrained(tmp_path / "gpt2")
    (tmp_path / "gpt2" / "tokenizer.json").write_text(json.dumps(zoo.TOKENIZER))
    return tmp_path / "gpt2"


@pytest.fixture
def asked_here(monkeypatch):
    """Ask the loader in this process, which has imported it already."""
    from transformers.integrations import accelerate

    monkeypatch.setattr(accelerate, "is_accelerate_available", None)  # so that it is put back

    def ask(folder):
        try:
            return loading_child.main(str(folder))
        except Refused as error:
            return {"refused": str(error)}

    monkeypatch.setattr(loading, "_ask", ask)


def configure(folder, **entries):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))


def test_another_kind_is_loaded_once_without_its_weights(gpt2, tmp_path, monkeypatch):
    resolve("base", str(gpt2), cache=tmp_path / "cache")
    monkeypatch.setattr(loading, "_ask", lambda folder: pytest.fail("asked again"))
    resolve("base", str(gpt2), cache=tmp_path / "cache")


def test_another_kind_that_is_not_whole_is_refused(gpt2, asked_here):
    from safetensors.numpy import load_file, save_file

    tensors = load_file(gpt2 / "model.safetensors")
    bias = tensors.pop("transformer.h.1.mlp.c_fc.bias")
    tensors["transformer.h.1.mlp.other"] = bias
    save_file(tensors, gpt2 / "model.safetensors", {"format": "pt"})
    with pytest.raises(
        CheckpointError, match=r"1 missing \(.*c_fc.bias\), 1 unexpected \(.*other"
    ):
        resolve("base", str(gpt2))


def test_another_kind_of_other_widths_is_refused(gpt2, asked_here):
    configure(gpt2, n_embd=16)
    with pytest.raises(CheckpointError, match=r"mismatched \(transformer"):
        resolve("base", str(gpt2))


@pytest.mark.parametrize("times", [1, 2])
def test_another_kind_with_a_tied_flag_and_another_head_is_refused(gpt2, asked_here, times):
    from safetensors.numpy import load_file, save_file

    tensors = load_file(gpt2 / "model.safetensors")
    tensors["lm_head.weight"] = times * tensors["transformer.wte.weight"]
    save_file(tensors, gpt2 / "model.safetensors", {"format": "pt"})
    config = json.loads((gpt2 / "config.json").read_text())
    config.pop("tie_word_embeddings", None)  # its kind is tied where nothing is said
    (gpt2 / "config.json").write_text(json.dumps(config))
    if times == 1:
        resolve("base", str(gpt2))
        return
    with pytest.raises(
        CheckpointError, match=r"lm_head\.weight is another tensor than transformer\.wte\.weight"
    ):
        resolve("base", str(gpt2))


@pytest.mark.parametrize("key", ["n_layer", "n_layers", "num_layers", "decoder_layers"])
def test_a_billion_layers_by_any_name_are_refused_at_once(gpt2, key):
    configure(gpt2, **{key: 10**9})
    with pytest.raises(CheckpointError, match=r"asks for 1000000000 layers"):
        resolve("base", str(gpt2))


SWELL = """
import json, sys
from rlvr_gate_fixtures.backends.children import loading
from rlvr_gate_fixtures.backends.children.memory import bounded
with bounded(2**27, lambda: print(json.dumps({"refused": loading._SWOLLEN}), flush=True)):
    layers = []
    while True:
        layers.append(bytes(2**20))
"""


def test_a_configuration_that_swells_the_loader_is_told():
    ended = subprocess.run([sys.executable, "-c", SWELL], capture_output=True, timeout=60)
    assert ended.returncode == 1
    assert "takes more than 4 GiB to build without weights" in json.loads(ended.stdout)["refused"]


def test_an_unsupported_architecture_is_named(gpt2, asked_here):
    configure(gpt2, model_type="nonesuch", architectures=["NonesuchForCausalLM"])
    with pytest.raises(CheckpointError, match=r"unsupported architecture NonesuchForCausalLM"):
        resolve("base", str(gpt2))
    configure(gpt2, model_type="gpt2", architectures=["GPT2ForSequenceClassification"])
    with pytest.raises(CheckpointError, match=r"unsupported architecture GPT2ForSequenceCl.*Head"):
        resolve("base", str(gpt2))


def test_another_kind_needs_transformers(gpt2, monkeypatch):
    monkeypatch.setattr(loading, "loader_version", lambda: "")
    with pytest.raises(CheckpointError, match=r"GPT2LMHeadModel .*not known here.*pip install"):
        resolve("base", str(gpt2))
