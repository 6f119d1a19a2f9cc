"""Tensors are matched or reported: renamed, fused, tied, resized, missing; never dropped."""

from __future__ import annotations

import json

import numpy as np
import pytest

from rlvr_gate.weights.compare import WeightsError, compare
from rlvr_gate.weights.layout import (
    LayoutError,
    read_header,
    read_json,
    tensor_slots,
    weight_files,
)
from rlvr_gate.weights.pairing import pair_tensors

RNG = np.random.default_rng(0)


def words(*shape):
    return RNG.integers(0x3C00, 0x3F80, shape, dtype=np.uint16)


def paired(save, base, other):
    return pair_tensors(tensor_slots(save("a", base)), tensor_slots(save("b", other)))


def layer(prefix="model.layers.0"):
    return {
        f"{prefix}.self_attn.q_proj.weight": words(8, 4),
        f"{prefix}.self_attn.k_proj.weight": words(4, 4),
        f"{prefix}.self_attn.v_proj.weight": words(4, 4),
        f"{prefix}.mlp.gate_proj.weight": words(6, 4),
        f"{prefix}.mlp.up_proj.weight": words(6, 4),
    }


@pytest.mark.parametrize(
    "rename",
    [
        lambda n: f"module.{n}",
        lambda n: f"_orig_mod.{n}",
        lambda n: n.removeprefix("model."),
        lambda n: f"model.language_model.{n.removeprefix('model.')}",
        lambda n: n.replace("layers.0.", "layers.0._fsdp_wrapped_module."),
    ],
)
def test_wrappers_in_names_do_not_matter_and_are_told(save, rename):
    base = layer()
    found = paired(save, base, {rename(name): tensor for name, tensor in base.items()})
    assert [p.name for p in found.pairs] == sorted(base)
    assert found.missing == found.extra == ()
    assert "calls 5 tensors otherwise" in found.notes[0]


@pytest.mark.parametrize("turned", [False, True])
def test_fused_tensors_are_compared_part_by_part(save, turned):
    split, at = layer(), "model.layers.0"
    q, k, v, gate, up = split.values()
    fused = {
        f"{at}.self_attn.qkv_proj.weight": np.concatenate([q, k, v]),
        f"{at}.mlp.gate_up_proj.weight": np.concatenate([gate, up]),
    }
    changed = fused | {f"{at}.mlp.gate_up_proj.weight": np.concatenate([gate, up ^ 1])}
    folders = (save("a", split), save("b", changed))
    update = compare(*(reversed(folders) if turned else folders))
    share = {t.name.split(".")[-2]: t.unchanged / t.parameters for t in update.tensors}
    assert share == {"q_proj": 1, "k_proj": 1, "v_proj": 1, "gate_proj": 1, "up_proj": 0}
    assert "2 fused tensors, compared part by part" in update.notes[0]


def test_a_head_saved_beside_its_embedding_counts_once(save):
    embedding, other = words(5, 4), words(5, 4)
    tied = {"model.embed_tokens.weight": embedding}
    copied = tied | {"lm_head.weight": embedding}
    untied = tied | {"lm_head.weight": other}
    for one, two in ((tied, copied), (copied, tied), (copied, copied)):
        found = paired(save, one, two)
        assert [p.name for p in found.pairs] == ["model.embed_tokens.weight"]
        assert "counted once" in found.notes[0]
        assert found.missing == found.extra == ()
    for one, two in ((tied, untied), (untied, tied)):
        found = paired(save, one, two)
        assert [p.name for p in found.pairs] == ["lm_head.weight", "model.embed_tokens.weight"]
        assert "lm_head.weight is in" in found.notes[0]
    # an untied head that differs: base's embedding is what its head was
    update = compare(save("a", tied), save("b", untied))
    assert update.tensors[0].unchanged == (embedding == other).sum()


def test_a_resized_vocabulary_is_compared_in_the_rows_both_have(save):
    rows = words(6, 4)
    base = {"model.embed_tokens.weight": rows, "model.norm.weight": words(4)}
    grown = base | {"model.embed_tokens.weight": np.concatenate([rows, words(2, 4)])}
    found = paired(save, base, grown)
    assert [p.base.shape for p in found.pairs] == [(6, 4), (4,)]
    assert found.unmatched_parameters == 0
    assert "6 rows in base and 8 in rlvr: the first 6" in found.notes[0]
    shrunk = paired(save, grown, base)
    assert shrunk.unmatched_parameters == 8
    assert compare(save("a", grown), save("b", base)).unchanged_fraction == 1


def test_missing_and_extra_tensors_are_listed_and_counted(save):
    base = layer()
    other = {n: t for n, t in base.items() if "v_proj" not in n} | {
        "value_head.weight": words(1, 4)
    }
    update = compare(save("a", base), save("b", other))
    assert update.missing == ("model.layers.0.self_attn.v_proj.weight",)
    assert update.extra == ("value_head.weight",)
    assert update.unmatched_parameters == 16
    assert "14.3% of base's weights have no partner in rlvr (bound 5%)" in update.incomplete()
    assert update.incomplete(most=0.2) == ""
    assert list(update.matching().missing) == list(update.missing)


def test_other_shapes_and_architectures_are_refused(save):
    with pytest.raises(WeightsError, match=r"shape \(2, 2\) in base and \(4,\) in rlvr"):
        paired(save, {"w": words(2, 2)}, {"w": words(4)})
    with pytest.raises(WeightsError, match=r"hold different tensors, e\.g\. v, w"):
        paired(save, {"w": words(2)}, {"v": words(2)})


def test_buffers_that_agree_are_reported_and_quantized_weights_refused(save):
    w = {"w": words(3, 3)}
    ids = {"position_ids": np.arange(9)}
    found = paired(save, w | ids, w | ids)
    assert found.skipped == ("position_ids (I64)",)
    with pytest.raises(WeightsError, match=r"dtype I64, expected one of BF16, F16, F32, F64"):
        paired(save, w | ids, w | {"position_ids": np.arange(9) + 1})
    with pytest.raises(WeightsError, match="share no floating-point tensor"):
        paired(save, ids, ids)


# Files that are not what they claim


def header(entries):
    text = json.dumps(entries).encode()
    return len(text).to_bytes(8, "little") + text


def entry(begin, end, shape=(2,), dtype="BF16"):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}


@pytest.mark.parametrize(
    ("entries", "size", "message"),
    [
        ({"a": entry(0, 4), "b": entry(2, 6)}, 6, "'b' overlaps tensor 'a'"),
        ({"a": entry(0, 4), "b": entry(0, 4)}, 4, "'b' overlaps tensor 'a'"),
        ({"a": entry(0, 4), "b": entry(6, 10)}, 10, "'b' leaves a hole after tensor 'a'"),
        ({"a": entry(2, 6)}, 6, "'a' leaves a hole after the header"),
        ({"a": entry(0, 8)}, 8, "'a' does not fit its offsets"),
        ({"a": entry(4, 0)}, 4, "malformed header entry"),
        ({"a": entry(0, 4)}, 9, "bytes after its last tensor"),
    ],
)
def test_a_header_that_lies_about_its_data_is_refused(tmp_path, entries, size, message):
    path = tmp_path / "model.safetensors"
    path.write_bytes(header(entries) + bytes(size))
    with pytest.raises(LayoutError, match=message):
        read_header(path)


def test_a_key_that_comes_twice_is_refused(tmp_path):
    text = (
        b'{"a":' + json.dumps(entry(0, 4)).encode() + b',"a":' + json.dumps(entry(0, 4)).encode()
    )
    path = tmp_path / "model.safetensors"
    path.write_bytes((len(text) + 1).to_bytes(8, "little") + text + b"}" + bytes(4))
    with pytest.raises(LayoutError, match="a key comes twice"):
        read_header(path)


@pytest.mark.parametrize("value", [b"[]", b"{}", b"0"])
def test_a_file_of_millions_of_values_is_not_read(tmp_path, value):
    """10 MB of them would take hundreds in memory."""
    text = b'{"a": [' + (value + b",") * 5_000_000 + value + b"]}"
    (tmp_path / "config.json").write_bytes(text)
    (tmp_path / "model.safetensors").write_bytes(len(text).to_bytes(8, "little") + text)
    for read, name in ((read_json, "config.json"), (read_header, "model.safetensors")):
        with pytest.raises(LayoutError, match=rf"{name} holds more than 5,000,000 values"):
            read(tmp_path / name)


def test_an_unknown_element_type_is_refused_by_name(save, tmp_path):
    path = tmp_path / "c" / "model.safetensors"
    path.parent.mkdir()
    path.write_bytes(header({"w": entry(0, 4, dtype="F4_E2M1")}) + bytes(4))
    with pytest.raises(WeightsError, match="dtype F4_E2M1, expected one of"):
        compare(save("a", {"w": words(2)}), path.parent)


def test_two_shards_with_one_tensor_are_refused(save, tmp_path):
    folder = save("s", {"w": words(2)}, "x-1.safetensors")
    save("s", {"w": words(2), "v": words(2)}, "x-2.safetensors")
    index = {
        "weight_map": {"w": "x-2.safetensors", "v": "x-2.safetensors", "u": "x-1.safetensors"}
    }
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(LayoutError, match="both hold w"):
        weight_files(folder)


def test_a_pickle_is_refused_with_how_to_convert_it(tmp_path):
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    with pytest.raises(LayoutError, match=r"pickles run code.*save_pretrained\(NEW, safe_serial"):
        weight_files(tmp_path)


def experts(count=3):
    """Four experts one by one, and the same fused."""
    at = "model.layers.0.mlp.experts"
    parts = {
        kind: [words(*shape) for _ in range(count)]
        for kind, shape in (("gate_proj", (6, 4)), ("up_proj", (6, 4)), ("down_proj", (4, 6)))
    }
    single = {f"{at}.{e}.{k}.weight": w for k, all_ in parts.items() for e, w in enumerate(all_)}
    both = zip(parts["gate_proj"], parts["up_proj"], strict=True)
    fused = {
        f"{at}.gate_up_proj": np.stack([np.concatenate(pair) for pair in both]),
        f"{at}.down_proj": np.stack(parts["down_proj"]),
    }
    return single, fused


@pytest.mark.parametrize("turned", [False, True])
def test_experts_fused_or_one_by_one_are_the_same(save, turned):
    single, fused = experts()
    fused["model.layers.0.mlp.experts.down_proj"][1] ^= 1
    folders = save("a", single), save("b", fused)
    update = compare(*(reversed(folders) if turned else folders))
    changed = {t.name for t in update.tensors if t.unchanged < t.parameters}
    assert changed == {"model.layers.0.mlp.experts.1.down_proj.weight"}
    assert len(update.tensors) == 9
    assert update.missing == update.extra == ()


def test_experts_of_mixtral_are_those_of_others(save):
    single, fused = experts()
    words_of = {
        "gate_proj": "w1",
        "down_proj": "w2",
        "up_proj": "w3",
        ".mlp.": ".block_sparse_moe.",
    }
    mixtral = {}
    for name, tensor in single.items():
        for ours, theirs in words_of.items():
            name = name.replace(ours, theirs)
        mixtral[name] = tensor
    update = compare(save("a", mixtral), save("b", fused))
    assert (len(update.tensors), update.unchanged_fraction) == (9, 1.0)


def test_experts_that_lie_transposed_are_not_compared(save):
    single, fused = experts()
    turned = {n: t.swapaxes(1, 2) for n, t in fused.items()}
    norm = {"model.norm.weight": words(4)}
    update = compare(save("a", single | norm), save("b", turned | norm))
    assert "have no partner" in update.incomplete()
    assert len(update.missing) == 9
