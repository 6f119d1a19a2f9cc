"""rlvr-gate: is this RLVR checkpoint fit for release?"""

from rlvr_gate.markers import claim
from rlvr_gate.records import (
    Benchmark,
    ClaimRecord,
    GateState,
    Grade,
    Interval,
    Judgement,
    Kind,
    Problem,
    RunRecord,
    Sampling,
    Tally,
    Verdict,
)

__all__ = [
    "Benchmark",
    "ClaimRecord",
    "GateState",
    "Grade",
    "Interval",
    "Judgement",
    "Kind",
    "Problem",
    "RunRecord",
    "Sampling",
    "Tally",
    "Verdict",
    "claim",
]
