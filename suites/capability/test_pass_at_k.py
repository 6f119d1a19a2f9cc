"""Is the checkpoint better, and at which budget does the lead end?"""

from rlvr_gate import claim


@claim("RLVR raises pass@1", id="K1", source="arXiv:2504.13837 fig. 2", kind="gate")
def test_pass_at_1_rises(pair, benchmark, margin):
    assert pair.rlvr.pass_at(1, benchmark) > pair.base.pass_at(1, benchmark) + margin


@claim("RLVR leads at this k", id="K1k", source="arXiv:2504.13837 fig. 2")
def test_rlvr_leads(pair, benchmark, k):
    assert pair.rlvr.pass_at(k, benchmark) > pair.base.pass_at(k, benchmark)


@claim("the curves cross: base leads at the largest k", id="K2", source="arXiv:2504.13837 sec. 3")
def test_base_overtakes_at_large_k(pair, benchmark, k_max):
    base = pair.base.pass_at(k_max, benchmark).beside(pair.crossover(k_max, benchmark))
    assert base > pair.rlvr.pass_at(k_max, benchmark)


@claim(
    "RLVR's pass@1 comes within 0.2 of what the base reaches at the largest k",
    id="K8",
    source="arXiv:2504.13837 sec. 4.3",
    margin=0.2,
)
def test_sampling_efficiency_gap_is_small(pair, benchmark, k_max, margin):
    assert pair.base.pass_at(k_max, benchmark) - pair.rlvr.pass_at(1, benchmark) < margin
