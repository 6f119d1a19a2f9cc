"""A large report says how far it is while it is written, and a small one says nothing."""

from __future__ import annotations

from collections.abc import Callable

from rlvr_gate.records import RunRecord
from rlvr_gate_reports import html
from rlvr_gate_reports.rendering import Rendering

Run = Callable[..., RunRecord]


class Clock:
    """Each look at it takes so long."""

    def __init__(self, seconds: float) -> None:
        self.now, self.seconds = 0.0, seconds

    def __call__(self) -> float:
        self.now += self.seconds
        return self.now


def test_every_few_seconds_a_line_says_what_how_far_and_how_long() -> None:
    lines: list[str] = []
    say = Rendering(lines.append, "writing --gate-report", Clock(1.0))
    for done in range(12):
        say("problems of b", done, 12)
    assert lines == [
        "writing --gate-report: problems of b, 2 of 12, 15 s left",
        "writing --gate-report: problems of b, 5 of 12, 8.4 s left",
        "writing --gate-report: problems of b, 8 of 12, 4.5 s left",
        "writing --gate-report: problems of b, 11 of 12, 1.1 s left",
    ]


def test_no_time_is_told_before_anything_is_done() -> None:
    lines: list[str] = []
    Rendering(lines.append, "w", Clock(10.0))("a\x1b[31m\nb", 0, 5)
    assert len(lines) == 1
    assert "left" not in lines[0]
    assert not {"\x1b", "\n"} & set(lines[0])


def test_a_page_tells_of_every_problem_in_the_order_it_is_written(run: Run) -> None:
    told: list[tuple[str, int, int]] = []
    page = "".join(html.pieces(run(problems=30), lambda *each: told.append(each)))
    assert told == [("problems of countdown", n, 30) for n in range(30)]
    assert page == html.render(run(problems=30))
