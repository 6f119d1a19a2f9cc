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


DUMPS: dict[str, list[Any]] = {
    "verl": [{"input": "?", "output": f"{i}", "gts": ["5"], "score": i, "acc": True, "step": 1}
             for i in range(2)],
    "NeMo-Skills": [{"problem": f"{i}?", "expected_answer": "5", "generation": "5",
                     "predicted_answer": "5", "symbolic_correct": True} for i in range(2)],
    "EvalPlus": [{"hash": "x", "eval": {"E/0": [
        {"task_id": "E/0", "solution": "x", "base_status": "pass", "plus_status": "fail"}]}}],
    "EvalPlus, old": [{"eval": {"E/0": {"base": [["pass", []]], "plus": [["fail", []]]}}}],
    "LiveCodeBench": [{"question_id": "0", "question_content": "?", "code_list": ["x", "y"],
                       "graded_list": [True, False], "pass@1": 0.5}],
    "human-eval": [{"task_id": "E/0", "completion": "x", "passed": True}],
    "SkyRL": [{"input_prompt": "?", "output_response": "5", "score": [0, 1],
               "stop_reason": "stop", "env_extras": {"reward_spec": {"ground_truth": "5"}}}],
    "NeMo Gym": [{"_ng_task_index": 0, "_ng_rollout_index": 0, "reward": 1,
                  "responses_create_params": {"input": [{"role": "user", "content": "?"}]},
                  "response": {"output": [{"type": "message", "content": [{"text": "5"}]}],
                               "incomplete_details": {"reason": "max_output_tokens"}}}],
    "verifiers": [{"example_id": 0, "prompt": [{"role": "user", "content": "?"}],
                   "completion": [{"content": "5"}], "answer": "5", "reward": 1,
                   "metrics": {"correct": 1}, "error": None, "is_truncated": False}],
    "NeMo-RL": [{"content": [[{"role": "user", "content": "?"},
                              {"role": "assistant", "content": "5"}]], "rewards": [1]}],
    "NeMo-RL, document": [{"evaluation_data": [{"prompt": "?", "response": "5", "reward": 1}]}],
}  # fmt: skip


@pytest.mark.parametrize("name", DUMPS)
def test_spoiled_dumps(kit, tmp_path, name: str) -> None:
    rng = random.Random(name)
    path = tmp_path / "a"
    path.write_text("\n".join(map(json.dumps, DUMPS[name])))
    assert kit.both(path, path).tallies["base"]
    for _ in range(150):
        value = json.loads(json.dumps(DUMPS[name]))
        spoil(value, rng)
        path.write_text("\n".join(map(json.dumps, value)))
        with suppress(FileError):
            recorded = kit.both(path, path)
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
