"""Where every number comes from, and how to read and recompute it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rlvr_gate.records import CheckpointFacts
from rlvr_gate.records.plain import told
from rlvr_gate_reports import words
from rlvr_gate_reports.html.sections.section import Material, Part, Section
from rlvr_gate_reports.reading import checkpoints


@dataclass(frozen=True, slots=True)
class Provenance:
    """Beside what the record itself says."""

    checkpoints: tuple[CheckpointFacts, ...]
    """The pair first."""
    work: Mapping[str, int]
    """What the run did anew, in words."""
    beforehand: str
    errors: str
    family: str


def read(material: Material) -> list[Part]:
    """One part."""
    record = material.record
    data = Provenance(
        tuple(checkpoints(record)),
        {name.replace("_", " "): number for name, number in told(record.sampled).items()},
        words.beforehand(record) if record.samples else "",
        words.release_and_block(record),
        words.findings_family(record),
    )
    return [Part("provenance", "Provenance", data)]


PROVENANCE = Section("provenance.html.j2", read)
