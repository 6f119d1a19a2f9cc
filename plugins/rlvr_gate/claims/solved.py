"""Which problems a pair gained and lost, how sure that is, and how much of it is noise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product

import numpy as np

from rlvr_gate.judging import readings
from rlvr_gate.judging.ledger import Ledger
from rlvr_gate.judging.p_values import two_sided
from rlvr_gate.judging.quantities import Estimate, Proportion
from rlvr_gate.judging.terms import Array, units
from rlvr_gate.records import Evidence, Expected, Interval, Moved, Noise, SolvedCounts, Tally, Unit
from rlvr_gate.stats.intervals import ratio_interval
from rlvr_gate.stats.null import NullComparison, compared
from rlvr_gate.stats.support import Sureness, level_of_each, solved_sets, sureness

CLASSES = ("preserved", "gained", "lost", "unreached")


@dataclass(frozen=True, slots=True)
class Chances:
    """Per problem, the chance to be solved within the budget, ``(problems,)`` each."""

    base: Array
    rlvr: Array
    both: Array
    """By both of two disjoint halves of base's samples."""

    @property
    def expected(self) -> Array:
        """Solved by rlvr as far as base shares it or chance gains it."""
        return np.clip(self.base * self.rlvr + self.base - self.both, 0.0, 1.0)


@dataclass(frozen=True)
class SolvedSets:
    """Preserved, gained, lost and unreached problems of a pair (arXiv:2507.14843v4, def. 3.3)."""

    base: tuple[Tally, ...]
    rlvr: tuple[Tally, ...]
    benchmark: str
    ledger: Ledger

    @property
    def lost_share(self) -> Proportion | Estimate:
        """Lost among the problems only one of the two solved.

        Against one half this is McNemar's exact test: the Clopper-Pearson interval excludes .5
        exactly when the two-sided binomial test rejects. Where problems come in clusters, a
        ratio of means over clusters.
        """
        return self._proportion("lost / (lost + gained)", "lost", "gained")

    @property
    def retention(self) -> Proportion | Estimate:
        """Preserved among what the base solved (SRR), noise and all."""
        return self._proportion("retention", "preserved", "lost")

    @property
    def discovery(self) -> Proportion | Estimate:
        """Gained among what rlvr solved (NDR), noise and all."""
        return self._proportion("discovery", "gained", "preserved")

    @property
    def net_change(self) -> Estimate:
        """Gained less lost among all that either solved (NSCR), in [-1, 1].

        Two runs of one model give 0: noise gains as much as it loses.
        """
        if min(tally.n for tally in (*self.base, *self.rlvr)) < 2:
            anything = Interval(-1.0, 1.0, self.ledger.level)
            found = self._unknown("net change of support", self._evidence())
            return replace(found, interval=anything, bounds=(-1.0, 1.0))
        both, gained, lost = (self._is(name) for name in CLASSES[:3])
        half = both / 2 + lost  # NSCR is one less than twice half / all, upside down
        share = self._share("", half, both + gained + lost, self._evidence() | self._noise())
        return -2 * share._affine(1.0, -0.5, "net change of support")

    @property
    def retention_beyond_noise(self) -> Estimate:
        """Retention over that of base against itself: 1 where all that is lost is noise."""
        found = [null for null, _ in self._null]
        return self._beyond_noise(
            "retention", (0.0, 2.0), [f.retention for f in found],
            [f.retention_interval for f in found],
            lambda t: self._ratio_p(t, [(c.base * c.rlvr, c.both) for _, c in self._null]),
            Unit.RATIO,
        )  # fmt: skip

    @property
    def discovery_beyond_noise(self) -> Estimate:
        """Discovery less what base gains on itself: 0 where all that is gained is noise."""
        found = [null for null, _ in self._null]
        return self._beyond_noise(
            "discovery", (-1.0, 1.0), [f.discovery for f in found],
            [f.discovery_interval for f in found],
            lambda t: self._ratio_p(1 - t, [(c.expected, c.rlvr) for _, c in self._null]),
        )  # fmt: skip

    def ids(self, which: str) -> tuple[str, ...]:
        """Problem ids of `preserved`, `gained`, `lost` or `unreached`."""
        sets = solved_sets([t.correct for t in self.base], [t.correct for t in self.rlvr])
        positions: tuple[int, ...] = getattr(sets, which)
        return tuple(self.base[position].problem for position in positions)

    @cached_property
    def _null(self) -> tuple[tuple[NullComparison, Chances], ...]:
        """The pair against base against itself, under every reading of what was not scored.

        Empty where a problem has one sample: it cannot be split.
        """
        rule = readings.stopping_rule(self.base)
        fewest = min(t.n for t in (*self.base, *self.rlvr)) if rule is None else rule.sizes[-1]
        budget = fewest // 2
        if budget < 1:
            return ()
        half, whole = (readings.solve_rate(self.base, k) for k in (budget, 2 * budget))
        other = readings.solve_rate(self.rlvr, budget)
        bases = _readings((half.low, whole.low), (half.high, whole.high))
        rlvrs = _readings((other.low,), (other.high,))
        chances = [
            Chances(base, rlvr, np.clip(2 * base - either, 0.0, 1.0))
            for (base, either), (rlvr,) in product(bases, rlvrs)
        ]
        level = self.ledger.level
        return tuple(
            (compared(c.base, c.rlvr, c.both, (budget,), m=1, level=level,
                      clusters=self._clusters, guaranteed=self.ledger.guaranteed), c)
            for c in chances
        )  # fmt: skip

    def _beyond_noise(
        self,
        name: str,
        range_: tuple[float, float],
        values: Sequence[float | None],
        intervals: Sequence[Interval],
        p_value: Callable[[float], float],
        unit: Unit = Unit.SHARE,
    ) -> Estimate:
        known = [value for value in values if value is not None]
        low = min((i.low for i in intervals), default=range_[0])
        high = max((i.high for i in intervals), default=range_[1])
        return Estimate(
            f"{name} beyond noise",
            (min(known) + max(known)) / 2 if known else None,
            Interval(low, high, self.ledger.level),
            self.ledger,
            self.benchmark,
            self._evidence() | self._noise(),
            len(self.base),
            p_value if known else None,
            unit=unit,
        )

    def _ratio_p(self, ratio: float, parts: Sequence[tuple[Array, Array]]) -> float:
        """Of a ratio of means, as in Fieller's interval, under the least sure reading."""
        bounds = -max(ratio, 1e-9), max(1.0, 1.0 - ratio)
        return max(
            two_sided(
                values,
                values,
                0.0,
                bounds,
                clusters=self._clusters,
                guaranteed=self.ledger.guaranteed,
            )
            for values in (top - ratio * bottom for top, bottom in parts)
        )

    def _noise(self) -> Evidence:
        if not self._null:
            return Evidence(no_noise="needs two samples of every problem")
        found, _ = self._null[0]  # unscored counted as wrong
        pair, null = found.pair, found.null
        rows = (
            Expected("retention (SRR)", pair.ratios.retention, null.ratios.retention),
            Expected("discovery (NDR)", pair.ratios.discovery, null.ratios.discovery),
            Expected("harmonic mean of both (SDS)", pair.ratios.sds, null.ratios.sds),
            Expected("net change (NSCR)", pair.ratios.nscr, null.ratios.nscr),
            Expected("problems lost", pair.lost, null.lost),
            Expected("problems gained", pair.gained, null.gained),
        )
        return Evidence(noise=Noise(found.budget[0], rows))

    @property
    def _clusters(self) -> tuple[str, ...] | None:
        return units(self.base)["clusters"]

    def _proportion(self, label: str, counted: str, rest: str) -> Proportion | Estimate:
        """`counted` among `counted` and `rest`."""
        count, others = self.ids(counted), self.ids(rest)
        total, evidence = len(count) + len(others), self._evidence()
        problems = len(self.base) if total else 0
        counted_ = replace(evidence, count=len(count), total=total)
        if min(tally.n for tally in (*self.base, *self.rlvr)) < 2:
            return self._unknown(label, counted_)
        if self._clusters is None:
            return Proportion(
                label, len(count), total, self.ledger, self.benchmark, evidence, problems
            )
        top, bottom = self._is(counted), self._is(counted) + self._is(rest)
        return self._share(label, top, bottom, counted_)

    def _is(self, which: str) -> Array:
        """One for each problem of this class."""
        return np.isin([tally.problem for tally in self.base], self.ids(which)).astype(np.float64)

    def _share(self, label: str, top: Array, bottom: Array, evidence: Evidence) -> Estimate:
        """A ratio of means over problems, or over clusters of them."""
        some = bool(bottom.any())
        return Estimate(
            label,
            float(top.sum() / bottom.sum()) if some else None,
            ratio_interval(
                top,
                bottom,
                level=self.ledger.level,
                clusters=self._clusters,
                guaranteed=self.ledger.guaranteed,
            ),
            self.ledger,
            self.benchmark,
            evidence,
            len(self.base) if some else 0,
            (lambda t: self._ratio_p(t, [(top, bottom)])) if some else None,
            (0.0, 1.0),
        )

    def _unknown(self, label: str, evidence: Evidence) -> Estimate:
        """Which problems can be solved at all, a single sample of each does not tell."""
        anything = Interval(0.0, 1.0, self.ledger.level)
        said = replace(evidence, notes=(readings.ONE_SAMPLE,))
        return Estimate(label, None, anything, self.ledger, self.benchmark, said)

    def _evidence(self) -> Evidence:
        preserved, gained, lost, unreached = (len(self.ids(name)) for name in CLASSES)
        moved = self._moved("lost"), self._moved("gained")
        return Evidence(solved=SolvedCounts(preserved, gained, lost, unreached, *moved))

    def _moved(self, which: str) -> tuple[Moved, ...]:
        counts = {t.problem: (t, r) for t, r in zip(self.base, self.rlvr, strict=True)}
        alpha = alpha_of_each(self.base, self.rlvr)
        return tuple(
            Moved(p, f"{b.correct}/{b.n}", f"{r.correct}/{r.n}", str(resting(b, r, alpha)))
            for p in self.ids(which)
            for b, r in [counts[p]]
        )


def alpha_of_each(base: Sequence[Tally], rlvr: Sequence[Tally]) -> float:
    """At which level each problem is tested, so that by chance hardly a run shows a solid one."""
    sides = ([getattr(t, name) for t in of] for of in (base, rlvr) for name in ("n", "correct"))
    return level_of_each(*sides)


def resting(base: Tally, rlvr: Tally, alpha: float = 0.05) -> Sureness | None:
    """What a gained or lost problem rests on; None where both or neither solved it.

    Args:
        alpha: level of its own test, `alpha_of_each` where it is one of many.
    """
    if bool(base.correct) == bool(rlvr.correct):
        return None
    solver, other = (base, rlvr) if base.correct else (rlvr, base)
    return sureness(solver.n, solver.correct, other.n, other.correct, alpha=alpha)


def _readings(low: tuple[Array, ...], high: tuple[Array, ...]) -> list[tuple[Array, ...]]:
    """Both readings of unscored completions, or one where they agree."""
    same = all(np.array_equal(a, b) for a, b in zip(low, high, strict=True))
    return [low] if same else [low, high]
