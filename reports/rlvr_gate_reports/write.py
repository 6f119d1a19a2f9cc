"""Write a report whole or not at all."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path


class ReportError(OSError):
    """A report cannot be written; the message says where, why and what to do."""


def write_text(path: Path, text: str | Iterable[str]) -> None:
    """Write `text`, whole or in pieces, as UTF-8 beside `path`, then put it in place in one step.

    A reader sees the old file or the new one, never a part. Missing folders are made.

    Raises:
        ReportError: the folder cannot be written, the disk is full, or `path` is no file that
            can be replaced: a folder, a device, a pipe, what this process prints to.
    """
    target = Path(os.path.realpath(path))
    part = target.with_name(f".{target.name[:64]}.{os.getpid()}.part")
    try:
        _check(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            for piece in [text] if isinstance(text, str) else text:
                file.write(piece.encode("utf-8", "backslashreplace"))
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    except OSError as error:
        raise _failure(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def _check(path: Path) -> None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(None, "it is a folder")
    if not stat.S_ISREG(found.st_mode) or not found.st_nlink or _printed_to(found):
        raise OSError(None, "it is no file that can be replaced whole")


def _printed_to(found: os.stat_result) -> bool:
    for stream in (1, 2):
        with contextlib.suppress(OSError):
            if os.path.samestat(found, os.fstat(stream)):
                return True
    return False


def _failure(path: Path, error: OSError) -> ReportError:
    return ReportError(
        f"cannot write {path}: {error.strerror or error}; nothing was written there, "
        f"give a path in a folder that can be written and has room"
    )
