"""Do the conclusions stay where only solutions with true arithmetic count?

A solution is clean where it is right, states arithmetic, and all of it is true: the deterministic
cousin of a judge of chains of thought (arXiv:2506.14245). The conclusions are those of K1, K2 and
K4: who leads at one sample, who leads at the largest k, whether more problems are lost or gained.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rlvr_gate.claims.grading import NEVER
from rlvr_gate.records import (
    Conclusion,
    Evidence,
    Interval,
    Judgement,
    Table,
    Tally,
    Unit,
    Verdict,
)

if TYPE_CHECKING:
    from rlvr_gate.claims.views import CheckpointView, PairView

UNPARSED = 0.05
"""Of a checkpoint's right completions, the share that may state no arithmetic."""
CLEAN = "clean"


@dataclass(frozen=True, slots=True)
class Word:
    """One conclusion: a number whose side of 0 is its word."""

    what: str
    value: float
    ends: Interval

    @property
    def said(self) -> int:
        """1, -1, or 0 where it is open."""
        return self.ends.sign


def words(pair: PairView, k: int, benchmark: str) -> tuple[Word, ...]:
    """K1, K2 and K4 of a pair, each as a number that is compared with 0."""
    level = pair.base.ledger.level
    one = pair.rlvr.pass_at(1, benchmark) - pair.base.pass_at(1, benchmark)
    most = pair.rlvr.pass_at(k, benchmark) - pair.base.pass_at(k, benchmark)
    lost = pair.solved(benchmark).lost_share
    low, high = lost.interval.low - 0.5, lost.interval.high - 0.5
    return (
        Word("rlvr less base, pass@1", one.value, one.interval(level)),
        Word(f"rlvr less base, pass@{k}", most.value, most.interval(level)),
        Word(
            "lost / (lost + gained), less a half",
            0.0 if lost.value is None else lost.value - 0.5,
            Interval(low, high, level),
        ),
    )


def stands_when_clean(pair: PairView, k: int, benchmark: str) -> Judgement:
    """Whether K1, K2 and K4 say the same of clean solutions as of right ones.

    Holds where at least one of the three is decided and each says the same both times; refuted
    where one is decided the other way. The claim needs
    ``@pytest.mark.asks("base", "rlvr", grading="clean")``.
    """
    ledger = pair.base.ledger
    ledger.check(benchmark)
    clean, own = pair.graded(CLEAN, benchmark), words(pair, k, benchmark)
    if clean is None:
        return ledger.enter(benchmark, _judgement(own, own, Verdict.UNDECIDED, pair, k, benchmark))
    other = words(clean, k, benchmark)
    counts = [_counts(*views, benchmark) for views in _sides(pair, clean)]
    silent = [f"{c.silent:.1%} of {c.role}'s right completions state no arithmetic (bound "
              f"{UNPARSED:.0%})" for c in counts if c.silent > UNPARSED]  # fmt: skip
    verdict = Verdict.NOT_COMPARABLE if silent else _verdict(own, other)
    shown = Evidence(
        incomparable=tuple(silent),
        conclusions=tuple(
            Conclusion(f"{which}: {word.what}", word.value, word.ends.low, word.ends.high)
            for which, each in (("right", own), ("clean", other))
            for word in each
        ),
        exhibits=(_table(counts),),
    )
    return ledger.enter(benchmark, _judgement(own, other, verdict, pair, k, benchmark, shown))


def _verdict(own: Sequence[Word], other: Sequence[Word]) -> Verdict:
    both = [(one.said, two.said) for one, two in zip(own, other, strict=True)]
    if any(one * two < 0 for one, two in both):
        return Verdict.REFUTED
    same = all(one == two for one, two in both) and any(one for one, _ in both)
    return Verdict.HOLDS if same else Verdict.UNDECIDED


def _judgement(
    own: Sequence[Word],
    other: Sequence[Word],
    verdict: Verdict,
    pair: PairView,
    k: int,
    benchmark: str,
    evidence: Evidence | None = None,
) -> Judgement:
    turned = sum(a.said * b.said < 0 for a, b in zip(own, other, strict=True))
    open_ = sum(a.said != b.said or not a.said for a, b in zip(own, other, strict=True))
    most = turned if verdict is not Verdict.UNDECIDED else max(turned, open_, 1)
    unknown = "" if evidence else " (not graded so)"
    return Judgement(
        statement=f"conclusions that clean solutions change = 0{unknown}",
        verdict=verdict,
        estimate=float(turned) if evidence else None,
        interval=Interval(float(turned), float(most), pair.base.ledger.level),
        threshold=0.0,
        relation="<=",
        benchmark=benchmark,
        k=k,
        n=None,
        unit=Unit.COUNT,
        evidence=evidence or Evidence(would_decide=NEVER),
    )


@dataclass(frozen=True, slots=True)
class _Counted:
    """Completions of one checkpoint, and problems with at least one."""

    role: str
    completions: int
    right: int
    clean: int
    stating_none: int
    solved: int
    solved_clean: int

    @property
    def silent(self) -> float:
        """Of the right ones, those that state no arithmetic."""
        return self.stating_none / max(self.right, 1)


def _sides(pair: PairView, clean: PairView) -> tuple[tuple[CheckpointView, CheckpointView], ...]:
    return (pair.base, clean.base), (pair.rlvr, clean.rlvr)


def _counts(own: CheckpointView, clean: CheckpointView, benchmark: str) -> _Counted:
    ours, theirs = own.counts(benchmark), clean.counts(benchmark)
    return _Counted(
        own.role,
        sum(t.n for t in ours),
        _sum(ours, "correct"),
        _sum(theirs, "correct"),
        _sum(theirs, "unscored") - _sum(ours, "unscored"),
        sum(t.correct > 0 for t in ours),
        sum(t.correct > 0 for t in theirs),
    )


def _sum(tallies: Sequence[Tally], name: str) -> int:
    return sum(getattr(tally, name) for tally in tallies)


def _table(counts: Sequence[_Counted]) -> Table:
    head = (
        "checkpoint", "completions", "right", "of them clean", "with a false statement",
        "stating none", "problems solved", "solved clean",
    )  # fmt: skip
    rows = [
        (c.role, c.completions, c.right, c.clean, c.right - c.clean - c.stating_none,
         c.stating_none, c.solved, c.solved_clean)
        for c in counts
    ]  # fmt: skip
    return Table("Right completions, and those whose arithmetic is true", head, rows)
