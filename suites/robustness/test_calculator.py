"""Is the gain more than better arithmetic?"""

import pytest

from rlvr_gate import Paper, claim, numbers


@pytest.mark.asks("base", "rlvr", grading="repaired")
@claim(
    "the gain survives a calculator: RLVR leads at k = 1 where slips of arithmetic are put right "
    "in both checkpoints' completions",
    id="A1",
    source="ours",
    paper=Paper(
        found="silent",
        said="an objection raised in discussions of RLVR's curves; no paper that we know repairs "
        "completions and grades them again",
        threshold="none",
        differs="what a calculator at hand while drawing would change is not seen: a slip is put "
        "right afterwards, and the text that follows it stays",
    ),
)
def test_it_gains_with_a_calculator(pair, benchmark):
    assert numbers.gain_with_calculator(pair, benchmark) > 0
