"""What steps share: what is here, how to draw, and how far tokens are from a law."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from rlvr_gate.records import Checkpoint, Completion, Sampling, Stream
from rlvr_gate_fixtures.backends import Backend, Request
from rlvr_gate_fixtures.backends.origin import nvidia_smi
from rlvr_gate_fixtures.inputs.benchmarks import load as load_benchmark
from rlvr_gate_fixtures.inputs.checkpoints import resolve

ROOT = Path(__file__).parents[2]
GREEDY = 1e-6  # a top-p that leaves the most probable token alone
FAR = 4.5  # of a standard normal value; nine of them are looked at
BUDGET = 80


SCALE = "RLVR_GATE_TEST_SCALE"
"""Variable that says how many times the usual limits a step has, as `--minutes` asks."""


class Skip(Exception):
    """This machine cannot do it; the message says what it lacks."""


def has_cuda() -> bool:
    """Whether torch here sees a GPU."""
    if not find_spec("torch"):
        return False
    import torch

    return bool(torch.cuda.is_available())


def need_torch() -> str:
    """`cuda` or `cpu`; skips where there is no torch."""
    if not find_spec("torch") or not find_spec("transformers"):
        raise Skip("torch or transformers is not installed")
    return "cuda" if has_cuda() else "cpu"


def need_vllm() -> str:
    """The device of the vLLM that is installed; skips where there is none."""
    from rlvr_gate_fixtures.backends.vllm.backend import VllmBackend

    try:
        return VllmBackend().device
    except ValueError as error:
        raise Skip("vLLM is not installed") from error


def need_gpus(count: int = 1) -> list[str]:
    """UUIDs of the GPUs; skips where there are fewer."""
    found = nvidia_smi("uuid") or []
    if len(found) < count:
        raise Skip(f"needs {count} NVIDIA GPU{'s' * (count > 1)}, nvidia-smi shows {len(found)}")
    return found


def installed(*packages: str) -> dict[str, str]:
    """Versions of those that are."""
    found = {}
    for name in packages:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def checkpoint(role: str) -> Checkpoint:
    """Of the shipped pair."""
    return resolve(role, role)


def prompts(backend: Backend, of: Checkpoint, count: int) -> list[tuple[int, ...]]:
    """The first problems of the shipped benchmark."""
    return backend.encode(of, [p.prompt for p in load_benchmark("countdown").problems[:count]])


def stream(
    of: Checkpoint,
    *,
    budget: int = BUDGET,
    temperature: float = 1.0,
    top_p: float = 1.0,
    seed: int = 0,
    stops: bool = True,
) -> Stream:
    """As a run asks; without `stops` every completion has the whole budget."""
    ids = of.stop_ids if stops else ()
    return Stream(of.digest, Sampling(temperature, top_p, budget), ids, "test-gpu", seed)


def draw(
    backend: Backend, of: Checkpoint, told: Stream, asked: Sequence[Request]
) -> dict[tuple[int, int], Completion]:
    """Every sample, each once, by (request, index)."""
    found: dict[tuple[int, int], Completion] = {}
    with closing(backend.complete(of, told, asked)) as drawing:  # type: ignore[type-var]
        for each in drawing:
            place = each.request, each.completion.sample
            assert place not in found, f"sample {place} came twice"
            found[place] = each.completion
    wanted = {(n, i) for n, r in enumerate(asked) for i in range(r.start, r.stop)}
    assert found.keys() == wanted, f"{len(wanted - found.keys())} of {len(wanted)} did not come"
    return found


def check_law(
    of: Checkpoint, asked: Sequence[Request], found: dict[tuple[int, int], Completion], what: str
) -> None:
    """Tokens at temperature 1 follow the law of a plain forward, and not one that is near it."""
    sys.path.append(str(ROOT / "tests" / "backends"))
    from test_agreement import deviations

    drawn = [(asked[request].prompt_ids, each) for (request, _), each in found.items()]
    right, colder, warmer = deviations(of, drawn, [1.0, 0.8, 1.2])
    tokens = sum(len(each.token_ids) for each in found.values())
    told = f"{right.max():.1f}; of colder and warmer laws {colder.max():.1f}, {warmer.max():.1f}"
    print(f"{what}: {tokens} tokens, largest deviation from the law {told} (allowed {FAR})")
    assert right.max() < FAR, f"{what}: the tokens do not follow the checkpoint's law"
    assert min(colder.max(), warmer.max()) > FAR, f"{what}: too few tokens to tell a wrong law"


def run_tests(arguments: Sequence[str], seconds: int, **environment: str) -> None:
    """A part of our own tests in this environment; prints what it begins, and their last line."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    ours = {**os.environ, **environment}
    shown = " ".join(f"{name}={value}" for name, value in environment.items())
    print(f"{shown} {' '.join(arguments)}:".strip(), end=" ", flush=True)
    done = subprocess.run(
        command, cwd=ROOT, env=ours, capture_output=True, text=True, timeout=scaled(seconds),
        check=False,
    )  # fmt: skip
    lines = done.stdout.strip().splitlines()
    print(lines[-1] if lines else done.stderr[-500:])
    if done.returncode not in (0, 5):
        print(*(line for line in lines if line.startswith(("FAILED", "ERROR", "E  "))), sep="\n")
    assert done.returncode in (0, 5), f"tests ended with status {done.returncode}"


def scaled(seconds: int) -> float:
    """A limit within a step, as long as the step's own is."""
    return seconds * float(os.environ.get(SCALE, "1"))


def words(error: BaseException) -> str:
    """A message as a person would see it, cut."""
    return str(error).strip()[:700]
