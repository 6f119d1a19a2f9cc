"""What stands beside a number, a letter or a word decides what it says."""

from __future__ import annotations

import pytest

from rlvr_gate.records import Grade
from rlvr_gate_fixtures.grading.pool import Grader, ToGrade
from rlvr_gate_fixtures.verifiers import VERIFIERS

RIGHT = Grade.CORRECT
FOR_NO_NUMBER = [
    *("\\boxed{90/x}", "The answer is 90/x.", "The answer is $90/x$.", "90 / x", "90*x"),
    *("\\boxed{90/x^2}", "\\boxed{90R^2}", "\\boxed{90 R^2}", "\\boxed{90T}", "\\boxed{90t}"),
    *("The answer is 90x.", "The answer is 90 x 3.", "the answer is 90 - y", "\\boxed{90-y}"),
    *("the answer is n/90", "\\boxed{90!}", "\\boxed{90a^2}", "\\boxed{x/90}"),
]
FOR_90 = [
    *("\\boxed{90 m^2}", "\\boxed{90 cm^2}", "\\boxed{90 h}", "90 km/h", "The answer is $90/h."),
    *("the answer is 90/hour", "90 a day", "90 N", "\\boxed{90 K}", "The answer is 90!", "90 C"),
    *(
        "It is 180/2 or 90",
        "90 - I think.",
        "答案是90。",
        "It is *90*",
        "*90* a day",
        "最终答案是 $90$。",
        "\\boxed{９０}",
    ),
]
MATH = [
    ("\\boxed{3}", "3R^2", False),
    ("\\boxed{R^2\\cdot 3}", "3R^2", True),
    ("\\boxed{4}", "4t", False),
    ("The answer is 90/x", "\\frac{90}{x}", True),
    ("\\boxed{5!}", "5", False),
    ("\\boxed{0.\\overline{3}}", "1/3", True),
    ("\\boxed{2.1\\overline{6}}", "13/6", True),
    ("\\boxed{0.\\overline{3}}", "0.3", False),
    ("\\boxed{\\tan 45^\\circ}", "1", True),
    ("\\boxed{\\sin(30^\\circ)}", "1/2", True),
    ("\\boxed{\\sin 30}", "1/2", False),
    ("\\boxed{45^\\circ}", "45", True),
    ("\\boxed{（1，2）}", "(1,2)", True),
    ("\\boxed{（2，1）}", "(1,2)", False),
    ("答案：甲。", "甲", True),
]
CHOICES = [
    *(("答案：B。", "B"), ("答案是 C", "C"), ("故选：C", "C"), ("选B", "B")),
    *(("I choose C.", "C"), ("I'd go with C.", "C"), ("Therefore, B.", "B")),
    *(("The answer is not A. It is B.", "B"), ("B is correct.", "B")),
    *(("A is wrong. B is the correct answer.", "B"), ("So (D).", "D")),
    ("A\n\nQuestion: which is red?\nAnswer: C", "A"),
]
NO_CHOICE = [
    *("I'd rather not say.", "I'm not sure.", "So A is wrong", "选项A很长", "不选A"),
    *(
        "A is not correct.",
        "A is correct. B is correct.",
        "Therefore A, B and C are wrong",
        "I do not choose A or B",
    ),
]
WORDS = [
    *(("Therefore, no.", "no"), ("Hence the claim is false.", "no"), ("So it is true", "yes")),
    *(("Yes.\n\nQuestion: is it 3?\nNo", "yes"), ("No\nQ: is 3 prime?\nA: yes", "no")),
]


@pytest.mark.parametrize("completion", FOR_NO_NUMBER)
def test_a_number_beside_a_name_is_not_that_number(completion: str) -> None:
    assert VERIFIERS["math"](completion, "90").grade is not RIGHT
    assert VERIFIERS["number"](completion, "90").grade is not RIGHT


@pytest.mark.parametrize("completion", FOR_90)
def test_a_number_beside_a_unit_or_words_is_that_number(completion: str) -> None:
    assert VERIFIERS["number"](completion, "90").grade is RIGHT


@pytest.mark.skipif(bool(VERIFIERS["math"].lacks()), reason="needs math-verify")
def test_what_stands_on_file_is_read_so_too() -> None:
    found: dict[int, Grade] = {}
    with Grader[int]() as grader:
        grader.submit(ToGrade(i, "math", text, answer) for i, (text, answer, _) in enumerate(MATH))
        while grader.pending:
            found |= {ask.key: graded.grade for ask, graded in grader.poll(1.0)}
    for i, (text, answer, right) in enumerate(MATH):
        assert (found[i] is RIGHT) is right, (text, answer, found[i])


@pytest.mark.parametrize(("completion", "answer"), CHOICES)
def test_a_letter_is_chosen_in_many_words(completion: str, answer: str) -> None:
    for letter in "ABCDI":
        grade = VERIFIERS["choice"](completion, letter).grade
        assert (grade is RIGHT) is (letter == answer)


@pytest.mark.parametrize("completion", NO_CHOICE)
def test_letters_that_nobody_chose_choose_nothing(completion: str) -> None:
    for letter in "ABCDI":
        assert VERIFIERS["choice"](completion, letter).grade is Grade.WRONG


@pytest.mark.parametrize(("completion", "answer"), WORDS)
def test_yes_and_no_end_a_proof_and_do_not_run_on(completion: str, answer: str) -> None:
    other = {"yes": "no", "no": "yes"}[answer]
    assert VERIFIERS["yes_no"](completion, answer).grade is RIGHT
    assert VERIFIERS["yes_no"](completion, other).grade is Grade.WRONG
