"""Texts that are only read: benchmarks' prompts, or lines; enough of them, and not too many."""

from __future__ import annotations

from pathlib import Path

import pytest

from rlvr_gate_fixtures.inputs import texts


def lines(path: Path, count: int) -> str:
    path.write_text("\n\n".join(f"  line {i} " for i in range(count)), "utf-8")
    return str(path)


def test_lines_of_a_file_each_once_without_empty_ones(tmp_path: Path) -> None:
    one = lines(tmp_path / "a.txt", 60)
    assert texts.load([one, one]) == tuple(f"line {i}" for i in range(60))


def test_prompts_of_a_benchmark(tmp_path: Path) -> None:
    assert len(texts.load(["chain_sum"], tmp_path)) >= texts.FEWEST


def test_of_more_than_are_read_some_of_all_parts(tmp_path: Path) -> None:
    found = texts.load([lines(tmp_path / "a.txt", 1000)])
    assert len(found) == texts.MOST
    assert (found[0], found[-1]) == ("line 0", "line 997")


def test_what_cannot_be_used_is_refused(tmp_path: Path) -> None:
    with pytest.raises(texts.TextsError, match=r"needs 40 texts or more, .*few\.txt has 39"):
        texts.load([lines(tmp_path / "few.txt", 39)])
    with pytest.raises(texts.TextsError, match="cannot be read as lines of UTF-8"):
        texts.load([str(tmp_path / "none.txt")])
    (tmp_path / "bytes.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(texts.TextsError, match="cannot be read as lines of UTF-8"):
        texts.load([str(tmp_path / "bytes.txt")])
    with pytest.raises(ValueError, match="unknown benchmark"):
        texts.load(["chain_sums"])


def test_a_file_that_is_too_long_is_not_read(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(texts, "_BYTES", 10)
    with pytest.raises(texts.TextsError, match="give a part"):
        texts.load([lines(tmp_path / "a.txt", 60)])
