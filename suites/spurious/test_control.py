"""Is the gain one that any reward gives?"""

import pytest

from rlvr_gate import Paper, claim, numbers


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
        "training run each: the interval says nothing of other training seeds. A control that is "
        "base itself is not comparable; else nothing here checks it",
    ),
)
def test_it_gains_more_than_a_spurious_reward(pair, benchmark):
    assert pair.rlvr.pass_at(1, benchmark) > pair.role("spurious").pass_at(1, benchmark)


@pytest.mark.thorough
@claim(
    "RLVR gains by doing what its base did more reliably, more than by choosing other methods",
    id="R2",
    source="arXiv:2506.10947 (version not noted) sec. 4",
    paper=Paper(
        found="contradicts",
        said="changing between language and code carries most of the gain of Qwen2.5-Math-7B "
        "(58.3 %) and -1.5B (78.7 %) on MATH-500 under spurious rewards",
        threshold="none",
        differs="one completion a problem, code against language; ours all completions, by code, "
        "backtracking, checking and enumerating, the published table beside",
    ),
)
def test_it_gains_by_reliability(pair, benchmark):
    reliability = numbers.by_reliability(pair, benchmark)
    assert reliability > numbers.by_choice(pair, benchmark)
