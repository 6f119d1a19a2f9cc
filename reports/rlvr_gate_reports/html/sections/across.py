"""Every claim on every benchmark, where there are several: the worst row first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rlvr_gate.records import ClaimRecord, Kind
from rlvr_gate_reports import words
from rlvr_gate_reports.html.sections.section import Material, Part, Section
from rlvr_gate_reports.reading import for_readers

_ROWS, _COLUMNS = 300, 50


@dataclass(frozen=True, slots=True)
class Cell:
    """One claim on one benchmark."""

    verdict: str
    estimate: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Row:
    """One claim, at one k."""

    label: str
    text: str
    first: bool
    """Whether the row above is of another claim: its text is told once."""
    kind: Kind
    cells: tuple[Cell | None, ...]
    """One for each benchmark; None where it was not asked."""


@dataclass(frozen=True, slots=True)
class Across:
    """The matrix, and what of it was left out."""

    benchmarks: tuple[str, ...]
    rows: tuple[Row, ...]
    more: int


def read(material: Material) -> list[Part]:
    """One part where claims were judged on several benchmarks."""
    claims = [c for kind in Kind for c in for_readers(material.record.claims, kind) if c.benchmark]
    names = list(dict.fromkeys(c.benchmark or "" for c in claims))
    if len(names) < 2:
        return []
    by_row: dict[tuple[str, int | None, str], dict[str, ClaimRecord]] = {}
    for claim in claims:  # in readers' order, so a row stands where its worst cell does
        by_row.setdefault((claim.id, claim.k, claim.text), {})[claim.benchmark or ""] = claim
    shown = sorted(names)[:_COLUMNS]
    anchors = material.claim_anchors
    ids = [id for id, *_ in by_row]
    rows = [
        _row(cells, shown, anchors, id != above)
        for cells, id, above in zip(list(by_row.values())[:_ROWS], ids, [None, *ids], strict=False)
    ]
    left = max(len(by_row) - _ROWS, 0) + max(len(names) - _COLUMNS, 0)
    return [Part("across", "Benchmarks", Across(tuple(shown), tuple(rows), left))]


def _row(
    cells: Mapping[str, ClaimRecord], benchmarks: Sequence[str], anchors: Mapping[int, str],
    told: bool,
) -> Row:  # fmt: skip
    first = next(iter(cells.values()))
    label = f"{first.id} at k = {first.k}" if first.k else first.id
    found = [_cell(cells[b], anchors) if b in cells else None for b in benchmarks]
    return Row(label, first.text, told, first.kind, tuple(found))


def _cell(claim: ClaimRecord, anchors: Mapping[int, str]) -> Cell:
    judgement = claim.deciding
    estimate = "" if judgement is None else words.value(judgement)
    verdict = "skipped" if claim.skipped else str(claim.verdict)
    return Cell(verdict, estimate, anchors.get(id(claim), ""))


ACROSS = Section("across.html.j2", read)
