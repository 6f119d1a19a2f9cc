"""A policy's word on what verdicts are about."""

from __future__ import annotations

import pytest

from rlvr_gate.gate.policy import PolicyError, load_policy, parse_policy


def test_verdicts_are_about_the_population_unless_a_policy_says_otherwise() -> None:
    assert load_policy("default").target == "population"
    assert parse_policy('[policy]\ntarget = "these problems"').target == "these problems"


@pytest.mark.parametrize("word", ['"benchmark"', "3", "[]"])
def test_another_target_is_refused(word: str) -> None:
    with pytest.raises(PolicyError, match="target must be 'population' or 'these problems'"):
        parse_policy(f"[policy]\ntarget = {word}")


def test_the_policy_for_many_benchmarks_asks_all_their_problems_and_none_alone() -> None:
    policy = load_policy("benchmarks")
    assert policy.required_claims == ("S2", "K1p")
    assert str(policy.kind("K1", "aime24", policy.claims["S2"].kind)) == "finding"  # type: ignore[arg-type]
