"""Did RLVR narrow what the model can solve? Coverage, and problem by problem."""

from rlvr_gate import claim


@claim(
    "RLVR keeps the base's coverage: pass@k at the largest k falls by at most the margin",
    id="C1",
    source="arXiv:2504.13837 sec. 3",
    margin=0.02,
)
def test_coverage_is_kept(pair, benchmark, k_max, margin):
    assert pair.rlvr.pass_at(k_max, benchmark) > pair.base.pass_at(k_max, benchmark) - margin


@claim("more problems are lost than gained", id="K4", source="arXiv:2507.14843 tab. 1")
def test_more_lost_than_gained(pair, benchmark):
    assert pair.solved(benchmark).lost_share > 0.5


@claim(
    "RLVR stays on the base's leash: beyond sampling noise it keeps what the base solved and "
    "discovers little",
    id="K5",
    source="arXiv:2507.14843 sec. 4, tab. 1",
)
def test_support_is_preserved(pair, benchmark):
    sets = pair.solved(benchmark)
    kept, found = sets.retention_beyond_noise >= 0.93, sets.discovery_beyond_noise <= 0.04
    assert kept
    assert found


@claim(
    "accuracy moves to the edges: more problems never solved and more always solved",
    id="K7",
    source="arXiv:2504.13837 fig. 5",
)
def test_accuracy_histogram_moves_to_the_edges(pair, benchmark):
    never = pair.rlvr.never_solved(benchmark) > pair.base.never_solved(benchmark)
    always = pair.rlvr.always_solved(benchmark) > pair.base.always_solved(benchmark)
    assert never
    assert always
