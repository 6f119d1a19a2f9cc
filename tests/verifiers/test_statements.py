"""Arithmetic stated in texts, recomputed: what is a statement, and whether it is true."""

from __future__ import annotations

import gzip
import json
import os
import random
from fractions import Fraction
from pathlib import Path

import pytest

from rlvr_gate.records import Grade
from rlvr_gate_fixtures.verifiers import EVERY
from rlvr_gate_fixtures.verifiers.statements import statements
from rlvr_gate_fixtures.verifiers.sums import NoSumError, computed

DATA = Path(os.environ.get("RLVR_GATE_REFERENCE_DATA", "/nonexistent")) / "recorded"

TRUE = [
    "5 + 3 = 8", "x = 5 + 3 = 8", "8 = 5 + 3", "$5 + $3 = $8", "He has 5 + 3 = 8 pens.",
    "3 apples + 4 apples = 7 apples", "10/3 = 3.33", "10/3 ≈ 3", "1,000 + 234 = 1,234",
    r"\frac{1}{2} + \frac{1}{4} = \frac{3}{4}", r"$\frac12 \cdot 4 = 2$", r"2 \cdot 3^{2} = 18",
    r"2\frac{1}{2} = 2 + \frac{1}{2}", r"4 \times 5 &= 20", "6 times 7 = 42", "5! = 120",
    "2(3+4) = 14", "20% × 50 = 10", "5/20 * 100 = 25%", "-3 + 5 = 2", "(5 + 3 = 8)",
    "1. 5 + 3 = 8", "- 5 + 3 = 8", "<<48/2=24>>", "0.10*7 = 0.7000000000000001", "3 − 5 = −2",
    "Speed = 60 / 2 = 30 km/h", "9+23=32", "7 - 2 - 1 = 4", "2^3^1 = 8", "8/2/2 = 2",
]  # fmt: skip
FALSE = [
    "5 + 3 = 9", "x = 5 + 3 = 9", "10/3 = 3", "10/3 = 3.34", r"\frac12 + \frac14 = \frac{2}{4}",
    "3 - 5 = 2", "2 + 3 = 5 * 4", "<<48/2=25>>", "20% × 50 = 11", "5! = 125",
    "1,000 + 234 = 1234.5", r"4 \times 5 &= 21", "3 apples + 4 apples = 8 apples",
]  # fmt: skip
NONE = [
    "2x + 3 = 7", "x + 3 = 7", "n - 3 = 4", "5 = 3", "f(5) = 3+2", "a_5 = 3+2", "x^2 = 2+2",
    "17 mod 5 = 1 + 1", "12:30 - 2 = 10:30", r"\sqrt{16} = 2+3", "5 feet + 3 inches = 63 inches",
    "52_8 + 1 = 43", "|3 - 5| = 2", r"5 + 3 \neq 9", "5 + 3 == 9 or", "5 + 3 >= 9", "3 + x = 5",
    r"\log 8 = 2 + 2", "5 + 3 = 9x", "5 + 3 = y", "63 / 5 = 12 remainder 3", "1/0 = 5", "", "=",
    "2 squared + 1 = 6", "9^9^9^9 = 1", "5 + 3 =", "2 3 + 4 = 5",
]  # fmt: skip


@pytest.mark.parametrize("text", TRUE)
def test_true_statements(text: str) -> None:
    assert [each.true for each in statements(text)] == [True]


@pytest.mark.parametrize("text", FALSE)
def test_false_statements(text: str) -> None:
    assert [each.true for each in statements(text)] == [False]


@pytest.mark.parametrize("text", NONE)
def test_what_is_no_statement(text: str) -> None:
    assert statements(text) == ()


def test_a_chain_is_as_many_statements_as_it_has_equals_signs() -> None:
    assert [each.true for each in statements("2 + 3 = 5 = 6 = 12/2")] == [True, False, True]


def test_the_notation_of_the_miniatures() -> None:
    """The unit test of a clean answer: correct, and not clean, for 14 + 20 is 34."""
    text = "s14+20:32-25:7=59n25+20:45+14:59=59y>25+20+14"
    assert [each.true for each in statements(text)] == [False, True, True, True]
    assert [each.true for each in statements("r9+23=32,32-15=17>9+23-15")] == [True, True]
    clean = EVERY["countdown:clean"]
    assert EVERY["countdown"](text, "14,25,20=59").grade is Grade.CORRECT
    assert clean(text, "14,25,20=59").grade is Grade.WRONG
    assert clean(text.replace(":32-25:7", ":34-25:9"), "14,25,20=59").grade is Grade.CORRECT
    assert clean("14+25+20", "14,25,20=59").grade is Grade.UNSCORED


def test_sums_against_fractions_built_beside_them() -> None:
    rng = random.Random(3)
    for _ in range(300):
        text, value = str(rng.randint(1, 20)), Fraction(0)
        value = Fraction(int(text))
        for _ in range(rng.randint(1, 5)):
            operator, number = rng.choice("+-*/"), rng.randint(1, 12)
            text = f"({text}) {operator} {number}"
            value = {"+": value + number, "-": value - number, "*": value * number,
                     "/": value / number}[operator]  # fmt: skip
        assert computed(text) == value
        (said,) = statements(f"so {text} = {value.numerator}/{value.denominator}.")
        assert said.true
        (said,) = statements(
            f"so {text} = {value.numerator + value.denominator}/{value.denominator}."
        )
        assert not said.true


@pytest.mark.parametrize(
    "text", ["(" * 5000 + "1" + ")" * 5000, "9^30^30", "999999!", "1/(2-2)", "0^-1", "1" * 50,
             "+", "5(", "(5"]
)  # fmt: skip
def test_what_cannot_be_computed_is_refused_at_once(text: str) -> None:
    with pytest.raises(NoSumError):
        computed(text)


@pytest.mark.parametrize(
    "hostile", ["1+" * 50_000 + "=", "=" * 100_000, "((((" * 20_000 + "=1", "5 a" * 50_000 + "=2",
                r"\frac{" * 20_000 + "=", "<<" * 50_000 + "=", " " * 200_000 + "=1+1"]
)  # fmt: skip
def test_hostile_texts_take_no_time(hostile: str) -> None:
    assert len(statements(hostile)) <= 2000


needs_data = pytest.mark.skipif(
    not DATA.exists(), reason="RLVR_GATE_REFERENCE_DATA names no folder"
)


@needs_data
def test_recorded_solutions_that_are_right_are_mostly_clean() -> None:
    """GSM8K's own four systems annotate their sums; a false one in a right answer is rare."""
    text = gzip.decompress(
        (DATA / "gsm8k_solutions/example_model_solutions.jsonl.gz").read_bytes()
    )
    right = [
        statements(system["solution"])
        for row in map(json.loads, text.splitlines()[:400])
        for system in row.values()
        if isinstance(system, dict) and system["is_correct"]
    ]
    assert len(right) > 500
    assert sum(not found for found in right) / len(right) < 0.01
    clean = sum(bool(found) and all(each.true for each in found) for found in right)
    assert clean / len(right) > 0.97


@needs_data
def test_clean_is_never_more_than_correct_on_recorded_completions() -> None:
    lines = (DATA / "qwen_harness/math_cot_100.jsonl").read_text("utf-8").splitlines()
    counts = dict.fromkeys(Grade, 0)
    for row in map(json.loads, lines[:40]):
        for completion, right in zip(row["code"], row["score"], strict=True):
            grade = EVERY["math:clean"](completion, str(row["gt"])).grade
            assert right or grade is not Grade.CORRECT
            counts[grade] += bool(right)
    assert counts[Grade.CORRECT] > 10 * counts[Grade.WRONG]
