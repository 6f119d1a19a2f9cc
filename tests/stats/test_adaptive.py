"""The adaptive estimator, by exhaustive enumeration of every outcome sequence."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from rlvr_gate.stats.adaptive import Rounds, adaptive_pass_at_k, check_states
from rlvr_gate.stats.passk import pass_at_k

RULES = [
    Rounds((1, 2, 3), 1),
    Rounds((2, 4, 8), 2),
    Rounds((3, 5, 6, 9), 3),
    Rounds((4, 10), 1),
    Rounds((2, 3, 4, 5, 6, 7, 8), 2),
]


def stop(outcomes, rule):
    """Where the rule stops on this sequence of outcomes: (samples, correct)."""
    for size in rule.sizes:
        correct = sum(outcomes[:size])
        if correct >= rule.target:
            return size, correct
    return rule.sizes[-1], sum(outcomes)


def sequences(rule):
    return list(product((0, 1), repeat=rule.sizes[-1]))


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_exactly_unbiased_for_every_k_and_every_p(rule):
    all_outcomes = sequences(rule)
    states = [stop(o, rule) for o in all_outcomes]
    ones = np.array([sum(o) for o in all_outcomes])
    for k in range(1, rule.sizes[-1] + 1):
        estimate = adaptive_pass_at_k(*np.array(states).T, k, rule)
        assert estimate.min() >= 0
        assert estimate.max() <= 1
        for p in (0.05, 0.4, 0.8):
            weight = p**ones * (1 - p) ** (rule.sizes[-1] - ones)
            assert weight @ estimate == pytest.approx(1 - (1 - p) ** k, abs=1e-12)


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_it_is_the_conditional_share_of_sequences(rule):
    by_state = {}
    for o in sequences(rule):
        by_state.setdefault(stop(o, rule), []).append(o)
    for state, members in by_state.items():
        for k in range(1, rule.sizes[-1] + 1):
            solved = np.mean([any(o[:k]) for o in members])
            assert float(adaptive_pass_at_k(*state, k, rule)) == pytest.approx(solved)


@pytest.mark.parametrize("look", [1, 2, 3])
def test_interim_looks_are_unbiased_too(look):
    rule = Rounds((2, 4, 8), 2).upto(look)
    all_outcomes = sequences(rule)
    states = np.array([stop(o, rule) for o in all_outcomes])
    ones, p = np.array([sum(o) for o in all_outcomes]), 0.3
    weight = p**ones * (1 - p) ** (rule.sizes[-1] - ones)
    for k in range(1, rule.sizes[-1] + 1):
        estimate = adaptive_pass_at_k(*states.T, k, rule)
        assert weight @ estimate == pytest.approx(1 - (1 - p) ** k)


def test_one_round_is_the_ordinary_estimator():
    c = np.arange(65)
    for k in (1, 8, 64):
        adaptive = adaptive_pass_at_k(64, c, k, Rounds((64,), 8))
        assert adaptive == pytest.approx(pass_at_k(64, c, k))


def test_the_fixed_estimator_is_biased_under_the_rule():
    rule, p = Rounds((2, 4, 8), 2), 0.3
    all_outcomes = sequences(rule)
    n, c = np.array([stop(o, rule) for o in all_outcomes]).T
    weight = np.array([p ** sum(o) * (1 - p) ** (8 - sum(o)) for o in all_outcomes])
    assert abs(weight @ pass_at_k(n, c, 1) - p) > 0.01


def test_rounds_say_who_goes_on():
    rule = Rounds((16, 32, 64), 8)
    assert rule.goes_on(np.array([16, 16, 64]), np.array([7, 8, 0])).tolist() == [
        True,
        False,
        False,
    ]
    assert rule.next_size(0) == 16
    assert rule.next_size(16) == 32
    with pytest.raises(ValueError, match="no round follows 64"):
        rule.next_size(64)


@pytest.mark.parametrize(
    ("samples", "correct"),
    [(20, 8), (16, 7), (32, 24), (64, 40), (16, 17), (64, -1)],
)
def test_states_the_rule_cannot_reach_are_refused(samples, correct):
    rule = Rounds((16, 32, 64), 8)
    with pytest.raises(ValueError, match=f"samples={samples}, correct={correct}"):
        check_states([samples], [correct], rule)
    with pytest.raises(ValueError, match="never stop"):
        adaptive_pass_at_k([samples], [correct], 4, rule)


def test_states_the_rule_can_reach_pass():
    check_states([16, 16, 32, 32, 64, 64], [8, 16, 8, 23, 0, 39], Rounds((16, 32, 64), 8))


def test_undefined_rules_are_refused():
    for sizes, target in (((), 1), ((4, 4), 1), ((4, 2), 1), ((0, 2), 1), ((2,), 0)):
        with pytest.raises(ValueError, match="rounds need"):
            Rounds(sizes, target)
    with pytest.raises(ValueError, match="k=65"):
        adaptive_pass_at_k([64], [3], 65, Rounds((16, 64), 8))
    with pytest.raises(ValueError, match="look"):
        Rounds((16, 64), 8).upto(3)
