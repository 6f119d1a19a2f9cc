"""What kind of training does a checkpoint look like? Three numbers, three cuts, one rule.

Two of the cuts lie half-way between the references of the two sides, so they are no better than
those few: miniatures of one base. The rule, in order:

1. not a weight moved: `nothing`;
2. weights or answers are of neither side for certain, or of two: undecided;
3. dense, and with answers that surprise the base: supervised; `distillation` where they surprise
   it less than the cut between the two, `sft` where more;
4. sparse, and with answers that do not: on-policy; `rlvr` where accuracy has risen, `spurious`
   where it has not by as much as `GAIN`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

NOTHING, RLVR, SPURIOUS, SFT, DISTILLATION = "nothing", "rlvr", "spurious", "sft", "distillation"
KINDS = (NOTHING, RLVR, SPURIOUS, SFT, DISTILLATION)
UNDECIDED = "undecided"
GAIN = 0.05
"""Accuracy that a gain worth the name reaches; ours. An interval above 0 is RLVR's, one below this
a spurious run's, and one that holds both is nobody's."""
Span = tuple[float, float]
"""The ends of an interval."""


@dataclass(frozen=True, slots=True)
class Features:
    """What the rule reads."""

    unchanged: float
    """Share of the weights that equal base's in bfloat16."""
    surprise: Span
    """-log p per token under base of its answers, less that of base's own, in nats."""
    gain: Span
    """pass@1 less base's."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A checkpoint whose training is known."""

    name: str
    run: str
    """Checkpoints of one training run are left out together."""
    kind: str
    features: Features
    fits: bool = True
    """Whether the cuts are fitted on it: the first steps of a training look like none."""


@dataclass(frozen=True, slots=True)
class Cuts:
    """Where one side ends and the other begins; None where no reference is on one of them."""

    dense: float | None
    """Unchanged share below which an update is dense."""
    foreign: float | None
    """Surprise above which answers are not base's own."""
    taught: float | None
    """Surprise above which a supervised checkpoint was taught texts of another hand."""


def cuts(references: Iterable[Reference]) -> Cuts:
    """Half-way between the nearest of the two sides; None where they overlap or one is missing."""
    known = [r for r in references if r.fits]
    on = [r.features for r in known if r.kind in (RLVR, SPURIOUS)]
    off = [r.features for r in known if r.kind in (SFT, DISTILLATION)]
    return Cuts(
        _between([f.unchanged for f in off], [f.unchanged for f in on]),
        _between([_middle(f.surprise) for f in on], [_middle(f.surprise) for f in off]),
        _between(*([_middle(r.features.surprise) for r in known if r.kind == kind]
                   for kind in (DISTILLATION, SFT))),
    )  # fmt: skip


def _middle(span: Span) -> float:
    return (span[0] + span[1]) / 2


def _between(below: Sequence[float], above: Sequence[float]) -> float | None:
    if not below or not above or max(below) >= min(above):
        return None
    return (max(below) + min(above)) / 2


def profile(found: Features, at: Cuts) -> str:
    """The kind it looks like, or `undecided`.

    >>> profile(Features(1.0, (0, 0), (0, 0)), Cuts(None, None, None))
    'nothing'
    """
    if found.unchanged >= 1.0:
        return NOTHING
    if at.dense is None or at.foreign is None:
        return UNDECIDED
    foreign, dense = _side(found.surprise, at.foreign), found.unchanged < at.dense
    if foreign == 0 or dense != (foreign > 0):
        return UNDECIDED
    return _supervised(found, at.taught) if dense else _on_policy(found.gain)


def _supervised(found: Features, taught: float | None) -> str:
    side = 0 if taught is None else _side(found.surprise, taught)
    return {-1: DISTILLATION, 0: UNDECIDED, 1: SFT}[side]


def _on_policy(gain: Span) -> str:
    if gain[0] > 0:
        return RLVR
    return SPURIOUS if gain[1] < GAIN else UNDECIDED


def _side(span: Span, cut: float) -> int:
    """1 where all of it lies above, -1 below, 0 where it does not tell."""
    low, high = span
    return 0 if math.isnan(low + high) else int(low > cut) - int(high < cut)


def left_out(references: Sequence[Reference]) -> list[tuple[Reference, str]]:
    """Each reference by the cuts of all other runs."""
    return [
        (one, profile(one.features, cuts(r for r in references if r.run != one.run)))
        for one in references
    ]


def confusion(references: Sequence[Reference]) -> list[tuple[str, *tuple[int, ...]]]:
    """A row for each kind that there is: how often it was taken for each of `KINDS`, undecided."""
    told = left_out(references)
    words = (*KINDS, UNDECIDED)
    kinds = [kind for kind in KINDS if any(r.kind == kind for r in references)]
    return [
        (kind, *(sum(r.kind == kind and said == word for r, said in told) for word in words))
        for kind in kinds
    ]
