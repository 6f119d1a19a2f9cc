"""Filling draws what is missing, grades it, and keeps what arrived whatever happens."""

from __future__ import annotations

import io
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from rlvr_gate.records import Grade, Graded
from rlvr_gate_fixtures.backends import BackendError
from rlvr_gate_fixtures.backends.scripted import ScriptedBackend, coins
from rlvr_gate_fixtures.grading.pool import Grader
from rlvr_gate_fixtures.measurements.samples import plan as plans
from rlvr_gate_fixtures.measurements.samples.fill import fill
from rlvr_gate_fixtures.measurements.samples.plan import make_plan, prompted
from rlvr_gate_fixtures.progress import Progress
from rlvr_gate_fixtures.store.samples import TRIED, Store, StoreError


def tallies(need, store, backend):
    problems = prompted(need.checkpoint, need.benchmark, store, backend)
    return store.tallies(need.stream, problems, need.samples)


def test_everything_needed_is_drawn_graded_and_counted(need, store, backend):
    filled = fill(make_plan([need(32)], store, backend), store, backend)
    counts = tallies(need(32), store, backend)
    assert (filled.completions, filled.reused) == (320, 0)
    assert [t.n for t in counts] == [32] * 10
    assert sum(t.tokens for t in counts) == filled.tokens
    assert 0.15 < sum(t.correct for t in counts) / 320 < 0.45


def test_a_second_fill_touches_no_backend(need, store, counting):
    fill(make_plan([need(8)], store, counting), store, counting)
    assert counting.drawn == 80
    again = fill(make_plan([need(8)], store, counting), store, counting)
    assert (counting.drawn, again.completions, again.reused) == (80, 0, 80)


def test_growing_from_64_to_256_draws_192_and_equals_a_fresh_256(need, store, counting, tmp_path):
    fill(make_plan([need(64)], store, counting), store, counting)
    small = tallies(need(64), store, counting)
    grown = fill(make_plan([need(256)], store, counting), store, counting)
    assert (grown.completions, grown.reused, counting.drawn) == (1920, 640, 2560)
    with Store.open(tmp_path / "fresh") as fresh:
        fill(make_plan([need(256)], fresh, counting), fresh, counting)
        assert tallies(need(256), fresh, counting) == tallies(need(256), store, counting)
        assert tallies(need(64), fresh, counting) == small


def test_a_new_verifier_version_regrades_without_drawing(need, store, counting, monkeypatch):
    fill(make_plan([need(8)], store, counting), store, counting)
    exact = replace(plans.EVERY["exact"], version="new")
    monkeypatch.setattr(plans, "EVERY", {"exact": exact})
    plan = make_plan([need(8)], store, counting)
    assert plan.lines()[0].endswith("nothing to draw, 80 to grade")
    log = io.StringIO()
    fill(plan, store, counting, progress=Progress(log, tty=False))
    assert log.getvalue() == "base · 80 stored completions graded\n"
    assert counting.drawn == 80
    assert [t.n for t in tallies(need(8), store, counting)] == [8] * 10


def grades(need, store, backend):
    """Every completion's grade, what was read of it and why."""
    problems = prompted(need.checkpoint, need.benchmark, store, backend)
    kept = [store.kept(need.stream, p, sample) for p in problems for sample in range(need.samples)]
    return [(each.grade, each.extracted, each.reason) for each in kept]


def test_two_gradings_of_the_same_completions_are_one_also_past_a_killed_worker(
    need, store, counting, monkeypatch
):
    fill(make_plan([need(64)], store, counting), store, counting)
    first = grades(need(64), store, counting)
    assert {grade for grade, _, _ in first} == {Grade.CORRECT, Grade.WRONG}
    killed = []

    class Fragile(Grader):
        """Its first worker is killed with the first completions graded and the others waiting."""

        def poll(self, seconds=0.0):
            decided = super().poll(seconds)
            if decided and self.pending and not killed:
                killed.append(self._worker._process.process.pid)
                os.kill(killed[0], signal.SIGKILL)
            return decided

    for version, grader in (("new", Grader), ("newer", Fragile)):
        newer = replace(plans.EVERY["exact"], version=version)
        monkeypatch.setattr(plans, "EVERY", {"exact": newer})
        plan = make_plan([need(64)], store, counting)
        assert [row.ungraded for row in plan.rows] == [640]
        fill(plan, store, counting, grader=grader())
        assert grades(need(64), store, counting) == first
        assert make_plan([need(64)], store, counting).complete
    assert killed
    assert counting.drawn == 640


def test_a_dead_backend_costs_only_what_was_in_flight(need, store, benchmark, backend):
    dying = ScriptedBackend({"*": coins(benchmark, 0.3)}, die_after=123)
    with pytest.raises(BackendError, match="died"):
        fill(make_plan([need(32)], store, dying), store, dying)
    plan = make_plan([need(32)], store, backend)
    assert plan.stored == 123
    fill(plan, store, backend)
    assert sum(t.n for t in tallies(need(32), store, backend)) == 320


def test_ctrl_c_closes_the_backend_and_keeps_what_arrived(need, store, backend):
    class Interrupted(ScriptedBackend):
        closed = False

        def complete(self, checkpoint, stream, requests):
            try:
                for n, drawn in enumerate(super().complete(checkpoint, stream, requests)):
                    if n == 50:
                        raise KeyboardInterrupt
                    yield drawn
            finally:
                Interrupted.closed = True

    interrupted = Interrupted(backend._script)
    with pytest.raises(KeyboardInterrupt):
        fill(make_plan([need(32)], store, interrupted), store, interrupted)
    assert Interrupted.closed
    assert make_plan([need(32)], store, backend).stored == 50


def test_a_full_disk_stops_the_backend_and_says_so(need, store, backend, benchmark):
    pages = store.rows("PRAGMA page_count")[0][0]
    store.rows(f"PRAGMA max_page_count = {pages + 4}")
    slow = ScriptedBackend({"*": coins(benchmark, 0.3, wrong="w" * 60)}, delay=0.001)
    plan = make_plan([need(2000)], store, slow)
    with pytest.raises(StoreError, match="the disk is full"):
        fill(plan, store, slow)
    store.rows("PRAGMA max_page_count = 1000000")
    stored = make_plan([need(2000)], store, slow).stored
    assert 0 <= stored < 20_000


def test_a_backend_that_ends_early_is_an_error(need, store, backend):
    class Short(ScriptedBackend):
        def complete(self, checkpoint, stream, requests):
            yield from list(super().complete(checkpoint, stream, requests))[:-3]

    short = Short(backend._script)
    with pytest.raises(BackendError, match="ended after 77 of 80 completions of base"):
        fill(make_plan([need(8)], store, short), store, short)


def test_a_store_that_another_process_fills_is_refused_before_drawing(
    need, store, counting, tmp_path
):
    plan = make_plan([need(8)], store, counting)
    with (
        Store.open(tmp_path / "store") as other,
        other.writing(),
        pytest.raises(StoreError, match="is filling it"),
    ):
        fill(plan, store, counting)
    assert counting.drawn == 0


def test_examples_are_graded_texts(need, store, backend, benchmark):
    fill(make_plan([need(32)], store, backend), store, backend)
    problem = prompted(need(32).checkpoint, benchmark, store, backend)[3]
    shown = store.examples(need(32).stream, problem, 32, each=1)
    assert [(e.grade, e.text) for e in shown] == [(Grade.CORRECT, "6"), (Grade.WRONG, "wrong")]


# What an earlier run could not decide


def given_up(store, reason: str, sample: int = 3) -> None:
    """As a run on a machine under load leaves it."""
    with store.keeping() as db:
        db.execute(
            "UPDATE grades SET grade = 'unscored', extracted = NULL, reason = ? WHERE sample = ?",
            (reason, sample),
        )


SLEPT = "timeout: no decision within 40 s"


def test_what_the_clock_gave_up_is_tried_again_before_it_is_judged(need, store, counting):
    fill(make_plan([need(8)], store, counting), store, counting)
    before = tallies(need(8), store, counting)
    given_up(store, SLEPT)
    assert sum(t.unscored for t in tallies(need(8), store, counting)) == 10
    plan = make_plan([need(8)], store, counting)
    assert plan.lines()[0].endswith("nothing to draw, 10 unscored to try again")
    assert (plan.complete, plan.again) == (True, 10)
    fill(plan, store, counting)
    assert tallies(need(8), store, counting) == before
    assert counting.drawn == 80


@pytest.mark.parametrize(
    "reason", ["expected one number on file", "timeout: more than 10 s of CPU time", "crash: X"]
)
def test_what_another_run_would_not_decide_either_is_left_alone(need, store, counting, reason):
    fill(make_plan([need(8)], store, counting), store, counting)
    given_up(store, reason)
    assert make_plan([need(8)], store, counting).again == 0


def test_what_stays_unscored_is_tried_twice_more_and_says_so(need, store, counting, monkeypatch):
    fill(make_plan([need(8)], store, counting), store, counting)
    given_up(store, SLEPT)
    monkeypatch.syspath_prepend(Path(__file__).parent)  # where the worker finds `asleep`
    said = []
    for _ in range(4):
        plan = make_plan([need(8), need(4)], store, counting)
        with Grader(verifiers="asleep:VERIFIERS") as grader:
            fill(plan, store, counting, grader=grader)
        said.append((plan.again, store.rows("SELECT max(reason) FROM grades")[0][0]))
    assert [times for times, _ in said] == [20, 20, 0, 0]  # a sample counts for each need
    once, twice = TRIED, 2 * TRIED
    assert [reason.endswith(twice) for _, reason in said] == [False, True, True, True]
    assert said[0][1].endswith(once)


def test_a_decision_is_never_replaced(need, store, counting):
    fill(make_plan([need(8)], store, counting), store, counting)
    before = tallies(need(8), store, counting)
    (problem, *_) = prompted(need(8).checkpoint, need(8).benchmark, store, counting)
    wrong, right = Graded(Grade.WRONG, None, "again"), Graded(Grade.CORRECT, "0", "again")
    none = Graded(Grade.UNSCORED, None, SLEPT)
    for graded in (wrong, right, none):
        store.add_grades(need(8).stream, [(problem, 3, graded)])
    assert tallies(need(8), store, counting) == before
