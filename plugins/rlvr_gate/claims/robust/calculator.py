"""What is left of a gain where both checkpoints have a calculator?

Each statement of a completion, `a ∘ b = c`, is recomputed from its operands, the new value carried
on, and the completion graded again: a further grading, so nothing is drawn for it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from rlvr_gate.claims.grading import NEVER
from rlvr_gate.judging.quantities import Estimate, Quantity
from rlvr_gate.records import Evidence, Exhibit, Facts, Interval, Table
from rlvr_gate.records.exhibits import Cell

if TYPE_CHECKING:
    from rlvr_gate.claims.views import CheckpointView, PairView

Side = tuple["CheckpointView", "CheckpointView"]
"""A checkpoint as it is graded, and with slips put right."""
Right = Mapping[tuple[int, str], int]
"""By problem and text, how often it was right."""

REPAIRED = "repaired"
FURTHEST = 4.0
"""Shares of the gain beyond it, either way, are cut."""
_STEPS = 24
_SHARE = "What a calculator explains"


def gain_with_calculator(pair: PairView, benchmark: str) -> Quantity | Estimate:
    """RLVR less base in pass@1, both with their slips of arithmetic put right.

    Beside it the calculator share: of RLVR's gain, how much base gets by the repair alone, with
    Fieller's interval; and what the repair made right and made wrong, for a lucky slip is put
    right too. Where it changed nothing, that is said: then it holds as K1 does. The claim
    needs ``@pytest.mark.asks("base", "rlvr", grading="repaired")``.
    """
    gain = pair.rlvr.pass_at(1, benchmark) - pair.base.pass_at(1, benchmark)
    with_one = pair.graded(REPAIRED, benchmark)
    if with_one is None:
        return _unknown(gain)
    sides = (pair.base, with_one.base), (pair.rlvr, with_one.rlvr)
    repaired = with_one.rlvr.pass_at(1, benchmark) - with_one.base.pass_at(1, benchmark)
    by_repair = with_one.base.pass_at(1, benchmark) - pair.base.pass_at(1, benchmark)
    nothing = all(own.counts(benchmark) == other.counts(benchmark) for own, other in sides)
    shown: list[Exhibit] = [_table(sides, benchmark), _share(by_repair, gain, nothing)]
    return repaired.beside(*shown)


def _unknown(gain: Quantity) -> Estimate:
    anything = Interval(-1.0, 1.0, gain.ledger.level)
    return Estimate(
        "gain with a calculator (not graded so)", None, anything, gain.ledger, gain.benchmark,
        Evidence(would_decide=NEVER), bounds=(-1.0, 1.0),
    )  # fmt: skip


def _share(part: Quantity, whole: Quantity, nothing: bool) -> Facts:
    level, gain, repaired = whole.ledger.level, whole.value, part.value
    ends = quotient(lambda r: (part - r * whole if r else part).interval(level), repaired, gain)
    facts: dict[str, float | str] = {"gain in pass@1": gain, "base's gain by repair": repaired}
    if nothing:
        facts["the repair"] = "changed no problem's count: this says no more than K1"
    if ends is None or not whole.interval(level).sign:
        return Facts(facts | {"calculator share": "not known: the gain may be 0"}, _SHARE)
    share: dict[str, float | str] = {
        "calculator share": repaired / gain,
        "low": ends.low,
        "high": ends.high,
    }
    return Facts(facts | share, _SHARE)


def quotient(holds: Callable[[float], Interval], part: float, whole: float) -> Interval | None:
    """The ratios r whose ``part - r whole`` may be 0 (Fieller), around the estimate.

    Args:
        holds: r -> interval of part - r whole.

    Returns None where there is no estimate.
    """
    if not whole:
        return None
    at = part / whole
    ends = _end(holds, at, -FURTHEST), _end(holds, at, FURTHEST)
    return Interval(*ends, holds(at).level)


def _end(holds: Callable[[float], Interval], inside: float, outside: float) -> float:
    """The last ratio on the way out at which the interval still holds 0."""
    if holds(outside).sign == 0:
        return outside
    for _ in range(_STEPS):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if holds(middle).sign == 0 else (inside, middle)
    return inside


def _table(sides: Sequence[Side], benchmark: str) -> Table:
    head = (
        "checkpoint", "completions", "right", "right when repaired", "made right", "made wrong",
    )  # fmt: skip
    rows = [_row(*views, benchmark) for views in sides]
    return Table("Completions with their slips put right", head, rows)


def _row(own: CheckpointView, with_one: CheckpointView, benchmark: str) -> tuple[Cell, ...]:
    ours, theirs = own.counts(benchmark), with_one.counts(benchmark)
    made = _made(_right(own, benchmark), _right(with_one, benchmark))
    right = (sum(t.correct for t in of) for of in (ours, theirs))
    return (own.role, sum(t.n for t in ours), *right, *made)


def _made(before: Right | None, after: Right | None) -> tuple[int | None, int | None]:
    """Completions that the repair made right, and wrong; None where texts are unknown."""
    if before is None or after is None:
        return None, None
    changes = [after.get(key, 0) - before.get(key, 0) for key in before.keys() | after.keys()]
    return sum(c for c in changes if c > 0), -sum(c for c in changes if c < 0)


def _right(view: CheckpointView, benchmark: str) -> Right | None:
    used = view.source.methods(view.role, benchmark, _digest)
    if used is None:
        return None
    return {(at, text): of.correct for at, each in enumerate(used) for text, of in each.items()}


def _digest(text: str) -> str:
    """A text as a method of its own, so that two gradings can be held against each other."""
    return hashlib.blake2b(text.encode(errors="replace"), digest_size=12).hexdigest()
