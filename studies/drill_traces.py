"""What a drill leaves behind: processes, listening ports, shared memory, temporary files (Linux).

Whatever loses its parent becomes a child of this process, so that no orphan escapes the count.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36
_LISTENING = "0A"
_SHARED = Path("/dev/shm")
_PATIENCE = 20  # seconds for the last process to end


def descendants(pid: int) -> list[int]:
    """Living processes that a process has started, and those that they started."""
    with subprocess.Popen(
        ["ps", "-eo", "pid=,ppid=,stat="], stdout=subprocess.PIPE, text=True
    ) as listing:
        rows = [line.split() for line in listing.communicate()[0].splitlines()]
    living = [
        (int(child), int(parent))
        for child, parent, state in rows
        if state[0] != "Z" and int(child) != listing.pid
    ]
    family, before = {pid}, 0
    while len(family) > before:
        before = len(family)
        family |= {child for child, parent in living if parent in family}
    return sorted(family - {pid})


def command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ").strip()
    except OSError:
        return ""


class Traces:
    """Counts from its making on.

    Args:
        temporary: an empty folder, where everything started from now on keeps temporary files.
    """

    def __init__(self, temporary: Path) -> None:
        self._temporary, self._shared = temporary, set[str]()
        os.environ["TMPDIR"] = str(temporary)
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
        self._ours_before = set(descendants(os.getpid()))
        self._ports_before = _ports()

    def look(self) -> None:
        """Note the shared memory that is ours now, and no longer can be told to be afterwards."""
        for pid in descendants(os.getpid()):
            self._shared |= _mapped(pid)

    def left(self) -> list[tuple[str, list[str]]]:
        """(kind, names) of what is there after everything should have ended."""
        until = time.monotonic() + _PATIENCE
        while (ours := self._processes()) and time.monotonic() < until:
            time.sleep(0.2)
        files = sorted(p for p in self._temporary.rglob("*") if not p.is_dir())
        kinds = Counter(_kind(p.relative_to(self._temporary)) for p in files)
        return [
            ("processes", [command_line(pid)[:80] or str(pid) for pid in ours]),
            (
                "new listening ports, of anybody on this machine",
                sorted(map(str, _ports() - self._ports_before)),
            ),
            ("shared memory", sorted(n for n in self._shared if (_SHARED / n).exists())),
            ("temporary files", [f"{count} {kind}" for kind, count in sorted(kinds.items())]),
        ]

    def sweep(self) -> None:
        """Remove the shared memory that was left."""
        for name in self._shared:
            (_SHARED / name).unlink(missing_ok=True)

    def _processes(self) -> list[int]:
        return sorted(set(descendants(os.getpid())) - self._ours_before)


def _kind(path: Path) -> str:
    """Its folder, or the letters its name begins with; sockets have random names."""
    if len(path.parts) > 1:
        return f"{path.parts[0]}/"
    return "sockets and the like" if path.name.count("-") == 4 else path.name.partition("_")[0]


def _ports() -> set[int]:
    """TCP ports on which anybody listens."""
    lines = [
        line.split()
        for table in ("/proc/net/tcp", "/proc/net/tcp6")
        if Path(table).exists()
        for line in Path(table).read_text().splitlines()[1:]
    ]
    return {int(line[1].rpartition(":")[2], 16) for line in lines if line[3] == _LISTENING}


def _mapped(pid: int) -> set[str]:
    try:
        lines = Path(f"/proc/{pid}/maps").read_text().splitlines()
    except OSError:
        return set()
    found = {line.partition(f"{_SHARED}/")[2] for line in lines if f"{_SHARED}/" in line}
    return {name for name in found if not name.endswith("(deleted)")}
