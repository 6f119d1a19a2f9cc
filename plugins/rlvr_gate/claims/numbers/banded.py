"""p-values of what is read from a simultaneous band, by turning its level."""

from __future__ import annotations

import math
from collections.abc import Callable

from rlvr_gate.records import Interval

LEAST = 1 / 4000
"""The band's multipliers resolve no smaller one."""
_STEPS = 6  # of the bisection, on a scale of logarithms: to 14 %, upwards


def p_of(at: Callable[[float], Interval], threshold: float) -> float:
    """The largest 1 - level whose interval still holds the threshold, two-sided.

    Args:
        at: level -> interval; one of a higher level holds that of a lower one.
    """

    def holds(p: float) -> bool:
        found = at(1 - p)
        return found.low <= threshold <= found.high

    low, high = math.log(LEAST), 0.0
    if not holds(LEAST):
        return LEAST
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(math.exp(middle)) else (low, middle)
    return math.exp(high)
