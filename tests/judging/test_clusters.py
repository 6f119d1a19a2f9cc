"""Problems that are not independent: one unit each cluster, in every interval."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rlvr_gate.claims.views import CheckpointView, PairView
from rlvr_gate.judging.ledger import Ledger
from rlvr_gate.judging.terms import units
from rlvr_gate.records import Tally


class Counted:
    """Evidence that is two lists of tallies."""

    def __init__(self, base: list[Tally], rlvr: list[Tally]) -> None:
        self.of = {"base": tuple(base), "rlvr": tuple(rlvr)}

    def tallies(self, role: str, benchmark: str) -> tuple[Tally, ...]:
        return self.of[role]

    def guessing(self, benchmark: str) -> None:
        return None


def pair_of(base: list[Tally], rlvr: list[Tally]) -> PairView:
    source, ledger = Counted(base, rlvr), Ledger()
    views = (CheckpointView(role, source, ledger) for role in ("base", "rlvr"))  # type: ignore[arg-type]
    return PairView(*views)


def copies(times: int, clustered: bool) -> tuple[list[Tally], list[Tally]]:
    """Forty questions, each asked in so many variants that come out alike."""
    rng = np.random.default_rng(3)
    base, rlvr = [], []
    for question in range(40):
        b, r = rng.binomial(16, [0.1, 0.3])
        for variant in range(times):
            label = f"q{question}" if clustered else ""
            name = f"q{question}-{variant}"
            base.append(Tally(name, 16, int(b), cluster=label))
            rlvr.append(Tally(name, 16, int(r), cluster=label))
    return base, rlvr


def width(times: int, clustered: bool, k: int = 1) -> float:
    pair = pair_of(*copies(times, clustered))
    found = (pair.rlvr.pass_at(k, "b") - pair.base.pass_at(k, "b")).interval(0.95)
    return found.high - found.low


def test_variants_of_a_question_add_no_information() -> None:
    alone = width(1, clustered=False)
    assert width(5, clustered=True) == pytest.approx(alone, rel=0.05)
    assert width(5, clustered=False) < 0.6 * alone  # what ignoring it would claim


def test_verdict_p_value_and_notes_count_clusters() -> None:
    def judged(times: int, clustered: bool):
        pair = pair_of(*copies(times, clustered))
        return pair.rlvr.pass_at(1, "b") > pair.base.pass_at(1, "b") + 0.17

    one, many, wrong = judged(1, False), judged(5, True), judged(5, False)
    assert one.verdict == many.verdict == "undecided"
    assert many.p_value == pytest.approx(one.p_value, rel=0.15)
    assert wrong.p_value < 0.5 * one.p_value
    assert many.evidence.clusters == 40
    assert one.evidence.clusters is None


def test_unequal_clusters_are_named_for_what_they_tell() -> None:
    sizes = [30, *[1] * 20]
    labels = [f"q{i}" for i, size in enumerate(sizes) for _ in range(size)]
    sides = [
        [Tally(f"p{i}", 16, c, cluster=label) for i, label in enumerate(labels)] for c in (2, 9)
    ]
    pair = pair_of(*sides)
    judged = pair.rlvr.pass_at(1, "b") > pair.base.pass_at(1, "b")
    assert judged.evidence.notes == (
        "21 clusters of unequal sizes tell as much as about 3 equal ones",
    )
    even = pair_of(*copies(5, True))
    assert (even.rlvr.pass_at(1, "b") > even.base.pass_at(1, "b")).evidence.notes == ()


def test_bands_and_solved_sets_count_clusters() -> None:
    one, many = pair_of(*copies(1, False)), pair_of(*copies(5, True))
    for number in ("lost_share", "retention", "discovery"):
        alone, together = (getattr(p.solved("b"), number) >= 0.5 for p in (one, many))
        ends = [(j.interval.low, j.interval.high) for j in (alone, together)]
        assert together.estimate == pytest.approx(alone.estimate)
        assert ends[1][1] - ends[1][0] > 0.5 * (ends[0][1] - ends[0][0])
    alone, together = (p.solved("b").retention_beyond_noise >= 0.5 for p in (one, many))
    assert together.interval.low == pytest.approx(alone.interval.low, abs=0.03)
    assert one.crossover(8, "b").low == many.crossover(8, "b").low


def test_a_problem_without_a_cluster_is_one_of_its_own() -> None:
    tallies = [Tally("a", 4, 1, cluster="x"), Tally("b", 4, 1, cluster="x"), Tally("x", 4, 1)]
    found = units(tallies)["clusters"]
    assert found is not None
    assert len(set(found)) == 2
    assert units([replace(t, cluster="") for t in tallies])["clusters"] is None
    assert units([replace(t, cluster=t.problem) for t in tallies])["clusters"] is None


def test_what_is_kept_of_units_is_that_of_these_tallies() -> None:
    """A list may change; a tuple that is gone may leave its place in memory to another."""
    grown = [Tally("a", 2, 1, cluster="c"), Tally("b", 2, 1, cluster="c")]
    assert units(grown)["clusters"] == ("c c", "c c")
    grown.append(Tally("d", 2, 1, stratum="s"))
    assert len(units(grown)["clusters"] or ()) == 3
    for n in range(2, 12):
        assert (
            len(
                units(tuple(Tally(f"p{i}", 1, 0, cluster="c") for i in range(n)))["clusters"] or ()
            )
            == n
        )
