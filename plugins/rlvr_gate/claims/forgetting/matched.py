"""Whether RLVR forgets less of older tasks than a checkpoint that is its match on the new one.

Less forgetting at a smaller gain, or nearer the base, is no news (arXiv:2509.04259): the two are
compared where they gained as much, or have gone as far, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from rlvr_gate.judging.beside import said
from rlvr_gate.judging.pooled import Pooled
from rlvr_gate.judging.quantities import Quantity
from rlvr_gate.judging.truncation import Admitted
from rlvr_gate.records import (
    Conclusion,
    Curves,
    Evidence,
    Exhibit,
    Interval,
    Judgement,
    Table,
    Unit,
    Verdict,
)
from rlvr_gate.stats.verdicts import judge

if TYPE_CHECKING:
    from rlvr_gate.claims.views import CheckpointView, PairView

At = Literal["gain", "kl"]

NEAR = 0.1
"""Share by which the divergences from base of a match may differ."""


def forgets_less(
    pair: PairView, other: CheckpointView, benchmarks: Sequence[str], *, margin: float,
    at: At = "gain",
) -> Judgement:  # fmt: skip
    """How much more of the prior tasks `other` has forgotten than RLVR, at k = 1.

    The mean over the prior tasks, each the same weight, of RLVR's accuracy less `other`'s (base's
    cancels). Holds above 0, refuted below; not comparable where the two are no match, undecided
    without a prior task.

    Args:
        benchmarks: the new task first, then tasks that base could do before.
        margin: how far accuracies on the new task may lie apart, the whole interval.
        at: matched by `gain` on the new task, or by `kl` from base along base's completions there,
            within a tenth; that needs `@pytest.mark.scores("base", under=("base", ROLE))` of both.
    """
    new, *prior = benchmarks
    pair.base.ledger.check(new)
    label = f"{other.role} forgot more than rlvr, at like {_WORDS[at]}"
    if not prior:
        return _alone(pair, label, new)
    parts = tuple(pair.rlvr.pass_at(1, b) - other.pass_at(1, b) for b in prior)
    pooled = Pooled(label, parts)
    interval, ledger = pooled.interval, pair.base.ledger
    verdict = judge(pooled.value, interval, ">", 0.0)
    found = ledger.admit_over(prior, verdict, ("rlvr", other.role))
    if reason := _no_match(pair, other, new, margin, at):
        found = Admitted(Verdict.NOT_COMPARABLE, (*found.reasons, reason))
    return ledger.note(
        Judgement(
            statement=f"{label} > 0",
            verdict=found.verdict,
            estimate=pooled.value,
            interval=interval,
            threshold=0.0,
            relation=">",
            benchmark=None,
            k=1,
            n=parts[0].samples,
            unit=Unit.SHARE,
            evidence=Evidence(
                conclusions=tuple(map(_row, parts)), exhibits=_shown(pair, other, new, prior, at)
            )
            | said(found),
            p_value=pooled.p_value(0.0) if found.verdict is verdict else None,
        )
    )


_WORDS = {"gain": "gain on the new task", "kl": "KL from base"}


def _alone(pair: PairView, label: str, new: str) -> Judgement:
    """Nothing can have been forgotten of no task."""
    why = f"{new} is the new task, and no prior task is asked: give --benchmarks NEW,PRIOR,…"
    return pair.base.ledger.note(
        Judgement(
            f"{label} > 0", Verdict.UNDECIDED, None, Interval(-1.0, 1.0, pair.base.ledger.level),
            0.0, ">", None, 1, None, unit=Unit.SHARE, evidence=Evidence(notes=(why,)),
        )
    )  # fmt: skip


def _no_match(pair: PairView, other: CheckpointView, new: str, margin: float, at: At) -> str:
    """Why the two are not alike on the new task; empty where they are."""
    gap, room, unit = _gap(pair, other, new, margin, at)
    bounds = gap.interval(pair.base.ledger.level)
    if -room <= bounds.low and bounds.high <= room:
        return ""
    return (
        f"no match: {_WORDS[at]} of rlvr less {other.role}'s is {gap.value:+.3g} "
        f"[{bounds.low:+.3g}, {bounds.high:+.3g}]{unit} on {new}, allowed is {room:.2g} either "
        f"way; choose another step of {other.role}, on other problems than these"
    )


def _gap(
    pair: PairView, other: CheckpointView, new: str, margin: float, at: At
) -> tuple[Quantity, float, str]:
    if at == "gain":
        return pair.rlvr.pass_at(1, new) - other.pass_at(1, new), margin, ""
    ours, theirs = (pair.base.divergence_to(view, new) for view in (pair.rlvr, other))
    return ours - theirs, NEAR * ours.value, " nats a token"


def _row(part: Quantity) -> Conclusion:
    bounds = part.interval(part.ledger.level)
    return Conclusion(f"{part.benchmark}: {len(part.low)}", part.value, bounds.low, bounds.high)


def _shown(
    pair: PairView, other: CheckpointView, new: str, prior: Sequence[str], at: At
) -> tuple[Exhibit, ...]:
    """What each gained and forgot, and where they lie in the plane of both divergence and loss."""
    views, base = (pair.rlvr, other), pair.base
    lost = {
        view.role: [(base.pass_at(1, b) - view.pass_at(1, b)).value for b in prior]
        for view in views
    }
    gains = {v.role: (v.pass_at(1, new) - base.pass_at(1, new)).value for v in views}
    table = Table(
        f"Gained on {new}, forgotten elsewhere: pass@1",
        ("checkpoint", "gained", "forgotten, the mean", *(f"forgotten of {b}" for b in prior)),
        [(role, gains[role], sum(of) / len(of), *of) for role, of in lost.items()],
    )
    if at != "kl":
        return (table,)
    points = {
        view.role: [(base.divergence_to(view, new).value, sum(of) / len(of))]
        for view, of in zip(views, lost.values(), strict=True)
    }
    plane = Curves(
        "Divergence from base and forgetting", points,
        f"KL(base || checkpoint) on {new}, nats a token", "pass@1 lost on prior tasks",
    )  # fmt: skip
    return table, plane
