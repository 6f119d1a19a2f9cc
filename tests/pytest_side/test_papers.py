"""Every shipped claim says what its paper found, whose the threshold is, and which version."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from rlvr_gate import Paper, claim
from rlvr_gate.gate import wire
from rlvr_gate.records import ClaimRecord, Kind, Verdict

SUITES = Path(__file__).parents[2] / "suites"
PAPER = re.compile(r"arXiv:\d{4}\.\d{5}")
VERSION = re.compile(r"arXiv:\d{4}\.\d{5}(v\d+\b| \(version not noted\))")


def shipped() -> list[dict[str, object]]:
    found = []
    for file in sorted(SUITES.glob("*/test_*.py")):
        tests = runpy.run_path(str(file)).items()
        marks = [m for name, t in tests if name.startswith("test_") for m in t.pytestmark]
        found += [dict(mark.kwargs) for mark in marks if mark.name == "claim"]
    return found


SHIPPED = shipped()


def test_they_are_all_here() -> None:
    assert len(SHIPPED) >= 24


@pytest.mark.parametrize("said", SHIPPED, ids=lambda said: said["id"])
def test_it_says_what_its_paper_found(said) -> None:
    paper, source = said["paper"], said["source"]
    assert isinstance(paper, Paper)
    texts = f"{source} {paper.said} {paper.differs}"
    assert len(VERSION.findall(texts)) == len(PAPER.findall(texts)), "which version?"
    assert PAPER.search(source) or source.startswith("ours"), "from which paper?"
    numbered = bool(said["margin"] or said["bound"])
    assert not (numbered and paper.threshold == "none"), "whose number is it?"
    assert not (source.startswith("ours") and paper.found == "holds")


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"found": "perhaps"}, "found is one of holds, contradicts, silent"),
        ({"threshold": "mine"}, "threshold is one of"),
        ({"said": "  "}, "in a sentence what was reported"),
        ({"differs": None}, "differs is a sentence"),
    ],
)
def test_a_word_that_is_none_is_refused(said, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Paper(**{"found": "holds", "said": "so it is", **said})


def test_a_claim_takes_nothing_else_for_a_paper() -> None:
    with pytest.raises(ValueError, match=r"paper is a rlvr_gate\.Paper"):
        claim("x rises", id="MY1", paper="arXiv:1234.56789")  # type: ignore[arg-type]


def test_it_crosses_workers() -> None:
    paper = Paper(found="contradicts", said="it falls", threshold="ours", differs="T .6")
    record = ClaimRecord(
        "K", "t", "s", Kind.FINDING, "n", None, None, 0.0, Verdict.HOLDS, (), paper=paper
    )
    assert wire.from_properties([wire.whole(record)]) == record
