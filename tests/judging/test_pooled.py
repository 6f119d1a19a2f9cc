"""One claim about several benchmarks: its mean, its bound, what keeps it from being judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from rlvr_gate.claims.views import CheckpointView, PairView
from rlvr_gate.judging.ledger import Ledger
from rlvr_gate.judging.truncation import Admitted
from rlvr_gate.records import Tally, Verdict
from rlvr_gate.stats.guaranteed import guaranteed_interval, sample

SIZES = {"small": 30, "large": 300}


class Benchmarks:
    """Counts on two benchmarks; base solves a fifth of the samples, rlvr `gain` more."""

    def __init__(self, gain: float, unscored: int = 0, cluster: str = "") -> None:
        rng = np.random.default_rng(5)
        self.of: dict[tuple[str, str], tuple[Tally, ...]] = {}
        for name, size in SIZES.items():
            p = rng.beta(2, 4, size) * 0.6
            for role, chance in (("base", p), ("rlvr", p + gain)):
                drawn = np.minimum(rng.binomial(64, chance), 64 - unscored)
                self.of[role, name] = tuple(
                    Tally(f"p{i}", 64, int(c), unscored, cluster=cluster and f"{cluster}{i // 2}")
                    for i, c in enumerate(drawn)
                )

    def tallies(self, role: str, benchmark: str) -> tuple[Tally, ...]:
        return self.of[role, benchmark]

    def guessing(self, benchmark: str) -> None:
        return None


def pair_of(source: Benchmarks, ledger: Ledger | None = None) -> PairView:
    ledger = ledger or Ledger(guaranteed=True)
    views = (CheckpointView(r, source, ledger) for r in ("base", "rlvr"))  # type: ignore[arg-type]
    return PairView(*views)


def test_a_mean_decides_what_the_small_benchmark_alone_leaves_open() -> None:
    pair = pair_of(Benchmarks(0.1))
    alone = pair.rlvr.pass_at(1, "small") > pair.base.pass_at(1, "small")
    together = pair.gain(1, list(SIZES)) > 0
    assert alone.verdict is Verdict.UNDECIDED
    assert together.verdict is Verdict.HOLDS
    assert together.guaranteed
    assert together.benchmark is None
    rows = together.evidence.conclusions
    assert rows is not None
    assert [row.problems for row in rows] == ["small: 30", "large: 300"]
    assert together.estimate == pytest.approx(np.mean([row.difference for row in rows]))


@pytest.mark.parametrize("gain", [0.0, 0.02, 0.05, 0.1])
@pytest.mark.parametrize("weigh", ["benchmarks", "problems"])
def test_it_is_decided_when_its_p_value_is_small(gain: float, weigh) -> None:
    for judged in (
        pair_of(Benchmarks(gain)).gain(1, list(SIZES), weigh=weigh) > 0,
        -pair_of(Benchmarks(gain)).gain(1, list(SIZES), weigh=weigh) > 0,
    ):
        assert judged.p_value is not None
        assert (judged.verdict is not Verdict.UNDECIDED) == (judged.p_value < 0.05)


def test_equal_shares_are_no_shares_and_clusters_are_kept_apart() -> None:
    x = np.random.default_rng(1).uniform(-0.2, 0.4, 50)
    plain = guaranteed_interval(x, level=0.95, low=-1, high=1)
    equal = guaranteed_interval(x, level=0.95, low=-1, high=1, shares=np.full(50, 0.02))
    assert (plain.low, plain.high) == pytest.approx((equal.low, equal.high))
    alone, paired = (pair_of(Benchmarks(0.1, cluster=c)).gain(1, list(SIZES)) for c in ("", "q"))
    assert len(set(alone._clusters)) == 330
    assert len(set(paired._clusters)) == 165  # q0 of one benchmark is not q0 of the other


@pytest.mark.parametrize("rare", [0.02, 0.1, 0.3])
def test_unequal_shares_err_no_more_often_than_promised(rare: float) -> None:
    """The small benchmark gains what the large one loses, and each loses all of a rare kind."""
    rng, sizes = np.random.default_rng(3), np.array([30, 300])
    shares = np.repeat(0.5 / sizes, sizes)
    means = np.repeat([0.05, -0.05], sizes)
    errors = 0
    for _ in range(400):
        lost = rng.random(330) < rare
        values = np.where(lost, -1.0, (means + rare) / (1 - rare))
        errors += sample(values, -1.0, None, shares).p_value(0.0) <= 0.025
    assert errors / 400 <= 0.025 + 3 * (0.025 / 400) ** 0.5


def test_a_mean_over_runs_that_are_not_comparable_is_none() -> None:
    unlike = Ledger(comparability=lambda b: ["prompts differ"] if b == "small" else [])
    judged = pair_of(Benchmarks(0.1), unlike).gain(1, list(SIZES)) > 0
    assert judged.verdict is Verdict.NOT_COMPARABLE
    assert judged.evidence.incomparable == ("small: prompts differ",)
    assert judged.p_value is None


def test_unscored_completions_widen_it() -> None:
    sure, open_ = (pair_of(Benchmarks(0.1, unscored=u)).gain(1, list(SIZES)) for u in (0, 3))
    assert open_.interval.low < sure.interval.low
    assert open_.interval.high > sure.interval.high


@pytest.mark.parametrize(
    ("benchmarks", "weigh", "message"),
    [([], "problems", "each once"), (["small", "small"], "problems", "each once"),
     (["small"], "size", "weigh is benchmarks or problems")],
)  # fmt: skip
def test_what_is_no_mean_is_refused(benchmarks: Sequence[str], weigh, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pair_of(Benchmarks(0.1)).gain(1, benchmarks, weigh=weigh)


def test_it_is_compared_with_numbers_in_its_range() -> None:
    gain = pair_of(Benchmarks(0.1)).gain(1, list(SIZES))
    assert (gain - 0.01 > 0).estimate == pytest.approx((gain > 0).estimate - 0.01)
    with pytest.raises(ValueError, match="per cent"):
        _ = gain > 5
    with pytest.raises(TypeError):
        _ = gain + gain
    assert replace(gain, weigh="problems").value != gain.value


WHY, SAID = "prompts differ", "stands whatever the cut completions would have been"


@pytest.mark.parametrize(
    ("first", "then", "verdict", "reasons", "notes"),
    [
        ({}, {}, Verdict.HOLDS, (), ()),
        ({"note": SAID}, {"note": SAID}, Verdict.HOLDS, (), (SAID,)),
        ({"note": SAID}, {"why": WHY}, Verdict.NOT_COMPARABLE, (f"b: {WHY}",), (f"a: {SAID}",)),
        ({"why": WHY}, {"why": WHY}, Verdict.NOT_COMPARABLE, (WHY,), ()),
        ({"open": "cut"}, {}, Verdict.UNDECIDED, (), ("a: cut",)),
        ({"open": "cut"}, {"why": WHY}, Verdict.NOT_COMPARABLE, (f"b: {WHY}",), ("a: cut",)),
    ],
)
def test_a_verdict_over_benchmarks_is_comparable_where_it_is_on_all_and_open_where_on_one(
    monkeypatch, first, then, verdict, reasons, notes
) -> None:
    """In either order: what is said of the first hides nothing of the second."""
    said = {"a": first, "b": then}

    def admit(benchmark, found, both=()) -> Admitted:
        of = said[benchmark]
        note = tuple(text for key, text in of.items() if key != "why")
        if "why" in of:
            return Admitted(Verdict.NOT_COMPARABLE, (of["why"],), note)
        return Admitted(Verdict.UNDECIDED if "open" in of else found, (), note)

    ledger = Ledger()
    monkeypatch.setattr(ledger, "admit", admit)
    for order in (["a", "b"], ["b", "a"]):
        found = ledger.admit_over(order, Verdict.HOLDS)
        assert found == Admitted(verdict, reasons, notes)
