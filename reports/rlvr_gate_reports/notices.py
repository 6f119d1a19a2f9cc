"""The decision as GitHub's annotations: lines of a job's log that the job's page shows on top."""

from __future__ import annotations

from collections.abc import Iterator

from rlvr_gate.records import GateState, RunRecord
from rlvr_gate.visible import one_line
from rlvr_gate_reports import decision, words

_ESCAPED = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_IN_TITLE = str.maketrans({":": "%3A", ",": "%2C"})
_LONGEST = 2_000  # GitHub shows a few lines of one


def notices(record: RunRecord) -> Iterator[str]:
    """An error where the gate is not open; a warning of what an open one costs."""
    told = decision.of(record)
    if record.gate.state is not GateState.OPEN:
        yield _order("error", f"rlvr-gate: {told.headline}", f"{told.reason} {told.then}")
    elif told.waived:
        yield _order("warning", f"rlvr-gate: {told.headline}", told.reason)
    if said := words.waivers(record):
        yield _order("warning", "rlvr-gate: waivers", " ".join(said))
    if told.losses and told.trade_title == "The trade":
        yield _order("warning", f"rlvr-gate: {told.trade_title}", " ".join(told.trade))


def _order(kind: str, title: str, text: str) -> str:
    title = one_line(title, 200).translate(_ESCAPED).translate(_IN_TITLE)
    return f"::{kind} title={title}::{one_line(text.strip(), _LONGEST).translate(_ESCAPED)}"
