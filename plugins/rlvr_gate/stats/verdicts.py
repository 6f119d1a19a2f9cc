"""From numbers to an answer: an interval against a threshold, and what would decide it."""

from __future__ import annotations

import math

from rlvr_gate.records import Interval, Verdict

RELATIONS = (">", ">=", "<", "<=")


def judge(estimate: float, interval: Interval, relation: str, threshold: float) -> Verdict:
    """Say whether ``estimate relation threshold`` holds, given its interval.

    The whole interval on the claimed side: holds. The whole interval on the other side:
    refuted. Anything else, and anything not finite: undecided. With a two-sided interval of
    level 1 - alpha, each wrong answer has probability at most alpha / 2.

    Raises:
        ValueError: ``relation`` is not one of ``> >= < <=``.

    >>> judge(0.1, Interval(0.02, 0.18, level=0.95), ">", 0.0)
    <Verdict.HOLDS: 'holds'>
    """
    if relation not in RELATIONS:
        raise ValueError(f"relation must be one of {' '.join(RELATIONS)}, got {relation!r}")
    if not all(map(math.isfinite, (estimate, interval.low, interval.high, threshold))):
        return Verdict.UNDECIDED
    if relation in ("<", "<="):
        mirrored = Interval(-interval.high, -interval.low, interval.level)
        return judge(-estimate, mirrored, relation.replace("<", ">"), -threshold)
    strict = relation == ">"
    if interval.low > threshold or (not strict and interval.low == threshold):
        return Verdict.HOLDS
    if interval.high < threshold or (strict and interval.high == threshold):
        return Verdict.REFUTED
    return Verdict.UNDECIDED
