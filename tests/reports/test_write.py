"""A report is written whole or not at all."""

from __future__ import annotations

import errno
import os
import resource
from pathlib import Path

import pytest

from rlvr_gate_reports.write import ReportError, write_text


def test_it_makes_folders_and_leaves_only_the_report(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b" / "gate.html"
    write_text(target, "é\n")
    assert target.read_bytes() == b"\xc3\xa9\n"
    assert os.listdir(target.parent) == ["gate.html"]


def test_lone_surrogates_are_written_as_escapes(tmp_path: Path) -> None:
    write_text(tmp_path / "gate.md", "a\ud800b")
    assert (tmp_path / "gate.md").read_bytes() == b"a\\ud800b"


def test_a_link_keeps_pointing(tmp_path: Path) -> None:
    (tmp_path / "real.json").write_text("old")
    (tmp_path / "link.json").symlink_to(tmp_path / "real.json")
    write_text(tmp_path / "link.json", "new")
    assert (tmp_path / "link.json").is_symlink()
    assert (tmp_path / "real.json").read_text() == "new"


def test_permissions_are_those_of_any_new_file(tmp_path: Path) -> None:
    write_text(tmp_path / "ours.json", "x")
    (tmp_path / "plain").write_text("x")
    assert (tmp_path / "ours.json").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_disk_that_fills_up_leaves_the_old_report(tmp_path: Path) -> None:
    target = tmp_path / "gate.html"
    target.write_text("old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(ReportError, match=r"cannot write .*gate\.html: File too large"):
            write_text(target, "x" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["gate.html"]


def test_no_space_at_the_last_moment_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ReportError, match="No space left on device; nothing was written there"):
        write_text(tmp_path / "gate.html", "x")
    assert os.listdir(tmp_path) == []


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder").mkdir()
    for target in (tmp_path / "file" / "gate.html", tmp_path / "folder"):
        with pytest.raises(ReportError, match=f"cannot write {target}: .*give a path in a folder"):
            write_text(target, "x")
    assert sorted(os.listdir(tmp_path)) == ["file", "folder"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_refused_before_the_work(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(ReportError, match="Permission denied"):
        write_text(tmp_path / "gate.html", "x")
    tmp_path.chmod(0o700)
