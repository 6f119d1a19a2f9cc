"""A run read back from its JSON report: as much of the record as the document tells.

Of what stands beside a verdict comes back what the decision's sentences say, all of it as plain
values (`Result.evidence`); prompts and completions are not in the document. Everything is checked
for its type and bounded: the file may be anybody's.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from rlvr_gate.gate.waivers import spelled
from rlvr_gate.records import (
    Beforehand,
    Benchmark,
    Check,
    CheckpointFacts,
    CheckRow,
    ClaimRecord,
    Crossover,
    CurvePoint,
    ErrorControl,
    Evidence,
    GateResult,
    GateState,
    Interval,
    Judgement,
    Kind,
    NewWork,
    Problem,
    Rounds,
    RunRecord,
    Sampling,
    Side,
    Tally,
    Unit,
    Verdict,
    Waiver,
    WaiverUse,
    WouldDecide,
)
from rlvr_gate.records.plain import Malformed, unpacked

_MOST_BYTES = 1 << 28
SCHEMA = "rlvr-gate/gate-1"
"""Names the document's shape; another number means that a reader must be changed."""
REVISION = 2
"""Counts additions to the shape. A document of the first one says none; any one is read."""

T = TypeVar("T")


class ResultError(ValueError):
    """A file is no JSON report of ours; the message says which, and what was expected."""


@dataclass(frozen=True, slots=True)
class Result:
    """One run, and what the document says beside its claims."""

    name: str
    """File name without its ending."""
    record: RunRecord
    evidence: Sequence[Mapping[str, object]]
    """Of each claim, in the record's order."""


def read(path: Path) -> Result:
    """Read a JSON report.

    Raises:
        ResultError: it cannot be read, is too large, or is no report of this version.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            raise ResultError(f"{path}: larger than {_MOST_BYTES:,} bytes, so it is no report")
        document = json.loads(data)
    except OSError as error:
        raise ResultError(f"{path}: cannot be read ({error.strerror or error})") from None
    except (ValueError, RecursionError) as error:
        if isinstance(error, ResultError):
            raise
        raise ResultError(f"{path}: no JSON ({str(error)[:200]})") from None
    found = document.get("schema") if isinstance(document, dict) else None
    if found != SCHEMA:
        raise ResultError(
            f"{path}: expected a report that --gate-json wrote (schema {SCHEMA!r}), "
            f"got {str(found)[:80]!r}"
        )
    try:
        evidence = [dict(claim["evidence"]) for claim in document["claims"]]
        return Result(path.stem, _record(document), evidence)
    except (Malformed, KeyError, TypeError, ValueError, AttributeError) as error:
        why = f"{type(error).__name__}: {str(error)[:200]}"
        raise ResultError(f"{path}: not as its schema says ({why})") from None


def _record(document: Mapping[str, Any]) -> RunRecord:
    run = document["run"]
    adaptive = document.get("rounds")
    rounds = None if adaptive is None else unpacked(Rounds, adaptive)
    return RunRecord(
        gate=_gate(document["gate"], run.get("days_left", {})),
        claims=[_claim(claim) for claim in document["claims"]],
        counts=_each(document["counts"], lambda of: _counts(of, rounds)),
        problems=_each(document["counts"], lambda of: [_problem(name) for name in of]),
        examples={},
        checkpoints=[_checkpoint(facts) for facts in document["checkpoints"]],
        benchmarks=[_benchmark(benchmark) for benchmark in document["benchmarks"]],
        weights={},
        curves=_each(document["curves"], _curves),
        crossovers=_each(document.get("crossovers", {}), _crossover),
        every_k=_each(document.get("every_k", {}), _curves),
        versions=_each(run["versions"], str),
        command=str(run["command"]),
        created=str(run["created"]),
        seconds=_each(run["seconds"], float),
        sampled=NewWork(),
        samples=int(document["samples"]),
        level=float(document["level"]),
        seed=int(document["seed"]),
        rounds=rounds,
        beforehand=_beforehand(run.get("beforehand")),
    )


def _beforehand(told: Mapping[str, Any] | None) -> Beforehand:
    return Beforehand() if told is None else unpacked(Beforehand, told)


def _gate(gate: Mapping[str, Any], days: Mapping[str, Any]) -> GateResult:
    errors = gate.get("error_control")
    return GateResult(
        GateState(gate["state"]),
        int(gate["exit_status"]),
        tuple(map(str, gate["deciding"])),
        str(gate["policy"]),
        None if errors is None else unpacked(ErrorControl, errors),
        tuple(_waiver(use, days) for use in gate.get("waivers", ())),
        tuple(map(_check, gate.get("checks", ()))),
    )


def _check(row: Mapping[str, Any]) -> CheckRow:
    check = Check(str(row["name"]), tuple(map(str, row["claims"])))
    return CheckRow(check, Verdict(row["verdict"]), tuple(map(str, row["missing"])))


def _waiver(use: Mapping[str, Any], days: Mapping[str, Any]) -> WaiverUse:
    waiver = unpacked(Waiver, {key: value for key, value in use.items() if key != "state"})
    return WaiverUse(waiver, str(use["state"]), _whole(days.get(spelled(waiver))))


def _claim(claim: Mapping[str, Any]) -> ClaimRecord:
    return ClaimRecord(
        id=str(claim["id"]),
        text=str(claim["text"]),
        source=str(claim["source"]),
        kind=Kind(claim["kind"]),
        nodeid=str(claim["nodeid"]),
        benchmark=_text(claim["benchmark"]),
        k=_whole(claim["k"]),
        margin=_number(claim["margin"]),
        verdict=Verdict(claim["verdict"]),
        judgements=tuple(map(_judgement, claim["judgements"])),
        reason=str(claim["reason"]),
        skipped=bool(claim.get("skipped", False)),
        p_value=claim.get("p_value"),
        adjusted_p=claim.get("adjusted_p"),
    )


def _judgement(judgement: Mapping[str, Any]) -> Judgement:
    bounds = judgement["interval"]
    return Judgement(
        statement=str(judgement["statement"]),
        verdict=Verdict(judgement["verdict"]),
        estimate=None if judgement["estimate"] is None else _number(judgement["estimate"]),
        interval=Interval(
            _number(bounds["low"], -math.inf), _number(bounds["high"], math.inf),
            float(bounds["level"]),
        ),
        threshold=_number(judgement["threshold"]),
        relation=str(judgement["relation"]),
        benchmark=_text(judgement["benchmark"]),
        k=_whole(judgement["k"]),
        n=_whole(judgement["n"]),
        p_value=judgement.get("p_value"),
        guaranteed=bool(judgement.get("guaranteed", False)),
        test=str(judgement.get("test", "")),
        target=str(judgement.get("target", "population")),
        adjusted_p=judgement.get("adjusted_p"),
        unit=str(judgement.get("unit", Unit.NUMBER)),
        evidence=_evidence(judgement["evidence"]),
    )  # fmt: skip


def _evidence(evidence: Mapping[str, Any]) -> Evidence:
    sides, decided = evidence.get("curves"), evidence.get("would decide")
    return Evidence(
        sides=None if sides is None else tuple(map(_side, sides)),
        incomparable=tuple(map(str, evidence.get("not comparable", ()))),
        would_decide=None if decided is None else unpacked(WouldDecide, decided),
    )


def _side(side: Mapping[str, Any]) -> Side:
    value, low, high = (_number(side[key]) for key in ("value", "low", "high"))
    return Side(str(side["role"]), str(side["label"]), value, low, high)


def _crossover(found: Mapping[str, Any]) -> Crossover:
    last = found.get("last lead", found.get("last_lead"))
    rest = {key: value for key, value in found.items() if key not in ("last lead", "last_lead")}
    return unpacked(Crossover, {**rest, "last_lead": last})


def _counts(problems: Mapping[str, Any], rounds: Rounds | None) -> dict[str, list[Tally]]:
    found: dict[str, list[Tally]] = {}
    for problem, roles in problems.items():
        for role, counts in roles.items():
            found.setdefault(role, []).append(_tally(problem, dict(counts), rounds))
    return found


def _tally(problem: str, counts: dict[str, Any], rounds: Rounds | None) -> Tally:
    most = counts.pop("most", None)
    tally = unpacked(Tally, {**counts, "problem": problem})
    if most is None or rounds is None:
        return tally
    sizes = tuple(size for size in rounds.sizes if size <= most)
    return replace(tally, rounds=Rounds(sizes, rounds.target))


def _curves(roles: Mapping[str, Any]) -> dict[str, list[CurvePoint]]:
    return _each(roles, lambda points: [unpacked(CurvePoint, point) for point in points])


def _checkpoint(facts: Mapping[str, Any]) -> CheckpointFacts:
    return CheckpointFacts(
        role=str(facts["role"]),
        ref=str(facts["ref"]),
        digest=str(facts["digest"]),
        backend=str(facts["backend"]),
        sampling=unpacked(Sampling, facts["sampling"]),
        stop_ids=tuple(map(int, facts["stop_ids"])),
        seed=int(facts["seed"]),
        prompt_digests=_each(facts["prompt_digests"], str),
    )


def _benchmark(benchmark: Mapping[str, Any]) -> Benchmark:
    empty = tuple(_problem(str(n)) for n in range(min(int(benchmark["problems"]), 1_000_000)))
    name, source, digest = (str(benchmark[key]) for key in ("name", "source", "digest"))
    return Benchmark(name, source, digest, empty)


def _problem(name: str) -> Problem:
    return Problem(name, "", "", "")


def _each(table: Mapping[str, Any], made: Callable[[Any], T]) -> dict[str, T]:
    return {str(name): made(value) for name, value in table.items()}


def _number(value: Any, absent: float = math.nan) -> float:
    return absent if value is None else float(value)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _whole(value: Any) -> int | None:
    return None if value is None else int(value)
