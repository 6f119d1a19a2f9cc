"""How every report reads a record: orders, the deciding judgement, problem classes, bins.

Pure and shared, so that JSON, HTML, Markdown and terminal cannot disagree.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rlvr_gate.gate.decide import name
from rlvr_gate.records import (
    CheckpointFacts,
    ClaimRecord,
    CurvePoint,
    Expected,
    Judgement,
    Kind,
    RunRecord,
    Tally,
    Verdict,
)

CLASSES = ("preserved", "gained", "lost", "unreached")
BINS = ("0", *(f"≤{i / 10:.1f}" for i in range(1, 10)), "<1", "1")
"""The 12 bins of arXiv:2504.13837v5 fig. 5: {0}, (0, .1], …, (.8, .9], (.9, 1), {1}."""

_SHOWN_FIRST = (Verdict.REFUTED, Verdict.NOT_COMPARABLE, Verdict.UNDECIDED, Verdict.HOLDS)


@dataclass(frozen=True, slots=True)
class Solved:
    """One problem in both checkpoints' counts."""

    problem: str
    base: Tally
    rlvr: Tally
    alpha: float = 0.05
    """Level of its own test, among those of all problems."""

    @property
    def kind(self) -> str:
        """`preserved`, `gained`, `lost` or `unreached`, at one correct sample or more."""
        base, rlvr = self.base.correct > 0, self.rlvr.correct > 0
        return ("unreached", "gained", "lost", "preserved")[2 * base + rlvr]

    @property
    def rests_on(self) -> str:
        """`solid`, `thin` or `one lucky sample`, of a gained or lost problem; else empty."""
        from rlvr_gate.claims.solved import resting

        return str(resting(self.base, self.rlvr, self.alpha) or "")

    @property
    def difference(self) -> float:
        """Accuracy of rlvr minus that of base."""
        return accuracy(self.rlvr) - accuracy(self.base)


@dataclass(frozen=True, slots=True)
class Crossing:
    """Where the estimated curves cross for good: rlvr leads at `last_lead`, not at `next_k`."""

    last_lead: int
    next_k: int


def claim_order(claim: ClaimRecord) -> tuple[object, ...]:
    """Sort key that does not depend on the order in which tests finished: K2 before K10."""
    return (
        [(0, int(part), "") if part.isdigit() else (1, 0, part)
         for part in re.split(r"(\d+)", claim.id) if part],
        claim.benchmark or "",
        claim.k or 0,
        claim.nodeid,
    )  # fmt: skip


def for_readers(claims: Iterable[ClaimRecord], kind: Kind) -> list[ClaimRecord]:
    """The claims of one kind, what went wrong first and what was skipped last.

    A claim's several k stay together.
    """
    chosen = [claim for claim in claims if claim.kind is kind]
    worst: dict[tuple[str, str | None], int] = {}
    for claim in chosen:
        rank = _SHOWN_FIRST.index(claim.verdict) + len(_SHOWN_FIRST) * claim.skipped
        worst[family(claim)] = min(worst.get(family(claim), rank), rank)
    return sorted(chosen, key=lambda claim: (worst[family(claim)], claim_order(claim)))


def family(claim: ClaimRecord) -> tuple[str, str | None]:
    """What a claim judged at several k has in common: its id and benchmark."""
    return claim.id, claim.benchmark


def beside(record: RunRecord) -> Iterator[tuple[ClaimRecord, Judgement]]:
    """The comparisons that a suite put something beside, with their claims, in readers' order."""
    for kind in Kind:
        for claim in for_readers(record.claims, kind):
            yield from ((claim, j) for j in claim.judgements if j.evidence.exhibits)


def deciding_claims(record: RunRecord) -> list[ClaimRecord]:
    """The claims the gate names as deciding, in its order."""
    named = record.gate.deciding
    found = [claim for claim in record.claims if name(claim) in named]
    return sorted(found, key=lambda claim: named.index(name(claim)))


def incomparable(claim: ClaimRecord) -> list[str]:
    """Why the claim's runs are not comparable, in words."""
    judgement = claim.deciding  # falsy unless it holds, so compare with None
    reasons = [] if judgement is None else list(judgement.evidence.incomparable)
    return reasons or ([claim.reason] if claim.reason else [])


def role_order(roles: Iterable[str]) -> list[str]:
    """base, rlvr, the contrasts by name, the pseudo role `difference` last."""
    rank = {"base": 0, "rlvr": 1, "difference": 3}
    return sorted(roles, key=lambda role: (rank.get(role, 2), role))


_OTHERWISE = re.compile(r"(.+?) \((.+)\)")


def otherwise(name: str) -> tuple[str, str]:
    """Role, and what was asked otherwise than the run asks; empty where nothing was.

    >>> otherwise("rlvr (temperature 0.6, samples 64)"), otherwise("rlvr")
    (('rlvr', 'temperature 0.6, samples 64'), ('rlvr', ''))
    """
    found = _OTHERWISE.fullmatch(name)
    return (found[1], found[2]) if found else (name, "")


def checkpoints(record: RunRecord) -> list[CheckpointFacts]:
    """The facts of every checkpoint, the pair first, then the contrasts."""
    order = role_order(c.role for c in record.checkpoints)
    return sorted(record.checkpoints, key=lambda c: order.index(c.role))


def benchmark_names(record: RunRecord) -> list[str]:
    """Every benchmark the record speaks of, as listed, then those only counted."""
    listed = [benchmark.name for benchmark in record.benchmarks]
    others = sorted({*record.counts, *record.curves} - set(listed))
    return [b for b in [*listed, *others] if b in record.counts or b in record.curves]


def solved(counts: Mapping[str, Sequence[Tally]]) -> list[Solved]:
    """The pair's counts problem by problem; empty unless both checkpoints were counted.

    Without problems that an adaptive run asked less far than others: what they would have been
    solved at is not known.
    """
    rlvr = {tally.problem: tally for tally in to_the_end(counts.get("rlvr", ()))}
    from rlvr_gate.claims.solved import alpha_of_each

    base = to_the_end(counts.get("base", ()))
    both = [(b, rlvr[b.problem]) for b in base if b.problem in rlvr]
    alpha = alpha_of_each(*zip(*both, strict=True)) if both else 0.0
    return [Solved(b.problem, b, r, alpha) for b, r in both]


def class_counts(problems: Sequence[Solved]) -> dict[str, int]:
    """How many problems are preserved, gained, lost and unreached."""
    kinds = [problem.kind for problem in problems]
    return {kind: kinds.count(kind) for kind in CLASSES}


def noise(record: RunRecord, benchmark: str) -> Sequence[Expected]:
    """What rlvr, and what base against itself, loses and gains; empty where no claim asked."""
    for claim in record.claims:
        for judgement in claim.judgements:
            if claim.benchmark == benchmark and judgement.evidence.noise:
                return judgement.evidence.noise.rows
    return ()


def to_the_end(tallies: Sequence[Tally]) -> list[Tally]:
    """The tallies whose stopping rule goes as far as that of any other."""
    most = max((last_round(tally) for tally in tallies), default=0)
    return [t for t in tallies if t.rounds is None or last_round(t) == most]


def last_round(tally: Tally) -> int:
    """The most samples this problem could have got."""
    return tally.n if tally.rounds is None else tally.rounds.sizes[-1]


def accuracy(tally: Tally) -> float:
    """Unbiased chance that one sample is correct; 0 where there are none.

    The share of correct samples, unless a rule that looked at them ended the sampling.
    """
    if not tally.n:
        return 0.0
    if tally.rounds is None:
        return tally.correct / tally.n
    from rlvr_gate.judging.readings import solve_rate

    return float(solve_rate([tally], 1).low[0])


def histogram(tallies: Sequence[Tally]) -> list[int]:
    """Problems per bin of `accuracy`, as `BINS`; the outer bins are of the samples there are.

    >>> histogram([Tally("a", 10, 0), Tally("b", 10, 1), Tally("c", 10, 10)])
    [1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    """
    bins = [0] * len(BINS)
    for tally in tallies:
        bins[_bin(tally)] += 1
    return bins


def rate(tallies: Sequence[Tally], what: str) -> float | None:
    """Share of all completions that are `truncated`, `unscored` or `duplicates`.

    Of adaptive samples, truncation is the middle of what it can be: which problems got more
    samples depends on their outcomes. None where nobody recorded it.
    """
    if any(getattr(tally, what) is None for tally in tallies):
        return None
    if what == "truncated" and any(tally.rounds for tally in tallies):
        from rlvr_gate.judging.readings import truncated

        found = truncated(tallies)
        return float((found.low.mean() + found.high.mean()) / 2)
    total = sum(tally.n for tally in tallies)
    return sum(int(getattr(tally, what)) for tally in tallies) / total if total else 0.0


def crossover(difference: Sequence[CurvePoint]) -> Crossing | None:
    """Between which ladder points rlvr's lead ends for good; None if it never does."""
    points = sorted(difference, key=lambda point: point.k)
    ahead = [index for index, point in enumerate(points) if point.value > 0]
    if not ahead or ahead[-1] == len(points) - 1 or points[-1].value >= 0:
        return None
    last = ahead[-1]
    return Crossing(int(points[last].k), int(points[last + 1].k))


def _bin(tally: Tally) -> int:
    if tally.correct == 0:
        return 0
    if tally.correct == tally.n:
        return len(BINS) - 1
    if tally.rounds is None:
        return -(-10 * tally.correct // tally.n)
    return min(max(1, math.ceil(10 * accuracy(tally))), len(BINS) - 2)
