"""Further problems are what they are called, kept away from training, as the recipe writes."""

from __future__ import annotations

import json
from itertools import permutations, product

import pytest

pytest.importorskip("torch")

from rlvr_gate.records import Problem
from rlvr_gate_fixtures.inputs import benchmarks
from rlvr_gate_fixtures.inputs.benchmarks import gym
from rlvr_gate_fixtures.inputs.variants.begun import FEWEST
from rlvr_gate_miniatures import further, tokenizer
from rlvr_gate_miniatures.countdown import Puzzle, puzzle

COUNTS = {
    "countdown-more": 500,
    "countdown-sizes": 200,
    "countdown-products": 40,
    "countdown-worded": 100,
}


def shipped(name: str) -> tuple[Problem, ...]:
    return benchmarks.load(str(further.SHIPPED / f"{name}.jsonl")).problems


@pytest.mark.parametrize("name", COUNTS)
def test_each_is_a_benchmark_of_different_puzzles(name: str) -> None:
    found = shipped(name)
    assert len(found) == len({puzzle(p).key for p in found}) == COUNTS[name]
    assert name in further.WRITTEN


def test_sums_of_three_are_right_and_beyond_what_was_taught() -> None:
    for problem in shipped("sums-of-three"):
        terms = problem.prompt.removeprefix("S").removesuffix(":").split("+")
        assert len(terms) == 3
        assert int(problem.answer) == sum(map(int, terms)) > 99


def reached(numbers: tuple[int, ...]) -> set[float]:
    """What two or more numbers, each used once, come to in any order and with any brackets."""
    if len(numbers) == 1:
        return {numbers[0]}
    found: set[float] = set()
    for cut in range(1, len(numbers)):
        for a, b in product(reached(numbers[:cut]), reached(numbers[cut:])):
            found |= {a + b, a - b, a * b} | ({a / b} if b else set())
    return found


def test_products_are_solved_by_products_alone() -> None:
    for problem in shipped("countdown-products")[:6]:
        one = puzzle(problem)
        ways = [reached(order) for order in permutations(one.numbers)]
        assert any(abs(value - one.target) < 1e-9 for way in ways for value in way)
        assert not further.sums_do(one)
    assert further.sums_do(Puzzle((9, 25, 7), 27))
    assert not further.sums_do(Puzzle((3, 5), 15))


def test_sizes_are_strata_in_equal_parts() -> None:
    found = [problem.stratum for problem in shipped("countdown-sizes")]
    assert {size: found.count(size) for size in found} == {
        f"{size} numbers": further.EACH for size in further.SIZES
    }


@pytest.mark.parametrize("name", ["countdown-more", "countdown-sizes", "countdown-products"])
def test_none_stands_in_the_benchmark_or_the_validation_set(name: str) -> None:
    known = gym.keys(gym.COUNTDOWN) | gym.keys(gym.COUNTDOWN_VALIDATION)
    assert not known & {puzzle(problem).key for problem in shipped(name)}


@pytest.mark.slow
@pytest.mark.parametrize("name", COUNTS)
def test_the_recipe_writes_it(name: str) -> None:
    assert (further.SHIPPED / f"{name}.jsonl").read_text("utf-8") == further.text(name)


def test_questions_in_words_are_the_benchmarks_and_can_be_spelled() -> None:
    lines = list(further.worded())
    assert [json.dumps(line) for line in lines] == (
        (further.SHIPPED / "countdown-worded.jsonl").read_text("utf-8").splitlines()
    )
    assert [line["answer"] for line in lines] == [p.answer for p in gym.problems(gym.COUNTDOWN)]
    for line in lines:
        asked = line["problem"]
        assert tokenizer.decode(tokenizer.encode(asked)) == asked
        assert len(asked.split()) >= FEWEST


def test_the_corpus_is_what_the_recipe_writes() -> None:
    assert further.CORPUS.read_text("utf-8").splitlines() == list(further.corpus())
