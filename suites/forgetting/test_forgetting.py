"""Does RLVR forget less of what the base could do before, where it is matched?"""

import pytest

from rlvr_gate import Paper, claim, numbers

pytestmark = pytest.mark.thorough


@pytest.mark.roles("sft")
@claim(
    "RLVR forgets less than supervised fine-tuning that gained as much: pass@1 of prior tasks",
    id="F1",
    source="arXiv:2509.04259v1 sec. 3",
    margin=0.02,
    paper=Paper(
        found="holds",
        said="at like accuracy on the new task RL keeps more of the prior ones: Pareto fronts "
        "over learning rates, models within 2 points of the front",
        threshold="ours",
        differs="fronts over many runs; ours one checkpoint of each, whose accuracies on the new "
        "task (the first benchmark) must lie within the margin",
    ),
)
def test_it_forgets_less_at_like_gain(pair, benchmarks, margin):
    assert numbers.forgets_less(pair, pair.role("sft"), benchmarks, margin=margin)


@pytest.mark.scores("base", under=("base", "rlvr"))
@pytest.mark.scores("base", under=("base", "sft"))
@claim(
    "RLVR forgets less than supervised fine-tuning that went as far from the base: pass@1 of "
    "prior tasks",
    id="F1-kl",
    source="arXiv:2509.04259v1 sec. 4",
    margin=0.02,
    paper=Paper(
        found="contradicts",
        said="forgetting is a function of the divergence from the base on the new task, whatever "
        "the method: at like divergence RL has no advantage",
        threshold="ours",
        differs="one curve through many runs; ours two checkpoints whose forward KL on the first "
        "benchmark lies within a tenth",
    ),
)
def test_it_forgets_less_at_like_divergence(pair, benchmarks, margin):
    assert numbers.forgets_less(pair, pair.role("sft"), benchmarks, margin=margin, at="kl")


@pytest.mark.scores("base", under=("base", "*"))
@claim(
    "how far a checkpoint goes from its base on the new task tells how much of prior ones it "
    "forgets, whatever trained it",
    id="F2",
    source="arXiv:2509.04259v1 sec. 4, fig. 4",
    bound=0.7,
    paper=Paper(
        found="holds",
        said="a quadratic of forward KL fits forgetting with R2 .96 on a toy task of some 500 "
        "runs a method, .71 for language models; reverse KL .93, total variation .80",
        threshold="ours",
        differs="in-sample fits over many runs; ours leaves each checkpoint out, eight or more of "
        "whatever is given with --checkpoint",
    ),
)
def test_divergence_predicts_forgetting(pair, checkpoints, benchmarks, bound):
    assert numbers.divergence_predicts_forgetting(pair, checkpoints, benchmarks, bound)
