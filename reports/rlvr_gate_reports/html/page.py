"""The HTML page as data: everything computed and worded, nothing marked up but the pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from rlvr_gate.records import CheckpointFacts, RunRecord
from rlvr_gate.visible import capped
from rlvr_gate_reports import words
from rlvr_gate_reports.decision import Decision, of, text
from rlvr_gate_reports.html import islands
from rlvr_gate_reports.html.islands import Island
from rlvr_gate_reports.html.panels import BenchmarkPanel, benchmark_panel
from rlvr_gate_reports.html.problems import LONGEST_NAME, TEXT_BYTES, Place, kept_characters
from rlvr_gate_reports.html.sections import parts
from rlvr_gate_reports.html.sections.section import Material, Part
from rlvr_gate_reports.reading import benchmark_names
from rlvr_gate_reports.rendering import Say, silent


@dataclass(frozen=True, slots=True)
class Page:
    """What the template draws: the banner, and the parts below it."""

    record: RunRecord
    state: str
    decision: Decision
    findings: str
    waivers: tuple[str, ...]
    """Those of the policy that are not in use, a sentence each."""
    tally: str
    """How many gate claims hold, and what became of the findings."""
    lost: Place | None
    """Of the problem of the largest loss; None where none is shown."""
    why: str
    """Anchor of the claim to read first; empty likewise."""
    summary: str
    """The decision as plain text, to be copied."""
    saving: str
    """What adaptive samples saved; empty where their number was fixed."""
    pair: tuple[CheckpointFacts, ...]
    parts: tuple[Part, ...]
    benchmarks: tuple[BenchmarkPanel, ...]
    say: Say

    def islands(self) -> Iterator[Island]:
        """What the page holds as data; made as it is written, so that it is never whole."""
        problems = [panel.problems for panel in self.benchmarks]
        keep = kept_characters(problems)
        of, done = sum(len(each.rows) for each in problems), 0
        for panel in self.benchmarks:
            say = partial(self._made, panel.name, done, of)
            yield from panel.problems.islands(keep, 1.2 * TEXT_BYTES / len(problems), say)
            done += len(panel.problems.rows)
            yield islands.plain(f"{panel.anchor}-curves", panel.numbers)

    def _made(self, benchmark: str, before: int, of: int, done: int) -> None:
        self.say(f"problems of {benchmark}", before + done, of)


def build(record: RunRecord, say: Say = silent) -> Page:
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
        waivers=tuple(words.waivers(record)),
        tally=f"{words.gate_tally(record)} {words.findings(record)}".strip(),
        lost=_lost(material, decision),
        why=material.claim_anchors.get(id(decision.why), ""),
        summary=text(record, decision),
        saving=words.used_of(record.saving),
        pair=tuple(words.pair(record)),
        parts=tuple(parts(material)),
        benchmarks=panels,
        say=say,
    )


def _lost(material: Material, decision: Decision) -> Place | None:
    if decision.lost is None:
        return None
    benchmark, problem = decision.lost
    return material.places.get((benchmark, capped(problem.problem, LONGEST_NAME)))
