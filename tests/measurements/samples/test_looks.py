"""Which problems each look asks, how far, and that every process finds the same."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise

import pytest

from rlvr_gate.judging.settling import Look
from rlvr_gate.records import (
    Benchmark,
    ClaimRecord,
    Interval,
    Judgement,
    Kind,
    Problem,
    Verdict,
)
from rlvr_gate.stats.adaptive import Rounds
from rlvr_gate_fixtures.measurements.samples.schedule import Asked, Schedule, capped, in_order

ROUNDS = Rounds((16, 32, 64, 128), 8)


def benchmark(size: int, strata: int = 1, name: str = "sums") -> Benchmark:
    problems = tuple(
        Problem(f"p{i:04}", f"{i}", str(i), "exact", f"s{i % strata}" if strata > 1 else None)
        for i in range(size)
    )
    return Benchmark(name, "here", "digest", problems)


def record(nodeid: str, verdict: Verdict, k: int | None = None, name: str = "sums") -> ClaimRecord:
    more = {"would decide": {"problems": 10, "samples": None, "text": ""}}
    judged = Judgement("", verdict, 0.0, Interval(-1, 1, 0.95), 0.0, ">", name, k, 16, more)
    return ClaimRecord("X", "", "", Kind.GATE, nodeid, name, k, 0.0, verdict, (judged,))


def first(size: int = 100, seed: int = 0) -> Schedule:
    return Schedule.first([benchmark(size)], ROUNDS, seed)


def test_the_order_is_a_shuffle_that_the_seed_alone_decides() -> None:
    one, again, other = ([p.id for p in in_order(benchmark(200), seed)] for seed in (0, 0, 1))
    assert one == again
    assert one != other != sorted(other)
    assert sorted(one) == sorted(other) == [p.id for p in benchmark(200).problems]


def test_every_beginning_holds_the_strata_in_proportion() -> None:
    order = in_order(benchmark(120, strata=3), 0)
    for size in (30, 60, 120):
        counts = Counter(problem.stratum for problem in order[:size])
        assert set(counts.values()) == {size // 3}


def test_looks_add_problems_and_never_ask_one_twice() -> None:
    asked = Asked(benchmark(500), 0, ROUNDS, (128, 128, 16, 16))
    ids = [problem.id for part in asked.parts for problem in part.problems]
    assert [len(part.problems) for part in asked.parts] == [125, 125, 125, 125]
    assert sorted(ids) == [p.id for p in benchmark(500).problems]
    assert [part.rounds for part in asked.parts] == [
        ROUNDS,
        ROUNDS,
        ROUNDS.upto(1),
        ROUNDS.upto(1),
    ]
    assert asked.problems == benchmark(500).problems  # in the benchmark's order again
    assert len(asked.whole().problems) == 250


def test_a_cap_is_a_round() -> None:
    assert capped(ROUNDS, 1).sizes == (16,)
    assert capped(ROUNDS, 17).sizes == (16, 32)
    assert capped(ROUNDS, 128) == ROUNDS


def test_sampling_ends_where_every_claim_is_settled() -> None:
    then = first().then([record("a", Verdict.HOLDS), record("b", Verdict.REFUTED)])
    assert not then.going
    assert then.settled == {"a": 0, "b": 0}
    assert len(then.asked["sums"].problems) == 50


def test_further_problems_are_asked_only_as_often_as_the_open_claims_need() -> None:
    then = first().then([record("a", Verdict.HOLDS), record("b", Verdict.UNDECIDED, k=20)])
    assert then.going
    assert then.asked["sums"].caps == (128, 32)
    assert then.look_of("a", "sums") == Look(0, (50, 75, 100))
    assert then.look_of("b", "sums") == Look(1, (50, 75, 100))
    whole = first().then([record("c", Verdict.UNDECIDED)])
    assert whole.asked["sums"].caps == (128, 128)  # who knows which k it reads


def test_the_last_look_ends_it_whatever_is_open() -> None:
    open_ = [record("b", Verdict.UNDECIDED, k=20)]
    then = first().then(open_)
    assert then.is_open("b", "sums")
    then = then.then(open_)
    assert not then.is_open("b", "sums")  # nobody has to be asked before the end
    assert not then.then([]).going
    assert then.then([]).asked["sums"].caps == (128, 32, 32)


def test_benchmarks_stop_on_their_own() -> None:
    start = Schedule.first([benchmark(100), benchmark(100, name="more")], ROUNDS, 0)
    then = start.then([record("a", Verdict.HOLDS), record("b", Verdict.UNDECIDED, 1, "more")])
    assert [name for name, _ in then.due] == ["more"]
    assert [a.going for a in then.asked.values()] == [False, True]


def test_one_look_is_enough_for_a_small_benchmark() -> None:
    small = first(30)
    assert small.look_of("a", "sums") is None
    assert not small.is_open("a", "sums")
    assert not small.then([]).going


def test_a_claim_reads_what_its_look_had_seen() -> None:
    then = first().then([record("a", Verdict.HOLDS), record("b", Verdict.UNDECIDED, k=1)])
    early = then.at(then.look_of("a", "sums")).asked["sums"]
    assert early.caps == (128,)
    assert len(early.problems) == 50
    assert then.at(then.look_of("b", "sums")).asked == then.asked


def test_another_process_can_be_told() -> None:
    then = first().then([record("a", Verdict.HOLDS), record("b", Verdict.UNDECIDED, k=1)]).then([])
    assert first().from_wire(json.loads(json.dumps(then.to_wire()))) == then


@pytest.mark.parametrize("size", [80, 100, 161])
def test_looks_grow(size: int) -> None:
    sizes = Asked(benchmark(size), 0, ROUNDS, (128,)).sizes
    assert all(a < b for a, b in pairwise(sizes))
    assert sizes[-1] == size


def test_what_no_look_judges_is_read_of_the_first_where_nothing_holds_more() -> None:
    """How many problems that is hangs on no verdict, and they were asked for every k."""
    later = {
        name: Asked(benchmark(100, name=name), 0, ROUNDS, (128, 16, 16), held=held)
        for name, held in (("free", False), ("held", True))
    }
    seen = Schedule(later, {}).unlooked().asked
    assert len(seen["free"].problems) == 50
    assert [part.rounds for part in seen["free"].parts] == [ROUNDS]
    assert len(seen["held"].problems) == 100
