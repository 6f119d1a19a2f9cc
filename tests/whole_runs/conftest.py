"""A small real pair on disk and a scripted backend, so that whole runs need no model."""

from __future__ import annotations

import json
import math
import os
import random
import struct
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from . import forking

_CONFIG = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 8,
    "intermediate_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1,
    "num_key_value_heads": 1, "vocab_size": 16, "eos_token_id": 2,
}  # fmt: skip
_TOKENIZER = {
    "version": "1.0",
    "model": {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "a"},
}


_WIDE, _LONG = [8, 8], [16, 8]
_SHAPES = {
    "model.embed_tokens": _LONG, "lm_head": _LONG, "model.norm": [8],
    **{f"model.layers.0.self_attn.{n}_proj": _WIDE for n in "qkvo"},
    **{f"model.layers.0.mlp.{n}_proj": _WIDE for n in ("gate", "up", "down")},
    **{f"model.layers.0.{n}_layernorm": [8] for n in ("input", "post_attention")},
}  # fmt: skip


def write_checkpoint(folder: Path, seed: int) -> Path:
    """A whole Llama in Hugging Face layout, of one layer of random bf16 words."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(seed)
    header, data = {}, b""
    for name, shape in _SHAPES.items():
        size = math.prod(shape)
        raw = b"".join(struct.pack("<H", rng.randrange(0x3C00, 0x3F80)) for _ in range(size))
        entry = {"dtype": "BF16", "shape": shape, "data_offsets": [len(data), len(data + raw)]}
        header[f"{name}.weight"], data = entry, data + raw
    text = json.dumps(header).encode()
    weights = len(text).to_bytes(8, "little") + text + data
    (folder / "model.safetensors").write_bytes(weights)
    (folder / "config.json").write_text(json.dumps(_CONFIG))
    (folder / "generation_config.json").write_text(
        json.dumps({"eos_token_id": 2, "max_new_tokens": 32})
    )
    (folder / "tokenizer.json").write_text(json.dumps(_TOKENIZER))
    (folder / "tokenizer_config.json").write_text("{}")
    return folder


@pytest.fixture
def pytester(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """pytest's own, whose runs in processes of their own are forked: a second each is saved."""

    def forked(*args: str | os.PathLike[str], timeout: object = None) -> pytest.RunResult:
        started = time.monotonic()
        given = [f"--basetemp={pytester.path}/runpytest-forked", *map(str, args)]
        done = forking.run(given, pytester.path, os.environ)
        for name, text in (("stdout", done.output), ("stderr", done.errors)):
            (pytester.path / name).write_text(text, "utf-8")  # as pytester leaves them
        sys.stdout.write(done.output)
        sys.stderr.write(done.errors)
        return pytest.RunResult(
            done.status, done.output.splitlines(), done.errors.splitlines(),
            time.monotonic() - started,
        )  # fmt: skip

    monkeypatch.setattr(pytester, "runpytest_subprocess", forked)
    return pytester


@dataclass
class Gate:
    """A scripted pair in a pytester folder, run through the door users use."""

    pytester: pytest.Pytester
    problems: int = 20
    samples: int = 16
    options: list[str] = field(default_factory=list)

    @property
    def root(self) -> Path:
        return self.pytester.path

    def write(
        self, base: float | Callable[[int], float], rlvr: float | Callable[[int], float]
    ) -> None:
        """Two checkpoints, a benchmark and the success probabilities of each problem."""
        write_checkpoint(self.root / "old", 1)
        write_checkpoint(self.root / "new", 2)
        prompts = [f"{i}+{i}=" for i in range(self.problems)]
        lines = [
            json.dumps({"id": f"p{i:03}", "problem": p, "answer": str(2 * i), "verifier": "exact"})
            for i, p in enumerate(prompts)
        ]
        (self.root / "sums.jsonl").write_text("\n".join(lines) + "\n")
        script: Mapping[str, object] = {
            name: {
                p: {
                    "right": str(2 * i),
                    "wrong": "no",
                    "success": rate(i) if callable(rate) else rate,
                }
                for i, p in enumerate(prompts)
            }
            for name, rate in (("old", base), ("new", rlvr))
        }
        (self.root / "script.json").write_text(json.dumps(script))

    def also(self, name: str, success: float) -> None:
        """A further checkpoint, which solves every problem as often."""
        write_checkpoint(self.root / name, sum(name.encode()))
        script = json.loads((self.root / "script.json").read_text())
        script[name] = {p: {**how, "success": success} for p, how in script["old"].items()}
        (self.root / "script.json").write_text(json.dumps(script))

    def run(
        self, *args: str, pair: str = "./old,./new", suites: str | None = None
    ) -> pytest.RunResult:
        """Run the suites on the scripted pair in a process of its own."""
        return self.pytester.runpytest_subprocess(
            *(["--model-pair", pair] if pair else []),
            "--benchmarks=sums.jsonl", f"--samples={self.samples}",
            "--backend=scripted", "--backend-option=script=script.json",
            "-p", "no:cacheprovider", *self.options, *args,
            suites or str(SUITES),
        )  # fmt: skip

    def document(self, name: str = "gate.json") -> dict[str, object]:
        """The JSON report."""
        document: dict[str, object] = json.loads((self.root / name).read_text("utf-8"))
        return document


SUITES = Path(__file__).parents[2] / "suites"


@pytest.fixture
def gate(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Gate:
    """A scripted pair with nothing written yet."""
    root = Path(__file__).parents[2]
    rooms = ":".join(str(root / room) for room in ("plugins", "fixtures", "reports"))
    monkeypatch.setenv("PYTHONPATH", rooms)
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    return Gate(pytester)
