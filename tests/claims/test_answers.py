"""Entropy over answers: exact over all choices of as many draws, blind to what they are called."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from rlvr_gate.claims import numbers
from rlvr_gate.claims.numbers.answers import entropies
from rlvr_gate.records import Answers, Rounds, Verdict

from .counted import tallies, views


def answers(*each: str | None) -> Answers:
    return Answers({a: each.count(a) for a in dict.fromkeys(each)}, frozenset())


def plug_in(drawn: tuple[str | None, ...]) -> float:
    shares = [drawn.count(a) / len(drawn) for a in set(drawn)]
    return -sum(p * math.log(p) for p in shares)


def test_by_hand() -> None:
    given = [answers("a", "a", "b", None), answers("a", "a", "a", "a")]
    assert entropies(given, 4).tolist() == pytest.approx([1.0397, 0.0], abs=1e-4)
    renamed = [answers("7", "7", None, "x"), answers(None, None, None, None)]
    assert entropies(renamed, 4).tolist() == pytest.approx([1.0397, 0.0], abs=1e-4)


@pytest.mark.parametrize("draws", [1, 2, 3, 5])
def test_it_is_the_mean_over_all_choices_of_draws(draws: int) -> None:
    given = ("a", "a", "b", "c", None)
    each = [plug_in(chosen) for chosen in combinations(given, draws)]
    assert entropies([answers(*given)], draws)[0] == pytest.approx(sum(each) / len(each))


def test_a_fall_is_seen_and_its_reverse_refuted() -> None:
    rich = [answers(*(f"{i}{j % 7}" for j in range(16))) for i in range(40)]
    poor = [answers(*(["x"] * 15 + [f"{i}"])) for i in range(40)]
    of = {"base": tallies([0] * 40, 16), "rlvr": tallies([0] * 40, 16)}
    pair = views(answers={"base": rich, "rlvr": poor}, **of)  # type: ignore[arg-type]
    less = numbers.answer_entropy(pair.rlvr, "b") < numbers.answer_entropy(pair.base, "b")
    more = numbers.answer_entropy(pair.base, "b") < numbers.answer_entropy(pair.rlvr, "b")
    assert (less.verdict, more.verdict) == (Verdict.HOLDS, Verdict.REFUTED)
    assert less.n == 16


@pytest.mark.parametrize("case", ["not recorded", "one", "stopped"])
def test_where_answers_are_unknown_anything_may_be(case: str) -> None:
    n = 1 if case == "one" else 8
    of = {role: tallies([1] * 10, n) for role in ("base", "rlvr")}
    if case == "stopped":
        of = {r: [replace(t, rounds=Rounds((4, 8), 3)) for t in each] for r, each in of.items()}
    given = {r: [answers(*"a" * n)] * 10 for r in of} if case != "not recorded" else None
    pair = views(answers=given, **of)  # type: ignore[arg-type]
    found = numbers.answer_entropy(pair.rlvr, "b")
    assert (found < numbers.answer_entropy(pair.base, "b")).verdict is Verdict.UNDECIDED


def test_as_many_draws_of_both_whoever_has_more() -> None:
    rng = np.random.default_rng(0)
    given = [answers(*(str(x) for x in rng.integers(0, 5, 64))) for _ in range(5)]
    whole, part = entropies(given, 64), entropies(given, 32)
    assert (part < whole).all()
