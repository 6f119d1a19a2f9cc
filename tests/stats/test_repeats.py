"""Copies among samples: unbiased under independence, seen where seeds were reused."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from rlvr_gate.stats.repeats import SLACK, Repeats, repeats


def draw(rng: np.random.Generator, laws: np.ndarray, n: int) -> np.ndarray:
    """(problems, n) answers from each problem's law."""
    return np.array([rng.choice(len(law), size=n, p=law) for law in laws])


def measure(laws: np.ndarray, answers: np.ndarray, blur: float = 0.0, seed: int = 0) -> Repeats:
    """As the store would count it; `blur` is the relative error of the probabilities."""
    n = answers.shape[1]
    pairs = [sum(c * (c - 1) / 2 for c in np.unique(a, return_counts=True)[1]) for a in answers]
    p = np.take_along_axis(laws, answers, axis=1)
    p = p * np.exp(blur * np.random.default_rng(seed).standard_normal(p.shape))
    distinct = [np.unique(row) for row in answers]
    chances = [
        float(np.sum(law[row] ** (1 - SLACK))) for row, law in zip(distinct, laws, strict=True)
    ]
    return repeats([n] * len(answers), pairs, p.mean(axis=1), [*map(len, distinct)], chances)


def test_the_excess_has_mean_zero_by_enumeration():
    law, n = np.array([0.6, 0.3, 0.1]), 4
    total = 0.0
    for answers in product(range(3), repeat=n):
        counts = np.bincount(answers, minlength=3)
        alike = (counts * (counts - 1) / 2).sum() / (n * (n - 1) / 2)
        total += law[list(answers)].prod() * (alike - law[list(answers)].mean())
    assert total == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("alpha", [0.05, 1.0, 20.0])
def test_independent_samples_are_never_an_accident(alpha):
    rng = np.random.default_rng(1)
    p_values = []
    for _ in range(100):
        laws = rng.dirichlet([alpha] * 12, size=40)
        found = measure(laws, draw(rng, laws, 32), blur=0.02)
        assert not found.accident
        p_values.append(found.p_value)
    assert np.mean(np.array(p_values) < 0.05) < 0.2  # near its level in spite of the blur


@pytest.mark.parametrize(
    ("name", "reuse"),
    [
        ("one seed for all", lambda a: np.repeat(a[:, :1], a.shape[1], axis=1)),
        ("the first half drawn again", lambda a: np.hstack([a[:, : a.shape[1] // 2]] * 2)),
        ("a tenth are copies", lambda a: np.hstack([a[:, : -a.shape[1] // 10],
                                                    a[:, : a.shape[1] // 10 + 1]])),
    ],
)  # fmt: skip
def test_reused_seeds_are_seen(name, reuse):
    rng = np.random.default_rng(2)
    laws = rng.dirichlet([1.0] * 5000, size=30)  # long answers: hardly two alike
    found = measure(laws, reuse(draw(rng, laws, 64)))
    assert found.accident
    assert found.alike > found.chance


def test_all_drawn_twice_reads_as_one_copy_each():
    rng = np.random.default_rng(3)
    laws = rng.dirichlet([1.0] * 5000, size=30)
    half = draw(rng, laws, 32)
    assert measure(laws, np.hstack([half, half])).copies == pytest.approx(1, abs=0.05)


def test_a_sure_answer_is_no_accident():
    laws = np.tile([0.999, 0.001], (20, 1))
    assert not measure(laws, draw(np.random.default_rng(4), laws, 64)).accident


def test_nothing_is_said_where_nothing_is_known():
    assert repeats([4, 4], [1, 2], [0.1, float("nan")]) is None
    assert repeats([4, 1], [1, 0], [0.1, 0.1]) is None
    assert repeats([4], [1], [0.1]) is None


@pytest.mark.parametrize(
    ("name", "reuse", "share"),
    [
        ("one completion 64 times in a tenth of the problems", lambda a: a[:, :1], 0.1),
        ("a stretch of 16 drawn again in a fifth of them", lambda a: a[:, :16], 0.2),
        ("a restart drew half again for one in ten", lambda a: a[:, :32], 0.1),
    ],
)
@pytest.mark.parametrize("problems", [30, 100])
def test_copies_in_some_problems_alone_are_seen(name, reuse, share, problems):
    """The mean over problems sees none of these: it spreads as much as it is large."""
    rng = np.random.default_rng(5)
    laws = rng.dirichlet([1.0] * 5000, size=problems)
    drawn = draw(rng, laws, 64)
    few = int(share * problems)
    again = reuse(drawn[:few])
    drawn[:few, -again.shape[1] * (64 // again.shape[1] - 1) :] = np.tile(
        again, (1, 64 // again.shape[1] - 1)
    )
    found = measure(laws, drawn)
    assert found.copied == tuple(range(few))
    assert found.accident
    assert found.p_any < 1e-6


@pytest.mark.parametrize("alpha", [0.05, 1.0, 20.0])
def test_by_problem_independent_samples_err_no_more_often_than_told(alpha):
    """At 5 % over all problems."""
    rng = np.random.default_rng(6)
    alarms = 0
    for _ in range(200):
        laws = rng.dirichlet([alpha] * 12, size=20)
        alarms += measure(laws, draw(rng, laws, 16)).p_any < 0.05
    assert alarms <= 10


def test_a_pair_in_one_problem_is_sure_and_does_not_matter():
    rng = np.random.default_rng(8)
    laws = np.full((200, 100_000), 1e-5)
    drawn = np.array([rng.choice(100_000, 64, replace=False) for _ in laws])
    drawn[0, :8] = drawn[0, 0]
    found = measure(laws, drawn)
    assert found.copied == (0,)
    assert not found.accident


def test_without_what_was_different_problems_are_not_looked_at_one_by_one():
    found = repeats([4, 4], [1, 0], [0.1, 0.1])
    assert (found.p_any, found.copied, found.copies_there) == (1.0, (), 0.0)
