"""Were the questions in somebody's training data?"""

import pytest

from rlvr_gate import Paper, claim, numbers

BEGUN = ("begun 60", "begun 40", "begun 80", "fresh 1, begun 60")


@pytest.mark.thorough
@pytest.mark.asks("base", "rlvr", variant=BEGUN, chat="none", temperature=0.001, samples=1)
@claim(
    "nobody knows the questions by heart: given the first 60 % of its words, base and RLVR go on "
    "word for word with fewer than 0.05 of them",
    id="R3",
    source="arXiv:2507.10532 (version not noted) tab. 2",
    bound=0.05,
    paper=Paper(
        found="contradicts",
        said="Qwen2.5-Math-7B goes on with 54.6 % of MATH-500, 42.2 % of AMC, 20.0 % of AIME24, 0 "
        "of AIME25, .4 % of Minerva; Llama-3.1-8B with 3.8 % of MATH-500",
        threshold="ours",
        differs="published models and benchmarks; ours the run's own, near-greedy (T .001), of "
        "questions of ten words, and where those are fewer than half the others count as either; "
        "ROUGE and answers from the partial question are not told",
    ),
)
def test_nobody_knows_the_questions(pair, benchmark, bound):
    base = numbers.recited(pair.base, benchmark) < bound
    rlvr = numbers.recited(pair.rlvr, benchmark) < bound
    assert base
    assert rlvr
