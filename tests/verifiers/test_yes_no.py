"""Yes or no: the one word a completion answers with, and nothing where it says both."""

from __future__ import annotations

import pytest

from rlvr_gate.records import Grade
from rlvr_gate_fixtures.verifiers import VERIFIERS

yes_no = VERIFIERS["yes_no"]


@pytest.mark.parametrize(
    ("completion", "said"),
    [
        ("Yes", "yes"),
        ("no.", "no"),
        ("**Yes**, because 7 has no divisors", "yes"),
        ("No, that is not so. It is true that 2 divides 4.", "no"),
        ("7 has no divisors. So the answer is yes.", "yes"),
        ("Answer: **No**", "no"),
        ("\\boxed{\\text{Yes}}", "yes"),
        ("<answer>false</answer>", "no"),
        ("The answer is true.", "yes"),
        ("Let me think.\n\nNo", "no"),
        ("<think>yes</think> no", "no"),
        ("The answer is no.\n\nQuestion: and 8?\nThe answer is yes.", "no"),
    ],
)
def test_the_word_it_answers_with_counts(completion: str, said: str) -> None:
    for answer in ("yes", "no", "True", "false."):
        right = said == {"yes": "yes", "no": "no", "True": "yes", "false.": "no"}[answer]
        assert yes_no(completion, answer).grade is (Grade.CORRECT if right else Grade.WRONG)


@pytest.mark.parametrize(
    "completion",
    [
        *("", "yes or no", "\\boxed{yes/no}", "Yes. Wait.\nNo.", "The answer is yes or no."),
        *("There is no way to tell", "Nobody knows", "<think>yes", "\\boxed{yes}\\boxed{no}"),
    ],
)
def test_both_words_or_neither_answer_nothing(completion: str) -> None:
    assert {yes_no(completion, answer).grade for answer in ("yes", "no")} == {Grade.WRONG}


def test_an_answer_on_file_is_one_of_the_words() -> None:
    for answer in ("", "maybe", "yes and no", "1"):
        assert yes_no("yes", answer).grade is Grade.UNSCORED
