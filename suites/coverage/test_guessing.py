"""Is what is solved at large k solved, or guessed?"""

import pytest

from rlvr_gate import Paper, claim, numbers

DIRECT = 64


@claim(
    "guessing decides nothing: without the problems that guesses solve, the same checkpoint "
    "leads at the largest k",
    id="K21",
    source="ours; compare arXiv:2504.13837v5 app. C.2",
    paper=Paper(
        found="silent",
        said="another filter: AIME24 without the 12 of 30 problems that Qwen2.5-7B-Base, asked "
        "directly without a chain of thought, gets right with a low chance that is not 0 (under "
        "5 % a draw); the curves cross as before",
        threshold="ours",
        differs="its guesser is the base itself and its 5 % is per draw; ours draws the other "
        "problems' answers, and its 5 % is for k guesses: other problems go",
    ),
)
def test_the_guess_filtered_conclusion_agrees(pair, benchmark, k_max):
    assert pair.guess_filtered(k_max, benchmark)


@pytest.mark.thorough
@pytest.mark.asks("base", variant="direct 1", samples=DIRECT)
@claim(
    "direct guessing decides nothing: without the problems that base, asked for the answer at "
    "once, now and then gets right, the same checkpoint leads at the largest k",
    id="K21-direct",
    source="arXiv:2504.13837v5 app. C.2",
    bound=0.05,
    paper=Paper(
        found="holds",
        said="on AIME24 without 12 of 30 problems the curves cross as before; Qwen2.5-7B-Base, "
        "asked directly without a chain of thought, got those right with a chance under 5 % a "
        "draw that was not 0",
        threshold="the paper's",
        differs="AIME24 alone, T .6; ours asks in words below the prompt, 64 draws at T 1",
    ),
)
def test_the_directly_guessed_decide_nothing(pair, benchmark, k_max, bound):
    assert numbers.agrees_without_guessed(pair, k_max, DIRECT, benchmark, bound)
