"""What a file of a number declares, and what it becomes: a quantity with both readings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rlvr_gate.judging.readings import Reading
from rlvr_gate.records import Tally

if TYPE_CHECKING:
    from rlvr_gate.claims.views import CheckpointView
    from rlvr_gate.judging.quantities import Quantity

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Each = Callable[..., Floats]
"""``n, correct`` (both ``(problems,)``) and arguments -> a number in [0, 1] for each problem, that
does not fall as `correct` rises."""


@dataclass(frozen=True, slots=True)
class PerProblem:
    """A number in [0, 1] for each problem, estimated without bias from a fixed n."""

    label: str
    """With the arguments in braces: `Cover@{tau:g}`."""
    each: Each
    shown: tuple[Mapping[str, Any], ...]
    """Arguments that every report has a row for."""
    least: int = 1
    """Samples of a problem below which nothing is known of it."""

    def __call__(self, view: CheckpointView, benchmark: str, **arguments: Any) -> Quantity:
        """The mean over a benchmark's problems, as a claim compares it.

        Raises:
            ValueError: the arguments mean nothing, or some problem has too few samples.
        """
        label = self.label.format(**arguments)
        return view.mean_of(label, benchmark, lambda tallies: self._read(tallies, arguments))

    def _read(self, tallies: Sequence[Tally], arguments: Mapping[str, Any]) -> Reading:
        """Unscored read as wrong and as correct; anything where a rule chose n, or n is few."""
        n, c, unscored = (
            np.array([getattr(tally, name) for tally in tallies], dtype=np.int64)
            for name in ("n", "correct", "unscored")
        )
        low, high = (self.each(n, right, **arguments) for right in (c, c + unscored))
        few = np.array([t.rounds is not None or t.n < self.least for t in tallies])
        return Reading(np.where(few, 0.0, low), np.where(few, 1.0, high))


def number(
    label: str, *, shown: Sequence[Mapping[str, Any]] = (), least: int = 1
) -> Callable[[Each], PerProblem]:
    """Declare the decorated function to be a number of this label, known from so many samples."""
    return lambda each: PerProblem(label, each, tuple(shown), least)
