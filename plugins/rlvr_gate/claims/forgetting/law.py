"""Whether the divergence from the base on the new task tells how much of prior ones is forgotten.

A law over checkpoints (arXiv:2509.04259): forgetting is fitted by a quadratic of the forward KL,
and judged on what the fit says of checkpoints that it has not seen. In-sample R² of nine points of
pure noise exceeds .6 in one case of twenty.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rlvr_gate.judging.beside import said
from rlvr_gate.judging.quantities import Quantity
from rlvr_gate.records import Curves, Evidence, Exhibit, Interval, Judgement, Table, Unit, Verdict

if TYPE_CHECKING:
    from rlvr_gate.claims.views import CheckpointView, PairView

Floats = NDArray[np.float64]

FEWEST = 8
"""Checkpoints, base left out."""
PLANE = 2
"""So many are drawn in the plane, though they say nothing of a law."""
LEVELS = 4
"""Distinct divergences: neighbours that lie more than a twentieth of their range apart."""
SPREAD = 4.0
"""Times that forgetting must vary more between checkpoints than its measurement does."""
_DRAWS = 400
_LOWEST = -100.0  # R² below is shown as this
_SHOWN = 20


def unseen_r2(x: Floats, f: Floats) -> float:
    """R² of a quadratic, each point predicted from the others; 1 is perfect, below 0 worthless.

    Args:
        x, f: (points,), more than three of each.
    """
    residual, leverage = _fit(x, f)
    left_out = residual / np.maximum(1 - leverage, 1e-12)
    spread = float(((f - f.mean()) ** 2).sum())
    return float(1 - (left_out**2).sum() / spread) if spread else _LOWEST


def heaviest(x: Floats, f: Floats) -> float:
    """The largest of Cook's distances: above 1 one point makes the law."""
    residual, leverage = _fit(x, f)
    noise = float((residual**2).sum()) / (len(x) - 3)
    if noise <= 1e-20 * float((f**2).sum()):
        return 0.0
    room = np.maximum(1 - leverage, 1e-12)
    return float((residual**2 * leverage / (3 * noise * room**2)).max())


def _fit(x: Floats, f: Floats) -> tuple[Floats, Floats]:
    """Residuals and leverages of a quadratic; x is brought to [-1, 1], which changes neither."""
    span = max(float(np.ptp(x)), np.finfo(float).tiny)
    design = np.vander(2 * (x - x.min()) / span - 1, 3)
    basis = np.linalg.svd(design, full_matrices=False)
    kept = basis.U[:, 1e-9 * basis.S[0] < basis.S]
    return np.asarray(f - kept @ (kept.T @ f)), np.asarray((kept**2).sum(1))


def divergence_predicts_forgetting(
    pair: PairView, checkpoints: Sequence[CheckpointView], benchmarks: Sequence[str], bound: float
) -> Judgement:
    """R² of what forward KL on the new task says of forgetting, in checkpoints it has not seen.

    Holds where its lower limit, over problems, is at least `bound` and it beats the reverse KL;
    refuted where the upper one is below. Undecided with fewer than eight checkpoints beside base,
    with divergences on fewer than four levels, where forgetting hardly varies beyond its noise, or
    where one checkpoint makes the law. Checkpoints of one run are not independent: the interval is
    over problems alone.

    Args:
        checkpoints: all but base count.
        benchmarks: the new task first, then prior ones.
    """
    new, *prior = benchmarks
    others, base = [c for c in checkpoints if c.role != "base"], pair.base
    base.ledger.check(new)
    label = f"unseen R² of forgetting by KL(base || checkpoint) on {new}"
    few = f"{len(others)} checkpoints and {len(prior)} prior tasks: {FEWEST} and one are needed"
    if len(others) < PLANE or not prior:
        return _open(pair, label, bound, few)
    forward = np.stack([base.divergence_to(c, new).low for c in others])
    reverse = np.stack([c.divergence_to(base, new, along=base).low for c in others])
    lost = [np.stack([_mid(base.pass_at(1, b) - c.pass_at(1, b)) for c in others]) for b in prior]
    x, back, f = forward.mean(1), reverse.mean(1), _forgotten(lost)
    exhibits = _beside(pair, others, new, x, back, f)
    if len(others) < FEWEST:
        return _open(pair, label, bound, few, exhibits)
    value, rival = unseen_r2(x, f), unseen_r2(back, f)
    why = _unfit(x, f, lost)
    low, high = _limits(forward, lost, base.ledger.level)
    verdict = Verdict.UNDECIDED
    if not why and low >= bound and value > rival:
        verdict = Verdict.HOLDS
    elif not why and high < bound:
        verdict = Verdict.REFUTED
    found = base.ledger.admit_over(prior, verdict, *(("base", c.role) for c in others))
    return base.ledger.note(
        Judgement(
            f"{label} >= {bound:g}", found.verdict, _shown(value),
            Interval(_shown(low), _shown(high), base.ledger.level),
            bound, ">=", None, 1, None, unit=Unit.SHARE,
            evidence=Evidence(
                numbers={"checkpoints": len(others), "unseen R² by reverse KL": _shown(rival)},
                notes=(why,) if why else (),
                exhibits=exhibits,
            )
            | said(found),
        )
    )  # fmt: skip


def _mid(quantity: Quantity) -> Floats:
    return np.asarray((quantity.low + quantity.high) / 2)


def _forgotten(lost: Sequence[Floats]) -> Floats:
    """Of each checkpoint the mean over prior tasks, each the same weight."""
    return np.asarray(np.mean([each.mean(1) for each in lost], axis=0))


def _unfit(x: Floats, f: Floats, lost: Sequence[Floats]) -> str:
    """Why nothing can be said of a law; empty where something can."""
    gaps = np.diff(np.sort(x)) > np.ptp(x) / 20
    if (levels := 1 + int(gaps.sum())) < LEVELS:
        return f"divergences lie on {levels} levels: {LEVELS} are needed"
    noise = sum(each.var(1, ddof=1).mean() / each.shape[1] for each in lost) / len(lost) ** 2
    if f.var(ddof=1) < SPREAD * noise:
        return "forgetting varies between checkpoints hardly more than its measurement does"
    if (most := heaviest(x, f)) > 1:
        return f"one checkpoint makes the law: the largest of Cook's distances is {most:.2g}"
    return ""


def _limits(forward: Floats, lost: Sequence[Floats], level: float) -> tuple[float, float]:
    """Quantiles of R² over problems drawn again, of each benchmark for itself."""
    rng, found = np.random.default_rng(0), []
    for _ in range(_DRAWS):
        x, *each = (of[:, rng.integers(0, of.shape[1], of.shape[1])] for of in (forward, *lost))
        found.append(unseen_r2(x.mean(1), _forgotten(each)))
    low, high = np.quantile(found, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _open(
    pair: PairView, label: str, bound: float, why: str, exhibits: tuple[Exhibit, ...] = ()
) -> Judgement:
    everything = Interval(_LOWEST, 1.0, pair.base.ledger.level)
    return pair.base.ledger.note(
        Judgement(
            f"{label} >= {bound:g}", Verdict.UNDECIDED, 0.0, everything, bound, ">=", None, 1,
            None, unit=Unit.SHARE, evidence=Evidence(notes=(why,), exhibits=exhibits),
        )
    )  # fmt: skip


def _shown(value: float) -> float:
    return max(value, _LOWEST)


def _beside(
    pair: PairView, others: Sequence[CheckpointView], new: str, x: Floats, back: Floats, f: Floats
) -> tuple[Table, Curves]:
    """The plane of divergence and forgetting."""
    gained = [(c.pass_at(1, new) - pair.base.pass_at(1, new)).value for c in others]
    rows = sorted(
        (*numbers, c.role)
        for *numbers, c in zip(x.tolist(), back.tolist(), f.tolist(), gained, others, strict=True)
    )
    table = Table(
        "Divergence, forgetting and gain: nats a token, pass@1",
        ("KL from base", "reverse KL", "forgotten", "gained", "checkpoint"),
        rows,
    )
    points = {row[-1]: [(row[0], row[2])] for row in rows[:_SHOWN]}
    plane = Curves(
        "Divergence from base and forgetting", points, "KL(base || checkpoint), nats a token",
        "pass@1 lost on prior tasks",
    )  # fmt: skip
    return table, plane
