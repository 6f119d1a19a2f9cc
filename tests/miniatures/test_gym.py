"""Generated benchmarks are what their pins say, and share no problem with training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from rlvr_gate.records import Grade, Problem
from rlvr_gate_fixtures.inputs.benchmarks import gym
from rlvr_gate_fixtures.verifiers import VERIFIERS

pytest.importorskip("reasoning_gym")


@pytest.mark.parametrize("name", gym.NAMES)
def test_a_benchmark_matches_its_pin(name: str) -> None:
    problems = gym.generate(name)
    assert len(problems) == 100
    assert [problem.id for problem in problems[:2]] == [f"{name}-0000", f"{name}-0001"]
    assert len({problem.prompt for problem in problems}) == 100
    assert gym.BENCHMARKS[name].digest in gym.source(name)


def test_countdown_problems_are_compact_and_solvable_in_principle() -> None:
    first = gym.generate("countdown")[0]
    assert first == Problem(
        "countdown-0000", "C14,25,20=59:", "14,25,20=59", "countdown", "3 numbers"
    )
    assert VERIFIERS["countdown"](">14+25+20", first.answer).grade is Grade.CORRECT


@pytest.mark.parametrize("name", [name for name in gym.NAMES if name != "countdown"])
def test_the_answers_on_file_are_correct_for_their_verifiers(name: str) -> None:
    for problem in gym.generate(name):
        verifier = VERIFIERS[problem.verifier]
        assert verifier(problem.answer, problem.answer).grade is Grade.CORRECT
        assert verifier(problem.answer + "7", problem.answer).grade is Grade.WRONG


def test_no_problem_is_in_two_sets() -> None:
    benchmark, validation = gym.keys(gym.COUNTDOWN), gym.keys(gym.COUNTDOWN_VALIDATION)
    assert len(gym.problems(gym.COUNTDOWN_VALIDATION)) == 100
    assert not benchmark & validation
    some = replace(gym.COUNTDOWN_TRAINING, size=300)
    assert not gym.keys(some) & (benchmark | validation)


def test_what_a_set_must_avoid_is_left_out() -> None:
    same = replace(gym.COUNTDOWN, name="again", disjoint_from=(gym.COUNTDOWN,))
    assert not gym.keys(same) & gym.keys(gym.COUNTDOWN)


def test_another_digest_is_refused_with_both() -> None:
    changed = replace(gym.CHAIN_SUM, seed=1)
    with pytest.raises(ValueError, match=rf"chain_sum expected .*{changed.digest}, got [0-9a-f]+"):
        gym.problems(changed)


def test_another_version_is_refused_with_the_remedy() -> None:
    with pytest.raises(ValueError, match=r"install reasoning-gym==0\.0\.1"):
        gym.problems(replace(gym.CHAIN_SUM, version="0.0.1"))


def test_a_configuration_that_yields_too_little_is_refused() -> None:
    narrow = replace(gym.CHAIN_SUM, config={**gym.CHAIN_SUM.config, "max_digits": 1}, size=500)
    with pytest.raises(ValueError, match="needs 500 problems, got "):
        gym.problems(narrow)


def test_the_digest_sees_order_and_content() -> None:
    problems: Sequence[Problem] = gym.generate("chain_sum")
    assert gym.problems_digest(tuple(problems)) == gym.CHAIN_SUM.digest
    assert gym.problems_digest(tuple(problems[::-1])) != gym.CHAIN_SUM.digest
