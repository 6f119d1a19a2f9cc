"""What was drawn and how it was graded: completions, grades, counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from rlvr_gate.records.asked import Rounds


class Grade(StrEnum):
    """What a verifier decided about one completion."""

    CORRECT = "correct"
    WRONG = "wrong"
    UNSCORED = "unscored"
    """Timeout, crash or unparsable reference: not evidence either way."""


class FinishReason(StrEnum):
    """Why a completion ended."""

    STOP = "stop"
    LENGTH = "length"
    """The token budget ran out: the completion is truncated."""


@dataclass(frozen=True, slots=True)
class Completion:
    """One text a checkpoint returned for one problem."""

    sample: int
    token_ids: tuple[int, ...]
    text: str
    finish: FinishReason
    logprob: float
    """Sum of log-probabilities of the drawn tokens under the sampling distribution."""


@dataclass(frozen=True, slots=True)
class Graded:
    """A verifier's decision about one completion."""

    grade: Grade
    extracted: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Tally:
    """What one checkpoint did on one problem."""

    problem: str
    n: int
    correct: int
    unscored: int = 0
    truncated: int | None = 0
    """Samples that ran out of tokens; None where nobody recorded it."""
    duplicates: int = 0
    """Samples whose token ids (of recorded runs: texts) repeat another sample's of the same
    problem (reported, and expected where answers are short)."""
    tokens: int = 0
    """Tokens drawn over all n samples, the stop token included."""
    stratum: str = ""
    cluster: str = ""
    rounds: Rounds | None = None
    """The stopping rule that chose n by the outcomes; None where n was fixed. With a rule, c/n
    is biased: use the estimators of `readings`."""

    def __post_init__(self) -> None:
        if self.correct + self.unscored > self.n or min(self.correct, self.unscored) < 0:
            raise ValueError(
                f"problem {self.problem}: correct + unscored must lie in 0..n, got "
                f"correct={self.correct}, unscored={self.unscored}, n={self.n}"
            )


@dataclass(frozen=True, slots=True)
class Answers:
    """What one checkpoint answered to one problem, as its verifier extracted it."""

    given: Mapping[str | None, int]
    """answer -> how often; None where a completion holds no answer."""
    right: frozenset[str]
    """The answers known to be right, in the same spelling."""


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer that completions of a problem gave."""

    answer: str | None
    """None where a completion holds none."""
    times: int
    grade: Grade


@dataclass(frozen=True, slots=True)
class Example:
    """A stored completion shown in the report's drill-down."""

    sample: int
    text: str
    grade: Grade
    extracted: str | None
    finish: FinishReason | None
    """None where nobody recorded it."""
    logprob: float
    """Likewise NaN."""
    reason: str = ""
    """Why the verifier graded it so; empty where it did not say."""
    surprise: Mapping[str, float] = field(default_factory=dict)
    """role -> mean of -log p per token under that checkpoint, nats; of those that were scored."""
