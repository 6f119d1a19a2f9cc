"""What a suite sees of the checkpoints: `pair.rlvr.pass_at(8, benchmark)` and its kin.

Views read counts and weights through an EvidenceSource (the sample store, or recorded counts) and
return quantities; they never touch a model.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from rlvr_gate.claims.grading import OTHERWISE, OWN
from rlvr_gate.claims.grading import alike as graded_alike
from rlvr_gate.claims.guessing import Guessing, filtered
from rlvr_gate.claims.kernels import KernelSource, KernelView
from rlvr_gate.claims.ladder import band, crossing
from rlvr_gate.claims.solved import SolvedSets
from rlvr_gate.claims.temperatures.matched import MatchSource
from rlvr_gate.claims.texts.likeness import LikenessView, TextSource
from rlvr_gate.claims.texts.traces import TraceSource
from rlvr_gate.claims.tokens.choices import ChoiceSource
from rlvr_gate.claims.twice import copies, drawn_twice, foreign
from rlvr_gate.claims.updates import UpdateView, Weights
from rlvr_gate.claims.ways.methods import MethodSource
from rlvr_gate.judging import readings
from rlvr_gate.judging.ledger import Ledger
from rlvr_gate.judging.pooled import Pooled, Weigh
from rlvr_gate.judging.power import Within, within
from rlvr_gate.judging.quantities import Exact, Quantity
from rlvr_gate.judging.readings import Reading
from rlvr_gate.judging.terms import Term
from rlvr_gate.kernels.points import Traits
from rlvr_gate.records import (
    AGAIN,
    PAIR,
    THESE,
    Alike,
    Answers,
    Ask,
    CheckpointFacts,
    Crossover,
    Evidence,
    Interval,
    Judgement,
    Measure,
    Tally,
    Unit,
    Verdict,
    spelled_out,
)
from rlvr_gate.stats.passk import default_ladder
from rlvr_gate.stats.repeats import Repeats

Floats = NDArray[np.float64]

_NATS = (0.0, float("inf"))

UNSCORED_BOUND = 0.01
"""Share of completions that may have no grade."""


def _mean(values: Floats) -> Floats:
    return np.asarray(values.mean(axis=1))


def _log_median(values: Floats) -> Floats:
    """Of numbers whose logarithms are given: between two it is no mean of logarithms."""
    return np.asarray(np.log(np.median(np.exp(values), axis=1)))


@dataclass(frozen=True, slots=True)
class ScoreOf:
    """Which scores: of whose completions, under whom, and to whom where it is a divergence."""

    measure: Measure
    of: str
    under: str
    to: str = ""


@dataclass(frozen=True, slots=True)
class TokenScores:
    """The scores of some completions of every problem, in the benchmark's order."""

    totals: Floats  # (problems, samples), summed over the tokens of each completion
    tokens: Floats  # (problems, samples), how many those are
    by: str
    """What computed them: a backend's identity."""


class EvidenceSource(
    Weights,
    KernelSource,
    ChoiceSource,
    MethodSource,
    TextSource,
    TraceSource,
    MatchSource,
    Protocol,
):
    """Where the judged numbers come from."""

    def scores(self, asked: ScoreOf, benchmark: str) -> TokenScores:
        """What the claim asked to have scored; LookupError where it did not ask in time."""

    def tallies(self, role: str, benchmark: str) -> tuple[Tally, ...]:
        """Counts of one checkpoint on one benchmark, in the benchmark's order."""

    def was_asked(self, name: str, benchmark: str) -> bool:
        """Whether anything was asked so: a variant that no problem has was not."""

    def graded(self, role: str, grading: str, benchmark: str) -> tuple[Tally, ...] | None:
        """Its counts under another grading; None where nobody graded so."""

    def even(
        self, benchmark: str, one: str = "base", other: str = "rlvr"
    ) -> Sequence[Sequence[Tally]]:
        """Counts of base and of rlvr with as many samples of a problem in both; or none."""

    def repeats(self, benchmark: str) -> Mapping[str, Repeats]:
        """By role, how often samples of a problem agree, against chance; where that is known."""

    def facts(self, role: str) -> CheckpointFacts:
        """Provenance of one checkpoint's completions."""

    def notes(self, benchmark: str) -> Sequence[str]:
        """What to know of the question that both were asked, where it is none against it."""

    def answers(self, role: str, benchmark: str) -> Sequence[Answers] | None:
        """What one checkpoint answered to each problem; None where answers are unknown."""

    def guessing(self, benchmark: str) -> Guessing | None:
        """The guesser that saw all answers but the problem; None where answers are unknown."""


@dataclass(frozen=True)
class CheckpointView:
    """One checkpoint of a run, asked by a claim."""

    role: str
    """Its role, or the name of the way that it was asked."""
    source: EvidenceSource
    ledger: Ledger
    of: str = ""
    """Its role, where it was asked otherwise than the run asks."""

    def at(self, **otherwise: Any) -> CheckpointView:
        """The same checkpoint, asked otherwise: `pair.rlvr.at(temperature=0.6)`.

        Args:
            otherwise: as in `@pytest.mark.asks(ROLE, …)`, with one value each.

        Raises:
            LookupError: the claim's markers do not have it asked so.
            TypeError, ValueError: there is no such way of asking.
        """
        ask = Ask(self.of or self.role, **spelled_out(otherwise))
        if self.ledger.asks is not None and ask.name not in self.ledger.asks:
            given = "".join(f", {name}={value!r}" for name, value in otherwise.items())
            raise LookupError(
                f"nobody asked {ask.name}: mark the claim with "
                f"@pytest.mark.asks({ask.role!r}{given})"
            )
        return replace(self, role=ask.name, of=ask.role)

    def pass_at(self, k: int, benchmark: str) -> Quantity:
        """pass@k: the chance that k completions hold a correct one (arXiv:2107.03374, eq. 1).

        Raises:
            ValueError: k exceeds the samples of some problem.
        """
        tallies = self._tallies(self.role, benchmark)
        found = self._wrap(
            f"pass@{k}", benchmark, partial(readings.solve_rate, k=k), tallies, k,
            within(tallies, k),
        )  # fmt: skip
        guessing = self.source.guessing(benchmark) if k > 1 else None
        return replace(found, evidence=guessing.beside(k)) if guessing else found

    def _rates(self, ks: Sequence[int], benchmark: str) -> list[Quantity]:
        """`pass_at` at each k without what stands beside it: for whole curves."""
        tallies = self._tallies(self.role, benchmark)
        found = readings.solve_rates(tallies, ks)
        return [
            self._read(f"pass@{k}", benchmark, partial(readings.solve_rate, k=k), each, tallies, k)
            for k, each in zip(ks, found, strict=True)
        ]

    def never_solved(self, benchmark: str) -> Quantity:
        """Share of problems no sample solved: the {0} bin of the accuracy histogram."""
        tallies = self._tallies(self.role, benchmark)
        found = self._wrap("share never solved", benchmark, readings.never_solved, tallies)
        most = {tally.rounds.sizes[-1] if tally.rounds else tally.n for tally in tallies}
        if len(most) > 1:
            return found
        as_rate = f"{self.role} pass@{most.pop()}", -1.0
        return replace(found, terms=(replace(found.terms[0], same_as=as_rate),))

    def always_solved(self, benchmark: str) -> Quantity:
        """Share of problems every sample solved: the {1} bin of the accuracy histogram.

        Adaptive samples only bound it: a problem that stopped early might have failed later.
        """
        return self.mean_of("share always solved", benchmark, readings.always_solved)

    def mean_of(
        self, name: str, benchmark: str, read: Callable[[Sequence[Tally]], Reading]
    ) -> Quantity:
        """The mean over problems of a number in [0, 1] that is read from their tallies.

        Args:
            name: of the number, without the checkpoint: `Cover@0.5`.
            read: tallies -> the least and the most each problem's number can be; where a rule
                chose n, these are taken for bounds.
        """
        tallies = self._tallies(self.role, benchmark)
        if readings.stopping_rule(tallies) is not None:
            name += " (bounds; needs fixed samples)"
        return self._wrap(name, benchmark, read, tallies)

    def truncated(self, benchmark: str) -> Quantity:
        """Share of completions that ran out of tokens."""
        tallies = self._tallies(self.role, benchmark)
        return self._wrap("truncation rate", benchmark, readings.truncated, tallies)

    def log_perplexity(
        self,
        benchmark: str,
        *,
        of: CheckpointView | None = None,
        by: Literal["mean", "median"] = "mean",
    ) -> Quantity:
        """How surprised this checkpoint is by completions: mean of -log p per token, in nats.

        The logarithm of the perplexity of each completion (arXiv:2504.13837v5, sec. 4.1), averaged
        over the completions of a problem. The claim needs `@pytest.mark.scores(of, under=…)`.

        Args:
            of: whose completions; its own where none is named.
            by: of a problem's completions the mean, or the logarithm of the median perplexity.
        """
        of = of or self
        asked = ScoreOf(Measure.LOGPROB, of.role, self.role)
        name = f"log-perplexity of {of.role}'s completions"
        if by == "mean":
            return self._scored(name, asked, benchmark, -1.0)
        return self._scored(f"median {name}", asked, benchmark, -1.0, middle=_log_median)

    def token_entropy(self, benchmark: str, *, along: CheckpointView | None = None) -> Quantity:
        """Entropy of this checkpoint's next-token distribution, mean over tokens, in nats.

        Args:
            along: whose completions; its own where none is named.
        """
        along = along or self
        asked = ScoreOf(Measure.ENTROPY, along.role, self.role)
        return self._scored(f"token entropy along {along.role}'s completions", asked, benchmark)

    def divergence_to(
        self,
        other: CheckpointView,
        benchmark: str,
        *,
        along: CheckpointView | None = None,
        per: Literal["token", "completion"] = "token",
    ) -> Quantity:
        """KL(this || other) of next-token distributions over the full vocabulary, in nats.

        `pair.base.divergence_to(pair.rlvr, b)`, along the base's own completions, is the forward
        divergence of arXiv:2509.04259v1 (sec. 1, 4; which estimator it took for language models it
        does not say): summed over a completion its mean is, by the chain rule, that of whole
        completions. The claim needs
        `@pytest.mark.scores(along, under=(this, other))`.

        Args:
            along: whose completions; this checkpoint's own where none is named.
            per: mean over tokens, or sum over each completion.
        """
        along = along or self
        asked = ScoreOf(Measure.KL, along.role, self.role, other.role)
        name = f"KL to {other.role} per {per}, along {along.role}'s completions"
        return self._scored(name, asked, benchmark, summed=per == "completion")

    def unchanged_since(self, other: CheckpointView) -> Exact:
        """Update sparsity: share of weights equal in both checkpoints (arXiv:2505.11711v2).

        Weights are compared as bfloat16 values, the coarser dtype first where they differ
        (arXiv:2511.08567v1, def. 2.2; a relative tolerance below 2^-9 is the same thing).
        """
        return self.update_since(other).unchanged()

    def update_since(self, other: CheckpointView) -> UpdateView:
        """What training did to the weights: sparsity, size, spectra, subspaces, masks."""
        ours, theirs = self.of or self.role, other.of or other.role
        return UpdateView(ours, theirs, self.source, self.ledger)

    def kernel_since(self, base: CheckpointView, benchmark: str) -> KernelView:
        """How its tangent kernel differs from the base's, over probes of a benchmark.

        The claim needs `@pytest.mark.gradients()`.

        Raises:
            ValueError: since another than base, which every kernel is compared with.
        """
        if (base.of or base.role) != "base":
            raise ValueError(f"a kernel is compared with base's, got {base.role}")
        return KernelView(self.of or self.role, benchmark, self.source, self.ledger)

    def traits_since(
        self, base: CheckpointView, benchmarks: str | Sequence[str], *written: str,
        grading: Sequence[str] = (),
    ) -> KernelView:  # fmt: skip
        """The same over ways of behaving: base's right completions by stratum, and texts.

        The claim needs `@pytest.mark.gradients()` and `@pytest.mark.traits(*written)`, with the
        same `grading`; passages of `--trait NAME=FILE` are among them.

        Args:
            benchmarks: the claim's own, or all of its `benchmarks` fixture.

        Raises:
            ValueError: as of `kernel_since`.
        """
        first, *over = (benchmarks,) if isinstance(benchmarks, str) else benchmarks
        traits = Traits(written, tuple(over), tuple(grading))
        return replace(self.kernel_since(base, first), traits=traits)

    def likeness_to(self, base: CheckpointView) -> LikenessView:
        """How alike the two represent the texts of `--texts`, layer by layer.

        The claim needs `@pytest.mark.represents(this, base)`.
        """
        ours, theirs = self.of or self.role, base.of or base.role
        return LikenessView(ours, theirs, self.source, self.ledger)

    def counts(self, benchmark: str) -> tuple[Tally, ...]:
        """What it did on each problem: n, correct, unscored and more."""
        return self._tallies(self.role, benchmark)

    def _tallies(self, role: str, benchmark: str) -> tuple[Tally, ...]:
        self.ledger.check(benchmark)
        return self.source.tallies(role, benchmark)

    def _scored(
        self,
        name: str,
        asked: ScoreOf,
        benchmark: str,
        sign: float = 1.0,
        *,
        summed: bool = False,
        middle: Callable[[Floats], Floats] = _mean,
    ) -> Quantity:
        self.ledger.check(benchmark)
        found = self.source.scores(asked, benchmark)
        each = middle(sign * (found.totals if summed else found.totals / found.tokens))
        tallies, label = self._tallies(asked.of, benchmark), f"{self.role} {name}"
        term = Term(
            asked.of, label, each, each, tallies, bounds=_NATS, samples=found.totals.shape[1]
        )
        return Quantity(
            label, benchmark, each, each, _NATS, (term,), self.ledger,
            evidence=Evidence(scored_by=found.by),
            unit=Unit.NATS if summed else Unit.NATS_PER_TOKEN,
        )  # fmt: skip

    def _wrap(self, name: str, benchmark: str, read: Callable[[Sequence[Tally]], Reading],
              tallies: tuple[Tally, ...], k: int | None = None,
              noise: Within | None = None) -> Quantity:  # fmt: skip
        return self._read(name, benchmark, read, read(tallies), tallies, k, noise)

    def _read(self, name: str, benchmark: str, read: Callable[[Sequence[Tally]], Reading],
              reading: Reading, tallies: tuple[Tally, ...], k: int | None = None,
              noise: Within | None = None) -> Quantity:  # fmt: skip
        label = f"{self.role} {name}"
        term = Term(self.role, label, reading.low, reading.high, tallies, noise, reread=read)
        return Quantity(
            label, benchmark, reading.low, reading.high, (0.0, 1.0), (term,), self.ledger, k
        )


@dataclass(frozen=True)
class PairView:
    """The model pair of a run, asked by a claim."""

    base: CheckpointView
    rlvr: CheckpointView
    unknown: Sequence[str] = ()
    """What nobody can say about how the completions were drawn, as with recorded counts."""
    roles: Sequence[str] | None = None
    """The checkpoints a claim may ask; None: any."""

    def role(self, name: str) -> CheckpointView:
        """A further checkpoint given with `--checkpoint NAME=REF`.

        Raises:
            LookupError: the claim did not ask for it, or nobody gave it.
        """
        if self.roles is not None and name not in self.roles:
            raise LookupError(
                f"no checkpoint {name!r} here, only {', '.join(self.roles)}: mark the claim with "
                f"@pytest.mark.roles({name!r}) and give --checkpoint {name}=REF"
            )
        return CheckpointView(name, self.base.source, self.base.ledger)

    def gain(self, k: int, benchmarks: Sequence[str], *, weigh: Weigh = "benchmarks") -> Pooled:
        """What RLVR adds to pass@k, the mean over several benchmarks: one claim, one tail.

        Args:
            benchmarks: those of the claim's `benchmarks` fixture, or some of them.
            weigh: every benchmark the same, or every problem.

        Raises:
            ValueError: no benchmark, one named twice, or another way to weigh.
        """
        if not benchmarks or len({*benchmarks}) < len(benchmarks):
            raise ValueError(f"a mean needs benchmarks, each once, got {list(benchmarks)}")
        if weigh not in get_args(Weigh):
            raise ValueError(f"weigh is {' or '.join(get_args(Weigh))}, got {weigh!r}")
        parts = tuple(self.rlvr.pass_at(k, b) - self.base.pass_at(k, b) for b in benchmarks)
        of = f"over {len(parts)} benchmarks" if weigh == "benchmarks" else "over all problems"
        return Pooled(f"gain in pass@{k} {of}", parts, weigh)

    def at(self, **otherwise: Any) -> PairView:
        """The same pair, both asked or graded otherwise: `pair.at(grading="clean")`.

        Raises:
            LookupError, TypeError, ValueError: as `CheckpointView.at`.
        """
        base, rlvr = self.base.at(**otherwise), self.rlvr.at(**otherwise)
        return replace(self, base=base, rlvr=rlvr)

    def solved(self, benchmark: str) -> SolvedSets:
        """Which problems each checkpoint solved at least once in its samples."""
        self.base.ledger.check(benchmark)
        base, rlvr = (view.source.tallies(view.role, benchmark) for view in (self.base, self.rlvr))
        return SolvedSets(base, rlvr, benchmark, self._ledger)

    @property
    def _ledger(self) -> Ledger:
        """The claim's, which holds these two ways of asking against each other."""
        ledger, both = self.base.ledger, (self.base.role, self.rlvr.role)
        if both == PAIR:
            return ledger
        return replace(
            ledger,
            comparability=lambda benchmark, *_: ledger.comparability(benchmark, *both),
            even=lambda benchmark, *_: ledger.even(benchmark, *both),
        )

    def crossover(self, k: int, benchmark: str) -> Crossover:
        """Where rlvr's lead ends, looking at every k up to `k`; to show beside a claim.

        The interval of k* is read from the simultaneous band of the paired difference. Adaptive
        samples are looked at in doublings of k, for their estimator takes its time.
        """
        base, rlvr = self.at_every_k(k, benchmark)
        gaps = [after - before for before, after in zip(base, rlvr, strict=True)]
        return crossing(band(gaps, self.base.ledger.level))

    def at_every_k(self, most: int, benchmark: str) -> tuple[list[Quantity], list[Quantity]]:
        """pass@k of base and of rlvr at every k up to `most`; of adaptive samples in doublings."""
        sides = (view.counts(benchmark) for view in (self.base, self.rlvr))
        adaptive = any(tally.rounds for tallies in sides for tally in tallies)
        ks = default_ladder(most) if adaptive else range(1, most + 1)
        base, rlvr = (view._rates(ks, benchmark) for view in (self.base, self.rlvr))
        return base, rlvr

    def graded(self, grading: str, benchmark: str) -> PairView | None:
        """The same pair by another grading; None where nobody graded so."""
        pair = self.at(grading=grading)
        found = (
            v.source.graded(v.of or v.role, grading, benchmark) for v in (pair.base, pair.rlvr)
        )
        return None if any(tallies is None for tallies in found) else pair

    def graded_alike(self, benchmark: str, margin: float) -> Judgement:
        """Whether strict and lenient grades have the same checkpoint lead at k = 1.

        The claim needs `@pytest.mark.asks("base", "rlvr", grading=("strict", "lenient"))`.

        Args:
            margin: how much of a gain may be form: more answers in a form that counts.
        """
        ledger = self.base.ledger
        ledger.check(benchmark)
        pairs = {grading: self.graded(grading, benchmark) for grading in OTHERWISE}
        others = {grading: pair for grading, pair in pairs.items() if pair is not None}
        known = len(others) == len(OTHERWISE)
        shown = {OWN: self} | (others if known else {})
        gaps = {name: p.rlvr.pass_at(1, benchmark) - p.base.pass_at(1, benchmark)
                for name, p in shown.items()}  # fmt: skip
        form = gaps["lenient"] - gaps["strict"] if known else None
        return ledger.enter(benchmark, graded_alike(gaps, form, margin, ledger.level))

    def drawn_twice(self, benchmark: str, margin: float) -> Judgement:
        """Whether base, drawn a second time, is within `margin` of itself in pass@1.

        The claim needs `@pytest.mark.roles("again")`, the run `--self-test`.
        """
        ledger, both = self.base.ledger, ("base", AGAIN)
        ledger.check(benchmark)
        counts = ledger.even(benchmark, *both) or [self.role(r).counts(benchmark) for r in both]
        facts = (self.base.source.facts(role) for role in (*both, "rlvr"))
        reasons = [*foreign(*facts), *copies(*counts)]
        own = replace(
            ledger,
            target=THESE,
            comparability=lambda b, *_: [*ledger.comparability(b, *both), *reasons],
            even=lambda b, *_: ledger.even(b, *both),
        )
        base, again = (replace(self.role(role), ledger=own) for role in both)
        gap = again.pass_at(1, benchmark) - base.pass_at(1, benchmark)
        return own.enter(benchmark, drawn_twice(gap, margin))

    def guess_filtered(self, k: int, benchmark: str) -> Judgement:
        """Whether the same checkpoint leads at `k` without the problems that guesses solve."""
        ledger = self.base.ledger
        ledger.check(benchmark)
        guessing = self.base.source.guessing(benchmark)
        gap = self.rlvr.pass_at(k, benchmark) - self.base.pass_at(k, benchmark)
        return ledger.enter(benchmark, filtered(gap, guessing, k, ledger.level))

    def asked_the_same(self, benchmark: str) -> Judgement:
        """Whether both checkpoints answered the same question under the same rules.

        Each rule that is `unknown` may differ: then the answer is undecided, never yes.
        """
        ledger = self.base.ledger
        ledger.check(benchmark)
        reasons = list(ledger.unlike(benchmark))
        open_ = Verdict.UNDECIDED if self.unknown else Verdict.HOLDS
        verdict = Verdict.NOT_COMPARABLE if reasons else open_
        repeating = self.base.source.repeats(benchmark)
        agreeing = tuple(
            Alike(role, found.alike, found.chance) for role, found in repeating.items()
        )
        failed, unknown = float(len(reasons)), ", ".join(self.unknown)
        return ledger.note(
            Judgement(
                statement="differences between the two runs' questions = 0"
                + (f" (not recorded: {unknown})" if unknown else ""),
                verdict=verdict,
                estimate=failed,
                interval=Interval(failed, failed + len(self.unknown), ledger.level),
                threshold=0.0,
                relation="<=",
                benchmark=benchmark,
                k=None,
                n=None,
                unit=Unit.COUNT,
                evidence=Evidence(
                    notes=(
                        *self.base.source.notes(benchmark),
                        *ledger.cut(benchmark).said,
                        *few_copies(repeating),
                    ),
                    incomparable=tuple(reasons),
                    alike=agreeing or None,
                ),
            )
        )


def incomparable(
    base: CheckpointFacts,
    rlvr: CheckpointFacts,
    benchmark: str,
    base_tallies: Sequence[Tally],
    rlvr_tallies: Sequence[Tally],
    meant: Container[str] = (),
) -> list[str]:
    """Say why two runs did not answer the same question; empty where they did.

    Checked: prompts as token ids, sampling, stop ids, backend, sample counts, distinct random
    streams, and the share of unscored completions. What truncation could change is each
    comparison's own matter (`rlvr_gate.judging.truncation`).

    Args:
        meant: what the claim itself has had asked otherwise of one of them.
    """
    one, other = base.role, rlvr.role
    reasons = [
        f"{what} differ: {one} {ours}, {other} {theirs}"
        for what, ours, theirs in (
            ("prompts", base.prompt_digests.get(benchmark), rlvr.prompt_digests.get(benchmark)),
            ("sampling settings", base.sampling, rlvr.sampling),
            ("stop ids", base.stop_ids, rlvr.stop_ids),
            ("backends", base.backend, rlvr.backend),
            ("problems", len(base_tallies), len(rlvr_tallies)),
            ("samples", _samples(base_tallies), _samples(rlvr_tallies)),
        )
        if ours != theirs and what not in meant
    ]
    if base.digest == rlvr.digest and base.seed == rlvr.seed and not meant:
        reasons.append(f"both are the same samples: one checkpoint, one seed ({base.seed})")
    return [*reasons, *ungraded(base_tallies, rlvr_tallies, one, other)]


def copied(agreeing: Mapping[str, Repeats]) -> list[str]:
    """Say whose samples are copies of each other; empty where none's are."""
    return [_repeating(role, found) for role, found in agreeing.items() if found.accident]


def _repeating(role: str, found: Repeats) -> str:
    where = f" (for sure in {_problems(found)})" if found.copied else ""
    return (
        f"{role}'s samples repeat each other: {found.alike:.3g} of the pairs agree, "
        f"{found.chance:.3g} would by chance; were seeds ignored or used twice?{where}"
    )


def _problems(found: Repeats) -> str:
    return f"{len(found.copied)} problem{'s' if len(found.copied) > 1 else ''}"


def few_copies(agreeing: Mapping[str, Repeats]) -> list[str]:
    """Say whose samples hold copies for sure, but too few to matter to what is judged."""
    return [
        f"samples of {role}'s are copies in {_problems(found)} for sure, too few to matter here; "
        "was the run started again with seeds it had used?"
        for role, found in agreeing.items()
        if found.copied and not found.accident
    ]


def ungraded(
    base_tallies: Sequence[Tally],
    rlvr_tallies: Sequence[Tally],
    one: str = "base",
    other: str = "rlvr",
) -> list[str]:
    """Say whose completions have too often no grade for two runs to be comparable."""
    rates = {one: _unscored(base_tallies), other: _unscored(rlvr_tallies)}
    return [
        f"{rate:.1%} of {role}'s completions are unscored (bound {UNSCORED_BOUND:.0%})"
        for role, rate in rates.items()
        if rate > UNSCORED_BOUND
    ]


def _samples(tallies: Sequence[Tally]) -> list[int]:
    return sorted({t.n for t in tallies})


def _unscored(tallies: Sequence[Tally]) -> float:
    return sum(t.unscored for t in tallies) / max(sum(t.n for t in tallies), 1)
