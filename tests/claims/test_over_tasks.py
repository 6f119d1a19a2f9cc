"""A law over tasks: start and gain share no noise, and ten tasks are the least."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest

from rlvr_gate.claims import numbers
from rlvr_gate.claims.numbers.tasks import crossed
from rlvr_gate.claims.views import CheckpointView, EvidenceSource, PairView
from rlvr_gate.judging.ledger import Ledger
from rlvr_gate.records import Tally, Verdict

from .counted import tallies


class Tasks:
    """Counts by role and benchmark."""

    def __init__(self, **counts: dict[str, list[Tally]]) -> None:
        self._counts = counts

    def tallies(self, role: str, benchmark: str) -> tuple[Tally, ...]:
        return tuple(self._counts[role][benchmark])

    def guessing(self, benchmark: str) -> None:
        return None


def pair_over(base: dict[str, list[Tally]], rlvr: dict[str, list[Tally]]) -> PairView:
    source, ledger = cast(EvidenceSource, Tasks(base=base, rlvr=rlvr)), Ledger()
    return PairView(CheckpointView("base", source, ledger), CheckpointView("rlvr", source, ledger))


def made(rng: np.random.Generator, starts: np.ndarray, gains: np.ndarray) -> PairView:
    """120 problems a task, eight samples each, around a start and a gain."""

    def counts(rates: np.ndarray) -> dict[str, list[Tally]]:
        return {
            f"t{i}": tallies(rng.binomial(8, np.clip(rng.normal(p, 0.05, 120), 0, 1)).tolist(), 8)
            for i, p in enumerate(rates)
        }

    return pair_over(counts(starts), counts(starts + gains))


NAMES = tuple(f"t{i}" for i in range(12))


def test_a_law_is_seen_and_its_reverse_is_refuted() -> None:
    rng = np.random.default_rng(0)
    starts = np.linspace(0.1, 0.8, 12)
    weak = numbers.start_against_gain(made(rng, starts, 0.45 - 0.5 * starts), 1, NAMES)
    assert weak.verdict is Verdict.HOLDS
    assert weak.estimate == pytest.approx(-0.5, abs=0.1)
    rich = numbers.start_against_gain(made(rng, starts, 0.2 * starts), 1, NAMES)
    assert rich.verdict is Verdict.REFUTED


def test_nine_tasks_are_too_few() -> None:
    rng = np.random.default_rng(0)
    starts = np.linspace(0.1, 0.8, 12)
    found = numbers.start_against_gain(made(rng, starts, 0.45 - 0.5 * starts), 1, NAMES[:9])
    assert found.verdict is Verdict.UNDECIDED
    assert "9 tasks, and a law over tasks needs 10" in found.evidence.notes


def test_strata_are_tasks() -> None:
    strata = tuple("abcdefghij")
    starts = np.tile(np.linspace(1, 6, 10), 8).astype(int)
    after = np.minimum(8, starts + np.tile(np.linspace(3, 0, 10), 8).round().astype(int))
    pair = pair_over({"b": tallies(starts, 8, strata)}, {"b": tallies(after, 8, strata)})
    found = numbers.start_against_gain(pair, 1, ["b"])
    assert found.evidence.numbers["tasks"] == 10


def test_tasks_of_one_start_say_nothing() -> None:
    rng = np.random.default_rng(2)
    same = numbers.start_against_gain(made(rng, np.full(12, 0.4), np.zeros(12)), 1, NAMES)
    assert same.verdict is Verdict.UNDECIDED


def test_halves_do_not_share_the_noise_that_one_half_does() -> None:
    """The trap: without any law, start and gain of the same draws fall against each other."""
    rng, naive, ours = np.random.default_rng(3), [], []
    for _ in range(1500):
        b, gain = rng.uniform(0.1, 0.9, 12), rng.normal(0, 0.05, 12)
        start = b[:, None] + rng.normal(0, 0.08 * 2**0.5, (12, 2))
        after = (b + gain)[:, None] + rng.normal(0, 0.08 * 2**0.5, (12, 2))
        naive.append(np.corrcoef(start.mean(1), (after - start).mean(1))[0, 1])
        ours.append(crossed(start, after - start)[0])
    assert np.mean(naive) == pytest.approx(-0.2, abs=0.04)
    assert np.mean(ours) == pytest.approx(0, abs=0.02)


def test_the_slope_is_not_drawn_to_zero_by_errors() -> None:
    rng, slopes = np.random.default_rng(4), []
    for _ in range(500):
        b = rng.uniform(0.1, 0.9, 12)
        start = b[:, None] + rng.normal(0, 0.1, (12, 2))
        after = (b - 0.5 * b)[:, None] + rng.normal(0, 0.1, (12, 2))
        slopes.append(crossed(start, after - start)[1])
    assert np.nanmedian(slopes) == pytest.approx(-0.5, abs=0.03)


def test_no_law_alarms_seldom() -> None:
    rng, alarms = np.random.default_rng(6), 0
    for _ in range(12):
        pair = made(rng, rng.uniform(0.1, 0.8, 12), np.abs(rng.normal(0.1, 0.03, 12)))
        alarms += numbers.start_against_gain(pair, 1, NAMES).verdict is Verdict.HOLDS
    assert alarms <= 2
