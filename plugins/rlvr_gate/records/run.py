"""The documented record of one run: everything that JSON and HTML share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from rlvr_gate.records.asked import Benchmark, Problem, Rounds, Sampling
from rlvr_gate.records.drawn import Answered, Example, Tally
from rlvr_gate.records.evidence import Crossover
from rlvr_gate.records.judged import ClaimRecord, GateResult
from rlvr_gate.records.updates import UpdateRecord


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
class LookedAt:
    """How far a benchmark was asked until every claim was settled."""

    looks: int
    of_looks: int
    problems: int
    of_problems: int
    to_the_end: int | None = None
    """Problems that were asked for every k; None: all of `problems`."""


@dataclass(frozen=True, slots=True)
class AskFacts:
    """What was asked of a checkpoint on one benchmark, and what came back."""

    name: str
    """The role, with what was asked otherwise than the run asks; the key of counts and curves."""
    role: str
    benchmark: str
    sampling: Sampling | None
    """None where nobody recorded it."""
    template: str
    """The text around each prompt; empty where there was none."""
    problems: int
    completions: int
    tokens: int
    variant: str = ""
    """How its problems were put otherwise; empty where they were not."""
    chat: str = ""
    """Whose chat template; empty where it was the run's."""


@dataclass(frozen=True, slots=True)
class NumberRow:
    """One number of both checkpoints, and how they differ, paired by problem."""

    label: str
    base: float
    rlvr: float
    difference: float
    low: float
    high: float
    """Ends of the interval of the difference."""


@dataclass(frozen=True, slots=True)
class Saving:
    """What an adaptive run used, against the most samples for every problem and checkpoint."""

    completions: int
    tokens: int
    fixed_completions: int
    fixed_tokens: int
    """Estimated: each problem's mean tokens per completion times the most samples."""
    looks: Mapping[str, LookedAt] = field(default_factory=dict)
    """By benchmark, where there were several looks."""


@dataclass(frozen=True, slots=True)
class NewWork:
    """What this run itself drew, took from the store, had scored and saved."""

    completions: int = 0
    tokens: int = 0
    reused: int = 0
    scored: int = 0
    unremembered: int = 0
    """Completions in the store before the first judgement of these questions it remembers."""
    saved_completions: int | None = None
    """By stopping early; None where the number of samples was fixed."""
    saved_tokens: int | None = None


class Fixed(StrEnum):
    """Whether what decides was settled before there was anything to look at."""

    BEFORE = "before"
    """Policy, claims and design stood in the store before the first draw of what was judged."""
    CHANGED = "changed"
    UNKNOWN = "unknown"
    """Nothing of the kind was kept, as in older stores and recorded runs."""


@dataclass(frozen=True, slots=True)
class Beforehand:
    """What the store knows of the order of deciding and drawing."""

    fixed: Fixed = Fixed.UNKNOWN
    changed: tuple[str, ...] = ()
    """What is otherwise than it was then: `the policy`, `claims C1 (edited), X1 (added)`."""


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """One k of a curve: an estimate with its interval."""

    k: float
    value: float
    low: float
    high: float
    band_low: float | None = None
    """The ends of the band that holds at every k at once, where there is one."""
    band_high: float | None = None


@dataclass(frozen=True, slots=True)
class StratumRow:
    """One stratum on its own, at one k; the interval is that of the paired difference."""

    stratum: str
    problems: int
    k: int | None
    base: float
    rlvr: float
    difference: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Distance:
    """How far one checkpoint went from its base, what that gained and what it cost."""

    role: str
    kl: float
    """KL(base || checkpoint) along base's completions, nats a token, with its interval."""
    low: float
    high: float
    gained: float
    """pass@1 on the new task, less base's."""
    forgotten: float
    """pass@k of base less the checkpoint's, the mean over what may be forgotten."""


@dataclass(frozen=True, slots=True)
class Plane:
    """Divergence and forgetting of several checkpoints (arXiv:2509.04259v1, fig. 4)."""

    benchmark: str
    """The new task: the first that was named."""
    prior: tuple[str, ...]
    """What may be forgotten: the other benchmarks; none: problems of the new task itself."""
    k: int
    """Of `forgotten`: 1 on prior tasks; on the new task itself the most that all answer."""
    rows: tuple[Distance, ...]
    """By divergence."""


@dataclass(frozen=True, slots=True)
class Promotion:
    """One place where another token would be chosen now: texts as far as they can be told."""

    position: int
    before: str
    now: str
    left: str
    """The completion just before that place."""
    right: str
    """And from there on."""


@dataclass(frozen=True, slots=True)
class Promoted:
    """Where rlvr would choose otherwise along base's completion of one problem."""

    along: str
    """Whose completions: the name of a way of asking."""
    positions: int
    differing: int
    places: tuple[Promotion, ...]
    """The first of them."""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """Everything the JSON and the HTML report share: the documented record of one run."""

    gate: GateResult
    claims: Sequence[ClaimRecord]
    counts: Mapping[str, Mapping[str, Sequence[Tally]]]
    """benchmark -> role, or name of another way of asking -> tallies, in the benchmark's order."""
    problems: Mapping[str, Sequence[Problem]]
    """benchmark -> its problems."""
    examples: Mapping[str, Mapping[str, Mapping[str, Sequence[Example]]]]
    """benchmark -> problem id -> role -> a few completions."""
    checkpoints: Sequence[CheckpointFacts]
    benchmarks: Sequence[Benchmark]
    weights: Mapping[str, UpdateRecord]
    """role -> how its weights were updated; empty where not measured."""
    curves: Mapping[str, Mapping[str, Sequence[CurvePoint]]]
    """benchmark -> role -> points of the pass@k ladder; the pseudo role `difference` holds rlvr
    minus base, paired, with the band that holds at every k at once."""
    versions: Mapping[str, str]
    command: str
    created: str
    """ISO 8601, UTC."""
    seconds: Mapping[str, float]
    """Wall time by stage: `plan`, `fill`, `judge`."""
    sampled: NewWork
    samples: int
    level: float
    seed: int
    crossovers: Mapping[str, Crossover] = field(default_factory=dict)
    """benchmark -> where rlvr's lead ends, with what the band allows (`ladder.crossing`)."""
    strata: Mapping[str, Sequence[StratumRow]] = field(default_factory=dict)
    """benchmark -> its strata; empty where it has none."""
    numbers: Mapping[str, Sequence[NumberRow]] = field(default_factory=dict)
    """benchmark -> what is shown of it beside pass@k (`claims.numbers`)."""
    rounds: Rounds | None = None
    """The stopping rule of an adaptive run; `samples` is then the most a problem gets."""
    asks: Sequence[AskFacts] = ()
    """Every way of asking that claims have had used, by benchmark."""
    saving: Saving | None = None
    """What the stopping rule saved."""
    answers: Mapping[str, Mapping[str, Mapping[str, Sequence[Answered]]]] = field(
        default_factory=dict
    )
    """benchmark -> problem id -> role -> its most frequent answers, the most frequent first."""
    every_k: Mapping[str, Mapping[str, Sequence[CurvePoint]]] = field(default_factory=dict)
    """benchmark -> role -> `curves` at every whole k; empty where the ladder has them all."""
    beforehand: Beforehand = field(default_factory=Beforehand)
    """Whether policy and claims were fixed before the first draw."""
    plane: Plane | None = None
    """None where divergences of fewer than two checkpoints were measured."""
    promoted: Mapping[str, Mapping[str, Promoted]] = field(default_factory=dict)
    """benchmark -> problem id -> tokens that rlvr promotes; empty where nobody looked."""
