"""`rlvr-gate selftest`: how often this gate errs on these problems, and what it can see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from rlvr_gate.records import AGAIN, RunRecord, Tally
from rlvr_gate.visible import one_line
from rlvr_gate_reports import words

if TYPE_CHECKING:
    from rlvr_gate.claims.selftest import Often, Told

_FIRST = 0.8  # of the error budget: what the first judgement of a question spends by default
_NAME = 120


def lines(
    record: RunRecord, other: RunRecord | None, *, runs: int, seed: int, margin: float
) -> Iterator[str]:
    """What base's counts say of the gate, benchmark by benchmark.

    Args:
        other: another run with the same base, for what changes between two sessions; None: the
            second collection of this run, where --self-test or a pair of one checkpoint drew one.

    Raises:
        ValueError: nothing was sampled, or not as many samples of every problem.
    """
    if not record.counts:
        raise ValueError("nothing was sampled: a self-test needs a report with counts")
    for benchmark, counts in record.counts.items():
        if other is not None:
            _check_same(record, other, benchmark)
        second = _second(record, benchmark) if other is None else other.counts[benchmark]["base"]
        name, base = one_line(benchmark, _NAME), counts["base"]
        yield from _benchmark(name, base, second, record.level,
                              runs=runs, seed=seed, margin=margin)  # fmt: skip
        if second:
            yield from _sessions(name, base, second)


def _second(record: RunRecord, benchmark: str) -> Sequence[Tally]:
    """Base's second collection of a run itself; nothing where it drew none.

    Raises ValueError: what was called one is another checkpoint's.
    """
    counts, digests = record.counts[benchmark], {c.role: c.digest for c in record.checkpoints}
    if AGAIN in counts:
        if digests.get("base") != digests.get(AGAIN):
            raise ValueError(f"{AGAIN} is another checkpoint than base: draw it with --self-test")
        return counts[AGAIN]
    one = digests and digests.get("base") == digests.get("rlvr")
    return counts["rlvr"] if one else ()


def _benchmark(
    name: str, base: Sequence[Tally], second: Sequence[Tally], level: float,
    *, runs: int, seed: int, margin: float,
) -> Iterator[str]:  # fmt: skip
    from rlvr_gate.claims.selftest import self_test, told_apart
    from rlvr_gate.judging.terms import units

    own, samples = 1 - (1 - level) * _FIRST, _samples(name, [*base, *second])
    of = "base's" if not second else f"base's {samples} and {samples} more"
    samples, correct = 2 * samples if second else samples, _pooled(base, second)
    yield (
        f"{name}: {of if second else f'{of} {samples}'} samples of {len(base):,} problems, "
        f"{runs:,} times split into two runs of {samples // 2}; judged by the gate claims' bound "
        f"at level {own:.4g}, as a first judgement is"
    )
    clusters = units(base)["clusters"]
    found = self_test(samples, correct, level=own, runs=runs, seed=seed, margin=margin,
                      clusters=clusters)  # fmt: skip
    asked = None
    for told in found:
        if (told.k, told.threshold) != asked:
            asked = told.k, told.threshold
            yield _head(told)
        yield _row(told)
    yield f"  findings' comparisons, nothing planted, each alone at level {level:.4g}: told apart"
    for k, often in told_apart(samples, correct, level=level, runs=runs, seed=seed,
                               clusters=clusters):  # fmt: skip
        yield f"    {f'pass@{k}':<16} {_often(often)}"


def _pooled(base: Sequence[Tally], second: Sequence[Tally]) -> list[int]:
    """Correct of every problem, in both collections."""
    more = {tally.problem: tally.correct for tally in second}
    return [tally.correct + more.get(tally.problem, 0) for tally in base]


def _head(told: Told) -> str:
    if told.threshold == 0:
        return "  K1's comparison: pass@1 rises"
    return f"  C1's comparison: pass@{told.k} falls by less than {words.number(-told.threshold)}"


def _row(told: Told) -> str:
    truth = (
        f"{'a rise' if told.effect > 0 else 'a drop'} of {words.number(abs(told.effect))}"
        if told.effect
        else "one model twice"
    )
    wrong = "refuted" if told.effect > told.threshold else "holds"
    return (
        f"    {truth:<16} holds {_often(told.holds)}, refuted {_often(told.refuted)}"
        f"  (wrong: {wrong})"
    )


def _often(often: Often) -> str:
    low, high = often.ends
    return f"{often.times / often.runs:.3f} [{low:.3f}, {high:.3f}]"


def _sessions(name: str, base: Sequence[Tally], second: Sequence[Tally]) -> Iterator[str]:
    """What changed between two collections of one base.

    Raises ValueError: the second is the first one, read again.
    """
    from rlvr_gate.claims.selftest import ceiling, sessions
    from rlvr_gate.claims.twice import copies

    other = {tally.problem: tally for tally in second}
    pairs = [(tally, other[tally.problem]) for tally in base]
    for why in copies(*zip(*pairs, strict=True)):
        raise ValueError(f"{name}: {why}")
    counts = ([tally.correct for tally in side] for side in zip(*pairs, strict=True))
    found = sessions(_samples(name, [*base, *second]), *counts)
    yield (
        f"  two sessions: base's pass@1 differs by {words.number(found.difference, signed=True)} "
        f"[{words.number(found.low, signed=True)}, {words.number(found.high, signed=True)}]; "
        f"no effect of the session beyond {words.number(found.effect)} can be told from these: "
        f"`[claims.K1] margin = {ceiling(found.effect):.4f}` keeps a release beyond it"
    )


def _check_same(record: RunRecord, again: RunRecord, benchmark: str) -> None:
    digests = [
        {c.digest for c in each.checkpoints if c.role == "base"} for each in (record, again)
    ]
    if digests[0] != digests[1]:
        raise ValueError("the two reports are of different bases: give two runs with one base")
    ours, theirs = (
        {tally.problem for tally in each.counts.get(benchmark, {}).get("base", ())}
        for each in (record, again)
    )
    if ours != theirs:
        raise ValueError(f"the other report does not hold the same problems of {benchmark}")
    drawn = [_drawing(each) for each in (record, again)]
    if record.checkpoints and drawn[0] == drawn[1]:
        raise ValueError(
            "both reports count the same completions (one seed, one engine): draw the second with "
            "another --sample-seed"
        )


def _drawing(record: RunRecord) -> Mapping[str, object]:
    return {
        c.role: (c.seed, c.backend, c.sampling) for c in record.checkpoints if c.role == "base"
    }


def _samples(name: str, tallies: Sequence[Tally]) -> int:
    numbers = {tally.n for tally in tallies}
    if len(numbers) != 1 or any(tally.rounds for tally in tallies):
        raise ValueError(f"{name}: needs as many samples of every problem, not adaptive ones")
    return numbers.pop()
