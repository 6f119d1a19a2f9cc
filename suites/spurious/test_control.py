"""Is the gain one that any reward gives?"""

import pytest

from rlvr_gate import Paper, claim


@pytest.mark.roles("spurious")
@claim(
    "RLVR gains more than a reward that has nothing to do with being right",
    id="R1",
    source="arXiv:2506.10947 (version not noted) sec. 2.3",
    paper=Paper(
        found="holds",
        said="on MATH-500 with Qwen2.5-Math-7B +29.1 points with true rewards, +24.1 with wrong "
        "labels, +21.4 with random ones; no intervals",
        differs="curves smoothed over 10 steps, their last value; ours samples at T 1. One "
        "training run each: the interval says nothing of other training seeds, and nothing here "
        "checks the control",
    ),
)
def test_it_gains_more_than_a_spurious_reward(pair, benchmark):
    assert pair.rlvr.pass_at(1, benchmark) > pair.role("spurious").pass_at(1, benchmark)
