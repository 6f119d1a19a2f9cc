"""RLVR at its base's entropy: judged at the temperature found, not comparable without one."""

from __future__ import annotations

import numpy as np
import pytest

from rlvr_gate.claims import numbers
from rlvr_gate.claims.temperatures.matched import Matched
from rlvr_gate.claims.views import CheckpointView, PairView
from rlvr_gate.judging.ledger import Ledger
from rlvr_gate.records import Ask, Tally, Verdict
from rlvr_gate.stats.passk import pass_at_k

from .counted import Counted, tallies

FOUND = Matched(1.5, 0.34, ((1.0, 0.12), (1.5, 0.33)))


class AsUnsure(Counted):
    """Counts at any way of asking, and a temperature that was found."""

    def __init__(self, found: Matched, **counts: list[Tally]) -> None:
        super().__init__(counts)
        self.found = found

    def matched(self, role: str, to: str, benchmark: str) -> Matched:
        assert (role, to) == ("rlvr", "base")
        return self.found


def pair_of(base: list[int], hot: list[int], found: Matched = FOUND) -> PairView:
    name = Ask("rlvr", temperature=1.5, samples=8).name
    counts = {"base": tallies(base, 16), "rlvr": tallies([16] * len(base), 16), name: []}
    source, ledger = AsUnsure(found, **counts | {name: tallies(hot, 8)}), Ledger()
    return PairView(CheckpointView("base", source, ledger), CheckpointView("rlvr", source, ledger))  # type: ignore[arg-type]


def test_it_reads_what_was_drawn_at_that_temperature_at_half_the_samples() -> None:
    gap = numbers.gain_as_unsure(pair_of([2, 8], [1, 0]), 8, "b")
    expected = [pass_at_k(8, 1, 4) - pass_at_k(16, 2, 4), 0 - pass_at_k(16, 8, 4)]
    assert gap.low.tolist() == pytest.approx(expected)  # type: ignore[union-attr]
    judged = gap < 0
    assert judged.evidence.numbers["temperature"] == 1.5
    (table,) = judged.evidence.exhibits
    assert table.rows[1] == ("1.5", 0.33, pytest.approx(-0.01))


def test_where_base_has_fewer_samples_half_of_its_own_is_compared() -> None:
    """A run of `--samples 8` whose RLVR was drawn 32 times at the other temperature."""
    name = Ask("rlvr", temperature=1.5, samples=32).name
    counts = {"base": tallies([2, 8], 8), "rlvr": tallies([8, 8], 8), name: tallies([4, 0], 32)}
    source, ledger = AsUnsure(FOUND, **counts), Ledger()
    pair = PairView(*(CheckpointView(r, source, ledger) for r in ("base", "rlvr")))  # type: ignore[arg-type]
    gap = numbers.gain_as_unsure(pair, 32, "b")
    expected = [pass_at_k(32, 4, 4) - pass_at_k(8, 2, 4), 0 - pass_at_k(8, 8, 4)]
    assert gap.low.tolist() == pytest.approx(expected)  # type: ignore[union-attr]


def test_it_holds_is_refuted_and_of_equals_stays_open() -> None:
    few, many = [1, 0] * 40, [7, 6] * 40
    assert (numbers.gain_as_unsure(pair_of([8] * 80, few), 8, "b") < 0).verdict is Verdict.HOLDS
    worse = numbers.gain_as_unsure(pair_of([0] * 80, many), 8, "b") < 0
    assert worse.verdict is Verdict.REFUTED
    rng = np.random.default_rng(0)
    p = rng.beta(0.5, 1.5, 80)
    base, hot = rng.binomial(16, p).tolist(), rng.binomial(8, p).tolist()
    same = numbers.gain_as_unsure(pair_of(base, hot), 8, "b") < 0
    assert same.verdict is Verdict.UNDECIDED


def test_without_such_a_temperature_it_is_not_comparable_and_says_why() -> None:
    nothing = Matched(None, 0.9, ((1.0, 0.2),), "no temperature up to 3 times the run's")
    judged = numbers.gain_as_unsure(pair_of([1, 1], [1, 1], nothing), 8, "b") < 0
    assert judged.verdict is Verdict.NOT_COMPARABLE
    assert "no temperature up to 3 times" in judged.evidence.incomparable[0]
