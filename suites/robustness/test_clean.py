"""Does the gain hang on slips of arithmetic, one way or the other?"""

import pytest

from rlvr_gate import Paper, claim, numbers


@pytest.mark.asks("base", "rlvr", grading="clean")
@claim(
    "clean solutions lead to the same conclusions: K1, K2 and K4 say the same where every "
    "arithmetic statement must be true",
    id="A2",
    source="ours; compare arXiv:2506.14245 (version not noted)",
    paper=Paper(
        found="silent",
        said="a judge reads chains of thought: with sound ones only, RLVR leads up to k = 1024 on "
        "AIME24 and AIME25, not on MATH-500, AMC23 and Minerva (DAPO, 32B)",
        threshold="none",
        differs="a language model judges the whole chain, three times; ours recomputes what is "
        "stated, and sees nothing else",
    ),
)
def test_clean_solutions_say_the_same(pair, benchmark, k_max):
    assert numbers.stands_when_clean(pair, k_max, benchmark)
