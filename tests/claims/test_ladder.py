"""The band over all k, the crossover it allows, strata, and the two targets."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import comb
from typing import cast

import numpy as np
import pytest

from rlvr_gate.claims.overview import overview
from rlvr_gate.claims.views import CheckpointView, EvidenceSource, PairView
from rlvr_gate.gate.explain import notes
from rlvr_gate.judging.ledger import Ledger
from rlvr_gate.records import Facts, Rounds, Tally


class Counts:
    """An EvidenceSource over tallies given in the test."""

    def __init__(self, **tallies: list[Tally]) -> None:
        self._tallies = tallies

    def tallies(self, role: str, benchmark: str) -> tuple[Tally, ...]:
        return tuple(self._tallies[role])

    def guessing(self, benchmark: str) -> None:
        return None


def source(base: list[Tally], rlvr: list[Tally]) -> EvidenceSource:
    return cast(EvidenceSource, Counts(base=base, rlvr=rlvr))


def pair_of(base: list[Tally], rlvr: list[Tally]) -> PairView:
    counts, ledger = source(base, rlvr), Ledger()
    return PairView(CheckpointView("base", counts, ledger), CheckpointView("rlvr", counts, ledger))


def tallies(correct: list[int], n: int = 64, strata: tuple[str, ...] = ("",)) -> list[Tally]:
    return [Tally(f"p{i}", n, c, stratum=strata[i % len(strata)]) for i, c in enumerate(correct)]


CROSSING = (
    tallies([8] * 150),  # every problem sometimes
    tallies([48] * 75 + [0] * 75),  # half of them mostly, half never
)


def test_the_band_holds_the_pointwise_interval_and_the_crossover_is_where_the_curves_are() -> None:
    seen = overview(source(*CROSSING), "b", (1, 2, 4, 8, 16, 32, 64), 0.95)
    points = seen.curves["difference"]
    assert all(p.band_low - 1e-9 <= p.low <= p.value <= p.high <= p.band_high + 1e-9
               for p in points)  # fmt: skip
    assert points[0].band_low > 0
    assert points[-1].band_high < 0
    crossed = seen.crossover
    ahead = max(p.k for p in points if p.value > 0)
    assert ahead <= crossed.last_lead < 2 * ahead  # between two steps of the ladder
    assert crossed.k == crossed.last_lead + 1
    assert crossed.low is not None
    assert crossed.low <= crossed.k <= crossed.high
    assert crossed.ladder == tuple(range(1, 65))
    assert crossed == pair_of(*CROSSING).crossover(64, "b")  # one answer everywhere


def test_adaptive_samples_are_looked_at_in_steps_and_the_sentence_says_so() -> None:
    rule = Rounds((8, 16), 20)
    sides = [[replace(t, n=16, correct=t.correct // 4, rounds=rule) for t in s] for s in CROSSING]
    crossed = pair_of(*sides).crossover(16, "b")
    assert crossed.ladder == (1, 2, 4, 8, 16)
    assert crossed.text.endswith("in steps of the ladder: k* = v lies after the step before v")


def test_what_was_not_scored_widens_the_band_to_both_sides() -> None:
    base, rlvr = CROSSING
    doubtful = [Tally(t.problem, t.n, max(t.correct - 6, 0), 6) for t in rlvr]
    sure = overview(source(base, rlvr), "b", (1, 4), 0.95).curves["difference"]
    open_ = overview(source(base, doubtful), "b", (1, 4), 0.95).curves["difference"]
    assert open_[0].band_low < sure[0].band_low
    assert open_[0].band_high > sure[0].band_high


@pytest.mark.parametrize(
    ("base", "rlvr", "words"),
    [
        (*CROSSING, "crossover at k* = "),
        (tallies([0] * 99), tallies([40] * 99), "rules a crossover out"),
        (tallies([40] * 99), tallies([4] * 99), "rlvr leads at no k"),
        (tallies([4] * 9), tallies([4] * 8 + [5]), "from 1 on, or none"),
    ],
)
def test_the_crossover_reads_as_a_sentence(
    base: list[Tally], rlvr: list[Tally], words: str
) -> None:
    pair = pair_of(base, rlvr)
    gap = pair.base.pass_at(64, "b").beside(pair.crossover(64, "b")) > pair.rlvr.pass_at(64, "b")
    assert [note for note in notes(gap) if words in note]


def test_evidence_beside_a_verdict_has_no_part_in_it() -> None:
    pair = pair_of(*CROSSING)
    plain = pair.base.pass_at(64, "b") > pair.rlvr.pass_at(64, "b")
    beside = pair.base.pass_at(64, "b").beside(Facts({"x": 1})) > pair.rlvr.pass_at(64, "b")
    assert (plain.verdict, plain.interval) == (beside.verdict, beside.interval)
    assert beside.evidence.exhibits == (Facts({"x": 1}),)


def test_strata_take_the_spread_between_them_out() -> None:
    """Easy and hard problems, as many of each in every such benchmark."""
    noise = np.random.default_rng(1).integers(-2, 3, 80).tolist()
    base = [2, 50] * 40
    rlvr = [c + 2 + more for c, more in zip([18, 50] * 40, noise, strict=True)]
    plain = pair_of(tallies(base), tallies(rlvr))
    apart = pair_of(tallies(base, strata=("hard", "easy")), tallies(rlvr, strata=("hard", "easy")))
    one, two = (p.rlvr.pass_at(1, "b") - p.base.pass_at(1, "b") for p in (plain, apart))
    assert one.value == two.value
    wide, narrow = one.interval(0.95), two.interval(0.95)
    assert narrow.high - narrow.low < wide.high - wide.low
    assert (two > 0).evidence.strata == 2
    assert (one > 0).evidence.strata is None


def test_every_stratum_has_its_own_row_at_the_smallest_and_the_largest_k() -> None:
    strata = ("hard", "easy")
    base, rlvr = tallies([2, 50] * 20, strata=strata), tallies([20, 52] * 20, strata=strata)
    rows = overview(source(base, rlvr), "b", (1, 8, 64), 0.95).strata
    assert [(row.stratum, row.k) for row in rows] == [
        ("easy", 1), ("easy", 64), ("hard", 1), ("hard", 64),
    ]  # fmt: skip
    hard = rows[2]
    assert hard.problems == 20
    assert hard.difference == pytest.approx(18 / 64)
    assert overview(source(*CROSSING), "b", (1, 8), 0.95).strata == []


def test_this_benchmark_alone_is_shown_beside_the_population_and_decides_nothing() -> None:
    draws = np.random.default_rng(0).integers(0, 64, 80).tolist()
    pair = pair_of(tallies(draws), tallies(draws[::-1]))
    judged = pair.rlvr.pass_at(1, "b") > pair.base.pass_at(1, "b")
    population, fixed = judged.evidence.targets
    assert (population.low, population.high) == (judged.interval.low, judged.interval.high)
    assert fixed.high - fixed.low < population.high - population.low
    assert [t.decides for t in (population, fixed)] == [True, False]
    assert any("this benchmark's problems alone" in note for note in notes(judged))


def test_curves_at_every_k_are_exact_and_agree_with_the_ladder_where_it_stands() -> None:
    base, rlvr = CROSSING
    seen = overview(source(base, rlvr), "b", (1, 4, 64), 0.95)
    assert {role: [p.k for p in of] for role, of in seen.every_k.items()} == {
        role: list(range(1, 65)) for role in ("base", "rlvr", "difference")
    }
    for role, counted in (("base", base), ("rlvr", rlvr)):
        for point in seen.every_k[role]:
            k = int(point.k)
            exact = sum(
                1 - Fraction(comb(t.n - t.correct, k), comb(t.n, k)) for t in counted
            ) / len(counted)
            assert point.value == pytest.approx(float(exact), abs=1e-12)
        at = {point.k: point for point in seen.every_k[role]}
        assert [at[point.k] for point in seen.curves[role]] == list(seen.curves[role])
    assert overview(source(base, rlvr), "b", range(1, 65), 0.95).every_k == {}
