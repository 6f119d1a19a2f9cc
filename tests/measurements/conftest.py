"""A run of two checkpoints that need no model, for every kind of measurement."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rlvr_gate.records import Benchmark, Checkpoint, Sampling, Stream
from rlvr_gate_fixtures.backends import Backend
from rlvr_gate_fixtures.backends.scripted import ScriptedBackend, coins
from rlvr_gate_fixtures.run import Run, Settings


@pytest.fixture
def run_on(tmp_path: Path) -> Callable[..., Run]:
    """Makes one, on a benchmark or none; half of what it draws is right without a backend."""

    def make(
        benchmark: Benchmark | None = None, backend: Backend | None = None, **settings: object
    ) -> Run:
        asked = {benchmark.name: benchmark} if benchmark else {}
        usual = {
            "base": "b", "rlvr": "r", "contrasts": (), "store": tmp_path / "store", "seed": 0,
            "benchmarks": tuple(asked), "samples": 4, "temperature": 1.0,
            "backend": "scripted", "backend_options": {}, "top_p": 1.0, "max_new_tokens": 16,
        }  # fmt: skip
        chosen = Settings(**{**usual, **settings})
        checkpoints = {
            role: Checkpoint(role, role, Path("/x") / role, role * 16, "Llama", "T", (0,), "t")
            for role in ("base", "rlvr")
        }
        texts = {"*": coins(benchmark, 0.5)} if benchmark else {}
        backend = backend or ScriptedBackend(texts)
        streams = {
            role: Stream(c.digest, Sampling(), (0,), backend.identity(), chosen.seed)
            for role, c in checkpoints.items()
        }
        return Run(chosen, checkpoints, asked, streams, backend)

    return make
