"""pytest in a process of its own that need not import everything again."""

from __future__ import annotations

import gc
import os
import sys
import tempfile
import traceback
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import IO, NoReturn

import pytest

from rlvr_gate.controller import bare_record
from rlvr_gate.records import GateResult, GateState


@dataclass(frozen=True)
class Done:
    """How a process ended, and what it wrote."""

    status: int
    """As a shell sees it; negative: the signal that killed it."""
    output: str
    errors: str


def run(args: Sequence[str], folder: Path, env: Mapping[str, str]) -> Done:
    """Run `pytest args` in `folder`.

    The process is forked from this one, so imports are paid once. It shares nothing else: its
    folder, environment and standard streams are its own, and it ends without unwinding.
    """
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        child = os.fork()
        if not child:
            _become(args, folder, dict(env), output, errors)
        _, status = os.waitpid(child, 0)
        return Done(os.waitstatus_to_exitcode(status), _text(output), _text(errors))


def _import() -> None:
    """What nearly every run comes to import, and templates that it comes to compile.

    Once, before pytester takes its pictures of `sys.modules`: numpy cannot be imported again.
    """
    for module in ("stages", "recorded", "evidence.recorded"):
        import_module(f"rlvr_gate_fixtures.{module}")
    for module in ("document", "html", "junit", "markdown", "terminal"):
        import_module(f"rlvr_gate_reports.{module}")
    import_module("scipy.stats")
    html = import_module("rlvr_gate_reports.html")
    gate = GateResult(GateState.NOT_FINISHED, 12, (), "")
    html.render(bare_record(gate, (), ""))


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode("utf-8", "replace")


def _become(
    args: Sequence[str],
    folder: Path,
    env: Mapping[str, str],
    output: IO[bytes],
    errors: IO[bytes],
) -> NoReturn:
    status = 1  # of an exception that nobody caught
    gc.freeze()  # what this process has left lying about is no business of the run's
    try:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(output.fileno(), 1)
        os.dup2(errors.fileno(), 2)
        sys.stdin = sys.__stdin__ = os.fdopen(0, closefd=False)
        sys.stdout = sys.__stdout__ = os.fdopen(1, "w", closefd=False)
        sys.stderr = sys.__stderr__ = os.fdopen(2, "w", closefd=False)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(env)
        sys.argv[:] = ["pytest", *args]
        warnings.resetwarnings()
        status = int(pytest.main(list(args)))
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


_import()
