"""Several candidates against one base: how often one opens its gate though none is better.

    python studies/candidates.py [--replicates 500] [--seed 4]

Every candidate is the base itself under other seeds, judged by K1 on the same problems and against
the same draws of base, as `rlvr-gate compare` finds them; so every open gate is false. `each`: the
gate as it is; `corrected`: what `compare` lets stand, a p-value of a share of the error for each
candidate. The best one's estimate is a mean over problems whose truth is zero; beside it that of
the same candidate drawn once more, on the problems it was chosen on. *rare loss*: most problems
gain a little and one in a hundred loses all of it, the law in which a sharp interval errs most.
"""

from __future__ import annotations

import argparse
from itertools import product

import numpy as np
from coverage import Floats, Ints, base_population
from findings import Counts

from rlvr_gate.claims.views import CheckpointView
from rlvr_gate.judging.ledger import Ledger
from rlvr_gate.records import Judgement, Tally, Verdict

SAMPLES = 16
PROBLEMS = (30, 100, 500)
MANY = (1, 5, 20)
SHAPES = ("hard", "rare loss")
TAIL = 0.05


def chances(shape: str, problems: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Chances of success under base and a candidate, equal in the mean over the population."""
    if shape != "rare loss":
        p = rng.choice(base_population(shape, np.random.default_rng(1)), problems)
        return p, p
    lost = rng.random(problems) < 0.01
    return np.full(problems, 0.98), np.where(lost, 0.0, 0.98 / 0.99)


def tallies(correct: Ints) -> tuple[Tally, ...]:
    return tuple(Tally(f"p{i}", SAMPLES, int(c)) for i, c in enumerate(correct))


def rises(base: Ints, rlvr: Ints) -> Judgement:
    """K1 as the suites have it."""
    source, ledger = (
        Counts({"base": tallies(base), "rlvr": tallies(rlvr)}),
        Ledger(guaranteed=True),
    )
    one, other = (CheckpointView(role, source, ledger) for role in ("base", "rlvr"))  # type: ignore[arg-type]
    return other.pass_at(1, "b") > one.pass_at(1, "b")


def run(shape: str, problems: int, many: int, rng: np.random.Generator) -> tuple[float, ...]:
    """(one opens, one stays open, best estimate, the same candidate drawn once more)."""
    of_base, of_rlvr = chances(shape, problems, rng)
    base = rng.binomial(SAMPLES, of_base)
    drawn = [rng.binomial(SAMPLES, of_rlvr) for _ in range(many)]
    best = max(drawn, key=lambda d: int(d.sum()))
    promising = [d for d in drawn if d.sum() > base.sum()]
    judged = [rises(base, d) for d in promising]
    opened = [j for j in judged if j.verdict is Verdict.HOLDS]
    stay = [j for j in opened if j.p_value is not None and j.p_value * many <= TAIL]
    again = rng.binomial(SAMPLES, of_rlvr)
    mean = problems * SAMPLES
    return (
        float(bool(opened)), float(bool(stay)), float((best - base).sum() / mean),
        float((again - base).sum() / mean),
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--replicates", type=int, default=500)
    parser.add_argument("--seed", type=int, default=4)
    parser.add_argument("--shapes", nargs="+", choices=SHAPES, default=SHAPES)
    options = parser.parse_args()
    print("| shape | M | candidates | one opens, each at .95 | corrected | best | drawn again |")
    print("|---|---|---|---|---|---|---|")
    for shape, problems, many in product(options.shapes, PROBLEMS, MANY):
        rng = np.random.default_rng(options.seed)
        runs = [run(shape, problems, many, rng) for _ in range(options.replicates)]
        opens, stays, best, again = np.mean(runs, axis=0)
        print(f"| {shape} | {problems} | {many} | {opens:.3f} | {stays:.3f} | {best:+.4f} "
              f"| {again:+.4f} |", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
