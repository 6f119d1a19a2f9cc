"""Tests mirror the rooms: whoever looks for the tests of a module finds their folder."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"
NO_ROOM = {
    "docs": "pages, and the tree itself",
    "pytest_side": "modules at the top of a room: plugins, options, progress",
    "whole_runs": "runs through pytest, all rooms together",
}


def folders(package: Path) -> set[str]:
    """Names of the folders of modules in it."""
    return {each.parent.name for each in package.glob("*/__init__.py")}


JUDGE, MEASURING = ROOT / "plugins" / "rlvr_gate", ROOT / "fixtures" / "rlvr_gate_fixtures"
KINDS = {f"measurements/{kind}" for kind in folders(MEASURING / "measurements")}
ROOMS = {*folders(JUDGE), *folders(MEASURING), *KINDS, "reports", "miniatures", "smollm2"}


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_every_folder_of_modules_has_its_folder_of_tests(room: str) -> None:
    assert list((TESTS / room).rglob("test_*.py"))


def test_every_folder_of_tests_has_its_room_or_its_reason() -> None:
    known = {name.split("/")[0] for name in ROOMS} | NO_ROOM.keys()
    assert {each.parent.name for each in TESTS.glob("*/test_*.py")} <= known


def test_every_test_stands_in_a_folder() -> None:
    assert not list(TESTS.glob("test_*.py"))


def test_rooms_do_not_share_a_name() -> None:
    """Else one folder of tests would hide that the other has none."""
    assert not folders(JUDGE) & folders(MEASURING)
    assert len(KINDS) >= 3
