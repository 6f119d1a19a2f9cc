"""Tokens per CPU second of our sampler and of `transformers.generate`, in one run.

Both sample the same checkpoint on the same prompts of several lengths with the same dtype, threads
and sampling, and both count real tokens only: up to and including the stop token. `generate` gets
one left-padded batch, or several where a batch of `--largest` sequences is exceeded.

    python studies/sampler.py --samples 2 32 256
    python studies/sampler.py --checkpoint PATH --chat --problems 20 --samples 2 16 --budget 48
"""

from __future__ import annotations

import argparse
import os
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging

from rlvr_gate_fixtures.backends.philox import stream_key
from rlvr_gate_fixtures.backends.transformers.sampler import Draws, Sampler
from rlvr_gate_fixtures.backends.transformers.slots import fitting_slots
from rlvr_gate_fixtures.inputs.benchmarks import load

CHECKPOINTS = Path(__file__).resolve().parents[1] / "fixtures" / "checkpoints"
PAD = 0


@dataclass(frozen=True)
class Speed:
    """Real tokens over CPU time of all threads."""

    tokens: int
    seconds: float

    @property
    def rate(self) -> float:
        return self.tokens / self.seconds


def generated(model, prompts, samples: int, largest: int, budget: int) -> Speed:  # type: ignore[no-untyped-def]  # a script
    """`generate` on left-padded batches of whole prompts."""
    stop = model.config.eos_token_id
    tokens, started = 0, time.process_time()
    for group in _groups(prompts, max(1, largest // samples)):
        longest = max(map(len, group))
        ids = torch.tensor([[PAD] * (longest - len(p)) + p for p in group])
        mask = torch.tensor([[0] * (longest - len(p)) + [1] * len(p) for p in group])
        out = model.generate(
            ids, attention_mask=mask, do_sample=True, temperature=1.0, top_p=1.0, top_k=0,
            max_new_tokens=budget, num_return_sequences=samples, eos_token_id=stop,
            pad_token_id=PAD,
        )[:, longest:]  # fmt: skip
        ended = (out == stop).int()
        first = torch.where(ended.any(1), ended.argmax(1) + 1, out.shape[1])
        tokens += int(first.sum())
    return Speed(tokens, time.process_time() - started)


def sampled(sampler: Sampler, prompts, samples: int) -> Speed:  # type: ignore[no-untyped-def]  # a script
    """Our sampler on everything at once."""
    work = [Draws(ids, 0, samples, stream_key(0, "bench", ids)) for ids in prompts]
    started = time.process_time()
    tokens = sum(len(drawn.token_ids) for drawn in sampler.run(work))
    return Speed(tokens, time.process_time() - started)


def compare(folder: Path, dtype: torch.dtype, samples: int, options: argparse.Namespace) -> str:
    """One row: generate, the sampler, and the ratio of interleaved rounds."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype).eval()
    prompts = _prompts(AutoTokenizer.from_pretrained(folder), options)
    budget = options.budget or model.generation_config.max_new_tokens
    slots = options.slots or fitting_slots(model, max(map(len, prompts)), budget)
    sampler = Sampler(
        model, stop_ids=[model.config.eos_token_id], max_new_tokens=budget, slots=slots
    )
    sampled(sampler, prompts[:2], 2)  # warm both paths
    generated(model, prompts[:2], 2, options.largest, 2)
    ours, theirs, before = [], [], sampler.fed
    for _ in range(options.rounds):  # interleaved, so that a noisy machine disturbs both
        theirs.append(generated(model, prompts, samples, options.largest, budget))
        ours.append(sampled(sampler, prompts, samples))
    fed = sampler.fed - before
    ratio = sorted(o.rate / t.rate for o, t in zip(ours, theirs, strict=True))
    return (
        f"| {folder.name} | {str(dtype).removeprefix('torch.')} | {len(set(map(len, prompts)))} | "
        f"{samples} | {max(t.rate for t in theirs):,.0f} | {max(o.rate for o in ours):,.0f} | "
        f"{100 * fed / sum(o.tokens for o in ours):.0f} | {ratio[len(ratio) // 2]:.2f} |"
    )


def _prompts(tokenizer, options: argparse.Namespace) -> list[list[int]]:  # type: ignore[no-untyped-def]  # a script
    problems = load(options.benchmark).problems[: options.problems]
    texts = [problem.prompt for problem in problems]
    if options.chat:  # of many lengths, as real benchmarks have them
        texts = [
            tokenizer.apply_chat_template(
                [{"role": "user", "content": f"{text} {'Think first. ' * (at % 16)}"}],
                tokenize=False,
                add_generation_prompt=True,
            )
            for at, text in enumerate(texts)
        ]
    ids = [tokenizer(text, add_special_tokens=not options.chat)["input_ids"] for text in texts]
    return sorted(ids, key=len)


def _groups(prompts: list[list[int]], size: int) -> list[list[list[int]]]:
    return [prompts[at : at + size] for at in range(0, len(prompts), size)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--checkpoint", type=Path, help="a folder; the shipped pair if not given")
    parser.add_argument("--benchmark", default="countdown")
    parser.add_argument("--chat", action="store_true", help="prompts in the chat template")
    parser.add_argument("--problems", type=int, default=16)
    parser.add_argument("--samples", type=int, nargs="+", default=[2, 256])
    parser.add_argument("--budget", type=int, default=0, help="tokens; the checkpoint's own if 0")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--slots", type=int, default=0, help="as the backend chooses if 0")
    parser.add_argument("--largest", type=int, default=1024, help="sequences in generate's batch")
    parser.add_argument("--dtypes", nargs="+", default=["float32", "bfloat16"])
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    options = parser.parse_args()
    logging.set_verbosity_error()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    print(
        f"{options.problems} problems, {options.threads} threads, tokens per CPU second, median "
        f"ratio of {options.rounds} interleaved rounds\n\n"
        "| checkpoint | dtype | lengths | samples | generate | sampler | % fed | ratio |\n"
        "|---|---|---|---|---|---|---|---|"
    )
    both = [CHECKPOINTS / "base", CHECKPOINTS / "rlvr"]
    for folder in [options.checkpoint] if options.checkpoint else both:
        for dtype in options.dtypes:
            for samples in options.samples:
                print(compare(folder, getattr(torch, dtype), samples, options), flush=True)


if __name__ == "__main__":
    main()
