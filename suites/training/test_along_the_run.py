"""What does longer training buy, and from which step on does it cost coverage?"""

from rlvr_gate import Paper, claim, numbers


@claim(
    "the boundary shrinks as training goes on: pass@1 rises along the run, pass@k at the largest "
    "k falls",
    id="K19",
    source="arXiv:2504.13837v5 fig. 1, tab. 3",
    margin=0.02,
    paper=Paper(
        found="holds",
        said="on the training problems pass@1 26.1, 33.6, 42.5 and pass@256 66.3, 65.3, 64.3 at "
        "steps 150, 300, 450; from the base it is not monotone (MATH500 96.2, then 97.2)",
        threshold="ours",
        differs="T .6, top_p .95; a trend over the ranks of the steps is ours",
    ),
)
def test_the_boundary_shrinks_along_the_run(series, benchmark, k_max, margin):
    rises = numbers.trend(series, 1, benchmark) > 0
    beside = numbers.along(series, k_max, benchmark, margin)
    falls = numbers.trend(series, k_max, benchmark).beside(beside) < 0
    assert rises
    assert falls


@claim(
    "longer training has one effect, whichever problems are asked: diminish, plateau or sustained",
    id="K18",
    source="arXiv:2505.24864 (version not noted) fig. 4-5",
    paper=Paper(
        found="holds",
        said="one label a task: mathematics diminishes (.990 base, .982 final at k = 256), gpqa "
        "plateaus, codecontests is sustained (labels matched to curves by us)",
        threshold="ours",
        differs="k = 128 at T .6, without cut-offs; ours half of the samples, 2 points",
    ),
)
def test_one_regime(series, benchmark, k_max):
    assert numbers.stable_regime(series, max(1, k_max // 2), benchmark)
