"""A LoRA adapter as the trained checkpoint: the same numbers as merging it by hand."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from rlvr_gate.weights.compare import WeightsError, compare, pairing
from rlvr_gate.weights.layout import LayoutError
from rlvr_gate.weights.shapes import ShapeSettings, measure_shapes

AT = "model.layers.0.self_attn"
CONFIG = {"peft_type": "LORA", "r": 4, "lora_alpha": 8, "base_model_name_or_path": "org/base"}


@pytest.fixture
def weights(bf16):
    rng = np.random.default_rng(0)
    draw = lambda *shape: bf16(rng.standard_normal(shape) * 0.02)  # noqa: E731  # a shorthand
    return {
        "model.embed_tokens.weight": draw(30, 24),
        f"{AT}.q_proj.weight": draw(40, 24),
        f"{AT}.v_proj.weight": draw(16, 24),
        "model.norm.weight": draw(24),
    }


@pytest.fixture
def factors():
    rng = np.random.default_rng(1)
    return {
        f"base_model.model.{AT}.q_proj.lora_A.weight": rng.normal(0, 0.1, (4, 24)).astype("f4"),
        f"base_model.model.{AT}.q_proj.lora_B.weight": rng.normal(0, 0.1, (40, 4)).astype("f4"),
    }


def adapter(save, tensors, **settings):
    folder = save("adapter", tensors, "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text(json.dumps(CONFIG | settings))
    return folder


@pytest.mark.parametrize(
    ("settings", "scale"),
    [
        ({}, 2.0),
        ({"lora_alpha": 3}, 0.75),
        ({"use_rslora": True}, 8 / math.sqrt(4)),
        ({"alpha_pattern": {"q_proj": 16}}, 4.0),
        ({"alpha_pattern": {"k_proj": 16}}, 2.0),
    ],
)
def test_an_adapter_compares_like_the_merged_checkpoint(
    save, bf16, number, weights, factors, settings, scale
):
    base = save("base", weights)
    update = compare(base, adapter(save, factors, **settings))
    a, b = factors.values()
    merged = number(weights[f"{AT}.q_proj.weight"]).astype("f4") + np.float32(scale) * (b @ a)
    other = compare(base, save("merged", weights | {f"{AT}.q_proj.weight": bf16(merged)}))
    ours, theirs = ({t.name: t for t in u.tensors} for u in (update, other))
    assert ours.keys() == theirs.keys()
    for name, tensor in ours.items():
        # rounding of a float32 product may differ in order of summation
        assert abs(tensor.unchanged - theirs[name].unchanged) <= 1
        assert tensor.update_norm == pytest.approx(theirs[name].update_norm, rel=1e-3)
    assert 0 < update.unchanged_fraction < 1
    assert "LoRA adapter (trained on org/base): 1 matrices" in update.notes[0]


def test_the_update_of_an_adapter_has_the_rank_of_its_factors(save, weights, factors):
    base, folder = save("base", weights), adapter(save, factors)
    found = pairing(base, folder, role="rlvr", against="base")
    shapes = {m.name: m for m in measure_shapes(found.pairs, ShapeSettings()).matrices}
    matrix = shapes[f"{AT}.q_proj.weight"]
    a, b = (f.astype(float) for f in factors.values())
    values = np.linalg.svd(2 * b @ a, compute_uv=False)
    assert matrix.norm == pytest.approx(np.linalg.norm(values), rel=1e-4)
    assert matrix.stable_rank == pytest.approx((values**2).sum() / values[0] ** 2, rel=1e-3)
    assert matrix.effective_rank < 4.1  # float32 addition leaves a trace of the rest
    assert shapes[f"{AT}.v_proj.weight"].unchanged


def test_embeddings_and_saved_modules(save, bf16, number, weights):
    rng = np.random.default_rng(2)
    a, b = rng.normal(0, 0.1, (4, 30)).astype("f4"), rng.normal(0, 0.1, (24, 4)).astype("f4")
    norm = bf16(rng.standard_normal(24))
    tensors = {
        "base_model.model.model.embed_tokens.lora_embedding_A": a,
        "base_model.model.model.embed_tokens.lora_embedding_B": b,
        "base_model.model.model.norm.modules_to_save.default.weight": norm,
    }
    update = compare(save("base", weights), adapter(save, tensors))
    found = {t.name: t for t in update.tensors}
    delta = 2 * (b.astype(float) @ a).T
    embedding = found["model.embed_tokens.weight"]
    assert embedding.update_norm == pytest.approx(np.linalg.norm(delta), rel=1e-2)
    same = (number(norm) == number(weights["model.norm.weight"])).sum()
    assert found["model.norm.weight"].unchanged == same
    assert found[f"{AT}.q_proj.weight"].unchanged == 40 * 24


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"peft_type": "IA3"}, "adapter of kind 'IA3', expected 'LORA'"),
        ({"use_dora": True}, "with use_dora, and DoRA rescales whole columns"),
        ({"fan_in_fan_out": True}, "lie transposed"),
        ({"lora_bias": True}, "trains biases"),
        ({"layer_replication": [[0, 2]]}, "repeats layers"),
        ({"target_parameters": ["mlp.experts.down_proj"]}, "updates tensors inside modules"),
        ({"use_qalora": True}, "no plain product"),
        ({"init_lora_weights": "pissa_niter_4"}, "started from pissa_niter_4, which changes"),
    ],
)
def test_other_adapters_are_refused_with_the_remedy(save, weights, factors, settings, message):
    with pytest.raises(WeightsError, match=f"{message}.*merge_and_unload"):
        compare(save("base", weights), adapter(save, factors, **settings))


def test_an_adapter_of_another_base_is_refused(save, weights, factors):
    base = save("base", {n: t for n, t in weights.items() if "q_proj" not in n})
    with pytest.raises(WeightsError, match=r"another base: it updates .*q_proj.*org/base"):
        compare(base, adapter(save, factors))
    other = save("other", weights | {f"{AT}.q_proj.weight": weights[f"{AT}.q_proj.weight"][:8]})
    with pytest.raises(WeightsError, match=r"another base: .* matrix of \(40, 24\).*\(8, 24\)"):
        compare(other, adapter(save, factors))


def test_a_lone_factor_and_missing_weights_are_refused(save, weights, factors, tmp_path):
    base = save("base", weights)
    lone = dict(list(factors.items())[:1])
    with pytest.raises(WeightsError, match="needs a factor A and a factor B"):
        compare(base, adapter(save, lone))
    folder = tmp_path / "pickled"
    folder.mkdir()
    (folder / "adapter_config.json").write_text(json.dumps(CONFIG))
    (folder / "adapter_model.bin").write_bytes(b"")
    with pytest.raises(LayoutError, match=r"found only adapter_model\.bin, a pickle"):
        compare(base, folder)


def test_a_config_without_a_number_as_alpha_is_refused(save, weights, factors):
    with pytest.raises(LayoutError, match="needs a number as lora_alpha, got 'all'"):
        compare(save("base", weights), adapter(save, factors, lora_alpha="all"))


# What PEFT 0.21 writes beside plain factors; the merged twins are what its merge_and_unload gives

EMBED, HEAD = "model.embed_tokens", "lm_head"
RNG = np.random.default_rng(5)


def lora(module, rows, columns, *, embedding=False):
    """Names and factors of one module, and their product."""
    a, b = (
        RNG.normal(0, 0.1, (4, columns)).astype("f4"),
        RNG.normal(0, 0.1, (rows, 4)).astype("f4"),
    )
    at = f"base_model.model.{module}"
    if embedding:  # a lookup: the factors lie the other way round
        names = f"{at}.lora_embedding_B", f"{at}.lora_embedding_A"
        return dict(
            zip(names, (np.ascontiguousarray(a.T), np.ascontiguousarray(b.T)), strict=True)
        ), 2 * b @ a
    return {f"{at}.lora_A.weight": a, f"{at}.lora_B.weight": b}, 2 * (b @ a)


def plus(number, bf16, words, update):
    return bf16(number(words).astype("f4") + update.astype("f4"))


def check_twins(base, adapted, merged):
    """The adapter says what the merged checkpoint says."""
    ours, theirs = (
        {t.name: t for t in compare(base, folder).tensors} for folder in (adapted, merged)
    )
    assert ours.keys() == theirs.keys()
    for name, tensor in ours.items():
        assert abs(tensor.unchanged - theirs[name].unchanged) <= 1
        assert tensor.update_norm == pytest.approx(theirs[name].update_norm, rel=2e-2)
    assert any(t.unchanged < t.parameters for t in ours.values())


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("where", [EMBED, HEAD])
def test_factors_of_the_vocabulary_carry_their_base_layer(
    save, bf16, number, weights, tied, where
):
    full = weights if tied else weights | {f"{HEAD}.weight": bf16(RNG.normal(0, 0.02, (30, 24)))}
    target = f"{EMBED}.weight" if tied else f"{where}.weight"
    factors, update = lora(where, 30, 24, embedding=where == EMBED)
    tensors = factors | {f"base_model.model.{where}.base_layer.weight": full[target]}
    merged = full | {target: plus(number, bf16, full[target], update)}
    check_twins(save("base", full), adapter(save, tensors), save("merged", merged))


@pytest.mark.parametrize("asked", [[3, 29], {"embed_tokens": [3, 29]}], ids=["list", "by module"])
def test_tokens_trained_alone_replace_their_rows(save, bf16, weights, asked):
    rows = RNG.normal(0, 0.02, (2, 24)).astype("f4")
    at = f"base_model.model.{EMBED}.token_adapter.trainable_tokens_delta"
    whole = weights[f"{EMBED}.weight"].copy()
    whole[[3, 29]] = bf16(rows)
    merged = save("merged", weights | {f"{EMBED}.weight": whole})
    told = adapter(save, {at: rows}, trainable_token_indices=asked)
    check_twins(save("base", weights), told, merged)


@pytest.mark.parametrize("asked", [None, [3], [3, 30], {"other": [3, 4]}, [3, "4"]], ids=str)
def test_tokens_without_their_indices_are_refused(save, weights, asked):
    at = f"base_model.model.{EMBED}.token_adapter.trainable_tokens_delta"
    folder = adapter(save, {at: np.ones((2, 24), "f4")}, trainable_token_indices=asked)
    with pytest.raises(LayoutError, match="needs trainable_token_indices for the 2 rows"):
        compare(save("base", weights), folder)


@pytest.mark.parametrize("where", [EMBED, HEAD])
def test_a_tied_vocabulary_trained_whole_is_tied_no_more(save, bf16, weights, where):
    saved = bf16(RNG.normal(0, 0.02, (30, 24)))
    folder = adapter(
        save, {f"base_model.model.{where}.weight": saved},
        modules_to_save=[where.rpartition(".")[2]],
    )  # fmt: skip
    untied = weights | {f"{HEAD}.weight": weights[f"{EMBED}.weight"]} | {f"{where}.weight": saved}
    check_twins(save("base", weights), folder, save("merged", untied))


@pytest.mark.parametrize("both", [False, True])
def test_a_vocabulary_that_was_kept_tied_stays_so(save, bf16, weights, both):
    """PEFT 0.21 with ensure_weight_tying writes the one matrix under both names."""
    saved = bf16(RNG.normal(0, 0.02, (30, 24)))
    names = (EMBED, HEAD) if both else (EMBED,)
    folder = adapter(
        save, {f"base_model.model.{name}.weight": saved for name in names},
        modules_to_save=["embed_tokens", "lm_head"], ensure_weight_tying=True,
    )  # fmt: skip
    merged = save("merged", weights | {f"{EMBED}.weight": saved})
    check_twins(save("base", weights), folder, merged)


def test_a_tied_vocabulary_trained_in_two_ways_is_refused(save, bf16, weights):
    saved = {
        f"base_model.model.{name}.weight": bf16(RNG.normal(0, 0.02, (30, 24)))
        for name in (EMBED, HEAD)
    }
    folder = adapter(save, saved, modules_to_save=["embed_tokens"], ensure_weight_tying=True)
    with pytest.raises(WeightsError, match=r"updates model.embed_tokens.weight twice: merge"):
        compare(save("base", weights), folder)


def test_tokens_of_a_tied_head_and_embedding_trained_apart_are_refused(save, weights):
    tensors = {
        f"base_model.model.{name}.token_adapter.trainable_tokens_delta": np.ones((rows, 24), "f4")
        for name, rows in ((HEAD, 1), (EMBED, 2))
    }
    asked = {"embed_tokens": [3, 7], "lm_head": [1]}
    folder = adapter(save, tensors, trainable_token_indices=asked)
    with pytest.raises(WeightsError, match=r"updates model.embed_tokens.weight twice: merge"):
        compare(save("base", weights), folder)


def test_tied_factors_on_both_ends_are_refused(save, weights):
    both = lora(EMBED, 30, 24, embedding=True)[0] | lora(HEAD, 30, 24)[0]
    with pytest.raises(WeightsError, match=r"updates model.embed_tokens.weight twice: merge"):
        compare(save("base", weights), adapter(save, both))


def test_a_resized_vocabulary_is_named_as_the_reason(save, bf16, weights):
    factors, _ = lora(EMBED, 34, 24, embedding=True)
    base_layer = {f"base_model.model.{EMBED}.base_layer.weight": bf16(RNG.normal(0, 1, (34, 24)))}
    with pytest.raises(WeightsError, match=r"resized the vocabulary \(.* 34 rows, the base 30\)"):
        compare(save("base", weights), adapter(save, factors | base_layer))


def test_factors_that_were_not_gathered_are_named(save, weights, factors):
    empty = {name: factor[:0] for name, factor in factors.items()}
    with pytest.raises(LayoutError, match=r"lora_A.weight' has shape \[0, 24\].*gather"):
        compare(save("base", weights), adapter(save, empty))
