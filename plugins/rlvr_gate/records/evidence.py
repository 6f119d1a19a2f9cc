"""What stands beside a verdict: one record for each kind of evidence, and all of them together.

`Tagged` gives the key of the JSON document where it is not the field's name; what is `AMONG` has
its own keys stand there. A field that has a
default and holds it is absent: nobody measured it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Annotated

from rlvr_gate.records.exhibits import Exhibit
from rlvr_gate.records.plain import AMONG, Tagged, absent


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison, with an interval of its own."""

    role: str
    label: str
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Deciding:
    """A problem that weighs much in a comparison."""

    problem: str
    difference: float
    sides: Annotated[Mapping[str, str], AMONG]
    """label -> what was seen of it there: correct of n, or a number."""


@dataclass(frozen=True, slots=True)
class Target:
    """An interval, and what it is about."""

    target: str
    """`population`, or `this benchmark`: its very problems."""
    decides: bool
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Power:
    """The distance from the threshold that such a run decides, with this probability."""

    effect: Annotated[float, Tagged("minimum detectable effect")]
    power: float


@dataclass(frozen=True, slots=True)
class WouldDecide:
    """How many more problems or samples decide it, if the estimate stays where it is."""

    problems: int | None
    samples: int | None
    text: str


@dataclass(frozen=True, slots=True)
class LookTaken:
    """The look that a claim was judged at; numbers from 1."""

    number: int
    of: int
    problems: int
    of_problems: Annotated[int, Tagged("of problems")]
    level: float


@dataclass(frozen=True, slots=True)
class JudgedAgain:
    """Which judgement of its question this is, so far as the sample store remembers; from 1."""

    number: int
    share: Annotated[float, Tagged("share of the error budget")]
    """Of 1 - level, what this one may spend."""
    level: float
    """The level it was judged at."""
    doubt: str = ""
    """What is not remembered, or will not be."""


@dataclass(frozen=True, slots=True)
class Crossover:
    """The k from which rlvr leads no more, and the k's that the simultaneous band allows."""

    k: int | None
    last_lead: Annotated[int | None, Tagged("last lead")]
    low: int | None
    high: int | None
    level: float
    ladder: tuple[int, ...]
    text: str


@dataclass(frozen=True, slots=True)
class GuessFloor:
    """What a guesser reaches who saw the benchmark but not the problem."""

    k: int
    reaches: Annotated[float, Tagged("pass@k by guessing")]
    guessable: Annotated[int, Tagged("guessable problems")]
    """Problems that guesses solve more often than chance should."""


@dataclass(frozen=True, slots=True)
class Conclusion:
    """The difference over some of the problems."""

    problems: str
    difference: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Guessable:
    """A problem that guesses solve."""

    problem: str
    chance: Annotated[float, Tagged("chance by guessing")]


@dataclass(frozen=True, slots=True)
class Moved:
    """A problem that one checkpoint solved and the other did not."""

    problem: str
    base: str
    """Correct of n."""
    rlvr: str
    rests_on: Annotated[str, Tagged("rests on")]


@dataclass(frozen=True, slots=True)
class SolvedCounts:
    """Problems by who solved them at least once."""

    preserved: int
    gained: int
    lost: int
    unreached: int
    lost_problems: Annotated[tuple[Moved, ...], Tagged("lost problems")]
    gained_problems: Annotated[tuple[Moved, ...], Tagged("gained problems")]


@dataclass(frozen=True, slots=True)
class Expected:
    """A number of the pair beside what two runs of base would show by chance."""

    expected: str
    rlvr: float | None
    itself: Annotated[float | None, Tagged("base against itself")]


@dataclass(frozen=True, slots=True)
class Noise:
    """The pair, and base against itself, at as many samples as both can have."""

    samples: Annotated[int, Tagged("samples compared")]
    rows: Annotated[tuple[Expected, ...], Tagged("beside base against itself")]


@dataclass(frozen=True, slots=True)
class Alike:
    """How often two samples of one problem agree."""

    role: str
    alike: Annotated[float, Tagged("pairs alike")]
    chance: Annotated[float, Tagged("by chance")]


@dataclass(frozen=True, slots=True)
class WeightTotals:
    """How much of all weights an update left as it was."""

    parameters: int
    unchanged: int
    unchanged_fraction: float
    within_tolerance: Annotated[float | None, Tagged("unchanged_fraction_at_1e-5")] = None
    within_relative: Annotated[float | None, Tagged("unchanged_fraction_at_relative_1e-3")] = None
    bf16: Annotated[float | None, Tagged("unchanged_fraction_bf16")] = None
    exact: Annotated[float | None, Tagged("unchanged_fraction_exact")] = None
    relative_update: float | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that a comparison rests on; what nobody measured is None or empty."""

    sides: Annotated[tuple[Side, ...] | None, Tagged("curves")] = None
    problems: int | None = None
    """How many problems were compared."""
    strata: int | None = None
    clusters: Annotated[int | None, Tagged("independent clusters")] = None
    deciding: Annotated[tuple[Deciding, ...] | None, Tagged("deciding problems")] = None
    targets: tuple[Target, ...] | None = None
    scored_by: Annotated[str | None, Tagged("scored by")] = None
    guess_floor: Annotated[GuessFloor | None, Tagged("guess floor")] = None
    crossover: Crossover | None = None
    conclusions: tuple[Conclusion, ...] | None = None
    guessable: Annotated[tuple[Guessable, ...] | None, Tagged("guessable problems")] = None
    count: int | None = None
    total: int | None = None
    """Of which `count` were counted."""
    solved: Annotated[SolvedCounts | None, AMONG] = None
    noise: Annotated[Noise | None, AMONG] = None
    no_noise: Annotated[str | None, Tagged("same-model null")] = None
    """Why there is no `noise`."""
    alike: Annotated[tuple[Alike, ...] | None, Tagged("samples that agree")] = None
    numbers: Annotated[Mapping[str, int | float | None], AMONG] = field(default_factory=dict)
    """What a number about weights was made from, by its name in words."""
    weights: Annotated[WeightTotals | None, AMONG] = None
    shares: Annotated[Mapping[str, Mapping[str, float]], AMONG] = field(default_factory=dict)
    """`by layer`, `by matrix type` -> share of each."""
    violations: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()
    incomparable: Annotated[tuple[str, ...], Tagged("not comparable")] = ()
    """Why no verdict was given."""
    power: Power | None = None
    would_decide: Annotated[WouldDecide | None, Tagged("would decide")] = None
    look: LookTaken | None = None
    again: Annotated[JudgedAgain | None, Tagged("judged again")] = None
    exhibits: tuple[Exhibit, ...] = ()
    """What the suite put beside it."""

    def __or__(self, other: Evidence) -> Evidence:
        """Both; where both measured the same the other's counts, and exhibits add up."""
        theirs = {f.name: getattr(other, f.name) for f in fields(other) if not absent(other, f)}
        both = {**self.numbers, **other.numbers}
        exhibits = (*self.exhibits, *(e for e in other.exhibits if e not in self.exhibits))
        return replace(self, **{**theirs, "numbers": both, "exhibits": exhibits})


NOTHING = Evidence()
"""Where nothing was measured."""
