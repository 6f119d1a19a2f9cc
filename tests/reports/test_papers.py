"""What a claim's paper found stands beside its verdict, in every report."""

from __future__ import annotations

from dataclasses import replace

import jsonschema
import pytest

from rlvr_gate.records import Paper
from rlvr_gate_reports import html, markdown, words
from rlvr_gate_reports.document import schema, to_document

PAPER = Paper("contradicts", "it falls by <9> points", "ours", "T .6, top_p .95")  # type: ignore[arg-type]


@pytest.fixture
def told(run):
    record = run()
    return replace(record, claims=[replace(c, paper=PAPER) for c in record.claims])


def test_the_page_shows_it_as_text(told) -> None:
    page = html.render(told)
    assert "the contrary is found there. Reported: it falls by &lt;9&gt; points." in page
    assert "Threshold: ours." in page
    assert "Otherwise there: T .6, top_p .95." in page


def test_the_summary_says_it_in_a_word(told) -> None:
    assert "the contrary is found there" in markdown.render(told)


def test_the_document_has_it_as_its_schema_says(told) -> None:
    document = to_document(told)
    jsonschema.validate(document, schema())
    assert document["claims"][0]["paper"]["found"] == "contradicts"


def test_a_claim_that_tells_nothing_shows_its_source_alone(run) -> None:
    record = run()
    assert [words.paper(c) for c in record.claims] == [()] * len(record.claims)
    assert words.source(record.claims[0]) == record.claims[0].source
