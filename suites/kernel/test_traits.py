"""In the space of traits: does RLVR stay within what base varies along, and keep its directions?

A trait is what base does right in a stratum of a benchmark, a text that it writes, or passages of
--trait NAME=FILE; their gradients' products are the G-matrix. One toy trait ships: a preferred
operator.
"""

import pytest

from rlvr_gate import Paper, claim

pytestmark = [
    pytest.mark.thorough,
    pytest.mark.gradients(line="sft", noise="rlvr"),
    pytest.mark.traits("*"),
    pytest.mark.roles("sft"),
]
PAPER = Paper(found="silent", said="no paper measures it", threshold="ours")


def traits(pair, benchmarks):
    rlvr, sft = pair.rlvr, pair.role("sft")
    return [each.traits_since(pair.base, benchmarks, "*") for each in (rlvr, sft)]


@claim("more of RLVR's update lies along base's trait directions than of supervised fine-tuning's",
       id="E5", source="ours", paper=PAPER)  # fmt: skip
def test_the_update_lies_along_traits(pair, benchmarks):
    rlvr, sft = traits(pair, benchmarks)
    assert rlvr.share_along_over(sft) > 1


@claim("RLVR turns the matrix of traits less than supervised fine-tuning does", id="E6",
       source="ours", paper=PAPER)  # fmt: skip
def test_traits_turn_less(pair, benchmarks):
    rlvr, sft = traits(pair, benchmarks)
    assert rlvr.over(sft, "turn") < 1


@claim("RLVR turns the matrix of traits less than a supervised update of its size", id="E6-size",
       source="ours", paper=PAPER)  # fmt: skip
def test_traits_turn_less_at_equal_size(pair, benchmarks):
    rlvr, sft = traits(pair, benchmarks)
    assert rlvr.over(sft, "turn", at="size") < 1


@claim("RLVR turns the matrix of traits less than random updates of its size", id="E6-noise",
       source="ours", paper=PAPER)  # fmt: skip
def test_traits_turn_less_than_by_noise(pair, benchmarks):
    rlvr, _ = traits(pair, benchmarks)
    assert rlvr.over_noise("turn") < 1
