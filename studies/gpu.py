"""`make test-gpu`: everything that only a GPU can show, in half an hour, into one file to send.

    python studies/gpu.py [--out reports/out/gpu.md] [--only company,messages] [--quick]

The steps run in this order, each in a process of its own with a limit of its own; before and after
each the GPU's memory, `/dev/shm` and left processes are looked at. A step that lacks something is
skipped and says what. Where there is no GPU the steps run on the CPU as far as they can, so that
they are tested themselves. The file is written anew after every step.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from gpu_steps.common import SCALE, Skip

from rlvr_gate_fixtures.backends.children.settling import memory_held
from rlvr_gate_fixtures.backends.origin import nvidia_smi
from rlvr_gate_fixtures.processes.families import MARKER

ROOT = Path(__file__).parents[1]
_SKIPPED = 77  # the status of a step that was
_SETTLE_SECONDS = 10  # for a GPU to be empty after a step
_LONGEST = 6000  # characters of a step's output in the file


@dataclass(frozen=True, slots=True)
class Step:
    """One of them: a module of `gpu_steps`, its limit in seconds, what it decides."""

    name: str
    seconds: int
    about: str


STEPS = (
    Step("machine", 60, "versions, devices, identities"),
    Step("sampler", 150, "transformers on this device: greedy tokens, law and scores"),
    Step("company", 150, "the same bits in any company; cost of attention kernels"),
    Step("engine", 360, "vLLM: our tests, both model runners, agreement"),
    Step("lengths", 240, "vLLM: cut prompts, long prompts, preempted samples"),
    Step("gate_run", 360, "a gate on one device; ratio to a bare LLM.generate"),
    Step("kills", 240, "kills at every level"),
    Step("messages", 120, "what is said where something does not fit"),
    Step("places", 120, "GPUs by index, UUID and slice"),
    Step("cluster", 180, "Ray; two GPUs"),
)
"""Half an hour in all, in the order in which a defect found hides those after it."""


@dataclass(frozen=True, slots=True)
class Done:
    """How a step went."""

    step: Step
    state: str
    """`ok`, `skipped`, `FAILED` or `stopped`."""
    seconds: float
    output: str


def main() -> int:
    options = _options()
    if options.step:
        return _run_here(options.step, options.quick)
    wanted = options.only.split(",") if options.only else [step.name for step in STEPS]
    if unknown := {*wanted} - {step.name for step in STEPS}:
        raise SystemExit(f"there is no step {', '.join(sorted(unknown))}; see studies/gpu.py")
    started, done = time.monotonic(), list[Done]()
    for step in STEPS:
        if step.name in wanted:
            print(f"{step.name}: {step.about} ...", file=sys.stderr, flush=True)
            done.append(_run(step, options.quick, options.minutes / 30))
            _write(options.out, done, time.monotonic() - started)
            print(f"  {done[-1].state}, {done[-1].seconds:.0f} s", file=sys.stderr, flush=True)
    print(f"written: {options.out}", file=sys.stderr)
    return int(any(each.state in ("FAILED", "stopped") for each in done))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=ROOT / "reports" / "out" / "gpu.md")
    parser.add_argument("--only", default="", help="names of steps, with commas")
    parser.add_argument("--minutes", type=float, default=30.0, help="in all; scales every limit")
    parser.add_argument("--quick", action="store_true", help="small numbers, to test the steps")
    parser.add_argument("--step", default="", help=argparse.SUPPRESS)
    return parser.parse_args()


def _run_here(name: str, quick: bool) -> int:
    try:
        import_module(f"gpu_steps.{name}").run(quick)
    except Skip as skipped:
        print(f"skipped: {skipped}")
        return _SKIPPED
    except Exception:
        traceback.print_exc(file=sys.stdout)
        return 1
    return 0


def _run(step: Step, quick: bool, scale: float) -> Done:
    """In a process group of its own, which is gone when this returns."""
    before, files, started = memory_held(), _shared(), time.monotonic()
    command = [sys.executable, __file__, "--step", step.name, *["--quick"] * quick]
    rooms = [str(ROOT / name) for name in ("plugins", "fixtures", "reports")]
    path = os.pathsep.join([*rooms, *filter(None, [os.environ.get("PYTHONPATH")])])
    told = {
        **os.environ,
        "PYTHONPATH": path,
        "PYTHONUNBUFFERED": "1",
        SCALE: str(scale),
        MARKER: f"test-gpu-{os.getpid()}-{step.name}",
    }
    running = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env=told, start_new_session=True,
    )  # fmt: skip
    try:
        output, _ = running.communicate(timeout=step.seconds * scale)
        state = {0: "ok", _SKIPPED: "skipped"}.get(running.returncode, "FAILED")
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        output, _ = running.communicate()
        state, output = "stopped", f"{output}\nstopped after {step.seconds * scale:.0f} s"
    seconds = time.monotonic() - started
    left = _left(before, files, step)
    if left and state == "ok":
        state = "FAILED"
    return Done(step, state, seconds, "\n".join([output.strip(), *left]))


def _left(before: int | None, files: set[str], step: Step) -> list[str]:
    """What a step has left behind, in words; after a while for a GPU to give memory back."""
    until = time.monotonic() + _SETTLE_SECONDS
    while time.monotonic() < until and (
        (memory_held() or 0) > (before or 0) + 64 or _living(step)
    ):
        time.sleep(0.5)
    told = []
    if before is not None and (now := memory_held() or 0) > before + 64:
        users = ", ".join((nvidia_smi("count") and _users()) or [])
        told.append(f"LEFT: the GPUs hold {now} MiB, {before} before; processes {users or 'none'}")
    if new := sorted(_unused(_shared() - files)):
        told.append(f"LEFT in /dev/shm: {', '.join(new[:10])}")
    if pids := _living(step):
        told.append(f"LEFT: processes {', '.join(map(str, pids[:10]))}")
    return told


def _users() -> list[str]:
    command = ["nvidia-smi", "--query-compute-apps=pid,name,used_memory", "--format=csv,noheader"]
    try:
        told = subprocess.run(
            command, capture_output=True, text=True, timeout=30, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    return told.strip().splitlines()


def _shared() -> set[str]:
    with suppress(OSError):
        return {path.name for path in Path("/dev/shm").iterdir()}
    return set()


def _unused(names: set[str]) -> set[str]:
    """Those that no living process has mapped, and that are still there."""
    used = set[str]()
    for maps in Path("/proc").glob("[0-9]*/maps"):
        with suppress(OSError):
            used |= {line.rpartition("/dev/shm/")[2] for line in maps.read_text().splitlines()}
    return (names - used) & _shared()


def _living(step: Step) -> list[int]:
    """Processes that carry the step's mark in their environment."""
    mark, found = f"{MARKER}=test-gpu-{os.getpid()}-{step.name}".encode(), []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
            if state != "Z" and mark in (folder / "environ").read_bytes():
                found.append(int(folder.name))
    return found


def _write(path: Path, done: Sequence[Done], seconds: float) -> None:
    states = [each.state for each in done]
    counts = ", ".join(f"{states.count(s)} {s}" for s in dict.fromkeys(states))
    lines = [
        "# rlvr-gate: make test-gpu",
        "",
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, commit {_commit()}: {counts}; "
        f"{seconds / 60:.1f} min. GPU: {', '.join(nvidia_smi('name') or []) or 'none'}.",
        "",
        "| step | what | state | s |",
        "|---|---|---|---|",
        *(f"| {d.step.name} | {d.step.about} | {d.state} | {d.seconds:.0f} |" for d in done),
    ]
    for each in done:
        lines += [
            "",
            f"## {each.step.name}: {each.state}",
            "",
            "```text",
            _cut(each.output),
            "```",
        ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", "utf-8")


def _cut(output: str) -> str:
    """Its beginning and its end."""
    text = output.replace("```", "'''")
    half = _LONGEST // 2
    return text if len(text) <= _LONGEST else f"{text[:half]}\n[...]\n{text[-half:]}"


def _commit() -> str:
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return "unknown"


if __name__ == "__main__":
    sys.exit(main())
