"""At which tokens does RLVR choose otherwise than its base?"""

import pytest

from rlvr_gate import Paper, claim, numbers

GREEDY = {"temperature": 0.001, "samples": 1}
"""As good as the likeliest token every time."""

pytestmark = [
    pytest.mark.thorough,
    pytest.mark.scores("base", "rlvr", under=("base", "rlvr"), choices=True, **GREEDY),
]

SOURCE = "arXiv:2605.06241 (version not noted)"
ALONG = "MATH-500, four pairs; ours along the base's near-greedy answers (T .001), one a problem"


@claim(
    "few positions change: along the base's greedy answers RLVR would choose another token at 5% "
    "of the positions at most",
    id="T1",
    source=SOURCE,
    bound=0.05,
    paper=Paper(
        found="holds",
        said="1.0 to 4.1 % of the positions over four pairs (the abstract says 1 to 3 %)",
        threshold="ours",
        differs=ALONG,
    ),
)
def test_few_positions_change(pair, benchmark, bound):
    base, rlvr = pair.base, pair.rlvr
    own = numbers.chosen_otherwise(base, rlvr, benchmark, along=rlvr.at(**GREEDY))
    found = numbers.chosen_otherwise(base, rlvr, benchmark, along=base.at(**GREEDY))
    assert found.beside(*own.evidence.exhibits) <= bound


@claim(
    "RLVR promotes what its base considered: where it chooses otherwise, the base has its token "
    "among the first five",
    id="T2",
    source=SOURCE,
    bound=0.99,
    paper=Paper(
        found="holds",
        said="no promoted token outside the top five in any pair, mean rank 2.14 to 2.39",
        threshold="ours",
        differs=ALONG,
    ),
)
def test_the_base_considered_it(pair, benchmark, bound):
    base, rlvr = pair.base, pair.rlvr
    assert numbers.considered(base, rlvr, benchmark, along=base.at(**GREEDY)) >= bound


@claim(
    "RLVR chooses where its base hesitates: entropy is higher at those positions than elsewhere",
    id="T3",
    source=SOURCE,
    paper=Paper(
        found="holds",
        said="5 to 12 times as much entropy at those positions",
        differs=ALONG + "; a difference paired by problem, the ratio beside it",
    ),
)
def test_where_the_base_hesitates(pair, benchmark):
    base, rlvr = pair.base, pair.rlvr
    assert numbers.hesitation(base, rlvr, benchmark, along=base.at(**GREEDY)) > 0
