"""What two checkpoints must share, and what is told of where they differ."""

from __future__ import annotations

import json

import pytest
from tests.conftest import SHAPES, edit, safetensors

from rlvr_gate_fixtures.inputs.checkpoints import CheckpointError, resolve
from rlvr_gate_fixtures.inputs.pairs import check_pair


def notes(make_checkpoint, base: dict, other: dict) -> tuple[str, ...]:
    folders = make_checkpoint("base", **base), make_checkpoint("other", **other)
    return check_pair(resolve("base", str(folders[0])), resolve("rlvr", str(folders[1])))


def test_formatting_and_defaults_do_not_make_another_tokenizer(make_checkpoint):
    base, other = make_checkpoint("base"), make_checkpoint("other")
    rules = json.loads((other / "tokenizer.json").read_text())
    rules["padding"] = {"strategy": "BatchLongest"}
    rules["model"]["ignore_merges"] = False
    (other / "tokenizer.json").write_text(json.dumps(rules, indent=2))
    check_pair(resolve("base", str(base)), resolve("rlvr", str(other)))


def test_another_tokenizer_is_refused_by_key(make_checkpoint):
    base, other = make_checkpoint("base"), make_checkpoint("other")
    rules = json.loads((other / "tokenizer.json").read_text())
    rules["model"]["vocab"]["c"] = 2
    edit(other / "tokenizer.json", **rules)
    with pytest.raises(CheckpointError, match=r"need one tokenizer, but model\.vocab differ"):
        check_pair(resolve("base", str(base)), resolve("rlvr", str(other)))


def test_another_architecture_is_refused_by_key(make_checkpoint):
    base = resolve("base", str(make_checkpoint("base")))
    other = make_checkpoint(
        "other", architectures=["MistralForCausalLM"], model_type="mistral", num_attention_heads=4,
        num_key_value_heads=4,
    )  # fmt: skip
    with pytest.raises(CheckpointError) as caught:
        check_pair(base, resolve("rlvr", str(other)))
    assert "architectures is 'LlamaForCausalLM' in base and 'MistralForCausalLM'" in str(
        caught.value
    )
    assert "num_attention_heads is 2 in base and 4 in rlvr" in str(caught.value)


def test_defaults_left_unsaid_are_no_difference(make_checkpoint):
    base = make_checkpoint("base")
    other = make_checkpoint("other", num_key_value_heads=2, head_dim=4, rope_theta=1e6)
    check_pair(resolve("base", str(base)), resolve("rlvr", str(other)))


def test_a_vocabulary_that_lacks_a_token_is_refused(make_checkpoint):
    base = resolve("base", str(make_checkpoint("base")))
    other = make_checkpoint("other", vocab_size=1)
    (other / "model.safetensors").write_bytes(
        safetensors(SHAPES | {"model.embed_tokens.weight": (1, 8)})
    )
    with pytest.raises(
        CheckpointError, match=r"vocab_size is 4 in base and 1 in rlvr.*up to id 1"
    ):
        check_pair(base, resolve("rlvr", str(other)))


@pytest.mark.parametrize(
    ("base", "other", "said"),
    [
        ({"rope_theta": 1e4}, {"rope_theta": 1e6}, "rope_theta is 1000000.0, base's is 10000.0"),
        (
            {"rope_theta": 1e4, "rope_scaling": {"type": "yarn", "factor": 4.0}},
            {"rope_theta": 1e4},
            "rope scaling is none, base's is {'rope_type': 'yarn', 'factor': 4.0}",
        ),
        (
            {"rope_theta": 1e4},
            {"rope_parameters": {"rope_theta": 5e5, "rope_type": "default"}},
            "rope_theta is 500000.0, base's is 10000.0",
        ),
        ({"rms_norm_eps": 1e-5}, {"rms_norm_eps": 1e-6}, "rms_norm_eps is 1e-06, base's is 1e-05"),
        (
            {"use_sliding_window": True, "sliding_window": 4096},
            {"use_sliding_window": False, "sliding_window": 4096},
            "use_sliding_window is False, base's is True",
        ),
        (
            {"text_config": {"hidden_act": "silu"}},
            {"text_config": {"hidden_act": "gelu"}},
            "hidden_act is gelu, base's is silu",
        ),
    ],
)
def test_a_configuration_that_computes_otherwise_is_told(make_checkpoint, base, other, said):
    assert notes(make_checkpoint, base, other) == (
        f"computes otherwise, whatever its weights: {said} (config.json)",
    )


@pytest.mark.parametrize(
    ("base", "other"),
    [
        ({"rope_theta": 1e4}, {}),
        ({"rope_theta": 10000}, {"rope_parameters": {"rope_theta": 1e4, "rope_type": "default"}}),
        (
            {"rope_theta": 1e4, "rope_scaling": {"type": "linear", "factor": 2.0}},
            {"rope_parameters": {"rope_theta": 1e4, "rope_type": "linear", "factor": 2.0}},
        ),
        ({"rope_scaling": None}, {}),
        ({"use_sliding_window": False, "sliding_window": 4096}, {"use_sliding_window": False}),
        (
            {"rope_theta": 1e6, "rope_local_base_freq": 1e4},
            {"rope_parameters": {"full_attention": {"rope_theta": 1e6, "rope_type": "default"}}},
        ),
        ({"rope_scaling": "yarn"}, {"rope_scaling": "yarn"}),
    ],
)
def test_another_spelling_of_the_same_is_not(make_checkpoint, base, other):
    assert notes(make_checkpoint, base, other) == ()
