"""Strict, lenient and clean grades of the same completions, beside the verifier's own."""

from __future__ import annotations

import pytest

from rlvr_gate.records import GRADINGS, Grade
from rlvr_gate_fixtures.store.keys import rubric_key
from rlvr_gate_fixtures.verifiers import EVERY, VERIFIERS, graded_as

C, W, U = Grade.CORRECT, Grade.WRONG, Grade.UNSCORED
NUMBERS = [
    # completion, own, strict, lenient; 42 is on file
    (r"It is \boxed{42}.", C, C, C),
    ("<answer>42</answer>", C, C, C),
    ("6 * 7 = 42\n#### 42", C, C, C),
    ("So.\nAnswer: 42", C, C, C),
    ("**Final answer:** 42", C, C, C),
    ("Final Answer: The final answer is 42. I hope it is correct.", C, C, C),
    ("so the answer is 42", C, W, C),
    ("6 * 7 is 42", C, W, C),
    ("42", C, W, C),
    (r"It is \boxed{42", W, W, C),
    (r"\boxed{41} or \boxed{42}", W, W, C),
    (r"\boxed{41}. No, 42", W, W, C),
    ("#### 41\nin all 42", W, W, C),
    (r"\boxed{41}", W, W, W),
    ("42 or 43", W, W, W),
    ("", W, W, W),
]


@pytest.mark.parametrize("verifier", ["number", "integer", "math"])
@pytest.mark.parametrize(("completion", "own", "strict", "lenient"), NUMBERS)
def test_where_the_answer_stands(
    verifier: str, completion: str, own: Grade, strict: Grade, lenient: Grade
) -> None:
    assert EVERY[verifier](completion, "42").grade is own
    assert EVERY[f"{verifier}:strict"](completion, "42").grade is strict
    assert EVERY[f"{verifier}:lenient"](completion, "42").grade is lenient


@pytest.mark.parametrize(
    ("verifier", "answer", "completion", "own", "strict", "lenient"),
    [
        ("choice", "B", "Answer: (B)", C, C, C),
        ("choice", "B", "the answer is B", C, W, C),
        ("choice", "B", "I think B is best.", W, W, C),
        ("choice", "B", "A, B or C", W, W, W),
        ("yes_no", "yes", r"\boxed{yes}", C, C, C),
        ("yes_no", "yes", "Yes, it is.", C, W, C),
        ("yes_no", "yes", "It is so, yes indeed", W, W, C),
        ("countdown", "9,23,15=17", "x>9+23-15", C, C, C),
        ("countdown", "9,23,15=17", "9+23-15", C, W, C),
        ("countdown", "9,23,15=17", "9+23-15 works, I am sure!", W, W, C),
        ("countdown", "9,23,15=17", "9+23 works, I am sure!", W, W, W),
    ],
)
def test_where_a_letter_a_word_or_an_expression_stands(
    verifier: str, answer: str, completion: str, own: Grade, strict: Grade, lenient: Grade
) -> None:
    found = [EVERY[name](completion, answer).grade
             for name in (verifier, f"{verifier}:strict", f"{verifier}:lenient")]  # fmt: skip
    assert found == [own, strict, lenient]


def test_no_strict_grade_is_better_and_no_lenient_one_worse() -> None:
    """Over frames, answers and other answers; a clean grade is never better than the own one."""
    frames = ["{}", r"\boxed{{{}}}", "The answer is {}.", "Answer: {}", "#### {}", r"\boxed{{{}",
              "1 + 1 = 2, so {}", "1 + 1 = 3, so {}", "{}\n\nQuestion: 2 + 2?\n4"]  # fmt: skip
    rank = {W: 0, U: 0, C: 1}
    for name, given in [("number", ("42", "41")), ("math", ("x+1", "x", "42")), ("choice", "ABC")]:
        for said in given:
            for frame in frames:
                own, strict, lenient, clean, _ = (
                    rank[EVERY[graded_as(name, g)](frame.format(said), given[0]).grade]
                    for g in ("", *GRADINGS)
                )
                assert strict <= own <= lenient
                assert clean <= own


@pytest.mark.parametrize("name", sorted(VERIFIERS))
def test_an_answer_on_file_at_fault_is_unscored_by_each_grading(name: str) -> None:
    own = EVERY[name]("42", "\\boxed{").grade
    for grading in GRADINGS:
        found = EVERY[graded_as(name, grading)]("42", "\\boxed{").grade
        assert (found is U) is (own is U)


@pytest.mark.parametrize(
    ("completion", "grade"),
    [
        ("6 * 7 = 42\n#### 42", C),
        ("6 * 7 = 41, no, 6 * 7 = 42\n#### 42", W),
        ("<think>6 * 7 = 43</think>\\boxed{42}", W),
        ("#### 42", U),
        ("6 * 7 = 41\n#### 41", W),
        ("6 * 7 = 42\n#### 42\n\nQuestion: what is 1 + 1?\n1 + 1 = 3", C),
    ],
)
def test_clean_is_right_with_true_arithmetic(completion: str, grade: Grade) -> None:
    assert EVERY["number:clean"](completion, "42").grade is grade


def test_what_reads_one_answer_in_one_place_has_one_grade() -> None:
    for name in ("code", "exact", "gym"):
        assert graded_as(name, "strict") == graded_as(name, "lenient") == name
    assert graded_as("exact", "clean") == "exact:clean"
    assert graded_as("math", "") == "math"


def test_each_grading_is_kept_under_a_name_and_version_of_its_own() -> None:
    kept = {rubric_key(each.name, each.version, "42") for each in EVERY.values()}
    assert len(kept) == len(EVERY)
    assert (
        rubric_key("math:strict", EVERY["math:strict"].version, "42") == "math:strict\x009.1\x0042"
    )
