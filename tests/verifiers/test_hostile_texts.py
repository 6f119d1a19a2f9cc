"""Hostile completions and answers cost time in proportion to their length, and no more."""

from __future__ import annotations

import time
from itertools import product

import pytest

from rlvr_gate.records import Grade
from rlvr_gate_fixtures.verifiers import VERIFIERS

ANSWERS = {"choice": "B", "countdown": "9,23,15=17", "exact": "razal"}
ATOMS = [
    *"(-9{}=\n $*`?_^\\½⁵₅−٣𝟗>a",
    *("9*", "1/", "1,", "1.", "1 ", "1 000 ", "1:", "1-", "1'", "1^", "1×10^{", "1%", "1 or "),
    *("\\frac{", "\\frac{1}{2}", "\\boxed{", "\\boxed{1} or ", "\\text{", "\\text{\\text{"),
    *("#### 1\n", "answer is ", "Answer: A ", "answer: 1 ", "<answer>", "<think>", "</think>"),
    *("\nQ: ", "\nQuestion: 1\n", "The answer is 1.\n\n", "\n\nHow 1?", " <|im_end|>", "wait "),
]
LENGTH = 5_000


def seconds(check, *texts: str) -> float:
    started = time.process_time()
    check(*texts)
    return time.process_time() - started


@pytest.mark.parametrize("name", [name for name in VERIFIERS if name != "integer"])
def test_time_grows_with_length_and_not_with_its_square(name: str) -> None:
    """A square takes four times as long for twice the text. (`integer` reads as `number` does.)"""
    verifier, answer = VERIFIERS[name], ANSWERS.get(name, "17")
    for atom, end in product(ATOMS, ("", "1?}")):
        long = atom * (LENGTH // len(atom)) + end
        once = seconds(verifier, long, answer)
        assert once < 2, (atom, end)
        if once > 0.2:
            assert seconds(verifier, long + long, answer) < 3.3 * once + 0.1, (atom, end)
        assert seconds(verifier, "17", long) < 2, (atom, end)


@pytest.mark.parametrize("verifier", VERIFIERS.values(), ids=list(VERIFIERS))
@pytest.mark.parametrize(
    "completion",
    [
        ">" + "(" * 100_000,
        ">" + "-" * 199 + "1",
        ">" + "9" * 100_000,
        ">" + "9*" * 99 + "9",
        ">" + "1/" * 99 + "0",
        ">" + "1," * 50_000,
        "\x00\ud800>\N{ARABIC-INDIC DIGIT ONE}",
        "9" * 30 + "/0",
        "1e999999999",
        "1e-999999999",
        "9^999999999",
        "9^{9^{9^9}}",
        "1/" * 50_000,
        "1." * 50_000,
        "__import__('os').abort()",
    ],
    ids=range(15),
)
def test_hostile_completions_are_graded_at_once(verifier, completion: str) -> None:
    started = time.process_time()
    for answer in ("9,23,15=17", "17", "1/3", "B"):
        assert verifier(completion, answer).grade in set(Grade) - {Grade.CORRECT}
    assert time.process_time() - started < 2


def test_deep_braces_are_read_or_refused_at_once() -> None:
    box = "\\boxed" + "{" * 50_000 + "1" + "}" * 50_000
    assert seconds(VERIFIERS["number"], box, "1") < 1


def test_only_the_end_of_an_endless_completion_is_read() -> None:
    endless = "\\boxed{18}" + " " * 1_000_000
    assert VERIFIERS["number"](endless, "18").grade is Grade.WRONG
    assert VERIFIERS["number"](endless + "18", "18").grade is Grade.CORRECT
