"""RLVR drawn as unsurely as its base: at the temperature where its entropy is the base's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from rlvr_gate.judging.quantities import Exact, Quantity
from rlvr_gate.records import Ask, Evidence, Table

if TYPE_CHECKING:
    from rlvr_gate.claims.views import CheckpointView, PairView


@dataclass(frozen=True, slots=True)
class Matched:
    """A temperature found on pilots, whose draws no claim judges."""

    temperature: float | None
    """None where there is none."""
    target: float
    """Entropy to reach, nats a token of what is drawn."""
    pilots: Sequence[tuple[float, float]]
    """(temperature, entropy there), in the order drawn."""
    why: str = ""
    """Why there is none."""


class MatchSource(Protocol):
    """Where such temperatures come from."""

    def matched(self, role: str, to: str, benchmark: str) -> Matched:
        """What the claim asked to have found; LookupError where it did not ask in time."""


def gain_as_unsure(pair: PairView, samples: int, benchmark: str) -> Quantity | Exact:
    """pass@k of RLVR as unsure as base, less that of base as the run has it.

    k is half of `samples`, or of base's where the run has fewer; RLVR is drawn at the temperature
    at which what it draws has base's entropy. It is found by bisection on pilots, from seeds that
    nothing else is drawn with. The claim needs ``matches("rlvr", to="base", samples=samples)``.
    """
    from rlvr_gate.claims.overview import fewest  # which reads views, which know this file

    base = pair.base
    base.ledger.check(benchmark)
    k = max(1, min(samples, fewest(base.counts(benchmark))) // 2)
    found = base.source.matched("rlvr", "base", benchmark)
    label = f"rlvr pass@{k}, as unsure as base, less base's"
    if found.temperature is None:
        return Exact(label, 0.0, base.ledger, Evidence(exhibits=(_shown(found),)), (found.why,))
    hot = _at(pair.rlvr, found.temperature, samples)
    gap = hot.pass_at(k, benchmark) - base.pass_at(k, benchmark)
    numbers = {"temperature": found.temperature, "entropy of base": found.target}
    shown = Evidence(numbers=numbers, exhibits=(_shown(found),))
    return replace(gap, evidence=gap.evidence | shown)


def _at(view: CheckpointView, temperature: float, samples: int) -> CheckpointView:
    """Asked so; who found the temperature has had it asked."""
    ask = Ask(view.role, temperature=temperature, samples=samples)
    return replace(view, role=ask.name, of=view.role)


def _shown(found: Matched) -> Table:
    rows = [(f"{t:.4g}", entropy, entropy - found.target) for t, entropy in found.pilots]
    head = ("temperature of rlvr", "nats a token", "less base's")
    return Table("Pilots", head, rows, signed=head[2:])
