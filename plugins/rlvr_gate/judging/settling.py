"""Sampling until the claims are settled: what a look is, and when a claim needs no further one."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, replace

from rlvr_gate.records import ClaimRecord, JudgedAgain, Judgement, Kind, LookTaken, Verdict
from rlvr_gate.stats.error_rates import spend_again
from rlvr_gate.stats.looks import look_levels, p_over_looks

HOPE = 5
"""A finding gives up where it would take more than this many times the problems that are left: if
its estimate stays where it is, the chance that those left decide it is below 12 %."""

_ANY = 0.5  # what the first judgement keeps back; there is one before the next


@dataclass(frozen=True, slots=True)
class Again:
    """One of the judgements of a question, on a store that grows between them."""

    number: int
    """From 1, so far as is remembered."""
    spent: tuple[float, ...]
    """Shares of the error budget: of the judgements before it, in their order, and its own."""
    doubt: str = ""
    """What is not remembered, or will not be."""

    def level(self, overall: float) -> float:
        """The level to judge at, so that all judgements together keep `overall`."""
        return 1 - (1 - overall) * self.spent[-1]

    def next(self, level: float) -> float:
        """Where this one, or a look of it, is judged at `level`: that of the next one."""
        return 1 - (1 - level) * spend_again(self.spent, _ANY) / self.spent[-1]

    def over_all(self, judgement: Judgement, overall: float) -> Judgement:
        """A judgement made at this one's own level, as what it says over all of them."""
        share, own, p = self.spent[-1], self.level(overall), judgement.p_value
        if p is not None:
            p = min(p / share, 1 - overall if p <= 1 - own else 1.0)
        told = JudgedAgain(self.number, share, own, self.doubt)
        return replace(
            judgement,
            interval=replace(judgement.interval, level=overall),
            p_value=p,
            evidence=replace(judgement.evidence, again=told),
        )


@dataclass(frozen=True, slots=True)
class Look:
    """One of the looks a run may take at a benchmark."""

    number: int
    """From 0."""
    sizes: tuple[int, ...]
    """Problems asked at each look; the last is all of them."""

    @property
    def problems(self) -> int:
        """Problems asked so far."""
        return self.sizes[self.number]

    @property
    def left(self) -> int:
        """Problems that further looks would ask."""
        return self.sizes[-1] - self.problems

    def level(self, overall: float, *, guaranteed: bool = False) -> float:
        """The level to judge at, so that all looks together keep `overall`."""
        return look_levels(overall, self.sizes, guaranteed=guaranteed)[self.number]

    def over_all(
        self, judgement: Judgement, level: float, *, guaranteed: bool = False
    ) -> Judgement:
        """A judgement made at this look's own level, as what it says over all looks.

        The interval covers with `level` at whichever look the sampling stops.
        """
        p = judgement.p_value
        taken = LookTaken(
            self.number + 1, len(self.sizes), self.problems, self.sizes[-1],
            self.level(level, guaranteed=guaranteed),
        )  # fmt: skip
        sizes, number = self.sizes, self.number
        return replace(
            judgement,
            interval=replace(judgement.interval, level=level),
            p_value=None
            if p is None
            else p_over_looks(p, number, level, sizes, guaranteed=guaranteed),
            evidence=replace(judgement.evidence, look=taken),
        )

    def settles(self, claim: ClaimRecord, staying: Container[str] = ()) -> bool:
        """Whether asking more problems is of no use to a claim.

        It is decided, not comparable, or was not judged for a reason that samples do not
        change; or it is a finding that the problems left can hardly decide.

        Args:
            staying: node ids of the findings that stay decided among all of the run's: one that
                is decided alone goes on until it is one of them.
        """
        if claim.broken or not claim.judgements:
            return True
        if claim.verdict in (Verdict.HOLDS, Verdict.REFUTED):
            return claim.kind is Kind.GATE or claim.nodeid in staying
        if claim.verdict is Verdict.NOT_COMPARABLE:
            return True
        return claim.kind is Kind.FINDING and all(
            self._hopeless(judgement)
            for judgement in claim.judgements
            if judgement.verdict is Verdict.UNDECIDED
        )

    def _hopeless(self, judgement: Judgement) -> bool:
        more = judgement.evidence.would_decide
        if more is None:
            return False  # nobody can say
        if more.problems is None:
            return True
        return self._needed(judgement, more.problems) > HOPE * self.left

    def _needed(self, judgement: Judgement, more: int) -> float:
        """`more` problems would do at this look's level; fewer do at the last look's."""
        from scipy.special import ndtri

        levels = look_levels(judgement.interval.level, self.sizes)
        z, last = (ndtri((1 + level) / 2) for level in (levels[self.number], levels[-1]))
        return float((self.problems + more) * (last / z) ** 2 - self.problems)
