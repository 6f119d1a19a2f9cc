"""The Markdown summary: tables that stay tables, and nothing that acts."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from rlvr_gate.records import RunRecord
from rlvr_gate_reports import markdown

Run = Callable[..., RunRecord]


@pytest.mark.parametrize("state", ["open", "closed", "undecided", "not comparable"])
def test_it_opens_with_the_state_and_the_reason(run: Run, state: str) -> None:
    lines = markdown.render(run(state)).splitlines()
    assert lines[0].endswith(f"Gate {state.upper()}")
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
        ("- item", "\\- item"), ("a|b", "a\\|b"), ("@team", "\\@team"), ("pass@1", "pass@1"),
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
