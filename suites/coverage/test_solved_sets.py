"""Did RLVR narrow what the model can solve? Coverage, and problem by problem."""

import pytest

from rlvr_gate import Paper, claim, numbers

pytestmark = pytest.mark.asks("base", "rlvr", grading=("strict", "lenient"))


@claim(
    "RLVR keeps the base's coverage: pass@k at half the samples falls by at most the margin",
    id="C1",
    source="arXiv:2504.13837v5 sec. 3",
    margin=0.02,
    paper=Paper(
        found="contradicts",
        said="coverage narrows: Minerva at k = 128 falls by about 9 points (32B)",
        threshold="ours",
        differs="T .6, top_p .95, k up to 128 or 1024; ours T 1, top_p 1, k half the samples",
    ),
)
def test_coverage_is_kept(pair, benchmark, k_cover, margin):
    assert pair.rlvr.pass_at(k_cover, benchmark) > pair.base.pass_at(k_cover, benchmark) - margin


@claim(
    "more problems are lost than gained",
    id="K4",
    source="arXiv:2507.14843v4 tab. 1",
    paper=Paper(
        found="holds",
        said="lost 163 and gained 36 (ProRL v1), in all eight pairs more lost; by McNemar Phi-4's "
        "23 against 16 would be undecided",
        differs="counts alone, pooled over 11 to 13 benchmarks at k of 256 to 16384, T .6; the "
        "test, and asking it of one benchmark, are ours",
    ),
)
def test_more_lost_than_gained(pair, benchmark):
    assert pair.solved(benchmark).lost_share > 0.5


@claim(
    "RLVR stays on the base's leash: beyond sampling noise it keeps what the base solved and "
    "discovers little",
    id="K5",
    source="arXiv:2507.14843v4 sec. 4.2, tab. 1",
    paper=Paper(
        found="holds",
        said="SRR .93 to .99 and NDR of at most .04, pooled; single benchmarks go beyond: SRR "
        ".743 (SimpleQA), NDR .167 (LiveBench-L); at k = 256 DAPO has .895 and .150 on AIME24",
        threshold="the paper's",
        differs="raw ratios pooled over 11 to 13 benchmarks at k of 1024 to 16384, T .6; ours one "
        "benchmark at half the samples, noise removed",
    ),
)
def test_support_is_preserved(pair, benchmark):
    sets = pair.solved(benchmark)
    kept, found = sets.retention_beyond_noise >= 0.93, sets.discovery_beyond_noise <= 0.04
    assert kept
    assert found


@claim(
    "accuracy moves to the edges: more problems never solved, and more solved in over 0.9 of the "
    "samples",
    id="K7",
    source="arXiv:2504.13837v5 fig. 5",
    bound=0.9,
    paper=Paper(
        found="holds",
        said="more accuracies near 1, fewer low ones, more at 0: on Minerva, of 272 problems, 93 "
        "to 113 at 0 and 11 to 68 over .9 (read off the figure)",
        threshold="the paper's",
        differs="n = 128, T .6; over .9 are its last two bins",
    ),
)
def test_accuracy_histogram_moves_to_the_edges(pair, benchmark, bound):
    never = pair.rlvr.never_solved(benchmark) > pair.base.never_solved(benchmark)
    often = numbers.solved_over(pair.rlvr, benchmark, share=bound)
    nearly_always = often > numbers.solved_over(pair.base, benchmark, share=bound)
    assert never
    assert nearly_always
