"""Whether a claim holds as often as `--plan` says: planned effects, and the real bound.

python studies/planning.py [--runs 400] [--seed 3]
"""

from __future__ import annotations

import argparse

import numpy as np
from scipy.special import expit, logit

from rlvr_gate.judging.planning import KINDS, SPREAD, Design, enough_problems, smallest
from rlvr_gate.stats.guaranteed import guaranteed_p_value
from rlvr_gate.stats.passk import pass_at_k

DESIGNS = [
    Design(problems, samples, k, threshold, 0.95)
    for problems in (30, 100, 500)
    for samples, k, threshold in ((64, 1, 0.0), (64, 32, -0.02), (16, 1, 0.005))
]


def share(design: Design, kind: str, effect: float, runs: int, rng: np.random.Generator) -> float:
    """Of runs in which the claim holds, problems and samples drawn anew in each."""
    shift = _shift(kind, design.k, effect)
    held = 0
    for _ in range(runs):
        base = rng.beta(*KINDS[kind], design.problems)
        noise = SPREAD * rng.standard_normal(design.problems)
        rlvr = expit(logit(np.clip(base, 1e-12, 1 - 1e-12)) + noise + shift)
        one, other = (
            pass_at_k(design.samples, rng.binomial(design.samples, p), design.k)
            for p in (base, rlvr)
        )
        p = guaranteed_p_value(other - one, design.threshold, low=-1.0)
        held += p <= (1 - design.level) / 2
    return held / runs


def _shift(kind: str, k: int, effect: float) -> float:
    """Of the log odds, by simulation of its own."""
    rng = np.random.default_rng(11)
    base = np.clip(rng.beta(*KINDS[kind], 50_000), 1e-12, 1 - 1e-12)
    odds = logit(base) + SPREAD * rng.standard_normal(base.size)
    before = np.mean(1 - (1 - base) ** k)
    shifts = np.linspace(-12, 12, 481)
    rises = [np.mean(1 - (1 - expit(odds + s)) ** k) - before for s in shifts]
    return float(np.interp(effect, rises, shifts))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=400)
    parser.add_argument("--seed", type=int, default=3)
    args = parser.parse_args()
    print("| M | n | claim | kind | effect planned for 80 % | held | problems planned for the "
          "given effect | held |\n|---|---|---|---|---|---|---|---|")  # fmt: skip
    for design in DESIGNS:
        for kind in KINDS:
            print(row(design, kind, args.runs, args.seed), flush=True)


def row(design: Design, kind: str, runs: int, seed: int) -> str:
    """One line: both plans, and what came of them."""
    rng = np.random.default_rng(seed)
    effect, problems = smallest(design, kind), enough_problems(design, kind, design.given)
    found = "none | –"
    if effect is not None:
        found = f"{effect:+.3f} | {share(design, kind, effect, runs, rng):.2f}"
    claim = f"pass@{design.k} > {design.threshold:+g}"
    start = f"| {design.problems} | {design.samples} | {claim} | {kind} | {found}"
    if problems is None or problems > 5000:
        return f"{start} | {problems or '–'} | – |"
    larger = Design(problems, design.samples, design.k, design.threshold, design.level)
    again = share(larger, kind, design.given, max(runs // 4, 1), rng)
    return f"{start} | {problems:,} | {again:.2f} |"


if __name__ == "__main__":
    main()
