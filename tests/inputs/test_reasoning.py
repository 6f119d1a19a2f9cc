"""Any reasoning-gym task by name and parameters, and mixes of several."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rlvr_gate_fixtures.inputs import benchmarks
from rlvr_gate_fixtures.inputs.benchmarks import BenchmarkError, reasoning

pytest.importorskip("reasoning_gym")


def test_a_task_with_parameters() -> None:
    loaded = benchmarks.load("gym:basic_arithmetic?size=8&seed=3&min_terms=2&max_terms=2")
    assert loaded.name == "gym:basic_arithmetic?max_terms=2&min_terms=2&seed=3&size=8"
    assert len(loaded.problems) == 8
    assert loaded.source.startswith("reasoning-gym 0.1.25, basic_arithmetic max_terms 2")
    first = loaded.problems[0]
    assert (first.id, first.verifier, first.stratum) == (
        "basic_arithmetic-0000", "gym", "basic_arithmetic",
    )  # fmt: skip
    assert first.prompt.endswith("Give your final answer between <answer> and </answer>.")
    assert json.loads(first.answer)["task"] == "basic_arithmetic"


def test_the_same_spec_is_the_same_problems_and_another_seed_is_others() -> None:
    one, again, other = (
        benchmarks.load(f"gym:lcm?size=5&seed={seed}").digest for seed in (1, 1, 2)
    )
    assert one == again != other


def test_a_mix_has_a_stratum_for_each_task() -> None:
    loaded = benchmarks.load("gym:lcm+gcd?size=6&gcd.size=3")
    assert [problem.stratum for problem in loaded.problems] == ["lcm"] * 6 + ["gcd"] * 3


def test_the_tasks_that_prorl_held_out() -> None:
    loaded = benchmarks.load("gym:prorl?size=2")
    assert {p.stratum for p in loaded.problems} == {"acre", "boxnet", "game_of_life_halting"}


def test_a_scorer_that_drops_the_sign_is_replaced() -> None:
    loaded = benchmarks.load("gym:gsm_symbolic?size=2")
    assert {problem.verifier for problem in loaded.problems} == {"number"}


def test_items_without_an_answer_that_scores_are_left_out_and_told() -> None:
    loaded = benchmarks.load("gym:intermediate_integration?size=8")
    assert len(loaded.problems) < 8
    assert "left out that cannot be graded, as intermediate_integration-" in loaded.notes[0]


def test_what_depends_on_the_hash_seed_is_told() -> None:
    assert "PYTHONHASHSEED" in benchmarks.load("gym:ransom_note?size=2").notes[0]


def test_items_that_come_again_are_asked_once() -> None:
    loaded = benchmarks.load("gym:tower_of_hanoi?size=40")
    assert len(loaded.problems) < 40
    assert "listed more than once" in loaded.notes[0]


def test_what_was_generated_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = benchmarks.load("gym:lcm?size=3", cache=tmp_path)
    monkeypatch.setattr(reasoning, "_problems", None)
    assert benchmarks.load("gym:lcm?size=3", cache=tmp_path) == first
    monkeypatch.setattr(reasoning, "find_spec", lambda name: None)
    with pytest.raises(BenchmarkError, match="not installed"):
        benchmarks.load("gym:lcm?size=4", cache=tmp_path)


def test_scorers_of_another_version_are_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reasoning, "version", lambda name: "0.1.26")
    with pytest.raises(BenchmarkError, match=r"expected reasoning-gym 0\.1\.25, .* got 0\.1\.26"):
        benchmarks.load("gym:lcm?size=3")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gym:boxnett", "reasoning-gym has no task 'boxnett', did you mean boxnet"),
        ("gym:boxnet?rows=3", "boxnet has no parameter 'rows', it has min_row_num"),
        ("gym:lcm?min_numbers=5&max_numbers=2", "lcm refuses these parameters: "),
        ("gym:lcm?min_numbers=many", "lcm refuses these parameters"),
    ],
)
def test_what_no_generator_takes(text: str, message: str) -> None:
    with pytest.raises(BenchmarkError, match=message):
        benchmarks.load(text)
