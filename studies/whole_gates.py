"""Whole runs of the gate through the command line, for the scripts beside this one."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def command(pair: str, samples: str, store: Path, more: Sequence[str]) -> list[str]:
    """The gate on `pair` with the shipped suites."""
    return [
        sys.executable, "-m", "pytest", str(ROOT / "suites"), "-q", "-pno:cacheprovider",
        "--model-pair", pair, f"--samples={samples}", f"--sample-store={store}", *more,
    ]  # fmt: skip


def forget(store: Path) -> None:
    """Let the next gate on a store be a first judgement; what a study compares are such ones."""
    with closing(sqlite3.connect(store / "samples.sqlite")) as db, db:
        db.execute("DELETE FROM judged")


def run(pair: str, samples: str, store: Path, more: Sequence[str]) -> tuple[dict[str, Any], int]:
    """The JSON report and the exit status of a run to its end.

    Raises:
        SystemExit: it ended without a report; the message is the end of what it said.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "gate.json"
        done = subprocess.run(
            command(pair, samples, store, [f"--gate-json={out}", *more]),
            capture_output=True, text=True, cwd=ROOT, check=False,
        )  # fmt: skip
        if not out.is_file():
            raise SystemExit(
                f"a run ended with status {done.returncode}:\n{done.stdout[-2000:]}"
                f"{done.stderr[-2000:]}"
            )
        document: dict[str, Any] = json.loads(out.read_text("utf-8"))
        return document, done.returncode
