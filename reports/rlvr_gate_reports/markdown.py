"""The run as Markdown, for a step summary, a pull request or a model card."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from rlvr_gate.records import (
    CheckpointFacts,
    ClaimRecord,
    GateState,
    Interval,
    Kind,
    RunRecord,
    Verdict,
)
from rlvr_gate_reports import words
from rlvr_gate_reports.reading import (
    Solved,
    benchmark_names,
    class_counts,
    crossover,
    deciding_judgement,
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
}
_VERDICT = {
    Verdict.HOLDS: "✅ holds",
    Verdict.REFUTED: "❌ refuted",
    Verdict.UNDECIDED: "❔ undecided",
    Verdict.NOT_COMPARABLE: "≠ not comparable",
}
_SHOWN_IDS = 20
_SPECIAL = re.compile(r"([\\`*_{}\[\]|~$#]|^[-+]|(?<!\w)@)")


def render(record: RunRecord) -> str:
    """Gate, claims, pass@k with intervals, solved sets and provenance; no completions."""
    sections = [
        _gate(record),
        _claims(record),
        *(_benchmark(record, benchmark) for benchmark in benchmark_names(record)),
        _weights(record.weights),
        _provenance(record),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def escape(text: str) -> str:
    """Text that Markdown and HTML show as it is, on one line."""
    marked = _SPECIAL.sub(r"\\\1", " ".join(words.visible(text).split()))
    return marked.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _gate(record: RunRecord) -> str:
    gate = record.gate
    refs = " → ".join(f"**{escape(c.role)}** {escape(c.ref)}" for c in _pair(record))
    lines = [
        f"# {_STATE[gate.state]} Gate {words.STATE_WORDS[gate.state]}",
        f"{escape(words.gate_reason(record))} {escape(words.findings(record))}".rstrip(),
        f"{refs} · policy {escape(gate.policy)} · {_samples(record)} · "
        f"seed {record.seed} · exit status {gate.exit_status}",
    ]
    saved = words.saving(record.saving)
    if saved:
        lines.append(escape(f"{saved[0].upper()}{saved[1:]}."))
    return "\n\n".join(lines)


def _samples(record: RunRecord) -> str:
    if not record.samples:
        return "weights only, nothing sampled"
    most = "adaptive, at most " if record.rounds else ""
    return f"{most}{record.samples} samples per problem"


def _claims(record: RunRecord) -> str:
    rows = [
        _claim(claim) for kind in Kind for claim in for_readers(record.claims, kind)
    ]  # gate claims first, as Kind lists them
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
    parts = ["## Claims", escape(control), _table(head, rows)]
    return "\n\n".join(part for part in parts if part)


def _claim(claim: ClaimRecord) -> list[str]:
    judgement = deciding_judgement(claim)
    return [
        _VERDICT[claim.verdict],
        f"**{escape(claim.id)}** {escape(claim.text)}",
        str(claim.kind),
        escape(claim.benchmark or "–"),
        str(claim.k or "–"),
        escape(words.because(claim)) if judgement is None else words.estimate(judgement),
        "–" if judgement is None else words.needs(judgement),
        words.p_value(claim.adjusted_p).replace("<", "&lt;") or "–",
        escape(claim.source),
    ]


def _benchmark(record: RunRecord, benchmark: str) -> str:
    parts = [f"## {escape(benchmark)}"]
    look = record.saving.looks.get(benchmark) if record.saving else None
    if look:
        parts.append(f"{words.looks(look)}.")
    curves = record.curves.get(benchmark, {})
    if curves:
        parts.append("pass@k [interval]:\n\n" + _curves(curves))
        found = crossover(curves.get("difference", ()))
        told = record.crossovers.get(benchmark)
        if told:
            parts.append(f"rlvr − base: {escape(str(told['text']))}.")
        elif found:
            parts.append(
                f"Estimated curves cross between k = {found.last_lead} and k = {found.next_k}: "
                f"rlvr leads below, base above."
            )
    if record.strata.get(benchmark):
        parts.append(_strata(record.strata[benchmark]))
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


def _lost(problems: Sequence[Solved]) -> str:
    ids = [problem.problem for problem in problems if problem.kind == "lost"]
    if not ids:
        return ""
    more = f" and {len(ids) - _SHOWN_IDS} more" if len(ids) > _SHOWN_IDS else ""
    return f"Lost: {', '.join(escape(i) for i in ids[:_SHOWN_IDS])}{more}."


def _curves(curves: Mapping[str, Sequence[Mapping[str, float]]]) -> str:
    roles = role_order(curves)
    ks = sorted({int(point["k"]) for points in curves.values() for point in points})
    at = {role: {int(point["k"]): point for point in curves[role]} for role in roles}
    rows = [[str(k), *(_point(at[role].get(k), role) for role in roles)] for k in ks]
    return _table(["k", *map(escape, roles)], rows)


def _strata(rows: Sequence[Mapping[str, object]]) -> str:
    head = ["Stratum", "Problems", "k", "base → rlvr", "difference [interval]"]
    return _table(head, [[escape(cell) for cell in words.stratum(row)] for row in rows])


def _point(point: Mapping[str, float] | None, role: str) -> str:
    if point is None:
        return "–"
    signed = role == "difference"
    bounds = words.interval(Interval(point["low"], point["high"], 0.0), signed=signed)
    return f"{words.number(point['value'], signed=signed)} {bounds}"


def _weights(weights: Mapping[str, object]) -> str:
    lines = []
    for role in role_order(weights):
        update = weights[role]
        total = update.get("total") if isinstance(update, Mapping) else None
        if isinstance(total, Mapping) and isinstance(update, Mapping):
            lines.append(
                f"- {escape(role)}: {words.number(total.get('unchanged_fraction'))} of "
                f"{words.count(total.get('parameters', 0))} weights unchanged since "
                f"{escape(str(update.get('against', 'base')))}"
            )
    return "## Weights\n\n" + "\n".join(lines) if lines else ""


def _provenance(record: RunRecord) -> str:
    rows = [
        [
            escape(c.role),
            escape(c.ref),
            f"`{words.short_digest(c.digest)}`",
            escape(c.backend),
            str(c.seed),
        ]
        for c in record.checkpoints
    ]
    table = _table(["Role", "Checkpoint", "Digest", "Backend", "Seed"], rows) if rows else ""
    benchmarks = "\n".join(
        f"- {escape(b.name)}: {escape(b.source)}, {len(b.problems)} problems, {_digest(b.digest)}"
        for b in record.benchmarks
    )
    parts = ["## Provenance", table, benchmarks, f"Run {escape(record.created)}."]
    return "\n\n".join(part for part in parts if part)


def _digest(digest: str) -> str:
    return f"`{words.short_digest(digest)}`"


def _pair(record: RunRecord) -> list[CheckpointFacts]:
    return [c for c in record.checkpoints if c.role in ("base", "rlvr")]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
