"""Base drawn twice: does anything here tell one model from itself?

A second collection of base's completions, of other seeds on the run's own engine and problems, is
a run in which nothing has changed. What the two differ by is what a session of this engine may be
off by; split anew at random they say how often the gate's comparisons err, and what they can see.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rlvr_gate.claims.selftest import Told, ceiling, likely_copies, self_test
from rlvr_gate.judging.quantities import Quantity
from rlvr_gate.records import (
    CheckpointFacts,
    Curves,
    Evidence,
    Interval,
    Judgement,
    Table,
    Tally,
)
from rlvr_gate.stats.verdicts import judge

RUNS = 100
_SEED = 0
_SURE = 1e-6


def drawn_twice(gap: Quantity, margin: float) -> Judgement:
    """Whether the second collection's pass@1 lies within `margin` of the first one's.

    Args:
        gap: again - base in pass@1; about these problems, where that is known.
    """
    level = gap.ledger.level
    ends = gap.interval(level)
    size = Interval(max(ends.low, -ends.high, 0.0), max(-ends.low, ends.high), level)
    found, rates = abs(gap.value), _rates(gap)
    told = () if rates else ("error rates and power need as many samples of every problem",)
    return Judgement(
        statement=f"|{gap.label}| <= {margin:g}",
        verdict=judge(found, size, "<=", margin),
        estimate=found,
        interval=size,
        threshold=margin,
        relation="<=",
        benchmark=gap.benchmark,
        k=1,
        n=gap.samples,
        p_value=max(gap.p_value(margin), gap.p_value(-margin)),
        target=gap.target,
        evidence=Evidence(
            notes=(_offered(size.high), *told), problems=len(gap.low), exhibits=rates
        ),
    )


def foreign(base: CheckpointFacts, again: CheckpointFacts, rlvr: CheckpointFacts) -> Iterator[str]:
    """Why these two collections say nothing of this run; nothing where they do."""
    if base.digest != again.digest:
        yield (
            f"again is another checkpoint than base ({again.ref}, not {base.ref}): --self-test "
            "draws base itself"
        )
    if rlvr.versions not in (base.versions, again.versions):
        yield (
            "base and again were both drawn by another engine than rlvr "
            f"({_engine(again)}; {_engine(rlvr)}), so they do not test this one: draw them anew "
            "with another --sample-seed"
        )


def copies(one: Sequence[Tally], other: Sequence[Tally]) -> Iterator[str]:
    """Say whether the second collection is the first one read again; nothing where it is not."""
    if [t.n for t in one] != [t.n for t in other]:
        return
    ours, theirs = ([tally.correct for tally in each] for each in (one, other))
    same, chance = likely_copies([tally.n for tally in one], ours, theirs)
    if chance < _SURE:
        yield (
            f"again has as many correct as base on {same} of {len(one)} problems, which two "
            f"draws have with a chance of {chance:.1g}: are these the same completions?"
        )


def _engine(facts: CheckpointFacts) -> str:
    return " ".join(f"{name} {what}" for name, what in facts.versions.items()) or facts.backend


def _offered(effect: float) -> str:
    margin = ceiling(effect)
    return (
        f"no session effect beyond {margin:.4f} can be told from these two collections: "
        f"`[claims.K1] margin = {margin:.4f}` keeps a release beyond it"
    )


def _rates(gap: Quantity) -> tuple[Table, Curves] | tuple[()]:
    """How often the gate claims' comparisons err on the two collections, split anew."""
    sides = [term.tallies for term in gap.terms]
    numbers = {tally.n for side in sides for tally in side}
    both = [sum(t.correct for t in each) for each in zip(*sides, strict=True)]
    if len(numbers) > 1 or any(t.rounds for t in sides[0]) or not any(both) or min(numbers) < 2:
        return ()
    told = list(self_test(2 * min(numbers), both, level=gap.ledger.level, runs=RUNS, seed=_SEED,
                          clusters=gap.units["clusters"]))  # fmt: skip
    return _table(told), _power(told)


def _name(told: Told) -> str:
    return (
        "K1: pass@1 rises"
        if told.threshold == 0
        else (f"C1: pass@{told.k} falls by less than {-told.threshold:g}")
    )


def _table(told: Sequence[Told]) -> Table:
    rows = [
        (_name(t), t.effect, t.holds.times, t.refuted.times, t.holds.runs,
         t.wrong.times / t.wrong.runs, *t.wrong.ends)
        for t in told
    ]  # fmt: skip
    head = ("comparison", "planted", "holds", "refuted", "runs", "errs", "low", "high")
    title = "The two collections, split into two runs of one model again and again"
    return Table(title, head, rows, signed=("planted",))


def _power(told: Sequence[Told]) -> Curves:
    lines: dict[str, list[tuple[float, float, float, float]]] = {}
    for t in sorted(told, key=lambda t: t.effect):
        low, high = t.holds.ends
        lines.setdefault(_name(t), []).append((t.effect, t.holds.times / t.holds.runs, low, high))
    return Curves("How often each comparison holds", lines, x="planted change", y="share of runs")
