"""Along a run: one contrast over all steps, one of five labels, and where coverage is lost."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from rlvr_gate.claims import numbers
from rlvr_gate.claims.numbers.regime import DELTA, regime
from rlvr_gate.claims.numbers.trend import contrast
from rlvr_gate.claims.views import CheckpointView
from rlvr_gate.records import Verdict

from .counted import drawn, tallies, views

ROLES = ("base", "step-8", "step-16", "rlvr")


def series(counts: dict[str, list[int]], n: int) -> list[CheckpointView]:
    pair = views(**{role: tallies(of, n) for role, of in counts.items()})  # type: ignore[arg-type]
    return [pair.base if role == "base" else pair.role(role) for role in counts]


def test_the_contrast_by_hand() -> None:
    assert contrast(4) == [-0.75, -0.25, 0.25, 0.75]
    assert contrast(3) == [-1, 0, 1]
    one = series(dict(zip(ROLES, [[4, 4, 2], [4, 0, 2], [0, 4, 2], [0, 0, 2]], strict=True)), 4)
    found = numbers.trend(one, 1, "b")
    assert found.low.tolist() == pytest.approx([-1, -0.5, 0])
    assert found.bounds == (-1, 1)
    reverse = [[0, 0, 2], [0, 4, 2], [4, 0, 2], [4, 4, 2]]
    backwards = series(dict(zip(ROLES, reverse, strict=True)), 4)
    assert numbers.trend(backwards, 1, "b").low.tolist() == pytest.approx([1, 0.5, 0])


def test_a_trend_needs_three_checkpoints() -> None:
    with pytest.raises(ValueError, match="three checkpoints or more, got 2"):
        numbers.trend(series({"base": [1], "rlvr": [1]}, 4), 1, "b")


def test_a_run_that_sharpens_rises_at_one_and_falls_at_many() -> None:
    rng = np.random.default_rng(0)
    p, at = rng.beta(0.8, 8.0, 120), np.arange(120) % 8
    steps = [np.where(at < 8 - j, np.minimum(1, p * (1 + 3 * j)), 0) for j in range(4)]
    run = series({role: drawn(of, 32, rng) for role, of in zip(ROLES, steps, strict=True)}, 32)
    assert (numbers.trend(run, 1, "b") > 0).verdict is Verdict.HOLDS
    assert (numbers.trend(run, 32, "b") < 0).verdict is Verdict.HOLDS
    table = numbers.along(run, 32, "b", 0.02)
    assert [row[0] for row in table.rows] == ["step-8", "step-16", "rlvr"]
    assert table.rows[-1][2] < 0 < table.rows[-1][1]


def test_coverage_is_lost_from_the_last_step_backwards_without_a_gap() -> None:
    """A step that is lost before one that is not does not count: the sequence ends there."""
    lost, kept = [0] * 40 + [8] * 10, [8] * 50
    run = series({"base": kept, "step-8": lost, "step-16": kept, "rlvr": lost}, 8)
    assert [row[5] for row in numbers.along(run, 8, "b", 0.02).rows] == ["", "", "lost"]


def test_no_trend_where_nothing_changes() -> None:
    rng, alarms = np.random.default_rng(9), 0
    for _ in range(150):
        p = rng.beta(0.4, 1.5, 60)
        run = series({role: drawn(p, 16, rng) for role in ROLES}, 16)
        alarms += (numbers.trend(run, 16, "b") < 0).verdict is not Verdict.UNDECIDED
    assert alarms <= 13  # 7.5 are expected


@pytest.mark.parametrize(
    ("a", "b", "c", "label"),
    [(0.1, 0.01, 0, "Diminish"), (0.1, 0.1, 0.01, "Plateau"), (0.1, 0.1, 0.05, "Sustained"),
     (0, 0.1, 0.1, "No gain"), (0.1, 0.1, -0.05, "Reversal")],
)  # fmt: skip
def test_labels_by_hand(a: float, b: float, c: float, label: str) -> None:
    assert regime(a, b, c) == label


def test_every_triple_has_one_label() -> None:
    values = (-1.0, -DELTA, 0.0, DELTA / 2, DELTA, 2 * DELTA, 1.0)
    known = {"No gain", "Diminish", "Plateau", "Sustained", "Reversal"}
    assert {regime(*each) for each in product(values, repeat=3)} == known


def test_a_clear_label_is_stable_and_one_between_two_is_not() -> None:
    clear = series({"base": [1] * 60, "step-8": [4] * 60, "rlvr": [8] * 60}, 8)
    found = numbers.stable_regime(clear, 4, "b")
    assert (found.verdict, found.estimate) == (Verdict.HOLDS, 1.0)
    rng = np.random.default_rng(0)
    base = rng.integers(0, 2, 60) * 8
    same = np.where(rng.random(60) < 0.1, 8 - base, base)
    torn = series({"base": base.tolist(), "step-8": base.tolist(), "rlvr": same.tolist()}, 8)
    assert numbers.stable_regime(torn, 4, "b").verdict is not Verdict.HOLDS


def test_identical_problems_never_make_it_less_stable() -> None:
    rng = np.random.default_rng(2)
    base, last = rng.integers(0, 9, 20).tolist(), rng.integers(2, 9, 20).tolist()
    shares = []
    for times in (1, 4, 16):
        run = series({"base": base * times, "step-8": base * times, "rlvr": last * times}, 8)
        shares.append(numbers.stable_regime(run, 4, "b").estimate)
    assert shares == sorted(shares)
