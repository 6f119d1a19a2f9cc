"""Does the gain hang on the chat template that RLVR was trained under?"""

import pytest

from rlvr_gate import Paper, claim, numbers

SAMPLES = 16


@pytest.mark.thorough
@pytest.mark.asks("base", "rlvr", chat=("own", "base", "none"), samples=SAMPLES)
@claim(
    "RLVR falls back on other templates: under its base's chat template, and under none, pass@1 "
    "is lower by at most the margin",
    id="S3",
    source="ours; compare arXiv:2507.10532 (version not noted) sec. 4.1",
    margin=0.05,
    paper=Paper(
        found="silent",
        said="Qwen base models answer far worse under the chat template, and much of RL's gain "
        "comes back to what they reach greedily without one",
        threshold="ours",
        differs="it asks base alone in several templates; ours asks both, in each",
    ),
)
def test_it_bears_other_templates(pair, benchmark, margin):
    assert all(numbers.keeps_under_templates(pair, SAMPLES, benchmark, margin))
