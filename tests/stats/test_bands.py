"""Simultaneous bands and the crossover they imply."""

from __future__ import annotations

import numpy as np
import pytest

from rlvr_gate.stats.bands import Band, _largest, crossover, simultaneous_band
from rlvr_gate.stats.intervals import mean_interval
from rlvr_gate.stats.passk import ladder, pass_at_k

KS = (1, 2, 4, 8, 16, 32, 64)


def curves(problems=150, seed=0):
    rng = np.random.default_rng(seed)
    p = rng.beta(0.4, 1.0, problems)
    base = ladder(pass_at_k, np.full(problems, 64), rng.binomial(64, p), KS)
    rlvr = ladder(pass_at_k, np.full(problems, 64), rng.binomial(64, np.sqrt(p)), KS)
    return base, rlvr


def band_of(estimate, half):
    low, high = (tuple(e + s * half for e in estimate) for s in (-1, 1))
    return Band(tuple(KS[: len(estimate)]), tuple(estimate), low, high, 0.95, 0.99)


def test_a_band_holds_every_pointwise_interval():
    base, rlvr = curves()
    band = simultaneous_band(rlvr - base, KS)
    for i, k in enumerate(KS):
        point = mean_interval((rlvr - base)[:, i])
        assert band.at(k).low <= point.low
        assert band.at(k).high >= point.high
    assert 0.95 < band.pointwise_level < 0.95 + 0.05 * (1 - 1 / len(KS)) + 0.005  # Bonferroni


def test_one_k_needs_no_correction():
    base, rlvr = curves()
    band = simultaneous_band((rlvr - base)[:, :1], [1], draws=20000)
    assert band.pointwise_level == pytest.approx(0.95, abs=0.005)


def test_a_band_is_a_function_of_its_seed():
    base, _ = curves()
    again = [simultaneous_band(base, KS, low=0.0, seed=s).pointwise_level for s in (1, 1, 2)]
    assert again[0] == again[1] != again[2]


def test_swapping_the_checkpoints_mirrors_the_band():
    base, rlvr = curves()
    one, other = simultaneous_band(rlvr - base, KS), simultaneous_band(base - rlvr, KS)
    assert one.low == pytest.approx([-h for h in other.high])
    assert one.high == pytest.approx([-x for x in other.low])


def test_equal_curves_have_no_certain_crossover():
    band = simultaneous_band(np.zeros((50, len(KS))), KS)
    found = crossover(band)
    assert (found.k, found.last_lead, found.low, found.high) == (1, None, 1, None)


def test_the_crossover_is_where_base_is_never_behind_again():
    found = crossover(band_of([0.3, 0.2, 0.05, -0.02, 0.01, -0.1, -0.3], 0.08))
    assert found.last_lead == 16  # a late lead, inside the noise, moves the estimate
    assert found.k == 32
    assert found.low == 4  # rlvr surely leads at 2
    assert found.high == 32  # from 32 on base is surely not behind


def test_a_lead_that_lasts_rules_the_crossover_out():
    found = crossover(band_of([0.3, 0.2, 0.2], 0.1))
    assert (found.k, found.low, found.high) == (None, None, None)


@pytest.mark.parametrize(
    ("values", "ks", "reason"),
    [
        (np.zeros((3, 2)), [1], "shape"),
        (np.zeros(3), [1], "shape"),
        (np.zeros((0, 1)), [1], "shape"),
        (np.zeros((3, 2)), [2, 1], "increase"),
        (np.zeros((3, 2)), [1, 1], "increase"),
    ],
)
def test_a_band_refuses_what_it_cannot_read(values, ks, reason):
    with pytest.raises(ValueError, match=reason):
        simultaneous_band(values, ks)


def test_the_level_is_turned_over_one_set_of_draws():
    """What is kept of the draws depends on values, draws and seed, on nothing else."""
    base, rlvr = curves()
    for level in (0.9, 0.95):
        _largest.cache_clear()
        anew = simultaneous_band(rlvr - base, KS, level=level)
        simultaneous_band(base, KS, level=0.8)
        assert simultaneous_band(rlvr - base, KS, level=level) == anew
    assert simultaneous_band(rlvr - base, KS, seed=1) != simultaneous_band(rlvr - base, KS)
    assert simultaneous_band(rlvr - base, KS, draws=50) != simultaneous_band(rlvr - base, KS)
