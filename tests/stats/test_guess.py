"""The guess floor, by counting guesses."""

from __future__ import annotations

import numpy as np
import pytest

from rlvr_gate.stats.guess import guess_floor, guess_pass_at_k, guessable


def test_the_floor_is_the_chance_of_a_guess_from_the_other_problems():
    answers = [["1", "2"], ["1", "1", "1", "3"], [None, "2"]]
    right = [{"1"}, {"3", "2"}, {"4"}]
    floor = guess_floor(answers, right)
    # problem 0: others say 1 with 3/4 and 0; problem 1: 2 with 1/2 and 1/2; problem 2: never 4
    assert floor == pytest.approx([0.375, 0.5, 0.0])


def test_a_problems_own_answers_never_count():
    floor = guess_floor([["7"] * 9, ["8"], ["9"]], [{"7"}, {"8"}, {"9"}])
    assert floor.tolist() == [0.0, 0.0, 0.0]


def test_yes_or_no_benchmarks_are_guessed_at_large_k():
    answers = [["yes", "no"]] * 20
    floor = guess_floor(answers, [{"yes"}] * 20)
    assert floor == pytest.approx(np.full(20, 0.5))
    assert guess_pass_at_k(floor, 8) == pytest.approx(np.full(20, 1 - 0.5**8))
    assert guessable(floor, 8).all()
    assert not guessable(np.full(3, 1e-5), 256).any()


def test_guesses_simulate_to_the_floor():
    rng = np.random.default_rng(0)
    answers = [rng.choice(list("abcde"), 6).tolist() for _ in range(12)]
    right = [{a[0]} for a in answers]
    floor = guess_floor(answers, right)
    hits = 0
    for _ in range(20000):
        other = rng.integers(1, 12)
        hits += rng.choice(answers[other]) in right[0]
    assert floor[0] == pytest.approx(hits / 20000, abs=0.012)


def test_too_little_to_guess_from_is_an_error():
    with pytest.raises(ValueError, match="two or more problems"):
        guess_floor([["1"]], [{"1"}])
    with pytest.raises(ValueError, match="2 and 1"):
        guess_floor([["1"], ["2"]], [{"1"}])
    with pytest.raises(ValueError, match="k >= 1"):
        guess_pass_at_k([0.1], 0)
