"""Expansion and reach: exact over all ways to part the samples, never judged on a choice."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest

from rlvr_gate.claims import numbers
from rlvr_gate.records import Tally, Verdict
from rlvr_gate.stats.intervals import ratio_interval

from .counted import drawn, pair_of, tallies, views


def parted(n: int, c: int, q: int, again: int) -> tuple[Fraction, Fraction]:
    """Over all ways to take q, then `again` others: all q fail; and one of the others does not."""
    failed = back = ways = Fraction(0)
    for first in combinations(range(n), q):
        rest = [i for i in range(n) if i not in first]
        for second in combinations(rest, again):
            ways += 1
            failed += all(i >= c for i in first)
            back += all(i >= c for i in first) and any(i < c for i in second)
    return failed / ways, back / ways


@pytest.mark.parametrize(("c", "w", "rebound"), [(0, 1, 0), (1, 1 / 2, 1 / 2), (2, 1 / 6, 1 / 6)])
def test_weights_and_rebound_by_hand(c: int, w: float, rebound: float) -> None:
    """n 4, q 2: as the definition has them, and as enumeration does."""
    assert tuple(map(float, parted(4, c, 2, 2))) == pytest.approx((w, rebound))
    evidence = numbers.expansion_beyond_rebound(pair_of([c] * 3, [0] * 3, 4), "b").evidence
    assert evidence.numbers["expected problems that base fails"] == pytest.approx(3 * w)
    assert evidence.numbers["rebound of base"] == pytest.approx(rebound / w if w else 0)


def test_expansion_over_all_ways_to_part_the_samples() -> None:
    base, rlvr, n, q = [0, 1, 3, 6], [2, 0, 5, 6], 6, 3
    both = [parted(n, c, q, q) for c in base]
    solved = [1 - parted(n, c, q, 0)[0] for c in rlvr]
    top = sum(w * p - back for (w, back), p in zip(both, solved, strict=True))
    expected = float(top / sum(w for w, _ in both))
    found = numbers.expansion_beyond_rebound(pair_of(base, rlvr, n), "b")
    assert found.value == pytest.approx(expected)
    assert found.interval.low <= found.value <= found.interval.high


def test_reach_over_all_ways_to_part_the_samples() -> None:
    base, rlvr, n, k = [0, 1, 2, 5], [3, 1, 4, 5], 5, 1
    both = [parted(n, c, k, 4 * k) for c in base]
    solved = [Fraction(c, n) for c in rlvr]
    top = sum(back * p for (_, back), p in zip(both, solved, strict=True))
    bottom = sum(w * p for (w, _), p in zip(both, solved, strict=True))
    found = numbers.within_reach(pair_of(base, rlvr, n), "b")
    assert found.value == pytest.approx(float(top / bottom))


@pytest.mark.parametrize("number", [numbers.within_reach, numbers.expansion_beyond_rebound])
def test_too_few_samples_say_nothing(number) -> None:
    assert (number(pair_of([0, 1], [1, 1], 1), "b") > 0.5).verdict is Verdict.UNDECIDED


@pytest.mark.parametrize("number", [numbers.within_reach, numbers.expansion_beyond_rebound])
def test_where_base_fails_nothing_there_is_nothing_to_say(number) -> None:
    full = pair_of([10] * 9, [10] * 9, 10)
    assert (number(full, "b") > 0.5).verdict is Verdict.UNDECIDED


def test_unscored_completions_are_read_both_ways() -> None:
    sure = views(base=tallies([0] * 30, 10), rlvr=tallies([9] * 30, 10))
    open_ = views(base=[Tally(f"p{i}", 10, 0, 9) for i in range(30)], rlvr=tallies([9] * 30, 10))
    assert (numbers.expansion_beyond_rebound(sure, "b") > 0.5).verdict is Verdict.HOLDS
    assert (numbers.expansion_beyond_rebound(open_, "b") > 0.5).verdict is Verdict.UNDECIDED
    assert (numbers.within_reach(sure, "b") >= 0.5).verdict is Verdict.REFUTED
    assert (numbers.within_reach(open_, "b") >= 0.5).verdict is Verdict.UNDECIDED


def test_a_model_against_itself_seldom_alarms_and_on_its_choice_it_always_does() -> None:
    """The trap: what base failed on its own draws is solved by any second run, itself included."""
    rng = np.random.default_rng(5)
    problems, n, q, runs = 100, 64, 32, 120
    ours = theirs = reached = 0
    for _ in range(runs):
        p = rng.beta(0.25, 1.5, problems)
        base, again = drawn(p, n, rng), drawn(p, n, rng)
        pair = pair_of(base, again, n)
        ours += (numbers.expansion_beyond_rebound(pair, "b") > 0).verdict is not Verdict.UNDECIDED
        reached += (numbers.within_reach(pair, "b") >= 0.9).verdict is Verdict.HOLDS
        first = rng.hypergeometric(base, n - np.array(base), q)
        failed = (first == 0).astype(float)
        solved = pair.rlvr.pass_at(q, "b").low
        theirs += ratio_interval(failed * solved, failed).low > 0
    assert ours <= 0.08 * runs  # 5 % are expected
    assert theirs >= 0.8 * runs
    assert reached < runs  # what is out of the base's reach, itself would not reach either


def test_net_change_is_that_of_the_paper_and_of_no_sign_by_chance() -> None:
    base = [5] * 19 + [5] * 4 + [0] * 7
    rlvr = [5] * 19 + [0] * 4 + [0] * 7
    sets = pair_of(base, rlvr, 10).solved("aime24")
    assert sets.net_change.value == pytest.approx(-4 / 23)
    assert sets.net_change.bounds == (-1.0, 1.0)
    swapped = pair_of(rlvr, base, 10).solved("aime24")
    assert swapped.net_change.value == pytest.approx(4 / 23)
    assert (pair_of([0, 1], [1, 0], 1).solved("b").net_change < 0).verdict is Verdict.UNDECIDED
    rng, alarms = np.random.default_rng(2), 0
    for _ in range(60):
        p = rng.beta(0.2, 4.0, 150)
        same = pair_of(drawn(p, 32, rng), drawn(p, 32, rng), 32).solved("b").net_change
        alarms += (same < 0).verdict is not Verdict.UNDECIDED
    assert alarms <= 8


def test_a_task_out_of_reach_is_one_that_base_never_solved() -> None:
    strata = ("easy", "hard")
    base, rlvr = [9, 0] * 20, [9, 6] * 20
    found = numbers.out_of_reach(
        views(base=tallies(base, 16, strata), rlvr=tallies(rlvr, 16, strata)), "b"
    )
    assert found.verdict is Verdict.HOLDS
    assert found.evidence.numbers == {"tasks": 2, "never solved by base": 1}
    (table,) = found.evidence.exhibits
    assert table.rows[0][0] == "b hard"
    assert table.rows[0][2] == pytest.approx(1 - (0.05 / 2) ** (1 / 320))


def test_the_limit_of_one_task_alone_is_the_published_one() -> None:
    """50 problems with 128 draws, none right: at most .000468."""
    found = numbers.out_of_reach(pair_of([0] * 50, [0] * 50, 128), "b")
    assert found.evidence.exhibits[0].rows[0][2] == pytest.approx(0.000468, abs=1e-6)
    assert found.verdict is Verdict.UNDECIDED  # 50 problems leave room for one that rlvr can
    more = numbers.out_of_reach(pair_of([0] * 100, [0] * 100, 128), "b")
    assert more.verdict is Verdict.REFUTED  # selected, and rlvr cannot either


@pytest.mark.parametrize("base", [[0] * 49 + [1], [3] * 50])
def test_one_right_draw_puts_a_task_within_reach(base) -> None:
    found = numbers.out_of_reach(pair_of(base, [9] * 50, 16), "b")
    assert found.verdict is Verdict.UNDECIDED
    more = found.evidence.would_decide
    assert more is not None
    assert (more.problems, more.samples) == (None, None)  # and no adaptive run waits for it


def test_a_model_against_itself_is_out_of_its_own_reach_never() -> None:
    rng = np.random.default_rng(1)
    for _ in range(200):
        p = np.full(5, rng.choice([0.0, 0.001, 0.01, 0.05]))
        found = numbers.out_of_reach(pair_of(drawn(p, 8, rng), drawn(p, 8, rng), 8), "b")
        assert found.verdict is not Verdict.HOLDS
