"""Scorers of reasoning-gym under our rules: exact, and never handed what they would run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from rlvr_gate_fixtures.grading.pool import Grader, ToGrade
from rlvr_gate_fixtures.verifiers.gym import entry, gym

reasoning_gym = pytest.importorskip("reasoning_gym")


def items(task: str, size: int = 4, **parameters: object) -> list[Mapping[str, Any]]:
    dataset = reasoning_gym.create_dataset(task, size=size, seed=0, **parameters)
    return [dataset[index] for index in range(size)]


def grade(completion: str, task: str, item: Mapping[str, Any]) -> str:
    return str(gym(completion, entry(task, item)).grade.value)


# One task of each kind: scored whole or in parts, lists, expressions, words, boards.
TASKS = [
    "lcm", "countdown", "spiral_matrix", "n_queens", "polynomial_multiplication", "maze",
    "game_of_life_halting", "mini_sudoku", "knights_knaves", "complex_arithmetic",
]  # fmt: skip


@pytest.mark.parametrize("task", TASKS)
def test_the_tasks_own_answers_are_right_in_every_dress(task: str) -> None:
    for item in items(task):
        answer = item["answer"]
        for told in (
            answer,
            f"  {answer}\n",
            f"<think>or <answer>1</answer></think>So <answer>\n{answer}\n</answer> it is.",
            f"<answer>no</answer> but <answer>{answer}</answer>",
        ):
            assert grade(told, task, item) == "correct", (task, told)


@pytest.mark.parametrize("task", TASKS)
def test_junk_is_wrong(task: str) -> None:
    for item in items(task):
        for junk in ("", "42000001", "banana split", "{}", "[[[", "\0", "é" * 1000, "x" * 30_000):
            assert grade(junk, task, item) == "wrong", (task, junk)


def test_a_word_of_two_is_compared_where_the_scorer_accepts_any() -> None:
    for item in items("game_of_life_halting", 20):
        other = "False" if item["answer"] == "True" else "True"
        for told in (other, "banana", "42", "True or False"):
            assert grade(told, "game_of_life_halting", item) == "wrong"
        assert grade(f"{item['answer'].lower()}.", "game_of_life_halting", item) == "correct"


def test_twenty_four_is_made_of_the_puzzles_own_numbers() -> None:
    found = items("puzzle24", 10)
    assert all(grade(item["answer"], "puzzle24", item) == "correct" for item in found)
    cheat = [grade("10*(8 - 5) - 6", "puzzle24", item) for item in found
             if sorted(item["metadata"]["numbers"]) != [5, 6, 8, 10]]  # fmt: skip
    assert cheat
    assert set(cheat) == {"wrong"}


ATTACKS = [
    "__import__('os').system('touch {file}')",
    "[__import__('os').system('touch {file}')]",
    "(lambda: open('{file}', 'w'))()",
    "[open('{file}', 'w')]",
    "exec(\"open('{file}','w')\")",
    "x.__class__",
    "[x for x in [1]]()",
    "''.join(open('{file}', 'w').name)",
    "{open('{file}', 'w')}",
    'f\'{{open("{file}", "w")}}\'',
    "2**99999999",
    "9**9**9**9",
    "((9)**(9))**9999",
    "factorial(10000000)",
    "x" + "+x" * 9_000,
    "(" * 9_000 + "x" + ")" * 9_000,
    "[" * 9_000,
]


@pytest.mark.parametrize(
    "task",
    ["countdown", "puzzle24", "spiral_matrix", "binary_matrix", "n_queens", "string_insertion",
     "simple_integration", "intermediate_integration", "polynomial_multiplication"],
)  # fmt: skip
def test_nothing_a_model_wrote_is_evaluated(task: str, tmp_path) -> None:
    item = items(task, 1)[0]
    file = tmp_path / "was here"
    for attack in ATTACKS:
        told = attack.replace("{file}", str(file)).replace("{{", "{").replace("}}", "}")
        assert grade(told, task, item) == "wrong", told[:60]
    assert not file.exists()


@pytest.mark.parametrize("answer", ["", "{", "[]", '{"task": "lcm"}', "[" * 100_000, "null"])
def test_an_answer_on_file_that_is_no_item_leaves_it_unscored(answer: str) -> None:
    assert gym("1", answer).grade.value == "unscored"


def test_an_unknown_task_is_no_right_answer() -> None:
    on_file = json.dumps({"task": "nosuch", "entry": {"answer": "1", "metadata": {}}})
    assert gym("1", on_file).grade.value == "wrong"


def test_a_grading_worker_imports_it_once_and_grades() -> None:
    (item,) = items("lcm", 1)
    with Grader[int]() as grader:
        on_file = entry("lcm", item)
        grader.submit(
            ToGrade(n, "gym", told, on_file) for n, told in enumerate((item["answer"], "0"))
        )
        found: dict[int, str] = {}
        while grader.pending:
            found |= {ask.key: graded.grade.value for ask, graded in grader.poll(1.0)}
    assert found == {0: "correct", 1: "wrong"}
