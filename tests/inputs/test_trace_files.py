"""Files of others' solutions: what a line is, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rlvr_gate_fixtures.files.source import FileError
from rlvr_gate_fixtures.inputs import traces
from rlvr_gate_fixtures.inputs.traces import Trace


def written(path: Path, *lines: object) -> Path:
    path.write_text("\n".join(map(json.dumps, lines)), "utf-8")
    return path


def test_each_solution_once_and_the_file_s_digest(tmp_path: Path) -> None:
    one, two = {"id": "p1", "text": "a"}, {"id": 2, "text": "b", "more": 1}
    found, digest = traces.read(written(tmp_path / "t.jsonl", one, two, one))
    assert found == (Trace("p1", "a"), Trace("2", "b"))
    assert len(digest) == 64


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"id": "p1"}, "line 1: expected"),
        ({"id": True, "text": "a"}, "line 1: expected"),
        ({"id": "p1", "text": "  "}, "1 to 200,000 characters, this has 2"),
        ({"id": "p1", "text": "x" * 200_001}, "this has 200,001"),
    ],
)
def test_what_is_no_solution_is_refused(tmp_path: Path, line: object, said: str) -> None:
    with pytest.raises(FileError, match=said):
        traces.read(written(tmp_path / "t.jsonl", line))


def test_an_empty_file_and_one_that_holds_too_much_are_refused(
    tmp_path: Path, monkeypatch
) -> None:
    with pytest.raises(FileError, match="is empty"):
        traces.read(written(tmp_path / "t.jsonl"))
    monkeypatch.setattr(traces, "MOST", 1)
    lines = [{"id": str(i), "text": "a"} for i in range(2)]
    with pytest.raises(FileError, match="more than 1 solutions"):
        traces.read(written(tmp_path / "t.jsonl", *lines))
