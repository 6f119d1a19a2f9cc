"""Tangent kernels of the shipped family: the tables of docs/propensity-or-lability.md.

    python studies/kernels.py [--store DIR] [--samples 64] [--noise 20] [--codes 20]

Draws what is not in the store, takes kernels and prints Markdown; what an interrupted one has
taken is kept. A part alone: `--only own,matched`.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from rlvr_gate.claims.kernels import At, KernelView, What
from rlvr_gate.judging.ledger import Ledger
from rlvr_gate.judging.quantities import Estimate, Exact
from rlvr_gate.kernels.change import KernelChange, cut_angles, kernel_change
from rlvr_gate.kernels.points import LINE, SEEDS, WeightPoint
from rlvr_gate.kernels.spectrum import spectrum
from rlvr_gate.records import Ask
from rlvr_gate_fixtures.backends import KernelJob
from rlvr_gate_fixtures.evidence.stored import StoreEvidence
from rlvr_gate_fixtures.measurements.gradients.fill import differentiate
from rlvr_gate_fixtures.measurements.gradients.plan import PointOn
from rlvr_gate_fixtures.measurements.gradients.probing import probing
from rlvr_gate_fixtures.measurements.samples.draw import Wanted, prepare
from rlvr_gate_fixtures.progress import Silent
from rlvr_gate_fixtures.run import Run, Settings, resolve_run
from rlvr_gate_fixtures.store.samples import Store

EARLY = ("sft-4", "sft-8", "sft-16")
"""A real supervised run that stopped early; nobody asks what they gained."""
SHIPPED = (*EARLY, "rlvr", "sft", "step-8", "step-16", "step-20", "rlvr-adamw", "spurious",
           "sft-rlvr-optimizer", "distilled")  # fmt: skip
LINES = ("sft",)
FEW = 40
"""Probes that many codes are tried on."""
ON = "countdown"


def main() -> None:
    """Measure, then print what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", type=Path, default=Path(".rlvr-gate"))
    parser.add_argument("--samples", type=int, default=64)
    parser.add_argument("--noise", type=int, default=20)
    parser.add_argument("--codes", type=int, default=20)
    parser.add_argument("--only", default="own,matched,nulls,angles,codes")
    args = parser.parse_args()
    parts = args.only.split(",")
    run = resolved(args, {name: name for name in SHIPPED if name != "rlvr"})
    wanted = [Wanted(Ask(role), run.benchmarks[ON], run.settings.rounds)
              for role in run.checkpoints if role not in EARLY]  # fmt: skip
    prepare(run, wanted, progress=Silent())
    points = [PointOn(point, ON) for point in points_of(SHIPPED, args.noise)]
    started = time.perf_counter()
    differentiate(run, points, run.benchmarks, progress=Silent())
    print(f"{len(points)} points, {time.perf_counter() - started:.0f} s\n")
    evidence = StoreEvidence(run)
    views = {role: KernelView(role, ON, evidence, Ledger()) for role in SHIPPED}
    tables = {
        "own": lambda: own(views),
        "matched": lambda: matched(views),
        "nulls": lambda: nulls(evidence, args.noise),
        "angles": lambda: angles(evidence),
        "codes": lambda: codes(run, args.codes),
    }
    for part in parts:
        print("\n".join(tables[part]()), "\n", flush=True)


def resolved(args: argparse.Namespace, further: dict[str, str]) -> Run:
    """The family as one run."""
    return resolve_run(
        Settings(
            base="base", rlvr="rlvr", contrasts=tuple(further.items()), benchmarks=(ON,),
            samples=args.samples, store=args.store, backend="transformers",
            backend_options={"threads": "1"}, seed=0, temperature=1.0, top_p=1.0,
            max_new_tokens=None,
        )
    )  # fmt: skip


def points_of(roles: Sequence[str], noise: int) -> Iterator[WeightPoint]:
    """Every checkpoint, the ways to some, and random updates of two sizes."""
    for role in roles:
        yield WeightPoint(role, 0.0)
        yield WeightPoint(role)
    for role in LINES:
        yield from (WeightPoint(role, scale) for scale in LINE)
    for role, seeds in (("rlvr", range(max(noise, len(SEEDS)))), ("sft", SEEDS[:1])):
        yield from (WeightPoint(role, noise=seed) for seed in seeds)
    yield WeightPoint("rlvr", noise=0, rounded=True)


def own(views: dict[str, KernelView]) -> Iterator[str]:
    """Every checkpoint against base."""
    yield "| checkpoint | size | KL | change | turn | rescaling | alignment | trace |"
    yield "|---|---|---|---|---|---|---|---|"
    for role, view in views.items():
        found = view._at(view._point())
        moved = kernel_change(view._at(view._base).mean(), found.mean())
        numbers = [told(each) for each in (view.distance(), view.turn(), view.rescaling())]
        kl = view._kl(found, np.arange(len(found.kl)))
        yield (
            f"| `{role}` | {found.size:.3g} | {kl:.3g} | {' | '.join(numbers)} | "
            f"{moved.alignment:.4f} | {moved.trace_ratio:.3f} |"
        )


def matched(views: dict[str, KernelView]) -> Iterator[str]:
    """RLVR's number over others', absolute and matched."""
    yield "| rlvr over | | as they are | at its size | at its KL | for each point gained |"
    yield "|---|---|---|---|---|---|"
    whats: Sequence[What] = ("turn", "distance", "rescaling")
    ats: Sequence[At] = ("", "size", "kl", "gain")
    for other in LINES:
        for what in whats:
            found = [views["rlvr"].over(views[other], what, at) for at in ats]
            yield f"| `{other}` | {what} | {' | '.join(map(told, found))} |"
    for other in ("spurious", "rlvr-adamw", "distilled", "sft-rlvr-optimizer"):
        found = [views["rlvr"].over(views[other], "turn", at) for at in ("", "gain")]
        yield f"| `{other}` | turn | {told(found[0])} | – | – | {told(found[1])} |"
    for other in EARLY:
        found = views["rlvr"].over(views[other], "turn")
        yield f"| `{other}` | turn | {told(found)} | – | – | – |"
    for what in whats:
        yield f"| random updates | {what} | – | {told(views['rlvr'].over_noise(what))} | – | – |"


def nulls(evidence: StoreEvidence, noise: int) -> Iterator[str]:
    """Random updates and rounding, one by one, and what those of RLVR's size spread over."""
    yield "| point | size | change | turn | rescaling |"
    yield "|---|---|---|---|---|"
    base, random = evidence.kernel(WeightPoint("rlvr", 0.0), ON).mean(), list[KernelChange]()
    for point in points_of([], noise):
        if point.noise is not None or point.scale < 1:
            found = evidence.kernel(point, ON)
            moved = kernel_change(base, found.mean())
            if point.role == "rlvr" and not point.rounded:
                random.append(moved)
            yield (f"| {point.name} | {found.size:.3g} | {moved.distance:.4f} | {moved.turn:.4f} "
                   f"| {moved.rescaling:.4f} |")  # fmt: skip
    yield f"\n{len(random)} random updates of the size of rlvr; median [least, most]"
    for name in ("distance", "turn", "rescaling"):
        yield f"{name}: {spread([getattr(each, name) for each in random])}"


def angles(evidence: StoreEvidence) -> Iterator[str]:
    """Angles at the cuts of base's spectrum, and what the spectrum looks like."""
    base = evidence.kernel(WeightPoint("rlvr", 0.0), ON).mean()
    found = spectrum(base)
    ratios = found.values[:-1] / found.values[1:]
    yield (f"effective rank {found.effective_rank:.1f} of {len(base)}; neighbouring eigenvalues "
           f"{', '.join(f'{r:.2f}' for r in ratios[:8])}")  # fmt: skip
    for role in ("rlvr", "sft"):
        after = evidence.kernel(WeightPoint(role), ON).mean()
        for each in [a for a in cut_angles(base, after) if a.k <= 64]:
            yield (f"{role}: k = {each.k}, gap {each.gap:.2f}, largest {each.largest:.1f}, mean "
                   f"{each.mean:.1f} degrees, {'sound' if each.sound else 'unsound'}")  # fmt: skip


def codes(run: Run, count: int) -> Iterator[str]:
    """Base against base over codes, and how much one code's answer differs from another's."""
    with Store.open(run.settings.store, readonly=True) as store:
        probes = probing(run, run.benchmarks[ON], store)
    job = KernelJob(
        run.checkpoints["base"], (run.checkpoints["rlvr"],), probes.passages[:FEW],
        tuple(range(100, 100 + count)), (WeightPoint("rlvr", 0.0), WeightPoint("rlvr")), 0,
    )  # fmt: skip
    first = dict(run.differentiator.gradients(job, lambda _: None))
    again = dict(run.differentiator.gradients(job, lambda _: None))
    base, rlvr = (first[point].kernels.astype(np.float64) for point in job.points)
    twice = again[job.points[0]].kernels.astype(np.float64)
    same = [kernel_change(a, b) for a, b in zip(base, twice, strict=True)]
    moved = [kernel_change(a, b) for a, b in zip(base, rlvr, strict=True)]
    other = [kernel_change(a, b) for a, b in pairwise(base)]
    yield f"{count} codes, {len(base[0])} probes; median [least, most]"
    for name, each in (("base, taken twice", same), ("rlvr", moved), ("base, other code", other)):
        yield f"{name}: change {spread([m.distance for m in each])}, turn " + spread(
            [m.turn for m in each]
        )


def spread(values: Sequence[float]) -> str:
    """Median and ends."""
    return f"{np.median(values):.4f} [{min(values):.4f}, {max(values):.4f}]"


def told(number: Estimate | Exact) -> str:
    """With its interval, or why there is none."""
    if isinstance(number, Exact):
        return "–" if "like it" in number.reasons[0] else number.reasons[0]
    interval = number.interval
    return f"{number.value:.3g} [{interval.low:.3g}, {interval.high:.3g}]"


if __name__ == "__main__":
    main()
