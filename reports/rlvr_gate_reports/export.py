"""A run's numbers in the formats of others: model cards, the Hub's evaluation results, CTRF.

Strings are written as JSON, which YAML reads as it is: nothing of a name becomes structure.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from rlvr_gate.gate.decide import name
from rlvr_gate.records import (
    ClaimRecord,
    CurvePoint,
    GateState,
    Judgement,
    Kind,
    RunRecord,
    Verdict,
)
from rlvr_gate.records.plain import told
from rlvr_gate.visible import one_line
from rlvr_gate_reports import decision, words
from rlvr_gate_reports.reading import benchmark_names, claim_order
from rlvr_gate_reports.results import Result

Datasets = Mapping[str, str]
"""benchmark -> id of its data set on the Hub, with `:TASK` where it has several."""


def model_index(result: Result, datasets: Datasets) -> str:
    """The `model-index` of a model card: pass@k of rlvr at the smallest and the largest k."""
    record = result.record
    lines = ["model-index:", f"- name: {_quoted(_rlvr(record))}", "  results:"]
    for benchmark, points in _ends(record):
        dataset = datasets.get(benchmark, benchmark)
        lines += [
            "  - task:",
            "      type: text-generation",
            "    dataset:",
            f"      name: {_quoted(benchmark)}",
            f"      type: {_quoted(dataset.partition(':')[0])}",
            "    metrics:",
        ]
        for point in points:
            lines += [
                f"    - type: pass@{point.k:g}",
                f"      name: {_quoted(_said(point, record))}",
                f"      value: {point.value:.6g}",
            ]
    return "\n".join([*lines, ""])


def eval_results(result: Result, datasets: Datasets) -> str:
    """A file of a model's `.eval_results`: an entry for each benchmark, its accuracy (pass@1).

    Raises:
        ValueError: a benchmark has no data set on the Hub.
    """
    record, lines = result.record, list[str]()
    for benchmark, points in _ends(record):
        if benchmark not in datasets:
            raise ValueError(
                f"which data set on the Hub is {benchmark!r}? "
                f"give --dataset {benchmark}=OWNER/NAME"
            )
        dataset, _, task = datasets[benchmark].partition(":")
        lines += [
            "- dataset:",
            f"    id: {_quoted(dataset)}",
            f"    task_id: {_quoted(task or 'default')}",
            f"  value: {100 * points[0].value:.6g}",
            f"  date: {_quoted(record.created[:10])}",
            f"  notes: {_quoted(f'{_said(points[0], record)}; rlvr-gate')}",
        ]
    return "\n".join([*lines, ""])


def ctrf(result: Result, datasets: Datasets) -> str:
    """The Common Test Report Format: the gate and every claim as tests."""
    record = result.record
    claims = sorted(record.claims, key=claim_order)
    tests = [_gate(record), *map(_test, claims)]
    kinds = [test["status"] for test in tests]
    at = _milliseconds(record)
    summary = {"tests": len(tests)} | {
        kind: kinds.count(kind) for kind in ("passed", "failed", "pending", "skipped", "other")
    }
    document = {
        "reportFormat": "CTRF",
        "specVersion": "0.0.0",
        "generatedBy": "rlvr-gate",
        "results": {
            "tool": {"name": "rlvr-gate"},
            "summary": summary | {"start": at, "stop": at},
            "tests": tests,
        },
    }
    return json.dumps(document, indent=1, allow_nan=False) + "\n"


FORMATS: Mapping[str, Callable[[Result, Datasets], str]] = {
    "ctrf": ctrf,
    "eval-results": eval_results,
    "model-index": model_index,
}


def _gate(record: RunRecord) -> dict[str, object]:
    told = decision.of(record)
    opened = record.gate.state is GateState.OPEN
    return {
        "name": "gate",
        "status": "passed" if opened else "failed",
        "duration": 0,
        "message": one_line(f"{told.headline}: {told.reason} {' '.join(told.trade)}"),
        "extra": {"state": str(record.gate.state), "exit_status": record.gate.exit_status},
    }


def _test(claim: ClaimRecord) -> dict[str, object]:
    """A finding never fails: refuted, it is `other`."""
    judgement = claim.deciding
    status = "passed" if claim.verdict is Verdict.HOLDS else "other"
    if claim.kind is Kind.GATE and claim.verdict is not Verdict.HOLDS:
        status = "failed"
    numbers = {} if judgement is None else _numbers(judgement)
    return {
        "name": one_line(f"{name(claim)}: {claim.text}"),
        "status": "skipped" if claim.skipped else status,
        "duration": 0,
        "message": one_line(words.because(claim)),
        "suite": [str(claim.kind)],
        "extra": {"verdict": str(claim.verdict), **told(numbers)},
    }


def _numbers(judgement: Judgement) -> dict[str, object]:
    """What a comparison found and needs; None for what was not measured."""
    bounds, measured = judgement.interval, judgement.estimate is not None
    return {
        "estimate": judgement.estimate,
        "low": bounds.low if measured else None,
        "high": bounds.high if measured else None,
        "relation": judgement.relation,
        "threshold": judgement.threshold,
        "unit": judgement.unit,
    }


def _milliseconds(record: RunRecord) -> int:
    try:
        return int(1_000 * datetime.fromisoformat(record.created).timestamp())
    except (ValueError, OverflowError):
        return 0


def _ends(record: RunRecord) -> Iterator[tuple[str, list[CurvePoint]]]:
    """rlvr's points at the smallest and the largest k, of each benchmark that has them."""
    for benchmark in benchmark_names(record):
        points = sorted(record.curves.get(benchmark, {}).get("rlvr", ()), key=lambda p: p.k)
        if points:
            yield benchmark, list(dict.fromkeys((points[0], points[-1])))


def _said(point: CurvePoint, record: RunRecord) -> str:
    return (
        f"pass@{point.k:g}, {words.level(record.level)} interval {words.number(point.low)} to "
        f"{words.number(point.high)}, {record.samples} samples per problem"
    )


def _rlvr(record: RunRecord) -> str:
    return next((c.ref for c in record.checkpoints if c.role == "rlvr"), "rlvr")


def _quoted(text: str) -> str:
    return json.dumps(one_line(text))
