"""Adaptive samples against a fixed number on the shipped pair: same verdicts, fewer tokens?

    python studies/adaptive.py --runs 3

Each run is two whole gates over one store and one seed: 256 samples of everything, then
`--samples adaptive`, which finds what it needs among them. Tokens are those each gate counts.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

import whole_gates


def main() -> int:
    options = _options()
    print("| seed | tokens, fixed | tokens, adaptive | fewer | looks | verdicts that differ |")
    print("|---|---|---|---|---|---|")
    contradicted = 0
    for run in range(options.runs):
        seed = 2 * run
        with tempfile.TemporaryDirectory() as store:
            more = [f"--sample-seed={seed}", *options.more]
            fixed = whole_gates.run(options.pair, "256", Path(store), more)[0]
            whole_gates.forget(Path(store))
            adaptive = whole_gates.run(options.pair, "adaptive", Path(store), more)[0]
        spent = [tokens(document) for document in (fixed, adaptive)]
        differ = differences(fixed, adaptive)
        contradicted += sum({"holds", "refuted"} == {one, two} for _, one, two in differ)
        looks = ", ".join(f"{b}: {look['looks']}/{look['of_looks']}"
                          for b, look in adaptive["saving"]["looks"].items())  # fmt: skip
        told = "; ".join(f"{name}: {one}, {two}" for name, one, two in differ) or "none"
        print(f"| {seed} | {spent[0]:,} | {spent[1]:,} | {spent[0] / spent[1]:.2f}x | {looks} "
              f"| {told} |", flush=True)  # fmt: skip
    return 1 if contradicted else 0


def tokens(document: dict[str, Any]) -> int:
    """Tokens of the completions that a gate counted."""
    return sum(
        tally["tokens"]
        for problems in document["counts"].values()
        for roles in problems.values()
        for tally in roles.values()
    )


def differences(one: dict[str, Any], two: dict[str, Any]) -> list[tuple[str, str, str]]:
    """(claim, verdict, verdict) where the two gates differ."""
    of = [{(c["id"], c["k"]): c["verdict"] for c in d["claims"]} for d in (one, two)]
    names = {key: key[0] + (f" k={key[1]}" if key[1] else "") for key in of[0]}
    return [(names[key], of[0][key], of[1][key]) for key in of[0] if of[0][key] != of[1][key]]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--pair", default="base,rlvr")
    parser.add_argument("more", nargs="*", help="further pytest options, after --")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
