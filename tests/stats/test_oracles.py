"""Our numbers beside those of others who compute the same: Scorio, passk-inference, betting.

What is compared was written by other people from the same papers, or here from another idea.
"""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest

from rlvr_gate.stats.bands import simultaneous_band
from rlvr_gate.stats.guaranteed import guaranteed_interval
from rlvr_gate.stats.intervals import influences
from rlvr_gate.stats.passk import (
    g_pass_at_k,
    ladder,
    mean_at_n,
    mean_g_pass_at_k,
    pass_at_k,
    pass_power_k,
)

KS = (1, 2, 3, 5, 8)


def graded(seed: int = 0, problems: int = 12, n: int = 8) -> np.ndarray:
    """Correct or not, ``(problems, n)``, with problems of every number of correct samples."""
    rng = np.random.default_rng(seed)
    rows = (rng.random((problems, n)) < rng.random((problems, 1))).astype(np.int64)
    rows[0], rows[1] = 0, 1
    return rows


def enumerated(row: np.ndarray, k: int) -> float:
    """Share of all subsets of k samples that hold a correct one."""
    chosen = list(combinations(row.tolist(), k))
    return sum(map(any, chosen)) / len(chosen)


@pytest.mark.parametrize("k", KS)
def test_pass_at_k_is_the_share_of_subsets_as_enumerated_and_as_scorio_has_it(k: int) -> None:
    rows = graded()
    ours = pass_at_k(8, rows.sum(axis=1), k)
    assert ours.tolist() == pytest.approx([enumerated(row, k) for row in rows])
    scorio = pytest.importorskip("scorio.eval")
    assert float(ours.mean()) == pytest.approx(scorio.pass_at_k(rows, k))


@pytest.mark.parametrize("k", KS)
def test_the_other_estimates_are_scorios(k: int) -> None:
    scorio = pytest.importorskip("scorio.eval")
    rows = graded(1)
    correct = rows.sum(axis=1)
    assert float(pass_power_k(8, correct, k).mean()) == pytest.approx(scorio.pass_hat_k(rows, k))
    for tau in (0.25, 0.5, 1.0):
        ours = float(g_pass_at_k(8, correct, k, tau).mean())
        assert ours == pytest.approx(scorio.g_pass_at_k_tau(rows, k, tau))
    if k > 1:  # at k = 1 theirs sums over nothing
        mean = float(mean_g_pass_at_k(8, correct, k).mean())
        assert mean == pytest.approx(scorio.mg_pass_at_k(rows, k))
    assert float(mean_at_n(8, correct).mean()) == pytest.approx(rows.mean())


def test_the_paired_curve_and_its_standard_errors_are_those_of_passk_inference() -> None:
    theirs = pytest.importorskip("passk_inference")
    base, rlvr = graded(2, 60), graded(3, 60)
    one, other = base.sum(axis=1), rlvr.sum(axis=1)
    found = theirs.compare(one, [8] * 60, other, [8] * 60, ks=list(KS))
    curves = [ladder(pass_at_k, [8] * 60, c, KS) for c in (one, other)]
    difference = curves[1] - curves[0]
    assert difference.mean(axis=0).tolist() == pytest.approx(list(found["mean"]))
    errors = np.sqrt((influences(difference)[0] ** 2).sum(axis=0))
    assert errors.tolist() == pytest.approx(list(found["se"]))
    band = simultaneous_band(difference, list(KS), seed=0)
    for k, low, high in zip(KS, found["lower"], found["upper"], strict=True):
        ours = band.at(k)
        assert ours.low <= low + 0.01  # ours only ever widens a Gaussian band
        assert ours.high >= high - 0.01


def betting(values: np.ndarray, tail: float) -> tuple[float, float]:
    """Interval for the mean of values in [0, 1] by hedged capital, every value a bet.

    Waudby-Smith and Ramdas (2024, arXiv:2010.09686, thm. 3), with their predictable plug-in bets,
    truncated at one half; on a grid of 1000 means.
    """
    n, means = len(values), np.linspace(0.0005, 0.9995, 1000)
    up, down = np.zeros_like(means), np.zeros_like(means)
    total, spread, capital = 0.5, 0.25, np.full(means.shape, -np.inf)
    for i, x in enumerate(values, start=1):
        bet = math.sqrt(2 * math.log(2 / (2 * tail)) / (spread / i * n))
        up += np.log1p(np.minimum(bet, 0.5 / means) * (x - means))
        down += np.log1p(-np.minimum(bet, 0.5 / (1 - means)) * (x - means))
        capital = np.maximum(capital, np.logaddexp(up, down) - math.log(2))
        total += x
        spread += (x - total / (i + 1)) ** 2
    kept = means[capital < math.log(1 / (2 * tail))]
    return float(kept.min()), float(kept.max())


LAWS = {
    "uniform": lambda rng, n: rng.random(n),
    "rare": lambda rng, n: (rng.random(n) < 0.05).astype(float),
    "near one": lambda rng, n: 1 - rng.beta(1, 12, n),
    "two bumps": lambda rng, n: np.where(rng.random(n) < 0.5, 0.1, 0.9),
}


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("problems", [30, 200])
def test_the_bound_agrees_with_betting_and_is_not_wider(law: str, problems: int) -> None:
    """Both promise their level for every law: they overlap widely, and ours is the sharper one."""
    values = LAWS[law](np.random.default_rng(1), problems)
    low, high = betting(values, 0.025)
    ours = guaranteed_interval(values, level=0.95, low=0.0, high=1.0)
    assert low - 0.02 <= ours.low <= ours.high <= high + 0.02
    assert (high - low) / 4 < ours.high - ours.low


def test_betting_itself_keeps_its_level() -> None:
    """The oracle is held to what it promises, too."""
    rng, missed = np.random.default_rng(3), 0
    for _ in range(100):
        low, high = betting(rng.beta(0.4, 1.2, 60), 0.025)
        missed += not low <= 0.25 <= high
    assert missed <= 5
