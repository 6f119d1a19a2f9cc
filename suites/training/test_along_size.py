"""How far does a gain reach beyond the sizes that training saw?

Sizes are strata or benchmarks that differ in one number: `3 numbers` and `5 numbers`, or
`gym:…?num_vertices=8` and `…=12`. Which of them training saw, nobody here knows.
"""

from rlvr_gate import Paper, claim, numbers

DIFFERS = "one task, graphs of 8 to 20 nodes after training at 10; ours any sizes, with intervals"


@claim(
    "the gain fades with size: the larger the problems, the smaller RLVR's lead at k = 1",
    id="OOD",
    source="arXiv:2505.24864 (version not noted), on harder graphs; compare arXiv:2509.21016 "
    "(version not noted)",
    paper=Paper(
        found="silent",
        said="both fall as graphs grow, and RL stays ahead; whether its lead shrinks is not "
        "tested. The second finds that what RL learned transfers to compositions of it and hardly "
        "to what needs another method (read second hand)",
        differs=DIFFERS,
    ),
)
def test_the_gain_fades_with_size(pair, benchmarks):
    assert numbers.gain_fades(pair, 1, benchmarks)


@claim(
    "the gain reaches the largest problems: RLVR leads there at k = 1",
    id="OOD-far",
    source="arXiv:2505.24864 (version not noted), on harder graphs",
    paper=Paper(
        found="holds",
        said="after training on graphs of 10 nodes RL stays ahead of its base up to 20 (read "
        "second hand)",
        differs=DIFFERS,
    ),
)
def test_the_gain_reaches_the_largest(pair, benchmarks):
    assert numbers.gain_at_largest(pair, 1, benchmarks) > 0
