"""Files that are written whole: what fails leaves the old one, and nothing beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from rlvr_gate_fixtures.store.whole import whole


def test_it_is_there_when_all_of_it_is(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "kept.json"
    with whole(path) as scratch:
        scratch.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new"
    assert list(path.parent.iterdir()) == [path]


def test_what_fails_half_way_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "kept.json"
    path.write_text("old")

    def fail() -> None:
        with whole(path) as scratch:
            scratch.write_text("ne")
            raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
