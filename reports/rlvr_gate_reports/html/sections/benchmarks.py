"""Each benchmark: curves, solved sets, histogram."""

from __future__ import annotations

from rlvr_gate_reports.html.sections.section import Material, Part, Section


def read(material: Material) -> list[Part]:
    """A part for each benchmark."""
    return [Part(panel.anchor, panel.name, panel) for panel in material.benchmarks]


BENCHMARKS = Section("benchmark.html.j2", read)
