"""Forecasts of pass@k beyond the samples: what the counts tell is told, the rest stays wide."""

from __future__ import annotations

import numpy as np
import pytest

from rlvr_gate.judging.forecasting import forecast
from rlvr_gate.records import Tally
from rlvr_gate.stats.adaptive import Rounds
from rlvr_gate.stats.passk import pass_at_k

Floats = np.ndarray


def drawn(chances: Floats, n: int, seed: int) -> tuple[Tally, ...]:
    counts = np.random.default_rng(seed).binomial(n, chances)
    return tuple(Tally(f"p{i}", n, int(c)) for i, c in enumerate(counts))


def rising(problems: int, seed: int = 1) -> tuple[Floats, Floats]:
    """Base solves most problems now and then; rlvr half of them well and the rest never."""
    rng = np.random.default_rng(seed)
    base = rng.beta(0.6, 6.0, problems)
    return base, np.where(rng.random(problems) < 0.5, 3 * base / (1 + 2 * base), 0.0)


def test_within_the_samples_it_agrees_with_the_unbiased_estimate() -> None:
    base, rlvr = rising(60)
    one, other = drawn(base, 64, 2), drawn(rlvr, 64, 3)
    found = forecast(one, other, 16)
    counts = [([t.n for t in of], [t.correct for t in of]) for of in (one, other)]
    before, after = (float(pass_at_k(n, c, 16).mean()) for n, c in counts)
    assert found.value == pytest.approx(after - before, abs=0.012)
    assert found.low < found.value < found.high


def test_beyond_the_samples_it_holds_the_truth_of_a_known_law() -> None:
    held = []
    for seed in range(8):
        base, rlvr = rising(60, seed)
        found = forecast(drawn(base, 16, 2 * seed), drawn(rlvr, 16, 2 * seed + 1), 128)
        held.append(
            found.low <= float(np.mean((1 - base) ** 128 - (1 - rlvr) ** 128)) <= found.high
        )
    assert sum(held) >= 7


def test_what_the_samples_cannot_tell_stays_open() -> None:
    """Nobody ever solved a problem: at a thousand draws anything may be solved, or nothing."""
    never = tuple(Tally(f"p{i}", 16, 0) for i in range(60))
    found = forecast(never, never, 1024)
    assert found.low < -0.5
    assert found.high > 0.5
    assert "open; a planning answer, never a verdict" in found.words


def test_the_farther_the_less_is_known_and_the_words_say_who_leads() -> None:
    base, rlvr = rising(60)
    one, other = drawn(base, 32, 5), drawn(rlvr, 32, 6)
    widths = [(f := forecast(one, other, k)).high - f.low for k in (8, 512)]
    assert widths == sorted(widths)
    assert "rlvr leads" in forecast(drawn(base, 32, 5), drawn(0.9 + 0 * base, 32, 6), 2).words
    assert "base leads" in forecast(drawn(0.9 + 0 * base, 32, 6), drawn(base, 32, 5), 2).words


@pytest.mark.parametrize(
    ("base", "rlvr", "k", "why"),
    [
        ((), (), 8, "the same problems"),
        ((Tally("a", 8, 1),), (Tally("b", 8, 1),), 8, "the same problems"),
        ((Tally("a", 8, 1),), (Tally("a", 8, 1),), 0, "k >= 1"),
        ((Tally("a", 3, 1),), (Tally("a", 8, 1),), 8, "4 samples of every problem"),
        ((Tally("a", 8, 8, rounds=Rounds((8, 16), 4)),), (Tally("a", 8, 1),), 8, "a fixed number"),
    ],
)
def test_what_cannot_be_forecast_is_refused(
    base: tuple[Tally, ...], rlvr: tuple[Tally, ...], k: int, why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        forecast(base, rlvr, k)
