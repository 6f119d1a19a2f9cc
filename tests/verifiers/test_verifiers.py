"""Verifiers agree with reasoning-gym, and say unscored where the file is at fault."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest

from rlvr_gate.records import Grade
from rlvr_gate_fixtures.verifiers import VERIFIERS, evaluate

countdown, exact = VERIFIERS["countdown"], VERIFIERS["exact"]
integer, number = VERIFIERS["integer"], VERIFIERS["number"]

PUZZLE = "9,23,15=17"


def random_expression(rng: random.Random, numbers: list[int]) -> str:
    parts = [str(value) for value in numbers]
    while len(parts) > 1:
        left = parts.pop(rng.randrange(len(parts)))
        right = parts.pop(rng.randrange(len(parts)))
        joined = left + rng.choice("+-*/") + right
        parts.append(f"({joined})" if rng.random() < 0.5 else joined)
    return parts[0]


def garbled(rng: random.Random, text: str) -> str:
    at = rng.randrange(len(text))
    return text[:at] + rng.choice("+-/()0123456789 =x") + text[at + rng.randint(0, 1) :]


def test_countdown_agrees_with_reasoning_gym() -> None:
    reasoning_gym = pytest.importorskip("reasoning_gym")
    dataset = reasoning_gym.create_dataset("countdown", size=1, seed=1)
    rng = random.Random(0)
    seen = {Grade.CORRECT: 0, Grade.WRONG: 0}
    for _ in range(1500):
        numbers = [rng.randint(1, 25) for _ in range(rng.randint(3, 4))]
        expression = random_expression(rng, numbers)
        try:
            target = evaluate(expression)[0]
        except ValueError:
            target = Fraction(17)
        if target.denominator > 1 or rng.random() < 0.2:
            target = Fraction(rng.randint(10, 99))
        if rng.random() < 0.3:
            expression = garbled(rng, expression)
        entry = {"metadata": {"numbers": numbers, "target": int(target)}}
        theirs = dataset.score_answer(expression, entry) == 1.0
        puzzle = f"{','.join(map(str, numbers))}={target}"
        ours = countdown(f"r1+1=2>{expression}", puzzle).grade
        assert (ours is Grade.CORRECT) is theirs, (expression, puzzle)
        seen[ours] += 1
    assert min(seen.values()) > 300


@pytest.mark.parametrize(
    ("completion", "grade"),
    [
        ("r9+23=32,32-15=17>9+23-15", Grade.CORRECT),
        ("nonsense > 1 > (9 + 23) - 15 ", Grade.CORRECT),
        (">-15+9+23", Grade.CORRECT),
        ("9+23-15", Grade.CORRECT),
        (">", Grade.WRONG),
        ("", Grade.WRONG),
        (">9+23-15 extra", Grade.WRONG),
        (">9+23", Grade.WRONG),
        (">9+23-15+15-15", Grade.WRONG),
        (">17", Grade.WRONG),
        (">9+23-14", Grade.WRONG),
        (">09+23-15", Grade.WRONG),
        (">9+23--15", Grade.WRONG),
        (">23**9-15", Grade.WRONG),
        (">23//9+15", Grade.WRONG),
        (">(9+23-15", Grade.WRONG),
        (">9+23-15)", Grade.WRONG),
        (">23/(9-9)+15", Grade.WRONG),
        (">９+23-15", Grade.WRONG),
    ],
)
def test_countdown_reads_what_follows_the_last_marker(completion: str, grade: Grade) -> None:
    assert countdown(completion, PUZZLE).grade is grade


def test_countdown_computes_exactly() -> None:
    assert countdown(">8/(3-8/3)", "3,3,8,8=24").grade is Grade.CORRECT
    assert countdown(">25-1/24/25", "1,24,25,25=25").grade is Grade.WRONG


@pytest.mark.parametrize("answer", ["", "9,23,15", "9,,15=17", "=17", "9;23=17", "x" * 10_000])
def test_an_answer_nobody_can_read_leaves_the_completion_unscored(answer: str) -> None:
    assert countdown(">9+23-15", answer).grade is Grade.UNSCORED
    assert integer("17", answer).grade is Grade.UNSCORED
    assert number("17", answer).grade is Grade.UNSCORED
    assert exact(answer, " ").grade is Grade.UNSCORED


@pytest.mark.parametrize(
    ("completion", "answer", "grade"),
    [
        ("17", "17", Grade.CORRECT),
        (" the answer is 17.", "17", Grade.CORRECT),
        ("first 3, then #### 17", "17", Grade.CORRECT),
        ("17 #### 3", "17", Grade.WRONG),
        ("-4", "-4", Grade.CORRECT),
        ("8-4", "4", Grade.CORRECT),
        ("017", "17", Grade.CORRECT),
        ("17.0", "17", Grade.CORRECT),
        ("17.5", "17", Grade.WRONG),
        ("1,250", "1250", Grade.CORRECT),
        ("none", "17", Grade.WRONG),
        ("17", "17.5", Grade.UNSCORED),
    ],
)
def test_integer_takes_the_last_number(completion: str, answer: str, grade: Grade) -> None:
    assert integer(completion, answer).grade is grade


@pytest.mark.parametrize(
    ("completion", "answer", "grade"),
    [
        ("0.5", "1/2", Grade.CORRECT),
        ("1/2", ".5", Grade.CORRECT),
        ("1/3", "0.333", Grade.WRONG),
        ("1/0", "1", Grade.WRONG),
        ("2", "1/0", Grade.UNSCORED),
    ],
)
def test_number_compares_exactly(completion: str, answer: str, grade: Grade) -> None:
    assert number(completion, answer).grade is grade


def test_exact_ignores_surrounding_white_space_only() -> None:
    assert exact(" razal\n", "razal").grade is Grade.CORRECT
    assert exact("Razal", "razal").grade is Grade.WRONG


def test_every_verifier_has_a_version_for_stored_grades() -> None:
    assert {name: verifier.version for name, verifier in VERIFIERS.items()} == {
        "choice": "6",
        "code": "5",
        "countdown": "4",
        "exact": "1",
        "gym": "2",
        "integer": "8",
        "math": "9",
        "number": "8",
        "regex": "2",
        "yes_no": "3",
    }
