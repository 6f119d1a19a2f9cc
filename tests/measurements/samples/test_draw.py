"""What a run finds stored is counted once, however often it is wanted."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rlvr_gate.records import Ask, Benchmark, Problem
from rlvr_gate_fixtures.measurements.samples.draw import Wanted, prepare
from rlvr_gate_fixtures.progress import Silent
from rlvr_gate_fixtures.run import Run
from rlvr_gate_fixtures.work import Work

SUMS = Benchmark(
    "sums", "tests", "digest",
    tuple(Problem(f"p{i}", f"What is {i} + 1?", str(i + 1), "integer") for i in range(5)),
)  # fmt: skip


@pytest.fixture
def drawn(run_on: Callable[..., Run]) -> Callable[..., Work]:
    """Draws what asks want, five problems each, on one store."""
    run = run_on(SUMS)

    def draw(*asks: Ask) -> Work:
        wanted = [Wanted(ask, SUMS, run.rounds(ask)) for ask in asks]
        return prepare(run, wanted, progress=Silent())

    return draw


def test_asks_of_one_stream_find_nothing_of_each_other(drawn: Callable[..., Work]) -> None:
    alike = Ask("base"), Ask("base", samples=16), Ask("base", temperature=1.0, samples=16)
    work = drawn(*alike)
    assert (work.completions, work.reused) == (5 * 16, 0)
    work = drawn(*alike)
    assert (work.completions, work.reused) == (0, 5 * 16)
    work = drawn(*alike, Ask("base", samples=20), Ask("base", temperature=0.5), Ask("rlvr"))
    assert (work.completions, work.reused) == (5 * (4 + 4 + 4), 5 * 16)


def test_what_a_later_ask_finds_beyond_the_earlier_is_news(drawn: Callable[..., Work]) -> None:
    drawn(Ask("base", samples=12))
    assert drawn(Ask("base")).reused == 5 * 4
    assert drawn(Ask("base"), Ask("base", samples=10)).reused == 5 * 10
    assert drawn(Ask("base"), Ask("base", samples=16)).reused == 5 * 12
