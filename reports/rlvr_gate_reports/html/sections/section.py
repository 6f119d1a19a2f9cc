"""What a section of the page is: a function that reads the run, and a template."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from rlvr_gate.gate.decide import name
from rlvr_gate.records import Kind, RunRecord
from rlvr_gate_reports import words
from rlvr_gate_reports.html.panels import BenchmarkPanel
from rlvr_gate_reports.html.problems import Place, places
from rlvr_gate_reports.reading import for_readers

SHOWN_CLAIMS = 1_000
"""Of one kind; the JSON has them all."""


@dataclass(frozen=True, slots=True)
class Material:
    """What sections are made from: the run's record, and what several of them share."""

    record: RunRecord
    benchmarks: tuple[BenchmarkPanel, ...]

    @property
    def claim_anchors(self) -> Mapping[int, str]:
        """`id` of a claim's record -> where the page shows it: `claim-k1-on-countdown`."""
        found: dict[str, int] = {}
        for kind in Kind:
            for claim in for_readers(self.record.claims, kind)[:SHOWN_CLAIMS]:
                said = f"claim-{words.slug(name(claim)[:80])}"
                found[f"{said}-{len(found)}" if said in found else said] = id(claim)
        return {claim: anchor for anchor, claim in found.items()}

    @property
    def places(self) -> Mapping[tuple[str, str], Place]:
        """(benchmark, problem id) -> where the page shows it."""
        found = ((b.name, places(b.problems)) for b in self.benchmarks)
        return {(name, id): place for name, of in found for id, place in of.items()}


@dataclass(frozen=True, slots=True)
class Part:
    """One entry of the page's contents, and what its template reads as `part.data`."""

    anchor: str
    """Id of the element that the template makes of it."""
    title: str
    data: object
    template: str = ""
    """Set by the section."""


@dataclass(frozen=True, slots=True)
class Section:
    """A section: none, one or several parts, all drawn by one template."""

    template: str
    read: Callable[[Material], Iterable[Part]]
