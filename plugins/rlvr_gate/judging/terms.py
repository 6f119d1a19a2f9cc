"""What a quantity is made of: measurements, each counted so many times, of problems that hang
together."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2s
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from rlvr_gate.judging import readings
from rlvr_gate.judging.power import Within
from rlvr_gate.judging.readings import Reading
from rlvr_gate.judging.truncation import continued
from rlvr_gate.records import Tally

Array = NDArray[np.float64]

_ROUNDING = 1e-12  # factors that differ by less are meant to be the same


class Units(TypedDict):
    """How a benchmark's problems hang together, as the intervals take it."""

    strata: tuple[str, ...] | None
    clusters: tuple[str, ...] | None


def units(tallies: Sequence[Tally]) -> Units:
    """Stratum and cluster of each problem; None where the benchmark has none.

    A problem without a cluster is one of its own. Those of the last few tuples are kept: a curve
    asks for the same one at every k.
    """
    known = next((found for those, found in _known if those is tallies), None)
    if known is not None:
        return known
    found = _units(tallies)
    if isinstance(tallies, tuple):
        _known.append((tallies, found))
    return found


_known: deque[tuple[Sequence[Tally], Units]] = deque(maxlen=4)


def _units(tallies: Sequence[Tally]) -> Units:
    strata = tuple(t.stratum for t in tallies)
    clusters = tuple(f"c {t.cluster}" if t.cluster else f"p {t.problem}" for t in tallies)
    return Units(
        strata=strata if len(set(strata)) > 1 else None,
        clusters=clusters if len(set(clusters)) < len(clusters) else None,
    )


@dataclass(frozen=True, slots=True)
class Term:
    """One checkpoint's share of a quantity, kept so that a verdict can explain itself."""

    role: str
    label: str
    low: Array  # (problems,) unscored completions counted as wrong
    high: Array  # (problems,) unscored completions counted as correct
    tallies: tuple[Tally, ...]
    within: Within | None = None
    """How much of the spread is sampling; None where nobody can say."""
    bounds: tuple[float, float] = (0.0, 1.0)
    """The range of one problem's number."""
    samples: int | None = None
    """Completions of a problem that it rests on; None: all that the tallies count."""
    factor: float = 1.0
    """How many times the quantity counts it."""
    reread: Callable[[Sequence[Tally]], Reading] | None = None
    """Reads other tallies of these problems as these were read; None where counts do not tell."""
    same_as: tuple[str, float] | None = None
    """A label and a factor under which it is the same measurement, up to a constant."""

    @property
    def most_samples(self) -> int:
        """Completions of a problem that it rests on, at most."""
        return self.samples or max((tally.n for tally in self.tallies), default=0)

    def of(self, position: int) -> str:
        """What a reader should see of one problem: correct of n, or the number itself."""
        if self.samples is not None:
            return f"{self.low[position]:.4g}"
        return f"{self.tallies[position].correct}/{self.tallies[position].n}"

    def among(self, kept: NDArray[np.intp]) -> Term:
        """This term over the problems at these positions."""
        return replace(
            self,
            low=self.low[kept],
            high=self.high[kept],
            tallies=tuple(self.tallies[position] for position in kept),
            within=None if self.within is None else self.within.among(kept),
        )

    def continued(self, rescued: float) -> Term:
        """This term where up to so large a share of each problem's cut completions was right."""
        if self.reread is None:
            raise ValueError(f"{self.label} does not follow from counts")
        reading = self.reread([continued(tally, rescued) for tally in self.tallies])
        return replace(self, low=reading.low, high=reading.high)

    def supposing(self, share: float | None) -> Term:
        """This term where each unscored completion is right with a chance of at most `share`.

        None: exactly as often as the others of its problem, so that its readings agree.
        """
        if self.reread is None or not any(tally.unscored for tally in self.tallies):
            return self
        rate = readings.own_rate(self.tallies) if share is None else share
        known = Reading(self.low, self.high)
        found = readings.supposing(self.reread, self.tallies, rate, known)
        of = np.array([bool(tally.unscored) for tally in self.tallies])
        low = np.where(of & (share is None), found.high, found.low)
        return replace(self, low=low, high=found.high)

    def regraded(self, tallies: Sequence[Tally]) -> Term:
        """This term of the same completions graded otherwise."""
        if self.reread is None:
            raise ValueError(f"{self.label} does not follow from counts")
        reading = self.reread(tallies)
        return replace(
            self, low=reading.low, high=reading.high, tallies=tuple(tallies), within=None
        )

    def same_numbers(self, other: Term) -> bool:
        """Whether both are one measurement, however many times each is counted."""
        return (
            (self.role, self.label) == (other.role, other.label)
            and np.array_equal(self.low, other.low)
            and np.array_equal(self.high, other.high)
        )


@dataclass(frozen=True, slots=True)
class Total:
    """Terms added up, problem by problem."""

    low: Array  # (problems,)
    high: Array  # (problems,)
    bounds: tuple[float, float]


def total(terms: Sequence[Term]) -> Total:
    """Add terms up; one that counts negatively is lowest where it reads high."""
    lows, highs, least, most = zip(*map(_ends, terms), strict=True)
    return Total(_sum(lows), _sum(highs), (sum(least), sum(most)))


def times(terms: Iterable[Term], factor: float) -> tuple[Term, ...]:
    """Terms counted `factor` times as often."""
    return tuple(replace(term, factor=term.factor * factor) for term in terms)


def merged(terms: Iterable[Term]) -> tuple[Term, ...]:
    """Each measurement once, so that `q + q` is `2 * q` and what cancels out is gone.

    Where nothing is left, the first stays as one that is counted zero times.
    """
    found: list[Term] = []
    for term in terms:
        known = next((i for i, other in enumerate(found) if other.same_numbers(term)), None)
        if known is None:
            found.append(term)
        else:
            found[known] = replace(term, factor=_added(found[known].factor, term.factor))
    return tuple(term for term in found if term.factor) or tuple(found[:1])


def test_of(terms: Sequence[Term], whole: Total, benchmark: str, threshold: float) -> str:
    """What is tested where a sum of terms is held against a threshold, whichever side it takes.

    The names of what is measured, so that two measurements that came out alike by chance are two
    tests; and the numbers, so that two measurements of one name are.
    """
    named = sorted((label, times) for term in terms for label, times in [_named(term)])
    sign = 1.0 if named[0][1] > 0 else -1.0
    ends = (whole.low, whole.high) if sign > 0 else (-whole.high, -whole.low)
    said = [benchmark, [(label, round(sign * times, 12)) for label, times in named]]
    digest = blake2s(json.dumps([*said, _told(sign * threshold)]).encode())
    digest.update(json.dumps([tally.problem for tally in terms[0].tallies]).encode())
    for end in ends:
        digest.update((np.round(end, 9) + 0.0).tobytes())  # + 0.0: no negative zero
    return digest.hexdigest()


def _named(term: Term) -> tuple[str, float]:
    label, factor = term.same_as or (term.label, 1.0)
    return label, term.factor * factor


def _told(threshold: float) -> float:
    return round(threshold, 12) + 0.0


def _ends(term: Term) -> tuple[Array, Array, float, float]:
    if not term.factor:
        return 0 * term.low, 0 * term.high, 0.0, 0.0
    ends = [(term.factor * term.low, term.factor * term.bounds[0]),
            (term.factor * term.high, term.factor * term.bounds[1])]  # fmt: skip
    (low, least), (high, most) = ends if term.factor > 0 else reversed(ends)
    return low, high, least, most


def _sum(arrays: Sequence[Array]) -> Array:
    first, *rest = arrays
    for array in rest:
        first = first + array
    return first


def _added(ours: float, theirs: float) -> float:
    whole = ours + theirs
    return 0.0 if abs(whole) < _ROUNDING * (abs(ours) + abs(theirs)) else whole
