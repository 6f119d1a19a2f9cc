"""rlvr-gate: is this RLVR checkpoint fit for release?"""

from types import ModuleType
from typing import TYPE_CHECKING

from rlvr_gate.markers import claim
from rlvr_gate.records import (
    Benchmark,
    ClaimRecord,
    Curves,
    Facts,
    GateState,
    Grade,
    Heat,
    Interval,
    Judgement,
    Kind,
    Paper,
    Problem,
    RunRecord,
    Sampling,
    Table,
    Tally,
    Verdict,
)

if TYPE_CHECKING:
    from rlvr_gate.claims import numbers

__all__ = [
    "Benchmark",
    "ClaimRecord",
    "Curves",
    "Facts",
    "GateState",
    "Grade",
    "Heat",
    "Interval",
    "Judgement",
    "Kind",
    "Paper",
    "Problem",
    "RunRecord",
    "Sampling",
    "Table",
    "Tally",
    "Verdict",
    "claim",
    "numbers",
]


def __getattr__(name: str) -> ModuleType:
    """`numbers`, where it is asked for: it takes numpy, which not every importer needs."""
    if name != "numbers":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from rlvr_gate.claims import numbers

    return numbers
