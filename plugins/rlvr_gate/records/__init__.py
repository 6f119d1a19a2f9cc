"""The frozen nouns of the gate: what travels between plan, fill, judge and report.

Nothing here computes. Letters follow the papers: ``n`` samples per problem, ``c`` correct,
``k`` the budget of pass@k, ``M`` problems.
"""

from rlvr_gate.records.asked import (
    Benchmark,
    Checkpoint,
    Measure,
    Problem,
    Rounds,
    Sampling,
    Score,
    Stream,
)
from rlvr_gate.records.drawn import (
    Answers,
    Completion,
    Example,
    FinishReason,
    Grade,
    Graded,
    Tally,
)
from rlvr_gate.records.judged import (
    ClaimRecord,
    ErrorControl,
    GateResult,
    GateState,
    Interval,
    Judgement,
    Kind,
    Verdict,
)
from rlvr_gate.records.run import CheckpointFacts, RunRecord, Saving

__all__ = [
    "Answers",
    "Benchmark",
    "Checkpoint",
    "CheckpointFacts",
    "ClaimRecord",
    "Completion",
    "ErrorControl",
    "Example",
    "FinishReason",
    "GateResult",
    "GateState",
    "Grade",
    "Graded",
    "Interval",
    "Judgement",
    "Kind",
    "Measure",
    "Problem",
    "Rounds",
    "RunRecord",
    "Sampling",
    "Saving",
    "Score",
    "Stream",
    "Tally",
    "Verdict",
]
