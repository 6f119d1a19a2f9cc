"""Nothing is drawn twice: a run killed and run again, given more tokens, then more samples.

    python studies/once.py
    python studies/once.py --pair BASE,RLVR --benchmark FILE -- --backend-option dtype=bfloat16

One store is filled in four runs of the gate: one that is killed (its whole group, by `kill -9`, as
soon as samples of the first checkpoint are stored), the same again to its end, the same with a
larger budget of tokens, the same with more samples. Another is filled by one undisturbed run of
the last settings. The four must have drawn as many tokens as the one, and every sample, text and
tokens, must be the one's. Of the killed run, what it had stored is counted; what was under way
when it died was never kept and is drawn again.
"""

from __future__ import annotations

import argparse
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import whole_gates

Sample = tuple[bytes, bytes, int]
"""The stream's key, the prompt's token ids, the sample's number."""
_DRAWS = (
    "SELECT streams.digest, prompts.token_ids, sample, bodies.token_ids, text FROM draws "
    "JOIN streams ON streams.id = stream JOIN prompts ON prompts.id = prompt "
    "JOIN bodies ON bodies.id = body"
)


def main() -> int:
    options = _options()
    (few, many), (short, long) = options.samples, options.budgets
    with tempfile.TemporaryDirectory(prefix="once-") as name:
        folder = Path(name)
        runs = Runs(folder, options)
        print("| run | samples | budget | tokens drawn | completions drawn, found |")
        print("|---|---|---|---|---|")
        grown = runs.killed("grown", few, short)
        grown += runs.whole("the same again", "grown", few, short)
        grown += runs.whole("more tokens", "grown", few, long)
        grown += runs.whole("more samples", "grown", many, long)
        alone = runs.whole("one run", "alone", many, long)
        other, count = differing(folder / "grown", folder / "alone")
    print(f"\ntokens: {grown:,} in four runs, {alone:,} in one")
    print(f"samples that differ: {other} of {count}")
    return 0 if grown == alone and count and not other else 1


class Runs:
    """Runs of the gate on stores in one folder."""

    def __init__(self, folder: Path, options: argparse.Namespace) -> None:
        self.folder, self.given = folder, options
        self.more = ["-k", "pass_at_k", *options.more]
        if options.benchmark is not None:
            few = options.benchmark.read_text("utf-8").splitlines(keepends=True)
            part = folder / options.benchmark.name
            part.write_text("".join(few[: options.problems]), "utf-8")
            self.more.append(f"--benchmarks={part}")

    def whole(self, name: str, store: str, samples: int, budget: int) -> int:
        """A run to its end; the tokens that it drew."""
        more = [*self.more, f"--max-new-tokens={budget}"]
        document, _ = whole_gates.run(self.given.pair, str(samples), self.folder / store, more)
        sampled = document["run"]["sampled"]
        tell(name, samples, budget, sampled["tokens"],
             f"{sampled['completions']:,}, {sampled['reused']:,}")  # fmt: skip
        return int(sampled["tokens"])

    def killed(self, store: str, samples: int, budget: int) -> int:
        """A run that ends once something is stored; the tokens of that.

        Raises:
            SystemExit: it was over before.
        """
        place = self.folder / store
        more = [*self.more, f"--max-new-tokens={budget}"]
        with subprocess.Popen(
            whole_gates.command(self.given.pair, str(samples), place, more),
            cwd=whole_gates.ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as run:  # fmt: skip
            while run.poll() is None and not tokens(place)[0]:
                time.sleep(0.02)
            if run.poll() is not None:
                raise SystemExit(f"the run was over before it was killed: status {run.returncode}")
            os.killpg(run.pid, signal.SIGKILL)
        count, drawn = tokens(place)
        tell("killed", samples, budget, drawn, f"{count:,}, 0")
        return drawn


def tell(name: str, samples: int, budget: int, drawn: int, completions: str) -> None:
    print(f"| {name} | {samples} | {budget} | {drawn:,} | {completions} |", flush=True)


def tokens(store: Path) -> tuple[int, int]:
    """Completions in a store and their tokens, read beside whoever writes it."""
    try:
        ((count, total),) = rows(store, "SELECT count(*), total(tokens) FROM draws")
    except sqlite3.OperationalError:
        return 0, 0  # it is being made
    return count, int(total)


def differing(one: Path, two: Path) -> tuple[int, int]:
    """How many samples of the second store the first has otherwise or not, and of how many."""
    ours, theirs = (samples_of(store) for store in (one, two))
    return sum(ours.get(key) != body for key, body in theirs.items()), len(theirs)


def samples_of(store: Path) -> dict[Sample, tuple[bytes, bytes]]:
    """Token ids and text of every completion, as they are packed."""
    found = rows(store, _DRAWS)
    return {(digest, ids, sample): (body, text) for digest, ids, sample, body, text in found}


def rows(store: Path, query: str) -> list[tuple[object, ...]]:
    uri = f"{(store / 'samples.sqlite').absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True, timeout=5)) as db:
        return db.execute(query).fetchall()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pair", default="base,rlvr", help="as --model-pair")
    parser.add_argument("--benchmark", type=Path, help="a JSONL file of problems")
    parser.add_argument("--problems", type=int, default=12, help="so many lines of that file")
    parser.add_argument("--samples", type=int, nargs=2, default=(2, 4))
    parser.add_argument("--budgets", type=int, nargs=2, default=(16, 40))
    parser.add_argument("more", nargs="*", help="further pytest options, after --")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
