"""The run on one screen: lines of styled text for a terminal, no colour codes inside."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from rlvr_gate.gate.diagnosis import diagnosis
from rlvr_gate.gate.explain import drawn
from rlvr_gate.gate.shown import exhibits
from rlvr_gate.records import (
    CheckRow,
    ClaimRecord,
    CurvePoint,
    GateState,
    Kind,
    RunRecord,
    Verdict,
)
from rlvr_gate.visible import harmless, one_line
from rlvr_gate_reports import decision, words
from rlvr_gate_reports.reading import (
    benchmark_names,
    beside,
    class_counts,
    family,
    for_readers,
    solved,
)

WIDTH = 100
"""Columns where no terminal says how many it has."""
NARROWEST, _READABLE = 72, 120
"""Below the first a table has no room; above the second a paragraph is no longer read."""
HEIGHT = 30
_LONGEST = 10_000  # characters of one text that are looked at
_SPELLED = {0x2212: "-", 0x2013: "-", 0x2265: ">=", 0x2264: "<=", 0xA0: " "}
_NAME, _COLUMN = 25, 15  # width of the first and of every other column of the pass@k table
_VERDICT, _NUMBERS = 17, 34  # columns of a claim beside its sentence
_ROWS = 4  # of an exhibit


class Span(NamedTuple):
    """A piece of a line and how it is meant."""

    text: str
    style: str = "plain"


Line = tuple[Span, ...]

MARKUP: Mapping[str, Mapping[str, bool]] = {
    "plain": {},
    "dim": {"light": True},
    "strong": {"bold": True},
    str(Verdict.HOLDS): {"green": True},
    str(Verdict.REFUTED): {"red": True},
    str(Verdict.UNDECIDED): {"yellow": True},
    str(Verdict.NOT_COMPARABLE): {"purple": True},
    str(GateState.OPEN): {"green": True, "bold": True},
    str(GateState.CLOSED): {"red": True, "bold": True},
}
"""Style of a span -> markup of pytest's terminal writer: `write(text, **MARKUP[style])`."""


def summary(record: RunRecord, width: int = WIDTH) -> list[Line]:
    """Gate, claims, curves and solved sets, within `width` columns and about `HEIGHT` lines.

    Whatever the room: every refuted claim has its line, and the worst benchmark its curves.
    """
    width = max(width, NARROWEST)
    head = [*_gate(record, width), *_checks(record, width)]
    work = _work(record, width)
    room = HEIGHT - len(head) - len(work)
    blocks = [
        [
            *_curves(record, b, width),
            *_crossover(record, b, width),
            *_solved(record, b, width),
        ]
        for b in worst_first(record)
    ]
    claims = _claims(record, room - (len(blocks[0]) if blocks else 0), width)
    room = max(room - len(claims), len(blocks[0]) if blocks else 0)
    told = [*blocks[:1], _diagnosis(record, width), *blocks[1:], *_beside(record, width)]
    return [*head, *claims, *_fitting(told, room), *work]


def worst_first(record: RunRecord) -> list[str]:
    """The benchmarks: that of the claim to read first, then by how much fell at the largest k."""
    told = decision.of(record)
    first = [told.why.benchmark] if told.why and told.why.benchmark else []
    order = [*first, *(loss.benchmark for loss in told.losses)]
    names = benchmark_names(record)
    return list(dict.fromkeys([*(b for b in order if b in names), *names]))


def _beside(record: RunRecord, width: int) -> list[list[Line]]:
    """What a suite put beside its verdicts, a block for each comparison."""
    return [
        [
            _line((_cut(f"beside {claim.id}: {judgement.statement}", width), "dim")),
            *(
                _line(_cut(f"  {line}", width))
                for each in exhibits(judgement.evidence, _ROWS)
                for line in drawn(each)
            ),
        ]
        for claim, judgement in beside(record)
    ]


def _gate(record: RunRecord, width: int) -> list[Line]:
    gate, told = record.gate, decision.of(record)
    facts = f"policy {_cut(gate.policy, 40)}, exit status {gate.exit_status}"
    style = str(gate.state)
    lines = [
        _line(("gate ", "strong"), (words.STATE_WORDS[gate.state], style), "  ",
              (told.headline, style), (f"  {facts}", "dim")),
    ]  # fmt: skip
    paragraphs = (
        (" ".join(filter(None, (told.reason, told.then))), "plain", 3),
        (" ".join([f"{told.trade_title}:", *told.trade]) if told.trade else "", "strong", 4),
        (words.findings(record), "plain", 2),
        (" ".join(words.waivers(record)), str(Verdict.UNDECIDED), 4),
        (words.error_line(record), "dim", 2),
    )
    return lines + [
        _line((line, style))
        for text, style, most in paragraphs
        for line in _wrapped(text, min(width, _READABLE), most)
    ]


def _checks(record: RunRecord, width: int) -> list[Line]:
    """What the gain must survive: a line for each check, whatever the room."""
    return [
        _line(
            (f"  {row.verdict:<15}", str(row.verdict)),
            _cut(" ".join([f"check: {row.check.name}", *_missing(row)]), width - _VERDICT),
        )
        for row in record.gate.checks
    ]


def _missing(row: CheckRow) -> list[str]:
    return [f"({'; '.join(row.missing) or ', '.join(row.check.claims)})"]


def _diagnosis(record: RunRecord, width: int) -> list[Line]:
    """A sentence for each section."""
    said = [f"  {each.section}: {each.says}" for each in diagnosis(record.claims)]
    head = _line(("what the verdicts of each section mean together", "dim"))
    return [head, *(_line(_cut(line, width)) for line in said)] if said else []


def _claims(record: RunRecord, room: int, width: int) -> list[Line]:
    kinds = [(kind, _families(record, kind)) for kind in (Kind.GATE, Kind.FINDING)]
    several = len(benchmark_names(record)) > 1
    lines: list[Line] = []
    for kind, families in kinds:
        if not families:
            continue
        head = "gate claims" if kind is Kind.GATE else "findings, as decided among all of them"
        head += _about([claim for members in families for claim in members])
        start = width - _NUMBERS
        title = f"{_cut(head, start - 1):<{start}}estimate [{words.level(record.level)}]"
        lines.append(_line((f"{title:<{width - 9}}needs", "dim")))
        # The gate's claims may take what is left but two lines, so that findings are not mute.
        left = room - len(lines) - (2 if kind is Kind.GATE and kinds[1][1] else 0)
        fits = len(families) if len(families) <= left else max(left - 1, 0)
        fits = max(fits, _never_folded(families, kind))
        lines += [
            _by_k(members, several, width)
            if len(members) > 1
            else _claim(members[0], several, width)
            for members in families[:fits]
        ]
        if families[fits:]:
            lines.append(_line((_cut(_rest(families[fits:]), width), "dim")))
    return lines


def _never_folded(families: Sequence[Sequence[ClaimRecord]], kind: Kind) -> int:
    """How many of the first have a line whatever the room: what is refuted, or bars the gate."""
    fine = {Verdict.HOLDS} if kind is Kind.GATE else {*Verdict} - {Verdict.REFUTED}
    told = [any(claim.verdict not in fine for claim in members) for members in families]
    return len(told) - told[::-1].index(True) if True in told else 0


def _about(claims: Sequence[ClaimRecord]) -> str:
    """Which of them are about these problems and no others."""
    sampled = [claim for claim in claims if claim.p_value is not None]
    alone = dict.fromkeys(c.id for c in sampled if words.about(c.deciding))
    if not alone:
        return ""
    some = any(claim.id not in alone for claim in sampled)
    named = f"{_ascii(' '.join(alone))} " if some else ""
    return f" ({named}of these problems alone)"


def _families(record: RunRecord, kind: Kind) -> list[list[ClaimRecord]]:
    """The claims of a kind, those judged at several k together."""
    families: dict[object, list[ClaimRecord]] = {}
    for claim in for_readers(record.claims, kind):
        families.setdefault(family(claim), []).append(claim)
    return list(families.values())


def _rest(families: Sequence[Sequence[ClaimRecord]]) -> str:
    """What has no line of its own, by verdict: `and 3 more: holds W1 W2, skipped W7`."""
    by: dict[str, list[str]] = {}
    for members in families:
        verdicts = {"skipped" if claim.skipped else str(claim.verdict) for claim in members}
        by.setdefault("/".join(sorted(verdicts)), []).append(_ascii(members[0].id))
    told = ", ".join(f"{verdict} {' '.join(dict.fromkeys(ids))}" for verdict, ids in by.items())
    return f"  and {len(families)} more: {told}"


def _claim(claim: ClaimRecord, several: bool, width: int) -> Line:
    judgement = claim.deciding
    numbers = claim.reason
    if judgement is not None:
        numbers = f"{words.estimate(judgement):<24} {words.needs(judgement)}"
    verdict, room = str(claim.verdict), width - _VERDICT - _NUMBERS
    label = _label(claim, several, f"k={claim.k}" if claim.k else None)
    return _line(
        (f"  {verdict:<15}", verdict), f"{_cut(label, room - 1):<{room}}", _cut(numbers, _NUMBERS)
    )


def _by_k(claims: Sequence[ClaimRecord], several: bool, width: int) -> Line:
    """One line for a claim judged at several k: which verdict at which k."""
    at = {v: [str(c.k) for c in claims if c.verdict is v] for v in Verdict}
    parts = [(f"  {v} {','.join(ks)}", str(v)) for v, ks in at.items() if ks]
    if sum(len(text) for text, _ in parts) > width - _VERDICT - 27:
        parts = [(f"  {v} at {len(ks)} k", str(v)) for v, ks in at.items() if ks]
    taken = sum(len(text) for text, _ in parts)
    room = width - _VERDICT - taken
    label = _cut(_label(claims[0], several, None), room)
    return _line((f"  {'by k':<15}", "dim"), f"{label:<{room}}", *parts)


def _label(claim: ClaimRecord, several: bool, at: str | None) -> str:
    where = claim.benchmark if several else None
    context = ", ".join(part for part in (where, at) if part)
    what = f"{context}: {claim.text}" if context else claim.text
    return f"{_cut(claim.id, 8):<4} {what}"


def _fitting(blocks: Sequence[Sequence[Line]], room: int) -> list[Line]:
    lines: list[Line] = []
    for block in blocks:
        if len(lines) + len(block) > room:
            break
        lines += block
    return lines


def _curves(record: RunRecord, benchmark: str, width: int) -> list[Line]:
    curves = record.curves.get(benchmark, {})
    found = sorted({int(point.k) for points in curves.values() for point in points})
    ks = _spread(found, max((width - _NAME) // _COLUMN, 2))
    roles = [role for role in ("base", "rlvr", "difference") if curves.get(role)]
    if not ks or not roles:
        return []
    title = _cut(f"pass@k on {benchmark}", _NAME - 1)
    head = f"{title:<{_NAME}}" + "".join(f"{f'k={k}':>{_COLUMN}}" for k in ks)
    lines = [_line((head, "dim"))]
    for role in roles:
        points = {int(point.k): point for point in curves[role]}
        signed = role == "difference"
        for style, read in (("plain", _value), ("dim", _bounds)):
            cells = [_cell(read, points.get(k), signed) for k in ks]
            first = role if style == "plain" else ""
            row = f"  {_cut(first, _NAME - 3):<{_NAME - 2}}" + "".join(
                f"{cell:>{_COLUMN}}" for cell in cells
            )
            lines.append(_line((row, style)))
    return lines


def _crossover(record: RunRecord, benchmark: str, width: int) -> list[Line]:
    found = record.crossovers.get(benchmark)
    return [_line(f"  {line}") for line in _wrapped(found.text, width - 2, 2)] if found else []


def _cell(read: Callable[[CurvePoint], tuple[float, ...]], point: CurvePoint | None,
          signed: bool) -> str:  # fmt: skip
    if point is None:
        return "-"
    return "..".join(words.number(number, signed=signed) for number in read(point))


def _value(point: CurvePoint) -> tuple[float, ...]:
    return (point.value,)


def _bounds(point: CurvePoint) -> tuple[float, ...]:
    return point.low, point.high


def _solved(record: RunRecord, benchmark: str, width: int) -> list[Line]:
    problems = solved(record.counts.get(benchmark, {}))
    if not problems:
        return []
    counts = ", ".join(f"{n} {kind}" for kind, n in class_counts(problems).items())
    asked = len(record.counts[benchmark]["base"])
    end = " asked to the end" if len(problems) < asked else ""
    once = "once or more" if end else "correct at least once"
    said = f"of {len(problems)} problems{end}: {counts} (solved = {once})"
    return [_line(f"  {line}") for line in _wrapped(said, width - 2, 2)]


def _work(record: RunRecord, width: int) -> list[Line]:
    new = record.sampled
    took = words.duration(sum(record.seconds.values())) if record.seconds else ""
    counts = ((new.tokens, "tokens"), (new.reused, "reused"), (new.scored, "scored"))
    parts = [f"{words.count(new.completions)} completions drawn"]
    parts += [f"{words.count(number)} {what}" for number, what in counts if number]
    drawn = ", ".join([*parts, took] if took else parts)
    looks = {} if record.saving is None else record.saving.looks
    told = [words.saving(record.saving), *(f"{b}: {words.looks(of)}" for b, of in looks.items())]
    saved = _wrapped("; ".join(filter(None, told)), min(width, _READABLE), 3)
    return [_line((text, "dim")) for text in (drawn, *saved)]


def _spread(ks: Sequence[int], most: int) -> list[int]:
    if len(ks) <= most:
        return list(ks)
    step = (len(ks) - 1) / (most - 1)
    return [ks[round(index * step)] for index in range(most)]


def _line(*spans: str | tuple[str, str]) -> Line:
    styled = [(span, "plain") if isinstance(span, str) else span for span in spans]
    return tuple(Span(_ascii(text), style) for text, style in styled)


def _ascii(text: str) -> str:
    """Text as a line of a terminal holds it; signs that a plain one may lack are spelled."""
    return one_line(text, _LONGEST).translate(_SPELLED)


def _cut(text: str, width: int) -> str:
    shown = harmless(_ascii(text))
    return shown if len(shown) <= width else shown[: width - 3].rstrip() + "..."


def _wrapped(text: str, width: int, most: int) -> list[str]:
    """At most so many lines; one column is left to what makes a line harmless."""
    lines = textwrap.wrap(_ascii(text), width - 1, max_lines=most, placeholder=" ...")
    return [harmless(line) for line in lines]
