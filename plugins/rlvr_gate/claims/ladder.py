"""rlvr minus base over a whole ladder of k: one band for all of it, and where the lead ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from rlvr_gate.judging.quantities import Quantity
from rlvr_gate.stats.bands import Band, crossover, simultaneous_band


def band(differences: Sequence[Quantity], level: float) -> Band:
    """The simultaneous band of paired differences, one quantity for each k, in order of k.

    Where completions are unscored it covers both readings, as every interval does.
    """
    ks = [difference.k for difference in differences if difference.k is not None]
    first = differences[0]
    readings = [[difference.low for difference in differences]]
    if not all(difference.certain for difference in differences):
        readings.append([difference.high for difference in differences])
    bands = [
        simultaneous_band(
            np.stack(reading, axis=1), ks, level=level, **first.units,
            low=first.bounds[0], high=first.bounds[1],
        )
        for reading in readings
    ]  # fmt: skip
    estimate = tuple(difference.value for difference in differences)
    pointwise = max(found.pointwise_level for found in bands)
    return replace(bands[0], estimate=estimate, high=bands[-1].high, pointwise_level=pointwise)


def crossing(difference: Band) -> dict[str, object]:
    """Evidence: the crossover k* and the k's the band allows for it, with a sentence."""
    found = crossover(difference)
    told = {
        "k": found.k,
        "last lead": found.last_lead,
        "low": found.low,
        "high": found.high,
        "level": found.level,
        "ladder": list(difference.ks),
    }
    if max(difference.ks) == 1:
        return {**told, "text": "k = 1 alone says nothing about where the curves cross"}
    return {**told, "text": f"{_estimated(told)}; {_allowed(told)}"}


def _estimated(found: Mapping[str, object]) -> str:
    if found["k"] is None:
        return "no crossover seen: rlvr leads at the largest k"
    if found["last lead"] is None:
        return f"rlvr leads at no k from {found['k']} on"
    return f"crossover at k* = {found['k']} (rlvr leads up to k = {found['last lead']})"


def _allowed(found: Mapping[str, object]) -> str:
    low, high, level = found["low"], found["high"], f"{found['level']:.0%}"
    if low is None:
        return f"the simultaneous {level} band rules a crossover out"
    if high is None:
        return f"the simultaneous {level} band allows k* from {low} on, or none"
    span = f"k* = {low} only" if low == high else f"k* from {low} to {high}"
    return f"the simultaneous {level} band allows {span}"
