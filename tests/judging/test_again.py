"""A question judged again on a grown store: its level, what it says over all, what comes next."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rlvr_gate.judging.ledger import Ledger
from rlvr_gate.judging.power import widened
from rlvr_gate.judging.quantities import Estimate
from rlvr_gate.judging.settling import Again, Look
from rlvr_gate.records import Interval, JudgedAgain, Judgement, Verdict, WouldDecide
from rlvr_gate.stats.error_rates import spend_again

FIRST, THIRD = Again(1, (0.8,)), Again(3, (0.8, 0.1, 0.05), "a doubt")
MADE = Judgement("a > b", Verdict.HOLDS, 0.1, Interval(0.05, 0.3, 0.96), 0.0, ">", "sums", 1, 16,
                 p_value=0.001)  # fmt: skip


def test_each_is_judged_at_its_share_of_the_budget() -> None:
    assert Ledger.at(None, 0.95, again=FIRST).level == pytest.approx(0.96)
    assert Ledger.at(None, 0.95, again=THIRD).level == pytest.approx(0.9975)
    assert FIRST.next(0.96) == pytest.approx(0.995)
    assert THIRD.next(0.9975) == pytest.approx(1 - 0.05 * spend_again(THIRD.spent, 0.2))


def test_it_says_what_it_means_over_all_judgements() -> None:
    noted = Ledger.at(None, 0.95, again=THIRD).note(MADE)
    assert noted.interval == Interval(0.05, 0.3, 0.95)
    assert noted.p_value == pytest.approx(0.001 / 0.05)
    assert noted.evidence.again == JudgedAgain(3, 0.05, pytest.approx(0.9975), "a doubt")
    open_ = Ledger.at(None, 0.95, again=THIRD).note(replace(MADE, p_value=0.01))
    assert open_.p_value == pytest.approx(0.2)  # above 0.0025, so it is not decided
    assert Ledger.at(None, 0.95, again=THIRD).note(replace(MADE, p_value=None)).p_value is None


def test_decided_is_decided_at_the_level_of_all() -> None:
    """The adjusted p lies below 1 - level exactly where the judgement's own does below its own."""
    for again in (FIRST, THIRD):
        at = Ledger.at(None, 0.95, again=again)
        for p, decided in ((0.99 * (1 - at.level), True), (1.01 * (1 - at.level), False)):
            found = at.note(replace(MADE, p_value=p)).p_value
            assert found is not None
            assert (found <= 0.05) is decided


def test_looks_share_what_a_judgement_may_spend() -> None:
    looks = [Ledger.at(Look(i, (50, 100)), 0.95, guaranteed=True, again=THIRD) for i in range(2)]
    assert sum(1 - ledger.level for ledger in looks) == pytest.approx(0.05 * 0.05)
    noted = looks[1].note(MADE)
    assert noted.interval.level == 0.95
    assert noted.evidence.look is not None
    assert noted.evidence.again is not None


def test_the_advice_counts_the_level_of_the_next_judgement() -> None:
    def wanted(again: Again | None) -> tuple[int, str]:
        ledger = Ledger.at(None, 0.95, again=again)
        interval = Interval(-0.05, 0.15, ledger.level)
        found = Estimate("x", 0.05, interval, ledger, "sums", problems=100) > 0
        more = found.evidence.would_decide
        assert more is not None
        assert more.problems is not None
        return more.problems, more.text

    once, said = wanted(None)
    again, told = wanted(FIRST)
    assert once == 300  # half the width at the same level
    z = widened(0.05, Interval(-0.05, 0.15, 0.96), 0.995)
    assert again == pytest.approx(100 * ((z.high - 0.05) / 0.05) ** 2 - 100, abs=1)
    assert again > 1.5 * once
    assert "next judgement" not in said
    assert told.endswith(
        "(the next judgement on this store is at level 0.995, which this counts in)"
    )


def test_where_no_size_decides_no_level_is_promised() -> None:
    nothing = WouldDecide(None, None, "no run size decides it")
    assert Ledger.at(None, 0.95, again=FIRST).planned(nothing, 0.96) == nothing


def test_a_level_is_widened_by_the_normal_quantiles() -> None:
    wide = widened(0.1, Interval(0.0, 0.3, 0.95), 0.99)
    assert (wide.low, wide.high) == pytest.approx(
        (0.1 - 0.1 * 1.3142, 0.1 + 0.2 * 1.3142), abs=1e-4
    )
    assert wide.level == 0.99
