"""On which tasks does training pay?"""

from rlvr_gate import Paper, claim, numbers


@claim(
    "the weaker the start, the stronger the gain: over tasks the gain falls with base's pass@k",
    id="K17",
    source="arXiv:2505.24864 (version not noted) fig. 3",
    paper=Paper(
        found="holds",
        said="a significant negative correlation over tasks; its coefficient is not printed",
        threshold="ours",
        differs="start and gain share their noise at pass@128; ours on halves of the problems, "
        "ten tasks or more",
    ),
)
def test_the_weaker_the_start_the_stronger_the_gain(pair, benchmarks, k_max):
    assert numbers.start_against_gain(pair, max(1, k_max // 2), benchmarks)
