"""Roll call: which claims were collected, which were judged, and what is missing.

A gate may open only on a whole run. What pytest reports is no proof of one: an import error, a
worker that died, `-x`, `pytest.exit` or a plugin that drops reports all leave claims unasked. So
the deciding process keeps its own list and names every gap.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from rlvr_gate.gate.decide import name
from rlvr_gate.records import ClaimRecord, Kind


@dataclass(frozen=True, slots=True)
class CollectedClaim:
    """One claim that pytest collected: one test at one benchmark and k."""

    nodeid: str
    id: str
    kind: Kind
    benchmark: str | None
    k: int | None
    selected: bool = True
    """False where it was deselected afterwards, by `-k`, `--lf`, a plugin."""

    def to_wire(self) -> dict[str, object]:
        """As xdist can send it."""
        return {**asdict(self), "kind": str(self.kind)}

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> CollectedClaim:
        """What `to_wire` made."""
        return cls(**{**data, "kind": Kind(data["kind"])})


@dataclass(slots=True)
class RollCall:
    """What the deciding process has heard of the run."""

    collected: tuple[CollectedClaim, ...] | None = None
    """None until somebody said what was collected."""
    answers: dict[str, ClaimRecord] = field(default_factory=dict)
    """By node id, each claim once."""
    failed_tests: list[str] = field(default_factory=list)
    """Node ids of failed tests that are not claims: they close the gate too."""
    trouble: list[str] = field(default_factory=list)
    """What kept the run from being whole, in words."""

    @property
    def claims(self) -> list[ClaimRecord]:
        """The claims that were judged, by node id."""
        return [self.answers[nodeid] for nodeid in sorted(self.answers)]

    def collect(self, claims: Iterable[CollectedClaim]) -> None:
        """A process says what it collected; all processes must say the same."""
        told = tuple(sorted(claims, key=lambda claim: claim.nodeid))
        if self.collected is not None and self.collected != told:
            self.note("the workers collected different claims")
        self.collected = told

    def answer(self, nodeid: str, claim: ClaimRecord) -> None:
        """A claim was judged; the same answer again counts once, another one is trouble."""
        known = self.answers.setdefault(claim.nodeid, claim)
        if claim.nodeid != nodeid:
            self.note(f"the report of {nodeid} holds the verdict of {claim.nodeid}")
        elif known != claim:
            self.note(f"{nodeid} was reported twice, with different verdicts")

    def fail(self, nodeid: str) -> None:
        """A test that is not a claim failed."""
        if nodeid not in self.failed_tests:
            self.failed_tests.append(nodeid)

    def note(self, trouble: str) -> None:
        """Something kept the run from being whole."""
        if trouble not in self.trouble:
            self.trouble.append(trouble)

    def gaps(self, required: Sequence[str]) -> tuple[str, ...]:
        """Everything that is missing, in words; empty where the run was whole.

        Args:
            required: ids of claims that must not be deselected.
        """
        collected = self.collected or ()
        known = {claim.nodeid for claim in collected}
        return (
            *self.trouble,
            *(f"{name(c)} (collected, not judged)" for c in self._unanswered(collected)),
            *(
                f"{name(c)} (required, deselected)"
                for c in collected
                if c.id in required and not c.selected
            ),
            *(f"{nodeid} (judged, never collected)" for nodeid in self.answers.keys() - known),
        )

    def _unanswered(self, collected: Sequence[CollectedClaim]) -> list[CollectedClaim]:
        return [c for c in collected if c.selected and c.nodeid not in self.answers]
