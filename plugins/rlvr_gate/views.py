"""What a suite sees of the checkpoints: `pair.rlvr.pass_at(8, benchmark)` and its kin.

Views read counts and weights through an EvidenceSource (the sample store, or recorded counts) and
return quantities; they never touch a model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from rlvr_gate import readings
from rlvr_gate.guessing import Guessing, filtered
from rlvr_gate.ladder import band, crossing
from rlvr_gate.power import Within, within
from rlvr_gate.quantities import Exact, Ledger, Quantity, Term
from rlvr_gate.readings import Reading
from rlvr_gate.records import CheckpointFacts, Interval, Judgement, Tally, Verdict
from rlvr_gate.solved import SolvedSets
from rlvr_gate.stats.passk import default_ladder
from rlvr_gate.updates import UpdateView, Weights


class EvidenceSource(Weights, Protocol):
    """Where the judged numbers come from."""

    def tallies(self, role: str, benchmark: str) -> tuple[Tally, ...]:
        """Counts of one checkpoint on one benchmark, in the benchmark's order."""

    def facts(self, role: str) -> CheckpointFacts:
        """Provenance of one checkpoint's completions."""

    def guessing(self, benchmark: str) -> Guessing | None:
        """The guesser that saw all answers but the problem; None where answers are unknown."""


@dataclass(frozen=True)
class CheckpointView:
    """One checkpoint of a run, asked by a claim."""

    role: str
    source: EvidenceSource
    ledger: Ledger

    def pass_at(self, k: int, benchmark: str) -> Quantity:
        """pass@k: the chance that k completions hold a correct one (arXiv:2107.03374, eq. 1).

        Raises:
            ValueError: k exceeds the samples of some problem.
        """
        tallies = self.source.tallies(self.role, benchmark)
        reading = readings.solve_rate(tallies, k)
        found = self._wrap(f"pass@{k}", benchmark, reading, tallies, k, within(tallies, k))
        guessing = self.source.guessing(benchmark) if k > 1 else None
        return found.beside(guessing.beside(k)) if guessing else found

    def never_solved(self, benchmark: str) -> Quantity:
        """Share of problems no sample solved: the {0} bin of the accuracy histogram."""
        tallies = self.source.tallies(self.role, benchmark)
        return self._wrap("share never solved", benchmark, readings.never_solved(tallies), tallies)

    def always_solved(self, benchmark: str) -> Quantity:
        """Share of problems every sample solved: the {1} bin of the accuracy histogram.

        Adaptive samples only bound it: a problem that stopped early might have failed later.
        """
        tallies = self.source.tallies(self.role, benchmark)
        name = "share always solved"
        if readings.stopping_rule(tallies) is not None:
            name += " (bounds; needs fixed samples)"
        return self._wrap(name, benchmark, readings.always_solved(tallies), tallies)

    def truncated(self, benchmark: str) -> Quantity:
        """Share of completions that ran out of tokens."""
        tallies = self.source.tallies(self.role, benchmark)
        return self._wrap("truncation rate", benchmark, readings.truncated(tallies), tallies)

    def unchanged_since(self, other: CheckpointView) -> Exact:
        """Update sparsity: share of weights equal in both checkpoints (arXiv:2505.11711).

        Weights are compared as bfloat16 values, the coarser dtype first where they differ
        (arXiv:2511.08567, def. 2.2; a relative tolerance below 2^-9 is the same thing).
        """
        return self.update_since(other).unchanged()

    def update_since(self, other: CheckpointView) -> UpdateView:
        """What training did to the weights: sparsity, size, spectra, subspaces, masks."""
        return UpdateView(self.role, other.role, self.source, self.ledger)

    def _wrap(self, name: str, benchmark: str, reading: Reading, tallies: tuple[Tally, ...],
              k: int | None = None, noise: Within | None = None) -> Quantity:  # fmt: skip
        label = f"{self.role} {name}"
        term = Term(self.role, label, reading.low, reading.high, tallies, noise)
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

    def role(self, name: str) -> CheckpointView:
        """A further checkpoint given with `--checkpoint NAME=REF`."""
        return CheckpointView(name, self.base.source, self.base.ledger)

    def solved(self, benchmark: str) -> SolvedSets:
        """Which problems each checkpoint solved at least once in its samples."""
        source = self.base.source
        base, rlvr = source.tallies("base", benchmark), source.tallies("rlvr", benchmark)
        return SolvedSets(base, rlvr, benchmark, self.base.ledger)

    def crossover(self, k: int, benchmark: str) -> dict[str, object]:
        """Evidence to show beside a claim: where rlvr's lead ends, looking at k = 1, 2, 4 … `k`.

        The interval of k* is read from the simultaneous band of the paired difference.
        """
        ks = default_ladder(k)
        gaps = [self.rlvr.pass_at(k, benchmark) - self.base.pass_at(k, benchmark) for k in ks]
        return {"crossover": crossing(band(gaps, self.base.ledger.level))}

    def guess_filtered(self, k: int, benchmark: str) -> Judgement:
        """Whether the same checkpoint leads at `k` without the problems that guesses solve."""
        ledger, guessing = self.base.ledger, self.base.source.guessing(benchmark)
        gap = self.rlvr.pass_at(k, benchmark) - self.base.pass_at(k, benchmark)
        reasons = ledger.comparability(benchmark)
        judged = filtered(gap, guessing, k, ledger.level)
        if reasons:
            evidence = {**judged.evidence, "not comparable": list(reasons)}
            judged = replace(judged, verdict=Verdict.NOT_COMPARABLE, evidence=evidence)
        return ledger.note(judged)

    def asked_the_same(self, benchmark: str) -> Judgement:
        """Whether both checkpoints answered the same question under the same rules.

        Each rule that is `unknown` may differ: then the answer is undecided, never yes.
        """
        ledger = self.base.ledger
        reasons = list(ledger.comparability(benchmark))
        open_ = Verdict.UNDECIDED if self.unknown else Verdict.HOLDS
        verdict = Verdict.NOT_COMPARABLE if reasons else open_
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
                evidence={"not comparable": reasons} if reasons else {},
            )
        )


def incomparable(
    base: CheckpointFacts,
    rlvr: CheckpointFacts,
    benchmark: str,
    base_tallies: Sequence[Tally],
    rlvr_tallies: Sequence[Tally],
) -> list[str]:
    """Say why two runs did not answer the same question; empty where they did.

    Checked: prompts as token ids, sampling, stop ids, backend, sample counts, distinct random
    streams, truncation rates (difference in points) and the share of unscored completions.
    """
    reasons = [
        f"{what} differ: base {ours}, rlvr {theirs}"
        for what, ours, theirs in (
            ("prompts", base.prompt_digests.get(benchmark), rlvr.prompt_digests.get(benchmark)),
            ("sampling settings", base.sampling, rlvr.sampling),
            ("stop ids", base.stop_ids, rlvr.stop_ids),
            ("backends", base.backend, rlvr.backend),
            ("problems", len(base_tallies), len(rlvr_tallies)),
            ("samples", _samples(base_tallies), _samples(rlvr_tallies)),
        )
        if ours != theirs
    ]
    if base.digest == rlvr.digest and base.seed == rlvr.seed:
        reasons.append(f"both are the same samples: one checkpoint, one seed ({base.seed})")
    return [*reasons, *unlike_rates(base_tallies, rlvr_tallies)]


def unlike_rates(
    base_tallies: Sequence[Tally],
    rlvr_tallies: Sequence[Tally],
    *,
    truncation_margin: float = 0.02,
    unscored_bound: float = 0.01,
    remedy: str = "raise --max-new-tokens",
) -> list[str]:
    """Say which shares of completions keep two runs from being comparable: truncated or unscored.

    Truncation that nobody recorded is not compared.
    """
    reasons = []
    ours, theirs = _rate(base_tallies, "truncated"), _rate(rlvr_tallies, "truncated")
    if ours is not None and theirs is not None and abs(ours - theirs) >= truncation_margin:
        reasons.append(
            f"truncation rates differ by {abs(ours - theirs):.1%} (base {ours:.1%}, rlvr "
            f"{theirs:.1%}; bound {truncation_margin:.0%}): {remedy}"
        )
    for role, rate in (
        ("base", _rate(base_tallies, "unscored")),
        ("rlvr", _rate(rlvr_tallies, "unscored")),
    ):
        if rate is not None and rate > unscored_bound:
            reasons.append(
                f"{rate:.1%} of {role}'s completions are unscored (bound {unscored_bound:.0%})"
            )
    return reasons


def _samples(tallies: Sequence[Tally]) -> list[int]:
    return sorted({t.n for t in tallies})


def _rate(tallies: Sequence[Tally], what: str) -> float | None:
    counts, total = [getattr(t, what) for t in tallies], sum(t.n for t in tallies)
    if None in counts:
        return None
    return sum(map(int, counts)) / total if total else 0.0
