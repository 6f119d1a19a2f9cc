"""A file as readers see it: lines, an array, a document, packed or not; and what is no file."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from rlvr_gate_fixtures.files.source import FileError, SourceFile

ROWS = [{"a": 1}, {"a": "é\u2028"}, {"b": None}]


def written(folder: Path, content: bytes, *, packed: bool = False) -> SourceFile:
    path = folder / "some.jsonl"
    path.write_bytes(gzip.compress(content) if packed else content)
    return SourceFile(path)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("newline", [b"\n", b"\r\n", b"\n\n\n"])
def test_lines_are_the_same_however_they_were_saved(
    tmp_path: Path, packed: bool, mark: bytes, newline: bytes
) -> None:
    content = mark + newline.join(json.dumps(row, ensure_ascii=False).encode() for row in ROWS)
    source = written(tmp_path, content, packed=packed)
    assert [row for _, row in source.lines()] == ROWS
    assert source.first == ROWS[0]
    assert source.array is None
    assert source.sha256 == hashlib.sha256(source.path.read_bytes()).hexdigest()


def test_a_place_is_its_line_where_an_editor_shows_it(tmp_path: Path) -> None:
    source = written(tmp_path, b'{"a": 1}\n\n\n{"a": 2}\n[3]\n')
    places = source.lines()
    assert [next(places)[0], next(places)[0]] == ["line 1", "line 4"]
    with pytest.raises(FileError, match=r"some\.jsonl, line 5: expected a JSON object, got list"):
        next(places)


def test_an_array_is_told_by_its_items(tmp_path: Path) -> None:
    source = written(tmp_path, json.dumps([*ROWS, 4], indent=1).encode())
    assert source.spread
    assert source.first == ROWS[0]
    found = source.lines()
    assert [next(found) for _ in ROWS] == [(f"item {n}", row) for n, row in enumerate(ROWS, 1)]
    with pytest.raises(FileError, match="item 4: expected a JSON object, got int"):
        next(found)


def test_a_document_over_several_lines_is_one(tmp_path: Path) -> None:
    source = written(tmp_path, json.dumps({"a": [1, 2]}, indent=2).encode())
    assert source.spread
    assert source.document == source.first == {"a": [1, 2]}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"[1, 2]", "expected a JSON object, got list"),
        (b"{", "some.jsonl: "),
        (b"[" * 100_000, "some.jsonl"),
        (b'{"a": "\xff"}', "some.jsonl: "),
    ],
)
def test_what_is_no_document_is_told_on_one_line(tmp_path: Path, content: bytes, why: str) -> None:
    with pytest.raises(FileError) as caught:
        _ = written(tmp_path, content).document
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) <= 2_000


def test_a_packed_file_that_ends_too_soon_is_not_read_as_a_whole_one(tmp_path: Path) -> None:
    whole = gzip.compress(b'{"a": 1}\n' * 10_000)
    source = SourceFile(tmp_path / "cut.jsonl.gz")
    source.path.write_bytes(whole[:-20])
    with pytest.raises(FileError, match="cannot read"):
        list(source.lines())


def pipe(path: Path) -> None:
    os.mkfifo(path)


def bound(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(path))


@pytest.mark.parametrize(
    ("make", "kind"), [(pipe, "a pipe"), (Path.mkdir, "a folder"), (bound, "a socket")]
)
def test_only_a_file_is_read_and_nobody_waits_for_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], None], kind: str
) -> None:
    monkeypatch.chdir(tmp_path)  # the name of a socket is short
    make(Path("some"))
    with pytest.raises(FileError, match=f"some is {kind}, expected a file"):
        _ = SourceFile(Path("some")).magic


def test_a_file_of_holes_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with (tmp_path / "holes").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(FileError, match="is sparse: 1099511627776 bytes"):
        _ = SourceFile(tmp_path / "holes").size


def test_text_is_bounded_and_utf8(tmp_path: Path) -> None:
    source = written(tmp_path, b"\xef\xbb\xbfna\xc3\xafve", packed=True)
    assert source.text() == "naïve"
    with pytest.raises(FileError, match="more than 4 bytes of text"):
        source.text(most=4)
    with pytest.raises(FileError, match="text: "):
        written(tmp_path, b"\xff").text()


def test_what_was_read_is_let_go_and_read_again(tmp_path: Path) -> None:
    source = written(tmp_path, b'{"a": 1}\n')
    assert source.first == {"a": 1}
    source.path.write_bytes(b'{"a": 2}\n')
    assert source.first == {"a": 1}
    source.forget()
    assert source.first == {"a": 2}
