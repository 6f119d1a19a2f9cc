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

    def __call__(self, view: CheckpointView, benchmark: str, **arguments: Any) -> Quantity:
        """The mean over a benchmark's problems, as a claim compares it.

        Raises:
            ValueError: the arguments mean nothing, or some problem has too few samples.
        """
        label = self.label.format(**arguments)
        return view.mean_of(label, benchmark, lambda tallies: self._read(tallies, arguments))

    def _read(self, tallies: Sequence[Tally], arguments: Mapping[str, Any]) -> Reading:
        """Unscored completions as wrong and as correct; anything where a rule chose n."""
        n, c, unscored = (
            np.array([getattr(tally, name) for tally in tallies], dtype=np.int64)
            for name in ("n", "correct", "unscored")
        )
        low, high = (self.each(n, right, **arguments) for right in (c, c + unscored))
        if any(tally.rounds is not None for tally in tallies):
            return Reading(np.zeros(len(tallies)), np.ones(len(tallies)))
        return Reading(low, high)


def number(label: str, *, shown: Sequence[Mapping[str, Any]] = ()) -> Callable[[Each], PerProblem]:
    """Declare the decorated function to be a number of this label."""
    return lambda each: PerProblem(label, each, tuple(shown))
