"""The HTML page as data: everything computed and worded, nothing marked up but the pictures."""

from __future__ import annotations

from dataclasses import dataclass

from rlvr_gate.records import CheckpointFacts, RunRecord
from rlvr_gate_reports import words
from rlvr_gate_reports.html.panels import benchmark_panel
from rlvr_gate_reports.html.sections import parts
from rlvr_gate_reports.html.sections.section import Material, Part
from rlvr_gate_reports.reading import PAIR, benchmark_names, checkpoints


@dataclass(frozen=True, slots=True)
class Page:
    """What the template draws: the banner, and the parts below it."""

    record: RunRecord
    state: str
    reason: str
    findings: str
    saving: str
    """What adaptive samples saved; empty where their number was fixed."""
    pair: tuple[CheckpointFacts, ...]
    parts: tuple[Part, ...]


def build(record: RunRecord) -> Page:
    """Read a record into a page."""
    panels = tuple(
        benchmark_panel(record, name, f"b{index}")
        for index, name in enumerate(benchmark_names(record))
    )
    return Page(
        record=record,
        state=words.STATE_WORDS[record.gate.state],
        reason=words.gate_reason(record),
        findings=words.findings(record),
        saving=words.used_of(record.saving),
        pair=tuple(c for c in checkpoints(record) if c.role in PAIR),
        parts=tuple(parts(Material(record, panels))),
    )
