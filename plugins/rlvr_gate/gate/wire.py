"""Claim records as text: how a verdict crosses xdist workers and lands in JUnit XML.

A report passes through every plugin of the session, and some of them rewrite what they see. So a
record travels with a digest: what was changed on the way is no verdict.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator

from rlvr_gate.gate.explain import NO_ESTIMATE
from rlvr_gate.records import ClaimRecord, Kind
from rlvr_gate.records.plain import Malformed, packed, unpacked
from rlvr_gate.visible import for_log, one_line

_RECORD = "rlvr_gate.record"
ALONE = "rlvr_gate.verdict_alone"
"""The property of a finding's verdict before the findings were counted (`gate.family`)."""


class WireError(ValueError):
    """What came is not what was sent."""


def to_properties(record: ClaimRecord) -> list[tuple[str, object]]:
    """The user properties of one claim that people read, in JUnit XML for one.

    A finding's verdict follows from all of the run's: what it is alone has a name that says so.
    """
    verdict = "rlvr_gate.verdict" if record.kind is Kind.GATE else ALONE
    return [
        ("rlvr_gate.claim", for_log(one_line(record.id))),
        ("rlvr_gate.kind", str(record.kind)),
        (verdict, str(record.verdict)),
        *((f"rlvr_gate.{name}", value) for name, value in _numbers(record) if value is not None),
    ]


def _numbers(record: ClaimRecord) -> Iterator[tuple[str, object]]:
    """What it was asked of, and the comparison that made the verdict; None where there is none."""
    yield "benchmark", record.benchmark and for_log(one_line(record.benchmark))
    yield "k", record.k
    judgement = record.deciding  # falsy unless it holds, so compare with None
    if judgement is not None:
        measured, interval = judgement.estimate is not None, judgement.interval
        yield "estimate", judgement.estimate if measured else NO_ESTIMATE
        yield "interval_low", interval.low if measured else None
        yield "interval_high", interval.high if measured else None
        yield "level", judgement.interval.level
        yield "relation", judgement.relation
        yield "threshold", judgement.threshold
        yield "unit", for_log(one_line(judgement.unit))


def whole(record: ClaimRecord) -> tuple[str, object]:
    """The user property that holds everything, for the controlling process."""
    text = json.dumps(packed(record), allow_nan=False)
    return _RECORD, f"{_digest(text)} {text}"


def from_properties(properties: Iterable[tuple[str, object]]) -> ClaimRecord | None:
    """The claim record among a report's user properties, if it is a claim's.

    Raises WireError where it was changed on its way, or is none.
    """
    for key, value in properties:
        if key == _RECORD:
            digest, _, text = str(value).partition(" ")
            if digest != _digest(text):
                raise WireError("its verdict was changed after it was judged; by a plugin?")
            return _read(text)
    return None


def _read(text: str) -> ClaimRecord:
    try:
        return unpacked(ClaimRecord, json.loads(text))
    except (Malformed, json.JSONDecodeError) as error:
        raise WireError(f"its verdict is no claim record: {error}") from error


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
