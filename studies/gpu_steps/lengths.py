"""Prompts that are cut in pieces, long ones, and samples that are preempted and resumed."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from gpu_steps.common import check_law, checkpoint, draw, need_vllm, stream
from rlvr_gate.records import Checkpoint, Measure
from rlvr_gate_fixtures.backends import Passage, Request
from rlvr_gate_fixtures.backends.transformers.backend import TransformersBackend
from rlvr_gate_fixtures.backends.vllm.backend import VllmBackend

_LONG = 20_000  # tokens of a prompt
_NATS = 5e-3  # a token, of float32 against float32
_BLOCKS = 24  # of keys and values, where samples are to be preempted


class Tight(VllmBackend):
    """With room for a few samples alone, so that others are preempted."""

    def options(self) -> Mapping[str, object]:
        engine = super().options()["engine"]
        assert isinstance(engine, dict)
        return {"engine": {**engine, "num_gpu_blocks_override": _BLOCKS}}


def run(quick: bool) -> None:
    """Every sample comes once, of the checkpoint's law, whatever the engine does on its way."""
    device = need_vllm()
    with tempfile.TemporaryDirectory() as folder:
        of = stretched(Path(folder), 2 * _LONG)
        _many(of, 8 if quick else 40)
        _long(of, 4000 if quick else _LONG)
        _preempted(of, 24 if quick else 64, device)


def stretched(folder: Path, tokens: int) -> Checkpoint:
    """The shipped base with more positions than it was trained on: what it says there is noise,
    and the same noise for every engine."""
    of = checkpoint("base")
    for file in of.path.iterdir():
        if file.is_file():
            shutil.copy(file, folder / file.name)
    config = json.loads((folder / "config.json").read_text())
    config["max_position_embeddings"] = tokens
    (folder / "config.json").write_text(json.dumps(config))
    return replace(of, path=folder)


def _prompt(length: int, seed: int) -> tuple[int, ...]:
    return tuple(int(i) for i in np.random.default_rng(seed).integers(5, 60, length))


def _many(of: Checkpoint, count: int) -> None:
    asked = [Request(_prompt(100, n), 0, 8) for n in range(count)]
    backend = VllmBackend(dtype="float32", enforce_eager="true")
    found = draw(backend, of, stream(of, budget=40), asked)
    _against_scores(of, asked, found, f"{count} prompts of 100 tokens x 8 samples")
    check_law(of, asked, found, "their tokens")


def _long(of: Checkpoint, length: int) -> None:
    asked = [Request(_prompt(length, n), 0, 4) for n in range(2)]
    backend = VllmBackend(dtype="float32", enforce_eager="true")
    found = draw(backend, of, stream(of, budget=16), asked)
    _against_scores(of, asked, found, f"2 prompts of {length:,} tokens x 4 samples")


def _against_scores(of, asked, found, what) -> None:  # type: ignore[no-untyped-def]
    """The engine's own log-probabilities are those that transformers gives the same tokens."""
    places = list(found)
    passages = [Passage(asked[r].prompt_ids, found[r, s].token_ids) for r, s in places]
    scorer = TransformersBackend(dtype="float32", device="cpu")
    off = 0.0
    for scored in scorer.score([of], passages):
        each = found[places[scored.passage]]
        total = float(scored.values[Measure.LOGPROB, (0,)].sum())
        off = max(off, abs(total - each.logprob) / len(each.token_ids))
    print(f"{what}: all {len(found)} came; log-probabilities differ from those of transformers "
          f"by at most {off:.2g} nats a token")  # fmt: skip
    assert off < _NATS, f"{what}: log-probabilities are off by {off:.3g} nats a token"


def _preempted(of: Checkpoint, samples: int, device: str) -> None:
    tokens = 300 if device == "cpu" else 400
    asked = [Request(_prompt(20, n), 0, samples // 2) for n in range(2)]
    backend = Tight(enforce_eager="true", max_model_len="1024")
    found = draw(backend, of, stream(of, budget=tokens, stops=False), asked)
    size = 128 if device == "cpu" else 16
    print(f"{samples} samples of {tokens} tokens in memory for {_BLOCKS} x {size} = "
          f"{_BLOCKS * size:,} of their {samples * (tokens + 20):,}: all came once")  # fmt: skip
    assert all(len(each.token_ids) == tokens for each in found.values())
    check_law(of, asked, found, "their tokens")
