"""Copies among samples: how often they are seen, and how often there are none and some are seen.

    python studies/copies.py [--runs 300] [--seed 4]

A problem has so many equally likely answers, from one in a few to none that comes twice. Its
samples are drawn from them, some again; log-probabilities are off by two per cent.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from rlvr_gate.stats.repeats import COPIES, SLACK, SURE, Repeats, repeats

Ints = NDArray[np.int64]
SAMPLES = 64
REUSE: dict[str, tuple[float, Callable[[Ints], Ints]]] = {
    "one completion 64 times": (0.1, lambda a: np.repeat(a[:1], SAMPLES)),
    "half drawn again": (0.1, lambda a: np.tile(a[: SAMPLES // 2], 2)),
    "16 of 64 drawn again": (0.2, lambda a: np.concatenate([a[:48], a[:16]])),
    "4 of 64 drawn again": (1.0, lambda a: np.concatenate([a[:60], a[:4]])),
}
"""name -> (share of the problems, what becomes of a problem's samples)."""


def measured(
    problems: int, rng: np.random.Generator, share: float, reuse: Callable[[Ints], Ints] | None
) -> Repeats:
    """As the store counts it."""
    size = np.floor(np.exp(rng.uniform(0.7, 40.0, problems)))  # answers of each problem
    rows = [rng.integers(0, int(s), SAMPLES) for s in size]
    few = 0 if reuse is None else max(1, round(share * problems))
    rows = [reuse(row) if reuse and i < few else row for i, row in enumerate(rows)]
    log = -np.log(size) * (1 + 0.02 * rng.standard_normal(problems))
    counts = [np.unique(row, return_counts=True)[1] for row in rows]
    pairs = [int((c * (c - 1)).sum() // 2) for c in counts]
    distinct = np.array([len(c) for c in counts])
    found = repeats(
        [SAMPLES] * problems, pairs, np.exp(log), distinct, distinct * np.exp((1 - SLACK) * log)
    )
    assert found is not None
    return found


def in_the_mean(found: Repeats) -> bool:
    """Whether the mean over all problems alone would tell."""
    inexact = found.alike - found.chance < SLACK * found.chance
    return found.p_value < SURE and found.copies >= COPIES and not inexact


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--seed", type=int, default=4)
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    print("| copies | in problems | M | seen in the mean | seen | p below 5 % by problem |\n"
          "|---|---|---|---|---|---|")  # fmt: skip
    for name, (share, reuse) in {"none": (0.0, None), **REUSE}.items():
        for problems in (30, 100, 500):
            found = [measured(problems, rng, share, reuse) for _ in range(args.runs)]
            mean, seen, alarm = (
                np.mean([of(each) for each in found])
                for of in (in_the_mean, lambda f: f.accident, lambda f: f.p_any < 0.05)
            )
            print(f"| {name} | {share:.0%} | {problems} | {mean:.3f} | {seen:.3f} | {alarm:.3f} |",
                  flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
