"""Is it for its lower entropy alone that RLVR covers less?"""

import pytest

from rlvr_gate import Paper, claim, numbers

SAMPLES = 64


@pytest.mark.thorough
@pytest.mark.matches("rlvr", to="base", samples=SAMPLES)
@claim(
    "as unsure as its base, at the temperature where what it draws has the base's entropy, RLVR "
    "still solves fewer problems at half the samples",
    id="K13",
    source="arXiv:2504.13837v5 app. C.6",
    paper=Paper(
        found="holds",
        said="drawn at the base's entropy RL still underperforms it across pass@k: temperatures "
        "1.5, .9, .85 on AIME24, AMC23, MATH500 against .6; .735 against .77 on AIME24 (read off "
        "the figure)",
        differs="T .6, top_p .95; how entropies are matched is not told; ours within .008 nats "
        "a token or 2 %, on pilots with seeds of their own",
    ),
)
def test_as_unsure_it_still_covers_less(pair, benchmark):
    assert numbers.gain_as_unsure(pair, SAMPLES, benchmark) < 0
