"""Is the checkpoint better, and at which budget does the lead end?"""

import pytest

from rlvr_gate import Paper, claim

pytestmark = pytest.mark.asks("base", "rlvr", grading=("strict", "lenient"))


@claim(
    "RLVR raises pass@1",
    id="K1",
    source="arXiv:2504.13837v5 fig. 2",
    kind="gate",
    paper=Paper(
        found="holds",
        said="RL leads at k = 1 in every panel but LLaMA on AIME24, where both are near 0; no "
        "intervals",
        differs="T .6, top_p .95; ours T 1, top_p 1",
    ),
)
def test_pass_at_1_rises(pair, benchmark, margin):
    assert pair.rlvr.pass_at(1, benchmark) > pair.base.pass_at(1, benchmark) + margin


@claim(
    "RLVR leads at this k",
    id="K1k",
    source="arXiv:2504.13837v5 fig. 2",
    paper=Paper(
        found="contradicts",
        said="RL leads at small k only: the curves cross, most between k = 4 and 300",
        differs="T .6, top_p .95, where the curves cross earlier than at T 1.2; ours T 1, top_p 1",
    ),
)
def test_rlvr_leads(pair, benchmark, k):
    assert pair.rlvr.pass_at(k, benchmark) > pair.base.pass_at(k, benchmark)


@claim(
    "the curves cross: base leads at the largest k",
    id="K2",
    source="arXiv:2504.13837v5 sec. 3",
    paper=Paper(
        found="holds",
        said="base surpasses RL at large k on all benchmarks, says the text; five panels tie at "
        "their largest k, and at T 1.2 no curve crosses up to k = 1024 (fig. 17)",
        differs="T .6, top_p .95, k up to 128 or 1024; ours T 1, top_p 1, k up to the samples",
    ),
)
def test_base_overtakes_at_large_k(pair, benchmark, k_max):
    base = pair.base.pass_at(k_max, benchmark).beside(pair.crossover(k_max, benchmark))
    assert base > pair.rlvr.pass_at(k_max, benchmark)


@claim(
    "RLVR's pass@1 comes within 0.2 of what the base reaches at the largest k",
    id="K8",
    source="arXiv:2504.13837v5 sec. 4.3",
    margin=0.2,
    paper=Paper(
        found="contradicts",
        said="the sampling efficiency gap is consistently above .40, says the text; of the 18 "
        "cells of its table the smallest is .206",
        threshold="ours",
        differs="k = 256 whatever the run, T .6; ours the largest k of the run, T 1",
    ),
)
def test_sampling_efficiency_gap_is_small(pair, benchmark, k_max, margin):
    assert pair.base.pass_at(k_max, benchmark) - pair.rlvr.pass_at(1, benchmark) < margin


@claim(
    "RLVR raises pass@1 in the mean over the benchmarks",
    id="K1m",
    source="arXiv:2504.13837v5 fig. 2",
    paper=Paper(
        found="holds",
        said="RL leads at k = 1 in every panel but LLaMA on AIME24; no mean over benchmarks",
        differs="T .6, top_p .95; ours T 1, top_p 1",
    ),
)
@pytest.mark.where_named
def test_the_mean_over_benchmarks_rises(pair, benchmarks, margin):
    assert pair.gain(1, benchmarks) > margin


@claim(
    "RLVR raises pass@1 in the mean over the problems of all benchmarks",
    id="K1p",
    source="arXiv:2504.13837v5 fig. 2",
    paper=Paper(
        found="holds",
        said="RL leads at k = 1 in every panel but LLaMA on AIME24; no mean over problems",
        differs="T .6, top_p .95; ours T 1, top_p 1",
    ),
)
@pytest.mark.where_named
def test_the_mean_over_all_problems_rises(pair, benchmarks, margin):
    assert pair.gain(1, benchmarks, weigh="problems") > margin
