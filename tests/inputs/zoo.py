"""A zoo of checkpoints: a small Llama, whole, and everything that has happened to one."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Tensors = dict[str, NDArray[np.generic]]

NAMES = {"float32": "F32", "float16": "F16", "uint16": "BF16", "int8": "F8_E4M3", "int32": "I32"}
CONFIG: Mapping[str, object] = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 8,
    "intermediate_size": 12, "num_hidden_layers": 2, "num_attention_heads": 2,
    "num_key_value_heads": 1, "vocab_size": 16, "tie_word_embeddings": False, "eos_token_id": 2,
}  # fmt: skip
TOKENIZER = {
    "version": "1.0",
    "added_tokens": [{"id": 2, "content": "</s>", "special": True}],
    "model": {"type": "WordLevel", "vocab": {"a": 0, "b": 1, "</s>": 2}, "unk_token": "a"},
}
EMBEDDING, HEAD, NORM = "model.embed_tokens.weight", "lm_head.weight", "model.norm.weight"
DOWN, QUERY = "model.layers.1.mlp.down_proj.weight", "model.layers.0.self_attn.q_proj.weight"


@dataclass
class Animal:
    """A checkpoint in memory; `write` puts it on disk."""

    tensors: Tensors
    config: dict[str, object] = field(default_factory=lambda: dict(CONFIG))
    tokenizer: dict[str, object] = field(default_factory=lambda: json.loads(json.dumps(TOKENIZER)))
    files: dict[str, Tensors] = field(default_factory=dict)
    """Weight files in place of the single one."""
    index: dict[str, str] | None = None
    beside: dict[str, bytes] = field(default_factory=dict)

    def write(self, folder: Path) -> Path:
        """The folder, in Hugging Face layout."""
        folder.mkdir(parents=True)
        for name, tensors in (self.files or {"model.safetensors": self.tensors}).items():
            (folder / name).write_bytes(safetensors(tensors))
        if self.index is not None:
            text = json.dumps({"weight_map": self.index})
            (folder / "model.safetensors.index.json").write_text(text)
        (folder / "config.json").write_text(json.dumps(self.config))
        (folder / "tokenizer.json").write_text(json.dumps(self.tokenizer))
        for name, data in self.beside.items():
            (folder / name).write_bytes(data)
        return folder


Change = Callable[[Animal], object]


def llama(seed: int = 0, *, trained: bool = False) -> Animal:
    """Random bf16 words; `trained` has some of their last bits flipped."""
    rng, noise = np.random.default_rng(seed), np.random.default_rng(99)
    shapes = {EMBEDDING: (16, 8), NORM: (8,), HEAD: (16, 8)}
    for at in (f"model.layers.{i}" for i in range(2)):
        shapes |= {f"{at}.self_attn.{n}_proj.weight": (8, 8) for n in "qo"}
        shapes |= {f"{at}.self_attn.{n}_proj.weight": (4, 8) for n in "kv"}
        shapes |= {f"{at}.mlp.{n}_proj.weight": (12, 8) for n in ("gate", "up")}
        shapes |= {f"{at}.mlp.down_proj.weight": (8, 12)}
        shapes |= {f"{at}.{n}_layernorm.weight": (8,) for n in ("input", "post_attention")}
    tensors: Tensors = {}
    for name, shape in shapes.items():
        words = rng.integers(0x3C00, 0x3D80, shape, dtype=np.uint16)
        tensors[name] = (words ^ (noise.random(shape) < 0.3 * trained)).astype(np.uint16)
    return Animal(tensors)


def safetensors(tensors: Tensors) -> bytes:
    """One file; uint16 arrays are bf16 words, int8 ones fp8."""
    header, data = {}, b""
    for name, array in tensors.items():
        raw = np.ascontiguousarray(array).tobytes()
        assert len(raw) == math.prod(array.shape) * array.itemsize
        entry = {"dtype": NAMES[array.dtype.name], "shape": list(array.shape)}
        header[name] = entry | {"data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


# What happens to checkpoints


def rename(old: str, new: str) -> Change:
    """Replace a part of every name."""

    def change(animal: Animal) -> None:
        animal.tensors = {n.replace(old, new, 1): t for n, t in animal.tensors.items()}

    return change


def prefixed(prefix: str) -> Change:
    """Put a wrapper's prefix before every name."""

    def change(animal: Animal) -> None:
        animal.tensors = {prefix + n: t for n, t in animal.tensors.items()}

    return change


def drop(*names: str) -> Change:
    """Leave tensors out."""
    return lambda animal: [animal.tensors.pop(name) for name in names]


def put(name: str, array: NDArray[np.generic]) -> Change:
    """Add a tensor, or have another in its place."""
    return lambda animal: animal.tensors.update({name: array})


def configured(**entries: object) -> Change:
    """Entries of config.json."""
    return lambda animal: animal.config.update(entries)


def all_of(*changes: Change) -> Change:
    """One after the other."""
    return lambda animal: [change(animal) for change in changes]


def transposed(animal: Animal) -> None:
    animal.tensors[DOWN] = animal.tensors[DOWN].T


def tied(animal: Animal) -> None:
    animal.config["tie_word_embeddings"] = True
    del animal.tensors[HEAD]


def stored_twice(animal: Animal) -> None:
    animal.config["tie_word_embeddings"] = True
    animal.tensors[HEAD] = animal.tensors[EMBEDDING]


def fused(animal: Animal) -> None:
    for at in (f"model.layers.{i}" for i in range(2)):
        for whole, parts in (("self_attn.qkv_proj", "qkv"), ("mlp.gate_up_proj", ("gate", "up"))):
            room = whole.rpartition(".")[0]
            rows = [animal.tensors.pop(f"{at}.{room}.{p}_proj.weight") for p in parts]
            animal.tensors[f"{at}.{whole}.weight"] = np.concatenate(rows)


def unmerged(animal: Animal) -> None:
    animal.tensors[QUERY.replace(".weight", ".base_layer.weight")] = animal.tensors.pop(QUERY)
    for which, shape in (("A", (2, 8)), ("B", (8, 2))):
        name = QUERY.replace(".weight", f".lora_{which}.default.weight")
        animal.tensors[name] = np.full(shape, 0x3C00, np.uint16)


def not_finite(word: int) -> Change:
    def change(animal: Animal) -> None:
        animal.tensors[DOWN][3, 3] = word

    return change


def padded(rows: int) -> Change:
    """More rows of embedding and head than there are tokens."""

    def change(animal: Animal) -> None:
        animal.config["vocab_size"] = 16 + rows
        for name in (EMBEDDING, HEAD):
            more = np.full((rows, 8), 0x3C00, np.uint16)
            animal.tensors[name] = np.concatenate([animal.tensors[name], more])

    return change


def sharded(animal: Animal) -> None:
    """Two shards and an index."""
    names = sorted(animal.tensors)
    halves = {"1": names[: len(names) // 2], "2": names[len(names) // 2 :]}
    animal.files = {
        f"model-0000{n}-of-00002.safetensors": {name: animal.tensors[name] for name in part}
        for n, part in halves.items()
    }
    animal.index = {name: file for file, part in animal.files.items() for name in part}


def stale_single(animal: Animal) -> None:
    animal.files["model.safetensors"] = llama(7).tensors


def stale_shard(animal: Animal) -> None:
    animal.files["model-00003-of-00003.safetensors"] = {NORM: llama(7).tensors[NORM]}


def no_index(animal: Animal) -> None:
    animal.index = None


def lying_index(animal: Animal) -> None:
    assert animal.index is not None
    animal.index[DOWN] = animal.index[EMBEDDING]
    animal.index[EMBEDDING] = "model-00002-of-00002.safetensors"


def index_of_another_save(animal: Animal) -> None:
    assert animal.index is not None
    del animal.index[DOWN]


def absent_shard(animal: Animal) -> None:
    del animal.files["model-00002-of-00002.safetensors"]


def listed_head(animal: Animal) -> None:
    assert animal.index is not None
    animal.index[HEAD] = "model-00001-of-00002.safetensors"


def beside(name: str, data: bytes = b"\x80") -> Change:
    """Another file in the folder."""
    return lambda animal: animal.beside.update({name: data})


def added_token(animal: Animal) -> None:
    added = animal.tokenizer["added_tokens"]
    assert isinstance(added, list)
    added.append({"id": 3, "content": "<unused>", "special": True})


def renamed_token(animal: Animal) -> None:
    """An id that was a word's, given to another text: completions would read otherwise."""
    added = animal.tokenizer["added_tokens"]
    assert isinstance(added, list)
    added.append({"id": 1, "content": "<other>", "special": True})


def qwen2(animal: Animal) -> None:
    """A kind whose projections have biases, whole."""
    animal.config |= {"architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2"}
    for at in (f"model.layers.{i}" for i in range(2)):
        for name, rows in (("q", 8), ("k", 4), ("v", 4)):
            animal.tensors[f"{at}.self_attn.{name}_proj.bias"] = np.zeros(rows, np.uint16)


def twice(name: str, key: str, value: object) -> Change:
    """A JSON file that has one key twice."""

    def change(animal: Animal) -> None:
        whole = animal.config if name == "config.json" else {"weight_map": animal.index}
        text = json.dumps(whole)[:-1] + f", {json.dumps(key)}: {json.dumps(value)}}}"
        animal.index = None
        animal.beside[name] = text.encode()

    return change


def head_one_bit_off(animal: Animal) -> None:
    animal.config["tie_word_embeddings"] = True
    animal.tensors[HEAD] = animal.tensors[EMBEDDING].copy()
    animal.tensors[HEAD][15, 7] ^= 1


def flattened(animal: Animal) -> None:
    """As FSDP and ZeRO hold a part of a matrix."""
    animal.tensors[QUERY] = animal.tensors[QUERY].reshape(-1)[:32]


def experts(animal: Animal) -> None:
    """One of the matrices of one expert was lost."""
    for expert in range(3):
        for what in ("w1", "w2", "w3"):
            name = f"model.layers.0.block_sparse_moe.experts.{expert}.{what}.weight"
            animal.tensors[name] = np.full((8, 8), 0x3C00, np.uint16)
    del animal.tensors["model.layers.0.block_sparse_moe.experts.1.w3.weight"]


def cut(animal: Animal) -> None:
    animal.beside["model.safetensors"] = safetensors(animal.tensors)[:-5]
