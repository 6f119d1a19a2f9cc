"""Does RLVR keep the tangent kernel's directions and only rescale them, or merely move less?

Every question comes twice: of the checkpoints as they are, and matched, since a smaller update
turns anything less.
"""

import pytest

from rlvr_gate import Paper, claim

pytestmark = [pytest.mark.thorough, pytest.mark.gradients(line="sft", noise="rlvr")]

LINE = (
    "a smaller supervised update is taken on the straight way from base to the sft "
    "checkpoint, which is no training run that stopped early"
)


def paper(differs=""):
    return Paper(found="silent", said="no paper measures it", threshold="ours", differs=differs)


def kernels(pair, benchmark):
    rlvr, sft = pair.rlvr, pair.role("sft")
    return rlvr.kernel_since(pair.base, benchmark), sft.kernel_since(pair.base, benchmark)


@claim("RLVR turns the tangent kernel less than supervised fine-tuning does", id="E1",
       source="ours", paper=paper())  # fmt: skip
@pytest.mark.roles("sft")
def test_the_kernel_turns_less(pair, benchmark):
    rlvr, sft = kernels(pair, benchmark)
    assert rlvr.over(sft, "turn") < 1


@claim("RLVR turns the tangent kernel less than a supervised update of its size", id="E1-size",
       source="ours", paper=paper(LINE))  # fmt: skip
@pytest.mark.roles("sft")
def test_the_kernel_turns_less_at_equal_size(pair, benchmark):
    rlvr, sft = kernels(pair, benchmark)
    assert rlvr.over(sft, "turn", at="size") < 1


@claim("RLVR turns the tangent kernel less than a supervised update as far from base in KL",
       id="E1-kl", source="ours", paper=paper(LINE))  # fmt: skip
@pytest.mark.roles("sft")
def test_the_kernel_turns_less_at_equal_divergence(pair, benchmark):
    rlvr, sft = kernels(pair, benchmark)
    assert rlvr.over(sft, "turn", at="kl") < 1


@claim("RLVR turns the tangent kernel less for each point of pass@1 that it gains", id="E1-gain",
       source="ours", paper=paper())  # fmt: skip
@pytest.mark.roles("sft")
def test_the_kernel_turns_less_for_what_is_gained(pair, benchmark):
    rlvr, sft = kernels(pair, benchmark)
    assert rlvr.over(sft, "turn", at="gain") < 1


@claim("RLVR turns the tangent kernel less than random updates of its size", id="E2",
       source="ours", paper=paper())  # fmt: skip
@pytest.mark.roles("sft")
def test_the_kernel_turns_less_than_by_noise(pair, benchmark):
    rlvr, _ = kernels(pair, benchmark)
    assert rlvr.over_noise("turn") < 1


@claim("more of RLVR's change of the tangent kernel is a rescaling along base's directions than "
       "of supervised fine-tuning's", id="E3", source="ours", paper=paper())  # fmt: skip
@pytest.mark.roles("sft")
def test_the_change_is_a_rescaling(pair, benchmark):
    rlvr, sft = kernels(pair, benchmark)
    assert rlvr.over(sft, "rescaling") > 1


@claim("more of RLVR's change of the tangent kernel is a rescaling than of a supervised update of "
       "its size", id="E3-size", source="ours", paper=paper(LINE))  # fmt: skip
@pytest.mark.roles("sft")
def test_the_change_is_a_rescaling_at_equal_size(pair, benchmark):
    rlvr, sft = kernels(pair, benchmark)
    assert rlvr.over(sft, "rescaling", at="size") > 1


@claim("more of RLVR's change of the tangent kernel is a rescaling than of random updates of its "
       "size", id="E3-noise", source="ours", paper=paper())  # fmt: skip
@pytest.mark.roles("sft")
def test_the_change_is_more_of_a_rescaling_than_noise(pair, benchmark):
    rlvr, _ = kernels(pair, benchmark)
    assert rlvr.over_noise("rescaling") > 1
