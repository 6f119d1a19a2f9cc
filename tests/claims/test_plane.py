"""Divergence and forgetting of whatever checkpoints were measured, from numbers known by hand."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from rlvr_gate.claims.forgetting.plane import plane
from rlvr_gate.claims.views import ScoreOf, TokenScores
from rlvr_gate.records import Plane, Tally

from .counted import Counted

M = 10


class Source(Counted):
    """Counts by (role, benchmark), of two samples a problem; divergences of some roles."""

    def __init__(self, right: Mapping[tuple[str, str], int], kl: Mapping[str, float]) -> None:
        super().__init__({})
        self.right, self.kl = right, kl

    def tallies(self, role: str, benchmark: str) -> tuple[Tally, ...]:
        solved = self.right[role, benchmark]
        return tuple(Tally(str(n), 2, 2 * (n < solved)) for n in range(M))

    def scores(self, asked: ScoreOf, benchmark: str) -> TokenScores:
        if asked.to not in self.kl:
            raise LookupError("nobody asked")
        assert (asked.of, asked.under) == ("base", "base")
        tokens = np.full((M, 2), 5.0)
        return TokenScores(self.kl[asked.to] * tokens, tokens, "made")


RIGHT = {
    ("base", "new"): 2, ("base", "old"): 10, ("base", "older"): 8,
    ("rlvr", "new"): 8, ("rlvr", "old"): 9, ("rlvr", "older"): 8,
    ("sft", "new"): 6, ("sft", "old"): 5, ("sft", "older"): 2,
}  # fmt: skip


def found(kl: Mapping[str, float], *benchmarks: str) -> Plane | None:
    return plane(Source(RIGHT, kl), benchmarks, ["rlvr", "sft"], 0.95)  # type: ignore[arg-type]


def test_what_was_lost_is_the_mean_over_prior_tasks_and_rows_go_by_divergence() -> None:
    seen = found({"rlvr": 0.5, "sft": 0.25}, "new", "old", "older")
    assert seen is not None
    assert (seen.benchmark, seen.prior, seen.k) == ("new", ("old", "older"), 1)
    assert [row.role for row in seen.rows] == ["sft", "rlvr"]
    sft, rlvr = seen.rows
    assert (sft.kl, rlvr.kl) == (0.25, 0.5)
    assert sft.low <= sft.kl <= sft.high
    assert sft.forgotten == pytest.approx((0.5 + 0.6) / 2)
    assert rlvr.forgotten == pytest.approx((0.1 + 0.0) / 2)
    assert (sft.gained, rlvr.gained) == (pytest.approx(0.4), pytest.approx(0.6))


def test_without_a_prior_task_it_is_what_base_reached_on_the_new_one() -> None:
    """At the most that all answer: pass@2 of base .2, of rlvr .8."""
    seen = found({"rlvr": 0.5, "sft": 0.25}, "new")
    assert seen is not None
    assert (seen.prior, seen.k) == ((), 2)
    assert {row.role: row.forgotten for row in seen.rows} == {
        "rlvr": pytest.approx(-0.6),
        "sft": pytest.approx(-0.4),
    }


def test_one_checkpoint_is_no_plane_and_nothing_is_asked_for_it() -> None:
    assert found({"rlvr": 0.5}, "new", "old") is None
    assert found({}, "new") is None
