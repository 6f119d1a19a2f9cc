"""What is left out for speed changes no grade: short cuts against the rules that they shorten."""

from __future__ import annotations

import gzip
import json
import os
import random
import re
from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from pathlib import Path

import pytest

from rlvr_gate.records import Graded
from rlvr_gate_fixtures.verifiers import VERIFIERS, latex, maths, parts, plain, reading, said
from rlvr_gate_fixtures.verifiers.numerals import LONG_DECIMAL, Number

NEVER = re.compile("(?!)")
PIECES = [
    *("18", "\\boxed{18}", "\\boxed{\\text{7}}", "#### 18", "The answer is 18.", "答案是 18"),
    *("\n", "\n\n", " \n \n", " ", ". ", "} ", "] ", "x", "ß", "ﬁ", "\t"),
    *("### Question\n", "\n## Problem **\n", "**Task**\n", "\n# Question", "example\n"),
    *("Question:", "question 2.", "Q:", "Q2)", "q: ", "**Problem 3**\n", "the next Task: "),
    *("problem", "the problem is", "User:", "Human: ", "A: 7", "\nA: 7", "问：", "问题 2:"),
    *("How many pens are there if 3 of 4 are sold?", "Wait, should I check that 3 is right?"),
    *("<think>", "</think>", "<reasoning>", "[THINK]", "I think", "<answer>7</answer>"),
    *("<|im_end|>", "</s>", "[INST]", "<", "[", "<eos>", "\\frac{1}{2}", "answers: B", "fbox{3}"),
    *("<answer>", "</answer>", "</ANSWER>", "\\fbox{18}", "boxed{18}", "\\boxed 7", "box", "$#$"),
    *("\\boxed{18.0}", "\\boxed{>= 2}", "\\boxed{3pi}", "\\boxed{5^{th}}", "\\boxed{2**3}", "> "),
    *("<|begin_of_thought|>", "<|end_of_thought|>", "◁think▷", "◁/think▷", "x < y"),
    *("\\boxed{(-\\infty, oo)}", "\\boxed{3 mod 7}", "\\boxed{5./2}", "\\boxed{{:} \\$5}", "Q: 3"),
    *("\\boxed{-5}", "\\boxed{007}", "\\boxed{{4}}", "\\boxed{12", "$\\pi$", "50%"),
]  # fmt: skip
ROOT = Path(os.environ.get("RLVR_GATE_REFERENCE_DATA", "/nonexistent"))


def texts(count: int) -> Iterator[str]:
    rng = random.Random(11)
    for _ in range(count):
        yield "".join(rng.choices(PIECES, k=rng.randrange(1, 9)))


def spans(found: list[re.Match[str]]) -> list[tuple[int, int]]:
    return [match.span() for match in found]


def test_heads_and_answers_are_found_where_the_whole_text_is_searched() -> None:
    heads = given = 0
    longer = ("ﬁ" * 40 + "\nQuestion: 1\nQuestion: 2", "ß" * 40 + "#### 18\n#### 19")
    for text in (*longer, *texts(20_000)):
        whole = list(said._NEXT.finditer(text))
        assert spans(said._heads(text)) == spans(whole), text
        first, expected = said._given(text), said._GIVEN.search(text)
        assert (first and first.span()) == (expected and expected.span()), text
        heads, given = heads + bool(whole), given + bool(first)
    assert min(heads, given) > 800


def test_paragraphs_after_an_answer_are_those_that_a_search_from_there_finds() -> None:
    for text in texts(3000):
        found = said._paragraphs(text)
        for start in range(0, len(text) + 1, 3):
            after = [
                each.start()
                for each in said._PARAGRAPH.finditer(text, start)
                if re.search(r"\d", each[1]) and not said._TALK.search(each[1])
            ]
            assert [each for each in found if each >= start] == after


def graded(completions: list[tuple[str, str]]) -> list[Graded]:
    names = ("number", "choice", "yes_no", "math")
    return [VERIFIERS[name](text, answer) for name in names for text, answer in completions]


def without_short_cuts(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(reading, "PLAINEST", NEVER)
    patch.setattr(parts, "PLAINEST", NEVER)
    patch.setattr(plain, "_ONE_PAIR", NEVER)
    patch.setattr(said, "_SIMPLE_BOX", NEVER)
    patch.setattr(said, "_tags_of_thinking", lambda text: list(said._THINKING.finditer(text)))
    patch.setattr(said, "_first_turn", first_turn)
    patch.setattr(said, "_heads", lambda text: list(said._NEXT.finditer(text)))
    patch.setattr(said, "_given", said._GIVEN.search)
    patch.setattr(said, "_boxes", said._BOX.finditer)
    patch.setattr(said, "_last_tag", lambda text: said._last_match(said._TAG, text))
    patch.setattr(said, "_end_of_tag", said._TAG_END.search)
    every = [(("",), pattern, new) for _, pattern, new in latex._PLAIN_WORDS]
    patch.setattr(latex, "_PLAIN_WORDS", every)
    maths._on_file.cache_clear()


def first_turn(text: str) -> str:
    ends = (token.start() for token in said._END_OF_TEXT.finditer(text))
    return text[: next((end for end in ends if text[:end].strip()), len(text))]


def test_every_grade_and_its_words_are_those_of_the_long_way(monkeypatch) -> None:
    completions = [(text, answer) for text in texts(2500) for answer in ("18", "7")]
    short = graded(completions)
    without_short_cuts(monkeypatch)
    assert short == graded(completions)


@pytest.mark.skipif(
    not ROOT.is_dir(), reason="RLVR_GATE_REFERENCE_DATA names no folder of reference data"
)
def test_recorded_completions_are_graded_as_by_the_long_way(monkeypatch) -> None:
    path = ROOT / "recorded/reasoning_gym_llama3b/step_400"
    rows = []
    for file in sorted(path.glob("*/results.json.gz")):
        (category,) = json.loads(gzip.decompress(file.read_bytes()))["categories"]
        for result in category["datasets"][0]["results"]:
            answer = str(result["expected_answer"])
            rows += [(each["full_model_response"], answer) for each in result["completions"]]
    assert len(rows) == 3500
    short = graded(rows)
    without_short_cuts(monkeypatch)
    assert short == graded(rows)


def test_two_numbers_are_one_by_the_rule_as_it_reads() -> None:
    """Two with a scale by value times scale, all others by value, by it, or as a long decimal."""
    places = [Number(Fraction("0.3333333333"), places=10), Number(Fraction("0.333"), places=3)]
    values = [Fraction(1, 3), Fraction(5), Fraction(500), Fraction("0.05"), Fraction(-5)]
    numbers = places + [
        Number(value, scale) for value in values for scale in (Fraction(1), Fraction(1, 100))
    ]
    for one, other in product(numbers, repeat=2):
        scaled = one.value * one.scale == other.value * other.scale
        begins = any(
            long.places >= LONG_DECIMAL
            and not short.places
            and short.value.denominator > 1
            and abs(long.value - short.value) < Fraction(1, 10**long.places)
            for long, short in ((one, other), (other, one))
        )
        both = one.scale != 1 and other.scale != 1
        expected = scaled if both else one.value == other.value or scaled or begins
        assert one.same(other) is expected
