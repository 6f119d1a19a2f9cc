"""Fault drill: break real runs at random moments, run the same command again, compare the end.

    python benchmarks/drill.py --faults 20 --samples 64

Runs of the gate on the shipped pair are ended, one after the other, by `kill -9` of pytest, by
`kill -9` of the backend's child, by Ctrl-C, and (as root on Linux) by a full disk under the sample
store; each next run resumes what the last one left. When that many faults have been survived, the
last run finishes undisturbed, and its counts must equal those of a run that nothing disturbed:
every planned sample exactly once, none drawn again that was stored, no process left behind.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import whole_gates

PAIR = "base,rlvr"
CHILD = "rlvr_gate_fixtures.backends."


def main() -> int:
    options = _options()
    rng = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        calm, broken = Path(folder) / "calm", Path(folder) / "broken"
        whole = undisturbed(calm, options)
        print(f"undisturbed: {whole['run']['sampled']['completions']:,} completions")
        wanted, survived, lost = whole["run"]["sampled"]["completions"], 0, 0
        while survived < options.faults:
            before = stored(broken)
            if before == wanted:  # all drawn before the drill was over: begin anew
                shutil.rmtree(broken)
                continue
            fault = rng.choice(faults())
            after, left, status = survive(fault, broken, rng.uniform(0.1, 3.0), options)
            lost += max(0, before - after)
            if status == 0:
                continue  # it was done before the fault came
            survived += 1
            print(f"{survived:3} {fault:<16} status {status:4}  stored {before:6,} -> {after:6,}"
                  f"  processes left {left}", flush=True)  # fmt: skip
            lost += left
        final = undisturbed(broken, options)
    again = final["run"]["sampled"]
    same = final["counts"] == whole["counts"] and final["claims"] == whole["claims"]
    once = again["completions"] + again["reused"] == wanted
    print(f"last run drew {again['completions']:,} and found {again['reused']:,}; counts and "
          f"claims equal: {same}; every sample once: {once}; lost: {lost}")  # fmt: skip
    return 0 if same and once and not lost else 1


def faults() -> list[str]:
    """Those this machine can stage."""
    known = ["kill -9 pytest", "kill -9 child", "Ctrl-C"]
    return [*known, "disk full"] if sys.platform == "linux" and os.geteuid() == 0 else known


def undisturbed(store: Path, options: argparse.Namespace) -> dict[str, Any]:
    """A run to its end."""
    return whole_gates.run(PAIR, options.samples, store, arguments(options))[0]


def arguments(options: argparse.Namespace) -> list[str]:
    """What every run of the drill is given besides pair, samples and store."""
    return ["-k", "not weight", *options.more]


def survive(
    fault: str, store: Path, patience: float, options: argparse.Namespace
) -> tuple[int, int, int]:
    """Start a run, wait until it draws and a moment more, break it.

    Returns completions stored afterwards, processes left, and the run's exit status.
    """
    full = _Full(store) if fault == "disk full" else None
    before = stored(store)
    run = subprocess.Popen(
        whole_gates.command(PAIR, options.samples, store, arguments(options)),
        cwd=whole_gates.ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while run.poll() is None and stored(store) == before:
        time.sleep(0.02)
    if full is None:
        with suppress(subprocess.TimeoutExpired):
            run.wait(patience)
    children = descendants(run.pid)
    if run.poll() is None and fault == "kill -9 pytest":
        run.kill()
    elif run.poll() is None and fault == "Ctrl-C":
        run.send_signal(signal.SIGINT)
    elif run.poll() is None and fault == "kill -9 child":
        for pid in children:
            if CHILD in _command_line(pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
    status = run.wait()
    if full:
        full.over()
    time.sleep(0.3)
    return stored(store), sum(CHILD in _command_line(pid) for pid in children), status


class _Full:
    """The store on a small file system of its own, which the run fills up."""

    def __init__(self, store: Path) -> None:
        self.store, self.aside = store, store.with_name("aside")
        if store.exists():
            store.rename(self.aside)
        size = sum(f.stat().st_size for f in self.aside.rglob("*") if f.is_file())
        store.mkdir()
        room = size + 1_500_000
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={room}", "tmpfs", store], check=True)
        if self.aside.exists():
            shutil.copytree(self.aside, store, dirs_exist_ok=True)

    def over(self) -> None:
        """Back on the large disk, with what the run could still write."""
        shutil.rmtree(self.aside, ignore_errors=True)
        shutil.copytree(self.store, self.aside)
        subprocess.run(["umount", self.store], check=True)
        self.store.rmdir()
        self.aside.rename(self.store)


def stored(store: Path) -> int:
    """Completions in a store, read beside whoever writes it."""
    file = store / "samples.sqlite"
    if not file.is_file():
        return 0
    try:
        uri = f"{file.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, timeout=5)) as db:
            return int(db.execute("SELECT count(*) FROM draws").fetchone()[0])
    except sqlite3.OperationalError:
        return 0  # it is being made


def descendants(pid: int) -> list[int]:
    """Processes that a process has started, and those that they started."""
    found = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True)
    parents = [tuple(map(int, line.split())) for line in found.stdout.splitlines()]
    family = {pid}
    for _ in range(8):
        family |= {child for child, parent in parents if parent in family}
    return sorted(family - {pid})


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--faults", type=int, default=20)
    parser.add_argument("--samples", default="64")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("more", nargs="*", help="further pytest options, after --")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
