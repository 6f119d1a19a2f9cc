"""References of the profile (claim D1), and how often its rule is right about each run left out.

    python studies/training_kinds.py [--store DIR] [--samples 2]

Asks D1 of every shipped checkpoint whose training is known, two completions a problem, and prints
the rows of `rlvr_gate/claims/profile/references.py` and the confusion table of docs/verdicts.md.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from rlvr_gate.claims.profile.rule import (
    KINDS,
    UNDECIDED,
    Features,
    Reference,
    confusion,
    left_out,
)

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = (
    ("step-8", "rlvr", "rlvr"),
    ("step-16", "rlvr", "rlvr"),
    ("step-20", "rlvr", "rlvr"),
    ("rlvr", "rlvr", "rlvr"),
    ("rlvr-adamw", "rlvr-adamw", "rlvr"),
    ("spurious", "spurious", "spurious"),
    ("sft-4", "sft", "sft"),
    ("sft-8", "sft", "sft"),
    ("sft", "sft", "sft"),
    ("sft-rlvr-optimizer", "sft-rlvr-optimizer", "sft"),
    ("distilled", "distilled", "distillation"),
)
"""Name, training run, kind of training."""
EARLY = ("sft-4", "sft-8")
"""Judged, and not fitted on."""


def main() -> None:
    """Measure, then print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", type=Path, default=Path(".rlvr-gate"))
    parser.add_argument("--samples", type=int, default=2)
    args = parser.parse_args()
    found = [
        Reference(
            name, run, kind, measured(name, args.store, args.samples), fits=name not in EARLY
        )
        for name, run, kind in SHIPPED
    ]
    print("\n".join(rows(found)), "\n")
    print("\n".join(table(found)), "\n")
    print("\n".join(f"{r.name} ({r.kind}): {said}" for r, said in left_out(found)))


def measured(name: str, store: Path, samples: int) -> Features:
    """What D1 reads of a checkpoint, from the run's document."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "gate.json")
        command = [
            sys.executable, "-m", "pytest", "suites/diagnosis", "--thorough", "-q",
            "--model-pair", f"base,{name}", f"--samples={samples}", f"--sample-store={store}",
            "--backend-option=threads=1", f"--gate-json={out}", "-p", "no:cacheprovider",
        ]  # fmt: skip
        subprocess.run(command, cwd=ROOT, check=False, stdout=subprocess.DEVNULL)
        document = json.loads(out.read_text("utf-8"))
    (claim,) = (claim for claim in document["claims"] if claim["id"] == "D1")
    _, _, unchanged, _, low, high, _, lowest, highest = claim["evidence"]["exhibits"][0]["rows"][0]
    return Features(
        round(unchanged, 4), (round(low, 4), round(high, 4)), (round(lowest, 4), round(highest, 4))
    )


def rows(references: list[Reference]) -> Iterator[str]:
    """As the package keeps them."""
    for r in references:
        f = r.features
        yield f'    _row("{r.name}", "{r.run}", {r.kind.upper()}, {f.unchanged}, {f.surprise}, '
        yield f"         {f.gain}{'' if r.fits else ', fits=False'}),"


def table(references: list[Reference]) -> Iterator[str]:
    """The confusion table as Markdown."""
    yield f"| trained by | {' | '.join((*KINDS, UNDECIDED))} |"
    yield "|---" * (len(KINDS) + 2) + "|"
    for row in confusion(references):
        yield f"| {' | '.join(map(str, row))} |"


if __name__ == "__main__":
    main()
