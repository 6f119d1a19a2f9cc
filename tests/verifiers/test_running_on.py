"""A completion that runs on into another question is judged by its answer to this one."""

from __future__ import annotations

import pytest

from rlvr_gate.records import Grade
from rlvr_gate_fixtures.verifiers import VERIFIERS

number = VERIFIERS["number"]

ANSWERS = [
    "18",
    " 18 pens.",
    "9 + 9 = 18",
    "9 + 9 = 18 pens\n#### 18",
    "First 9, then 9.\nThe answer is 18.",
    "So \\boxed{18}.",
    "<think>9 + 9</think><answer>18</answer>",
    "A: 18",
    "**Answer:** 18",
]
NEXT = [
    "\n\nQuestion: Tim has 3 pens and buys 4.\nAnswer: 3 + 4 = 7\n",
    "\n\nQ: Tim has 3 pens and buys 4.\nA: ",
    "\n\nQ2. Tim has 3 pens and buys 4.\nA: ",
    "\n\n### Problem 2\nTim has 3 pens and buys 4.\n",
    "\n\n**Problem:** Tim has 3 pens and buys 4.\n**Answer:** ",
    "\n\nHuman: Tim has 3 pens and buys 4.\n\nAssistant: ",
    "\nUser: Tim has 3 pens and buys 4.\nAssistant: ",
    "<|im_end|>\n<|im_start|>user\nTim has 3 pens.<|im_end|>\n<|im_start|>assistant\n",
    "</s>[INST] Tim has 3 pens and buys 4. [/INST] ",
    "<|endoftext|>Tim has 3 pens and buys 4. ",
    "\n\nInstruction: count 3 and 4.\n\nResponse: ",
    "\n\nNext question: Tim has 3 pens and buys 4.\n",
    "\r\n\r\nQuestion: Tim has 3 pens and buys 4.\r\nAnswer: ",
    "\n\n问题：3 + 4\n答案是",
]
STATED = [answer for answer in ANSWERS if answer not in ANSWERS[:3]]
CLOSINGS = ["7", "#### 7", "The answer is 7.", "\\boxed{7}"]
WHOLE = [
    ("#### Step 1\n 5\n#### 18", "18"),
    ("Question: what is 9+9?\nIt is 18.", "18"),
    ("Problem: add 9 and 9.\nAnswer: 18", "18"),
    ("There are 16 eggs.\n\nQuestion: how many remain?\n16-3 = 13\nAnswer: 13", "13"),
    ("The answer is 17? Let me check the problem: it says 9+9.\nThe answer is 18.", "18"),
    ("The answer is 18.\n\nWait, did we count the 3 eggs? No.\nThe answer is 15.", "15"),
    ("Let me restate it.\nQuestion: what is 9 + 9?\nIt is 18.", "18"),
    ("We need the total.\n\nQuestion: what is 9 + 9?\n\nAnswer: 18", "18"),
    ("It asks:\n\nHow many pens are in 3 boxes with 6 pens each?\n\nThe answer is 18.", "18"),
    ("Let me check the problem: 9 and 9.\nThat gives 18", "18"),
    ("The answer is 17.\n\nWait, is that right? 9 + 9 is not 17.\nThe answer is 18.", "18"),
]


@pytest.mark.parametrize("following", NEXT)
@pytest.mark.parametrize("answer", ANSWERS)
def test_the_answer_to_this_question_counts(answer: str, following: str) -> None:
    for closing in CLOSINGS:
        assert number(answer + following + closing, "18").grade is Grade.CORRECT
        assert number(answer + following + closing, "7").grade is Grade.WRONG


@pytest.mark.parametrize("answer", STATED)
def test_a_word_problem_without_a_head_is_another_question(answer: str) -> None:
    text = f"{answer}\n\nTim has 3 pens and buys 4 more. How many has Tim now?\nThe answer is 7."
    assert number(text, "18").grade is Grade.CORRECT


@pytest.mark.parametrize(("completion", "answer"), WHOLE)
def test_a_chain_of_thought_that_asks_itself_stays_whole(completion: str, answer: str) -> None:
    assert number(completion, answer).grade is Grade.CORRECT


def test_a_model_that_stops_and_one_that_runs_on_get_the_same_grades() -> None:
    for value in range(20):
        stops = f"That makes {value}.\n#### {value}"
        runs = stops + f"\n\nQuestion: and {value + 1} more?\nAnswer: #### {2 * value + 1}"
        for answer in range(20):
            grades = {number(text, str(answer)).grade for text in (stops, runs)}
            assert len(grades) == 1
