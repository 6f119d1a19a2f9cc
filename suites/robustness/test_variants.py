"""Is the gain one on these very problems, or on problems like them?"""

import pytest

from rlvr_gate import Paper, claim, numbers

SAMPLES = 16
GUISES = tuple(f"isomorphic {n}" for n in (1, 2, 3, 4))

pytestmark = [pytest.mark.thorough, pytest.mark.asks("base", "rlvr", samples=SAMPLES)]

SOURCE = "arXiv:2604.15149 (version not noted)"
PAPER = Paper(
    found="silent",
    said="checkpoints of RLVR take shortcuts that the verifier lets pass, others take none: 40 at "
    "levels 1 to 10 and 458 at 11 to 20 of one benchmark of rules (read second hand)",
    threshold="ours",
    differs="there the same output is verified once more with its constants renamed; ours asks "
    "other problems, and counts nothing as gained on variants of those that have none",
)


@pytest.mark.asks("base", "rlvr", variant=GUISES, samples=SAMPLES)
@claim(
    "the gain holds on isomorphic variants: numbers permuted or people renamed, it is smaller by "
    "at most the margin",
    id="V1",
    source=SOURCE,
    margin=0.05,
    paper=PAPER,
)
def test_it_holds_on_variants(pair, benchmark, margin):
    assert numbers.keeps_gain(pair, GUISES, SAMPLES, benchmark, margin)


@pytest.mark.asks("base", "rlvr", variant="fresh 1", samples=SAMPLES)
@claim(
    "the gain holds on fresh problems of the same generator: it is smaller by at most the margin",
    id="V1-fresh",
    source=SOURCE,
    margin=0.05,
    paper=PAPER,
)
def test_it_holds_on_fresh_problems(pair, benchmark, margin):
    assert numbers.keeps_gain(pair, ["fresh 1"], SAMPLES, benchmark, margin, as_hard=0.1)
