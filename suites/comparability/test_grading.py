"""Does a verdict hang on how answers were read?"""

import pytest

from rlvr_gate import Paper, claim


@claim(
    "strict and lenient grades have the same checkpoint lead, and little of the gain is form",
    id="V2",
    source="ours; compare arXiv:2507.14843v5 sec. 4.3",
    margin=0.02,
    paper=Paper(
        found="silent",
        said="names answers in an unexpected form as a cause of what a base seems unable to do; "
        "does not grade the same texts in two ways",
        threshold="ours",
    ),
)
@pytest.mark.asks("base", "rlvr", grading=("strict", "lenient"))
def test_gradings_agree(pair, benchmark, margin):
    assert pair.graded_alike(benchmark, margin)
