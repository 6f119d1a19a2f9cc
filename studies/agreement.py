"""Do the engines agree? One pair of checkpoints through transformers, vllm, server and ray.

    python studies/agreement.py --results agreement.json

draws through every engine that is installed here and not yet in the file, adds it there, and
compares all that the file holds: run it in the environments of `make test-vllm` and
`make test-ray` with one file. The server is vLLM's own, started here; Ray runs transformers on a
cluster of its own, with two workers.

- **pass@k** of independent samples (each engine has a seed of its own) on the same problems, with
  what chance allows to the difference of any two engines at any k, over the whole table
  (`paired.py`).
- **Greedy**: one completion a problem under a top-p so low that only the most probable token is
  left (a temperature cannot do that: vLLM takes none below 0.01, which still tosses a coin between
  near ties). Of two engines: how many completions are the same token for token, and where they
  part first, how far apart the two tokens are for a plain forward in float32. A gap that bfloat16
  does not explain would be a different model or prompt, not a different engine.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from itertools import combinations, takewhile
from pathlib import Path
from typing import Any

import numpy as np
import paired
from serving import Served

from rlvr_gate.records import Checkpoint, Grade, Problem, Sampling, Stream
from rlvr_gate.stats.passk import default_ladder, pass_at_k
from rlvr_gate_fixtures.backends import Backend, Request, load
from rlvr_gate_fixtures.inputs.benchmarks import load as load_benchmark
from rlvr_gate_fixtures.inputs.checkpoints import resolve
from rlvr_gate_fixtures.verifiers import VERIFIERS

ENGINES = {"transformers": "transformers", "vllm": "vllm", "server": "vllm", "ray": "ray"}
"""name -> the package that must be installed."""
ROLES = ("base", "rlvr")
BUDGET = 80
GREEDY = 1e-6  # top-p


def main() -> int:
    options = _options()
    found = _read(options)
    problems = load_benchmark("countdown").problems[: options.problems]
    for number, (name, package) in enumerate(ENGINES.items()):
        if name in found["engines"]:
            continue
        if find_spec(package) is None:
            print(f"{name}: not installed here, skipped", file=sys.stderr)
            continue
        found["engines"][name] = {
            role: drawn(name, role, problems, options.samples, options.seed + number)
            for role in ROLES
        }
        options.results.write_text(json.dumps(found))
        print(f"{name}: drawn", file=sys.stderr)
    fine = tell_curves(found["engines"], options.samples)
    tell_greedy(found["engines"], problems)
    return 0 if fine else 1


def drawn(
    name: str, role: str, problems: Sequence[Problem], samples: int, seed: int
) -> dict[str, list[Any]]:
    """Correct completions of each problem, and its greedy completion."""
    checkpoint = resolve(role, role)
    right = Counter[int]()
    greedy: list[Any] = [()] * len(problems)
    with running(name, checkpoint) as backend, backend.kept():
        prompts = backend.encode(checkpoint, [p.prompt for p in problems])
        told = stream(checkpoint, backend, 1.0, seed)
        for each in backend.complete(checkpoint, told, [Request(p, 0, samples) for p in prompts]):
            problem = problems[each.request]
            graded = VERIFIERS[problem.verifier](each.completion.text, problem.answer)
            right[each.request] += graded.grade is Grade.CORRECT
        told = stream(checkpoint, backend, GREEDY, seed)
        for each in backend.complete(checkpoint, told, [Request(p, 0, 1) for p in prompts]):
            greedy[each.request] = each.completion.token_ids
    return {"correct": [right[n] for n in range(len(problems))], "greedy": greedy}


@contextmanager
def running(name: str, checkpoint: Checkpoint) -> Iterator[Backend]:
    """The engine, all in bfloat16."""
    if name == "server":
        with (
            tempfile.TemporaryDirectory() as folder,
            Served(checkpoint.path, Path(folder) / "log") as served,
        ):
            yield load(name, url=served.url)
    elif name == "ray":
        yield load(name, dtype="bfloat16", workers="2", cpus="0.5")
    else:
        yield load(name, dtype="bfloat16")


def stream(checkpoint: Checkpoint, backend: Backend, top_p: float, seed: int) -> Stream:
    sampling = Sampling(1.0, top_p, BUDGET)
    return Stream(checkpoint.digest, sampling, checkpoint.stop_ids, backend.identity(), seed)


def tell_curves(engines: dict[str, Any], samples: int) -> bool:
    """The table of pass@k; whether chance explains every difference."""
    names = list(engines)
    correct = [{role: np.array(of[role]["correct"]) for role in ROLES} for of in engines.values()]
    ladder = default_ladder(samples)
    rows = paired.compare(correct, samples, ladder) if len(names) > 1 else []
    print(f"{len(correct[0]['base'])} problems x {samples} samples; differences with what chance "
          "allows to each, 95 % over the whole table\n")  # fmt: skip
    pairs = [f"{names[two]} − {names[one]}" for one, two in combinations(range(len(names)), 2)]
    print(f"| checkpoint | k | {' | '.join([*names, *pairs])} |")
    print("|---" * (2 + len(names) + len(pairs)) + "|")
    for role in ROLES:
        for k in ladder:
            means = [f"{pass_at_k(samples, of[role], k).mean():.4f}" for of in correct]
            here = [f"{row.difference:+.4f} ± {row.reach:.4f}"
                    for row in rows if (row.group, row.k) == (role, k)]  # fmt: skip
            print(f"| {role} | {k} | {' | '.join([*means, *here])} |")
    print(f"\nbeyond chance: {sum(abs(r.difference) > r.reach for r in rows)} of {len(rows)}\n")
    return paired.within(rows)


def tell_greedy(engines: dict[str, Any], problems: Sequence[Problem]) -> None:
    """The table of completions that are the same token for token."""
    print(
        "| checkpoint | engines | identical | first difference at token, median (range) "
        "| gap of the two tokens in nats, median (largest) |\n|---|---|---|---|---|"
    )
    for role in ROLES:
        for one, two in combinations(engines, 2):
            pairs = list(zip(engines[one][role]["greedy"], engines[two][role]["greedy"],
                             strict=True))  # fmt: skip
            part = [(n, parting(a, b)) for n, (a, b) in enumerate(pairs) if list(a) != list(b)]
            places = [place for _, place in part]
            gaps = [gap(role, problems[n], *pairs[n], place) for n, place in part]
            where = f"{np.median(places):.0f} ({min(places)} to {max(places)})" if part else ""
            apart = f"{np.median(gaps):.3f} ({max(gaps):.3f})" if part else ""
            print(f"| {role} | {one}, {two} | {len(pairs) - len(part)} of {len(pairs)} | {where} "
                  f"| {apart} |", flush=True)  # fmt: skip


def parting(one: Sequence[int], two: Sequence[int]) -> int:
    """How many tokens two completions have in common from the start."""
    return sum(1 for _ in takewhile(lambda ids: ids[0] == ids[1], zip(one, two, strict=False)))


def gap(role: str, problem: Problem, one: Sequence[int], two: Sequence[int], place: int) -> float:
    """Between the log-probabilities of the tokens at which two completions part."""
    import torch

    model, tokenizer = plain(role)
    ids = [*tokenizer(problem.prompt)["input_ids"], *one[:place]]
    with torch.no_grad():
        law = torch.log_softmax(model(torch.tensor([ids])).logits[0, -1].double(), -1)
    return abs(float(law[one[place]] - law[two[place]]))


@cache
def plain(role: str) -> tuple[Any, Any]:
    """A checkpoint in float32 and its tokenizer, which has no chat template."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    path = resolve(role, role).path
    model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32).eval()
    return model, AutoTokenizer.from_pretrained(path)


def _read(options: argparse.Namespace) -> dict[str, Any]:
    """What the file holds, which must be of the same problems, samples and seed."""
    asked = {"problems": options.problems, "samples": options.samples, "seed": options.seed}
    if not options.results.exists():
        return {**asked, "engines": {}}
    found: dict[str, Any] = json.loads(options.results.read_text())
    if {**found, **asked} != found:
        raise SystemExit(f"{options.results} was drawn with other options than {asked}")
    return found


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--results", type=Path, required=True, help="the file that is added to")
    parser.add_argument("--problems", type=int, default=100)
    parser.add_argument("--samples", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
