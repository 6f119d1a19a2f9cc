"""From numbers to an answer: an interval against a threshold, and what would decide it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from rlvr_gate.records import Interval, Verdict

RELATIONS = (">", ">=", "<", "<=")


@dataclass(frozen=True, slots=True)
class Enough:
    """What more would decide a claim; ``None`` where nothing of the kind would."""

    problems: int | None
    """Problems on top of those there are."""
    samples: int | None
    """Samples per problem and checkpoint on top of those there are."""
    text: str


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


def minimum_detectable_effect(interval: Interval, *, power: float = 0.8) -> float:
    """Distance from the threshold that a run of this size decides with this ``power``.

    ``half width * (1 + z_power / z_level)``, from the larger half; Miller (arXiv:2411.00640)
    with the standard error read back from the interval.
    """
    from scipy.special import ndtri

    if not 0 < power < 1:
        raise ValueError(f"power must lie in (0, 1), got {power}")
    half = (interval.high - interval.low) / 2
    return float(half * (1 + ndtri(power) / ndtri((1 + interval.level) / 2)))


def enough(
    estimate: float,
    interval: Interval,
    threshold: float,
    *,
    problems: int,
    samples: int,
    variance: float,
    within: float,
) -> Enough:
    """About what would decide the claim, if the estimate stayed where it is.

    The end of the interval on the threshold's side must come ``|estimate - threshold|``
    close. More problems shrink all of it with the root of their number; more samples shrink
    only the part ``within`` problems.

    Args:
        problems, samples: what there is now (samples per problem and checkpoint).
        variance: variance of the per-problem values over problems.
        within: mean over problems of their variance within a problem, part of ``variance``
            (`within_variance`, both checkpoints added for a difference).
    """
    gap = abs(estimate - threshold)
    reach = estimate - interval.low if estimate > threshold else interval.high - estimate
    if not gap > 0 or not all(map(math.isfinite, (gap, reach, variance, within))):
        return Enough(None, None, "the estimate lies on the threshold: no run size decides it")
    if reach < gap:
        return Enough(0, 0, "decided")
    ratio = (gap / reach) ** 2
    total = _ceil(problems / ratio)
    left = ratio * variance - (variance - min(within, variance))
    more = _ceil(samples * within / left) - samples if left > 0 and within > 0 else None
    sampled = f"about {more} more samples per problem" if more is not None else (
        "no number of samples"
    )  # fmt: skip
    text = f"{sampled}, or about {total - problems} more problems, would decide it"
    return Enough(total - problems, more, text)


def _ceil(value: float) -> int:
    return math.ceil(value - 1e-6)
