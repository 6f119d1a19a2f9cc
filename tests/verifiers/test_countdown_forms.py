"""Countdown: what reasoning-gym scores 1.0 is correct, in whatever a model wraps it."""

from __future__ import annotations

import pytest

from rlvr_gate.records import Grade
from rlvr_gate_fixtures.verifiers import VERIFIERS

countdown = VERIFIERS["countdown"]
PUZZLE = "14,25,20=59"
EXPRESSIONS = [
    *("14+25+20", "14 + 25 + 20", " 14+25+20\n", "(14+25)+20", "((14)+(25))+(20)", "20+(25+14)"),
    *("+14+25+20", "14--25+20", "-(-14)+25+20", "(14+25+20)/1", "14+25+20*1", "14+25+20+0"),
    *("(14+\n25+20)", "14+25+20 # sum", "(14+25+20", "14+25+20)", "14+25+020", "14.0+25+20"),
    *("14 25 20", "14+25+20,", "14+25 +- -20", "1_4+25+20", "14+25*20", "59", "14+25", "x+25+20"),
    *("１４+25+20", "14+25+20!", "14+25-20", "14+25+20 or 59", "14⁺25+20", "", "()", "14+25+20;"),
    *("Max(14+25+20, 0)", "abs(14+25+20)", "14+25+20 if 1 else 0", "'14+25+20'"),
]
WRAPS = ["{}", "<answer>{}</answer>", "<think>14*25</think>\n<answer>{}</answer>", "so 1+1=2>{}"]
WRITTEN = [
    "The answer is 14+25+20.",
    "Answer: 14 + 25 + 20 = 59",
    "59 = 14+25+20",
    "<answer>The expression is (14 + 25) + 20 = 59.</answer>",
    "<answer>\\boxed{14+25+20}</answer>",
    "$\\boxed{14 + 25 + 20 = 59}$",
    "\\[ \\left(14+25\\right) + 20 \\]",
    "\\(14+25+20\\)",
    "**14 + 25 + 20**",
    "```\n14+25+20\n```",
    "First 14+25=39.\n39+20=59.\n14 + 25 + 20",
    "14 − (−25) + 20",
    "<answer>14+25+20</answer>\nUser: make 7 of 3, 4\nAssistant: <answer>3+4</answer>",
    "14+25+20 = 59\n\nQuestion: use 3 and 4 to make 7\nAnswer: 3+4",
    "<answer>14+25+20",
]
SPELLED = [
    *("9 × 4 ÷ 3", "9·4/3", "9 x 4 / 3", "9∗4/3"),
    *("\\frac{9 \\times 4}{3}", "\\dfrac{9}{3}\\cdot 4", "9 \\div 3 \\times 4"),
]


@pytest.mark.parametrize("wrap", WRAPS, ids=["bare", "tag", "think", "marker"])
def test_an_expression_gets_the_score_of_reasoning_gym(wrap: str) -> None:
    reasoning_gym = pytest.importorskip("reasoning_gym")
    dataset = reasoning_gym.create_dataset("countdown", size=1, seed=1)
    entry = {"metadata": {"numbers": [14, 25, 20], "target": 59}}
    right = {text for text in EXPRESSIONS if dataset.score_answer(text, entry) == 1.0}
    assert 8 < len(right) < 20
    powered = {"Max(14+25+20, 0)", "abs(14+25+20)"}  # its parser knows more than its question
    for text in EXPRESSIONS:
        correct = countdown(wrap.format(text), PUZZLE).grade is Grade.CORRECT
        assert correct is (text in right - powered), text


@pytest.mark.parametrize("completion", WRITTEN)
def test_a_right_expression_is_found_in_what_models_write(completion: str) -> None:
    assert countdown(completion, PUZZLE).grade is Grade.CORRECT
    assert countdown(completion, "14,25,21=60").grade is Grade.WRONG
    assert countdown(completion.replace("25", "24"), PUZZLE).grade is Grade.WRONG


@pytest.mark.parametrize("written", SPELLED)
def test_operators_are_read_in_every_spelling(written: str) -> None:
    assert countdown(written, "9,4,3=12").grade is Grade.CORRECT
    assert countdown(f"\\boxed{{{written} = 12}}", "9,4,3=12").grade is Grade.CORRECT
    assert countdown(f"\\boxed{{{written} = 13}}", "9,4,3=12").grade is Grade.WRONG


@pytest.mark.parametrize(
    "completion", ["<think>14+25+20", "<think>14+25+20</think>", "<answer></answer>", "\\boxed{}"]
)
def test_thinking_and_empty_answers_are_no_answer(completion: str) -> None:
    assert countdown(completion, PUZZLE).grade is Grade.WRONG
