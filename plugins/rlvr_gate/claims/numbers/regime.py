"""Diminish, Plateau, Sustained: what longer training did to the boundary (arXiv:2505.24864)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from rlvr_gate.claims.numbers.number import Floats
from rlvr_gate.records import Evidence, Judgement, Table, Verdict
from rlvr_gate.stats.proportions import proportion_interval

if TYPE_CHECKING:
    from rlvr_gate.claims.views import CheckpointView

DELTA = 0.02
"""What of pass@k counts as unchanged; ours, the paper gives no number."""
STABLE, UNSTABLE = 0.9, 0.5
BOOTSTRAPS = 2_000


def regime(rise: float, gained: float, later: float, delta: float = DELTA) -> str:
    """The one of five labels that a task has.

    Args:
        rise: pass@1, final checkpoint less base.
        gained: pass@k, the same.
        later: pass@k, final less middle.

    >>> regime(0.1, 0.01, 0.0), regime(0.1, 0.1, 0.01), regime(0.1, 0.1, 0.05)
    ('Diminish', 'Plateau', 'Sustained')
    """
    if rise <= 0:
        return "No gain"
    if gained <= delta:
        return "Diminish"
    if abs(later) <= delta:
        return "Plateau"
    return "Sustained" if later > 0 else "Reversal"


def stable_regime(series: Sequence[CheckpointView], k: int, benchmark: str) -> Judgement:
    """Whether base, the middle and the last checkpoint have one label, whichever problems.

    Of 2,000 bootstraps over problems (clusters whole) the share with the label of the data: holds
    from .9 on, refuted below .5, where another label is as likely.
    """
    base, middle, last = series[0], series[len(series) // 2], series[-1]
    gaps = [
        last.pass_at(1, benchmark) - base.pass_at(1, benchmark),
        last.pass_at(k, benchmark) - base.pass_at(k, benchmark),
        last.pass_at(k, benchmark) - middle.pass_at(k, benchmark),
    ]
    values = np.stack([(gap.low + gap.high) / 2 for gap in gaps], axis=1)
    label = regime(*values.mean(axis=0).tolist())
    found = Counter(regime(*row) for row in resampled(values, gaps[0].units["clusters"]))
    share, ledger = found[label] / BOOTSTRAPS, base.ledger
    verdict = (
        Verdict.HOLDS
        if share >= STABLE
        else Verdict.REFUTED
        if share < UNSTABLE
        else Verdict.UNDECIDED
    )
    rows = [(name, times / BOOTSTRAPS) for name, times in found.most_common()]
    means = dict(zip(("pass@1", f"pass@{k}", f"pass@{k} since {middle.role}"),
                     values.mean(axis=0).tolist(), strict=True))  # fmt: skip
    shown = Evidence(numbers=means, exhibits=(Table("Labels", ("label", "share"), rows),))
    return ledger.enter(
        benchmark,
        Judgement(
            statement=f"share of bootstraps that say {label} >= {STABLE:g}",
            verdict=verdict,
            estimate=share,
            interval=replace(
                proportion_interval(found[label], BOOTSTRAPS, level=ledger.level),
                level=ledger.level,
            ),
            threshold=STABLE,
            relation=">=",
            benchmark=benchmark,
            k=k,
            n=max(gap.samples or 0 for gap in gaps),
            evidence=shown,
        ),
    )


def resampled(values: Floats, clusters: Sequence[str] | None) -> list[list[float]]:
    """Means of every column over problems drawn anew, a row each; clusters come whole."""
    names = range(len(values)) if clusters is None else clusters
    _, unit = np.unique(np.array(names), return_inverse=True)
    sums = np.zeros((unit.max() + 1, values.shape[1]))
    np.add.at(sums, unit, values)
    sizes = np.bincount(unit)
    rng = np.random.default_rng(0)
    drawn = rng.multinomial(len(sizes), np.full(len(sizes), 1 / len(sizes)), size=BOOTSTRAPS)
    means: list[list[float]] = ((drawn @ sums) / (drawn @ sizes)[:, None]).tolist()
    return means
