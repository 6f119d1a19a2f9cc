"""The Markdown summary: tables that stay tables, and nothing that acts."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from rlvr_gate.records import RunRecord
from rlvr_gate_reports import markdown

Run = Callable[..., RunRecord]


@pytest.mark.parametrize("state", ["open", "closed", "undecided", "not comparable"])
def test_it_opens_with_the_state_and_the_reason(run: Run, state: str) -> None:
    lines = markdown.render(run(state)).splitlines()
    assert lines[0].endswith(f"gate {state.upper()}")
    assert "K1 on countdown" in lines[2]


def test_every_table_row_has_as_many_cells_as_its_head(run: Run, hostile_run: RunRecord) -> None:
    for record in (run(contrast=True), hostile_run):
        tables = re.findall(r"(?:^\|.*\n)+", markdown.render(record), re.M)
        assert len(tables) >= 3
        for table in tables:
            assert len({len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}) == 1


def test_no_text_becomes_markup(hostile_run: RunRecord) -> None:
    text = markdown.render(hostile_run)
    assert "<" not in text
    assert "\x00" not in text
    assert "\u202e" not in text
    assert re.search(r"(?<!\\)`code", text) is None


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("- item", "\\- item"), ("a|b", "a\\|b"), ("pass@1", "pass@1"), ("x @1", "x \\@&#8203;1"),
        ("@team", "\\@&#8203;team"), ("see o/r#12", "see o/r\\#&#8203;12"), ("# x", "\\# x"),
        ("GH-7", "GH-&#8203;7"), ("https://x.example", "https\\://x.example"),
        ("WWW.x.example", "WWW\\.x.example"), ("::error::x", "\\::error::x"),
        ("x\ny", "x y"), ("<b>&", "&lt;b&gt;&amp;"), ("[a](b)", "\\[a\\](b)"),
    ],
)  # fmt: skip
def test_special_characters_show_as_themselves(given: str, shown: str) -> None:
    assert markdown.escape(given) == shown


def test_it_fits_a_step_summary_with_many_problems(run: Run) -> None:
    assert len(markdown.render(run(problems=500, samples=16)).encode()) < 20_000


def test_an_empty_run_is_a_document(minimal_run: RunRecord) -> None:
    assert "No claim was judged." in markdown.render(minimal_run)


def test_the_markdown_reads_as_it_did(run: Run, golden: Callable[[str, str], None]) -> None:
    golden("gate.md", markdown.render(run(contrast=True)))


NAME = "\u202e|`<&\U0001f600" * 40


@pytest.mark.parametrize("name", ["s", NAME], ids=["short", "nasty"])
def test_thousands_of_everything_fit_a_step_summary(run: Run, name: str) -> None:
    """Too large a summary is dropped whole: 20,000 strata, 5,000 claims, 60 benchmarks."""
    record = run("closed", samples=16)
    one, row = record.claims[1], record.strata["countdown"][0]
    strata = [replace(row, stratum=f"{name}{i}") for i in range(20_000)]
    names = ["countdown", *(f"{name}{i}" for i in range(60))]
    many = replace(
        record,
        claims=[replace(one, id=f"{i}{name}", text=name, source=name) for i in range(5_000)],
        strata=dict.fromkeys(names, strata),
        counts=dict.fromkeys(names, record.counts["countdown"]),
        benchmarks=[replace(b, name=n, source=name) for b in record.benchmarks for n in names],
        gate=replace(record.gate, deciding=tuple(f"{i}{name}" for i in range(5_000))),
    )
    text = markdown.render(many)
    assert len(text.encode()) <= markdown.LIMIT < 2**20
    assert text.splitlines()[0].endswith("gate CLOSED")
    assert "… and 4,700 more rows; the HTML and JSON reports have more room." in text
    assert "… and 19,700 more rows" in text
    assert re.search(r"… and \d[\d,]* more (lines|benchmarks)", text)
    assert max(map(len, text.splitlines())) < 8_000


def test_a_person_or_an_issue_is_not_called(run: Run) -> None:
    record = run(samples=16)
    claims = [replace(record.claims[0], id="@team", text="fixes #12 and GH-7 of @team/core")]
    text = html.unescape(markdown.render(replace(record, claims=claims)).replace("\\", ""))
    assert not re.search(r"(?<!\w)@\w|#\d|GH-\d", text)
