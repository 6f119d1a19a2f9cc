"""Where, along given text, another checkpoint would choose another token (arXiv:2605.06241).

The text decides much: along the base's own greedy answers a trained checkpoint differs more often
than along its own, so whose text it is stands in every label.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rlvr_gate.claims.tokens.choices import Chosen, Floats, Ints
from rlvr_gate.claims.tokens.promoted import promoted
from rlvr_gate.judging.quantities import Estimate, Quantity
from rlvr_gate.judging.terms import Term
from rlvr_gate.records import Evidence, Facts, Unit

if TYPE_CHECKING:
    from rlvr_gate.claims.views import CheckpointView

Bools = NDArray[np.bool_]

NEAR = 5
"""Ranks that count as having been considered."""
FEWEST = (100, 20)
"""Differing positions, and problems that have some, below which nothing is said of them."""


@dataclass(frozen=True)
class _Seen:
    """What one checkpoint and another would choose along completions of a third way of asking."""

    view: CheckpointView
    other: CheckpointView
    along: CheckpointView
    benchmark: str
    problems: tuple[tuple[Chosen, ...], ...]

    @property
    def where(self) -> str:
        return f"along {self.along.role}'s completions"

    @cached_property
    def differ(self) -> list[Bools]:
        """Of every position of each problem whether the two differ there."""
        return [np.concatenate([c.differ for c in of]) for of in self.problems]

    @cached_property
    def rank(self) -> list[Ints]:
        """Likewise the place of the other's choice."""
        return [np.concatenate([c.rank for c in of]) for of in self.problems]

    @cached_property
    def entropy(self) -> list[Floats]:
        """Likewise how much the first one hesitates."""
        return [np.concatenate([c.entropy for c in of]) for of in self.problems]

    def quantity(self, name: str, values: Floats, bounds: tuple[float, float]) -> Quantity:
        """The mean over problems of one number each."""
        tallies, label = self.along.counts(self.benchmark), f"{self.other.role} {name}"
        samples = max(map(len, self.problems))
        term = Term(self.along.role, label, values, values, tallies, bounds=bounds,
                    samples=samples)  # fmt: skip
        return Quantity(label, self.benchmark, values, values, bounds, (term,), self.view.ledger)

    def differing(self) -> Quantity:
        """Share of positions where the two differ."""
        shares = np.array([each.mean() for each in self.differ])
        name = f"share of positions where it would choose otherwise than {self.view.role}"
        return self.quantity(f"{name}, {self.where}", shares, (0.0, 1.0))


def _seen(
    view: CheckpointView, other: CheckpointView, benchmark: str, along: CheckpointView
) -> _Seen:
    view.ledger.check(benchmark)
    ours, theirs = (each.of or each.role for each in (view, other))
    problems = view.source.chosen(along.role, ours, theirs, benchmark)
    return _Seen(view, other, along, benchmark, problems)


def chosen_otherwise(
    view: CheckpointView, other: CheckpointView, benchmark: str, *, along: CheckpointView
) -> Quantity:
    """Share of positions where `other` finds another token likeliest than `view` does.

    Beside it which tokens it promotes over which, where, and the share over all tokens. The claim
    needs `@pytest.mark.scores(ROLE, under=(ROLE, ROLE), choices=True, …)`.

    Args:
        along: whose completions; as published the base's own greedy ones.
    """
    seen = _seen(view, other, benchmark, along)
    found, differ = seen.differing(), np.concatenate(seen.differ)
    facts = Facts(
        {
            "positions": len(differ),
            "differing": int(differ.sum()),
            "share over all positions": float(differ.mean()),
        },
        f"{other.role} against {view.role} {seen.where}",
    )

    def spelled(ids: list[tuple[int, ...]]) -> list[str]:
        return view.source.spelled(along.role, ids)

    return found.beside(facts, *promoted(seen.problems, _names(seen), seen.where, spelled))


def _names(seen: _Seen) -> list[str]:
    """Ids of the problems, in the benchmark's order."""
    return [tally.problem for tally in seen.along.counts(seen.benchmark)]


def considered(
    view: CheckpointView, other: CheckpointView, benchmark: str, *, along: CheckpointView
) -> Estimate:
    """Where `other` chooses otherwise, the share of its choices that `view` has in its top 5.

    A ratio over problems, so that long answers weigh more. Undecided below 100 such positions or
    20 problems that have some.
    """
    from rlvr_gate.claims.numbers.ratio import ratio, unknown  # whose room lists this file

    seen = _seen(view, other, benchmark, along)
    pairs = list(zip(seen.differ, seen.rank, strict=True))
    differ = np.array([d.sum() for d, _ in pairs], dtype=np.float64)
    near = np.array([(d & (rank <= NEAR)).sum() for d, rank in pairs], dtype=np.float64)
    of, label = seen.differing(), (
        f"{other.role} share of its other choices that {view.role} has in its top {NEAR}, "
        f"{seen.where}"
    )  # fmt: skip
    places, among = int(differ.sum()), int((differ > 0).sum())
    if places < FEWEST[0] or among < FEWEST[1]:
        return unknown(
            label, of, (0.0, 1.0),
            f"{places} positions of {among} problems: {FEWEST[0]} of {FEWEST[1]} are needed",
        )  # fmt: skip
    ranks = np.concatenate([rank[d] for d, rank in pairs])
    some = differ > 0
    facts = Facts(
        {
            "differing positions": places,
            f"beyond the top {NEAR}": places - int(near.sum()),
            "mean rank": float(ranks.mean()),
            "largest rank": int(ranks.max()),
            "unweighted share": float((near[some] / differ[some]).mean()),
        },
        f"Rank of {other.role}'s choices under {view.role}",
    )
    most = differ.max()  # of any problem: both parts lie in [0, 1], as far from 0 as they can
    return ratio(label, of, [(near / most, differ / most)], Evidence(exhibits=(facts,)))


def hesitation(
    view: CheckpointView, other: CheckpointView, benchmark: str, *, along: CheckpointView
) -> Quantity | Estimate:
    """How much more `view` hesitates where `other` chooses otherwise than elsewhere.

    Entropy in nats, the mean over problems that have both kinds of position. How many have not is
    told, and the same without first tokens, which often dominate.
    """
    from rlvr_gate.claims.numbers.ratio import unknown

    seen = _seen(view, other, benchmark, along)
    gaps = np.array([_gap(of, 0) for of in seen.problems])
    later = np.array([_gap(of, 1) for of in seen.problems])
    both = ~np.isnan(gaps)
    name = f"base entropy where it would choose otherwise, less elsewhere, {seen.where}"
    if both.sum() < 2:
        return unknown(
            f"{other.role} {name}", seen.differing(), (-np.inf, np.inf),
            f"{both.sum()} problems have positions of both kinds: two are needed",
        )  # fmt: skip
    found = replace(seen.quantity(name, np.nan_to_num(gaps), (-np.inf, np.inf)), unit=Unit.NATS)
    differ, entropy = np.concatenate(seen.differ), np.concatenate(seen.entropy)
    there, elsewhere = entropy[differ].mean(), entropy[~differ].mean()
    facts = {
        "nats at differing positions": float(there),
        "nats elsewhere": float(elsewhere),
        "times": float(there / elsewhere) if elsewhere > 0 else None,
        "problems without one kind": int((~both).sum()),
        "difference without first tokens": float(np.nanmean(later))
        if not np.isnan(later).all()
        else None,
    }
    which = "of problems that have both"
    return found.among([bool(b) for b in both], which).beside(Facts(facts, "Entropy under base"))


def _gap(of: tuple[Chosen, ...], first: int) -> float:
    """Mean entropy at differing positions less that at others; NaN where there is one kind."""
    entropy = np.concatenate([c.entropy[first:] for c in of])
    differ = np.concatenate([c.differ[first:] for c in of])
    if differ.all() or not differ.any():
        return float("nan")
    return float(entropy[differ].mean() - entropy[~differ].mean())
