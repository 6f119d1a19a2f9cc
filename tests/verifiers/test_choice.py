"""The letter that is chosen, and no letter that is merely there."""

from __future__ import annotations

import pytest

from rlvr_gate.records import Grade
from rlvr_gate_fixtures.verifiers import VERIFIERS

choice = VERIFIERS["choice"]


@pytest.mark.parametrize(
    ("completion", "letter"),
    [
        ("B", "B"),
        ("(B)", "B"),
        ("B. 12 m/s", "B"),
        ("The answer is B. Note that A is a common distractor.", "B"),
        ("Answer: **D**", "D"),
        ("**Answer:** (D)", "D"),
        ("Answer: \\boxed{\\text{D}}", "D"),
        ("The correct answer is d.", "D"),
        ("Answer seems to be A.\n\nAnswer: B", "B"),
        ("Answer: It is not B, the answer is D", "D"),
        ("I considered (A), but it is incorrect. Final answer: D.", "D"),
        ("<answer>C</answer>", "C"),
        ("The answer is C, not A.", "C"),
        ("The answer is not A but C.", "C"),
        ("Answer: A is wrong, so Answer: C", "C"),
        ("Answer: C) 4 m/s", "C"),
        ("Answer: A, B is wrong because of its unit.", "A"),
        ("\\boxed{C: 4 m/s}", "C"),
        ("<think>The answer is A</think>\nThe answer is C", "C"),
        ("The answer is B.\n\nQuestion: and 3?\nThe answer is C", "B"),
    ],
)
def test_the_stated_letter_counts(completion: str, letter: str) -> None:
    for answer in "ABCD":
        expected = Grade.CORRECT if answer == letter else Grade.WRONG
        assert choice(completion, answer).grade is expected


@pytest.mark.parametrize(
    "completion",
    [
        *("Answer: A or B", "The answer is A/B", "Answer: A, B, C, D", "both A and B", "A B C D"),
        *("(A) (B) (C) (D)", "A. 1 B. 2 C. 3 D. 4", "\\boxed{A, B, C, D}", "\\boxed{A or B}"),
        *("Answer: A\nAnswer: B\nAnswer: C\nAnswer: D", "The answer is A or the answer is B or C"),
        "\\boxed{A}\\boxed{B}\\boxed{C}\\boxed{D}",
        "\\boxed{A} or \\boxed{B} or \\boxed{C} or \\boxed{D}",
        *(
            "",
            "ANSWER: I don't know",
            "Cannot be determined",
            "A good question",
            "<think>Answer: D",
        ),
    ],
)
def test_letters_in_words_choose_nothing(completion: str) -> None:
    assert {choice(completion, answer).grade for answer in "ABCDI"} == {Grade.WRONG}


def test_an_answer_on_file_is_one_letter() -> None:
    assert choice("B", "(b)").grade is Grade.CORRECT
    for answer in ("", "BC", "K", "12"):
        assert choice("B", answer).grade is Grade.UNSCORED


@pytest.mark.parametrize(
    ("completion", "letter"),
    [
        ("The answer is C. Option A is close, though.", "C"),
        ("The answer is C. Option A is the answer.", "A"),
        ("(B) is wrong because of units. The answer is (C).", "C"),
        ("The correct option is therefore D: 12 N.", "D"),
        ("Only D satisfies both.", "D"),
    ],
)
def test_a_remark_about_an_option_chooses_none(completion: str, letter: str) -> None:
    assert choice(completion, letter).grade is Grade.CORRECT
    for other in set("ABCD") - {letter}:
        assert choice(completion, other).grade is Grade.WRONG
