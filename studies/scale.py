"""What a store of real size costs without a GPU: plan, judge, report, extend, merge.

    python studies/scale.py build FOLDER --samples 256 --seconds 480     # again until it is whole
    python studies/scale.py measure FOLDER --samples 256
    python studies/scale.py scores FOLDER --samples 256

A made-up store: 500 problems, two checkpoints, completions of 4,000 tokens with the ids (of
151,936, by a power law) and the words of a large vocabulary. It is built by the store's own
functions; then whole processes are timed as a user starts them, with the most memory that one of
them took.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from whole_gates import ROOT

from rlvr_gate.records import Completion, FinishReason, Grade, Graded
from rlvr_gate_fixtures.backends import Drawn, Terms
from rlvr_gate_fixtures.inputs.checkpoints import resolve
from rlvr_gate_fixtures.measurements.samples.fill import fill
from rlvr_gate_fixtures.measurements.samples.plan import Need, make_plan, prompted
from rlvr_gate_fixtures.measurements.scores.fill import ToScore, planned_scores
from rlvr_gate_fixtures.progress import Silent
from rlvr_gate_fixtures.run import Run, Settings, resolve_run
from rlvr_gate_fixtures.store.samples import Prompted, Store
from rlvr_gate_fixtures.verifiers import EVERY, graded_as

VOCABULARY = 151_936
POOL = 512  # different completions; each is given an ending of its own
BATCH = 512  # rows of a transaction
MOST = 4096  # samples of a problem
GRADINGS = ("strict", "lenient", "clean", "repaired")
CHANCE = {"base": 0.25, "rlvr": 0.45}


class Words:
    """Completions of a large vocabulary, fast: a pool of them, each with its own last tokens."""

    def __init__(self, tokens: int) -> None:
        rng = np.random.default_rng(0)
        ids = 100 + (rng.zipf(1.2, (POOL, tokens)) - 1) % (VOCABULARY - 100)  # no stop id
        words = np.array([f" {np.base_repr(i, 36).lower()}" for i in range(VOCABULARY)])
        self._ids = [tuple(row) for row in ids.tolist()]
        self._texts = ["".join(words[row]) for row in ids]

    def completion(self, number: int, sample: int, answer: str) -> Completion:
        """The one of this number in the store."""
        tail = tuple(100 + number // 1000**power % 1000 for power in range(4))
        at = number % POOL
        text = f"{self._texts[at]} {' '.join(map(str, tail))} answer: {answer}"
        return Completion(sample, (*self._ids[at], *tail), text, FinishReason.LENGTH, -1000.0)


class Written:
    """A backend that gives such completions, to time the way from an engine to the disk."""

    def __init__(self, run: Run, words: Words) -> None:
        self._backend, self._words = run.backend, words

    def identity(self) -> str:
        return self._backend.identity()

    def origin(self) -> dict[str, str]:
        return {}

    def encode(self, checkpoint, prompts):  # type: ignore[no-untyped-def]
        return self._backend.encode(checkpoint, prompts)

    def terms(self, checkpoint) -> Terms:  # type: ignore[no-untyped-def]
        return Terms()

    def complete(self, checkpoint, stream, requests) -> Iterator[Drawn]:  # type: ignore[no-untyped-def]
        for n, request in enumerate(requests):
            for i in range(request.start, request.stop):
                yield Drawn(n, self._words.completion(n * 100_003 + i, i, str(i % 7)))


def pair(folder: Path, tokens: int) -> list[Path]:
    """The shipped pair with room for long completions."""
    made = []
    for role in ("base", "rlvr"):
        path, of = folder / role, resolve(role, role).path
        if not path.exists():
            shutil.copytree(of, path)
            config = json.loads((path / "config.json").read_text())
            config["max_position_embeddings"] = 2 * tokens
            (path / "config.json").write_text(json.dumps(config))
        made.append(path)
    return made


def the_run(options: argparse.Namespace, store: str = "store") -> Run:
    """As the command line below makes it."""
    folder: Path = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    problems = folder / "problems.jsonl"
    lines = [
        json.dumps({"id": f"p{n}", "problem": f"C{n // 90 + 2},{n % 90 + 2},5={n % 7}:",
                    "answer": str(n % 7), "verifier": "integer"})
        for n in range(options.problems)
    ]  # fmt: skip
    problems.write_text("\n".join(lines) + "\n")
    base, rlvr = map(str, pair(folder, options.tokens))
    return resolve_run(Settings(
        base=base, rlvr=rlvr, contrasts=(), benchmarks=(str(problems),), samples=options.samples,
        store=folder / store, backend="transformers",
        backend_options={"device": "cpu", "threads": "1"}, seed=0, temperature=1.0, top_p=1.0,
        max_new_tokens=options.tokens + 4,
    ))  # fmt: skip


def build(options: argparse.Namespace) -> int:
    """Fill the store, for so many seconds at most; the same command goes on."""
    run, words = the_run(options), Words(options.tokens)
    started, rows = time.monotonic(), 0
    (benchmark,) = run.benchmarks.values()
    with Store.open(run.settings.store) as store, store.writing():
        for role, stream in run.streams.items():
            every = prompted(run.checkpoints[role], benchmark, store, run.backend)
            for at, problem in enumerate(every):
                if time.monotonic() - started > options.seconds:
                    print(f"{rows:,} rows at {rows / (time.monotonic() - started):.0f} a second: "
                          "not whole; run it again")  # fmt: skip
                    return 1
                gaps = store.missing(stream, problem.prompt_ids, options.samples)
                for gap in gaps:
                    rows += _insert(store, stream, role, problem, at, gap, words)
                if gaps or options.grade:
                    _grade(store, stream, role, problem, at, options.samples)
    size = sum(file.stat().st_size for file in run.settings.store.rglob("*") if file.is_file())
    print(f"whole: {size / 1e9:.2f} GB; {rows:,} rows now, "
          f"{rows / max(1e-9, time.monotonic() - started):.0f} a second")  # fmt: skip
    return 0


def _insert(store, stream, role, problem: Prompted, at: int, gap: range, words: Words) -> int:  # type: ignore[no-untyped-def]
    right, answer = _right(role, at), problem.problem.answer
    first = (at * 2 + (role == "rlvr")) * 100_003
    rows = [
        (problem.prompt_ids, words.completion(first + i, i, answer if right[i] else "9"))
        for i in gap
    ]
    for start in range(0, len(rows), BATCH):
        store.add(stream, rows[start : start + BATCH])
    return len(rows)


def _right(role: str, at: int) -> np.ndarray:
    """Whether each sample of a problem is correct."""
    rng = np.random.default_rng((at, 0, role == "rlvr"))
    chance = np.clip(rng.beta(0.6, 0.6 / CHANCE[role]), 0, 1)
    return rng.random(MOST) < chance


def _grade(store, stream, role, problem: Prompted, at: int, samples: int) -> None:  # type: ignore[no-untyped-def]
    """By every verifier that claims ask, as a run has it by then."""
    own = problem.problem
    decided = [
        Graded(Grade.CORRECT if good else Grade.WRONG, own.answer)
        for good in _right(role, at)[:samples]
    ]
    for name in {own.verifier, *(graded_as(own.verifier, grading) for grading in GRADINGS)}:
        asked = replace(problem, problem=replace(own, verifier=name), version=EVERY[name].version)
        store.add_grades(stream, [(asked, i, each) for i, each in enumerate(decided)])


def measure(options: argparse.Namespace) -> int:
    """The table."""
    run = the_run(options)
    base, rlvr = pair(options.folder, options.tokens)
    out = options.folder / "out"
    out.mkdir(exist_ok=True)
    gate = [
        sys.executable, "-m", "pytest", str(ROOT / "suites"), "-q", "-pno:cacheprovider",
        "--model-pair", f"{base},{rlvr}", f"--benchmarks={options.folder / 'problems.jsonl'}",
        f"--samples={options.samples}", f"--sample-store={run.settings.store}",
        f"--max-new-tokens={options.tokens + 4}", "--backend-option", "device=cpu",
        "--backend-option", "threads=1", "-k", "not weight and not score and not likelihood",
    ]  # fmt: skip
    reports = [f"--gate-json={out / 'gate.json'}", f"--gate-report={out / 'gate.html'}"]
    steps = {
        "plan": [*gate, "--plan"],
        "judge, JSON": [*gate, reports[0]],
        "judge, JSON, HTML page": [*gate, *reports],
        "compare two results": [
            sys.executable, "-m", "rlvr_gate_fixtures", "compare", str(out / "gate.json"),
            str(out / "gate.json"),
        ],
        "merge into an empty store": [
            sys.executable, "-m", "rlvr_gate_fixtures", "merge",
            str(options.folder / "merged"), str(run.settings.store),
        ],
    }  # fmt: skip
    file = sum(f.stat().st_size for f in run.settings.store.rglob("*") if f.is_file())
    print(f"{options.problems} problems x {options.samples} samples x 2, {options.tokens:,} "
          f"tokens: {file / 1e9:.2f} GB\n\n| step | wall s | CPU s | most memory | status |\n"
          "|---|---|---|---|---|")  # fmt: skip
    for name, command in steps.items():
        if options.only and options.only not in name:
            continue
        if name.startswith("merge"):
            shutil.rmtree(options.folder / "merged", ignore_errors=True)
        print(f"| {name} | {_timed(command, options.folder / 'log')} |", flush=True)
    if not options.only or "extend" in options.only:
        print(f"| extend by 2 a problem | {_extended(options)} |", flush=True)
    return 0


def _timed(command: Sequence[str], log: Path) -> str:
    started = time.monotonic()
    with log.open("ab") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, cwd=ROOT, env=_environment())
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return (f"{time.monotonic() - started:.0f} | {used.ru_utime + used.ru_stime:.1f} | "
            f"{used.ru_maxrss / 1024:.0f} MiB | {process.returncode}")  # fmt: skip


def _extended(options: argparse.Namespace) -> str:
    """Two more of each, planned and filled by the run's own functions, with grading."""
    run, words = the_run(options), Words(options.tokens)
    (benchmark,) = run.benchmarks.values()
    needs = [
        Need(run.checkpoints[role], benchmark, stream, options.samples + 2)
        for role, stream in run.streams.items()
    ]
    backend = Written(run, words)
    started, used = time.monotonic(), time.process_time()
    with Store.open(run.settings.store) as store:
        plan = make_plan(needs, store, backend)  # type: ignore[arg-type]
        planned = time.process_time() - used
        done = fill(plan, store, backend, progress=Silent())  # type: ignore[arg-type]
    wall = time.monotonic() - started
    return (f"{wall:.0f} | {time.process_time() - used:.1f} ({planned:.1f} the plan) | "
            f"{done.completions / wall:.0f} rows/s | 0")  # fmt: skip


def scores(options: argparse.Namespace) -> int:
    """What a run would score of every completion under both checkpoints; in this process."""
    run = the_run(options)
    run = replace(run, settings=replace(run.settings, score_samples=options.samples))
    (benchmark,) = run.benchmarks.values()
    wanted = [ToScore(role, ("base", "rlvr"), benchmark) for role in run.streams]
    used = time.process_time()
    lines, _ = planned_scores(run, wanted)
    used = time.process_time() - used
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print("\n".join(lines), f"\n{used:.1f} s of CPU, {most:.0f} MiB at most", sep="")
    return 0


def _environment() -> dict[str, str]:
    rooms = [str(ROOT / name) for name in ("plugins", "fixtures", "reports")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(rooms)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=("build", "measure", "scores"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--problems", type=int, default=500)
    parser.add_argument("--samples", type=int, default=256)
    parser.add_argument("--tokens", type=int, default=4000)
    parser.add_argument("--seconds", type=float, default=1e9, help="of building, at most")
    parser.add_argument("--grade", action="store_true", help="also what was built before")
    parser.add_argument("--only", default="", help="steps with this in their name")
    options = parser.parse_args()
    options.folder = options.folder.resolve()
    return {"build": build, "measure": measure, "scores": scores}[options.what](options)


if __name__ == "__main__":
    sys.exit(main())
