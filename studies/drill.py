"""Fault drill: break real runs at random moments, run the same command again, compare the end.

    python studies/drill.py --faults 20 --samples 64
    python studies/drill.py --faults 10 --samples 8 --moment 20 --backend server
    python studies/drill.py --faults 10 --samples 16 --moment 20 --backend ray
    python studies/drill.py --pair BASE,RLVR --samples 2 -- --benchmarks=FILE --max-new-tokens=16

Runs of the gate on the shipped pair, or another, are broken, one after the other, by `kill -9`,
SIGTERM, SIGHUP and Ctrl-C of pytest, by `kill -9` of the backend's child or of the grading worker,
and (as root on Linux) by a full disk under the sample store. With `--backend server`, servers of
vLLM are killed as well: one that comes back while the backend tries again, and one that comes back
after the run has given up. With `--backend ray`, workers and nodes of a cluster are, and new nodes
join. A run that should outlive its fault must end as if nothing had been; another is resumed by
the next run. When that many faults have been survived, the last run finishes undisturbed. Wherever
all is drawn, every planned sample must be there exactly once, and counts and claims must equal
those of a run that nothing disturbed; where another run may draw other samples (vLLM), pass@k must
agree. Then everything is stopped, and what is left of processes, ports, shared memory and
temporary files is told.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import paired
import whole_gates
from drill_scenes import FULL, OURS, PAIR, SCENES, Scene
from drill_traces import Traces, command_line

from rlvr_gate.stats.passk import default_ladder


def main() -> int:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="drill-") as name:
        folder, temporary = Path(name), Path(name) / "t"
        temporary.mkdir()
        traces = Traces(temporary)
        with SCENES[options.backend](folder, random.Random(options.seed)) as scene:
            fine = Drill(scene, traces, folder, options).go()
        left = traces.left()
        traces.sweep()
    print("\nleft behind, with everything stopped:")
    for kind, names in left:
        print(f"  {kind}: {len(names)}", *names[:9], sep="\n    ")
    return 0 if fine and not left[0][1] else 1


@dataclass(frozen=True)
class Broken:
    """A run after its fault."""

    struck: bool
    """Whether the fault came before the run was over."""
    stored: int
    left: int
    """Its processes that are still there."""
    status: int


class Drill:
    """Runs that are broken, and the one that is not."""

    def __init__(
        self, scene: Scene, traces: Traces, folder: Path, options: argparse.Namespace
    ) -> None:
        self.scene, self.traces, self.given = scene, traces, options
        self.store, self.calm = folder / "broken", folder / "calm"
        self.trouble = 0

    def go(self) -> bool:
        """Break as many runs as wanted; whether all was as it should be."""
        whole = self.undisturbed(self.calm, self.scene.calm())
        wanted = whole["run"]["sampled"]["completions"]
        print(f"undisturbed: {wanted:,} completions", flush=True)
        survived = 0
        while survived < self.given.faults:
            before = stored(self.store)
            if before == wanted:  # all drawn before the drill was over: begin anew
                self.judge(whole)
                shutil.rmtree(self.store)
                continue
            fault = self.scene.rng.choice(self.scene.faults())
            run = self.survive(fault, wanted)
            lost = max(0, before - run.stored)
            if not run.struck:
                continue
            survived += 1
            unfinished = self.scene.outlived(fault) and run.stored != wanted
            self.trouble += lost + run.left + unfinished
            print(f"{survived:3} {fault:<17} status {run.status:4}  stored {before:6,} -> "
                  f"{run.stored:6,}  processes left {run.left}{'  NOT OUTLIVED' * unfinished}",
                  flush=True)  # fmt: skip
        self.judge(whole)
        return not self.trouble

    def undisturbed(self, store: Path, options: list[str]) -> dict[str, Any]:
        """A run to its end."""
        more = self.arguments(options)
        return whole_gates.run(self.given.pair, self.given.samples, store, more)[0]

    def arguments(self, options: list[str]) -> list[str]:
        """What a run of the drill is given besides pair, samples and store."""
        return ["-k", "not weight", *options, *self.given.more]

    def judge(self, whole: dict[str, Any]) -> None:
        """Finish the broken store and compare it with the calm one."""
        final = self.undisturbed(self.store, self.scene.options())
        sampled = final["run"]["sampled"]
        wanted = whole["run"]["sampled"]["completions"]
        once = sampled["completions"] + sampled["reused"] == wanted == stored(self.store)
        same = final["counts"] == whole["counts"] and final["claims"] == whole["claims"]
        fine = once and (same or not self.scene.exact)
        print(f"    complete: drew {sampled['completions']:,}, found {sampled['reused']:,}; every "
              f"sample once: {once}; counts and claims equal: {same}")  # fmt: skip
        if not self.scene.exact:
            fine &= self.agree(whole, final)
        self.trouble += not fine

    def agree(self, *documents: dict[str, Any]) -> bool:
        """Whether two runs could be of the same checkpoints; prints how near they are."""
        correct = [_counts(document) for document in documents]
        samples = int(self.given.samples)
        table = paired.compare(correct, samples, default_ladder(samples))
        verdicts = [[(c["id"], c["k"], c["verdict"]) for c in d["claims"]] for d in documents]
        differ = [
            f"{one[0]}{f' k={one[1]}' if one[1] else ''}: {one[2]}, {two[2]}"
            for one, two in zip(*verdicts, strict=True)
            if one != two
        ]
        worst = max(table, key=lambda row: abs(row.difference) / row.reach if row.reach else 0)
        near = paired.within(table)
        print(f"    pass@k within chance: {near} (largest: {worst.difference:+.4f} of "
              f"±{worst.reach:.4f} for {worst.group}, k = {worst.k}); verdicts that differ: "
              f"{'; '.join(differ) or 'none'}", flush=True)  # fmt: skip
        return near

    def survive(self, fault: str, wanted: int) -> Broken:
        """Start a run, wait until it draws and a moment more, break it, mend what is broken."""
        patience = self.scene.rng.uniform(0.1, self.given.moment)
        full = _Full(self.store) if fault == FULL else None
        before = stored(self.store)
        more = self.arguments(self.scene.options(fault))
        with subprocess.Popen(
            whole_gates.command(self.given.pair, self.given.samples, self.store, more),
            cwd=whole_gates.ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        ) as run:  # fmt: skip
            try:
                struck, working = self.disturb(run, fault, before, wanted, patience)
                status = run.wait()
            except BaseException:
                run.kill()
                raise
        if full:
            full.over()
            struck = status not in (0, 10)
        left = still_there(working, self.scene.grace)
        self.scene.mend()
        return Broken(struck, stored(self.store), left, status)

    def disturb(
        self, run: subprocess.Popen[bytes], fault: str, before: int, wanted: int, patience: float
    ) -> tuple[bool, list[int]]:
        """Break a run that has begun; whether it was still going, and its processes."""
        while run.poll() is None and stored(self.store) == before:
            time.sleep(0.02)
        if fault != FULL:
            with suppress(subprocess.TimeoutExpired):
                run.wait(patience)
        self.traces.look()
        working = self.scene.working(run.pid)
        struck = run.poll() is None
        if struck and fault != FULL:
            self.scene.strike(fault, run.pid, stored(self.store) / wanted)
        if struck and self.scene.outlived(fault):
            self.scene.mend()
        return struck, working


def still_there(pids: list[int], seconds: float) -> int:
    """How many of a run's processes do not end within `seconds`."""
    until = time.monotonic() + seconds
    while (count := sum(OURS in command_line(p) for p in pids)) and time.monotonic() < until:
        time.sleep(0.1)
    return count


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


def _counts(document: dict[str, Any]) -> dict[str, np.ndarray]:
    """role -> correct completions of each problem."""
    return {
        role: np.array(
            [
                of[role]["correct"]
                for problems in document["counts"].values()
                for of in problems.values()
            ]
        )
        for role in PAIR
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--backend", choices=SCENES, default="transformers")
    parser.add_argument("--pair", default=",".join(PAIR),
                        help="as --model-pair; with --backend server the shipped one")  # fmt: skip
    parser.add_argument("--faults", type=int, default=20)
    parser.add_argument("--samples", default="64")
    parser.add_argument("--moment", type=float, default=3.0,
                        help="most seconds from the first new sample to the fault")  # fmt: skip
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("more", nargs="*", help="further pytest options, after --")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
