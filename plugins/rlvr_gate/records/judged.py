"""What a claim and the gate answer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from rlvr_gate.records.evidence import NOTHING, Evidence


class Kind(StrEnum):
    """What a claim may do to the release."""

    GATE = "gate"
    """Decides the release: anything but `holds` keeps the gate from opening."""
    FINDING = "finding"
    """Reported; never fails a run by itself."""


POPULATION, THESE = "population", "these problems"
"""What a verdict is about: problems as a sample of their kind, or no others than these."""


class Unit(StrEnum):
    """What a number is counted in."""

    SHARE = "share"
    """Of 1: a chance, a rate, or the difference of two."""
    RATIO = "ratio"
    """One number over another of its kind; 1 where they are equal."""
    NATS = "nats"
    NATS_PER_TOKEN = "nats per token"
    DEGREES = "degrees"
    SAMPLES = "samples"
    """Of a problem: a budget."""
    COUNT = "count"
    NUMBER = "number"
    """Of no unit: an index, a slope, numbers of two units put together."""


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
class Interval:
    """A two-sided confidence interval."""

    low: float
    high: float
    level: float

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise ValueError(f"an interval needs low <= high, got {self.low}, {self.high}")

    @property
    def sign(self) -> int:
        """1 where all of it is positive, -1 where all is negative, else 0."""
        return int(self.low > 0) - int(self.high < 0)


class InPaper(StrEnum):
    """What the cited paper found of a claim's sentence."""

    HOLDS = "holds"
    CONTRADICTS = "contradicts"
    SILENT = "silent"
    """It does not speak of it."""


class Whose(StrEnum):
    """Whose number a verdict is held against."""

    THEIRS = "the paper's"
    OURS = "ours"
    NOBODYS = "none"
    """A sign, or one checkpoint against another."""


@dataclass(frozen=True, slots=True)
class Paper:
    """What the cited paper says of a claim's sentence, so that nothing of ours reads as theirs.

    Raises:
        ValueError: a word that is none of the listed ones, or nothing that it said.
    """

    found: InPaper
    """The word may be given: `found="holds"`."""
    said: str
    """What it reported, with its numbers, in a sentence; never what we conclude from them."""
    threshold: Whose = Whose.NOBODYS
    differs: str = ""
    """What its protocol has otherwise than a run of ours; empty where nothing is known to."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "found", _word(InPaper, "found", self.found))
        object.__setattr__(self, "threshold", _word(Whose, "threshold", self.threshold))
        if not (isinstance(self.said, str) and self.said.strip()):
            raise ValueError(f"said tells in a sentence what was reported, got {self.said!r}")
        if not isinstance(self.differs, str):
            raise ValueError(f"differs is a sentence, or empty, got {self.differs!r}")


def _word(words: type[StrEnum], name: str, given: str) -> StrEnum:
    if given not in tuple(words):
        raise ValueError(f"{name} is one of {', '.join(words)}, got {given!r}")
    return words(given)


@dataclass(frozen=True, slots=True)
class Margins:
    """What a policy allows of completions that ran out of tokens; shares."""

    truncation: float = 0.02
    """By how much truncation rates may differ where it matters."""
    truncated: float = 0.5
    """Truncated in both beyond it, runs compare who ends in time, not who is right."""
    rescued: float = 1.0
    """Of the completions that were cut and not graded correct, the share that could have come out
    correct with more tokens; 1 is the worst case."""
    unscored: float = 1.0
    """The chance at most with which a completion without a grade would be correct; 1 likewise."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """One comparison inside a claim: the sentence, the numbers, the verdict."""

    statement: str
    """The comparison in words: `rlvr pass@1 > base pass@1`."""
    verdict: Verdict
    estimate: float | None
    """None where nothing was measured: the interval is then all that the number can be."""
    interval: Interval
    threshold: float
    relation: str
    """`>`, `>=`, `<` or `<=`: how the estimate must stand to the threshold."""
    benchmark: str | None
    k: int | None
    n: int | None
    evidence: Evidence = NOTHING
    """What it rests on, and what the suite put beside it."""
    p_value: float | None = None
    """Two-sided, of `the estimate equals the threshold`: the interval turned round. None where
    nothing was sampled, or nothing is comparable."""
    guaranteed: bool = False
    """Whether the interval keeps its level for every law of the problems: a gate claim's does."""
    test: str = ""
    """What is tested, whichever side the comparison takes; two of one name are one test. Empty:
    a test of its own."""
    target: str = "population"
    """What the interval is about: other problems of this kind too, or `these problems` alone."""
    adjusted_p: float | None = None
    """`p_value` among all tests of the run's findings (Holm); None for gate claims."""
    unit: str = Unit.SHARE
    """Of estimate, interval and threshold: a `Unit`, or the word of a later version."""

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
    """The same among all tests of the run's findings (Holm); None for gate claims."""
    paper: Paper | None = None
    """What the source says of it; None where the suite does not tell."""

    @property
    def deciding(self) -> Judgement | None:
        """The comparison that made its verdict: the first one with it, else the first one."""
        same = [judged for judged in self.judgements if judged.verdict is self.verdict]
        return next(iter(same or self.judgements), None)


@dataclass(frozen=True, slots=True)
class ErrorControl:
    """How often a gate of this policy is wrong at most, and which way."""

    comparisons: int
    """Sampled comparisons of the gate claims."""
    false_release: float
    """Opens although a gate claim is false: all must hold, so the largest tail bounds it."""
    false_block: float
    """Closes although every gate claim is true: any refuted one closes it, so the tails add."""
    assumed: int = 0
    """Of these comparisons, those whose tails are nominal: nothing bounds their numbers."""
    judged: int | None = None
    """The rates hold over so many judgements of one question; None: of this one alone."""


@dataclass(frozen=True, slots=True)
class Waiver:
    """Somebody answers for a gate claim that does not hold."""

    claim: str
    benchmark: str | None
    """None: on every benchmark."""
    reason: str
    until: str
    """The last day, ISO 8601."""


@dataclass(frozen=True, slots=True)
class WaiverUse:
    """A waiver of the policy, and what became of it."""

    waiver: Waiver
    state: str
    """`used`, `not needed`, `without force`, `matches nothing` or `expired`."""
    days: int | None = None
    """Left on the day of the decision, 0 on its last one; negative where it has expired."""


@dataclass(frozen=True, slots=True)
class Check:
    """A question that the gain must survive, by a policy: all of these claims must hold."""

    name: str
    claims: tuple[str, ...]
    """Their ids."""


@dataclass(frozen=True, slots=True)
class CheckRow:
    """What became of a check."""

    check: Check
    verdict: Verdict
    """The worst of its claims; one that was not judged is undecided."""
    missing: tuple[str, ...] = ()
    """Claims of it that were not judged, and why: `S3 (not run)`."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What the verdicts of a section of suites mean together."""

    section: str
    says: str
    rests_on: tuple[str, ...]
    """Ids of the claims whose verdicts it says."""


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
    waivers: tuple[WaiverUse, ...] = ()
    """Those of the policy; with one in use the gate is open on somebody's word."""
    checks: tuple[CheckRow, ...] = ()
    """What the gain had to survive, by the policy, and whether it did."""
