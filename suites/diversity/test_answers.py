"""Does RLVR say fewer different things?"""

from rlvr_gate import Paper, claim, numbers


@claim(
    "answers become fewer: their entropy falls",
    id="K11",
    source="arXiv:2507.14843v4 tab. 5",
    paper=Paper(
        found="holds",
        said="falls in all five pairs, as from 1.30 to .66 and 1.61 to .61 nats over 32 draws",
        differs="T .6, top_p .95, answers as lighteval extracts them; ours T 1, top_p 1, as the "
        "verifier spells them",
    ),
)
def test_answers_become_fewer(pair, benchmark):
    rlvr = numbers.answer_entropy(pair.rlvr, benchmark)
    assert rlvr < numbers.answer_entropy(pair.base, benchmark)
