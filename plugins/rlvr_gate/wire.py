"""Claim records as text: how a verdict crosses xdist workers and lands in JUnit XML."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict

from rlvr_gate.records import ClaimRecord, Interval, Judgement, Kind, Verdict
from rlvr_gate.visible import for_log, one_line

_RECORD = "rlvr_gate.record"


def to_properties(record: ClaimRecord) -> list[tuple[str, object]]:
    """The user properties of one claim that people read, in JUnit XML for one."""
    return [
        ("rlvr_gate.claim", for_log(one_line(record.id))),
        ("rlvr_gate.kind", str(record.kind)),
        ("rlvr_gate.verdict", str(record.verdict)),
    ]


def whole(record: ClaimRecord) -> tuple[str, object]:
    """The user property that holds everything, for the controlling process."""
    return _RECORD, json.dumps(asdict(record), allow_nan=False)


def from_properties(properties: Iterable[tuple[str, object]]) -> ClaimRecord | None:
    """The claim record among a report's user properties, if it is a claim's."""
    for key, value in properties:
        if key == _RECORD:
            return _claim(json.loads(str(value)))
    return None


def _claim(data: dict[str, object]) -> ClaimRecord:
    judgements = data.pop("judgements")
    kind, verdict = Kind(str(data.pop("kind"))), Verdict(str(data.pop("verdict")))
    parsed = tuple(_judgement(j) for j in judgements)  # type: ignore[attr-defined]  # a JSON list
    return ClaimRecord(**data, kind=kind, verdict=verdict, judgements=parsed)  # type: ignore[arg-type]  # our own asdict


def _judgement(data: dict[str, object]) -> Judgement:
    verdict, interval = Verdict(str(data.pop("verdict"))), data.pop("interval")
    return Judgement(**data, verdict=verdict, interval=Interval(**interval))  # type: ignore[arg-type]  # our own asdict
