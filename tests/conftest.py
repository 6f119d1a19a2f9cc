"""Small real inputs: checkpoints on disk, a scripted backend, a store."""

from __future__ import annotations

import json
import math
import os
import struct
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from rlvr_gate.records import Benchmark, Checkpoint, Problem, Sampling, Stream
from rlvr_gate_fixtures.backends import Backend
from rlvr_gate_fixtures.backends.scripted import ScriptedBackend, coins
from rlvr_gate_fixtures.measurements.samples.plan import Need
from rlvr_gate_fixtures.store.samples import Store

os.environ["COLUMNS"] = "100"  # terminals of tests are as wide wherever they run

CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 8,
    "intermediate_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "vocab_size": 4,
    "tie_word_embeddings": True,
    "eos_token_id": 2,
}
TOKENIZER = {
    "version": "1.0",
    "truncation": None,
    "pre_tokenizer": {"type": "Whitespace"},
    "model": {"type": "WordLevel", "vocab": {"a": 0, "b": 1}},
}


LAYER = "model.layers.0"
SHAPES: Mapping[str, tuple[int, ...]] = {
    "model.embed_tokens.weight": (4, 8),
    **{f"{LAYER}.self_attn.{n}_proj.weight": (8, 8) for n in "qkvo"},
    **{f"{LAYER}.mlp.{n}_proj.weight": (8, 8) for n in ("gate", "up", "down")},
    **{f"{LAYER}.{n}_layernorm.weight": (8,) for n in ("input", "post_attention")},
    "model.norm.weight": (8,),
}
"""What CONFIG needs."""


def safetensors(tensors: Mapping[str, tuple[int, ...]]) -> bytes:
    """A safetensors file with a bf16 tensor of zeros for each name."""
    header, at = {}, 0
    for name, shape in tensors.items():
        size = 2 * math.prod(shape)
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + bytes(at)


def edit(path: Path, **entries: object) -> None:
    """Change entries of a JSON file."""
    path.write_text(json.dumps({**json.loads(path.read_text()), **entries}))


@pytest.fixture
def make_checkpoint(tmp_path: Path) -> Callable[..., Path]:
    """Write a checkpoint folder; keyword arguments replace entries of its config.json."""

    def make(name: str = "base", **config: object) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        (folder / "config.json").write_text(json.dumps({**CONFIG, **config}))
        (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": [2, 3]}))
        (folder / "tokenizer.json").write_text(json.dumps(TOKENIZER))
        (folder / "tokenizer_config.json").write_text(json.dumps({"chat_template": "{{ x }}"}))
        (folder / "model.safetensors").write_bytes(safetensors(SHAPES))
        return folder

    return make


@pytest.fixture
def benchmark() -> Benchmark:
    problems = tuple(Problem(f"p{i}", f"{i}+{i}=", str(2 * i), "exact") for i in range(10))
    return Benchmark("sums", "tests", "digest of sums", problems)


@pytest.fixture
def checkpoint() -> Checkpoint:
    return Checkpoint("base", "base", Path("/x/base"), "D1", "Llama", "T1", (0,), "template")


@pytest.fixture
def backend(benchmark: Benchmark) -> ScriptedBackend:
    return ScriptedBackend({"*": coins(benchmark, 0.3)})


@pytest.fixture
def need(
    checkpoint: Checkpoint, benchmark: Benchmark, backend: ScriptedBackend
) -> Callable[..., Need]:
    """A need of so many samples from the stream with this seed."""

    def make(samples: int, *, seed: int = 0, of: Benchmark = benchmark) -> Need:
        stream = Stream(checkpoint.digest, Sampling(), (0,), backend.identity(), seed)
        return Need(checkpoint, of, stream, samples)

    return make


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store") as opened:
        yield opened


class Counting:
    """A backend that remembers what was asked of it."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.encoded: list[str] = []
        self.drawn = 0

    def origin(self):
        return {"toy": "1"}

    def identity(self) -> str:
        return self.backend.identity()

    def encode(self, checkpoint, prompts):
        self.encoded += prompts
        return self.backend.encode(checkpoint, prompts)

    def complete(self, checkpoint, stream, requests):
        for drawn in self.backend.complete(checkpoint, stream, requests):
            self.drawn += 1
            yield drawn


@pytest.fixture
def counting(backend: ScriptedBackend) -> Counting:
    return Counting(backend)


@pytest.fixture
def child_env() -> dict[str, str]:
    """The environment of a process that imports what this one imports."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
