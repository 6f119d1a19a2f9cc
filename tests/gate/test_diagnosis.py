"""Diagnosis: sentences follow from verdicts alone, and from no more than are in."""

from __future__ import annotations

from pathlib import Path

import pytest

from rlvr_gate.gate.diagnosis import DIFFERS, SENTENCES, diagnosis, verdicts
from rlvr_gate.records import ClaimRecord, Interval, Judgement, Kind, Verdict

SUITES = Path(__file__).resolve().parents[2] / "suites"
WORDS = [str(verdict) for verdict in Verdict]


def claim(id: str, word: str, on: str = "b", estimate: float = 0.0) -> ClaimRecord:
    verdict = Verdict(word)
    judged = Judgement("", verdict, estimate, Interval(-9, 9, 0.95), 0, ">", on, 1, 8)
    return ClaimRecord(id, "t", "", Kind.FINDING, f"n::{id}{on}", on, None, 0.0, verdict,
                       (judged,))  # fmt: skip


def said(**words: str) -> dict[str, str]:
    claims = [claim(id.replace("_", "-"), word) for id, word in words.items()]
    return {each.section: each.says for each in diagnosis(claims)}


@pytest.mark.parametrize(
    ("section", "n"), [(s, n) for s, rules in SENTENCES.items() for n in range(len(rules))]
)
def test_every_sentence_is_said_where_its_verdicts_are_and_nowhere_else(
    section: str, n: int
) -> None:
    needs, says = SENTENCES[section][n]
    found = diagnosis([claim(id, word) for id, word in needs.items()])
    assert [(each.section, each.says) for each in found] == [(section, says)]
    for id in needs:  # one verdict changed, to any other word
        for word in set(WORDS) - {needs[id]}:
            other = diagnosis([claim(i, word if i == id else w) for i, w in needs.items()])
            assert says not in [each.says for each in other]


def test_undecided_says_which_and_an_unasked_section_says_nothing() -> None:
    assert said(K16="undecided", K6="refuted") == {"coverage": "open: K16 undecided, K6 refuted"}
    assert said() == {}


def test_benchmarks_that_differ_make_no_sentence() -> None:
    claims = [claim("K1", "holds"), claim("K1", "refuted", "c"), claim("K2", "holds")]
    assert verdicts(claims, {"K1", "K2"}) == {"K1": DIFFERS, "K2": "holds"}
    assert diagnosis(claims)[0].says.startswith("open: K1 not the same everywhere")


def test_what_was_skipped_or_raised_is_no_verdict() -> None:
    whole = claim("K1", "holds")
    raised = ClaimRecord(*(getattr(whole, name) for name in whole.__slots__[:10]), broken=True)
    skipped = ClaimRecord("K2", "t", "", Kind.FINDING, "n", "b", None, 0.0, Verdict.UNDECIDED, (),
                          skipped=True)  # fmt: skip
    assert diagnosis([raised, skipped]) == ()


def test_no_number_is_read() -> None:
    """The same verdicts with any estimate give the same sentences."""
    texts = {
        diagnosis([claim("K1", "holds", estimate=e), claim("K2", "holds", estimate=e)])
        for e in (-5.0, 0.0, 5.0)
    }
    assert len(texts) == 1
    assert "re-weights" in next(iter(texts))[0].says


def test_sections_are_the_folders_of_the_suites() -> None:
    assert set(SENTENCES) <= {folder.name for folder in SUITES.iterdir()} | {"robustness"}
