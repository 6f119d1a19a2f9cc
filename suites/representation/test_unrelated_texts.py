"""Does the checkpoint still read unrelated texts as its base does?"""

import pytest

from rlvr_gate import Paper, claim


@pytest.mark.thorough
@pytest.mark.roles("sft")
@pytest.mark.represents("base", "rlvr", "sft")
@claim(
    "representations of unrelated texts stay as they were, and more so than under supervised "
    "fine-tuning: neighbours agree (CKNNA of the last layer)",
    id="F3",
    source="arXiv:2509.04259v1 sec. 5",
    bound=0.9,
    paper=Paper(
        found="holds",
        said="CKNNA to the base of .94 after RL, .56 after SFT, on paragraphs of Wikipedia; "
        "layer, pooling and neighbours are not told",
        threshold="ours",
        differs="texts are those of --texts, represented by the mean over their tokens, 10 "
        "neighbours, each kernel's own norm over its own neighbours",
    ),
)
def test_representations_stay(pair, bound):
    rlvr, sft = (each.likeness_to(pair.base) for each in (pair.rlvr, pair.role("sft")))
    stays, more = rlvr.cknna() >= bound, rlvr.cknna_above(sft) > 0
    assert stays
    assert more
