"""What a suite sees of the checkpoints: `pair.rlvr.pass_at(8, benchmark)` and its kin.

Views read counts and weights through an EvidenceSource (the sample store, or recorded counts) and
return quantities; they never touch a model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from rlvr_gate.quantities import Array, Exact, Ledger, Proportion, Quantity, Term
from rlvr_gate.records import CheckpointFacts, Interval, Judgement, Tally, Verdict
from rlvr_gate.stats.passk import pass_at_k
from rlvr_gate.stats.support import solved_sets
from rlvr_gate.weights import Update


class EvidenceSource(Protocol):
    """Where the judged numbers come from."""

    def tallies(self, role: str, benchmark: str) -> tuple[Tally, ...]:
        """Counts of one checkpoint on one benchmark, in the benchmark's order."""

    def facts(self, role: str) -> CheckpointFacts:
        """Provenance of one checkpoint's completions."""

    def update(self, role: str, against: str) -> Update:
        """The weight comparison of two checkpoints."""


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
        return self._quantity(f"pass@{k}", benchmark, lambda n, c: pass_at_k(n, c, k), k=k)

    def never_solved(self, benchmark: str) -> Quantity:
        """Share of problems no sample solved: the {0} bin of the accuracy histogram."""
        return self._quantity("share never solved", benchmark, lambda n, c: c == 0)

    def always_solved(self, benchmark: str) -> Quantity:
        """Share of problems every sample solved: the {1} bin of the accuracy histogram."""
        return self._quantity("share always solved", benchmark, lambda n, c: c == n)

    def truncated(self, benchmark: str) -> Quantity:
        """Share of completions that ran out of tokens."""
        tallies = self.source.tallies(self.role, benchmark)
        share = np.array([t.truncated / t.n for t in tallies], dtype=np.float64)
        return self._wrap("truncation rate", benchmark, share, share, tallies, None)

    def unchanged_since(self, other: CheckpointView) -> Exact:
        """Update sparsity: share of weights equal in both checkpoints (arXiv:2505.11711).

        Weights are compared as bfloat16 values, the coarser dtype first where they differ
        (arXiv:2511.08567, def. 2.2; a relative tolerance below 2^-9 is the same thing).
        """
        update = self.source.update(self.role, other.role)
        return Exact(
            f"{self.role} weights unchanged since {other.role}",
            update.unchanged_fraction,
            self.ledger,
            update.summary(),
        )

    def _quantity(self, name: str, benchmark: str, per_problem: _PerProblem,
                  k: int | None = None) -> Quantity:  # fmt: skip
        tallies = self.source.tallies(self.role, benchmark)
        n = np.array([t.n for t in tallies], dtype=np.int64)
        correct = np.array([t.correct for t in tallies], dtype=np.int64)
        unscored = np.array([t.unscored for t in tallies], dtype=np.int64)
        one, other = per_problem(n, correct), per_problem(n, correct + unscored)
        low, high = np.minimum(one, other), np.maximum(one, other)
        return self._wrap(name, benchmark, low, high, tallies, k)

    def _wrap(self, name: str, benchmark: str, low: Array, high: Array,
              tallies: tuple[Tally, ...], k: int | None) -> Quantity:  # fmt: skip
        label = f"{self.role} {name}"
        low, high = low.astype(np.float64), high.astype(np.float64)
        term = Term(self.role, label, low, high, tallies)
        return Quantity(label, benchmark, low, high, (0.0, 1.0), (term,), self.ledger, k)


class _PerProblem(Protocol):
    def __call__(self, n: np.ndarray, c: np.ndarray, /) -> np.ndarray: ...


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


@dataclass(frozen=True)
class SolvedSets:
    """Preserved, gained, lost and unreached problems of a pair (arXiv:2507.14843, sec. 4)."""

    base: tuple[Tally, ...]
    rlvr: tuple[Tally, ...]
    benchmark: str
    ledger: Ledger

    @property
    def lost_share(self) -> Proportion:
        """Lost among the problems only one of the two solved.

        Against one half this is McNemar's exact test: the Clopper-Pearson interval excludes .5
        exactly when the two-sided binomial test rejects.
        """
        lost, gained = len(self.ids("lost")), len(self.ids("gained"))
        return self._proportion("lost / (lost + gained)", lost, lost + gained)

    @property
    def retention(self) -> Proportion:
        """Preserved among what the base solved (SRR)."""
        kept = len(self.ids("preserved"))
        return self._proportion("retention", kept, kept + len(self.ids("lost")))

    @property
    def discovery(self) -> Proportion:
        """Gained among what rlvr solved (NDR)."""
        gained = len(self.ids("gained"))
        return self._proportion("discovery", gained, gained + len(self.ids("preserved")))

    def ids(self, which: str) -> tuple[str, ...]:
        """Problem ids of `preserved`, `gained`, `lost` or `unreached`."""
        sets = solved_sets([t.correct for t in self.base], [t.correct for t in self.rlvr])
        positions: tuple[int, ...] = getattr(sets, which)
        return tuple(self.base[position].problem for position in positions)

    def _proportion(self, label: str, count: int, total: int) -> Proportion:
        names = ("preserved", "gained", "lost", "unreached")
        evidence: dict[str, object] = {name: len(self.ids(name)) for name in names}
        counts = {t.problem: (t, r) for t, r in zip(self.base, self.rlvr, strict=True)}
        for name in ("lost", "gained"):
            evidence[f"{name} problems"] = [
                {"problem": p, "base": f"{b.correct}/{b.n}", "rlvr": f"{r.correct}/{r.n}"}
                for p, (b, r) in counts.items()
                if p in self.ids(name)
            ]
        return Proportion(label, count, total, self.ledger, self.benchmark, evidence)


def incomparable(
    base: CheckpointFacts,
    rlvr: CheckpointFacts,
    benchmark: str,
    base_tallies: Sequence[Tally],
    rlvr_tallies: Sequence[Tally],
    *,
    truncation_margin: float = 0.02,
    unscored_bound: float = 0.01,
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
    ours, theirs = _rate(base_tallies, "truncated"), _rate(rlvr_tallies, "truncated")
    if abs(ours - theirs) >= truncation_margin:
        reasons.append(
            f"truncation rates differ by {abs(ours - theirs):.1%} (base {ours:.1%}, rlvr "
            f"{theirs:.1%}; bound {truncation_margin:.0%}): raise --max-new-tokens"
        )
    for role, rate in (
        ("base", _rate(base_tallies, "unscored")),
        ("rlvr", _rate(rlvr_tallies, "unscored")),
    ):
        if rate > unscored_bound:
            reasons.append(
                f"{rate:.1%} of {role}'s completions are unscored (bound {unscored_bound:.0%})"
            )
    return reasons


def _samples(tallies: Sequence[Tally]) -> list[int]:
    return sorted({t.n for t in tallies})


def _rate(tallies: Sequence[Tally], what: str) -> float:
    total = sum(t.n for t in tallies)
    return sum(int(getattr(t, what)) for t in tallies) / total if total else 0.0
