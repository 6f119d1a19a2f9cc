"""More samples later cost what the new ones cost: 64, then 256, against 256 at once.

    python studies/extending.py

Whole runs of the gate on the shipped pair, counted and timed: one with few samples, one that
extends its store, and one with as many in a store of its own. Counts and claims of the last two
must be equal.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import whole_gates


def main() -> int:
    options = _options()
    print("| run | completions drawn | found | tokens | seconds | over the fresh run |")
    print("|---|---|---|---|---|---|")
    few, many = (str(number) for number in options.samples)
    with tempfile.TemporaryDirectory() as folder:
        grown, fresh = Path(folder) / "grown", Path(folder) / "fresh"
        runs = [
            timed(many, fresh, options),
            timed(few, grown, options),
            timed(many, grown, options),
        ]
    names = (f"{many} at once", f"{few}", f"{few} extended to {many}")
    for name, (document, seconds) in zip(names, runs, strict=True):
        sampled = document["run"]["sampled"]
        print(f"| {name} | {sampled['completions']:,} | {sampled['reused']:,} "
              f"| {sampled['tokens']:,} | {seconds:.1f} | {seconds / runs[0][1]:.2f} |",
              flush=True)  # fmt: skip
    one, two = runs[0][0], runs[2][0]
    same = one["counts"] == two["counts"] and one["claims"] == two["claims"]
    problems = sum(map(len, one["counts"].values()))
    new = two["run"]["sampled"]["completions"] / problems / 2
    print(f"\nnew samples a problem and checkpoint: {new:g}; counts and claims equal: {same}")
    return 0 if same and new == int(many) - int(few) else 1


def timed(samples: str, store: Path, options: argparse.Namespace) -> tuple[dict[str, Any], float]:
    """The report of a run, and its seconds."""
    started = time.perf_counter()
    more = ["-k", "not weight", *options.more]
    document, _ = whole_gates.run("base,rlvr", samples, store, more)
    return document, time.perf_counter() - started


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--samples", type=int, nargs=2, default=(64, 256))
    parser.add_argument("more", nargs="*", help="further pytest options, after --")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
