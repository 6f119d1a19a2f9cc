"""How much of a gain is another choice of method, and how much reliability within methods.

Of each problem the gain in accuracy is ``sum_a q'_a r'_a - q_a r_a`` over methods a, q their
shares and r how often they are right, of base and (with a stroke) of RLVR. Standardised both ways
it falls into two parts, with nothing left over: the choice ``sum_a (q'_a - q_a) (r_a + r'_a) / 2``
and the reliability ``sum_a (q_a + q'_a) / 2 (r'_a - r_a)``. A method that one of the two never
used on a problem is taken to be as reliable there as the other found it: what nobody saw counts as
choice, the more so the fewer samples there are; how much of it there is stands beside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rlvr_gate.claims.ways.methods import Classifier, Used, how
from rlvr_gate.judging.quantities import Quantity
from rlvr_gate.judging.terms import Term
from rlvr_gate.records import Exhibit, Facts, Table
from rlvr_gate.records.exhibits import Cell

if TYPE_CHECKING:
    from rlvr_gate.claims.views import PairView

Floats = NDArray[np.float64]

ROWS = 12
"""Changes of method that are shown."""
_NONE = Used(0, 0)


@dataclass(frozen=True, slots=True)
class ByMethod:
    """Completions of one checkpoint by method and problem, each (methods, problems)."""

    n: Floats
    right: Floats

    @property
    def share(self) -> Floats:
        """Of each method among a problem's completions."""
        return np.asarray(self.n / self.n.sum(0))

    @property
    def reliability(self) -> Floats:
        """How often each method was right; NaN where it was not used."""
        with np.errstate(invalid="ignore"):
            return np.asarray(self.right / self.n)


Part = Callable[[ByMethod, ByMethod], Floats]
"""What one checkpoint has of each problem, standardised by the other."""


def by_choice(pair: PairView, benchmark: str, classify: Classifier | None = None) -> Quantity:
    """The part of the gain at k = 1 that choosing methods otherwise brings.

    Beside it every change of method with its contribution (arXiv:2506.10947), over all pairs of
    one completion of base's and one of RLVR's.

    Args:
        classify: names the method of a completion; None: `how`, which looks for code,
            backtracking, checking and enumerating.
    """
    return _part(pair, benchmark, classify or how, "gain by choice of method", chosen)


def by_reliability(pair: PairView, benchmark: str, classify: Classifier | None = None) -> Quantity:
    """The part of the gain at k = 1 that the same methods bring by being right more often.

    Args:
        classify: as of `by_choice`.
    """
    return _part(pair, benchmark, classify or how, "gain by reliability of methods", reliable)


def chosen(ours: ByMethod, theirs: ByMethod) -> Floats:
    """Accuracy of our choice of methods, each as reliable as it is for both."""
    mine, other = _both(ours, theirs)
    return np.asarray((ours.share * (mine + other) / 2).sum(0))


def reliable(ours: ByMethod, theirs: ByMethod) -> Floats:
    """Accuracy of our methods, each as often used as by both."""
    mine, _ = _both(ours, theirs)
    return np.asarray(((ours.share + theirs.share) / 2 * mine).sum(0))


def _both(ours: ByMethod, theirs: ByMethod) -> tuple[Floats, Floats]:
    """How reliable methods are; where one did not use them, as the other found them."""
    mine, other = ours.reliability, theirs.reliability
    filled = np.where(np.isnan(mine), other, mine), np.where(np.isnan(other), mine, other)
    return np.nan_to_num(filled[0]), np.nan_to_num(filled[1])


def _part(pair: PairView, benchmark: str, classify: Classifier, name: str, part: Part) -> Quantity:
    """RLVR's number less base's, with both readings of what is unscored."""
    views = pair.base, pair.rlvr
    pair.base.ledger.check(benchmark)
    used = [view.source.methods(view.role, benchmark, classify) for view in views]
    tallies = [view.counts(benchmark) for view in views]
    why, shown, readings = "", list[Exhibit](), [(np.zeros(0), np.ones(0))] * 2
    if any(tally.rounds is not None for of in tallies for tally in of):
        why = " (needs fixed samples)"
    elif None in used:
        why = " (not recorded)"
    if why:
        readings = [(np.zeros(len(of)), np.ones(len(of))) for of in tallies]
    else:
        known = [each for each in used if each is not None]
        names = sorted({method for each in known for of in each for method in of})
        low, high = (
            [counts(each, names, lenient=lenient) for each in known] for lenient in (False, True)
        )
        readings = [(part(*low[::way]), part(*high[::way])) for way in (1, -1)]
        shown = _beside(low[0], low[1], names) if part is chosen else []
    base, rlvr = (
        _standardised(view.role, name + why, pair, benchmark, at, readings[at])
        for at, view in enumerate(views)
    )
    return replace(rlvr - base, label=name + why).beside(*shown)


def _standardised(
    role: str, name: str, pair: PairView, benchmark: str, at: int, reading: tuple[Floats, Floats]
) -> Quantity:
    low, high = reading
    view, label = (pair.base, pair.rlvr)[at], f"{role} {name}"
    term = Term(role, label, low, high, view.counts(benchmark))
    return Quantity(label, benchmark, low, high, (0.0, 1.0), (term,), view.ledger)


def counts(used: Sequence[Mapping[str, Used]], names: Sequence[str], *, lenient: bool) -> ByMethod:
    """As arrays; lenient counts what is unscored as right."""
    found = [[of.get(name, _NONE) for of in used] for name in names]
    n = np.array([[u.n for u in row] for row in found], dtype=np.float64)
    right = [[u.correct + lenient * u.unscored for u in row] for row in found]
    return ByMethod(n, np.array(right, dtype=np.float64))


def changes(base: ByMethod, rlvr: ByMethod) -> tuple[Floats, Floats]:
    """Share of pairs of completions, and gain, for each change of method, (methods, methods).

    Over all pairs of one of base's and one of RLVR's; the gains add up to the whole gain.
    """
    pairs = base.n.sum(0) * rlvr.n.sum(0)
    share = np.einsum("ap,bp->ab", base.n, rlvr.n / pairs) / len(pairs)
    gain = np.einsum("ap,bp->ab", base.n, rlvr.right / pairs) - np.einsum(
        "ap,bp->ab", base.right, rlvr.n / pairs
    )
    return share, gain / len(pairs)


def _beside(base: ByMethod, rlvr: ByMethod, names: Sequence[str]) -> list[Exhibit]:
    share, gain = changes(base, rlvr)
    whole = float(gain.sum())
    order = sorted(np.ndindex(*gain.shape), key=lambda ab: (-abs(gain[ab]), ab))[:ROWS]
    moved = [
        (names[a], names[b], float(share[a, b]), float(gain[a, b]),
         float(gain[a, b] / whole) if whole else None)
        for a, b in order
    ]  # fmt: skip
    each: list[tuple[Cell, ...]] = [
        (name, *(float(v) for c in (base, rlvr) for v in (c.share[at].mean(), _rate(c, at))))
        for at, name in enumerate(names)
    ]
    unseen = np.isnan(base.reliability) != np.isnan(rlvr.reliability)
    return [
        Table("Methods: how often used, and right where used",
              ("method", "base", "base right", "rlvr", "rlvr right"), each[:ROWS]),
        Table("Changes of method, over all pairs of completions",
              ("base", "rlvr", "pairs", "gain", "of the whole"), moved, signed=("gain",)),
        Facts({"completions by methods that the other never used on the problem": float(
            (unseen * (base.share + rlvr.share) / 2).sum(0).mean())}),
    ]  # fmt: skip


def _rate(of: ByMethod, at: int) -> float:
    return float(of.right[at].sum() / max(of.n[at].sum(), 1))
