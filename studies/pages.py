"""Large reports: bytes, elements, and how soon a browser has them.

    python studies/pages.py [--benchmarks 4] [--problems 1000] [--out FOLDER]

The runs are invented in memory: seeded counts, and completions that read like worked solutions.
A browser is asked where there is one (Chromium, by its DevTools protocol).
"""

from __future__ import annotations

import argparse
import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "reports"))

from browser import EXECUTABLE, Browser
from conftest import run

from rlvr_gate.records import Answered, Example, FinishReason, Grade, RunRecord
from rlvr_gate_reports import html
from rlvr_gate_reports.write import write_text

_SAID = (
    "so we have that the number of ways is equal to and then this gives us a total because each "
    "value must be even odd prime factor first second term sum product divide both sides by let x "
    "denote since it follows therefore check again by trying small cases which means there are no "
    "other solutions except when subtract multiply simplify expand square root triangle"
)
_WORDS = _SAID.split()


def solution(rng: random.Random, plan: list[str], characters: int) -> str:
    """A worked solution that takes most of its steps from the problem's plan."""
    said: list[str] = []
    length = 0
    while length < characters:
        own = " ".join(rng.choices(_WORDS, k=9))
        step = rng.choice(plan) if rng.random() < 0.6 else f"{own} {rng.randint(2, 999)}."
        said.append(step)
        length += len(step) + 1
    return " ".join(said)[:characters]


def examples(rng: random.Random, each: int, characters: int) -> Iterator[Example]:
    """Completions of one checkpoint to one problem."""
    plan = [
        f"Step {n}: {' '.join(rng.choices(_WORDS, k=10))} {rng.randint(2, 999)}."
        for n in range(25)
    ]
    for sample in range(each):
        text = solution(rng, plan, characters)
        yield Example(sample, text, Grade.WRONG, str(sample), FinishReason.STOP, -12.5)


def large(benchmarks: int, problems: int, shown: int = 8, characters: int = 1_500) -> RunRecord:
    """A run of so many benchmarks of so many problems, 256 samples of each, both checkpoints."""
    rng = random.Random(5)
    one = run("open", problems=problems, shown=0)
    names = [f"bench-{n}" for n in range(benchmarks)]
    asked, counts, curves = (
        one.problems["countdown"], one.counts["countdown"], one.curves["countdown"]
    )  # fmt: skip
    texts = {
        name: {
            p.id: {role: tuple(examples(rng, shown, characters)) for role in ("base", "rlvr")}
            for p in asked
        }
        for name in names
    }
    given = tuple(Answered(str(n), 40 - n, Grade.WRONG) for n in range(8))
    claims = [
        replace(c, benchmark=name, nodeid=f"{c.nodeid}[{name}]")
        for name in names for c in one.claims * 3 if c.benchmark
    ]  # fmt: skip
    return replace(
        one,
        claims=[replace(c, id=f"{c.id}{n}") for n, c in enumerate(claims)],
        counts=dict.fromkeys(names, counts),
        problems=dict.fromkeys(names, asked),
        curves=dict.fromkeys(names, curves),
        crossovers=dict.fromkeys(names, one.crossovers["countdown"]),
        strata=dict.fromkeys(names, one.strata["countdown"]),
        benchmarks=[replace(one.benchmarks[0], name=name) for name in names],
        examples=texts,
        answers={n: {p.id: {"base": given, "rlvr": given} for p in asked} for n in names},
    )


def measured(page: Path) -> str:
    """What a browser says of a page: paint and readiness in ms, elements."""
    with tempfile.TemporaryDirectory() as profile:
        browser = Browser(Path(profile))
        browser.open(page)
        browser.until("performance.getEntriesByName('first-contentful-paint').length")
        said = browser.js(
            "(p => [performance.getEntriesByName('first-contentful-paint')[0].startTime,"
            " p.domContentLoadedEventEnd, p.loadEventEnd,"
            " document.getElementsByTagName('*').length])"
            "(performance.getEntriesByType('navigation')[0])"
        )
        start = time.monotonic()
        browser.js("location.hash = 'b0p7'")
        browser.until("document.querySelector('.problem-page pre.prompt')")
        opened = 1_000 * (time.monotonic() - start)
        complaints = browser.complaints
        browser.close()
    return (
        f"first paint {said[0]:.0f} ms, usable {said[1]:.0f} ms, loaded {said[2]:.0f} ms, "
        f"{said[3]:,} elements, a problem opens in {opened:.0f} ms, {len(complaints)} complaints"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--benchmarks", type=int, nargs="*", default=[1, 4])
    parser.add_argument("--problems", type=int, default=1_000)
    parser.add_argument("--out", type=Path, default=None)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for benchmarks in options.benchmarks:
            record = large(benchmarks, options.problems)
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            page = (options.out or Path(folder)) / f"large-{benchmarks}.html"
            start = time.monotonic()
            write_text(page, html.pieces(record))
            took = time.monotonic() - start
            grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
            print(
                f"{benchmarks} x {options.problems:,} problems: "
                f"{page.stat().st_size / 1e6:.1f} MB in {took:.1f} s, "
                f"{grown / 1024:.0f} MiB beyond the record's "
                f"{before / 1024:.0f} MiB",
                flush=True,
            )
            print(f"  {measured(page) if EXECUTABLE else 'no browser here'}", flush=True)


if __name__ == "__main__":
    main()
