"""A child that is killed takes its processes, temporary files and shared memory with it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rlvr_gate_fixtures.processes.folders import make_folder


def comes_true(what: Callable[[], bool]) -> bool:
    for _ in range(200):
        if what():
            return True
        time.sleep(0.05)
    return False


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc to find orphans")
@pytest.mark.parametrize("ending", ["left", "guardian", "child", "parent"])
def test_nothing_is_left_however_a_child_ends(
    tmp_path: Path, child_environment: dict[str, str], ending: str
) -> None:
    script = Path(__file__).with_name("littering.py")
    parent = subprocess.Popen(
        [sys.executable, str(script), "run"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True, env={**child_environment, "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    assert parent.stdin is not None
    assert parent.stdout is not None
    try:
        told = json.loads(parent.stdout.readline())
        guardian, child, *_ = told["pids"]
        shared = Path(told["shared"])
        assert Path(told["file"]).exists()
        assert shared.exists()
        assert all(map(alive, told["pids"]))
        if ending == "left":
            parent.stdin.write("\n")
            parent.stdin.flush()
        else:
            victims = {"guardian": guardian, "child": child, "parent": parent.pid}
            os.kill(victims[ending], signal.SIGKILL)
        if ending != "parent":
            assert parent.stdout.readline() == "left\n"
        assert comes_true(lambda: not any(map(alive, told["pids"])))
        assert comes_true(lambda: not Path(told["file"]).parent.exists())
        assert not shared.exists()
    finally:
        parent.kill()
        parent.communicate()


@pytest.fixture
def child_environment() -> dict[str, str]:
    """Of a process that imports what this one imports, and this folder."""
    here = str(Path(__file__).parent)
    return {**os.environ, "PYTHONPATH": os.pathsep.join([here, *filter(None, sys.path)])}


def test_sockets_have_room_for_their_names(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    long = tmp_path / ("long" * 20)
    long.mkdir()
    with tempfile.TemporaryDirectory(dir="/tmp") as short:
        for usual, parent in ((short, short), (str(long), "/tmp")):
            monkeypatch.setattr(tempfile, "tempdir", usual)
            folder = make_folder()
            folder.rmdir()
            assert str(folder.parent) == parent
            assert len(str(folder / "01234567-0123-0123-0123-0123456789ab")) <= 107
