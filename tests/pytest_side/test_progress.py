"""Progress is one line: rewritten on a terminal, now and then in a log."""

from __future__ import annotations

import io

from rlvr_gate_fixtures.progress import Progress, Slowly, State, line


def test_a_line_says_where_how_much_how_fast_and_how_long():
    state = State("base", total=1000)
    state.recent.append((0.0, 0, 0))
    for second in range(1, 11):
        state.drew("countdown", 25, 500, float(second))
    assert line([state], 200, 10.0) == (
        "base · countdown · 250/1000 completions · 500 tokens/s · 0:30 left · 80 % graded"
    )


def test_speed_is_recent_speed():
    state = State("base", total=10_000)
    state.recent.append((0.0, 0, 0))
    state.drew("b", 5000, 5000, 1.0)
    for second in range(2, 60):
        state.drew("b", 10, 100, float(second))
    completions, tokens = state.speed(59.0)
    assert 9 < completions < 11
    assert 95 < tokens < 105
    assert len(state.recent) < 25


def test_checkpoints_that_are_drawn_at_once_share_a_line():
    """Time is left until the slower one ends; what has not begun is as slow as all together."""
    states = [State("base", total=200), State("rlvr", total=200), State("sft", total=0)]
    for state, pace in zip(states, (10, 5, 0), strict=True):
        state.recent.append((0.0, 0, 0))
        for second in range(1, 11):
            state.drew("countdown", pace, 100 * pace, float(second))
    assert line(states, 75, 10.0) == (
        "base 100/200 · rlvr 50/200 · countdown · 1,500 tokens/s · 0:30 left · 50 % graded"
    )
    waiting = State("sft", total=400)
    waiting.recent.append((0.0, 0, 0))
    assert "0:43 left" in line([*states[:2], waiting], 75, 10.0)


def test_hours_are_written_out():
    state = State("base", total=100_000)
    state.recent.append((0.0, 0, 0))
    state.drew("b", 10, 10, 1.0)
    assert "2:46:39 left" in line([state], 0, 1.0)


def test_more_than_was_foretold_owes_no_time():
    """A checkpoint that draws beyond its total has nothing left, never less than nothing."""
    state = State("base", total=100)
    state.recent.append((0.0, 0, 0))
    state.drew("b", 7_300, 0, 1.0)
    assert line([state], 0, 1.0) == "base · b · 7300/100 completions"
    slower = State("rlvr", total=200)
    slower.recent.append((0.0, 0, 0))
    slower.drew("b", 100, 100, 1.0)
    said = line([state, slower], 0, 1.0)
    assert "0:01 left" in said
    assert "-" not in said


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_log_gets_a_line_every_ten_seconds_and_one_at_the_end():
    clock, log = Clock(), io.StringIO()
    progress = Progress(log, tty=False, clock=clock)
    progress.begin("base", 300)
    for second in range(30):
        clock.now = float(second)
        progress.drawn("base", "b", 10, 100)
        progress.graded(10)
    progress.end()
    progress.end()
    lines = log.getvalue().splitlines()
    assert [text.split(" · ")[2] for text in lines] == [
        "110/300 completions",
        "210/300 completions",
        "300/300 completions",
    ]
    assert lines[-1] == "base · b · 300/300 completions · 100 % graded"


def test_a_terminal_has_one_line_rewritten():
    clock, log = Clock(), io.StringIO()
    progress = Progress(log, tty=True, clock=clock)
    progress.begin("base", 3)
    for second in (1.0, 1.01, 2.0):
        clock.now = second
        progress.drawn("base", "b", 1, 1)
    progress.end()
    text = log.getvalue()
    assert text.count("\r\x1b[K") == 3
    assert text.count("\n") == 1
    assert text.endswith("\n")


def test_checkpoints_begin_beside_each_other_and_end_together():
    log = io.StringIO()
    progress = Progress(log, tty=False)
    for _ in range(2):
        progress.begin("base", 1)
        progress.begin("rlvr", 3)
        progress.drawn("rlvr", "b", 3, 30)
        progress.drawn("base", "b", 1, 30)
        progress.graded(4)
        progress.end()
    assert log.getvalue() == "base 1/1 · rlvr 3/3 · b · 100 % graded\n" * 2


def test_nothing_to_do_says_nothing():
    log = io.StringIO()
    progress = Progress(log, tty=False)
    progress.begin("base", 0)
    progress.tick()
    progress.end()
    assert log.getvalue() == ""


def test_what_is_quick_says_nothing_and_what_is_slow_says_what_it_does() -> None:
    said: list[str] = []
    now = [0.0]
    slowly = Slowly(said.append, "reading ", clock=lambda: now[0])
    for second in range(10):
        now[0] = float(second)
        slowly(f"step-{second}")
    assert said == ["reading step-3", "reading step-6", "reading step-9"]
    now[0] = 20.0
    slowly("\n::error::x\x1b[2J" + "y" * 5_000)
    assert said[-1].startswith("reading  ::error::x␛[2J")
    assert len(said[-1]) < 400


def test_a_checkpoint_that_is_asked_in_several_ways_owes_their_sum():
    clock, log = Clock(), io.StringIO()
    progress = Progress(log, tty=False, clock=clock)
    progress.begin("base", 300)
    progress.begin("base", 100)
    clock.now = 5.0
    progress.drawn("base", "b", 350, 0)
    progress.end()
    assert "base · b · 350/400 completions" in log.getvalue()
