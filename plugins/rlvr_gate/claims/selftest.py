"""The gate asked about itself, on a user's own counts: how often it errs, and what it can see.

Base's samples of every problem (of both collections, where there are two) are split at random into
two halves, which are two runs of one model: whatever is decided about them is wrong. A planted
drop takes a random share of the problems from one half altogether, so that pass@k falls by the
size that was asked for, at every k, on average over problems; a planted gain gives the half that
lost them the other role. Nothing is drawn anew, so engine, benchmark and problems are the user's.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rlvr_gate.stats.guaranteed import guaranteed_p_value
from rlvr_gate.stats.intervals import mean_interval
from rlvr_gate.stats.passk import default_ladder, pass_at_k
from rlvr_gate.stats.proportions import proportion_interval
from rlvr_gate.stats.within import within_variance

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

EFFECTS = (0.01, 0.02, 0.03, 0.04, 0.05)
_SEEN = 0.95  # level of the intervals of the rates themselves


@dataclass(frozen=True, slots=True)
class Often:
    """How often something happened, with its Clopper-Pearson interval."""

    times: int
    runs: int

    @property
    def ends(self) -> tuple[float, float]:
        """At level 0.95."""
        found = proportion_interval(self.times, self.runs, level=_SEEN)
        return found.low, found.high


@dataclass(frozen=True, slots=True)
class Told:
    """How one comparison came out over all runs."""

    effect: float
    """Planted in pass@k of the second half: negative is a drop; 0: one model twice."""
    k: int
    threshold: float
    """The difference must lie above it."""
    holds: Often
    refuted: Often

    @property
    def wrong(self) -> Often:
        """What contradicts the truth."""
        return self.refuted if self.effect > self.threshold else self.holds


@dataclass(frozen=True, slots=True)
class Sessions:
    """Two collections of one checkpoint on the same problems: what changed between them."""

    difference: float
    """Of pass@1."""
    low: float
    high: float

    @property
    def effect(self) -> float:
        """No session effect beyond it can be told from these two: a minimum effect for K1."""
        return max(abs(self.low), abs(self.high))


def self_test(
    samples: int,
    correct: Sequence[int],
    *,
    level: float,
    runs: int,
    seed: int,
    margin: float = 0.02,
    clusters: Sequence[str] | None = None,
) -> Iterator[Told]:
    """K1's and C1's comparison, on halves of base's samples, by the gate claims' bound.

    Args:
        samples: of every problem.
        correct: of them, one number a problem.
        level: of the interval that a gate claim is judged by.
        margin: of C1.
        clusters: of the problems, where some hang together.

    Raises:
        ValueError: fewer than four samples or two problems.
    """
    for told in _planted(samples, correct, margin):
        yield _told(
            told, np.asarray(correct, dtype=np.int64), samples, level, runs, seed, clusters
        )


def told_apart(
    samples: int,
    correct: Sequence[int],
    *,
    level: float,
    runs: int,
    seed: int,
    clusters: Sequence[str] | None = None,
) -> Iterator[tuple[int, Often]]:
    """How often the findings' interval of one comparison at k excludes zero, on the same halves.

    Each alone: a run's findings are judged among all of them, and err less often.
    """
    counts, half = np.asarray(correct, dtype=np.int64), samples // 2
    for k in default_ladder(half):
        rng, times = np.random.default_rng([seed, k]), 0
        for _ in range(runs):
            ours, theirs = _halves(counts, samples, rng)
            values = pass_at_k(half, theirs, k) - pass_at_k(half, ours, k)
            found = mean_interval(values, level=level, clusters=clusters)
            times += not found.low <= 0 <= found.high
        yield k, Often(times, runs)


def _planted(
    samples: int, correct: Sequence[int], margin: float
) -> Iterator[tuple[float, int, float]]:
    """Effect, k and threshold of every comparison."""
    if samples < 4 or len(correct) < 2 or not any(correct):
        raise ValueError(
            "halves need at least 4 samples of 2 problems and a right one among them, got "
            f"{samples} of {len(correct)}, {sum(correct)} right"
        )
    for effect in (0.0, *(-e for e in EFFECTS), *EFFECTS):
        yield effect, 1, 0.0
    for effect in (0.0, *(-e for e in EFFECTS)):
        yield effect, samples // 4, -margin


def ceiling(effect: float) -> float:
    """To four decimals, upwards: a margin must not be smaller than what was not excluded."""
    return math.ceil(1e4 * effect) / 1e4


def sessions(samples: int, one: Sequence[int], other: Sequence[int]) -> Sessions:
    """The difference of pass@1 between two collections, these problems fixed; level 0.95.

    Args:
        one, other: correct of `samples`, one number a problem, of the same problems.
    """
    n = np.full(len(one), samples)
    before, after = (np.asarray(counts, dtype=np.int64) for counts in (one, other))
    within = within_variance(n, before, 1) + within_variance(n, after, 1)
    gap = (after - before) / samples
    found = mean_interval(
        gap, level=_SEEN, low=-1, high=1, target="benchmark",
        within_variance=within,
    )  # fmt: skip
    return Sessions(float(gap.mean()), found.low, found.high)


def likely_copies(
    samples: Sequence[int], one: Sequence[int], other: Sequence[int]
) -> tuple[int, float]:
    """Problems with as many correct in both collections, and the chance of so many or more.

    Given what both hold together, two independent draws part it hypergeometrically, whatever the
    problem's chance; over problems the number of even parts is a sum of unequal coins.

    Args:
        samples: of every problem, in each collection.
    """
    from scipy.stats import hypergeom

    n, ours, theirs = (np.asarray(each, dtype=np.int64) for each in (samples, one, other))
    even = (ours + theirs) % 2 == 0
    coins = np.where(even, hypergeom.pmf((ours + theirs) // 2, 2 * n, ours + theirs, n), 0.0)
    law = np.ones(1)
    for coin in coins:
        law = np.convolve(law, (1 - coin, coin))
    same = int((ours == theirs).sum())
    return same, float(min(1.0, law[same:].sum()))


def _told(planted: tuple[float, int, float], correct: Ints, samples: int, level: float, runs: int,
          seed: int, clusters: Sequence[str] | None) -> Told:  # fmt: skip
    effect, k, threshold = planted
    rng = np.random.default_rng([seed, k, round(1000 * abs(effect)), int(effect > 0)])
    tail, holds, refuted = (1 - level) / 2, 0, 0
    half = samples // 2
    lost = _share(samples, correct, k, abs(effect))
    for _ in range(runs):
        ours, theirs = _halves(correct, samples, rng)
        theirs = np.where(rng.random(correct.size) < lost, 0, theirs)
        base, rlvr = (theirs, ours) if effect > 0 else (ours, theirs)
        n = np.full(correct.size, half)
        values = np.asarray(pass_at_k(n, rlvr, k) - pass_at_k(n, base, k))
        above = values.mean() > threshold
        sign = 1 if above else -1
        p = guaranteed_p_value(sign * values, sign * threshold, low=-1, clusters=clusters)
        holds += above and p <= tail
        refuted += not above and p <= tail
    return Told(effect, k, threshold, Often(int(holds), runs), Often(int(refuted), runs))


def _halves(correct: Ints, samples: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Correct of two disjoint halves of every problem's samples."""
    half = samples // 2
    ours = rng.hypergeometric(correct, samples - correct, half)
    theirs = rng.hypergeometric(correct - ours, samples - half - (correct - ours), half)
    return ours, theirs


def _share(samples: int, correct: Ints, k: int, effect: float) -> float:
    """Share of the problems whose loss lowers pass@k by `effect`; all where it is below that."""
    now = float(np.mean(pass_at_k(np.full(correct.size, samples), correct, k)))
    return min(effect / now, 1.0) if effect else 0.0
