"""Before any number: did both checkpoints answer the same question under the same rules?"""

from rlvr_gate import claim


@claim(
    "both checkpoints answered the same question",
    id="S2",
    source="arXiv:2504.13837 sec. 3; arXiv:2507.14843 sec. 4.2",
    kind="gate",
)
def test_the_two_runs_are_comparable(pair, benchmark):
    assert pair.asked_the_same(benchmark)
