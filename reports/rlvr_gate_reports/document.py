"""The run as a JSON document: the same record always gives the same bytes.

Everything that may differ between two runs over the same samples (command, clock, host, how much
was drawn and how much reused) lives under the one key `run`; the rest depends on the samples and
the policy alone. `schema/gate-1.schema.json` describes the document.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib import resources

from rlvr_gate.gate.diagnosis import diagnosis
from rlvr_gate.gate.waivers import spelled
from rlvr_gate.records import (
    Benchmark,
    CheckpointFacts,
    CheckRow,
    ClaimRecord,
    Interval,
    Judgement,
    Paper,
    RunRecord,
    Saving,
    Tally,
)
from rlvr_gate.records.plain import told
from rlvr_gate_reports.reading import claim_order, role_order
from rlvr_gate_reports.results import REVISION, SCHEMA

__all__ = ["SCHEMA", "dumps", "schema", "to_document"]


def to_document(record: RunRecord) -> dict[str, object]:
    """The record as plain JSON values: dicts, lists, strings, finite numbers, None."""
    gate = record.gate
    return {
        "schema": SCHEMA,
        "revision": REVISION,
        "gate": {
            "state": str(gate.state),
            "exit_status": gate.exit_status,
            "deciding": list(gate.deciding),
            "policy": gate.policy,
            "error_control": told(gate.errors),
            "waivers": [{**told(use.waiver), "state": use.state} for use in gate.waivers],
            "checks": [_check(row) for row in gate.checks],
        },
        "diagnosis": [told(each) for each in diagnosis(record.claims)],
        "claims": [_claim(claim) for claim in sorted(record.claims, key=claim_order)],
        "samples": record.samples,
        "rounds": told(record.rounds),
        "saving": _saving(record.saving),
        "level": record.level,
        "seed": record.seed,
        "checkpoints": [_checkpoint(facts) for facts in record.checkpoints],
        "benchmarks": [_benchmark(benchmark) for benchmark in record.benchmarks],
        "asks": told(record.asks),
        "counts": {name: _counts(record.counts[name]) for name in sorted(record.counts)},
        "curves": {
            name: {role: told(record.curves[name][role]) for role in role_order(curves)}
            for name, curves in sorted(record.curves.items())
        },
        "every_k": {
            name: {role: told(curves[role]) for role in role_order(curves)}
            for name, curves in sorted(record.every_k.items())
        },
        "answers": {
            name: {problem: told(of) for problem, of in record.answers[name].items()}
            for name in sorted(record.answers)
        },
        "crossovers": {name: told(found) for name, found in sorted(record.crossovers.items())},
        "strata": {name: told(rows) for name, rows in sorted(record.strata.items())},
        "numbers": {name: told(rows) for name, rows in sorted(record.numbers.items())},
        "plane": told(record.plane),
        "promoted": {
            name: {problem: told(of) for problem, of in record.promoted[name].items()}
            for name in sorted(record.promoted)
        },
        "weights": {role: told(record.weights[role]) for role in role_order(record.weights)},
        "run": {
            "command": record.command,
            "created": record.created,
            "versions": dict(sorted(record.versions.items())),
            "seconds": told(dict(sorted(record.seconds.items()))),
            "sampled": dict(sorted(told(record.sampled).items())),
            "days_left": {spelled(use.waiver): use.days for use in gate.waivers},
            "beforehand": {
                "fixed": str(record.beforehand.fixed),
                "changed": list(record.beforehand.changed),
            },
        },
    }


def dumps(record: RunRecord) -> str:
    """The document as text: ASCII, one space of indentation, a newline at the end."""
    return json.dumps(to_document(record), indent=1, allow_nan=False) + "\n"


def schema() -> dict[str, object]:
    """The JSON Schema (draft 2020-12) of the document."""
    file = resources.files("rlvr_gate_reports") / "schema" / "gate-1.schema.json"
    loaded: dict[str, object] = json.loads(file.read_text("utf-8"))
    return loaded


def _check(row: CheckRow) -> dict[str, object]:
    return {
        "name": row.check.name,
        "claims": list(row.check.claims),
        "verdict": str(row.verdict),
        "missing": list(row.missing),
    }


def _claim(claim: ClaimRecord) -> dict[str, object]:
    deciding = claim.deciding
    return {
        "id": claim.id,
        "text": claim.text,
        "source": claim.source,
        "paper": _paper(claim.paper),
        "kind": str(claim.kind),
        "nodeid": claim.nodeid,
        "benchmark": claim.benchmark,
        "k": claim.k,
        "verdict": str(claim.verdict),
        "reason": claim.reason,
        "estimate": None if deciding is None else told(deciding.estimate),
        "interval": None if deciding is None else _interval(deciding.interval),
        "relation": None if deciding is None else deciding.relation,
        "threshold": None if deciding is None else told(deciding.threshold),
        "unit": None if deciding is None else str(deciding.unit),
        "skipped": claim.skipped,
        "margin": told(claim.margin),
        "p_value": told(claim.p_value),
        "adjusted_p": told(claim.adjusted_p),
        "n": None if deciding is None else deciding.n,
        "evidence": {} if deciding is None else told(deciding.evidence),
        "judgements": [_judgement(judgement) for judgement in claim.judgements],
    }


def _paper(paper: Paper | None) -> dict[str, object] | None:
    if paper is None:
        return None
    return {
        "found": str(paper.found),
        "said": paper.said,
        "threshold": str(paper.threshold),
        "differs": paper.differs,
    }


def _judgement(judgement: Judgement) -> dict[str, object]:
    return {
        "statement": judgement.statement,
        "verdict": str(judgement.verdict),
        "estimate": told(judgement.estimate),
        "interval": _interval(judgement.interval),
        "relation": judgement.relation,
        "threshold": told(judgement.threshold),
        "unit": str(judgement.unit),
        "p_value": told(judgement.p_value),
        "adjusted_p": told(judgement.adjusted_p),
        "target": judgement.target,
        "test": judgement.test,
        "benchmark": judgement.benchmark,
        "k": judgement.k,
        "n": judgement.n,
        "guaranteed": judgement.guaranteed,
        "evidence": told(judgement.evidence),
    }


def _saving(saving: Saving | None) -> dict[str, object] | None:
    return None if saving is None else {**told(saving), "looks": told(saving.looks)}


def _interval(interval: Interval) -> dict[str, object]:
    return {"low": told(interval.low), "high": told(interval.high), "level": interval.level}


def _checkpoint(facts: CheckpointFacts) -> dict[str, object]:
    return {
        "role": facts.role,
        "ref": facts.ref,
        "digest": facts.digest,
        "backend": facts.backend,
        "sampling": told(facts.sampling),
        "stop_ids": list(facts.stop_ids),
        "seed": facts.seed,
        "prompt_digests": dict(sorted(facts.prompt_digests.items())),
        "versions": dict(sorted(facts.versions.items())),
        "notes": list(facts.notes),
    }


def _benchmark(benchmark: Benchmark) -> dict[str, object]:
    return {
        "name": benchmark.name,
        "source": benchmark.source,
        "digest": benchmark.digest,
        "problems": len(benchmark.problems),
        "notes": list(benchmark.notes),
    }


def _counts(by_role: Mapping[str, Sequence[Tally]]) -> dict[str, object]:
    problems: dict[str, dict[str, object]] = {}
    for role in role_order(by_role):
        for tally in by_role[role]:
            problems.setdefault(tally.problem, {})[role] = {
                "n": tally.n,
                "correct": tally.correct,
                "unscored": tally.unscored,
                "truncated": tally.truncated,
                "duplicates": tally.duplicates,
                "tokens": tally.tokens,
            } | ({} if tally.rounds is None else {"most": tally.rounds.sizes[-1]})
    return dict(problems)
