"""Tokens per second of our sampler and of `transformers.generate`, in one run.

Both sample the same checkpoint on the same prompts with the same dtype, threads and sampling, and
both count real tokens only: up to and including the stop token. `generate` gets the batch size at
which it is fastest, tried first on a part of the work.

    python studies/sampler.py --samples 128
"""

from __future__ import annotations

import argparse
import os
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging

from rlvr_gate_fixtures.backends.philox import stream_key
from rlvr_gate_fixtures.backends.transformers.sampler import Draws, Sampler
from rlvr_gate_fixtures.inputs.benchmarks import load

CHECKPOINTS = Path(__file__).resolve().parents[1] / "fixtures" / "checkpoints"
BATCHES = (128, 256, 512, 1024, 2048)


@dataclass(frozen=True)
class Speed:
    """Real tokens over wall time."""

    tokens: int
    seconds: float

    @property
    def rate(self) -> float:
        return self.tokens / self.seconds


def generated(model, prompts, samples: int, batch: int, budget: int) -> Speed:  # type: ignore[no-untyped-def]  # a script
    """`generate` on groups of prompts of one length, `batch` sequences at a time."""
    stop = model.config.eos_token_id
    per_call = max(1, batch // samples)
    each = min(samples, batch)
    tokens, started = 0, time.perf_counter()
    for group in _alike(prompts, per_call):
        for _ in range(samples // each):
            out = model.generate(
                torch.tensor(group),
                attention_mask=torch.ones(len(group), len(group[0]), dtype=torch.long),
                do_sample=True, temperature=1.0, top_p=1.0, top_k=0, max_new_tokens=budget,
                num_return_sequences=each, eos_token_id=stop, pad_token_id=0,
            )[:, len(group[0]) :]  # fmt: skip
            ended = (out == stop).int()
            first = torch.where(ended.any(1), ended.argmax(1) + 1, out.shape[1])
            tokens += int(first.sum())
    return Speed(tokens, time.perf_counter() - started)


def sampled(sampler: Sampler, prompts, samples: int) -> Speed:  # type: ignore[no-untyped-def]  # a script
    """Our sampler on everything at once."""
    work = [Draws(ids, 0, samples, stream_key(0, "bench", ids)) for ids in prompts]
    started = time.perf_counter()
    tokens = sum(len(drawn.token_ids) for drawn in sampler.run(work))
    return Speed(tokens, time.perf_counter() - started)


def compare(name: str, dtype: torch.dtype, options: argparse.Namespace) -> str:
    """One row: generate at its best batch size, the sampler, and their ratio."""
    folder = CHECKPOINTS / name
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    problems = load("countdown").problems[: options.problems]
    prompts = sorted((tokenizer(p.prompt)["input_ids"] for p in problems), key=len)
    budget = model.generation_config.max_new_tokens
    sampler = Sampler(
        model, stop_ids=[model.config.eos_token_id], max_new_tokens=budget, slots=options.slots
    )
    sampled(sampler, prompts[:4], 32)  # warm both paths
    length = Counter(map(len, prompts)).most_common(1)[0][0]
    few = [ids for ids in prompts if len(ids) == length][: max(BATCHES) // options.samples]
    trials = {b: generated(model, few, options.samples, b, budget) for b in BATCHES}
    best = max(trials, key=lambda b: trials[b].rate)
    ours, theirs, before = [], [], sampler.fed
    for _ in range(options.rounds):  # interleaved, so that a noisy machine disturbs both
        theirs.append(generated(model, prompts, options.samples, best, budget))
        ours.append(sampled(sampler, prompts, options.samples))
    fed = sampler.fed - before
    ratio = sorted(o.rate / t.rate for o, t in zip(ours, theirs, strict=True))
    return (
        f"| {name} | {str(dtype).removeprefix('torch.')} | {best} | "
        f"{max(t.rate for t in theirs):,.0f} | {max(o.rate for o in ours):,.0f} | "
        f"{100 * fed / sum(o.tokens for o in ours):.0f} | {ratio[len(ratio) // 2]:.2f} |"
    )


def _alike(prompts: list[list[int]], most: int) -> list[list[list[int]]]:
    groups: list[list[list[int]]] = []
    for ids in prompts:
        if groups and len(groups[-1][0]) == len(ids) and len(groups[-1]) < most:
            groups[-1].append(ids)
        else:
            groups.append([ids])
    return groups


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--problems", type=int, default=16)
    parser.add_argument("--samples", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--slots", type=int, default=1024)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    options = parser.parse_args()
    logging.set_verbosity_error()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    print(
        f"{options.problems} problems x {options.samples} samples, {options.threads} threads, "
        f"median ratio of {options.rounds} interleaved rounds\n\n"
        "| checkpoint | dtype | generate's best batch | generate tokens/s | sampler tokens/s | "
        "fed | ratio |\n|---|---|---|---|---|---|---|"
    )
    for name in ("base", "rlvr"):
        for dtype in (torch.float32, torch.bfloat16):
            print(compare(name, dtype, options), flush=True)


if __name__ == "__main__":
    main()
