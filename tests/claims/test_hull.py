"""The best temperature is chosen on other problems than those it is judged on."""

from __future__ import annotations

import numpy as np
import pytest

from rlvr_gate.claims import numbers
from rlvr_gate.claims.temperatures.hull import chooses
from rlvr_gate.claims.views import PairView
from rlvr_gate.records import Ask, Tally, Verdict
from rlvr_gate.stats.passk import pass_at_k

from .counted import tallies, views

GRID = (1.0, 0.6, 1.4)


def view_of(counts: dict[float, list[int]], n: int, strata: tuple[str, ...] = ("",)) -> PairView:
    """Base and rlvr, asked alike at these temperatures."""
    asked = {
        Ask(role, temperature=t, samples=n).name: tallies(c, n, strata)
        for role in ("base", "rlvr")
        for t, c in counts.items()
    }
    return views(base=tallies([0], n), rlvr=tallies([0], n), **asked)


def test_a_third_chooses_and_the_others_are_judged() -> None:
    """At .6 the problems that choose do well; the judged ones are what is read, good or bad."""
    warm, cold = [2] * 9, [8, 1, 1] * 3
    view = view_of({1.0: warm, 0.6: cold, 1.4: [0] * 9}, 8).rlvr
    found = numbers.hull(view, GRID, 8, "b")
    assert found.low.tolist() == [pass_at_k(8, 1, 4)] * 6
    (table,) = found.evidence.exhibits
    assert [row[3] for row in table.rows] == ["", "chosen", "", ""]
    assert table.rows[0][1] == pytest.approx(float(pass_at_k(8, 2, 4)))
    assert table.rows[-1][0].startswith("any of them")


def test_of_equals_the_first_is_taken() -> None:
    view = view_of(dict.fromkeys(GRID, [3] * 6), 8).rlvr
    assert [row[3] for row in numbers.hull(view, GRID, 8, "b").evidence.exhibits[0].rows] == [
        "chosen", "", "", ""
    ]  # fmt: skip


def test_clusters_stay_whole_and_strata_are_spread() -> None:
    of = [Tally(f"p{i}", 4, 0, cluster=f"c{i // 3}", stratum="ab"[i % 2]) for i in range(60)]
    assert all(len({*chooses(of)[3 * c : 3 * c + 3].tolist()}) == 1 for c in range(20))
    alone = chooses([Tally(f"p{i}", 4, 0, stratum="ab"[i % 2]) for i in range(60)])
    assert [int(alone[s::2].sum()) for s in (0, 1)] == [10, 10]


def alarms(judge, runs: int) -> int:
    """How often two of one model, at five temperatures that are one, are told apart."""
    rng, found = np.random.default_rng(2), 0
    for _ in range(runs):
        p = rng.beta(0.5, 1.5, 99)
        one, two = (pass_at_k(64, rng.binomial(64, p, (5, 99)), 32) for _ in range(2))
        d = judge(one) - judge(two)
        found += abs(d.mean()) > 2.0 * d.std(ddof=1) / len(d) ** 0.5
    return found


def test_five_equal_temperatures_alarm_as_often_as_one_would() -> None:
    """The trap: a cross-fit is unbiased, and yet its interval is too narrow."""
    chosen, fold = np.arange(99) % 3 == 0, np.arange(99) % 5

    def ours(values: np.ndarray) -> np.ndarray:
        return values[values[:, chosen].mean(axis=1).argmax()][~chosen]

    def cross_fit(values: np.ndarray) -> np.ndarray:
        out = np.empty(99)
        for one in range(5):
            out[fold == one] = values[values[:, fold != one].mean(1).argmax(), fold == one]
        return out

    runs = 600
    assert alarms(ours, runs) <= 0.075 * runs
    assert alarms(cross_fit, runs) >= 0.09 * runs


def test_hulls_are_compared_like_any_quantity() -> None:
    """Base better everywhere; a checkpoint against what it is not worse than holds nothing."""
    pair = view_of({t: [6, 2] * 30 for t in GRID}, 8)
    same = numbers.hull(pair.base, GRID, 8, "b") > numbers.hull(pair.rlvr, GRID, 8, "b")
    assert same.verdict is not Verdict.HOLDS
    assert "at its best temperature" in same.statement


def test_a_temperature_that_nobody_asked_is_refused() -> None:
    view = view_of({1.0: [1]}, 8).rlvr
    view.ledger.asks = ("rlvr",)
    with pytest.raises(LookupError, match="nobody asked"):
        numbers.hull(view, (1.0,), 8, "b")


def test_each_k_has_its_own_best_temperature() -> None:
    """Cold: half the problems always, warm: all of them now and then."""
    cold, warm = [8, 8, 8, 0, 0, 0] * 3, [2] * 18
    pair = view_of({0.6: cold, 1.4: warm, 1.0: [0] * 18}, 8)
    one, four = (numbers.hull(pair.rlvr, GRID, 8, "b", k=k) for k in (1, 4))
    for found, best in ((one, "0.6"), (four, "1.4")):
        (table,) = found.evidence.exhibits
        assert [row[0] for row in table.rows if row[3]] == [best]
    curves = numbers.hull_curves(pair, GRID, 8, "b")
    assert list(curves.curves) == ["base", "rlvr"]
    assert [point[0] for point in curves.curves["rlvr"]] == [1, 2, 4]
    assert curves.curves["rlvr"][-1][1] == pytest.approx(four.value)


def test_two_of_one_kind_have_one_hull_and_their_curves_do_not_cross() -> None:
    rng = np.random.default_rng(8)
    p = rng.beta(0.5, 1.5, 99)
    asked = {
        Ask(role, temperature=t, samples=16).name: tallies(rng.binomial(16, p).tolist(), 16)
        for role in ("base", "rlvr")
        for t in GRID
    }
    pair = views(base=tallies([0], 16), rlvr=tallies([0], 16), **asked)
    for k in (1, 8):
        base, rlvr = (numbers.hull(v, GRID, 16, "b", k=k) for v in (pair.base, pair.rlvr))
        assert (rlvr > base).verdict is Verdict.UNDECIDED
