"""Signs of life while a large report is written: what, how far, and how long it still takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from rlvr_gate.visible import for_log, one_line
from rlvr_gate_reports import words

_EVERY, _LONGEST = 3.0, 200  # seconds between two lines; characters of one

Say = Callable[[str, int, int], None]
"""Told what is made, and how many problems of how many are done."""


def silent(what: str, done: int, of: int) -> None:
    """Nobody is told."""


@dataclass(slots=True)
class Rendering:
    """A line every few seconds, and none where all of it is quick."""

    write: Callable[[str], object]
    before: str
    """What is written."""
    clock: Callable[[], float] = time.monotonic
    begun: float = field(init=False)
    last: float = field(init=False)

    def __post_init__(self) -> None:
        self.begun = self.last = self.clock()

    def __call__(self, what: str, done: int, of: int) -> None:
        """`done` of `of` parts of one size are ready; `what` is the one that is being made."""
        now = self.clock()
        if now - self.last < _EVERY:
            return
        self.last = now
        left = (now - self.begun) * (of - done) / done if 0 < done <= of else None
        told = "" if left is None else f", {words.duration(left)} left"
        self.write(for_log(one_line(f"{self.before}: {what}, {done:,} of {of:,}{told}", _LONGEST)))
