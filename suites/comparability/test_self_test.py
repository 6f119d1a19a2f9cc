"""Before a difference is believed: does this engine tell one model from itself?"""

import pytest

from rlvr_gate import Paper, claim


@pytest.mark.roles("again")
@pytest.mark.where_named
@claim(
    "base drawn twice has one pass@1",
    id="S5",
    source="ours",
    margin=0.02,
    paper=Paper(
        found="silent",
        said="runs of one model against itself are not reported",
        threshold="ours",
    ),
)
def test_base_is_not_told_from_itself(pair, benchmark, margin):
    assert pair.drawn_twice(benchmark, margin)
