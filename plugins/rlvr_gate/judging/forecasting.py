"""Would more samples change the answer? pass@k beyond the samples there are: a plan, no verdict.

Nobody knows what a problem that was never solved in n samples does in the next thousand. So the
chances (p of base, p of rlvr) of the problems are taken to be drawn from some law, any law on a
grid, and the forecast is every difference that a law can have which explains the counts nearly as
well as the best one does: the profile likelihood (Owen 1988) of a linear function of a
nonparametric mixture of binomials (Laird 1978). What the counts do not tell stays wide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rlvr_gate.records import Tally

Floats = NDArray[np.float64]

_CHANCES = 22  # of the grid for each checkpoint, beside 0 and 1
_ROUNDS = 120  # of the EM algorithm for each law
_TILTS = 7  # doublings of the pull towards an end
_NEWTON, _SMALL = 30, 1e-9  # steps, and from where on they come to nothing
_FEWEST = 4  # samples: below it the counts say nothing about the law


@dataclass(frozen=True, slots=True)
class Forecast:
    """The difference in pass@k, rlvr minus base, at a k that was not measured."""

    k: int
    samples: int
    """The fewest of a problem that it rests on."""
    value: float
    """Under the law that explains the counts best."""
    low: float
    high: float
    level: float

    @property
    def words(self) -> str:
        """One sentence, which says that it is no measurement."""
        ends = f"[{self.low:+.3f}, {self.high:+.3f}]"
        towards = "rlvr leads" if self.low > 0 else "base leads" if self.high < 0 else "open"
        return (
            f"pass@{self.k}, rlvr - base, forecast from {self.samples} samples: {self.value:+.3f} "
            f"{ends}: {towards}; a planning answer, never a verdict"
        )


def forecast(
    base: Sequence[Tally], rlvr: Sequence[Tally], k: int, *, level: float = 0.95
) -> Forecast:
    """What the difference in pass@k can be at a `k` of any size.

    Unscored completions are taken to be wrong.

    Raises:
        ValueError: no problem, other problems, too few samples, or their number was chosen by
            what came out.
    """
    _check(base, rlvr, k)
    from scipy.special import chdtri

    counts, effect = _likelihoods(base, rlvr, k)
    law = _best(counts)
    drop = float(chdtri(1, 1 - level)) / 2
    floor = counts.log(law) - drop
    ends = sorted(_end(counts, law, sign * effect, floor) * sign for sign in (-1.0, 1.0))
    samples, value = min(t.n for t in (*base, *rlvr)), float(law @ effect)
    return Forecast(k, samples, value, min(ends[0], value), max(ends[1], value), level)


def _check(base: Sequence[Tally], rlvr: Sequence[Tally], k: int) -> None:
    if not base or [t.problem for t in base] != [t.problem for t in rlvr]:
        raise ValueError("a forecast needs the same problems in both runs, at least one")
    if k < 1:
        raise ValueError(f"a forecast needs k >= 1, got {k}")
    both = (*base, *rlvr)
    if any(t.rounds is not None for t in both):
        raise ValueError("adaptive samples were chosen by their outcomes: draw a fixed number")
    if min(t.n for t in both) < _FEWEST:
        raise ValueError(f"a forecast needs {_FEWEST} samples of every problem")


@dataclass(frozen=True, slots=True)
class Counts:
    """Different counts of problems, as each pair of chances explains them."""

    likely: Floats  # (counts, pairs of chances), each row relative to its largest
    times: Floats  # (counts,), how many problems have them

    def step(self, law: Floats) -> Floats:
        """Where EM moves a law."""
        each = self.times / (self.likely @ law) / self.times.sum()
        return np.asarray(law * (each @ self.likely))

    def log(self, law: Floats) -> float:
        """Log-likelihood, up to a constant."""
        return float(self.times @ np.log(np.maximum(self.likely @ law, 1e-300)))


def _likelihoods(base: Sequence[Tally], rlvr: Sequence[Tally], k: int) -> tuple[Counts, Floats]:
    """The counts there are, and the effect of each pair of chances."""
    most = max(max(t.n for t in (*base, *rlvr)), k)
    grid = _grid(most)
    found, times = np.unique(
        [(b.n, b.correct, r.n, r.correct) for b, r in zip(base, rlvr, strict=True)],
        axis=0, return_counts=True,
    )  # fmt: skip
    one, other = (_each(found[:, at : at + 2], grid) for at in (0, 2))
    solved = 1 - (1 - grid) ** k
    effect = (solved[None, :] - solved[:, None]).ravel()  # (base, rlvr)
    joint = one[:, :, None] * other[:, None, :]
    return Counts(joint.reshape(len(found), -1), times.astype(np.float64)), effect


def _grid(most: int) -> Floats:
    """Chances from never over a tenth of what `most` draws can see to always."""
    from scipy.special import expit

    least = np.log(0.1 / most)
    odds = np.concatenate([np.linspace(least, -1.0, _CHANCES - 8), np.linspace(-0.6, 4.0, 8)])
    return np.concatenate([[0.0], expit(odds), [1.0]])


def _each(counted: NDArray[np.int64], grid: Floats) -> Floats:
    """Of n and correct, ``(counts, 2)``: ``(counts, chances)``, each relative to the largest."""
    from scipy.stats import binom

    log = binom.logpmf(counted[:, 1:], counted[:, :1], grid[None, :])
    return np.asarray(np.exp(log - log.max(axis=1, keepdims=True)))


def _best(counts: Counts) -> Floats:
    """The law that explains the counts best, by EM."""
    law = np.full(counts.likely.shape[1], 1 / counts.likely.shape[1])
    for _ in range(_ROUNDS):
        law = counts.step(law)
    return law


def _end(counts: Counts, law: Floats, effect: Floats, floor: float) -> float:
    """The largest mean effect of a law whose log-likelihood is not below the floor."""
    low, high = 0.0, 1.0
    for _ in range(_TILTS):
        if counts.log(_tilted(counts, law, effect, high)) < floor:
            break
        low, high = high, 4 * high
    for _ in range(_TILTS):
        middle = (low + high) / 2
        inside = counts.log(_tilted(counts, law, effect, middle)) >= floor
        low, high = (middle, high) if inside else (low, middle)
    return float(_tilted(counts, law, effect, low) @ effect)


def _tilted(counts: Counts, law: Floats, effect: Floats, pull: float) -> Floats:
    """The law that maximizes the mean log-likelihood plus `pull / problems` of the mean effect."""
    push = pull / float(counts.times.sum())
    law = 0.9 * law + 0.1 / law.size  # what EM has given up may come back
    for _ in range(_ROUNDS):
        law = _normalized(counts.step(law), push * effect)
    return law


def _normalized(part: Floats, push: Floats) -> Floats:
    """``part / (scale - push)``, the M-step with a linear term; the scale makes it sum to one."""
    scale = float(np.max(push + part))  # from the left, where Newton's steps stay
    for _ in range(_NEWTON):
        room = np.maximum(scale - push, _SMALL**2)
        each = part / room
        beyond = float(each.sum()) - 1
        if beyond < _SMALL:
            break
        scale += beyond / float(np.sum(each / room))
    return np.asarray(each / each.sum())
