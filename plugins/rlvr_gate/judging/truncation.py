"""Completions that ran out of tokens: do the runs have them alike, and could they turn a verdict?

A difference of truncation rates is no verdict on the question. What matters is what the cut
completions would have been: a comparison stands where no answer of theirs could change it, or
where both runs were cut alike. Both are tests at the claim's own level, so chance alone seldom
makes runs incomparable, and a later look may still decide what this one leaves open.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from rlvr_gate.records import Interval, Margins, Tally, Verdict
from rlvr_gate.stats.proportions import proportion_interval

REMEDY = "raise the limit of new tokens for both"
_HALVINGS = 7  # of the share of cut completions that turns a verdict: to one per cent


@dataclass(frozen=True, slots=True)
class Likeness:
    """Whether both runs were cut alike: holds, undecided or not comparable."""

    verdict: Verdict
    text: str = ""
    cut: int = 0
    """Completions of both that were cut and are not graded correct."""
    starved: str = ""
    """That most completions of both were cut, so that no answer had room; else nothing."""

    @property
    def said(self) -> tuple[str, ...]:
        """What to know of the question both were asked; nothing where they are alike."""
        each = "each comparison is judged by what its cut completions could change"
        return (f"{self.text}; {each}",) if self.text and not self.starved else ()


ALIKE = Likeness(Verdict.HOLDS)


def alike(
    base: Sequence[Tally], rlvr: Sequence[Tally], margins: Margins, level: float
) -> Likeness:  # fmt: skip
    """Compare truncation rates of these problems' completions; alike where nobody recorded them.

    The problems are fixed, so only the sampling within them is uncertain; a sum of independent
    draws of unequal chances varies less than a binomial with their mean, whose exact ends serve.

    Args:
        base, rlvr: the same number of samples of every problem.
        level: of each of the three intervals.
    """
    ours, theirs = _total(base), _total(rlvr)
    if ours is None or theirs is None or not (ours[0] and theirs[0]):
        return ALIKE
    one, other = (proportion_interval(cut, n, level=level) for n, cut in (ours, theirs))
    b, r = ours[1] / ours[0], theirs[1] / theirs[0]
    cut = sum(map(unfinished, (*base, *rlvr)))
    gap = Interval(
        r - b - math.hypot(r - other.low, one.high - b),
        r - b + math.hypot(other.high - r, b - one.low),
        level,
    )
    rates = f"truncated: base {b:.1%}, rlvr {r:.1%}"
    said = (
        f"{rates}; difference in [{gap.low:+.1%}, {gap.high:+.1%}], allowed "
        f"{margins.truncation:.1%}: {REMEDY}"
    )
    if min(one.low, other.low) > margins.truncated:
        text = f"{rates}, most of both (bound {margins.truncated:.0%}): {REMEDY}"
        return Likeness(Verdict.NOT_COMPARABLE, text, cut, text)
    if max(gap.low, -gap.high) > margins.truncation:
        return Likeness(Verdict.NOT_COMPARABLE, said, cut)
    if max(-gap.low, gap.high) > margins.truncation:
        return Likeness(Verdict.UNDECIDED, said, cut)
    return Likeness(Verdict.HOLDS, "", cut)


def unfinished(tally: Tally) -> int:
    """Completions that were cut and may be right or wrong with more tokens, at most."""
    return min(tally.truncated or 0, tally.n - tally.correct - tally.unscored)


def continued(tally: Tally, rescued: float) -> Tally:
    """The tally with this share of its cut completions, rounded up, as good as not graded."""
    unknown = math.ceil(rescued * unfinished(tally) - 1e-9)
    return replace(tally, unscored=tally.unscored + unknown)


@dataclass(frozen=True, slots=True)
class Admitted:
    """A verdict after what makes runs incomparable, and what to say of it."""

    verdict: Verdict
    reasons: tuple[str, ...] = ()
    """Why it is not comparable."""
    notes: tuple[str, ...] = ()


def admitted(
    verdict: Verdict, cut: Likeness, rescued: float, stands: Callable[[float], bool] | None
) -> Admitted:
    """A verdict after what truncation could change.

    Args:
        stands: whether the verdict is the same with up to this share of each problem's cut
            completions right; None where nobody can say.
    """
    if verdict not in (Verdict.HOLDS, Verdict.REFUTED) or cut.verdict is Verdict.HOLDS:
        return Admitted(verdict)
    most = "whatever the" if rescued == 1 else f"if at most {rescued:.0%} of each problem's"
    if not cut.cut or (stands and stands(rescued)):
        note = f"stands {most} cut completions would have been ({cut.text})"
        return Admitted(verdict, (), (note,))
    turns = f"; {verdict} unless {turning(stands):.0%} of the cut would be right" if stands else ""
    said = (f"{cut.text}{turns}",)
    if cut.verdict is Verdict.NOT_COMPARABLE:
        return Admitted(cut.verdict, said)
    return Admitted(cut.verdict, (), said)


def turning(stands: Callable[[float], bool]) -> float:
    """About the least share of cut completions that, were they right, would turn a verdict.

    Args:
        stands: as in `admitted`.
    """
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if stands(middle) else (low, middle)
    return high


def _total(tallies: Sequence[Tally]) -> tuple[int, int] | None:
    """Completions, and those that were cut; None where nobody recorded that."""
    cut = [tally.truncated for tally in tallies]
    if None in cut:
        return None
    return sum(tally.n for tally in tallies), sum(map(int, filter(None, cut)))
