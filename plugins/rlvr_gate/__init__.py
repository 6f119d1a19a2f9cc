"""rlvr-gate: is this RLVR checkpoint fit for release?"""

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
    Problem,
    RunRecord,
    Sampling,
    Table,
    Tally,
    Verdict,
)

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
    "Problem",
    "RunRecord",
    "Sampling",
    "Table",
    "Tally",
    "Verdict",
    "claim",
]
