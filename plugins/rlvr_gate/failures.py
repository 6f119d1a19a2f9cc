"""What pytest says of a claim that failed, made fit to be printed: it may quote anybody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rlvr_gate.visible import for_log


def readable(longrepr: Any) -> Any:
    """The same with every text fit for a terminal, a log and JUnit XML; tracebacks in place."""
    if isinstance(longrepr, str):
        return for_log(longrepr)
    if isinstance(longrepr, tuple):  # of a skipped test
        *place, reason = longrepr
        return (*place, for_log(reason))
    if isinstance(told := getattr(longrepr, "longrepr", None), str):  # of a file
        longrepr.longrepr = for_log(told)
    for traceback, crash in _parts(longrepr):
        for entry in getattr(traceback, "reprentries", ()):
            for part in (entry, getattr(entry, "reprlocals", None)):
                if part is not None:
                    part.lines = [for_log(line) for line in part.lines]
            if (end := getattr(entry, "reprfileloc", None)) is not None:
                end.message = for_log(end.message)
        if crash is not None:
            crash.message = for_log(crash.message)
    return longrepr


def _parts(longrepr: Any) -> Iterator[tuple[Any, Any]]:
    """(traceback, where it crashed) of an exception and of those that it came from."""
    chain = getattr(longrepr, "chain", None)
    if chain is not None:
        yield from ((traceback, crash) for traceback, crash, _ in chain)
    elif hasattr(longrepr, "reprtraceback"):
        yield longrepr.reprtraceback, longrepr.reprcrash
