"""`rlvr-gate selftest`: how often this gate errs on these problems, and what it can see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from rlvr_gate.records import RunRecord, Tally
from rlvr_gate.visible import one_line
from rlvr_gate_reports import words

if TYPE_CHECKING:
    from rlvr_gate.claims.selftest import Often, Told

_FIRST = 0.8  # of the error budget: what the first judgement of a question spends by default
_NAME = 120


def lines(
    record: RunRecord, again: RunRecord | None, *, runs: int, seed: int, margin: float
) -> Iterator[str]:
    """What base's counts say of the gate, benchmark by benchmark.

    Args:
        again: another run with the same base, for what changes between two sessions.

    Raises:
        ValueError: nothing was sampled, or not as many samples of every problem.
    """
    if not record.counts:
        raise ValueError("nothing was sampled: a self-test needs a report with counts")
    for benchmark, counts in record.counts.items():
        yield from _benchmark(one_line(benchmark, _NAME), counts["base"], record.level,
                              runs=runs, seed=seed, margin=margin)  # fmt: skip
        if again is not None:
            yield from _sessions(record, again, benchmark)


def _benchmark(
    name: str, base: Sequence[Tally], level: float, *, runs: int, seed: int, margin: float
) -> Iterator[str]:
    from rlvr_gate.claims.selftest import self_test

    own, samples = 1 - (1 - level) * _FIRST, _samples(name, base)
    yield (
        f"{name}: base's {samples} samples of {len(base):,} problems, {runs:,} times split into "
        f"two runs of {samples // 2}; judged by the gate claims' bound at level {own:.4g}, as a "
        "first judgement is"
    )
    found = self_test(samples, [tally.correct for tally in base], level=own, runs=runs, seed=seed,
                      margin=margin)  # fmt: skip
    asked = None
    for told in found:
        if (told.k, told.threshold) != asked:
            asked = told.k, told.threshold
            yield _head(told)
        yield _row(told)


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


def _sessions(record: RunRecord, again: RunRecord, benchmark: str) -> Iterator[str]:
    """What changed between two collections of one base."""
    from rlvr_gate.claims.selftest import sessions

    _check_same(record, again, benchmark)
    one = {tally.problem: tally for tally in record.counts[benchmark]["base"]}
    other = {tally.problem: tally for tally in again.counts[benchmark]["base"]}
    samples = _samples(benchmark, [*one.values(), *other.values()])
    found = sessions(samples, *([of[p].correct for p in one] for of in (one, other)))
    yield (
        f"  two sessions: base's pass@1 differs by {words.number(found.difference, signed=True)} "
        f"[{words.number(found.low, signed=True)}, {words.number(found.high, signed=True)}]; "
        f"no effect of the session beyond {words.number(found.effect)} can be told from these: "
        f"`[claims.K1] margin = {found.effect:.4f}` keeps a release beyond it"
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
