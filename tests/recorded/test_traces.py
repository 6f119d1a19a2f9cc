"""Episodes of verifiers 1 and prime-rl, and details of OpenCompass: layouts of their sources."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pytest

from rlvr_gate_fixtures.recorded import read

Row = dict[str, object]


def trace(right: float, reply: str, **more: object) -> Row:
    """What one agent did in an episode."""
    return {
        "version": 1,
        "agent": {"name": "agent", "trainable": True, "config": {}},
        "nodes": [
            {"message": {"role": "system", "content": "Think."}, "sampled": False},
            {"parent": 0, "message": {"role": "user", "content": "What?"}, "sampled": False},
            {"parent": 1, "message": {"role": "assistant", "content": reply}, "sampled": True},
        ],
        "calls": [{"node": 2, "finish_reason": "stop",
                   "sampling": {"temperature": 0.6, "top_p": 0.95}}],
        "rewards": {"correct": {"score": right, "weight": 1.0},
                    "format": {"score": 1.0, "weight": 0.0}},
        "metrics": {"length": 7.0},
        "is_completed": True,
        "ok": True,
        "stop_condition": "agent_completed",
    } | more  # fmt: skip


def episode(problem: int, right: float, sample: int, change: Row | None = None) -> Row:
    """One rollout of one problem; `change` is of its trace."""
    data = {"idx": problem, "prompt": f"What is {problem}+5?", "answer": str(problem + 5)}
    return {
        "id": f"{problem}-{sample}",
        "env": {"id": "sums"},
        "task": {"type": "Sums", "data": data, "key": f"sum-{problem}", "hash": "0"},
        "ok": True,
        "errors": [],
        "traces": [trace(right, f"{problem} {sample} {right}", **(change or {}))],
    }


BASE, RLVR = [[1, 0, 0], [0, 0, 0]], [[1, 1, 0], [1, 0, 0]]


def episodes(corrects: Sequence[Iterable[float]]) -> list[Row]:
    return [
        episode(problem, right, sample)
        for problem, row in enumerate(corrects)
        for sample, right in enumerate(row)
    ]


def write(path: Path, rows: Iterable[Mapping[str, object]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def pair(tmp_path):
    """Two runs, changed."""

    def made(change=lambda rows: rows, other=lambda rows: rows) -> tuple[Path, Path]:
        return (
            write(tmp_path / "base" / "traces.jsonl", change(episodes(BASE))),
            write(tmp_path / "rlvr" / "traces.jsonl", other(episodes(RLVR))),
        )

    return made


def changed(rows: list[Row], at: int, **more: object) -> list[Row]:
    """The trace of one episode, with other fields."""
    rows[at]["traces"][0] |= more  # type: ignore[index]
    return rows


def test_an_episode_is_a_sample_of_its_task(kit, pair) -> None:
    recorded = kit.both(*pair())
    assert [(t.problem, t.n, t.correct) for t in recorded.tallies["rlvr"]] == [
        ("sum-0", 3, 2),
        ("sum-1", 3, 1),
    ]
    assert [t.truncated for t in recorded.tallies["base"]] == [0, 0]
    assert recorded.benchmark.problems[1].prompt == "What is 1+5?"
    assert recorded.benchmark.problems[1].answer == "6"
    assert recorded.unknown == ("stop ids", "graders")
    assert not recorded.differences


def test_the_question_joins_tasks_without_a_key_of_their_own(kit, pair) -> None:
    def hashed(hash_: str):
        def change(rows):
            for row in rows:
                row["task"] |= dict.fromkeys(("key", "hash"), hash_ + row["task"]["key"])
            return rows

        return change

    recorded = kit.both(*pair(hashed("a"), hashed("b")))
    assert [(t.n, t.correct) for t in recorded.tallies["rlvr"]] == [(3, 2), (3, 1)]


def test_what_the_classes_of_verifiers_wrote_is_read(kit) -> None:
    """Files that verifiers 0.4.0 serialised, the last episode of base failed."""
    recorded = kit.both(*(kit.here / f"verifiers-0.4.0-{role}.jsonl" for role in ("base", "rlvr")))
    assert kit.totals(recorded, "base") == kit.Totals(6, 1, 1, 1)
    assert kit.totals(recorded, "rlvr") == kit.Totals(6, 3, 0, 2)
    assert recorded.unknown == ("stop ids", "graders")


def test_what_was_sent_and_how_it_was_drawn_is_compared(kit, pair) -> None:
    def hotter(rows):
        for row in rows:
            row["traces"][0]["calls"][0]["sampling"]["temperature"] = 1.0
            row["traces"][0]["nodes"][0]["message"]["content"] = "Do not think."
        return rows

    differences = kit.both(*pair(other=hotter)).differences
    assert "temperature differ: base 0.6, rlvr 1.0" in differences
    assert any("prompts of 2 problems differ" in reason for reason in differences)


def test_temperatures_that_vary_within_a_run_are_told(kit, pair) -> None:
    def one_hotter(rows):
        rows[2]["traces"][0]["calls"][0]["sampling"]["temperature"] = 1.0
        return rows

    (told,) = kit.both(*pair(one_hotter)).differences
    assert told == "temperature differ: base 0.6 and 1.0, rlvr 0.6"


def test_an_error_is_no_wrong_answer(kit, pair) -> None:
    def broken(rows):
        rows[0]["ok"] = False  # its reward of 1 counts for nothing
        changed(rows, 1, ok=False, stop_condition="error")
        rows[2] |= {"ok": False, "traces": []}  # it broke before anything was drawn
        return rows

    assert kit.totals(kit.both(*pair(broken)), "base") == kit.Totals(6, 0, 3, 0)
    late = kit.both(*pair(lambda rows: changed(rows, 1, is_timeout=True)))
    assert kit.totals(late, "base") == kit.Totals(6, 1, 1, 1)


@pytest.mark.parametrize(
    "more",
    [
        {"stop_condition": "max_output_tokens"},
        {"stop_condition": "context_length"},
        {"calls": [{"finish_reason": "length"}]},
        {"calls": [{"finish_reason": "length"}, {"error": {"type": "E", "message": "late"}}]},
    ],
)
def test_what_was_cut_is_told(kit, pair, more: Row) -> None:
    recorded = kit.both(*pair(lambda rows: changed(rows, 0, **more)))
    assert [t.truncated for t in recorded.tallies["base"]] == [1, 0]


def test_a_reward_is_the_sum_over_its_parts(kit, bench, pair) -> None:
    def shaped(rows):
        parts = {"correct": {"score": 1.0}, "format": {"score": 1.0, "weight": 0.2}}
        return changed(rows, 0, rewards=parts)

    assert "line 1: reward is 1.2, a shaped reward" in bench.refusal(*pair(shaped))
    recorded = kit.both(*pair(shaped), score="correct")
    assert kit.totals(recorded, "base") == kit.Totals(6, 1, 0, 1)
    assert "(correct)" in recorded.benchmark.source


def test_halves_that_add_up_to_one_are_one(kit, pair) -> None:
    def halves(rows):
        parts = {"a": {"score": 1.0, "weight": 0.5}, "b": {"score": 0.5, "weight": 1.0}}
        return changed(rows, 1, rewards=parts)

    assert kit.totals(kit.both(*pair(halves)), "base").correct == 2


@pytest.mark.parametrize(
    "parts", [{}, {"correct": None}, {"correct": {"score": 1.0}, "judge": None}]
)
def test_a_reward_that_was_not_given_in_whole_is_unscored(kit, pair, parts: Row) -> None:
    recorded = kit.both(*pair(lambda rows: changed(rows, 0, rewards=parts)))
    assert kit.totals(recorded, "base") == kit.Totals(6, 0, 1, 0)


def test_a_judge_in_an_episode_is_not_the_sample(kit, pair) -> None:
    def judged(rows):
        judge = trace(0.0, "no", agent={"name": "judge", "trainable": False}, rewards={})
        rows[0]["traces"] = [judge, *rows[0]["traces"]]
        return rows

    assert kit.totals(kit.both(*pair(judged)), "base") == kit.Totals(6, 1, 0, 1)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"traces": [trace(1, "a"), trace(0, "b")]}, "line 1: 2 agents of one episode were"),
        ({"run": {"type": "train", "id": "r", "work": {"type": "train", "step": 3}}},
         "line 1: an episode drawn for training, each by another policy"),
        ({"run": {"work": {"type": "eval", "step": 3, "policy": {"start": 3, "end": 4}}}},
         "line 1: drawn while the policy went from version 3 to 4"),
        ({"run": {"work": {"type": "eval", "step": 3, "policy": {"start": 3, "end": 3}}}},
         "line 2: of nothing, line 1 is of step 3, policy 3: split it"),
        ({"task": {"data": []}}, "line 1: task.data must be an object"),
        ({"traces": {"a": 1}}, "line 1: traces must be a list"),
        ({"traces": [trace(1, "a", nodes=[3])]}, "line 1: nodes must be an object"),
        ({"traces": [trace(1, "a", rewards={"a": {"score": "1"}})]},
         'line 1: score and weight of a must be numbers, got "1"'),
        ({"traces": [trace(1, "a", rewards={"a": {"score": True}})]}, "must be numbers, got true"),
    ],
)  # fmt: skip
def test_an_episode_of_no_one_checkpoint_is_refused(bench, pair, change: Row, words: str) -> None:
    assert words in bench.refusal(*pair(lambda rows: [rows[0] | change, *rows[1:]]))


def test_a_selection_by_outcome_is_refused(bench, tmp_path) -> None:
    chosen = write(tmp_path / "eval" / "effective" / "traces.jsonl", episodes(BASE))
    assert "a selection by outcome: give eval/all/traces.jsonl" in bench.refusal(chosen, chosen)


def evaluated(step: int, rows: list[Row]) -> list[Row]:
    policy = {"start": step, "end": step}
    run = {"type": "train", "id": "r", "work": {"type": "eval", "step": step, "policy": policy}}
    return [row | {"run": run} for row in rows]


def test_the_evaluations_of_a_training_are_a_series(tmp_path: Path) -> None:
    for step, corrects in ((0, BASE), (10, BASE[::-1]), (20, RLVR)):
        folder = tmp_path / "rollouts" / f"step_{step}"
        write(folder / "eval" / "all" / "traces.jsonl", evaluated(step, episodes(corrects)))
        write(folder / "eval" / "effective" / "traces.jsonl", episodes(BASE))
        write(folder / "train" / "all" / "traces.jsonl", episodes(BASE))
    recorded = read("b", {"steps": [tmp_path / "rollouts"]})
    assert list(recorded.tallies) == ["base", "rlvr", "step-10"]
    assert [t.correct for t in recorded.tallies["rlvr"]] == [2, 1]


# OpenCompass


def details(corrects: Sequence[Sequence[object]], key: str = "correct", **more: object) -> Row:
    found = [
        {"example_abbr": f"gsm8k_{i}", "pred": ["5"] * len(row), key: [*row]} | more
        for i, row in enumerate(corrects)
    ]
    return {"accuracy (3 runs average)": 41.7, "details": found}


def document(path: Path, content: Row) -> Path:
    path.write_text(json.dumps(content, indent=4))
    return path


@pytest.mark.parametrize("key", ["correct", "is_correct", "cascade_correct"])
def test_named_details_are_counts(kit, tmp_path, key: str) -> None:
    base = document(tmp_path / "base.json", details(BASE, key))
    rlvr = document(tmp_path / "rlvr.json", details([[True, 1.0, False], [1, 0, None]], key))
    recorded = kit.both(base, rlvr)
    assert [(t.problem, t.n, t.correct, t.unscored) for t in recorded.tallies["rlvr"]] == [
        ("gsm8k_0", 3, 2, 0),
        ("gsm8k_1", 3, 1, 1),
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (details(BASE, "right"), "details[0]: no truth in it, got the keys example_abbr, pred"),
        (details(BASE, example_abbr=""), "details[0]: example_abbr is empty"),
        (details(BASE, correct="11"), "details[0]: correct must be a list"),
        (details([[0.5]]), "details[0]: a score must be 0 or 1"),
        (details(BASE, example_abbr="gsm8k_0"), "gsm8k_0"),
        (
            {"accuracy": 40.0, "details": {"0": {"correct": True}}},
            "have an example_abbr",
        ),
    ],
)
def test_details_that_tell_no_grades_are_refused(bench, tmp_path, content, words: str) -> None:
    path = document(tmp_path / "a.json", content)
    assert words in bench.refusal(path, path)


def test_details_cannot_be_graded_again(bench, tmp_path) -> None:
    path = document(tmp_path / "a.json", details(BASE))
    assert "hold no completions" in bench.refusal(path, path, verifier="number")
