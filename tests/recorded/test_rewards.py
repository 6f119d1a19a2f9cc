"""Dumps with a reward for each completion: prompts join, rewards are grades or refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

ASKED = [{"role": "user", "content": "What is 2+3?"}]
SAID = [{"role": "assistant", "content": "5"}]
Line = Callable[[int, int, float], dict]


def skyrl(i: int, j: int, reward: float) -> dict:
    return {"input_prompt": f"What is {i}?", "output_response": f"{j}", "score": [0.0, reward],
            "stop_reason": "length" if j else "stop", "env_class": "math", "data_source": "m",
            "env_extras": {"reward_spec": {"ground_truth": str(i)}}}  # fmt: skip


def gym(i: int, j: int, reward: float) -> dict:
    said = [{"type": "output_text", "text": f"{j}"}]
    output = [{"type": "reasoning", "summary": []}, {"type": "message", "content": said}]
    cut = {"reason": "max_output_tokens"} if j else None
    return {"_ng_task_index": i, "_ng_rollout_index": j, "reward": reward,
            "responses_create_params": {"input": [{"role": "user", "content": f"What is {i}?"}]},
            "response": {"output": output, "incomplete_details": cut},
            "expected_answer": str(i)}  # fmt: skip


def verifiers(i: int, j: int, reward: float) -> dict:
    return {"example_id": i, "prompt": [{"role": "user", "content": f"What is {i}?"}],
            "completion": [{"role": "assistant", "content": f"{j}"}], "answer": str(i),
            "reward": reward, "metrics": {"correct": reward, "format": 0.25},
            "is_truncated": bool(j)}  # fmt: skip


def nemo_rl(i: int, j: int, reward: float) -> dict:
    log = [{"role": "user", "content": f"What is {i}?"}, {"role": "assistant", "content": f"{j}"}]
    return {"content": [log], "rewards": [reward], "idx": [2 * i + j]}


LAYOUTS = {
    "SkyRL evaluation": (skyrl, 1),
    "NeMo Gym rollouts": (gym, 1),
    "verifiers results": (verifiers, 1),
    "NeMo-RL evaluation": (nemo_rl, None),
}
NAMES = {"SkyRL evaluation": "score", "NeMo-RL evaluation": "rewards"}
lined = pytest.mark.parametrize("name", LAYOUTS)


def dump(path: Path, line: Line, rewards: list[list[float]]) -> Path:
    lines = [line(i, j, r) for i, row in enumerate(rewards) for j, r in enumerate(row)]
    path.write_text("".join(json.dumps(item) + "\n" for item in lines))
    return path


@lined
def test_a_reward_of_one_is_correct(kit, tmp_path, name: str) -> None:
    line, truncated = LAYOUTS[name]
    base = dump(tmp_path / "base", line, [[1, 0], [0, 0]])
    rlvr = dump(tmp_path / "rlvr", line, [[1, 1], [0, 1]])
    recorded = kit.both(base, rlvr)
    assert [(t.n, t.correct) for t in recorded.tallies["base"]] == [(2, 1), (2, 0)]
    assert [(t.n, t.correct) for t in recorded.tallies["rlvr"]] == [(2, 2), (2, 1)]
    assert {t.truncated for t in recorded.tallies["base"]} == {truncated}
    assert recorded.benchmark.source.startswith(f"recorded {name} (")
    assert recorded.benchmark.problems[0].prompt == "What is 0?"
    assert recorded.benchmark.problems[1].answer == ("" if truncated is None else "1")


@lined
def test_a_shaped_reward_is_no_grade(bench, tmp_path, name: str) -> None:
    score = NAMES.get(name, "reward")
    for shaped in (0.5, 1.2, 100):
        path = dump(tmp_path / "a", LAYOUTS[name][0], [[0, shaped]])
        assert f"line 2: {score} is {shaped}" in bench.refusal(path, path)
    path = dump(tmp_path / "a", LAYOUTS[name][0], [[-1, 0]])
    assert "with both it is a shaped reward" in bench.refusal(path, path)


@lined
def test_minus_one_is_wrong(kit, tmp_path, name: str) -> None:
    path = dump(tmp_path / "a", LAYOUTS[name][0], [[-1, 1], [-1, -1]])
    assert kit.totals(kit.both(path, path), "base") == kit.Totals(4, 1, 0, 1)


def test_an_unfinished_rollout_of_verifiers_is_unscored(kit, tmp_path) -> None:
    lines = [verifiers(0, 0, 1.0), verifiers(0, 1, 0.0) | {"error": "time"}]
    path = tmp_path / "a"
    path.write_text("\n".join(map(json.dumps, lines)))
    assert kit.totals(kit.both(path, path), "base") == kit.Totals(2, 1, 1, 1)


def test_a_metric_of_the_rubric_may_be_named(kit, bench, tmp_path) -> None:
    lines = [verifiers(0, j, 0.4) | {"metrics": {"correct": j, "format": 0.25}} for j in (0, 1)]
    path = tmp_path / "a"
    path.write_text("\n".join(map(json.dumps, lines)))
    assert "reward is 0.4, a shaped reward" in bench.refusal(path, path)
    assert kit.totals(kit.both(path, path, score="correct"), "base").correct == 1
    assert "it has reward, correct, format" in bench.refusal(path, path, score="other")


def test_a_rollout_that_was_resumed_twice_counts_once(bench, tmp_path) -> None:
    lines = [gym(0, 0, 1.0), gym(0, 1, 0.0), gym(0, 1, 0.0)]
    path = tmp_path / "a"
    path.write_text("\n".join(map(json.dumps, lines)))
    assert "line 3: id " in (said := bench.refusal(path, path))
    assert "(task 0, rollout 1) is already on line 2" in said


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ({"content": ["user: 5"], "rewards": [1.0]}, "the message log is one text"),
        ({"content": [ASKED], "rewards": [1.0]}, "must be a prompt and the checkpoint's turn"),
        ({"content": [SAID], "rewards": [1.0]}, "must be a prompt and the checkpoint's turn"),
        ({"content": [ASKED + SAID], "rewards": [1.0, 0.0]}, "rewards must be a list of one"),
        ({"content": [], "rewards": [1.0]}, "content must be a list of one"),
    ],
)
def test_lines_of_nemo_rl_are_checked(bench, tmp_path, line: dict, words: str) -> None:
    path = tmp_path / "a"
    path.write_text(json.dumps(line))
    assert words in bench.refusal(path, path)


def test_the_document_of_nemo_rl(kit, bench, tmp_path) -> None:
    entries = [
        {
            "prompt": f"What is {i}?",
            "response": f"{j}",
            "reward": float(i == j),
            "message_log": "[{}]",
            "sample_index": j,
        }
        for i in range(2)
        for j in range(2)
    ]
    path = tmp_path / "a"
    path.write_text(json.dumps({"evaluation_data": entries}))
    assert [t.correct for t in kit.both(path, path).tallies["base"]] == [1, 1]
    path.write_text(json.dumps({"evaluation_data": [*entries, 5]}))
    assert "entry 4: entry must be an object" in bench.refusal(path, path)


def trl(path: Path, rows: list[dict]) -> Path:
    arrow = pytest.importorskip("pyarrow")
    from pyarrow.parquet import write_table

    write_table(arrow.Table.from_pylist(rows), path)
    return path


def completions(rights: list[float | None], step: int) -> list[dict]:
    return [{"step": step, "prompt": f"What is {i // 2}?", "completion": f"{i}",
             "accuracy_reward": right, "format_reward": 1.0, "advantage": 0.1}
            for i, right in enumerate(rights)]  # fmt: skip


def test_a_column_of_trl_is_chosen(kit, bench, tmp_path) -> None:
    base = trl(tmp_path / "base.parquet", completions([1.0, 0.0, 0.0, float("nan")], 1))
    rlvr = trl(tmp_path / "rlvr.parquet", completions([1.0, 1.0, 0.0, 1.0], 90))
    assert "expected one score, got accuracy_reward, format_reward: choose with" in (
        bench.refusal(base, rlvr)
    )
    recorded = kit.both(base, rlvr, score="accuracy_reward")
    assert kit.totals(recorded, "base") == kit.Totals(4, 1, 1, 1)
    assert kit.totals(recorded, "rlvr") == kit.Totals(4, 3, 0, 2)
    assert "base is of step 90" in bench.refusal(rlvr, base, score="accuracy_reward")


def test_a_reward_that_does_not_apply_to_the_first_row_is_still_one(kit, bench, tmp_path) -> None:
    """What pandas makes of NaN is null, and the format's reward is not to be read instead."""
    rows = completions([1.0, 1.0, 0.0, 1.0], 1)
    rows[0]["accuracy_reward"] = None
    path = trl(tmp_path / "base.parquet", rows)
    assert "row 2: expected one score, got format_reward, accuracy_reward" in (
        bench.refusal(path, path)
    )
    recorded = kit.both(path, path, score="accuracy_reward")
    assert kit.totals(recorded, "base").unscored == 1
