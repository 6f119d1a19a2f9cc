"""Whatever a file holds, it is read or refused with a reason; no reader breaks on it."""

from __future__ import annotations

import json
import random
from contextlib import suppress
from typing import Any

import pytest

from rlvr_gate_fixtures.recorded import FileError
from rlvr_gate_fixtures.recorded.fold import fold
from rlvr_gate_fixtures.recorded.rows import Wish

JUNK = (None, True, -1, 2**70, 0.5, float("nan"), float("inf"), "", "x", "\ud800", [], [[]], {},
        [None], {"a": None}, "attachment://", ["5"], [{}])  # fmt: skip


def spots(value: Any) -> list[tuple[Any, Any]]:
    """Every container and key inside a JSON value."""
    keys = value.keys() if isinstance(value, dict) else range(len(value))
    found = [(value, key) for key in keys]
    for key in keys:
        if isinstance(value[key], dict | list):
            found += spots(value[key])
    return found


def spoil(value: Any, rng: random.Random) -> None:
    """Put junk in one place of a JSON value, or drop what is there."""
    container, key = rng.choice(spots(value))
    if rng.random() < 0.2:
        del container[key]
    else:
        container[key] = rng.choice(JUNK)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("name", "wish"),
    [
        ("qwen-base.jsonl", {}),
        ("samples_sums_base.jsonl", {"score": "exact_match,strict-match"}),
        ("lm-eval-0.4.0.jsonl", {}),
        ("inspect-base.json", {}),
        ("gym-base.json", {}),
    ],
)
def test_spoiled_files(kit, tmp_path, name: str, wish: dict, seed: int) -> None:
    rng = random.Random(f"{name} {seed}")
    text = (kit.here / name).read_text()
    lines = name.endswith(".jsonl") and not text.startswith("[")
    path = tmp_path / name
    for _ in range(60):
        value = [json.loads(row) for row in text.splitlines()] if lines else json.loads(text)
        spoil(value, rng)
        rows = [json.dumps(row) for row in value] if lines else [json.dumps(value)]
        path.write_text("\n".join(rows))
        with suppress(FileError):
            recorded = kit.both(path, path, **wish)
            assert all(0 <= t.correct + t.unscored <= t.n for t in recorded.tallies["base"])


@pytest.mark.parametrize("seed", range(3))
def test_spoiled_parquet(tmp_path, seed: int) -> None:
    arrow = pytest.importorskip("pyarrow")
    from pyarrow.parquet import write_table

    rng = random.Random(seed)
    for _ in range(6):
        item: dict[str, Any] = {
            "doc": {"query": "What is 2 + 3?", "choices": ["5"], "gold_index": 0},
            "model_response": {"input": "Q", "text": ["5", "6"]},
            "metric": {"avg@n:n=2": 0.5},
        }
        spoil(item, rng)
        with suppress(arrow.ArrowException, OverflowError, UnicodeEncodeError):
            table = arrow.Table.from_pylist([item])
            write_table(table, tmp_path / "a")
            with suppress(FileError):
                fold([tmp_path / "a"], Wish())
