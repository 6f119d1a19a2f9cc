"""pytest in a process of its own that need not import everything again."""

from __future__ import annotations

import os
import sys
import traceback
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import pytest


def run(args: Sequence[str], folder: Path, env: Mapping[str, str], output: Path) -> int:
    """The exit status of `pytest args` in `folder`, as a shell would see it; negative: a signal.

    The process is forked from this one, so imports are paid once. It shares nothing else: its
    folder, environment and standard streams are its own, and it ends without unwinding.
    """
    child = os.fork()
    if not child:
        _become(args, folder, env, output)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def _become(args: Sequence[str], folder: Path, env: Mapping[str, str], output: Path) -> NoReturn:
    status = 1  # of an exception that nobody caught
    try:
        with output.open("wb") as file:
            for stream in (1, 2):
                os.dup2(file.fileno(), stream)
        sys.stdout = os.fdopen(1, "w", closefd=False)
        sys.stderr = os.fdopen(2, "w", closefd=False)
        sys.__stdout__, sys.__stderr__ = sys.stdout, sys.stderr
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
