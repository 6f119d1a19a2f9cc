"""Several runs side by side: what changed its verdict, and by how much the numbers moved.

The first run is what the others are held against: yesterday's, or the first of several candidates.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rlvr_gate.records import (
    ClaimRecord,
    CurvePoint,
    GateState,
    Interval,
    Kind,
    RunRecord,
    Verdict,
)
from rlvr_gate.visible import one_line
from rlvr_gate_reports import decision, words
from rlvr_gate_reports.reading import (
    benchmark_names,
    claim_order,
    solved,
)
from rlvr_gate_reports.results import Result

_LONGEST, _MOVED = 160, 40  # characters; problems of a list that are named
_FEW = 20  # names in a sentence
_WORTH = (Verdict.REFUTED, Verdict.NOT_COMPARABLE, Verdict.UNDECIDED, Verdict.HOLDS)


@dataclass(frozen=True, slots=True)
class RunHead:
    """One run in a line."""

    name: str
    state: str
    """The gate's, as the record spells it."""
    headline: str
    reason: str
    pair: str
    policy: str
    samples: int
    created: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A claim in one run."""

    verdict: str
    """`skipped`, `not asked`, or the verdict."""
    numbers: str


@dataclass(frozen=True, slots=True)
class ClaimAcross:
    """A claim in every run."""

    label: str
    text: str
    kind: Kind
    seen: tuple[Seen, ...]
    changed: bool
    worse: bool
    """Whether some later run says something worse than the first."""


@dataclass(frozen=True, slots=True)
class PassAcross:
    """pass@k of rlvr minus base at one k, in every run."""

    benchmark: str
    k: int
    numbers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything that is shown of several runs."""

    heads: tuple[RunHead, ...]
    cautions: tuple[str, ...]
    """What else differs, so that a change need not be the checkpoint's."""
    claims: tuple[ClaimAcross, ...]
    """Changed ones first, the worst change at the top."""
    passes: tuple[PassAcross, ...]
    problems: tuple[str, ...]
    """Problems whose class differs between the first run and another, in sentences."""
    curves: Mapping[str, Mapping[str, Sequence[CurvePoint]]]
    """benchmark -> base, and rlvr of each run."""

    @property
    def summary(self) -> str:
        """How many verdicts changed."""
        changed = sum(claim.changed for claim in self.claims)
        worse = sum(claim.worse for claim in self.claims)
        of = len(self.claims)
        return f"{changed:,} of {of:,} claims changed their verdict, {worse:,} for the worse."


def compare(results: Sequence[Result]) -> Comparison:
    """Hold runs against the first of them.

    Raises:
        ValueError: there are fewer than two.
    """
    if len(results) < 2:
        raise ValueError(f"a comparison needs two runs or more, got {len(results)}")
    names = _names(results)
    records = [result.record for result in results]
    return Comparison(
        heads=tuple(_head(n, r) for n, r in zip(names, records, strict=True)),
        cautions=(*_cautions(names, records), *_candidates(names, records)),
        claims=tuple(_claims(records)),
        passes=tuple(_passes(records)),
        problems=tuple(_problems(names, records)),
        curves=_curves(names, records),
    )


def lines(found: Comparison) -> Iterator[str]:
    """The comparison as plain text, verdict changes first."""
    for head in found.heads:
        yield f"{head.name}: {head.headline} (gate {head.state}, policy {head.policy})"
    yield from (f"note: {caution}" for caution in found.cautions)
    yield found.summary
    for claim in (c for c in found.claims if c.changed):
        way = "worse" if claim.worse else "changed"
        seen = " -> ".join(f"{s.verdict} {s.numbers}".strip() for s in claim.seen)
        yield f"  {way:<8}{claim.label} ({claim.kind}): {seen}"
    for row in found.passes:
        yield f"rlvr - base, pass@{row.k} on {row.benchmark}: {' -> '.join(row.numbers)}"
    yield from found.problems


def _names(results: Sequence[Result]) -> list[str]:
    """File names, numbered where they are alike."""
    names = [one_line(result.name, _LONGEST) for result in results]
    return [f"{name} ({n})" if names.count(name) > 1 else name for n, name in enumerate(names, 1)]


def _head(name: str, record: RunRecord) -> RunHead:
    told = decision.of(record)
    pair = " → ".join(f"{c.role} {one_line(c.ref, _LONGEST)}" for c in words.pair(record))
    return RunHead(
        name, str(record.gate.state), told.headline, told.reason, pair,
        one_line(record.gate.policy, _LONGEST), record.samples, record.created,
    )  # fmt: skip


def _cautions(names: Sequence[str], records: Sequence[RunRecord]) -> Iterator[str]:
    first = records[0]
    for name, other in zip(names[1:], records[1:], strict=True):
        for what, ours, theirs in (
            ("policy", first.gate.policy, other.gate.policy),
            ("samples per problem", first.samples, other.samples),
            ("level of the intervals", first.level, other.level),
            ("run seed", first.seed, other.seed),
            ("base", _base(first), _base(other)),
            ("sampling", _sampling(first), _sampling(other)),
        ):
            if ours != theirs:
                yield f"{what} of {name} differs: {_short(ours)}, then {_short(theirs)}"
        digests = {b.name: b.digest for b in first.benchmarks}
        for benchmark in other.benchmarks:
            if digests.get(benchmark.name, benchmark.digest) != benchmark.digest:
                yield f"{one_line(benchmark.name, _LONGEST)} of {name} has other problems"


def _candidates(names: Sequence[str], records: Sequence[RunRecord]) -> Iterator[str]:
    """What several candidates against one base do to the gate's error, and to the best of them."""
    candidates = {c.digest for record in records for c in record.checkpoints if c.role == "rlvr"}
    many, tails = len(candidates), [r.gate.errors.false_release for r in records if r.gate.errors]
    if many < 2 or not tails or len({_base(record) for record in records}) > 1:
        return
    pairs = list(zip(names, records, strict=True))
    opened = [name for name, record in pairs if record.gate.state is GateState.OPEN]
    stay = [name for name, record in pairs if name in opened and _corrected(record, many)]
    more, one = words.level(min(1.0, many * max(tails))), words.level(max(tails))
    gates, are = ("gate", "stays") if len(opened) == 1 else ("gates", "stay")
    named = f": {', '.join(stay[:_FEW])}" if stay else ""
    yield (
        f"{many:,} candidates against one base: the chance that one of them opens its gate though "
        f"none is better is at most {more}, not {one}; at level {1 - 2 * max(tails) / many:.4g}, "
        f"which corrects for their number, {len(stay):,} of {len(opened):,} open {gates} {are} "
        f"open{named}"
    )
    yield (
        "the best of several candidates looks better than it is, for the luck of its draws chose "
        "it: before its numbers are quoted judge it once more, on other problems, or with another "
        "--sample-seed in a store of its own"
    )


def _corrected(record: RunRecord, many: int) -> bool:
    """Whether every gate claim holds at its share of the error (Bonferroni)."""
    ps = [c.p_value for c in record.claims if c.kind is Kind.GATE and c.p_value is not None]
    return all(p * many <= 1 - record.level for p in ps)


def _base(record: RunRecord) -> str:
    return next((words.short_digest(c.digest) for c in record.checkpoints if c.role == "base"), "")


def _sampling(record: RunRecord) -> str:
    return next((str(c.sampling) for c in record.checkpoints if c.role == "rlvr"), "")


def _short(value: object) -> str:
    return one_line(str(value), _LONGEST) or "none"


def _claims(records: Sequence[RunRecord]) -> list[ClaimAcross]:
    tables = [{(c.id, c.benchmark, c.k): c for c in record.claims} for record in records]
    every = {key: claim for table in reversed(tables) for key, claim in table.items()}
    rows = [
        (_across([table.get(key) for table in tables], claim), claim)
        for key, claim in every.items()
    ]
    rows.sort(key=lambda row: (not row[0].worse, not row[0].changed,
                               row[1].kind is not Kind.GATE, claim_order(row[1])))  # fmt: skip
    return [row for row, _ in rows]


def _across(found: Sequence[ClaimRecord | None], claim: ClaimRecord) -> ClaimAcross:
    seen = tuple(map(_seen, found))
    first, later = found[0], [c for c in found[1:] if c is not None and not c.skipped]
    worse = first is not None and not first.skipped and any(
        _WORTH.index(c.verdict) < _WORTH.index(first.verdict) for c in later
    )  # fmt: skip
    on = f" on {one_line(claim.benchmark, _LONGEST)}" if claim.benchmark else ""
    at = f" at k = {claim.k}" if claim.k else ""
    label = f"{one_line(claim.id, _LONGEST)}{on}{at}"
    changed = len({_unjudged.get(each.verdict, each.verdict) for each in seen}) > 1
    return ClaimAcross(label, claim.text, claim.kind, seen, changed, worse)


_unjudged = {"skipped": "not asked"}
"""Neither is a verdict, and one instead of the other is no change of one."""


def _seen(claim: ClaimRecord | None) -> Seen:
    if claim is None:
        return Seen("not asked", "")
    judgement = claim.deciding
    numbers = "" if judgement is None else words.estimate(judgement)
    return Seen("skipped" if claim.skipped else str(claim.verdict), numbers)


def _passes(records: Sequence[RunRecord]) -> Iterator[PassAcross]:
    """At the smallest and the largest k that all runs have."""
    for benchmark in _shared(records):
        at = [
            {int(p.k): p for p in record.curves.get(benchmark, {}).get("difference", ())}
            for record in records
        ]
        ks = sorted(set.intersection(*(set(points) for points in at)))
        for k in dict.fromkeys(ks[:1] + ks[-1:]):
            yield PassAcross(benchmark, k, tuple(_point(points[k]) for points in at))


def _point(point: CurvePoint) -> str:
    bounds = words.interval(Interval(point.low, point.high, 0.0), signed=True)
    return f"{words.number(point.value, signed=True)} {bounds}"


def _shared(records: Sequence[RunRecord]) -> list[str]:
    names = [set(benchmark_names(record)) for record in records]
    return sorted(set.intersection(*names))


def _problems(names: Sequence[str], records: Sequence[RunRecord]) -> Iterator[str]:
    for benchmark in _shared(records):
        first = {p.problem: p.kind for p in solved(records[0].counts.get(benchmark, {}))}
        for name, record in zip(names[1:], records[1:], strict=True):
            moved: dict[str, list[str]] = {}
            for problem in solved(record.counts.get(benchmark, {})):
                before = first.get(problem.problem, problem.kind)
                if before != problem.kind:
                    moved.setdefault(f"{before}, now {problem.kind}", []).append(problem.problem)
            for way in sorted(moved):
                yield f"{benchmark}, {name}: {len(moved[way]):,} {way}: {_few(moved[way])}"


def _few(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - _MOVED:,} more" if len(ids) > _MOVED else ""
    return f"{', '.join(one_line(i, 60) for i in ids[:_MOVED])}{more}"


def _curves(
    names: Sequence[str], records: Sequence[RunRecord]
) -> dict[str, dict[str, Sequence[CurvePoint]]]:
    found: dict[str, dict[str, Sequence[CurvePoint]]] = {}
    for benchmark in _shared(records):
        base = records[0].curves.get(benchmark, {}).get("base", ())
        found[benchmark] = {"base": base} | {
            name: record.curves.get(benchmark, {}).get("rlvr", ())
            for name, record in zip(names, records, strict=True)
        }
    return found
