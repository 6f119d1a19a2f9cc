"""The run as Markdown, for a step summary, a pull request or a model card."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import accumulate

from rlvr_gate.gate.diagnosis import diagnosis
from rlvr_gate.gate.shown import Shown, exhibits
from rlvr_gate.gate.waivers import spelled
from rlvr_gate.records import (
    ClaimRecord,
    CurvePoint,
    GateState,
    Interval,
    Judgement,
    Kind,
    NumberRow,
    RunRecord,
    StratumRow,
    UpdateRecord,
    Verdict,
)
from rlvr_gate.visible import LONGEST_LINE, one_line
from rlvr_gate_reports import decision, words
from rlvr_gate_reports import exhibits as worded
from rlvr_gate_reports.reading import (
    Solved,
    benchmark_names,
    beside,
    class_counts,
    crossover,
    for_readers,
    rate,
    role_order,
    solved,
)

_STATE = {
    GateState.OPEN: "🟢",
    GateState.CLOSED: "🔴",
    GateState.UNDECIDED: "🟡",
    GateState.NOT_COMPARABLE: "🟣",
    GateState.NO_DECISION: "⚫",
    GateState.NOT_FINISHED: "⚫",
}
_VERDICT = {
    Verdict.HOLDS: "✅ holds",
    Verdict.REFUTED: "❌ refuted",
    Verdict.UNDECIDED: "❔ undecided",
    Verdict.NOT_COMPARABLE: "≠ not comparable",
}
LIMIT = 1_000_000
"""Bytes of the whole; GitHub drops a step summary of more than 1 MiB."""
_SHOWN_IDS, _SHOWN_ROWS, _SHOWN_BENCHMARKS = 20, 300, 50
_SHOWN_CELLS = 25  # rows, and columns, of an exhibit
_LONG, _SHORT = 300, 120  # characters of a sentence and of a name in a table
_SPECIAL = re.compile(r"([\\`*_{}\[\]|~$#]|^[-+:=]|:(?=//)|(?<=www)\.|(?<!\w)@)", re.IGNORECASE)
_REFERENCE = re.compile(r"((?<!\w)@(?=\w)|#(?=\d)|\bGH-(?=\d))", re.IGNORECASE)
"""What GitHub takes for a person or an issue, escaped or not, unless something stands between."""
_BETWEEN = r"\1&#8203;"


def render(record: RunRecord) -> str:
    """Gate, claims, pass@k with intervals, solved sets and provenance; no completions."""
    sections = [
        _gate(record),
        _waivers(record),
        _checks(record),
        _diagnosis(record),
        _claims(record),
        _beside(record),
        *_benchmarks(record),
        _weights(record.weights),
        _provenance(record),
    ]
    return _within("\n\n".join(section for section in sections if section) + "\n")


def escape(text: str, most: int = LONGEST_LINE) -> str:
    """Text that Markdown and HTML show as it is, on one line of at most so many characters."""
    marked = _SPECIAL.sub(r"\\\1", " ".join(one_line(text, most).split()))
    marked = marked.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _REFERENCE.sub(_BETWEEN, marked)


def _within(text: str) -> str:
    """The first lines of a text, as many as `LIMIT` has room for; the gate's are the first."""
    if len(text.encode()) <= LIMIT:
        return text
    lines, room = text.splitlines(keepends=True), LIMIT - 200
    ends = accumulate(len(line.encode()) for line in lines)
    kept = sum(end <= room for end in ends)
    return "".join(lines[:kept]) + f"\n{_more(len(lines) - kept, 'lines')}\n"


def _more(number: int, what: str) -> str:
    return f"… and {number:,} more {what}; the HTML and JSON reports have more room."


def _gate(record: RunRecord) -> str:
    gate, told = record.gate, decision.of(record)
    refs = " → ".join(f"**{escape(c.role)}** {escape(c.ref, _LONG)}" for c in words.pair(record))
    trade = " ".join(map(escape, told.trade))
    lines = [
        f"# {_STATE[gate.state]} {told.headline}: gate {words.STATE_WORDS[gate.state]}",
        escape(told.reason),
        escape(told.then),
        f"**{told.trade_title}.** {trade}" if trade else "",
        escape(words.findings(record)),
        f"{refs} · policy {escape(gate.policy)} · {_samples(record)} · "
        f"seed {record.seed} · exit status {gate.exit_status}",
    ]
    saved = words.saving(record.saving)
    if saved:
        lines.append(escape(f"{saved[0].upper()}{saved[1:]}."))
    return "\n\n".join(filter(None, lines))


def _waivers(record: RunRecord) -> str:
    """Every waiver of the policy, its state and the days it has left."""
    rows = [
        [
            escape(spelled(use.waiver), _SHORT),
            use.state,
            f"{use.waiver.until} ({words.days_left(use) or 'days left not counted'})",
            escape(use.waiver.reason, _LONG),
        ]
        for use in record.gate.waivers[:_SHOWN_ROWS]
    ]
    table = _table(["Waiver", "State", "Until", "Reason"], rows, len(record.gate.waivers))
    said = "\n\n".join(map(escape, words.waivers(record)[:_SHOWN_IDS]))
    return "\n\n".join(filter(None, ["## Waivers", said, table])) if rows else ""


def _checks(record: RunRecord) -> str:
    rows = [
        [
            escape(row.check.name, _SHORT),
            _VERDICT[row.verdict],
            escape(", ".join(row.check.claims), _SHORT),
            escape("; ".join(row.missing), _LONG) or "–",
        ]
        for row in record.gate.checks[:_SHOWN_ROWS]
    ]
    head = ["Check", "Verdict", "Claims", "Missing"]
    table = _table(head, rows, len(record.gate.checks))
    title = f"## What the gain must survive: policy {escape(record.gate.policy, _SHORT)}"
    return f"{title}\n\n{table}" if rows else ""


def _diagnosis(record: RunRecord) -> str:
    lines = [
        f"- **{each.section}**: {escape(each.says, _LONG)} ({', '.join(each.rests_on)})"
        for each in diagnosis(record.claims)
    ]
    return "\n".join(["## Diagnosis", "", *lines]) if lines else ""


def _samples(record: RunRecord) -> str:
    if not record.samples:
        return "weights only, nothing sampled"
    most = "adaptive, at most " if record.rounds else ""
    return f"{most}{record.samples} samples per problem"


def _claims(record: RunRecord) -> str:
    claims = [claim for kind in Kind for claim in for_readers(record.claims, kind)]
    rows = [_claim(claim) for claim in claims[:_SHOWN_ROWS]]  # gate claims first
    if not rows:
        return "No claim was judged."
    head = [
        "Verdict",
        "Claim",
        "Kind",
        "Benchmark",
        "k",
        "Estimate [interval]",
        "Needs",
        "p (Holm)",
        "Source",
    ]
    control = f"{words.release_and_block(record)} {words.findings_family(record)}".strip()
    parts = ["## Claims", escape(control), _table(head, rows, len(claims))]
    return "\n\n".join(part for part in parts if part)


def _claim(claim: ClaimRecord) -> list[str]:
    judgement = claim.deciding
    return [
        _VERDICT[claim.verdict],
        f"**{escape(claim.id, _SHORT)}** {escape(claim.text, _LONG)}",
        str(claim.kind),
        escape(claim.benchmark or "–", _SHORT),
        str(claim.k or "–"),
        escape(words.because(claim)) if judgement is None else _estimate(judgement),
        "–" if judgement is None else words.needs(judgement),
        words.p_value(claim.adjusted_p).replace("<", "&lt;") or "–",
        escape(words.source(claim), _SHORT),
    ]


def _estimate(judgement: Judgement) -> str:
    return f"{words.estimate(judgement)} {words.about(judgement)}".strip()


def _beside(record: RunRecord) -> str:
    """What suites put beside their verdicts."""
    found = list(beside(record))
    parts = [
        "\n\n".join([f"### {escape(claim.id, _SHORT)}: {escape(judgement.statement, _LONG)}",
                     *(_exhibit(each) for each in exhibits(judgement.evidence, _SHOWN_CELLS))])
        for claim, judgement in found[:_SHOWN_BENCHMARKS]
    ]  # fmt: skip
    left = len(found) - len(parts)
    more = [_more(left, "comparisons")] if left else []
    return "\n\n".join(["## Beside the verdicts", *parts, *more]) if parts else ""


def _exhibit(shown: Shown) -> str:
    exhibit = shown.exhibit
    head, rows = worded.grid(exhibit)
    kept = [[escape(cell, _SHORT) for cell in row[:_SHOWN_CELLS]] for row in rows[:_SHOWN_CELLS]]
    names = [escape(name, _SHORT) for name in head[:_SHOWN_CELLS]]
    table = _table(names, kept, len(rows) + shown.left_out)
    return f"{escape(exhibit.title, _LONG)}\n\n{table}" if exhibit.title else table


def _benchmarks(record: RunRecord) -> list[str]:
    names = benchmark_names(record)
    shown = [_benchmark(record, benchmark) for benchmark in names[:_SHOWN_BENCHMARKS]]
    left = len(names) - len(shown)
    return [*shown, _more(left, "benchmarks")] if left else shown


def _benchmark(record: RunRecord, benchmark: str) -> str:
    parts = [f"## {escape(benchmark, _SHORT)}"]
    look = record.saving.looks.get(benchmark) if record.saving else None
    if look:
        parts.append(f"{words.looks(look)}.")
    curves = record.curves.get(benchmark, {})
    if curves:
        parts.append("pass@k [interval]:\n\n" + _curves(curves))
        found = crossover(curves.get("difference", ()))
        told = record.crossovers.get(benchmark)
        if told:
            parts.append(f"rlvr − base: {escape(told.text)}.")
        elif found:
            parts.append(
                f"Estimated curves cross between k = {found.last_lead} and k = {found.next_k}: "
                f"rlvr leads below, base above."
            )
    if record.strata.get(benchmark):
        parts.append(_strata(record.strata[benchmark]))
    numbers = record.numbers.get(benchmark, ())
    if numbers:
        parts.append(" · ".join(map(_number, numbers)) + ".")
    counts = record.counts.get(benchmark, {})
    problems = solved(counts)
    if problems:
        total = " · ".join(f"{n} {kind}" for kind, n in class_counts(problems).items())
        said = f"Of {len(problems)} problems: {total}. {words.luck(problems)} {_lost(problems)}"
        parts.append(" ".join(said.split()))
    rates = [
        f"{escape(role)} {words.number(rate(counts[role], 'truncated'))} truncated, "
        f"{words.number(rate(counts[role], 'unscored'))} unscored"
        for role in role_order(counts)
    ]
    if rates:
        parts.append("Share of completions: " + " · ".join(rates) + ".")
    return "\n\n".join(parts)


def _number(row: NumberRow) -> str:
    difference, low, high = (
        words.number(value, signed=True) for value in (row.difference, row.low, row.high)
    )
    ends = f"{words.share(row.base)} → {words.share(row.rlvr)}"
    return f"{escape(row.label)}: {escape(ends)}, {difference} [{low}, {high}]"


def _lost(problems: Sequence[Solved]) -> str:
    ids = [problem.problem for problem in problems if problem.kind == "lost"]
    if not ids:
        return ""
    more = f" and {len(ids) - _SHOWN_IDS} more" if len(ids) > _SHOWN_IDS else ""
    return f"Lost: {', '.join(escape(i, _SHORT) for i in ids[:_SHOWN_IDS])}{more}."


def _curves(curves: Mapping[str, Sequence[CurvePoint]]) -> str:
    roles = role_order(curves)
    ks = sorted({int(point.k) for points in curves.values() for point in points})
    at = {role: {int(point.k): point for point in curves[role]} for role in roles}
    rows = [[str(k), *(_point(at[role].get(k), role) for role in roles)] for k in ks]
    return _table(["k", *map(escape, roles)], rows, len(rows))


def _strata(rows: Sequence[StratumRow]) -> str:
    head = ["Stratum", "Problems", "k", "base → rlvr", "difference [interval]"]
    shown = [words.stratum(row) for row in rows[:_SHOWN_ROWS]]
    return _table(head, [[escape(cell, _SHORT) for cell in row] for row in shown], len(rows))


def _point(point: CurvePoint | None, role: str) -> str:
    if point is None:
        return "–"
    signed = role == "difference"
    bounds = words.interval(Interval(point.low, point.high, 0.0), signed=signed)
    return f"{words.number(point.value, signed=signed)} {bounds}"


def _weights(weights: Mapping[str, UpdateRecord]) -> str:
    lines = [
        f"- {escape(role)}: {words.number(weights[role].total.unchanged_fraction)} of "
        f"{words.count(weights[role].total.parameters)} weights unchanged since "
        f"{escape(weights[role].against)}"
        for role in role_order(weights)
    ]
    return "## Weights\n\n" + "\n".join(lines) if lines else ""


def _provenance(record: RunRecord) -> str:
    rows = [
        [
            escape(c.role),
            escape(c.ref, _LONG),
            f"`{words.short_digest(c.digest)}`",
            escape(c.backend),
            str(c.seed),
        ]
        for c in record.checkpoints
    ]
    head = ["Role", "Checkpoint", "Digest", "Backend", "Seed"]
    table = _table(head, rows, len(rows)) if rows else ""
    benchmarks = "\n".join(
        f"- {escape(b.name, _SHORT)}: {escape(b.source)}, {len(b.problems)} problems, "
        f"{_digest(b.digest)}"
        for b in record.benchmarks[:_SHOWN_BENCHMARKS]
    )
    before = words.beforehand(record) if record.samples else ""
    parts = ["## Provenance", escape(before), table, benchmarks, f"Run {escape(record.created)}."]
    return "\n\n".join(part for part in parts if part)


def _digest(digest: str) -> str:
    return f"`{words.short_digest(digest)}`"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], of: int) -> str:
    """The rows that are shown; what there is beyond them is told."""
    lines = [head, ["---"] * len(head), *rows]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"{table}\n\n{_more(of - len(rows), 'rows')}" if of > len(rows) else table
