"""How long a context an engine takes, read from a checkpoint's files as vLLM reads them."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rlvr_gate_fixtures.backends import BackendError
from rlvr_gate_fixtures.backends.vllm.context import Context, asked_context

OLD, NEW = (0, 17), (0, 32)
K = 1024
LONG = {"max_position_embeddings": 128 * K}
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32 * K}
LLAMA3 = {
    "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 8 * K,
}  # fmt: skip
FACTORS = {"short_factor": [1.0] * 8, "long_factor": [2.0] * 8}
PHI = {**LONG, "original_max_position_embeddings": 4 * K}
GEMMA = {"model_type": "gemma3_text", "head_dim": 16}
LAYERS = {
    "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1e6},
    "sliding_attention": {"rope_type": "default", "rope_theta": 1e4},
}

CONFIGS: list[tuple[dict[str, Any], int | None, int, int]] = [
    # config, tokens of the tokenizer, what vLLM 0.32 takes, what 0.17 took
    ({"max_position_embeddings": 32 * K}, None, 32 * K, 32 * K),
    ({"max_position_embeddings": 32 * K, "rope_scaling": None}, None, 32 * K, 32 * K),
    ({"max_position_embeddings": 32 * K, "rope_scaling": {"type": "linear", "factor": 4.0}},
     None, 128 * K, 128 * K),
    ({"max_position_embeddings": 32 * K, "rope_scaling": {"rope_type": "dynamic", "factor": 2}},
     None, 64 * K, 64 * K),
    ({"max_position_embeddings": 32 * K, "rope_scaling": YARN}, None, 32 * K, 128 * K),
    ({**LONG, "rope_scaling": YARN}, None, 128 * K, 128 * K),
    ({**LONG, "rope_parameters": {**YARN, "rope_theta": 1e6}}, None, 128 * K, 128 * K),
    ({**LONG, "rope_scaling": LLAMA3}, None, 128 * K, 128 * K),
    ({**LONG, "rope_parameters": {**LLAMA3, "rope_theta": 5e5}}, None, 128 * K, 128 * K),
    ({**LONG, "rope_parameters": {"rope_type": "default", "rope_theta": 1e6}},
     None, 128 * K, 128 * K),
    ({**LONG, "rope_parameters": {"rope_type": "linear", "factor": 2.5, "rope_theta": 1e6}},
     None, 320 * K, 320 * K),
    ({**PHI, "rope_scaling": {"type": "longrope", **FACTORS}}, None, 128 * K, 128 * K),
    ({**PHI, "rope_scaling": {"type": "su", **FACTORS}}, None, 128 * K, 128 * K),
    ({"max_position_embeddings": 32 * K, "rope_scaling": {
        "type": "mrope", "mrope_section": [2, 3, 3]}}, None, 32 * K, 32 * K),
    ({"max_position_embeddings": 32 * K, "model_max_length": 5000,
      "rope_scaling": {"type": "linear", "factor": 4.0}}, None, 20_000, 20_000),
    ({"max_position_embeddings": 32 * K, "max_seq_len": 1000,
      "rope_scaling": {"type": "linear", "factor": 4.0}}, None, 4000, 4000),
    ({"max_position_embeddings": 32 * K, "rope_scaling": {"type": "linear", "factor": 4.0}},
     20_000, 80_000, 80_000),
    ({"max_position_embeddings": 32 * K, "model_max_length": 32 * K}, 20_000, 32 * K, 32 * K),
    ({**GEMMA, "max_position_embeddings": 32 * K,
      "rope_scaling": {"rope_type": "linear", "factor": 8.0}}, None, 32 * K, 32 * K),
    ({**GEMMA, "max_position_embeddings": 32 * K, "rope_parameters": LAYERS},
     None, 32 * K, 32 * K),
]  # fmt: skip


def written(folder: Path, config: dict[str, Any], tokenizer: int | None) -> Path:
    usual = {
        "model_type": "qwen2", "architectures": ["Qwen2ForCausalLM"], "vocab_size": 64,
        "hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2,
    }  # fmt: skip
    theta = {} if "rope_parameters" in config else {"rope_theta": 1e6}
    (folder / "config.json").write_text(json.dumps({**usual, **theta, **config}))
    length = {} if tokenizer is None else {"model_max_length": tokenizer}
    (folder / "tokenizer_config.json").write_text(json.dumps(length))
    return folder


@pytest.mark.parametrize(("config", "tokenizer", "new", "old"), CONFIGS)
def test_a_context_is_as_long_as_the_release_takes(
    tmp_path: Path, config: dict[str, Any], tokenizer: int | None, new: int, old: int
) -> None:
    folder = written(tmp_path, config, tokenizer)
    assert Context.of(folder, NEW).most == new
    assert Context.of(folder, OLD).most == old


@pytest.mark.skipif(not find_spec("vllm"), reason="needs vLLM: make test-vllm")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("config", "tokenizer", "new", "old"), CONFIGS)
def test_vllm_itself_takes_so_long_a_one_and_no_longer(
    tmp_path: Path, config: dict[str, Any], tokenizer: int | None, new: int, old: int
) -> None:
    from vllm import __version__
    from vllm.config.model import _get_and_verify_max_len
    from vllm.transformers_utils.config import get_config
    from vllm.transformers_utils.model_arch_config_convertor import ModelArchConfigConvertorBase

    folder = written(tmp_path, config, tokenizer)
    read = get_config(str(folder), trust_remote_code=False)
    known = ModelArchConfigConvertorBase(read, read.get_text_config())
    told = SimpleNamespace(derived_max_model_len_and_key=known.derive_max_model_len_and_key())
    length = None if tokenizer is None else {"model_max_length": tokenizer}
    most = Context.of(folder, tuple(map(int, __version__.split(".")[:2]))).most
    assert _get_and_verify_max_len(read, told, length, most, False, None) == most
    with pytest.raises(ValueError, match="is greater than the derived max_model_len"):
        _get_and_verify_max_len(read, told, length, most + 1, False, None)


@pytest.mark.parametrize("kind", ["longrope", "su"])
def test_longrope_has_other_numbers_in_a_longer_context_and_that_is_said(
    tmp_path: Path, kind: str
) -> None:
    folder = written(tmp_path, {**PHI, "rope_scaling": {"type": kind, **FACTORS}}, None)
    assert asked_context(folder, 4 * K, NEW) == 0  # left to vLLM, which takes the original
    with pytest.raises(BackendError, match=r"more than 4,096 tokens short samples .*=4097 or mor"):
        asked_context(folder, 4 * K + 1, NEW)
    inside = written(tmp_path, {**LONG, "rope_parameters": {
        "rope_type": kind, "rope_theta": 1e6, "original_max_position_embeddings": 8 * K,
        **FACTORS}}, None)  # fmt: skip
    assert Context.of(inside, NEW).plain == 8 * K


@pytest.mark.parametrize("factor", [None, "4", 0, -2, 1e30, float("nan")])
def test_a_factor_that_is_none_stretches_nothing(tmp_path: Path, factor: object) -> None:
    config = {"max_position_embeddings": 4096, "rope_scaling": {"type": "linear"}}
    config["rope_scaling"]["factor"] = factor  # type: ignore[index]
    assert Context.of(written(tmp_path, config, None), NEW).most == 4096


def test_what_is_stretched_is_asked_for_up_to_its_end(tmp_path: Path) -> None:
    config = {"max_position_embeddings": 4096, "rope_scaling": {"type": "linear", "factor": 3}}
    folder = written(tmp_path, config, None)
    asked = [asked_context(folder, tokens, NEW) for tokens in (900, 4097, 9000, 20_000)]
    assert asked == [2048, 8192, 12_288, 12_288]
