"""What kind of training do weights and some answers look like?"""

import pytest

from rlvr_gate import Paper, claim, numbers


@pytest.mark.thorough
@pytest.mark.scores("base", "rlvr", under="base")
@claim(
    "it looks trained by a reward that means something: a sparse update, answers that do not "
    "surprise the base, and a gain",
    id="D1",
    source="ours; compare arXiv:2505.11711v2, arXiv:2504.13837v5 sec. 4.1",
    paper=Paper(
        found="silent",
        said="the first finds RL's updates sparse and SFT's dense, the second that RL's answers "
        "are likely under the base; neither tells a checkpoint's training from them",
        threshold="ours",
        differs="cuts are fitted on miniatures of one base, and say nothing of other sizes",
    ),
)
def test_it_looks_like_rlvr(pair, benchmark):
    assert numbers.looks_like(pair, benchmark, "rlvr")
