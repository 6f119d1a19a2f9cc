"""Which processes live, as /proc tells: looked up without the code that is to end them."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path


def descendants(leader: int) -> list[int]:
    """Everything alive below a process, whatever group it leads."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, parent, *_ = stat.read_text().rpartition(")")[2].split()
            if state != "Z":
                parents[int(stat.parent.name)] = int(parent)
    found = [leader]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found[1:]


def gone(pids: list[int], seconds: float) -> bool:
    """Whether all of them have ended within so long."""
    until = time.monotonic() + seconds
    while any(alive(pid) for pid in pids):
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
