"""A claim's ledger: the comparisons it made, the level they were made at, what admits them.

Every verdict passes here on its way to the record: runs that are not comparable, questions that
truncation turns, looks and earlier judgements of the same question are all accounted for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from rlvr_gate.judging.beside import said
from rlvr_gate.judging.settling import Again, Look
from rlvr_gate.judging.truncation import ALIKE, Admitted, Likeness, admitted, alike
from rlvr_gate.kernels.points import WeightPoint
from rlvr_gate.records import POPULATION, Judgement, Margins, Tally, Verdict, WouldDecide
from rlvr_gate.records.plain import packed


@dataclass
class Ledger:
    """The comparisons one claim made, in order, and the level they were made at."""

    level: float = 0.95
    comparability: Callable[..., Sequence[str]] = lambda benchmark, *both: ()
    """benchmark, and two ways of asking where they are not base's and rlvr's own -> why their
    runs are not comparable on it; empty where they are."""
    even: Callable[..., Sequence[Sequence[Tally]]] = lambda benchmark, *both: ()
    """The same -> tallies of both, as many samples of a problem in each; or none."""
    gradings: Callable[[str, str], Mapping[str, Sequence[Tally]]] = lambda role, benchmark: {}
    """A way of asking and a benchmark -> what further gradings count, by name."""
    margins: Margins = field(default_factory=Margins)
    look: Look | None = None
    """Which of several looks this is, each with its share of 1 - level; None for one look."""
    overall: float | None = None
    """The level all looks keep together; `level` is then this look's own."""
    again: Again | None = None
    """Which judgement of its question this is, each with its share of 1 - level; None for one."""
    promised: float | None = None
    """The level all judgements of the question keep together."""
    guaranteed: bool = False
    """Whether intervals keep their level for every law of the problems, as a gate claim's must."""
    target: str = POPULATION
    """What intervals are about, where a comparison's noise within problems is known."""
    about: tuple[str, ...] | None = None
    """The benchmarks this claim may speak of: its own, or none; None: any."""
    asks: tuple[str, ...] | None = None
    """Names of the ways of asking that this claim may read; None: any."""
    points: tuple[WeightPoint, ...] | None = None
    """Where this claim may read kernels; None: anywhere."""
    judgements: list[Judgement] = field(default_factory=list)

    @classmethod
    def at(
        cls,
        look: Look | None,
        level: float,
        *,
        guaranteed: bool = False,
        again: Again | None = None,
    ) -> Ledger:
        """The ledger of one look of one judgement, all of which together keep `level`."""
        promised = None if again is None else level
        overall = level if again is None else again.level(level)
        if look is None:
            return cls(overall, again=again, promised=promised, guaranteed=guaranteed)
        own = look.level(overall, guaranteed=guaranteed)
        return cls(
            own, look=look, overall=overall, again=again, promised=promised, guaranteed=guaranteed
        )

    def later(self, level: float) -> float:
        """The level at which a larger run would judge what is now judged at `level`."""
        return level if self.again is None else self.again.next(level)

    def planned(self, more: WouldDecide, level: float) -> WouldDecide:
        """What would decide a claim now judged at `level`, with the level that counts then."""
        if self.again is None or more.problems is None:
            return more
        then = f"the next judgement on this store is at level {self.later(level):.4g}"
        return replace(more, text=f"{more.text} ({then}, which this counts in)")

    def check(self, benchmark: str) -> None:
        """Refuse what the claim did not ask for: it may not have been drawn, or not at this look.

        Raises:
            LookupError: `benchmark` is not the claim's own.
        """
        if self.about is None or benchmark in self.about:
            return
        if self.about:
            raise LookupError(
                f"this claim is about {self.about[0]}, but asks about {benchmark}: pass on the "
                "`benchmark` it is given"
            )
        raise LookupError(
            f"this claim asks about {benchmark} without the `benchmark` fixture: take "
            "`benchmark` as an argument and pass it on"
        )

    def admit(
        self,
        benchmark: str,
        verdict: Verdict,
        stands: Callable[[float], bool] | None = None,
        both: Sequence[str] = (),
    ) -> Admitted:
        """A verdict about two runs, where they are comparable and truncation cannot turn it.

        Args:
            both: the names of the two ways of asking; empty for base's and rlvr's own.
        """
        if reasons := self.unlike(benchmark, both):
            return Admitted(Verdict.NOT_COMPARABLE, reasons)
        return admitted(verdict, self.cut(benchmark, both), self.margins.rescued, stands)

    def admit_over(
        self, benchmarks: Sequence[str], verdict: Verdict, *ways: Sequence[str]
    ) -> Admitted:
        """A verdict about several benchmarks: comparable where it is on each of them, and open
        where it is left open on one; what is said of some alone names them.

        Args:
            ways: two of asking each, all of which the verdict is about; none: as of `admit`.
        """
        found = {
            f"{both[-1]} on {name}" if len(ways) > 1 else name: self.admit(
                name, verdict, both=both
            )
            for name in benchmarks
            for both in ways or ((),)
        }
        states = {each.verdict for each in found.values()}
        worst = [w for w in (Verdict.NOT_COMPARABLE, Verdict.UNDECIDED) if w in states]
        return Admitted(
            worst[0] if worst else verdict,
            _told({name: each.reasons for name, each in found.items()}),
            _told({name: each.notes for name, each in found.items()}),
        )

    def enter(self, benchmark: str, judged: Judgement) -> Judgement:
        """Note what was judged otherwise than by an interval of a quantity, as far as it stands.

        A verdict that truncation or other questions turn has no p-value.
        """
        found = self.admit(benchmark, judged.verdict)
        return self.note(
            replace(
                judged,
                verdict=found.verdict,
                evidence=judged.evidence | said(found),
                p_value=judged.p_value if found.verdict is judged.verdict else None,
            )
        )

    def unlike(self, benchmark: str, both: Sequence[str] = ()) -> tuple[str, ...]:
        """Why both runs were not asked the same question; nothing where they were."""
        starved = self.cut(benchmark, both).starved
        return (*self.comparability(benchmark, *both), *([starved] if starved else ()))

    def cut(self, benchmark: str, both: Sequence[str] = ()) -> Likeness:
        """Whether both runs' completions were cut alike, at this ledger's level."""
        even = self.even(benchmark, *both)
        return alike(even[0], even[1], self.margins, self.level) if even else ALIKE

    def note(self, judgement: Judgement) -> Judgement:
        """Keep a comparison.

        Raises:
            LookupError: it is of another claim's benchmark.
            TypeError: it holds what no report can take.
        """
        packed(judgement)
        if judgement.benchmark is not None:
            self.check(judgement.benchmark)
        if self.look is not None and self.overall is not None:
            judgement = self.look.over_all(judgement, self.overall, guaranteed=self.guaranteed)
        if self.again is not None and self.promised is not None:
            judgement = self.again.over_all(judgement, self.promised)
        self.judgements.append(judgement)
        return judgement


def _told(by_name: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Each text once, with those that it is of where it is not of all."""
    texts = dict.fromkeys(text for several in by_name.values() for text in several)
    of = {text: [name for name, said in by_name.items() if text in said] for text in texts}
    return tuple(
        text if len(names) == len(by_name) else f"{', '.join(names)}: {text}"
        for text, names in of.items()
    )
