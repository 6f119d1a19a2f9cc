"""How the checkpoints answer: methods, tokens, surprise, variety; drawn from what claims show.

Which claim belongs where is said by the file its test lies in, so that a suite of the user's own
that is put beside ours is drawn with them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rlvr_gate.gate.decide import name
from rlvr_gate.gate.diagnosis import diagnosis
from rlvr_gate.records import ClaimRecord, Evidence, Judgement, Kind
from rlvr_gate_reports import words
from rlvr_gate_reports.html.evidence import Block, Link, blocks
from rlvr_gate_reports.html.sections.section import Material, Part, Section
from rlvr_gate_reports.reading import for_readers

_WAYS: Mapping[str, tuple[str, ...]] = {
    "Methods and arithmetic": (
        "spurious/test_control",
        "robustness/test_calculator",
        "robustness/test_clean",
    ),
    "Tokens": ("tokens/",),
    "Surprise and entropy": ("likelihood/",),
    "Different answers": ("diversity/",),
}
"""What is asked of a checkpoint's answers -> folders and files of its suites."""
_CLAIMS, _ROWS = 12, 8  # of a way; the claims' own entries and the JSON have more


@dataclass(frozen=True, slots=True)
class Shown:
    """A claim, where the page judges it, and what stands beside it."""

    label: str
    text: str
    verdict: str
    numbers: str
    anchor: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Way:
    """What was asked of the answers, one thing of several."""

    title: str
    said: tuple[str, ...]
    """The diagnoses that rest on its claims."""
    claims: tuple[Shown, ...]
    more: int
    """Claims left out."""


def read(material: Material) -> list[Part]:
    """One part where a claim about behaviour was judged."""
    ways = tuple(_ways(material))
    return [Part("behaviour", "Behaviour", ways)] if ways else []


def _ways(material: Material) -> Iterator[Way]:
    record = material.record
    claims = [c for kind in Kind for c in for_readers(record.claims, kind) if c.judgements]
    said, anchors = diagnosis(record.claims), material.claim_anchors
    for title, files in _WAYS.items():
        own = [claim for claim in claims if any(file in claim.nodeid for file in files)]
        ids = {claim.id for claim in own}
        told = tuple(each.says for each in said if ids.intersection(each.rests_on))
        if own:
            shown = _shown(own[:_CLAIMS], anchors)
            yield Way(title, told, tuple(shown), max(len(own) - _CLAIMS, 0))


def _shown(claims: Sequence[ClaimRecord], anchors: Mapping[int, str]) -> Iterator[Shown]:
    """Each with its exhibits; what several of them show alike is drawn once."""
    seen: set[Block] = set()
    for claim in claims:
        found = [b for j in claim.judgements for b in _drawn(j) if b not in seen]
        seen.update(found)
        numbers = "" if claim.deciding is None else words.estimate(claim.deciding)
        anchor = anchors.get(id(claim), "")
        yield Shown(name(claim), claim.text, str(claim.verdict), numbers, anchor, tuple(found))


def _drawn(judgement: Judgement) -> Iterator[Block]:
    """Both sides and exhibits: what else stands beside a verdict is at the claim itself."""
    told = Evidence(sides=judgement.evidence.sides, exhibits=judgement.evidence.exhibits)
    return (b for b in blocks(told, Link, _ROWS) if b.title)


BEHAVIOUR = Section("behaviour.html.j2", read)
