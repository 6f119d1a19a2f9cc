"""Which file an output may replace: one of its own, which the run does not read."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

_ENDS = 1 << 16
_MARKS = {
    "--gate-json": rb'^\{\s*"schema": "rlvr-gate/',
    "--gate-report": rb"<title>Gate ",
    "--gate-summary": rb"^# [^\n]*: gate [A-Z ]+\n",
    "--junit-xml": rb'<testsuite name="rlvr-gate"',
}
"""What stands near the start or the end of every file that we have written, by option."""


def misplaced(targets: Mapping[str, Path], inputs: Iterable[Path]) -> str:
    """Why these outputs cannot be written where they are to go; empty where they can.

    Args:
        targets: option -> file.
        inputs: what the run reads, as far as the command line names it.
    """
    places = {option: os.path.realpath(target) for option, target in targets.items()}
    read = {os.path.realpath(path) for path in inputs}
    for place in places.values():
        if list(places.values()).count(place) > 1:
            return f"two outputs go to {place}: give each a file of its own"
    for option, place in places.items():
        if os.path.isfile(place) and (place in read or place.endswith(".py")):
            return f"{option}: {targets[option]} is read by this run, and would be overwritten"
    return ""


def named(args: Sequence[str]) -> dict[str, Path]:
    """Option -> file, as far as a command line tells that could not be read.

    >>> named(["--samples=0", "--gate-json=a.json"])
    {'--gate-json': PosixPath('a.json')}
    """
    found = {}
    for arg, after in zip(args, [*args[1:], ""], strict=True):
        option, equals, value = arg.replace("--junitxml", "--junit-xml").partition("=")
        value = value if equals else after
        if option in _MARKS and value and not value.startswith("-"):
            found[option] = Path(value).expanduser()
    return found


def is_ours(option: str, path: Path) -> bool:
    """Whether a file is such an output of an earlier run."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        start = file.read(_ENDS)
        file.seek(max(path.stat().st_size - _ENDS, 0))
        return re.search(_MARKS[option], start + file.read(_ENDS)) is not None
