"""Traits of the shipped family: what lies along them, and whether a narrow update spreads.

    python studies/traits.py [--store DIR] [--samples 16] [--trait NAME=FILE]

Draws what is not in the store, takes the kernels of traits over the first tasks and prints
Markdown: tables of docs/propensity-or-lability.md. Beside base's own ways stands the style that
`sft` was taught, as a user's passages would.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from rlvr_gate.claims.kernels import KernelView
from rlvr_gate.judging.ledger import Ledger
from rlvr_gate.judging.quantities import Estimate, Exact
from rlvr_gate.kernels.along import share_along
from rlvr_gate.kernels.points import SEEDS, Traits, WeightPoint
from rlvr_gate.options import role_file
from rlvr_gate.records import Ask
from rlvr_gate_fixtures.evidence.stored import StoreEvidence
from rlvr_gate_fixtures.inputs import benchmarks
from rlvr_gate_fixtures.measurements.gradients.fill import differentiate
from rlvr_gate_fixtures.measurements.gradients.plan import PointOn
from rlvr_gate_fixtures.measurements.samples.draw import Wanted, prepare
from rlvr_gate_fixtures.measurements.samples.plan import prompted
from rlvr_gate_fixtures.progress import Silent
from rlvr_gate_fixtures.run import Run, Settings, resolve_run
from rlvr_gate_fixtures.store.samples import Store
from rlvr_gate_miniatures import countdown, experts

TASKS = ("countdown", "chain_sum", "number_sorting", "spell_backward", "letter_counting")
NARROW = str(Path(__file__).resolve().parents[1] / "fixtures" / "adapters" / "narrow")
FURTHER = {"sft-8": "sft-8", "sft": "sft", "narrow": NARROW}
ROLES = ("rlvr", *FURTHER)
WITH_TRAITS = 3
"""Tasks whose right completions are traits; what is done is told of all."""
WORD = "*"


def main() -> None:
    """Measure, then print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", type=Path, default=Path(".rlvr-gate"))
    parser.add_argument("--samples", type=int, default=16)
    parser.add_argument("--trait", type=role_file, action="append", default=[])
    args = parser.parse_args()
    args.store.mkdir(parents=True, exist_ok=True)
    run = resolve_run(
        Settings(
            base="base", rlvr="rlvr", contrasts=tuple(FURTHER.items()), benchmarks=TASKS,
            samples=args.samples, store=args.store, backend="transformers",
            backend_options={"threads": "1"}, seed=0, temperature=1.0, top_p=1.0,
            max_new_tokens=None, traits=(("style of sft", of_sft(args.store)), *args.trait),
        )
    )  # fmt: skip
    wanted = [Wanted(Ask(role), run.benchmarks[task], run.settings.rounds)
              for role in ("base", "rlvr", "narrow") for task in TASKS]  # fmt: skip
    prepare(run, wanted, progress=Silent())
    first, *others = TASKS[:WITH_TRAITS]
    traits = Traits((WORD,), tuple(others))
    points = [PointOn(point, first, traits) for point in points_of()]
    differentiate(run, points, run.benchmarks, progress=Silent())
    views = {role: KernelView(role, first, StoreEvidence(run), Ledger(), traits) for role in ROLES}
    for table in (along(views), ratios(views), spread(run)):
        print("\n".join(table), "\n", flush=True)


def of_sft(folder: Path) -> Path:
    """Solutions of the benchmark's problems in the style that `sft` was taught."""
    rng, path = random.Random("traits/0"), folder / "style-of-sft.jsonl"
    problems = benchmarks.load("countdown").problems
    texts = [(p.prompt, experts.alien(countdown.puzzle(p), rng)) for p in problems]
    lines = [json.dumps({"prompt": p, "completion": text}) for p, text in texts if text]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def points_of() -> Iterator[WeightPoint]:
    """Every checkpoint, and random updates of the sizes of two."""
    for role in ROLES:
        yield from (WeightPoint(role, scale) for scale in (0.0, 1.0))
    for role in ("rlvr", "narrow"):
        yield from (WeightPoint(role, noise=seed) for seed in SEEDS)


def along(views: dict[str, KernelView]) -> Iterator[str]:
    """What lies along base's traits, in how few directions, and how far the matrix turned."""
    yield "| checkpoint | size | KL | along traits | along the first 1, 2, 3 | change | turn |"
    yield "|---|---|---|---|---|---|---|"
    for role, view in views.items():
        found, base = view._at(view._point()), view._at(view._base)
        kept = np.arange(len(found.kl))
        names, products = np.array(view._probes.traits), base.products.mean(0, dtype=np.float64)
        means = np.array([products[names == name].mean() for name in np.unique(names)])
        within = share_along(view._probes.reduced(base.mean(), kept), means, found.size)
        leading = ", ".join(f"{share:.2%}" for share in within[:3])
        yield (f"| `{role}` | {found.size:.3g} | {view._kl(found, kept):.2g} | "
               f"{told(view.share_along())} | {leading} | {told(view.distance())} | "
               f"{told(view.turn())} |")  # fmt: skip
    yield f"\ntraits: {', '.join(dict.fromkeys(view._probes.traits))}"


def ratios(views: dict[str, KernelView]) -> Iterator[str]:
    """One update over another, and over random ones of its size."""
    yield "| | share along traits | turn |"
    yield "|---|---|---|"
    for one, other in (("rlvr", "sft"), ("narrow", "sft"), ("narrow", "rlvr")):
        ours, theirs = views[one], views[other]
        yield (f"| `{one}` over `{other}` | {told(ours.share_along_over(theirs))} | "
               f"{told(ours.over(theirs, 'turn'))} |")  # fmt: skip
    for one in ("rlvr", "narrow"):
        yield f"| `{one}` over random | | {told(views[one].over_noise('turn'))} |"


def spread(run: Run) -> Iterator[str]:
    """What base and others do on each kind of problem: right, and with the operator."""
    roles = ("base", "rlvr", "narrow")
    yield f"| problems | {' | '.join(f'{r}: right, with {WORD}' for r in roles)} |"
    yield f"|---|{'---|' * len(roles)}"
    with Store.open(run.settings.store, readonly=True) as store:
        for task in TASKS:
            strata = {p.stratum for p in run.benchmarks[task].problems}
            for stratum in sorted(strata):
                cells = [" , ".join(done(run, store, role, task, stratum)) for role in roles]
                yield f"| {task} {stratum} | {' | '.join(cells)} |".replace(" ,", ",")


def done(run: Run, store: Store, role: str, task: str, stratum: str) -> Sequence[str]:
    """Mean over problems with its standard error: right, and holding the operator."""
    samples, stream = run.settings.samples, run.streams[role]
    asked = prompted(run.prompter(Ask(role)), run.benchmarks[task], store, run.backend)
    right, holding = [], []
    for problem in (each for each in asked if each.problem.stratum == stratum):
        grades = [grade.value for _, grade in store.graded(stream, problem, samples)]
        drawn = list(store.completions(stream, problem.prompt_ids, samples))
        right.append(grades.count("correct") / max(len(grades), 1))
        holding.append(float(np.mean([WORD in each.text for each in drawn])))
    return [f"{np.mean(x):.3f} ± {np.std(x) / np.sqrt(len(x)):.3f}" for x in (right, holding)]


def told(number: Estimate | Exact) -> str:
    """With its interval, or why there is none."""
    if isinstance(number, Exact):
        return number.reasons[0]
    return f"{number.value:.3g} [{number.interval.low:.3g}, {number.interval.high:.3g}]"


if __name__ == "__main__":
    main()
