"""rlvr minus base over a whole ladder of k: one band for all of it, and where the lead ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rlvr_gate.judging.quantities import Quantity
from rlvr_gate.records import Crossover
from rlvr_gate.stats import bands
from rlvr_gate.stats.bands import Band, simultaneous_band


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


def crossing(difference: Band) -> Crossover:
    """The crossover k* and the k's the band allows for it, with a sentence."""
    found = bands.crossover(difference)
    text = f"{_estimated(found)}; {_allowed(found)}"
    if len(difference.ks) < max(difference.ks):
        text += ", in steps of the ladder: k* = v lies after the step before v"
    if max(difference.ks) == 1:
        text = "k = 1 alone says nothing about where the curves cross"
    return Crossover(
        found.k, found.last_lead, found.low, found.high, found.level, difference.ks, text
    )


def _estimated(found: bands.CrossingSet) -> str:
    if found.k is None:
        return "no crossover seen: rlvr leads at the largest k"
    if found.last_lead is None:
        return f"rlvr leads at no k from {found.k} on"
    return f"crossover at k* = {found.k} (rlvr leads up to k = {found.last_lead})"


def _allowed(found: bands.CrossingSet) -> str:
    low, high, level = found.low, found.high, f"{found.level:.0%}"
    if low is None:
        return f"the simultaneous {level} band rules a crossover out"
    if high is None:
        return f"the simultaneous {level} band allows k* from {low} on, or none"
    span = f"k* = {low} only" if low == high else f"k* from {low} to {high}"
    return f"the simultaneous {level} band allows {span}"
