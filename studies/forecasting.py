"""Forecasts of pass@k beyond the samples there are, held against runs that drew them.

    python studies/forecasting.py COUNTS.json … [--runs 3] [--seed 5]

Each file maps names of runs to counts of the same problems: {"a": {"n": 100, "c": {"p1": 3, …}},
…}. Of neighbouring runs three quarters of the samples are hidden at random; the forecast from what
is left is asked for pass@n over all n, and held against the unbiased estimate from all of them.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from rlvr_gate.judging.forecasting import forecast
from rlvr_gate.records import Tally
from rlvr_gate.stats.passk import pass_at_k

SHOWN = 4  # of how many samples one is shown


def pairs(path: Path) -> Iterator[tuple[tuple[Tally, ...], tuple[Tally, ...]]]:
    """Neighbouring runs of one file."""
    runs = [
        tuple(Tally(p, run["n"], c) for p, c in sorted(run["c"].items()))
        for run in json.loads(path.read_text("utf-8")).values()
    ]
    yield from zip(runs[::2], runs[1::2], strict=False)


def hidden(tallies: tuple[Tally, ...], rng: np.random.Generator) -> tuple[Tally, ...]:
    """A quarter of each problem's samples."""
    kept = [rng.hypergeometric(t.correct, t.n - t.correct, t.n // SHOWN) for t in tallies]
    return tuple(
        replace(t, n=t.n // SHOWN, correct=int(c)) for t, c in zip(tallies, kept, strict=True)
    )


def main() -> None:
    """Print how often the forecast held the difference, and how wide it was."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seed", type=int, default=5)
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    print("| runs | pairs | n shown | k | held | mean error | mean width | decided, wrongly |\n"
          "|---|---|---|---|---|---|---|---|")  # fmt: skip
    for path in args.files:
        for times in (2, SHOWN):
            rows = [row for pair in pairs(path) for row in _held(pair, times, args.runs, rng)]
            found = np.array([row[2:] for row in rows])
            held, error, width, decided, wrong = found.mean(axis=0)
            print(f"| {path.stem} | {len(rows)} | {rows[0][0]} | {rows[0][1]} | {held:.2f} | "
                  f"{error:+.3f} | {width:.3f} | {decided:.2f}, {wrong:.2f} |",
                  flush=True)  # fmt: skip


def _held(
    pair: tuple[tuple[Tally, ...], tuple[Tally, ...]], times: int, runs: int,
    rng: np.random.Generator,
) -> Iterator[tuple[float, ...]]:  # fmt: skip
    k = pair[0][0].n * times // SHOWN
    base, rlvr = (
        float(pass_at_k([t.n for t in of], [t.correct for t in of], k).mean()) for of in pair
    )
    for _ in range(runs):
        shown = [hidden(of, rng) for of in pair]
        found, true = forecast(*shown, k), rlvr - base
        sure = found.low > 0 or found.high < 0
        wrong = (found.low > 0 and true < 0) or (found.high < 0 and true > 0)
        yield (shown[0][0].n, k, found.low <= true <= found.high, found.value - true,
               found.high - found.low, sure, wrong)  # fmt: skip


if __name__ == "__main__":
    main()
