"""Commands that read results: explain, compare, export, forecast, show the schema."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from rlvr_gate.gate.decide import name
from rlvr_gate.gate.explain import explain
from rlvr_gate.records import PAIR, ClaimRecord
from rlvr_gate.visible import for_log
from rlvr_gate_reports import beside, comparison, export, results
from rlvr_gate_reports.results import ResultError
from rlvr_gate_reports.write import ReportError, write_text

_MOST_RUNS = 100_000


def add(commands: Any) -> None:
    """Add them to the parser of `rlvr-gate`."""
    explaining = commands.add_parser(
        "explain",
        help="say what a claim of a finished run found, and why",
        description="Explain a claim from the JSON report of a run, without the run: its numbers, "
        "what it was held against, what stands beside it.",
    )
    explaining.add_argument("result", metavar="RESULT.json", type=Path)
    explaining.add_argument("claim", metavar="CLAIM", nargs="?", help="an id; left out: all ids")
    comparing = commands.add_parser(
        "compare",
        help="hold runs against each other, verdict changes first",
        description="Compare JSON reports: yesterday's against today's, or several candidates. "
        "The first is what the others are held against.",
    )
    comparing.add_argument("results", metavar="RESULT.json", type=Path, nargs="+")
    comparing.add_argument("--report", metavar="FILE", type=Path, help="an HTML page as well")
    exporting = commands.add_parser(
        "export",
        help="write a run's pass@k for a model card or a leaderboard",
        description="Export pass@k of the rlvr checkpoint from a JSON report: `model-index` is "
        "YAML for a model card's metadata, `eval-results` a file of a model's .eval_results, "
        "`ctrf` the gate and all claims in the Common Test Report Format.",
    )
    exporting.add_argument("result", metavar="RESULT.json", type=Path)
    exporting.add_argument("format", choices=sorted(export.FORMATS))
    exporting.add_argument(
        "--dataset", metavar="BENCHMARK=OWNER/NAME[:TASK]", action="append", default=[],
        help="a benchmark's data set on the Hub; eval-results needs one for each",
    )  # fmt: skip
    testing = commands.add_parser(
        "selftest",
        help="say how often this gate errs on your counts, and what it can see",
        description="Split base's samples of a JSON report into two runs of one model, again and "
        "again: whatever the gate decides about them is wrong. Drops and rises of 1 to 5 points "
        "are planted for its power. Where base was drawn twice (--self-test, a pair of one "
        "checkpoint, or a second report of the same base, of another seed or session), runs are "
        "as large as yours, and the noise between sessions is told as a minimum effect for K1.",
    )
    testing.add_argument("result", metavar="RESULT.json", type=Path)
    testing.add_argument("again", metavar="OTHER.json", type=Path, nargs="?")
    testing.add_argument("--runs", type=_runs, default=200, help="how many splits (default: 200)")
    testing.add_argument("--seed", type=int, default=0, help="of the splits (default: 0)")
    testing.add_argument(
        "--margin", type=float, default=0.02, help="of C1, as a fraction (default: 0.02)"
    )
    forecasting = commands.add_parser(
        "forecast",
        help="say what pass@k may be beyond the samples of a finished run",
        description="Would more samples change the answer? The difference in pass@k at a K of any "
        "size, from the counts of a JSON report: a planning answer with an interval, never a "
        "verdict. Some seconds for each K and benchmark.",
    )
    forecasting.add_argument("result", metavar="RESULT.json", type=Path)
    forecasting.add_argument("k", metavar="K", type=int, nargs="+", help="e.g. 512 1024")
    commands.add_parser(
        "schema", help="print the JSON Schema of --gate-json", description="Print the schema."
    )


def run(options: argparse.Namespace) -> int:
    """Run one of them; 0 where it did all it was asked, 1 with a sentence where it did not."""
    try:
        _COMMANDS[options.command](options)
    except (ResultError, ReportError, ValueError) as error:
        sys.stderr.write(f"{for_log(f'rlvr-gate {options.command}: {error}')}\n")
        return 1
    return 0


def _explain(options: argparse.Namespace) -> None:
    result = results.read(options.result)
    chosen = [
        (claim, evidence)
        for claim, evidence in zip(result.record.claims, result.evidence, strict=True)
        if options.claim in (claim.id, name(claim))
    ]
    if not chosen:
        known = list(dict.fromkeys(claim.id for claim in result.record.claims))
        if options.claim is None:
            _print(known)
            return
        raise ValueError(
            f"no claim {options.claim!r} in {options.result}; there are {', '.join(known)}"
        )
    for claim, evidence in chosen:
        _print(_told(claim, evidence))


def _told(claim: ClaimRecord, evidence: Mapping[str, object]) -> list[str]:
    return [*explain(claim), *beside.lines(evidence)]


def _compare(options: argparse.Namespace) -> None:
    found = comparison.compare([results.read(path) for path in options.results])
    _print(comparison.lines(found))
    if options.report:
        from rlvr_gate_reports import html

        write_text(options.report, html.comparison(found))


def _export(options: argparse.Namespace) -> None:
    datasets = dict(map(_dataset, options.dataset))
    sys.stdout.write(export.FORMATS[options.format](results.read(options.result), datasets))


def _forecast(options: argparse.Namespace) -> None:
    from rlvr_gate.judging.forecasting import forecast

    counts = results.read(options.result).record.counts
    pairs = {benchmark: of for benchmark, of in counts.items() if {*PAIR} <= of.keys()}
    if not pairs:
        raise ValueError(f"{options.result} holds no counts of base and rlvr")
    for benchmark, of in pairs.items():
        for k in options.k:
            _print([f"{benchmark}: {forecast(of['base'], of['rlvr'], k).words}"])


def _dataset(given: str) -> tuple[str, str]:
    benchmark, equals, dataset = given.rpartition("=")
    if not (equals and benchmark and dataset):
        raise ValueError(f"expected --dataset BENCHMARK=OWNER/NAME[:TASK], got {given!r}")
    return benchmark, dataset


def _selftest(options: argparse.Namespace) -> None:
    from rlvr_gate_reports import selftest

    again = None if options.again is None else results.read(options.again).record
    record = results.read(options.result).record
    _print(
        selftest.lines(record, again, runs=options.runs, seed=options.seed, margin=options.margin)
    )


def _runs(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= _MOST_RUNS:
        raise argparse.ArgumentTypeError(f"expected a number from 1 to {_MOST_RUNS}, got {text!r}")
    return int(text)


def _schema(options: argparse.Namespace) -> None:
    from rlvr_gate_reports import document

    sys.stdout.write(json.dumps(document.schema(), indent=2) + "\n")


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        sys.stdout.write(f"{for_log(line)}\n")


_COMMANDS: Mapping[str, Callable[[argparse.Namespace], None]] = {
    "explain": _explain,
    "compare": _compare,
    "export": _export,
    "forecast": _forecast,
    "schema": _schema,
    "selftest": _selftest,
}
