"""Up to which budget does RLVR lead, and from which reliability on?"""

from rlvr_gate import Paper, claim, numbers


@claim(
    "base overtakes within the budget: every k* that the data allow is one of the samples",
    id="G1",
    source="arXiv:2609.22547 (version not noted), appendix",
    paper=Paper(
        found="holds",
        said="for R1-Distill-Qwen-1.5B and DeepScaleR-1.5B, 1060 problems with 128 samples, k* "
        "lies in 11 to 61",
        differs="a grid of all k chosen after the data were seen, T .6, top_p .95; ours fixed",
    ),
)
def test_base_overtakes_within_the_budget(pair, benchmark, k_max):
    assert numbers.overtaking_budget(pair, k_max, benchmark) <= k_max


@claim(
    "RLVR is the more reliable: at no reliability of 0.5 or more does it solve fewer problems",
    id="K20",
    source="arXiv:2510.08325 (version not noted)",
    bound=0.5,
    margin=0.02,
    paper=Paper(
        found="silent",
        said="Cover@tau of several RL algorithms against each other, and that pass@k weighs it by "
        "k (1 - tau)^(k - 1); no bands (read second hand)",
        threshold="ours",
        differs="the plug-in c/n >= tau, up to 8196 samples; ours G-Pass of half the samples, "
        "unbiased",
    ),
)
def test_it_is_the_more_reliable(pair, benchmark, bound, margin):
    assert numbers.least_cover_gain(pair, benchmark, above=bound) > -margin
