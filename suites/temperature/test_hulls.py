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
    base = base.beside(numbers.hull_curves(pair, TEMPERATURES, SAMPLES, benchmark))
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


@pytest.mark.thorough
@pytest.mark.asks("base", "rlvr", temperature=TEMPERATURES, samples=SAMPLES)
@claim(
    "the curves cross where each has its own best temperature for each k: RLVR leads at k = 1, "
    "base at half the samples",
    id="K2-hull",
    source="arXiv:2504.13837v5 sec. 3, fig. 17; arXiv:2107.03374 (version not noted)",
    paper=Paper(
        found="silent",
        said="curves cross at one temperature for both (T .6), and none does up to k = 1024 at "
        "T 1.2; the second paper takes the best temperature for each k, of one model",
        differs="no hull of two checkpoints; ours chosen on a third of the problems for each k",
    ),
)
def test_the_hulls_cross(pair, benchmark):
    few = [numbers.hull(v, TEMPERATURES, SAMPLES, benchmark, k=1) for v in (pair.base, pair.rlvr)]
    many = [numbers.hull(v, TEMPERATURES, SAMPLES, benchmark) for v in (pair.base, pair.rlvr)]
    leads, overtaken = few[1] > few[0], many[0] > many[1]
    assert leads
    assert overtaken
