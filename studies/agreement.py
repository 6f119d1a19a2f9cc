"""Do the engines agree? One pair of checkpoints through transformers, vllm, server and ray.

    python studies/agreement.py --results agreement.json
    python studies/agreement.py --results pair.json --pair BASE,RLVR --benchmark FILE \\
      --budget 20 --engines transformers vllm --eager

draws through every engine that is installed here and not yet in the file, adds it there, and
compares all that the file holds: run it in the environments of `make test-vllm` and
`make test-ray` with one file. The server is vLLM's own, started here; Ray runs transformers on a
cluster of its own, with two workers.

- **pass@k** of independent samples (each engine has a seed of its own) on the same problems, with
  what chance allows to the difference of any two engines at any k, over the whole table
  (`paired.py`).
RLVR may be a LoRA adapter on BASE, which a server has to be told of by whoever starts it: such a
pair goes through the other engines.

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
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
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
from rlvr_gate_fixtures.inputs.checkpoints import resolve, shared_stop_ids
from rlvr_gate_fixtures.verifiers import VERIFIERS

ENGINES = {"transformers": "transformers", "vllm": "vllm", "server": "vllm", "ray": "ray"}
"""name -> the package that must be installed."""
ROLES = ("base", "rlvr")
GREEDY = 1e-6  # top-p


def main() -> int:
    options = _options()
    found = _read(options)
    problems = load_benchmark(options.benchmark).problems[: options.problems]
    pair = checkpoints(options.pair)
    for number, (name, package) in enumerate(ENGINES.items()):
        if name in found["engines"] or name not in options.engines:
            continue
        if find_spec(package) is None:
            print(f"{name}: not installed here, skipped", file=sys.stderr)
            continue
        found["engines"][name] = {
            role: drawn(name, pair[role], problems, options, options.seed + number)
            for role in ROLES
        }
        options.results.write_text(json.dumps(found))
        print(f"{name}: drawn", file=sys.stderr)
    fine = tell_curves(found["engines"], options.samples)
    tell_greedy(found["engines"], pair)
    return 0 if fine else 1


def checkpoints(pair: str) -> dict[str, Checkpoint]:
    """Both, with stop ids that they share, as in a run of the gate."""
    first, _, second = pair.partition(",")
    base = resolve("base", first)
    found = {"base": base, "rlvr": resolve("rlvr", second, onto=base)}
    stops = shared_stop_ids(found.values())
    return {role: replace(checkpoint, stop_ids=stops) for role, checkpoint in found.items()}


def drawn(
    name: str,
    checkpoint: Checkpoint,
    problems: Sequence[Problem],
    options: argparse.Namespace,
    seed: int,
) -> dict[str, list[Any]]:
    """Correct completions of each problem, its prompt's token ids and its greedy completion."""
    right = Counter[int]()
    greedy: list[Any] = [()] * len(problems)
    with running(name, checkpoint, eager=options.eager) as backend, backend.kept():
        prompts = backend.encode(checkpoint, [p.prompt for p in problems])
        told = stream(checkpoint, backend, Sampling(1.0, 1.0, options.budget), seed)
        wanted = [Request(p, 0, options.samples) for p in prompts]
        for each in backend.complete(checkpoint, told, wanted):
            problem = problems[each.request]
            graded = VERIFIERS[problem.verifier](each.completion.text, problem.answer)
            right[each.request] += graded.grade is Grade.CORRECT
        told = stream(checkpoint, backend, Sampling(1.0, GREEDY, options.budget), seed)
        for each in backend.complete(checkpoint, told, [Request(p, 0, 1) for p in prompts]):
            greedy[each.request] = each.completion.token_ids
    correct = [right[n] for n in range(len(problems))]
    return {"correct": correct, "prompts": [*map(list, prompts)], "greedy": greedy}


@contextmanager
def running(name: str, checkpoint: Checkpoint, *, eager: bool) -> Iterator[Backend]:
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
        compiled = {"enforce_eager": "true"} if eager and name == "vllm" else {}
        yield load(name, dtype="bfloat16", **compiled)


def stream(checkpoint: Checkpoint, backend: Backend, sampling: Sampling, seed: int) -> Stream:
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


def tell_greedy(engines: dict[str, Any], pair: Mapping[str, Checkpoint]) -> None:
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
            prompts = engines[one][role]["prompts"]
            whole = pair[role].adapter is None  # a plain forward knows no adapter
            gaps = [gap(pair[role], prompts[n], *pairs[n], at) for n, at in part if whole]
            where = f"{np.median(places):.0f} ({min(places)} to {max(places)})" if part else ""
            apart = f"{np.median(gaps):.3f} ({max(gaps):.3f})" if gaps else ""
            print(f"| {role} | {one}, {two} | {len(pairs) - len(part)} of {len(pairs)} | {where} "
                  f"| {apart} |", flush=True)  # fmt: skip


def parting(one: Sequence[int], two: Sequence[int]) -> int:
    """How many tokens two completions have in common from the start."""
    return sum(1 for _ in takewhile(lambda ids: ids[0] == ids[1], zip(one, two, strict=False)))


def gap(
    checkpoint: Checkpoint,
    prompt: Sequence[int],
    one: Sequence[int],
    two: Sequence[int],
    place: int,
) -> float:
    """Between the log-probabilities of the tokens at which two completions part."""
    import torch

    ids = torch.tensor([[*prompt, *one[:place]]])
    with torch.no_grad():
        law = torch.log_softmax(plain(checkpoint.path)(ids).logits[0, -1].double(), -1)
    return abs(float(law[one[place]] - law[two[place]]))


@cache
def plain(path: Path) -> Any:
    """A checkpoint in float32."""
    import torch
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32).eval()


def _read(options: argparse.Namespace) -> dict[str, Any]:
    """What the file holds, which must be of the same problems, samples and seed."""
    names = ("pair", "benchmark", "problems", "samples", "budget", "seed")
    asked = {name: getattr(options, name) for name in names}
    if not options.results.exists():
        return {**asked, "engines": {}}
    found: dict[str, Any] = json.loads(options.results.read_text())
    if {**found, **asked} != found:
        raise SystemExit(f"{options.results} was drawn with other options than {asked}")
    return found


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--results", type=Path, required=True, help="the file that is added to")
    parser.add_argument("--pair", default="base,rlvr")
    parser.add_argument("--benchmark", default="countdown")
    parser.add_argument("--budget", type=int, default=80, help="tokens of a completion")
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=[*ENGINES])
    parser.add_argument("--eager", action="store_true", help="vllm without compiling the model")
    parser.add_argument("--problems", type=int, default=100)
    parser.add_argument("--samples", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
