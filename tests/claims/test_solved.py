"""Solved sets: what is noise is not read as shrinkage or expansion."""

from __future__ import annotations

import numpy as np
import pytest

from rlvr_gate.claims.solved import SolvedSets, resting
from rlvr_gate.gate.explain import explain
from rlvr_gate.judging.ledger import Ledger
from rlvr_gate.records import ClaimRecord, Kind, Tally, Verdict
from rlvr_gate.stats.adaptive import Rounds
from rlvr_gate.stats.null import against_same_model

Counts = list[int]


def tallies(correct: Counts, n: int = 64, unscored: int = 0) -> tuple[Tally, ...]:
    return tuple(Tally(f"p{i}", n, c, unscored) for i, c in enumerate(correct))


def sets_of(base: Counts, rlvr: Counts, n: int = 64, unscored: int = 0) -> SolvedSets:
    return SolvedSets(tallies(base, n), tallies(rlvr, n, unscored), "b", Ledger())


def draws(seed: int, p: np.ndarray, n: int = 64) -> Counts:
    drawn: Counts = np.random.default_rng(seed).binomial(n, p).tolist()
    return drawn


RARE = np.random.default_rng(9).beta(0.2, 8.0, 300)  # most problems are solved now and then


def test_a_model_against_itself_keeps_little_and_loses_nothing() -> None:
    """Raw retention is far below .93 by noise alone; the corrected claim is not fooled."""
    sets = sets_of(draws(0, RARE), draws(1, RARE))
    assert (sets.retention >= 0.93).verdict is Verdict.REFUTED
    kept, found = sets.retention_beyond_noise >= 0.93, sets.discovery_beyond_noise <= 0.04
    assert kept.verdict is not Verdict.REFUTED
    assert found.verdict is not Verdict.REFUTED
    assert kept.estimate == pytest.approx(1.0, abs=0.15)
    assert found.estimate == pytest.approx(0.0, abs=0.15)
    assert kept.interval.low < 1 < kept.interval.high


def test_real_shrinkage_is_still_seen() -> None:
    gone = np.where(np.arange(300) % 3, RARE, 0.0)
    kept = sets_of(draws(0, RARE + 0.05), draws(1, gone)).retention_beyond_noise >= 0.93
    assert kept.verdict is Verdict.REFUTED


def test_the_null_in_closed_form_is_that_over_all_splits() -> None:
    base, rlvr = draws(0, RARE), draws(1, RARE)
    split = against_same_model([64] * 300, base, [64] * 300, rlvr)
    judged = sets_of(base, rlvr).retention_beyond_noise >= 0.93
    assert judged.estimate == pytest.approx(split.retention)
    assert judged.interval.low == pytest.approx(split.retention_interval.low)
    noise = judged.evidence.noise
    assert noise is not None
    assert noise.rows[0].itself == pytest.approx(split.null.ratios.retention)
    assert noise.samples == 32


def test_adaptive_samples_have_a_null_too() -> None:
    rule = Rounds((8, 64), 2)
    stopped = tuple(
        Tally(f"p{i}", 8 if c > 1 else 64, c, rounds=rule) for i, c in enumerate([4, 1, 0, 2] * 20)
    )
    judged = SolvedSets(stopped, stopped, "b", Ledger()).retention_beyond_noise >= 0.5
    assert judged.verdict is Verdict.HOLDS


def test_one_sample_cannot_be_split() -> None:
    judged = sets_of([1, 0, 1], [1, 1, 0], n=1).retention_beyond_noise >= 0.93
    assert judged.verdict is Verdict.UNDECIDED
    assert judged.evidence.no_noise == "needs two samples of every problem"


def test_unscored_completions_widen_it_to_both_readings() -> None:
    base = draws(0, RARE)
    sure, open_ = (sets_of(base, [c // 2 for c in base], unscored=u) for u in (0, 4))
    one, two = (s.retention_beyond_noise >= 0.5 for s in (sure, open_))
    assert two.interval.high > one.interval.high
    assert two.interval.low <= one.interval.low


def test_nothing_solved_is_undecided() -> None:
    assert (sets_of([0] * 9, [0] * 9).retention_beyond_noise >= 0.9).verdict is Verdict.UNDECIDED


@pytest.mark.parametrize(
    ("base", "rlvr", "tag"),
    [(1, 0, "one lucky sample"), (0, 1, "one lucky sample"), (3, 0, "thin"), (9, 0, "solid"),
     (0, 40, "solid"), (3, 3, "None"), (0, 0, "None")],
)  # fmt: skip
def test_what_a_lost_or_gained_problem_rests_on(base: int, rlvr: int, tag: str) -> None:
    assert str(resting(Tally("p", 64, base), Tally("p", 64, rlvr))) == tag


def test_the_explanation_shows_the_null_and_every_tag() -> None:
    judged = sets_of([1, 20, 9, 0, 3], [0, 30, 0, 1, 3]).retention_beyond_noise >= 0.99
    claim = ClaimRecord(
        "K5", "leash", "", Kind.FINDING, "n", "b", None, 0.0, judged.verdict, (judged,)
    )
    text = "\n".join(explain(claim))
    assert "expected retention (SRR)" in text
    assert "problem p0   base 1/64   rlvr 0/64   rests on one lucky sample" in text
    assert "problem p2   base 9/64   rlvr 0/64   rests on solid" in text


@pytest.mark.parametrize("bar", [0.5, 0.8, 0.9, 0.95, 0.99, 1.05])
def test_the_p_value_turns_the_ratio_interval_round(bar: float) -> None:
    base = draws(0, RARE + 0.02)
    sets = sets_of(base, draws(1, np.where(np.arange(300) % 6, RARE + 0.02, 0.0)))
    for judged in (sets.retention_beyond_noise >= bar, sets.discovery_beyond_noise <= 1 - bar):
        assert judged.p_value is not None
        assert (judged.verdict is not Verdict.UNDECIDED) == (judged.p_value < 0.05)
