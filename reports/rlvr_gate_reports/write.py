"""Write a report whole or not at all."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


class ReportError(OSError):
    """A report cannot be written; the message says where, why and what to do."""


def check_writable(path: Path) -> None:
    """Try, before the work, whether `write_text` could put a file there; leaves nothing behind.

    Raises:
        ReportError: the folder cannot be written, or `path` is a folder.
    """
    target = Path(os.path.realpath(path))
    folder = next((f for f in target.parents if f.exists()), target.parent)
    probe = _part(folder / target.name)
    try:
        if target.is_dir():
            raise IsADirectoryError(None, "it is a folder")
        probe.touch()
    except OSError as error:
        raise _failure(path, error) from error
    finally:
        _remove(probe)


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8 beside `path`, then put it in place in one step.

    A reader sees the old file or the new one, never a part. Missing folders are made.

    Raises:
        ReportError: the folder cannot be written, the disk is full, or `path` is a folder.
    """
    target = Path(os.path.realpath(path))
    part = _part(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            file.write(text.encode("utf-8", "backslashreplace"))
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    except OSError as error:
        raise _failure(path, error) from error
    finally:
        _remove(part)


def _part(target: Path) -> Path:
    return target.with_name(f".{target.name[:64]}.{os.getpid()}.part")


def _failure(path: Path, error: OSError) -> ReportError:
    return ReportError(
        f"cannot write {path}: {error.strerror or error}; nothing was written there, "
        f"give a path in a folder that can be written and has room"
    )


def _remove(part: Path) -> None:
    with contextlib.suppress(OSError):
        part.unlink()
