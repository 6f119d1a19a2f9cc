"""The sections of the page, in their order: one file and one template each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rlvr_gate_reports.html.sections.across import ACROSS
from rlvr_gate_reports.html.sections.behaviour import BEHAVIOUR
from rlvr_gate_reports.html.sections.benchmarks import BENCHMARKS
from rlvr_gate_reports.html.sections.claims import CLAIMS
from rlvr_gate_reports.html.sections.diagnosis import DIAGNOSIS
from rlvr_gate_reports.html.sections.plane import PLANE
from rlvr_gate_reports.html.sections.problems import PROBLEMS
from rlvr_gate_reports.html.sections.provenance import PROVENANCE
from rlvr_gate_reports.html.sections.section import Material, Part
from rlvr_gate_reports.html.sections.trajectory import TRAJECTORY
from rlvr_gate_reports.html.sections.ways import WAYS
from rlvr_gate_reports.html.sections.weights import WEIGHTS

SECTIONS = (
    ACROSS,
    BENCHMARKS,
    PROBLEMS,
    DIAGNOSIS,
    CLAIMS,
    BEHAVIOUR,
    WAYS,
    WEIGHTS,
    TRAJECTORY,
    PLANE,
    PROVENANCE,
)


def parts(material: Material) -> Iterator[Part]:
    """Everything that the sections have to show of a run."""
    for section in SECTIONS:
        for part in section.read(material):
            yield replace(part, template=section.template)
