"""Gains split into choice and reliability of methods: by hand, by identity, and undecided."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest

from rlvr_gate.claims import numbers
from rlvr_gate.claims.views import CheckpointView, PairView
from rlvr_gate.claims.ways.methods import MARKS, Used
from rlvr_gate.claims.ways.shares import changes, counts
from rlvr_gate.judging.quantities import Ledger
from rlvr_gate.records import Rounds, Table, Tally, Verdict

Of = Sequence[Mapping[str, Used]]


class Source:
    """Methods of each role; tallies are their sums."""

    def __init__(self, base: Of | None, rlvr: Of | None, rounds: Rounds | None = None) -> None:
        self._of, self._rounds = {"base": base, "rlvr": rlvr}, rounds

    def methods(self, role: str, benchmark: str, classify: object) -> Of | None:
        return self._of[role]

    def tallies(self, role: str, benchmark: str) -> tuple[Tally, ...]:
        of = self._of[role] or [{"a": Used(4, 1)}] * 3
        each = (
            [sum(getattr(u, part) for u in used.values()) for part in ("n", "correct", "unscored")]
            for used in of
        )
        return tuple(
            replace(Tally(f"p{i}", n, c), unscored=u, rounds=self._rounds)
            for i, (n, c, u) in enumerate(each)
        )


def pair_of(base: Of | None, rlvr: Of | None, rounds: Rounds | None = None) -> PairView:
    source, ledger = Source(base, rlvr, rounds), Ledger()
    ours, theirs = (CheckpointView(role, source, ledger) for role in ("base", "rlvr"))  # type: ignore[arg-type]
    return PairView(ours, theirs)


def test_the_published_table_by_hand() -> None:
    """Base language wrong, code right; RLVR code right twice: language to code carries it all."""
    base = counts([{"code": Used(1, 1), "lang": Used(1, 0)}], ["code", "lang"], lenient=False)
    rlvr = counts([{"code": Used(2, 2)}], ["code", "lang"], lenient=False)
    share, gain = changes(base, rlvr)
    assert share.tolist() == [[0.5, 0], [0.5, 0]]
    assert (gain / gain.sum()).tolist() == [[0, 0], [1, 0]]


def made_up(seed: int, problems: int = 40, n: int = 12) -> tuple[Of, Of]:
    rng = np.random.default_rng(seed)

    def one() -> dict[str, Used]:
        by = rng.multinomial(n, rng.dirichlet([0.4] * 3))
        return {
            name: Used(int(k), int(rng.binomial(k, rng.random())))
            for name, k in zip("abc", by, strict=True)
            if k
        }

    return [one() for _ in range(problems)], [one() for _ in range(problems)]


@pytest.mark.parametrize("seed", range(5))
def test_both_parts_are_the_whole_gain_and_swapping_turns_their_signs(seed: int) -> None:
    base, rlvr = made_up(seed)
    pair, swapped = pair_of(base, rlvr), pair_of(rlvr, base)
    gain = pair.rlvr.pass_at(1, "b") - pair.base.pass_at(1, "b")
    parts = [part(pair, "b") for part in (numbers.by_choice, numbers.by_reliability)]
    assert parts[0].low + parts[1].low == pytest.approx(gain.low)
    for part, there in zip((numbers.by_choice, numbers.by_reliability), parts, strict=True):
        assert part(swapped, "b").low == pytest.approx(-there.low)
    ours, theirs = (counts(of, ["a", "b", "c"], lenient=False) for of in (base, rlvr))
    share, moved = changes(ours, theirs)
    assert (share.sum(), moved.sum()) == (pytest.approx(1), pytest.approx(gain.value))


def test_another_choice_alone_and_more_reliability_alone() -> None:
    often, rarely = {"a": Used(8, 4), "b": Used(2, 0)}, {"a": Used(2, 1), "b": Used(8, 0)}
    pair = pair_of([rarely] * 30, [often] * 30)
    assert numbers.by_choice(pair, "b").value == pytest.approx(0.3)
    assert numbers.by_reliability(pair, "b").value == pytest.approx(0, abs=1e-12)
    better = {"a": Used(2, 2), "b": Used(8, 6)}
    pair = pair_of([rarely] * 30, [better] * 30)
    assert numbers.by_choice(pair, "b").value == pytest.approx(0, abs=1e-12)
    assert numbers.by_reliability(pair, "b").value == pytest.approx(0.7)
    judged = numbers.by_reliability(pair, "b") > numbers.by_choice(pair, "b")
    assert judged.verdict is Verdict.HOLDS
    tables = [e.title for e in judged.evidence.exhibits if isinstance(e, Table)]
    assert len(tables) == 2


def test_a_method_nobody_saw_the_base_use_counts_as_choice() -> None:
    pair = pair_of([{"a": Used(4, 1)}] * 20, [{"b": Used(4, 3)}] * 20)
    assert numbers.by_choice(pair, "b").value == pytest.approx(0.5)
    judged = numbers.by_reliability(pair, "b") > numbers.by_choice(pair, "b")
    assert judged.verdict is Verdict.REFUTED


def test_it_is_right_in_the_mean() -> None:
    """Shares .2 and .6, reliabilities (.3, .1) and (.5, .1): choice .12, reliability .08."""
    rng = np.random.default_rng(3)

    def drawn(share: float, right: float, n: int = 400):
        of = []
        for a in rng.binomial(n, share, 60).tolist():
            c, d = rng.binomial(a, right), rng.binomial(n - a, 0.1)
            of.append({"a": Used(a, int(c)), "b": Used(n - a, int(d))})
        return of

    pair = pair_of(drawn(0.2, 0.3), drawn(0.6, 0.5))
    assert numbers.by_choice(pair, "b").value == pytest.approx(0.4 * (0.4 - 0.1), abs=0.01)
    assert numbers.by_reliability(pair, "b").value == pytest.approx(0.4 * 0.2, abs=0.01)


def test_what_is_unscored_is_read_both_ways() -> None:
    base = counts([{"a": Used(4, 1, 1)}], ["a"], lenient=True)
    assert base.right.tolist() == [[2]]
    pair = pair_of([{"a": Used(100, 25)}] * 30, [{"a": Used(100, 75, 1)}] * 30)
    found = numbers.by_reliability(pair, "b")
    assert (found.low[0], found.high[0]) == (pytest.approx(0.5), pytest.approx(0.51))
    assert numbers.by_choice(pair, "b").value == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("pair", "why"),
    [
        (pair_of(None, [{"a": Used(4, 1)}] * 3), "not recorded"),
        (pair_of([{"a": Used(4, 1)}] * 3, [{"a": Used(4, 4)}] * 3, Rounds((4, 8), 2)), "fixed"),
    ],
)
def test_where_nobody_knows_it_is_undecided(pair: PairView, why: str) -> None:
    found = numbers.by_choice(pair, "b")
    assert why in found.label
    assert (found.low.min(), found.high.max()) == (-1, 1)
    assert (found > 0).verdict is Verdict.UNDECIDED


@pytest.mark.parametrize(
    ("text", "method"),
    [
        ("The answer is 4.", "none of these"),
        ("```\nx = 1\n```", "code"),
        ("5. Wait, that is too much. Let me check: 2+2=4", "backtracking and checking"),
        ("Case 1: n is even. Case 2: n is odd.", "enumerating"),
        ("s25+9:34+7:41=27n25+9:34-7:27=27y>25+9-7", "backtracking and checking"),
        ("s9+9:18=18y>9+9", "checking"),
        ("r6=14,14-2=12>22-2", "none of these"),
        ("I await the waiter's verification", "none of these"),
    ],
)
def test_methods_that_ship(text: str, method: str) -> None:
    assert numbers.how(text) == method


def test_a_classifier_of_ones_own_is_a_function() -> None:
    python = numbers.whether("python", lambda text: "python" in text)
    assert (python("in python"), python("by hand")) == ("python", "no python")
    both = numbers.whether("checks", MARKS["checking"])
    assert both("let me check") == "checks"


@pytest.mark.parametrize("piece", ["=1", "1" * 9, "check", "try ", ":9n", "def a", "wait", "m"])
def test_long_texts_are_no_trouble(piece: str) -> None:
    started = time.process_time()
    numbers.how(piece * (200_000 // len(piece)))
    assert time.process_time() - started < 2
