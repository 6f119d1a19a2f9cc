"""Is what is solved at large k solved, or guessed?"""

from rlvr_gate import Paper, claim


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
