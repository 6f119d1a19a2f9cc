"""Interval against threshold, and what would decide an undecided claim."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rlvr_gate.records import Interval, Verdict
from rlvr_gate.stats.intervals import mean_interval
from rlvr_gate.stats.verdicts import enough, judge, minimum_detectable_effect

H, R, U = Verdict.HOLDS, Verdict.REFUTED, Verdict.UNDECIDED


@pytest.mark.parametrize(
    ("low", "high", "verdicts"),
    [  # for > >= < <= against 0
        (0.1, 0.2, (H, H, R, R)),
        (-0.2, -0.1, (R, R, H, H)),
        (-0.1, 0.1, (U, U, U, U)),
        (0.0, 0.1, (U, H, R, U)),
        (-0.1, 0.0, (R, U, U, H)),
        (0.0, 0.0, (R, H, R, H)),
    ],
)
def test_the_whole_interval_must_lie_on_one_side(low, high, verdicts):
    middle = (low + high) / 2
    found = tuple(judge(middle, Interval(low, high, 0.95), r, 0.0) for r in (">", ">=", "<", "<="))
    assert found == verdicts


def test_a_claim_and_its_negation_never_both_hold():
    rng = np.random.default_rng(0)
    for low, high, threshold in rng.normal(size=(200, 3)):
        interval = Interval(min(low, high), max(low, high), 0.95)
        for one, negated in ((">", "<="), (">=", "<")):
            pair = {judge(0.0, interval, r, threshold) for r in (one, negated)}
            assert pair in ({H, R}, {U})


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_is_not_finite_is_undecided(bad):
    assert judge(bad, Interval(0.1, 0.2, 0.95), ">", 0.0) is U
    assert judge(0.1, Interval(0.1, 0.2, 0.95), ">", bad) is U


def test_an_unknown_relation_is_an_error():
    with pytest.raises(ValueError, match="one of > >= < <=, got '=='"):
        judge(0.1, Interval(0, 1, 0.95), "==", 0)


def test_the_detectable_effect_is_detected_as_often_as_it_says():
    rng = np.random.default_rng(1)
    x = rng.normal(0, 0.2, (200, 400)).clip(-1, 1)
    effect = np.median([minimum_detectable_effect(mean_interval(row)) for row in x])
    found = [judge(0, mean_interval((row + effect).clip(-1, 1)), ">", 0.0) for row in x]
    assert found.count(H) / len(found) == pytest.approx(0.8, abs=0.08)


@pytest.mark.parametrize("power", [0, 1, -0.1, 80, math.nan])
def test_a_power_that_is_no_probability_is_refused(power):
    with pytest.raises(ValueError, match=r"power must lie in \(0, 1\), got"):
        minimum_detectable_effect(Interval(0, 1, 0.95), power=power)


def test_enough_problems_and_samples_decide_by_the_formula():
    interval = Interval(-0.02, 0.06, 0.95)
    found = enough(0.02, interval, 0.0, problems=100, samples=64, variance=0.04, within=0.036)
    assert found.problems == 300  # twice as narrow
    # 0.04 / 4 = 0.01 = 0.004 + 0.006, so the 0.036 within must shrink sixfold
    assert found.samples == 64 * 5
    assert "320 more samples" in found.text


def test_samples_alone_cannot_remove_the_variance_between_problems():
    interval = Interval(-0.02, 0.06, 0.95)
    found = enough(0.02, interval, 0.0, problems=100, samples=64, variance=0.04, within=0.01)
    assert found.samples is None
    assert "no number of samples" in found.text


def test_a_decided_claim_needs_nothing_and_a_tie_nothing_helps():
    options = {"problems": 100, "samples": 64, "variance": 0.04, "within": 0.01}
    assert enough(0.1, Interval(0.05, 0.15, 0.95), 0.0, **options).problems == 0
    assert enough(0.0, Interval(-0.1, 0.1, 0.95), 0.0, **options).problems is None
