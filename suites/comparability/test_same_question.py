"""Before any number: did both checkpoints answer the same question under the same rules?"""

from rlvr_gate import Paper, claim


@claim(
    "both checkpoints answered the same question",
    id="S2",
    source="arXiv:2504.13837v5 sec. 3",
    kind="gate",
    paper=Paper(
        found="holds",
        said="base and RL get the same zero-shot prompt, sampling and token limit",
        threshold="ours",
        differs="none of the checks is theirs, nor is the allowance of 2 points of truncation",
    ),
)
def test_the_two_runs_are_comparable(pair, benchmark):
    assert pair.asked_the_same(benchmark)
