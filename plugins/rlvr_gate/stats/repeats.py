"""Do samples repeat each other more often than chance? The mark of reused seeds.

Two independent draws from p agree with probability sum p(y)^2 = E p(y). So the share of pairs of a
problem's samples that agree, minus the mean probability of what was drawn, is zero in expectation,
whatever p is: no length and no temperature has to be known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

SURE = 1e-6  # one-sided p-value below which chance is no explanation
COPIES = 0.05  # share of samples that are copies, from which it matters
SLACK = 0.05  # of the expected share: what inexact log-probabilities may be off by


@dataclass(frozen=True, slots=True)
class Repeats:
    """How often samples of one problem agree, means over problems."""

    alike: float
    """Share of pairs of samples with the same token ids."""
    chance: float
    """The same, as the log-probabilities of the samples have it."""
    copies: float
    """Samples that agree with a given one beyond chance: about 1 where all were drawn twice."""
    p_value: float
    """One-sided, of samples that are independent."""

    @property
    def accident(self) -> bool:
        """Whether samples are copies of each other, for sure and in number."""
        inexact = self.alike - self.chance < SLACK * self.chance
        return self.p_value < SURE and self.copies >= COPIES and not inexact


def repeats(samples: ArrayLike, pairs: ArrayLike, probability: ArrayLike) -> Repeats | None:
    """Compare pairs of samples that agree with what independent samples would give.

    Args:
        samples: n of each problem, at least 2, ``(problems,)``.
        pairs: pairs among them with the same token ids.
        probability: mean over the samples of the probability with which each was drawn.

    Returns:
        None where a problem has fewer than two samples, there are fewer than two problems, or a
        probability is unknown (not a number).
    """
    n, agree, p = (np.asarray(x, dtype=np.float64) for x in (samples, pairs, probability))
    if len(n) < 2 or n.min() < 2 or not np.isfinite(p).all():
        return None
    from scipy.special import stdtr

    alike = agree / (n * (n - 1) / 2)
    excess = alike - p
    mean, error = float(excess.mean()), float(excess.std(ddof=1) / np.sqrt(len(n)))
    t = mean / error if error else (np.inf if mean > 0 else 0.0)
    return Repeats(
        alike=float(alike.mean()),
        chance=float(p.mean()),
        copies=float((excess * (n - 1)).mean()),
        p_value=float(stdtr(len(n) - 1, -t)),
    )
