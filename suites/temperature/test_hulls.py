"""Does the verdict hang on one temperature that favours one of the two?"""

import pytest

from rlvr_gate import Paper, claim, numbers

TEMPERATURES = (1.0, 0.6, 1.4)
SAMPLES = 64


@pytest.mark.thorough
@pytest.mark.asks("base", "rlvr", temperature=TEMPERATURES, samples=SAMPLES)
@claim(
    "base leads at large k even where each has its own best temperature",
    id="K3",
    source="arXiv:2107.03374 (version not noted); arXiv:2504.13837v5 fig. 17",
    paper=Paper(
        found="contradicts",
        said="the first chooses a temperature for each k, .2 at k = 1 and .8 at k = 100 (read "
        "second hand), and compares no RL; in the second RL leads at T 1.2 up to k = 1024, .735 "
        "against .64 on AIME24, while base at T 1 reaches .77 (read off the figure)",
        differs="one temperature for both, chosen on the judged problems; ours one each, chosen "
        "on other problems, k = 32",
    ),
)
def test_base_leads_on_hulls(pair, benchmark):
    base = numbers.hull(pair.base, TEMPERATURES, SAMPLES, benchmark)
    assert base > numbers.hull(pair.rlvr, TEMPERATURES, SAMPLES, benchmark)


@pytest.mark.thorough
@pytest.mark.asks("base", "rlvr", temperature=TEMPERATURES, samples=SAMPLES)
@claim(
    "RLVR raises pass@1 even where each has its own best temperature",
    id="K3-gain",
    source="ours; compare arXiv:2107.03374 (version not noted)",
    paper=Paper(
        found="silent",
        said="a temperature for each k, .2 at k = 1 (read second hand); no RL is compared",
        differs="its choice is made on the judged problems; ours on others",
    ),
)
def test_it_gains_on_hulls(pair, benchmark):
    rlvr = numbers.hull(pair.rlvr, TEMPERATURES, SAMPLES, benchmark, k=1)
    assert rlvr > numbers.hull(pair.base, TEMPERATURES, SAMPLES, benchmark, k=1)
