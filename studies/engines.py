"""The vllm backend against a bare `LLM.generate`, and against the transformers backend.

All draw the same samples of the same checkpoint: the bare engine gets the very requests that the
backend sends (a seed and the log-probability of each token), and, for what these cost, requests
without either. Loading is not timed.

    python studies/engines.py --problems 16 --samples 128
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rlvr_gate.records import Checkpoint, Sampling, Stream
from rlvr_gate_fixtures.backends import Backend, Request, load
from rlvr_gate_fixtures.inputs.benchmarks import load as load_benchmark
from rlvr_gate_fixtures.inputs.checkpoints import resolve

BUDGET = 80
WARM = 64
BARE = ("the same requests", "without seeds and log-probabilities")


def stream(checkpoint: Checkpoint, seed: int) -> Stream:
    return Stream(checkpoint.digest, Sampling(1, 1, BUDGET), checkpoint.stop_ids, "bench", seed)


def rate(backend: Backend, checkpoint: Checkpoint, requests: list[Request], seed: int) -> float:
    """Tokens a second of one job."""
    started = time.perf_counter()
    drawn = backend.complete(checkpoint, stream(checkpoint, seed), requests)
    tokens = sum(len(d.completion.token_ids) for d in drawn)
    return tokens / (time.perf_counter() - started)


def bare() -> None:
    """The other side of `Bare`: a plain `LLM`, told what to draw on standard input."""
    from vllm import LLM, SamplingParams
    from vllm.sampling_params import RequestOutputKind

    from rlvr_gate_fixtures.backends.vllm import child as vllm_child

    job = json.loads(sys.stdin.readline())
    engine = LLM(
        job["path"], **job["engine"], generation_config="vllm", skip_tokenizer_init=True,
        logprobs_mode="processed_logprobs", seed=0,
    )  # fmt: skip
    print("ready", flush=True)
    for line in sys.stdin:
        told = json.loads(line)
        requests = [Request(tuple(ids), start, stop) for ids, start, stop in told["requests"]]
        asked = list(vllm_child._samples({**job, **told}, requests))
        prompts = [{"prompt_token_ids": ids} for _, ids, _ in asked]
        params = [each for _, _, each in asked]
        if not told["same"]:
            params = [
                SamplingParams(
                    temperature=1.0, max_tokens=BUDGET, stop_token_ids=job["stop_ids"],
                    ignore_eos=True, detokenize=False, output_kind=RequestOutputKind.FINAL_ONLY,
                )
            ] * len(asked)  # fmt: skip
        started = time.perf_counter()
        outputs = engine.generate(prompts, params, use_tqdm=False)
        tokens = sum(len(o.outputs[0].token_ids) for o in outputs)
        print("rate", tokens / (time.perf_counter() - started), flush=True)


class Bare:
    """`bare` in a process of its own."""

    def __init__(self, checkpoint: Checkpoint, backend: Backend) -> None:
        job = {
            "path": str(checkpoint.path), "digest": checkpoint.digest,
            "stop_ids": checkpoint.stop_ids, **backend.options(),  # type: ignore[attr-defined]
            "sampling": {"temperature": 1.0, "top_p": 1.0, "max_new_tokens": BUDGET,
                         "stop": []},
        }  # fmt: skip
        environment = backend.environment()  # type: ignore[attr-defined]
        self._process = subprocess.Popen(
            [sys.executable, __file__, "--bare"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, env={**os.environ, **environment},
        )  # fmt: skip
        self._say(job, "ready")

    def rate(self, requests: list[Request], seed: int, same: bool) -> float:
        asked = [[list(r.prompt_ids), r.start, r.stop] for r in requests]
        return float(self._say({"requests": asked, "seed": seed, "same": same}, "rate"))

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def _say(self, what: object, expected: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()
        for line in self._process.stdout:  # vLLM prints a few lines of its own
            word, _, rest = line.strip().partition(" ")
            if word == expected:
                return rest
        raise SystemExit("the bare engine ended; see above")


@contextmanager
def kept(backend: Backend, checkpoint: Checkpoint, requests: list[Request]) -> Iterator[Backend]:
    """A backend whose child is loaded and warm."""
    few = [Request(r.prompt_ids, 0, WARM) for r in requests[:8]]
    with backend.kept():
        for seed in (-1, -2):
            rate(backend, checkpoint, few, seed)
        yield backend


def compare(options: argparse.Namespace) -> None:
    """Rounds in turn, so that a noisy machine disturbs all alike."""
    given = dict(pair.split("=", 1) for pair in options.option)
    base = resolve("base", options.checkpoint)
    ours, theirs = load("vllm", **given), load("transformers", dtype="bfloat16")
    problems = load_benchmark("countdown").problems[: options.problems]
    prompts = ours.encode(base, [p.prompt for p in problems])
    requests = [Request(ids, 0, options.samples) for ids in prompts]
    rates: dict[str, list[float]] = {}

    def note(name: str, value: float) -> None:
        rates.setdefault(name, []).append(value)
        print(f"  {name}: {value:,.0f} tokens/s", flush=True)

    engine = Bare(base, ours)
    few = [Request(r.prompt_ids, 0, WARM) for r in requests[:8]]
    for seed in (-1, -2):
        engine.rate(few, seed, same=True)
    with kept(ours, base, requests), kept(theirs, base, requests):
        for seed in range(options.rounds):
            note("vllm backend", rate(ours, base, requests, seed))
            for name in BARE:
                note(f"LLM.generate, {name}", engine.rate(requests, seed, same=name == BARE[0]))
            note("transformers backend", rate(theirs, base, requests, seed))
    engine.close()
    print(
        f"\n{ours.identity()}, {len(requests)} problems x {options.samples} samples, "
        f"{options.rounds} interleaved rounds\n\n"
        "| | tokens/s, median | vllm backend over this, median of ratios |\n|---|---|---|"
    )
    for name, values in rates.items():
        ratios = [one / other for one, other in zip(rates["vllm backend"], values, strict=True)]
        print(f"| {name} | {statistics.median(values):,.0f} | {statistics.median(ratios):.2f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--problems", type=int, default=16)
    parser.add_argument("--samples", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--option", action="append", default=[], help="KEY=VALUE of the backend")
    parser.add_argument("--checkpoint", default="base", help="a shipped one, or a folder")
    parser.add_argument("--bare", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.bare:
        bare()
    else:
        compare(options)


if __name__ == "__main__":
    main()
