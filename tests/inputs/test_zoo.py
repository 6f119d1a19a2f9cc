"""The zoo: what becomes of each checkpoint when it is to be sampled, and when it is weighed."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

import numpy as np
import pytest

from rlvr_gate.claims.updates import UpdateView
from rlvr_gate.judging.ledger import Ledger
from rlvr_gate.weights.compare import compare
from rlvr_gate_fixtures.inputs.checkpoints import CheckpointError, resolve
from rlvr_gate_fixtures.inputs.pairs import check_pair

from . import zoo
from .zoo import DOWN, HEAD, NORM, QUERY

ZEROS = np.zeros(8, np.uint16)
FP8 = np.zeros((8, 12), np.int8)
BIAS = "model.layers.0.self_attn.q_proj.bias"
PREFIXES = {
    "_orig_mod.": "torch.compile's", "module.": "data parallelism's",
    "_fsdp_wrapped_module.": "FSDP's", "base_model.model.": "PEFT's",
    "policy.": "the trainer's", "actor_module.": "the trainer's",
    "pretrained_model.": "TRL's value head's",
}  # fmt: skip
HOLDS, LIKE_TWIN, NO_UPDATE = "holds", "holds, with the counts of the whole twin", "refuted"


@dataclass(frozen=True)
class Case:
    """What was done to rlvr; a refusal's words, or `""`; a note's words; what W0 says."""

    change: zoo.Change
    refused: str = ""
    note: str = ""
    weights: str = LIKE_TWIN
    """`HOLDS`, `LIKE_TWIN`, or the words of a refusal or of *not comparable*."""


ONE = "config.json asks for 21 tensors: 1 "
CASES = {
    "whole": Case(lambda animal: None),
    **{
        f"prefix {prefix}": Case(
            zoo.prefixed(prefix), f"21 missing .*21 unexpected .*the prefix '{prefix}' is {whose}"
        )
        for prefix, whose in PREFIXES.items()
    },
    "prefix within": Case(
        zoo.rename("layers.0.", "layers.0._orig_mod."), "9 missing .*the prefix '_orig_mod.'"
    ),
    "two prefixes": Case(zoo.prefixed("module._orig_mod."), "21 missing .*21 unexpected"),
    "prefix lost": Case(zoo.rename("model.", ""), "names lack the prefix 'model.'"),
    "value head": Case(
        zoo.put("v_head.summary.weight", ZEROS), f"{ONE}unexpected .v_head.*a value head"
    ),
    "policy and value head": Case(
        zoo.all_of(zoo.prefixed("pretrained_model."), zoo.put("v_head.weight", ZEROS)),
        "21 missing .*22 unexpected .*a value head",
    ),
    "missing": Case(
        zoo.drop(DOWN), f"{ONE}missing .{DOWN}.*random numbers", weights="no partner"
    ),
    "missing norm": Case(zoo.drop(NORM), f"{ONE}missing .{NORM}", weights="1 tensors of base"),
    "missing head": Case(zoo.drop(HEAD), f"{ONE}missing .{HEAD}", weights="anything"),
    "missing layer": Case(
        lambda a: [a.tensors.pop(n) for n in list(a.tensors) if ".layers.1." in n],
        "9 missing", weights="no partner",
    ),
    "extra bias": Case(
        zoo.put(BIAS, ZEROS), f"{ONE}unexpected .{BIAS}", weights=f"1 of rlvr have no .*{BIAS}"
    ),
    "bias configured and absent": Case(zoo.configured(attention_bias=True), "8 missing"),
    "fewer layers": Case(zoo.configured(num_hidden_layers=1), "9 unexpected"),
    "a billion layers": Case(
        zoo.configured(num_hidden_layers=10**9), "asks for 1000000000 layers, .* hold 21 tensors"
    ),
    "no width": Case(zoo.configured(hidden_size="8"), "needs hidden_size as a whole number"),
    "wrong shape": Case(
        zoo.configured(intermediate_size=16), r"6 differ .*has \[12, 8\], expected \[16, 8\]"
    ),
    "transposed": Case(zoo.transposed, "it lies transposed", weights="has shape"),
    "fused": Case(zoo.fused, "projections were saved fused"),
    "unmerged": Case(
        zoo.unmerged, "LoRA that was never merged", weights="LoRA that was never merged"
    ),
    "NaN": Case(zoo.not_finite(0x7FC0), f"{DOWN} holds NaN", weights=f"{DOWN} holds NaN"),
    "infinite": Case(zoo.not_finite(0xFF80), f"{DOWN} holds NaN", weights=f"{DOWN} holds NaN"),
    "NaN in half": Case(
        zoo.put(NORM, np.full(8, np.nan, np.float16)), f"{NORM} holds NaN", weights="holds NaN"
    ),
    "NaN in single": Case(
        zoo.put(NORM, np.full(8, np.inf, np.float32)), f"{NORM} holds NaN", weights="holds NaN"
    ),
    "ZeRO-3": Case(
        zoo.put(QUERY, ZEROS[:0]), rf"{QUERY}' has shape \[0\].*gather", weights="ZeRO-3"
    ),
    "fp8": Case(zoo.put(DOWN, FP8), f"quantized.*{DOWN} is F8_E4M3", weights="quantized"),
    "fp8 as configured": Case(
        zoo.configured(quantization_config={"quant_method": "fp8"}), "config.json says fp8"
    ),
    "int4": Case(
        zoo.put("model.layers.0.mlp.up_proj.qweight", np.zeros((2, 2), np.int32)),
        "quantized weights .*qweight is I32", weights="1 of rlvr have no partner",
    ),
    "int4 as configured elsewhere": Case(
        zoo.configured(text_config={"quantization_config": {"quant_method": "awq"}}),
        "config.json says awq",
    ),
    "compressed as configured": Case(
        zoo.configured(compression_config={"quant_method": "compressed-tensors"}),
        "config.json says compressed-tensors",
    ),
    "fp8 bias": Case(
        zoo.all_of(zoo.qwen2, zoo.put(BIAS, np.zeros(8, np.int8))),
        f"quantized.*{BIAS} is F8_E4M3", weights="6 of rlvr have no partner",
    ),
    "whole numbers as bias": Case(
        zoo.all_of(zoo.qwen2, zoo.put(BIAS, np.zeros(8, np.int32))), f"quantized.*{BIAS} is I32",
        weights="anything",
    ),
    "a part of a matrix, flat": Case(
        zoo.flattened, rf"1 differ .*{QUERY} has \[32\], expected \[8, 8\]", weights="has shape"
    ),
    "any prefix of all names": Case(
        zoo.prefixed("trainer.student."), "every name carries the prefix 'trainer.student.'",
        weights="no partner",
    ),
    "an expert's matrix lost": Case(
        zoo.experts, r"has 3 experts, .* 1 missing \(.*experts.1.w3.weight\)", weights="anything"
    ),
    "configuration with a key twice": Case(
        zoo.twice("config.json", "num_hidden_layers", 1), "config.json is not JSON.*comes twice"
    ),
    "index with a key twice": Case(
        zoo.all_of(zoo.sharded, zoo.twice("model.safetensors.index.json", "weight_map", {})),
        "index.json is not JSON.*comes twice", weights="comes twice",
    ),
    "UTF-16 configuration": Case(
        zoo.beside("config.json", json.dumps(dict(zoo.CONFIG)).encode("utf-16")),
        "config.json is not JSON: UnicodeDecodeError",
    ),
    "deep configuration": Case(
        zoo.beside("config.json", b'{"a": ' + b"[" * 10**5), "config.json is not JSON: Recursion"
    ),
    "truncated": Case(zoo.cut, "truncated", weights="truncated"),
    "tied, another head stored": Case(
        zoo.configured(tie_word_embeddings=True), "says tie_word_embeddings, but lm_head.weight"
    ),
    "tied, the head stored one bit off": Case(
        zoo.head_one_bit_off, "says tie_word_embeddings, but lm_head.weight", weights=HOLDS,
    ),
    "tied": Case(zoo.tied, note="an output head .* embedding", weights=HOLDS),
    "head stored twice": Case(zoo.stored_twice, note="stored although it is tied", weights=HOLDS),
    "shards": Case(zoo.sharded),
    "stale file beside shards": Case(
        zoo.all_of(zoo.sharded, zoo.stale_single),
        "two sets of weights, .* and model.safetensors", weights="two sets",
    ),
    "stale shard": Case(
        zoo.all_of(zoo.sharded, zoo.stale_shard), "and model-00003-of-00003", weights="two sets"
    ),
    "stale shard beside a file": Case(
        zoo.beside("model-00001-of-00002.safetensors"), "two sets", weights="two sets"
    ),
    "adapter beside": Case(
        zoo.beside("adapter_config.json", b"{}"), "and an adapter", weights="and an adapter"
    ),
    "pickle beside": Case(zoo.beside("pytorch_model.bin"), note="not read: pytorch_model.bin"),
    "training arguments beside": Case(zoo.beside("training_args.bin")),
    "another format beside": Case(
        zoo.all_of(zoo.sharded, zoo.beside("consolidated.safetensors")),
        note="not read: consolidated",
    ),
    "shards without index": Case(
        zoo.all_of(zoo.sharded, zoo.no_index),
        "00001-of-00002.safetensors without an index", weights="without an index",
    ),
    "absent shard": Case(
        zoo.all_of(zoo.sharded, zoo.absent_shard), "00002.* is missing", weights="is missing"
    ),
    "lying index": Case(zoo.all_of(zoo.sharded, zoo.lying_index), "it does not",
                        weights="it does not"),
    "index of another save": Case(
        zoo.all_of(zoo.sharded, zoo.index_of_another_save), "does not list",
        weights="does not list",
    ),
    "index lists a tied head": Case(
        zoo.all_of(zoo.tied, zoo.sharded, zoo.listed_head), note="lists lm_head.weight, which no",
        weights=HOLDS,
    ),
    "index lists an untied head": Case(
        zoo.all_of(zoo.drop(HEAD), zoo.sharded, zoo.listed_head), f"1 missing .{HEAD}",
        weights=HOLDS,
    ),
    "padded": Case(zoo.padded(8), note="vocab_size is 24, base's is 16: padded"),
    "added token": Case(zoo.added_token, note="1 tokens more, e.g. '<unused>'"),
    "added token with a word's id": Case(zoo.renamed_token, "need one tokenizer, but added_tok"),
    "computed buffers": Case(
        zoo.put("model.layers.0.self_attn.rotary_emb.inv_freq", np.zeros(2, np.float32)),
        note="are computed, not read",
    ),
    "reward model": Case(
        zoo.configured(architectures=["LlamaForSequenceClassification"]),
        "unsupported architecture LlamaForSequenceClassification .*expected LlamaForCausalLM",
    ),
    "control characters": Case(
        zoo.put("\x1b[2J", ZEROS), "unexpected .␛", weights="1 of rlvr have no partner"
    ),
}  # fmt: skip


@pytest.fixture
def base(tmp_path):
    return zoo.llama().write(tmp_path / "base")


@pytest.fixture
def rlvr(tmp_path):
    """Write a trained checkpoint to which something has happened."""

    def make(change, name="rlvr"):
        animal = zoo.llama(trained=True)
        change(animal)
        return animal.write(tmp_path / name)

    return make


@pytest.mark.parametrize("name", CASES)
def test_what_cannot_be_sampled_whole_is_refused_and_oddities_are_noted(base, rlvr, name):
    case = CASES[name]
    folder, first = rlvr(case.change), resolve("base", str(base))
    if case.refused:
        with pytest.raises(CheckpointError, match=case.refused):
            check_pair(first, resolve("rlvr", str(folder)))
        return
    found = resolve("rlvr", str(folder))
    notes = [*found.notes, *check_pair(first, found)]
    assert bool(case.note) == bool(notes)
    assert re.search(case.note, "; ".join(notes))


def said(base, folder):
    """W0's words: its verdict, or why there is none."""
    try:
        resolve("rlvr", str(folder), weights_only=True)
        update = compare(base, folder)
    except ValueError as error:
        return str(error), None
    source = type("Source", (), {"update": lambda *_: update})()
    judged = UpdateView("rlvr", "base", source, Ledger()).changed() > 0
    return f"{judged.verdict.value} {' '.join(judged.evidence.incomparable)}", update


@pytest.mark.parametrize("name", CASES)
def test_weights_are_matched_or_not_compared_for_the_true_reason(base, rlvr, name):
    case = CASES[name]
    words, update = said(base, rlvr(case.change))
    if case.weights in (HOLDS, LIKE_TWIN):
        assert words.startswith("holds")
    elif case.weights != "anything":
        assert not words.startswith(("holds", "refuted"))
        assert re.search(case.weights, words)
    if case.weights == LIKE_TWIN:
        _, twin = said(base, rlvr(lambda animal: None, "twin"))
        assert (update.parameters, update.unchanged) == (twin.parameters, twin.unchanged)
