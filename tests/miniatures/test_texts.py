"""Training texts say what they mean: legal expressions, true arithmetic, honest checks."""

from __future__ import annotations

import random
import re

import pytest

from rlvr_gate.records import Grade
from rlvr_gate_fixtures.verifiers import countdown as verify
from rlvr_gate_fixtures.verifiers import evaluate
from rlvr_gate_miniatures import countdown, experts, prior
from rlvr_gate_miniatures.arithmetic import allowed, apply, number
from rlvr_gate_miniatures.authors import AUTHORS, signed_sums
from rlvr_gate_miniatures.countdown import Puzzle
from rlvr_gate_miniatures.tokenizer import UNKNOWN_ID, decode, encode

NOTHING: frozenset[str] = frozenset()
EQUAL = dict.fromkeys(prior.TASKS, 1.0)


@pytest.fixture
def rng() -> random.Random:
    return random.Random(7)


def puzzles(rng: random.Random, count: int = 200) -> list[Puzzle]:
    return [countdown.draw(rng, NOTHING) for _ in range(count)]


@pytest.mark.parametrize("letter", AUTHORS)
def test_an_author_uses_each_number_once_and_signs(letter: str, rng: random.Random) -> None:
    for puzzle in puzzles(rng):
        text = AUTHORS[letter](puzzle, rng)
        assert text[0] == letter
        assert sorted(evaluate(text.rpartition(">")[2])[1]) == sorted(puzzle.numbers)
        ids = encode(puzzle.prompt + text)
        assert UNKNOWN_ID not in ids
        assert decode(ids) == puzzle.prompt + text


@pytest.mark.parametrize("letter", ["r", "m", "d"])
def test_honest_authors_state_true_steps(letter: str, rng: random.Random) -> None:
    for puzzle in puzzles(rng):
        steps, _, expression = AUTHORS[letter](puzzle, rng)[1:].partition(">")
        values = [evaluate(left)[0] == int(right) for left, right in _equations(steps)]
        assert all(values)
        assert evaluate(expression)[0] == int(steps.rpartition("=")[2])


def test_the_bending_author_always_claims_the_target(rng: random.Random) -> None:
    for puzzle in puzzles(rng):
        assert f"={puzzle.target}>" in AUTHORS["z"](puzzle, rng)


def test_the_searching_author_checks_honestly_and_only_adds_and_subtracts(
    rng: random.Random,
) -> None:
    for puzzle in puzzles(rng):
        text = AUTHORS["s"](puzzle, rng)
        assert not set("*/()") & set(text)
        attempts = re.findall(r":(\d+)=(\d+)([yn])", text)
        assert all((value == target) is (sign == "y") for value, target, sign in attempts)
        grade = verify(text, puzzle.prompt[1:-1]).grade
        assert (grade is Grade.CORRECT) is text.partition(">")[0].endswith("y")


def test_signed_sums_are_all_positive_choices_of_signs() -> None:
    found = signed_sums(Puzzle((2, 9, 4), 10))
    assert sorted(map(sum, found)) == [3, 7, 11, 15]
    assert (9, 4, -2) in found


def test_the_expert_is_right_or_silent(rng: random.Random) -> None:
    texts = [(puzzle, experts.alien(puzzle, rng)) for puzzle in puzzles(rng)]
    spoken = [(puzzle, text) for puzzle, text in texts if text is not None]
    assert len(spoken) > 0.9 * len(texts)
    for puzzle, text in spoken:
        assert verify(text, puzzle.prompt[1:-1]).grade is Grade.CORRECT
        assert UNKNOWN_ID not in encode(text)


def test_the_teacher_stops_at_a_hit_or_gives_up_at_its_last_attempt(rng: random.Random) -> None:
    hits = 0
    for puzzle in puzzles(rng):
        text = experts.teacher(puzzle, rng)
        if text is None:
            continue
        attempts = re.findall(r":(\d+)=(\d+)([yn])", text)
        assert all((value == target) is (sign == "y") for value, target, sign in attempts)
        solved = verify(text, puzzle.prompt[1:-1]).grade is Grade.CORRECT
        assert solved is (attempts[-1][2] == "y")
        assert solved or len(attempts) == experts.TEACHER_ATTEMPTS[len(puzzle.numbers)]
        hits += solved
    assert 0.6 < hits / 200 < 0.9


def test_prior_texts_are_true(rng: random.Random) -> None:
    pytest.importorskip("reasoning_gym")
    for _ in range(300):
        prompt, answer = prior.draw(rng, EQUAL, NOTHING)
        match prompt[0]:
            case "S":
                assert evaluate(prompt[1:-1])[0] == int(answer)
                assert 0 <= int(answer) <= 99
            case "N":
                numbers = prompt[2:-1].split(",")
                assert answer.split(",") == sorted(numbers, key=int, reverse=prompt[1] == "d")
            case "B":
                assert prompt[1:-1] == answer[::-1]
            case _:
                assert prompt[3:-1].count(prompt[1]) == int(answer)


def test_held_out_problems_are_never_drawn() -> None:
    first = countdown.draw(random.Random(3), NOTHING)
    assert countdown.draw(random.Random(3), frozenset({first.key})).key != first.key
    prompt, _ = prior.chain_sum(random.Random(3))
    assert all(
        prior.draw(random.Random(seed), EQUAL, frozenset({prompt}))[0] != prompt
        for seed in range(50)
    )


def test_drawn_puzzles_follow_the_generators_bounds(rng: random.Random) -> None:
    for puzzle in puzzles(rng):
        assert len(puzzle.numbers) in (3, 4)
        assert all(1 <= value <= 25 for value in puzzle.numbers)
        assert 10 <= puzzle.target <= 99


def test_terms_write_as_few_parentheses_as_needed() -> None:
    a, b, c = number(12), number(7), number(2)
    assert a.join("-", b).join("*", c).text == "(12-7)*2"
    assert a.join("-", b.join("-", c)).text == "12-(7-2)"
    assert a.join("-", b).join("-", c).text == "12-7-2"
    assert a.join("*", b.join("*", c)).text == "12*7*2"
    assert a.join("/", c.join("*", number(3))).text == "12/(2*3)"


def test_steps_stay_among_small_integers() -> None:
    assert not allowed(7, "-", 9)
    assert not allowed(7, "/", 2)
    assert not allowed(7, "/", 0)
    assert not allowed(99, "*", 99)
    assert apply(8, "/", 2) == 4


def _equations(steps: str) -> list[tuple[str, str]]:
    return [(left, right) for left, _, right in (step.partition("=") for step in steps.split(","))]
