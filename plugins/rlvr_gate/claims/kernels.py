"""What a suite sees of a kernel: `pair.rlvr.kernel_since(pair.base, benchmark)` and its kin.

The kernel is the empirical tangent kernel of a loss-free output over the benchmark's probes, at
the checkpoint against at its base. Two updates are compared as they are, or at the same size of
update, the same divergence from the base, or for each point that was gained; a line from the base
to the other checkpoint stands in for a smaller update of its kind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, Protocol, cast

import numpy as np

from rlvr_gate.judging.ledger import Ledger
from rlvr_gate.judging.quantities import Estimate, Exact
from rlvr_gate.kernels.points import FEWEST, LINE, SEEDS, Traits, WeightPoint
from rlvr_gate.records import NOTHING, Curves, Evidence, Interval, Table, Tally, Unit

if TYPE_CHECKING:
    from rlvr_gate.kernels.change import KernelChange
    from rlvr_gate.kernels.jackknife import Jackknifed, Kept, Number
    from rlvr_gate.kernels.measured import KernelAt, Probes
    from rlvr_gate.kernels.spectrum import Floats

What = Literal["distance", "turn", "rescaling"]
At = Literal["", "size", "kl", "gain"]

Row = tuple[str, float, float | None, float, float, float | None, float]
"""What a table shows of a point."""

_AXES = {1: "size of update", 2: "KL to base"}
"""Columns of it that a turn is drawn against."""
WORDS = {"distance": "kernel's change", "turn": "kernel's turn", "rescaling": "share of rescaling"}
_MATCHED = {
    "": "", "size": " at its size of update", "kl": " at its divergence from base",
    "gain": " for each point gained",
}  # fmt: skip
_ROUNDING = 1e-5
"""Change of a kernel that gradients in float32 cannot tell from none."""
_LARGEST = float(np.log(1e6))
"""Logarithm of the largest ratio that an interval tells apart."""


class KernelSource(Protocol):
    """Where kernels come from."""

    @property
    def roles(self) -> Sequence[str]:
        """The checkpoints there is anything about."""

    def kernel(self, point: WeightPoint, benchmark: str, traits: Traits | None = None) -> KernelAt:
        """What the claim asked to have taken; LookupError where it did not ask in time."""

    def probes(self, benchmark: str, traits: Traits | None = None) -> Probes:
        """What a benchmark's kernels are over."""

    def tallies(self, role: str, benchmark: str) -> tuple[Tally, ...]:
        """Counts of one checkpoint on one benchmark, in the benchmark's order."""

    def was_asked(self, name: str, benchmark: str) -> bool:
        """Whether there are such counts."""


@dataclass(frozen=True)
class KernelView:
    """One checkpoint's kernel against its base's, asked by a claim."""

    role: str
    benchmark: str
    source: KernelSource
    ledger: Ledger
    traits: Traits | None = None
    """What the kernel is over, where it is not every probe for itself."""

    def distance(self) -> Estimate | Exact:
        """How far the kernel moved, trace apart, over its size."""
        return self._own("distance")

    def turn(self) -> Estimate | Exact:
        """How far it turned, weighed by its spectrum: 0 where it was only rescaled."""
        return self._own("turn")

    def rescaling(self) -> Estimate | Exact:
        """The share of its change that rescales along the base's directions."""
        return self._own("rescaling")

    def over(self, other: KernelView, what: What, at: At = "") -> Estimate | Exact:
        """This checkpoint's number over another's.

        Args:
            what: `distance`, `turn` or `rescaling`.
            at: the number of the other as it is; on the way to it where it has this one's `size`
                of update or `kl` to the base, which needs `gradients(line=…)`; or both for each
                point of `gain` in pass@1.
        """
        label = f"{self.role} {WORDS[what]} over {other.role}'s{_MATCHED[at]}"
        if why := self._still(what) or other._still(what):
            return self._unknown(label, why, other)
        if at in ("size", "kl") and (why := self._beyond(other, at)):
            return self._unknown(label, why, other)
        if at == "gain" and (why := self._no_gain(other)):
            return self._unknown(label, why, other)
        line = [other._point(scale) for scale in (LINE if at in ("size", "kl") else ())]
        points = [self._base, self._point(), *reversed(line), other._point()]
        return self._ratio(label, points, self._compared(points, other, what, at), other)

    def over_noise(self, what: What) -> Estimate | Exact:
        """Its number over the mean of random updates that have its size in every tensor."""
        label = f"{self.role} {WORDS[what]} over that of random updates of its size"
        points = [self._base, self._point(), *self._noise]
        if why := self._still(what):
            return self._unknown(label, why, None)

        def number(kernels: Sequence[Floats], kept: Kept) -> float:
            base, ours, *noise = kernels
            measure = self._measure(what, kept)
            return _log(measure(base, ours), float(np.mean([measure(base, n) for n in noise])))

        return self._ratio(label, points, number, None)

    def share_along(self) -> Estimate | Exact:
        """Share of the update's square that lies along base's directions, all that there are.

        Those of traits are as many as traits; a random update has next to nothing along them.
        """
        label = f"{self.role} share of the update along base's directions"
        if why := self._still():
            return self._unknown(label, why, None)
        found = self._jackknifed([self._base], self._within)
        low, high = (min(max(end, 0.0), 1.0) for end in found.interval(self.ledger.level))
        return Estimate(
            label, found.value, Interval(low, high, self.ledger.level), self.ledger,
            self.benchmark, self._evidence(None), self._problems, found.p_value, (0.0, 1.0),
        )  # fmt: skip

    def share_along_over(self, other: KernelView) -> Estimate | Exact:
        """That share over another update's."""
        label = f"{self.role} share of the update along base's directions over {other.role}'s"
        if why := self._still() or other._still():
            return self._unknown(label, why, other)

        def number(kernels: Sequence[Floats], kept: Kept) -> float:
            return _log(self._within(kernels, kept), other._within(kernels, kept))

        return self._ratio(label, [self._base], number, other)

    def _within(self, kernels: Sequence[Floats], kept: Kept) -> float:
        from rlvr_gate.kernels.along import share_along

        at_base, probes = self._at(self._base), self._probes
        products = at_base.products.mean(0, dtype=np.float64)[kept]
        if probes.traits:
            names = np.array(probes.traits)[kept]
            products = np.array([products[names == n].mean() for n in np.unique(names)])
        return float(share_along(probes.reduced(kernels[0], kept), products, self._size)[-1])

    # Points

    @property
    def _size(self) -> float:
        return self._at(self._point()).size

    @property
    def _base(self) -> WeightPoint:
        return self._point(0.0)

    def _point(self, scale: float = 1.0) -> WeightPoint:
        return WeightPoint(self.role, scale)

    @property
    def _noise(self) -> list[WeightPoint]:
        return [WeightPoint(self.role, noise=seed) for seed in SEEDS]

    def _at(self, point: WeightPoint) -> KernelAt:
        self.ledger.check(self.benchmark)
        if self.ledger.points is not None and point not in self.ledger.points:
            raise LookupError(
                f"nobody took the kernel of {point.name} on {self.benchmark} for this claim: mark "
                "it with @pytest.mark.gradients(), line=ROLE or noise=ROLE in it where it reads "
                "those"
            )
        return self.source.kernel(point, self.benchmark, self.traits)

    @cached_property
    def _probes(self) -> Probes:
        return self.source.probes(self.benchmark, self.traits)

    # Numbers

    def _own(self, what: What) -> Estimate | Exact:
        label, points = f"{self.role} {WORDS[what]} since base", [self._base, self._point()]
        if why := self._still(what):
            return self._unknown(label, why, None)

        def number(kernels: Sequence[Floats], kept: Kept) -> float:
            return self._measure(what, kept)(*kernels)

        found = self._jackknifed(points, number)
        low, high = found.interval(self.ledger.level)
        interval = Interval(max(low, 0.0), min(high, 1.0) if what != "distance" else high,
                            self.ledger.level)  # fmt: skip
        return Estimate(
            label, found.value, interval, self.ledger, self.benchmark, self._evidence(None),
            self._problems, found.p_value, (0.0, 1.0 if what != "distance" else np.inf),
            Unit.RATIO if what == "distance" else Unit.SHARE,
        )  # fmt: skip

    def _ratio(
        self, label: str, points: Sequence[WeightPoint], number: Number, other: KernelView | None
    ) -> Estimate | Exact:
        """Of a number that is the logarithm of a ratio."""
        found = self._jackknifed(points, number)
        ends = np.clip(found.interval(self.ledger.level), -_LARGEST, _LARGEST)
        low, high = (float(np.exp(end)) for end in ends)  # plain ones travel

        def p_value(threshold: float) -> float | None:
            return found.p_value(float(np.log(threshold))) if threshold > 0 else None

        return Estimate(
            label, float(np.exp(found.value)), Interval(low, high, self.ledger.level),
            self.ledger, self.benchmark, self._evidence(other), self._problems, p_value,
            (0.0, np.inf), Unit.RATIO,
        )  # fmt: skip

    def _unknown(self, label: str, why: str, other: KernelView | None) -> Exact:
        """A number that does not exist, and why."""
        return Exact(label, 0.0, self.ledger, self._evidence(other), (why,))

    def _jackknifed(self, points: Sequence[WeightPoint], number: Number) -> Jackknifed:
        from rlvr_gate.kernels.jackknife import jackknife

        kernels = [self._at(point).kernels.astype(np.float64) for point in points]
        return jackknife(kernels, self._probes.clusters, number)

    @property
    def _problems(self) -> int:
        return len(set(self._probes.clusters))

    @property
    def _whose(self) -> str:
        """What probes are clustered by, and of which traits they are."""
        probes, traits = self._probes, list(dict.fromkeys(self._probes.traits))
        of = f"prompts of {probes.given}" if probes.given else "problems"
        return f"{of}, {len(traits)} traits: {', '.join(traits)}" if traits else of

    def _asked(self, kept: Kept | None = None) -> Kept | slice:
        """The benchmark's problems that gains are means over: the probes', or all of them."""
        if not self._probes.own:
            return slice(None)
        clusters = np.asarray(self._probes.clusters)
        return np.asarray(np.unique(clusters if kept is None else clusters[kept]))

    def _still(self, what: What | None = None) -> str:
        """Why there is no change to speak of; of no change no part is a rescaling."""
        if not self._probes.enough and self.traits is not None:
            names = ", ".join(dict.fromkeys(self._probes.traits)) or "none"
            return (
                f"traits need {FEWEST // 2} of {FEWEST // 2} problems each, {self.benchmark} has "
                f"{names}: give problems of several tasks, each its stratum, or passages, with "
                "--trait NAME=FILE"
            )
        if not self._probes.enough:
            return (
                f"a kernel needs {FEWEST} probes of {FEWEST // 2} problems, {self.benchmark} has "
                f"{len(self._probes.of)} of {self._problems}: more problems are needed"
            )
        if not self._at(self._point()).size:
            return f"{self.role} and base hold the same weights: no kernel moved"
        if what == "rescaling" and self._moved <= _ROUNDING:
            return (
                f"{self.role}'s kernel is base's to {_ROUNDING:g}, which rounding alone does: no "
                "part of its change is a rescaling"
            )
        return ""

    @property
    def _moved(self) -> float:
        """How far its kernel is from base's over all probes."""
        kept = np.arange(len(self._probes.clusters))
        ends = (self._at(point).mean() for point in (self._base, self._point()))
        return self._measure("distance", kept)(*ends)

    def _measure(self, what: What, kept: Kept) -> Callable[[Floats, Floats], float]:
        from rlvr_gate.kernels import change

        measure: Callable[[Floats, Floats], float] = getattr(change, what)
        reduced = self._probes.reduced
        return lambda before, after: measure(reduced(before, kept), reduced(after, kept))

    # Matching

    def _compared(
        self, points: Sequence[WeightPoint], other: KernelView, what: What, at: At
    ) -> Number:
        gains = self._gains(other) if at == "gain" else None

        def number(kernels: Sequence[Floats], kept: Kept) -> float:
            base, ours, *theirs = kernels
            measure = self._measure(what, kept)
            mine = measure(base, ours)
            if at in ("size", "kl"):
                here, *along = [self._along(point, at, kept) for point in points[1:]]
                return _log(mine, _between(along, here, lambda i: measure(base, theirs[i])))
            if gains is None:
                return _log(mine, measure(base, theirs[-1]))
            gained, theirs_gained = gains[:, self._asked(kept)].mean(1)
            return _log(mine * max(theirs_gained, 1e-9),
                        measure(base, theirs[-1]) * max(gained, 1e-9))  # fmt: skip

        return number

    def _along(self, point: WeightPoint, at: At, kept: Kept) -> float:
        """Where a point is on the axis that matches."""
        found = self._at(point)
        return found.size if at == "size" else self._kl(found, kept)

    def _kl(self, found: KernelAt, kept: Kept) -> float:
        """Mean over base's own completions among the probes, or over all where none is; nats a
        token, NaN where unknown."""
        own = found.kl[self._probes.along(kept)]
        known = own[np.isfinite(own)]
        return float(known.mean()) if known.size else float("nan")

    def _beyond(self, other: KernelView, at: At) -> str:
        """Why this checkpoint has no counterpart on the way to the other."""
        kept = np.arange(len(self._probes.clusters))
        here = self._along(self._point(), at, kept)
        if not np.isfinite(here):
            return (
                "no divergence is known: base's distributions over the first completion are too "
                "large to keep"
            )
        ends = [self._along(other._point(scale), at, kept) for scale in (LINE[-1], 1.0)]
        if ends[0] <= here <= ends[1]:
            return ""
        return (
            f"{self.role} lies at {here:.3g} of {at}, the way from base to {other.role} is known "
            f"from {ends[0]:.3g} to {ends[1]:.3g}: nothing there is like it"
        )

    def _no_gain(self, other: KernelView) -> str:
        means = self._gains(other)[:, self._asked()].mean(1)
        lost = [view.role for view, mean in zip((self, other), means, strict=True) if mean <= 0]
        return f"{lost[0]} gained nothing on {self.benchmark} in pass@1" if lost else ""

    def _gains(self, other: KernelView) -> Floats:
        """pass@1 of both less base's, (2, problems)."""
        rates = [
            np.array([t.correct / t.n for t in self.source.tallies(role, self.benchmark)])
            for role in (self.role, other.role, "base")
        ]
        return np.stack([rates[0] - rates[2], rates[1] - rates[2]])

    # Beside the verdict

    def _evidence(self, other: KernelView | None) -> Evidence:
        if not self._probes.enough:
            return NOTHING
        views = [self, *([other] if other else [])]
        rows = list(self._rows(views))
        if not rows:
            return NOTHING
        table = Table(
            f"Kernels over {len(self._probes.of)} probes of {self._problems} {self._whose}",
            ("point", "size of update", "KL to base", "change", "turn", "rescaling", "trace"),
            [row for *_, row in rows],
        )
        drawn = [_turns(views, rows, axis) for axis in _AXES] + [self._by_gain(views, rows)]
        return Evidence(exhibits=(table, *filter(None, drawn)))

    def _by_gain(
        self, views: Sequence[KernelView], rows: Sequence[tuple[KernelView, WeightPoint, Row]]
    ) -> Curves | None:
        """Turns against gains in pass@1, of checkpoints: nothing between them draws."""
        curves = {}
        for view in views:
            own = [(p.role, row[4]) for of, p, row in rows
                   if of is view and p.noise is None and p.scale == 1]  # fmt: skip
            known = {g: turn for role, turn in own if (g := self._gain_of(role)) is not None}
            if known:
                curves[view.role] = sorted(known.items())
        return (
            Curves("Turn by gain in pass@1", curves, "gain in pass@1", "turn") if curves else None
        )

    def _gain_of(self, role: str) -> float | None:
        """Mean gain on the probes' problems; None where it was not asked all of them."""
        asked = (role, "base")
        if not all(self.source.was_asked(name, self.benchmark) for name in asked):
            return None  # another claim's checkpoint, of which this one reads the kernel alone
        counts = [self.source.tallies(name, self.benchmark) for name in asked]
        own, base = (np.array(each, dtype=object)[self._asked()] for each in counts)
        if not all(tally.n for tally in (*own, *base)):
            return None
        rates = [float(np.mean([t.correct / t.n for t in each])) for each in (own, base)]
        return rates[0] - rates[1]

    def _rows(self, views: Sequence[KernelView]) -> Iterator[tuple[KernelView, WeightPoint, Row]]:
        """What is known of every point that was taken."""
        from rlvr_gate.kernels.change import kernel_change

        kept = np.arange(len(self._probes.clusters))
        base = self._probes.reduced(self._at(self._base).mean(), kept)
        for view in views:
            for point in view._taken():
                found = view._at(point)
                if not found.size:
                    continue
                after = self._probes.reduced(found.mean(), kept)
                kl = self._kl(found, kept)
                moved: KernelChange = kernel_change(base, after)
                yield view, point, (
                    point.name, found.size, kl if np.isfinite(kl) else None, moved.distance,
                    moved.turn, moved.rescaling, moved.trace_ratio,
                )  # fmt: skip

    def _taken(self) -> Iterator[WeightPoint]:
        """Every point towards this checkpoint that the claim has asked for."""
        rounded = WeightPoint(self.role, noise=SEEDS[0], rounded=True)
        line = [self._point(scale) for scale in reversed(LINE)]
        ran = self.source.roles if self.role == "rlvr" else ()
        steps = [WeightPoint(role) for role in ran if role.startswith("step-")]
        for point in (*line, *steps, self._point(), *self._noise, rounded):
            try:
                self._at(point)
            except LookupError:
                continue
            yield point


def _turns(
    views: Sequence[KernelView], rows: Sequence[tuple[KernelView, WeightPoint, Row]], axis: int
) -> Curves | None:
    """Turns against one column of the table, a line for each checkpoint and the way to it."""
    curves = {}
    for view in views:
        own = [row for of, point, row in rows if of is view and point.noise is None]
        line = {cast(float, row[axis]): row[4] for row in own if row[axis] and row[4]}
        if line:
            curves[view.role] = sorted(line.items())
    return Curves(f"Turn by {_AXES[axis]}", curves, _AXES[axis], "turn") if curves else None


def _log(above: float, below: float) -> float:
    """Logarithm of a ratio; of what is next to nothing, a very small number's."""
    return float(np.log(max(above, 1e-12)) - np.log(max(below, 1e-12)))


def _between(along: Sequence[float], here: float, of: Callable[[int], float]) -> float:
    """A number at a place between points, on straight lines in logarithms.

    Args:
        along: where the points are, ascending.
        of: their numbers.
    """
    after = int(np.clip(np.searchsorted(along, here), 1, len(along) - 1))
    ends = np.log(np.maximum(along[after - 1 : after + 1], 1e-300))
    share = (np.log(here) - ends[0]) / (ends[1] - ends[0])
    values = np.log([max(of(i), 1e-12) for i in (after - 1, after)])
    return float(np.exp(values[0] + share * (values[1] - values[0])))
