"""A corpus is a text file: what it holds, and what is refused."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from rlvr_gate_fixtures.files.source import FileError
from rlvr_gate_fixtures.inputs import corpora


def test_a_document_a_line(tmp_path: Path) -> None:
    file = tmp_path / "some.txt"
    file.write_text("one two three four five six\nseven\n\n", "utf-8")
    found = corpora.read(file)
    assert (found.name, found.spans.count) == ("some.txt", 7)
    assert found.digest == hashlib.sha256(file.read_bytes()).hexdigest()
    assert found.index("one two three four five six") == "0.0" or float(found.index("x")) == 8
    assert float(found.index("one two three four five")) == 7  # length 5 alone is covered


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "has 0 bytes"),
        (b"\xff\xfe\x00", "is no UTF-8 text"),
        (b"\n \n", "holds no words"),
    ],
)
def test_what_is_no_corpus(tmp_path: Path, content: bytes, why: str) -> None:
    file = tmp_path / "bad.txt"
    file.write_bytes(content)
    with pytest.raises(FileError, match=why):
        corpora.read(file)


def test_bounds_and_what_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "large.txt"
    file.write_text("a b c d e f\n" * 3, "utf-8")
    monkeypatch.setattr(corpora, "MOST_WORDS", 10)
    with pytest.raises(FileError, match="more than 10 words; give a part of it"):
        corpora.read(file)
    monkeypatch.setattr(corpora, "MOST_BYTES", 20)
    with pytest.raises(FileError, match="has 36 bytes, expected 1 to 20"):
        corpora.read(file)
    with pytest.raises(FileError):
        corpora.read(tmp_path / "absent.txt")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileError, match="pipe"):
        corpora.read(tmp_path / "pipe")
