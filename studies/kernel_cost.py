"""What tangent kernels cost: seconds of a backward pass, memory, and how far a sketch is off.

    python studies/kernel_cost.py --pair BASE,RLVR --benchmark FILE --store DIR [--problems 4]

Takes kernels of a few probes as factors, sketched and whole, at base, at RLVR and at a random
update of its size, and projects the cost to larger models. Probes are completions in the store, or
drawn. Seconds are a core's own, so that other work on the machine does not count.
"""

from __future__ import annotations

import argparse
import resource
from dataclasses import replace
from pathlib import Path

import numpy as np

from rlvr_gate.kernels.change import kernel_change
from rlvr_gate.kernels.points import WeightPoint
from rlvr_gate.kernels.sketch import sketch_error
from rlvr_gate.records import PAIR, Ask
from rlvr_gate_fixtures.backends import KernelJob
from rlvr_gate_fixtures.measurements.gradients.probing import probing
from rlvr_gate_fixtures.measurements.gradients.read import SKETCH, model_of
from rlvr_gate_fixtures.measurements.samples.draw import Wanted, prepare
from rlvr_gate_fixtures.progress import Silent
from rlvr_gate_fixtures.run import Settings, resolve_run
from rlvr_gate_fixtures.store.samples import Store

LARGER = {"1.5B": 1.54e9, "7B": 7.6e9}
PROBES, CODES, POINTS = 200, 4, 14


def main() -> None:
    """Measure, print, project."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pair", default="base,rlvr")
    parser.add_argument("--benchmark", default="countdown")
    parser.add_argument("--store", type=Path, default=Path(".rlvr-gate"))
    parser.add_argument("--problems", type=int, default=4)
    parser.add_argument("--max-new-tokens", type=int)
    parser.add_argument("--how", default="factors,sketched,whole")
    args = parser.parse_args()
    base, rlvr = args.pair.split(",")
    run = resolve_run(
        Settings(
            base=base, rlvr=rlvr, contrasts=(), benchmarks=(args.benchmark,), samples=1,
            store=args.store, backend="transformers", backend_options={"threads": "1"}, seed=0,
            temperature=1.0, top_p=1.0, max_new_tokens=args.max_new_tokens,
        )
    )  # fmt: skip
    (benchmark,) = run.benchmarks.values()
    few = replace(benchmark, problems=benchmark.problems[: args.problems])
    prepare(run, [Wanted(Ask(role), few, run.settings.rounds) for role in PAIR], progress=Silent())
    with Store.open(run.settings.store, readonly=True) as store:
        probes = probing(run, few, store)
    weights = model_of(run.checkpoints["base"].path).weights
    points = (WeightPoint("rlvr", 0.0), WeightPoint("rlvr"), WeightPoint("rlvr", noise=0))
    passes, tokens = len(points) * len(probes.passages), probes.tokens / len(probes.passages)
    print(f"{weights / 1e6:.1f}M weights, {len(probes.passages)} probes of {tokens:.0f} tokens")
    taken, seconds = {}, 0.0
    for how in args.how.split(","):  # the least memory first: the peak is over all so far
        before = spent()
        job = KernelJob(
            run.checkpoints["base"], (run.checkpoints["rlvr"],), probes.passages, (0,), points,
            SKETCH if how == "sketched" else 0, how == "factors",
        )  # fmt: skip
        taken[how] = dict(run.differentiator.gradients(job, lambda _: None))
        seconds = (spent() - before) / passes
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
        rate = 6 * weights * tokens / seconds
        print(f"{how}: {seconds:.2f} s a pass with loading and products, {rate:.2e} operations a "
              f"second; at most {peak:.2f} GiB so far", flush=True)  # fmt: skip
    found = {how: [k[p].mean() for p in points] for how, k in taken.items()}
    first = next(iter(found))
    for how, kernels in found.items():
        off = [np.linalg.norm(k - w) / np.linalg.norm(w)
               for k, w in zip(kernels, found[first], strict=True)]  # fmt: skip
        moved = [kernel_change(kernels[0], other) for other in kernels[1:]]
        print(f"{how}: off {first} by {max(off):.2g}; rlvr {told(moved[0])}; noise of its size "
              f"{told(moved[1])}")  # fmt: skip
    print(f"bound of the sketch: {sketch_error(found[first][0], SKETCH):.4f}")
    for name, size in LARGER.items():
        hours = POINTS * CODES * PROBES * seconds * size / weights / 3600
        copies, sketches = 4 * 4 * size / 2**30, 4 * PROBES * SKETCH / 2**30
        print(f"{name}: {copies:.0f} GiB of weights and {sketches:.1f} of sketches, {hours:.0f} "
              f"hours at this pace for {POINTS} points, {CODES} codes and {PROBES} probes of "
              f"{tokens:.0f} tokens")  # fmt: skip


def spent() -> float:
    """Seconds of a core that children which have ended took."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def told(moved: object) -> str:
    """Change and turn."""
    return f"change {moved.distance:.4f}, turn {moved.turn:.4f}"  # type: ignore[attr-defined]  # a KernelChange


if __name__ == "__main__":
    main()
