"""Is what is solved at large k solved, or guessed?"""

from rlvr_gate import claim


@claim(
    "guessing decides nothing: without the problems that guesses solve, the same checkpoint "
    "leads at the largest k",
    id="K21",
    source="arXiv:2504.13837 app. D.2",
)
def test_the_guess_filtered_conclusion_agrees(pair, benchmark, k_max):
    assert pair.guess_filtered(k_max, benchmark)
