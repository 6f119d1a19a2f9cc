"""Completions that ran out of tokens: a test of the rates, and what the cut ones could change."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from rlvr_gate.claims.views import CheckpointView, PairView
from rlvr_gate.gate.policy import PolicyError, parse_policy
from rlvr_gate.judging.ledger import Ledger
from rlvr_gate.judging.truncation import ALIKE, Likeness, admitted, alike, continued, unfinished
from rlvr_gate.records import Judgement, Margins, Tally, Verdict

HOLDS, REFUTED, UNDECIDED, UNLIKE = Verdict


class Cut:
    """Evidence of counts with truncation."""

    def __init__(self, base: Sequence[Tally], rlvr: Sequence[Tally]) -> None:
        self.of = {"base": tuple(base), "rlvr": tuple(rlvr)}

    def tallies(self, role: str, benchmark: str) -> tuple[Tally, ...]:
        return self.of[role]

    def even(self, benchmark: str) -> Sequence[Sequence[Tally]]:
        return self.of["base"], self.of["rlvr"]

    def guessing(self, benchmark: str) -> None:
        return None


def counts(seed: int, p: float, cut: float, n: int = 32, problems: int = 80) -> list[Tally]:
    """Cut completions are wrong ones first, as where an answer stands at the end."""
    rng = np.random.default_rng(seed)
    drawn = zip(rng.binomial(n, p, problems), rng.binomial(n, cut, problems), strict=True)
    return [Tally(f"p{i}", n, int(c), 0, int(t)) for i, (c, t) in enumerate(drawn)]


def k1(base: Sequence[Tally], rlvr: Sequence[Tally], margins: Margins | None = None) -> Judgement:
    source = Cut(base, rlvr)
    ledger = Ledger(even=source.even, margins=margins or Margins(), guaranteed=True)
    pair = PairView(*(CheckpointView(r, source, ledger) for r in ("base", "rlvr")))  # type: ignore[arg-type]
    return pair.rlvr.pass_at(1, "b") > pair.base.pass_at(1, "b")


@pytest.mark.parametrize("rate", [0.05, 0.2, 0.4])
@pytest.mark.parametrize(("problems", "n"), [(30, 16), (100, 16), (200, 64)])
def test_identical_runs_are_seldom_called_unlike(rate, problems, n):
    rng, margins = np.random.default_rng(3), Margins()
    found = [
        alike(*([Tally(str(i), n, 0, 0, int(c)) for i, c in enumerate(rng.binomial(n, p))]
                for p in (own, own)), margins, 0.95).verdict
        for own in rng.beta(20 * rate, 20 * (1 - rate), (200, problems))
    ]  # fmt: skip
    assert found.count(UNLIKE) <= 1  # a difference of point estimates called up to 120 so
    if n * problems > 10_000 and rate < 0.1:
        assert found.count(HOLDS) >= 190


def test_at_the_margin_unlike_is_called_as_often_as_the_level_says():
    rng, base, rlvr = np.random.default_rng(5), 0.1, 0.12
    found = []
    for _ in range(600):
        one, other = rng.binomial(6400, base), rng.binomial(6400, rlvr)
        tallies = ([Tally("p", 6400, 0, 0, int(c))] for c in (one, other))
        found.append(alike(*tallies, Margins(), 0.95).verdict)
    assert found.count(UNLIKE) / 600 <= 0.025 + 3 * (0.025 / 600) ** 0.5
    assert found.count(UNLIKE) > 0


def test_a_rambling_base_that_could_not_have_caught_up_is_judged():
    base, rlvr = counts(0, 0.1, 0.3), counts(1, 0.8, 0.005)
    judged = k1(base, rlvr)
    assert judged.verdict is HOLDS
    (note,) = judged.evidence.notes
    assert note.startswith("stands whatever the cut completions would have been (truncated: ")
    assert judged.p_value is not None


def test_a_rambling_base_that_could_have_caught_up_is_not():
    base, rlvr = counts(0, 0.1, 0.7), counts(1, 0.4, 0.005)
    judged = k1(base, rlvr)
    assert judged.verdict is UNLIKE
    (reason,) = judged.evidence.incomparable
    assert "holds unless" in reason
    share = float(reason.split("unless ")[1].split("%")[0]) / 100
    assert judged.p_value is None
    assert k1(base, rlvr, Margins(rescued=share - 0.05)).verdict is HOLDS
    assert k1(base, rlvr, Margins(rescued=share + 0.05)).verdict is UNLIKE


def test_what_a_policy_vouches_for_is_said():
    judged = k1(counts(0, 0.1, 0.7), counts(1, 0.4, 0.005), Margins(rescued=0.1))
    assert "stands if at most 10% of each problem's cut" in judged.evidence.notes[0]


def test_rates_that_chance_explains_either_way_leave_it_open():
    base, rlvr = counts(0, 0.3, 0.30, n=8, problems=40), counts(1, 0.6, 0.28, n=8, problems=40)
    judged = k1(base, rlvr)
    assert judged.verdict is UNDECIDED
    assert "truncated: base" in judged.evidence.notes[0]
    assert judged.evidence.would_decide is None  # so that a later look is taken


def test_what_is_undecided_stays_so_and_nothing_cut_changes_nothing():
    assert k1(counts(0, 0.3, 0.7), counts(1, 0.3, 0.0)).verdict is UNDECIDED
    few = [[Tally(str(i), 4, c, 0, 0) for i in range(30)] for c in (0, 4)]
    assert k1(*few).verdict is HOLDS
    unlike = Likeness(UNLIKE, "x", 0)
    assert admitted(REFUTED, unlike, 1.0, None).verdict is REFUTED
    assert admitted(REFUTED, Likeness(UNLIKE, "x", 3), 1.0, None).verdict is UNLIKE
    assert admitted(HOLDS, ALIKE, 1.0, None).notes == ()


def test_both_nearly_all_cut_compare_who_ends_in_time():
    judged = k1(counts(0, 0.2, 0.97), counts(1, 0.5, 0.97))
    assert "most of both (bound 50%)" in judged.evidence.incomparable[0]
    assert judged.verdict is UNLIKE


def test_solved_sets_of_unlike_runs_are_not_compared():
    source = Cut(counts(0, 0.2, 0.7), counts(1, 0.4, 0.0))
    ledger = Ledger(even=source.even)
    pair = PairView(*(CheckpointView(r, source, ledger) for r in ("base", "rlvr")))  # type: ignore[arg-type]
    assert (pair.solved("b").retention > 0.5).verdict is UNLIKE


def test_only_what_was_cut_and_is_not_right_may_become_right():
    assert unfinished(Tally("p", 10, 4, 1, 8)) == 5
    assert unfinished(Tally("p", 10, 4, 1, 2)) == 2
    assert unfinished(Tally("p", 10, 4, 1, None)) == 0
    assert continued(Tally("p", 10, 4, 1, 8), 0.5).unscored == 4
    assert continued(Tally("p", 10, 4, 1, 8), 0.0).unscored == 1


def test_a_policy_sets_the_margins():
    found = parse_policy("[comparability]\ntruncation = 0.1\nrescued = 0.25")
    assert found.margins == Margins(truncation=0.1, rescued=0.25)
    with pytest.raises(PolicyError, match=r"rescued is a share of completions in 0..1, got 25"):
        parse_policy("[comparability]\nrescued = 25")
    with pytest.raises(PolicyError, match="unknown key 'truncatoin'"):
        parse_policy("[comparability]\ntruncatoin = 0.1")
