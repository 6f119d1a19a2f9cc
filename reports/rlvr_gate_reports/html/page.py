"""The HTML page as data: everything computed and worded, nothing marked up but the pictures."""

from __future__ import annotations

from dataclasses import dataclass

from rlvr_gate.records import CheckpointFacts, RunRecord
from rlvr_gate.visible import capped
from rlvr_gate_reports import words
from rlvr_gate_reports.decision import Decision, of, text
from rlvr_gate_reports.html.panels import LONGEST_NAME, benchmark_panel
from rlvr_gate_reports.html.sections import parts
from rlvr_gate_reports.html.sections.section import Material, Part
from rlvr_gate_reports.reading import benchmark_names


@dataclass(frozen=True, slots=True)
class Page:
    """What the template draws: the banner, and the parts below it."""

    record: RunRecord
    state: str
    decision: Decision
    findings: str
    lost: str
    """Anchor of the problem of the largest loss; empty where none is shown."""
    why: str
    """Anchor of the claim to read first; empty likewise."""
    summary: str
    """The decision as plain text, to be copied."""
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
    material, decision = Material(record, panels), of(record)
    return Page(
        record=record,
        state=words.STATE_WORDS[record.gate.state],
        decision=decision,
        findings=words.findings(record),
        lost=_lost(material, decision),
        why=material.claim_anchors.get(id(decision.why), ""),
        summary=text(record, decision),
        saving=words.used_of(record.saving),
        pair=tuple(words.pair(record)),
        parts=tuple(parts(material)),
    )


def _lost(material: Material, decision: Decision) -> str:
    if decision.lost is None:
        return ""
    benchmark, problem = decision.lost
    return material.anchors.get((benchmark, capped(problem.problem, LONGEST_NAME)), "")
