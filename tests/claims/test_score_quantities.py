"""Quantities about how likely completions are: their definitions, and intervals without bounds."""

from __future__ import annotations

import math
from typing import cast

import numpy as np
import pytest

from rlvr_gate.claims.views import CheckpointView, EvidenceSource, ScoreOf, TokenScores
from rlvr_gate.judging.ledger import Ledger
from rlvr_gate.records import Measure, Tally, Unit, Verdict
from rlvr_gate.stats.intervals import mean_interval

TOTALS = np.array([[-2.0, -6.0], [-3.0, -1.0], [-4.0, -4.0]])
TOKENS = np.array([[2.0, 3.0], [3.0, 1.0], [4.0, 2.0]])


class Source:
    """Three problems, two completions each; remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[ScoreOf] = []

    def tallies(self, role: str, benchmark: str) -> tuple[Tally, ...]:
        return tuple(Tally(f"p{i}", n=64, correct=3) for i in range(3))

    def scores(self, asked: ScoreOf, benchmark: str) -> TokenScores:
        self.asked.append(asked)
        sign = -1.0 if asked.measure is Measure.LOGPROB else 1.0
        scale = 2.0 if asked.of == "rlvr" else 1.0
        return TokenScores(-sign * TOTALS * scale, TOKENS, "toy/1")


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def views(source: Source) -> tuple[CheckpointView, CheckpointView]:
    ledger, known = Ledger(), cast(EvidenceSource, source)
    return CheckpointView("base", known, ledger), CheckpointView("rlvr", known, ledger)


def test_log_perplexity_is_the_mean_of_minus_log_p_per_token(views, source):
    base, rlvr = views
    found = base.log_perplexity("b")
    per_token = [[1.0, 2.0], [1.0, 1.0], [1.0, 2.0]]
    np.testing.assert_allclose(found.low, np.mean(per_token, axis=1))
    base.log_perplexity("b", of=rlvr)
    assert source.asked == [
        ScoreOf(Measure.LOGPROB, "base", "base"), ScoreOf(Measure.LOGPROB, "rlvr", "base")
    ]  # fmt: skip


def test_the_median_perplexity_is_one_of_perplexities(views, source, monkeypatch):
    """Medians 4 and 2 of one problem, 1.5 and 3 of another: -.693 and +.693, as published 2.75."""
    base, rlvr = views
    per_role = {"base": [[3.0, 5.0], [1.5, 1.5]], "rlvr": [[2.0, 2.0], [2.0, 4.0]]}

    def scores(asked, benchmark):
        return TokenScores(-np.log(per_role[asked.of]), np.ones((2, 2)), "toy/1")

    monkeypatch.setattr(source, "scores", scores)
    monkeypatch.setattr(source, "tallies", lambda role, b: (Tally("p", 4, 1), Tally("q", 4, 1)))
    ours = base.log_perplexity("b", of=rlvr, by="median")
    own = base.log_perplexity("b", by="median")
    np.testing.assert_allclose(np.exp(own.low), [4, 1.5])  # not the mean of logarithms, 3.87
    np.testing.assert_allclose(ours.low - own.low, [-np.log(2), np.log(2)])
    assert np.exp(own.low).mean() == pytest.approx(2.75)
    assert (ours <= own).verdict is Verdict.UNDECIDED


def test_divergence_per_token_and_per_completion(views, source):
    base, rlvr = views
    tokens = base.divergence_to(rlvr, "b")
    whole = base.divergence_to(rlvr, "b", per="completion", along=rlvr)
    np.testing.assert_allclose(tokens.low, -(TOTALS / TOKENS).mean(axis=1))
    np.testing.assert_allclose(whole.low, -2 * TOTALS.mean(axis=1))
    assert source.asked == [
        ScoreOf(Measure.KL, "base", "base", "rlvr"), ScoreOf(Measure.KL, "rlvr", "base", "rlvr")
    ]  # fmt: skip


def test_a_comparison_is_paired_by_problem_and_says_what_it_rests_on(views):
    base, rlvr = views
    judged = rlvr.token_entropy("b") < base.token_entropy("b") - 100
    assert judged.verdict is Verdict.REFUTED
    assert judged.n == 2  # completions scored, not the 64 drawn
    assert judged.evidence.scored_by == "toy/1"
    rows = judged.evidence.deciding
    assert {tuple(row.sides) for row in rows} == {
        ("rlvr token entropy along rlvr's completions",
         "base token entropy along base's completions")
    }  # fmt: skip
    assert rows[0].sides["rlvr token entropy along rlvr's completions"] == "3"


def test_without_bounds_the_interval_is_finite_and_no_narrower_than_students():
    from scipy.stats import t

    rng = np.random.default_rng(0)
    for size in (5, 30, 200):
        x = rng.lognormal(0, 1, size)
        half = t.ppf(0.975, size - 1) * x.std(ddof=1) / math.sqrt(size)
        found = mean_interval(x, low=0, high=math.inf)
        assert found.low <= max(0, x.mean() - half) + 1e-12
        assert x.mean() + half <= found.high + 1e-12 < math.inf
        assert found.high - x.mean() > x.mean() - found.low  # skewed upwards, and so is it


def test_without_bounds_scale_and_sign_change_nothing():
    x = np.random.default_rng(1).gamma(2, 1, 40)
    one = mean_interval(x, low=-math.inf, high=math.inf)
    other = mean_interval(-3 * x, low=-math.inf, high=math.inf)
    assert (-3 * one.high, -3 * one.low) == pytest.approx((other.low, other.high))


def test_without_bounds_values_that_agree_are_a_point():
    found = mean_interval([0.0] * 20, low=0, high=math.inf)
    assert (found.low, found.high) == (0, 0)


def test_one_problem_says_nothing_of_others_without_bounds(views):
    with pytest.raises(ValueError, match="one independent problem"):
        mean_interval([1.0], low=0, high=math.inf)


def test_nothing_promises_the_level_of_a_number_without_bounds(source):
    base = CheckpointView("base", cast(EvidenceSource, source), Ledger(guaranteed=True))
    assert not (base.log_perplexity("b") < 2.0).guaranteed
    assert (base.pass_at(1, "b") < 0.5).guaranteed


def test_every_number_says_its_unit_and_two_units_make_none(views):
    base, rlvr = views
    per_token, summed = base.log_perplexity("b"), base.divergence_to(rlvr, "b", per="completion")
    assert (per_token > 0).unit == (2 * per_token - rlvr.log_perplexity("b") > 0).unit
    assert (per_token > 0).unit == Unit.NATS_PER_TOKEN
    assert (summed > 0).unit == Unit.NATS
    assert (base.pass_at(1, "b") > 0.1).unit == Unit.SHARE
    assert (summed - base.pass_at(1, "b") > 0).unit == Unit.NUMBER
