"""What a gate claim could detect before anything is drawn: the smallest effect, and what it takes.

Nothing is known of the pair yet, so it is asked for three kinds of benchmarks (most problems hard;
solved always or never; in between) and a checkpoint whose log odds all rise alike, with some
spread. A typical benchmark is drawn from each, its bound is the one that gate claims have, and the
chance that the claim holds is that of a normal estimate to lie beyond the bound's reach
(`studies/planning.py` compares it with the bound itself).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from rlvr_gate.judging.power import POWER
from rlvr_gate.stats.guaranteed import Sample, sample
from rlvr_gate.stats.passk import default_ladder, pass_at_k

Floats = NDArray[np.float64]

KINDS = {"hard": (0.25, 1.5), "bimodal": (0.15, 0.15), "mid": (2.0, 2.0)}
"""Beta laws of base's chance to solve a problem."""
SPREAD = 0.5  # of the rise in log odds between problems
_DRAWN = 4000  # problems that stand for a kind
_TURNS = 6  # of the search for the smallest effect
_STEPS = 14  # of the search for a bound's end
_MANY = 100_000
RISE, SMALL = 0.1, 0.02
"""Of pass@k: one that RLVR is trained for, and one that is worth knowing."""
RARE = 0.5
"""A claim that holds less often under such an effect can hardly ever hold."""


@dataclass(frozen=True, slots=True)
class Design:
    """A claim that the difference in pass@k exceeds a threshold, and what it is judged on."""

    problems: int
    """Independent ones: clusters where there are such."""
    samples: int
    k: int
    threshold: float
    level: float

    @property
    def given(self) -> float:
        """The effect that the claim should see: no change where it has a slack, a small rise."""
        return 0.0 if self.threshold < 0 else self.threshold + SMALL


@dataclass(frozen=True, slots=True)
class Typical:
    """What one effect looks like on one kind of benchmark."""

    spread: float
    """Of one problem's difference."""
    reach: float
    """From the mean to the bound's lower end."""

    def chance(self, design: Design, effect: float) -> float:
        """That the claim holds."""
        from scipy.special import ndtr

        beyond = effect - design.threshold - self.reach
        return float(ndtr(beyond / max(self.error(design), 1e-9)))

    def error(self, design: Design) -> float:
        """Standard error of the estimate."""
        return self.spread / float(np.sqrt(design.problems))


def smallest(design: Design, kind: str) -> float | None:
    """The true difference beyond which the claim holds with a chance of 80 % or more.

    None where pass@k would have to exceed one.
    """
    from scipy.special import ndtri

    effect = min(max(design.threshold, 0.0) + 0.05, _room(design.k, kind))
    for _ in range(_TURNS):
        seen = typical(design, kind, effect)
        effect = design.threshold + seen.reach + float(ndtri(POWER)) * seen.error(design)
        effect = min(effect, _room(design.k, kind))
    return effect if effect < _room(design.k, kind) else None


def chance(design: Design, kind: str, effect: float) -> float:
    """That the claim holds where this is the true difference."""
    return typical(design, kind, effect).chance(design, effect)


def enough_problems(design: Design, kind: str, effect: float) -> int | None:
    """Problems with which it holds with a chance of 80 %; None where hardly any number does."""
    if effect <= design.threshold:
        return None
    few, many = 1, 1
    while chance(replace(design, problems=many), kind, effect) < POWER:
        few, many = many, 2 * many
        if many > _MANY:
            return None
    while many > few + max(1, few // 20):
        middle = (few + many) // 2
        enough = chance(replace(design, problems=middle), kind, effect) >= POWER
        few, many = (few, middle) if enough else (middle, many)
    return many


def enough_samples(design: Design, kind: str, effect: float) -> int | None:
    """Samples of a problem with which it does, at this k; None where up to 16 times do not."""
    more = (design.samples * times for times in (1, 2, 4, 8, 16))
    return _first(more, lambda n: chance(replace(design, samples=n), kind, effect))


def enough_k(design: Design, kind: str, effect: float) -> int | None:
    """The largest k, of these samples, at which it does."""
    smaller = (k for k in reversed(default_ladder(design.samples)) if k <= design.k)
    return _first(smaller, lambda k: chance(replace(design, k=k), kind, effect))


def _first(candidates: Iterator[int], chance_of: Callable[[int], float]) -> int | None:
    return next((each for each in candidates if chance_of(each) >= POWER), None)


@cache
def typical(design: Design, kind: str, effect: float) -> Typical:
    """A benchmark of this size as it mostly comes out."""
    differences = np.sort(_differences(design.samples, design.k, kind, round(effect, 4)))
    at = (np.arange(design.problems) + 0.5) / design.problems * _DRAWN
    values = differences[at.astype(np.intp)]
    end = _lower_end(sample(values, -1.0), (1 - design.level) / 2)
    return Typical(float(differences.std()), float(values.mean()) - end)


def _lower_end(of: Sample, tail: float) -> float:
    """As `Sample.lower_end`, to three digits."""
    low, high = -1.0, float(of.total[:-1].mean())
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if of.p_value(middle) < tail else (low, middle)
    return low


@cache
def _differences(samples: int, k: int, kind: str, effect: float) -> Floats:
    """Of the estimates of many problems of a kind, ``(problems,)``."""
    rng = np.random.default_rng(0)
    base = rng.beta(*KINDS[kind], _DRAWN)
    rlvr = _moved(base, SPREAD * rng.standard_normal(_DRAWN), k, effect)
    one, other = (pass_at_k(samples, rng.binomial(samples, p), k) for p in (base, rlvr))
    return np.asarray(other - one)


def _moved(base: Floats, noise: Floats, k: int, effect: float) -> Floats:
    """Chances whose log odds rise alike, so far that pass@k changes by `effect` in the mean."""
    if not effect:
        return base
    from scipy.special import expit, logit

    odds = logit(np.clip(base, 1e-12, 1 - 1e-12)) + noise
    aim = float(np.mean(1 - (1 - base) ** k)) + effect
    low, high = -30.0, 30.0
    for _ in range(40):
        middle = (low + high) / 2
        reached = float(np.mean(1 - (1 - expit(odds + middle)) ** k))
        low, high = (middle, high) if reached < aim else (low, middle)
    return np.asarray(expit(odds + low))


@cache
def _room(k: int, kind: str) -> float:
    """Most that pass@k can rise, but a little."""
    from scipy.special import betaln

    a, b = KINDS[kind]
    return 0.95 * float(np.exp(betaln(a, b + k) - betaln(a, b)))


@cache
def told(design: Design) -> tuple[str, ...]:
    """What the claim could detect, a sentence each; the last ones warn."""
    found = {kind: smallest(design, kind) for kind in KINDS}
    reached = {kind: effect for kind, effect in found.items() if effect is not None}
    worst = max(KINDS, key=lambda kind: reached.get(kind, 1.0))
    held = [chance(design, kind, design.given) for kind in KINDS]
    given = _if(design.given)
    said = [
        _range(reached, design.k),
        f"where {given} it holds in {min(held):.0%} to {max(held):.0%} of runs; "
        f"{_takes(design, worst)}",
    ]
    generous = 0.0 if design.threshold < 0 else design.threshold + RISE
    if max(chance(design, kind, min(generous, _room(design.k, kind))) for kind in KINDS) < RARE:
        said.append(f"WARNING: it can hardly ever hold: where {_if(generous)}, in fewer than half")
    return tuple(said)


def _range(reached: Mapping[str, float], k: int) -> str:
    if not reached:
        return f"no true difference in pass@{k} makes it hold with {POWER:.0%}"
    best, worst = (min_or_max(reached, key=reached.__getitem__) for min_or_max in (min, max))
    ends = f"{reached[best]:+.3f} ({best} problems)"
    if worst != best:
        ends += f" to {reached[worst]:+.3f} ({worst})"
    return f"{POWER:.0%} power needs a true difference in pass@{k} of {ends}"


def _if(effect: float) -> str:
    return f"it is {effect:+.3f}" if effect else "nothing changed"


def _takes(design: Design, kind: str) -> str:
    """What it takes to see the given effect on the kind that is hardest to judge."""
    if chance(design, kind, design.given) >= POWER:
        return f"that is {POWER:.0%} or more"
    problems = enough_problems(design, kind, design.given)
    ways = [f"{problems:,} problems" if problems else ""]
    samples = enough_samples(design, kind, design.given)
    ways.append(f"{samples:,} samples" if samples else "")
    k = enough_k(design, kind, design.given) if design.k > 1 else None
    ways.append(f"k = {k}" if k else "")
    known = [way for way in ways if way]
    if not known:
        return f"{POWER:.0%} ({kind}) take another margin: nothing else does"
    none = "" if samples else "; no number of samples does"
    return f"{POWER:.0%} ({kind}) take about {' or '.join(known)}{none}"
