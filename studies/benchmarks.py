"""Every benchmark of a folder loaded, and one run of the shipped pair on each.

    python studies/benchmarks.py --data PATH          # all of them
    python studies/benchmarks.py --data PATH aime24   # one

The shipped pair was trained on countdown texts of 160 tokens: it solves next to nothing here, and
its context is too short for most prompts. The copies that run have the same weights under a
configuration with room for 8,192 tokens (rotary positions need no table): what is shown is that
each benchmark is read, drawn, graded, judged and reported to the end, not what the pair can do.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rlvr_gate_fixtures.inputs.benchmarks import load
from rlvr_gate_fixtures.inputs.checkpoints import REGISTRY

ROOT = Path(__file__).parents[1]
CONTEXT = 8192
FILES = {
    # name: file, problems asked
    "aime24": ("aime24.jsonl", 30),
    "aime25": ("aime25.jsonl", 30),
    "amc23": ("amc23.jsonl", 40),
    "math500": ("math500.jsonl", 500),
    "minerva": ("minerva_math.jsonl", 272),
    "olympiadbench": ("olympiadbench.jsonl", 675),
    "gsm8k": ("gsm8k.jsonl", 1319),
    "humaneval": ("HumanEval.jsonl.gz", 164),
    "mbpp": ("mbpp.jsonl", 500),
    "mbpp-plus": ("mbppplus.jsonl", 378),
}


def main() -> None:
    options = _options()
    print("| benchmark | problems | verifier | base correct | rlvr correct | unscored | seconds |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        pair = ",".join(str(_copy(name, Path(folder))) for name in ("base", "rlvr"))
        for name in options.names or FILES:
            file, expected = FILES[name]
            spec = f"{name}?file={options.data / 'problems' / file}"
            benchmark = load(spec)
            if len(benchmark.problems) != expected:
                sys.exit(f"{name}: {len(benchmark.problems)} problems, expected {expected}")
            verifiers = ", ".join(sorted({p.verifier for p in benchmark.problems}))
            print(f"| {name} | {expected:,} | {verifiers} | {_run(spec, pair, Path(folder))} |")
            sys.stdout.flush()


def _copy(name: str, folder: Path) -> Path:
    """A shipped checkpoint with room for long prompts."""
    copy = folder / name
    shutil.copytree(REGISTRY / name, copy)
    config = json.loads((copy / "config.json").read_text("utf-8"))
    config["max_position_embeddings"] = CONTEXT
    (copy / "config.json").write_text(json.dumps(config), "utf-8")
    return copy


def _run(spec: str, pair: str, folder: Path) -> str:
    """One completion of each problem from both, through the door that users take."""
    started, report = time.monotonic(), folder / "gate.json"
    report.unlink(missing_ok=True)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--model-pair", pair,
         f"--benchmarks={spec}", "--samples=1", "--max-new-tokens=24", f"--gate-json={report}",
         f"--sample-store={folder / 'store'}", "--backend-option=threads=1",
         "suites/capability/test_pass_at_k.py", "-k", "test_pass_at_1_rises"],
        cwd=ROOT, check=False, capture_output=True, text=True,
    )  # fmt: skip
    if not report.exists():
        sys.exit(done.stdout[-3000:] + done.stderr[-3000:])
    (counts,) = json.loads(report.read_text("utf-8"))["counts"].values()
    told = [
        sum(each[role][what] for each in counts.values())
        for role, what in (("base", "correct"), ("rlvr", "correct"))
    ]
    unscored = sum(each[role]["unscored"] for each in counts.values() for role in ("base", "rlvr"))
    return f"{told[0]} | {told[1]} | {unscored} | {time.monotonic() - started:.0f}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="Folder of reference data")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"Some of {', '.join(FILES)}")
    return parser.parse_args()


if __name__ == "__main__":
    main()
