"""Every problem of a benchmark, with a few completions."""

from __future__ import annotations

from rlvr_gate_reports.html.sections.section import Material, Part, Section


def read(material: Material) -> list[Part]:
    """A part for each benchmark that has problems to show."""
    several = len(material.benchmarks) > 1
    return [
        Part(f"{b.anchor}-problems", f"Problems of {b.name}" if several else "Problems", b)
        for b in material.benchmarks
        if b.problems.rows
    ]


PROBLEMS = Section("problems.html.j2", read)
