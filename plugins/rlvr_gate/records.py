"""The frozen nouns of the gate: what travels between plan, fill, judge and report.

Nothing here computes. Letters follow the papers: ``n`` samples per problem, ``c`` correct,
``k`` the budget of pass@k, ``M`` problems.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rlvr_gate.stats.adaptive import Rounds


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


class Kind(StrEnum):
    """What a claim may do to the release."""

    GATE = "gate"
    """Decides the release: anything but `holds` keeps the gate from opening."""
    FINDING = "finding"
    """Reported; never fails a run by itself."""


class Verdict(StrEnum):
    """The answer to one claim."""

    HOLDS = "holds"
    REFUTED = "refuted"
    UNDECIDED = "undecided"
    NOT_COMPARABLE = "not comparable"
    """A pre-check failed: the two runs did not ask the same question."""


class GateState(StrEnum):
    """The answer to the whole run."""

    OPEN = "open"
    CLOSED = "closed"
    UNDECIDED = "undecided"
    NOT_COMPARABLE = "not comparable"
    NO_DECISION = "no decision"
    """The run was not whole: a claim that it needs was not judged."""
    NOT_FINISHED = "not finished"
    """What an output says from the start of a run until its end."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One item of a benchmark."""

    id: str
    prompt: str
    answer: str
    verifier: str
    stratum: str = ""
    cluster: str = ""
    """Problems of one cluster, such as variants of one question, are not independent."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How completions are drawn; both checkpoints of a pair get the same record."""

    temperature: float = 1.0
    top_p: float = 1.0
    max_new_tokens: int = 64

    def __post_init__(self) -> None:
        if not self.temperature > 0:
            raise ValueError(f"sampling needs temperature > 0, got {self.temperature}")
        if not 0 < self.top_p <= 1:
            raise ValueError(f"sampling needs 0 < top_p <= 1, got {self.top_p}")
        if self.max_new_tokens < 1:
            raise ValueError(f"sampling needs max_new_tokens >= 1, got {self.max_new_tokens}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Weights at one moment, resolved and checked.

    Args:
        role: `base`, `rlvr`, or a contrast such as `sft`.
        ref: what the user wrote (registry name, path or hub id with `@revision`).
        path: the local folder in Hugging Face layout.
        digest: SHA-256 over weights, configuration and tokenizer; its identity.
        architecture: `architectures[0]` of config.json.
        tokenizer_digest: SHA-256 over the tokenizer's vocabulary and rules.
        stop_ids: token ids that end a completion.
        template_digest: SHA-256 over everything that shapes a prompt's token ids.
        notes: what is odd about it, and was accepted; for whoever reads the plan or the report.
    """

    role: str
    ref: str
    path: Path
    digest: str
    architecture: str
    tokenizer_digest: str
    stop_ids: tuple[int, ...]
    template_digest: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A named, pinned set of problems with its verifiers."""

    name: str
    source: str
    """Where it comes from, with version and seed, for the report."""
    digest: str
    """SHA-256 over the canonical JSON of its problems."""
    problems: tuple[Problem, ...]
    notes: tuple[str, ...] = ()
    """What whoever reads its numbers should know of it, such as problems listed twice."""


@dataclass(frozen=True, slots=True)
class Stream:
    """What determines a family of completions besides prompt and sample index."""

    checkpoint_digest: str
    sampling: Sampling
    stop_ids: tuple[int, ...]
    backend: str
    """Backend name with everything that changes its numbers: `transformers/float32`."""
    seed: int
    """The run seed; an A/A comparison gives the second role another one."""


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


class Measure(StrEnum):
    """A number for each token of a completion, in nats; always at temperature 1, without top-p."""

    LOGPROB = "logprob"
    """Log-probability of the token given what comes before it."""
    ENTROPY = "entropy"
    """Entropy of the next-token distribution there, over the full vocabulary."""
    KL = "kl"
    """Kullback-Leibler divergence of that distribution from another checkpoint's."""


@dataclass(frozen=True, slots=True)
class Score:
    """What determines the scores of a completion besides its token ids and its prompt's."""

    measure: Measure
    checkpoint_digest: str
    backend: str
    other_digest: str = ""
    """Of the checkpoint that a divergence is to: KL(checkpoint || other)."""


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
class Interval:
    """A two-sided confidence interval."""

    low: float
    high: float
    level: float

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise ValueError(f"an interval needs low <= high, got {self.low}, {self.high}")


@dataclass(frozen=True, slots=True)
class Judgement:
    """One comparison inside a claim: the sentence, the numbers, the verdict."""

    statement: str
    """The comparison in words: `rlvr pass@1 > base pass@1`."""
    verdict: Verdict
    estimate: float
    interval: Interval
    threshold: float
    relation: str
    """`>`, `>=`, `<` or `<=`: how the estimate must stand to the threshold."""
    benchmark: str | None
    k: int | None
    n: int | None
    evidence: Mapping[str, object] = field(default_factory=dict)
    """JSON-able: curves at this k, deciding problems, counts, reasons."""
    p_value: float | None = None
    """Two-sided, of `the estimate equals the threshold`: the interval turned round. None where
    nothing was sampled, or nothing is comparable."""

    def __bool__(self) -> bool:
        """Whether it holds, so that `assert a > b` reads as the claim it checks."""
        return self.verdict is Verdict.HOLDS


@dataclass(frozen=True, slots=True)
class ClaimRecord:
    """A claim and its answer, as they travel to gate, report and JUnit."""

    id: str
    text: str
    source: str
    kind: Kind
    nodeid: str
    benchmark: str | None
    k: int | None
    margin: float
    verdict: Verdict
    judgements: tuple[Judgement, ...]
    reason: str = ""
    """Why it is undecided or not comparable when no number says so."""
    broken: bool = False
    """The test itself raised: the claim was never judged, and the run has failed."""
    skipped: bool = False
    """Nobody asked it, e.g. for want of a checkpoint; `reason` says what it needs."""
    p_value: float | None = None
    """Of its verdict: the largest of its comparisons where all must hold."""
    adjusted_p: float | None = None
    """The same among all findings of the run (Holm); None for gate claims."""


@dataclass(frozen=True, slots=True)
class ErrorControl:
    """How often a gate of this policy is wrong at most, and which way."""

    comparisons: int
    """Sampled comparisons of the gate claims."""
    false_release: float
    """Opens although a gate claim is false: all must hold, so the largest tail bounds it."""
    false_block: float
    """Closes although every gate claim is true: any refuted one closes it, so the tails add."""


@dataclass(frozen=True, slots=True)
class GateResult:
    """The run's answer and why."""

    state: GateState
    exit_status: int
    deciding: tuple[str, ...]
    """Ids (with benchmark) of the claims that decided it."""
    policy: str
    errors: ErrorControl | None = None
    """None where no gate claim compared anything sampled."""


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


@dataclass(frozen=True, slots=True)
class CheckpointFacts:
    """Provenance of one checkpoint in a run."""

    role: str
    ref: str
    digest: str
    backend: str
    sampling: Sampling
    stop_ids: tuple[int, ...]
    seed: int
    prompt_digests: Mapping[str, str]
    """benchmark name -> SHA-256 over its prompts' token ids."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """What drew the completions: packages, hardware and options, where known."""
    notes: tuple[str, ...] = ()
    """What is odd about it, and was accepted."""


@dataclass(frozen=True, slots=True)
class Saving:
    """What an adaptive run used, against the most samples for every problem and checkpoint."""

    completions: int
    tokens: int
    fixed_completions: int
    fixed_tokens: int
    """Estimated: each problem's mean tokens per completion times the most samples."""
    looks: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """benchmark -> `{looks, of_looks, problems, of_problems, to_the_end}`: how far sampling went
    until every claim was settled; `to_the_end` problems were asked for every k."""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """Everything the JSON and the HTML report share: the documented record of one run."""

    gate: GateResult
    claims: Sequence[ClaimRecord]
    counts: Mapping[str, Mapping[str, Sequence[Tally]]]
    """benchmark -> role -> tallies, in the benchmark's order."""
    problems: Mapping[str, Sequence[Problem]]
    """benchmark -> its problems."""
    examples: Mapping[str, Mapping[str, Mapping[str, Sequence[Example]]]]
    """benchmark -> problem id -> role -> a few completions."""
    checkpoints: Sequence[CheckpointFacts]
    benchmarks: Sequence[Benchmark]
    weights: Mapping[str, object]
    """JSON-able update comparison (per tensor and in total); empty where not measured."""
    curves: Mapping[str, Mapping[str, Sequence[Mapping[str, float]]]]
    """benchmark -> role -> points `{k, value, low, high}` of the pass@k ladder; the pseudo
    role `difference` holds rlvr minus base, paired, with the ends `band_low` and `band_high` of
    the band that holds at every k at once."""
    versions: Mapping[str, str]
    command: str
    created: str
    """ISO 8601, UTC."""
    seconds: Mapping[str, float]
    """Wall time by stage: `plan`, `fill`, `judge`."""
    sampled: Mapping[str, int]
    """New work of this run: `completions`, `tokens`; `reused` and `scored` completions."""
    samples: int
    level: float
    seed: int
    crossovers: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    """benchmark -> where rlvr's lead ends, with what the band allows (`ladder.crossing`)."""
    strata: Mapping[str, Sequence[Mapping[str, object]]] = field(default_factory=dict)
    """benchmark -> rows `{stratum, problems, k, base, rlvr, difference, low, high}`; empty where
    the benchmark has no strata."""
    rounds: Rounds | None = None
    """The stopping rule of an adaptive run; `samples` is then the most a problem gets."""
    saving: Saving | None = None
    """What the stopping rule saved."""
