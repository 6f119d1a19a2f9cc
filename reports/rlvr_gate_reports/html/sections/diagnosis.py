"""What the run says: a sentence for each section of the suites, and the policy's checks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rlvr_gate.gate.checks import rows
from rlvr_gate.gate.decide import name
from rlvr_gate.gate.diagnosis import diagnosis
from rlvr_gate.gate.policy import load_policy
from rlvr_gate.records import CheckRow, ClaimRecord, Diagnosis
from rlvr_gate_reports import words
from rlvr_gate_reports.html.sections.section import Material, Part, Section


@dataclass(frozen=True, slots=True)
class Asked:
    """A claim of a check, and where the page shows it."""

    label: str
    numbers: str
    verdict: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Check:
    """One row of the table of checks."""

    name: str
    verdict: str
    claims: tuple[Asked, ...]
    missing: str


@dataclass(frozen=True, slots=True)
class Said:
    """The section."""

    policy: str
    decides: bool
    """Whether that policy decided; else its checks are shown as far as this run asked them."""
    checks: tuple[Check, ...]
    sentences: tuple[Diagnosis, ...]


def read(material: Material) -> list[Part]:
    """One part where claims were judged, or a policy asks for checks."""
    record = material.record
    sentences = diagnosis(record.claims)
    own = bool(record.gate.checks)
    found = record.gate.checks if own else _of_the_real_one(record.claims)
    checks = tuple(_check(row, material) for row in found)
    if not (sentences or checks):
        return []
    policy = record.gate.policy if own else REAL
    return [Part("diagnosis", "Diagnosis", Said(policy, own, checks, sentences))]


REAL = "real"
"""The shipped policy that asks whether a gain is real."""


def _of_the_real_one(claims: Sequence[ClaimRecord]) -> tuple[CheckRow, ...]:
    """Its checks, whatever decided; none where no claim of them was judged."""
    asked = rows(load_policy(REAL).checks, claims)
    judged = {claim.id for claim in claims if claim.judgements}
    return asked if any(judged.intersection(row.check.claims) for row in asked) else ()


def _check(row: CheckRow, material: Material) -> Check:
    claims = [c for c in material.record.claims if c.id in row.check.claims and c.judgements]
    asked = tuple(_asked(claims, material))
    return Check(row.check.name, str(row.verdict), asked, "; ".join(row.missing))


def _asked(claims: Sequence[ClaimRecord], material: Material) -> Iterator[Asked]:
    for claim in claims:
        numbers = "" if claim.deciding is None else words.estimate(claim.deciding)
        anchor = material.claim_anchors.get(id(claim), "")
        yield Asked(name(claim), numbers, str(claim.verdict), anchor)


DIAGNOSIS = Section("diagnosis.html.j2", read)
