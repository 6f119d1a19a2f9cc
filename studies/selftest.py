"""Ask the gate about itself: A/A runs for false alarms, a known difference for power.

Every run is a whole gate through the command line, with seeds of its own, on real checkpoints:

    python studies/selftest.py --runs 20 --samples 64

A/A pairs a checkpoint with itself under another seed, so every `holds` of a claim that RLVR
changed something is a false alarm, and so is every `refuted` of a claim that it did not. The
second pair differs for real: how often K1 holds there is the gate's power at this n.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

import whole_gates

from rlvr_gate.stats.proportions import proportion_interval

VERDICTS = ("holds", "refuted", "undecided", "not comparable")


def main() -> int:
    options = _options()
    seen_false, tables = 0, []
    for title, pair in (("A/A", options.same), ("power", options.different)):
        if pair == "none":
            continue
        verdicts, exits = run_gates(pair, options)
        tables.append(
            table(f"{title}: {pair}, {options.runs} runs, n={options.samples}", verdicts)
        )
        tables.append(f"exit statuses: {dict(sorted(exits.items()))}\n")
        if title == "A/A":
            seen_false = verdicts["K1"]["holds"]
    print("\n".join(tables))
    bound = (1 - options.level) / 2
    low = proportion_interval(seen_false, options.runs, level=0.95).low
    print(f"K1 held falsely in {seen_false} of {options.runs} A/A runs; stated bound {bound:.3f}")
    return 1 if low > bound else 0


def run_gates(
    pair: str, options: argparse.Namespace
) -> tuple[dict[str, Counter[str]], Counter[int]]:
    """Verdicts of every claim, and exit statuses, over runs with disjoint random streams."""
    verdicts: dict[str, Counter[str]] = {}
    exits: Counter[int] = Counter()
    for run in range(options.runs):
        seed = 2 * run  # an A/A run uses the next seed as well
        more = [f"--sample-seed={seed}", *options.more]
        document, status = whole_gates.run(pair, str(options.samples), options.store, more)
        whole_gates.forget(options.store)  # every seed is a run of its own here
        exits[status] += 1
        for claim in document["claims"]:
            name = f"{claim['id']} k={claim['k']}" if claim["k"] else claim["id"]
            verdicts.setdefault(name, Counter())[claim["verdict"]] += 1
        print(f"{pair} seed {seed}: exit {status}", file=sys.stderr)
    return verdicts, exits


def table(title: str, verdicts: dict[str, Counter[str]]) -> str:
    """A Markdown table of verdict counts."""
    lines = [f"### {title}", "", "| claim | " + " | ".join(VERDICTS) + " |",
             "|---|" + "---|" * len(VERDICTS)]  # fmt: skip
    for name, counts in sorted(verdicts.items()):
        lines.append(f"| {name} | " + " | ".join(str(counts[v]) for v in VERDICTS) + " |")
    return "\n".join([*lines, ""])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--samples", type=int, default=64)
    parser.add_argument("--same", default="base,base", help="the A/A pair")
    parser.add_argument("--different", default="base,rlvr", help="a pair that differs, or none")
    parser.add_argument("--level", type=float, default=0.95, help="level of the policy")
    parser.add_argument("--store", type=Path, default=".rlvr-gate/selftest")
    parser.add_argument("more", nargs="*", help="further pytest options, after --")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
