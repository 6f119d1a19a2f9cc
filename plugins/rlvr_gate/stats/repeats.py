"""Do samples repeat each other more often than chance? The mark of reused seeds.

Two independent draws from p agree with probability sum p(y)^2 = E p(y). So the share of pairs of a
problem's samples that agree, minus the mean probability of what was drawn, is zero in expectation,
whatever p is: no length and no temperature has to be known. Over problems that is one test.

Seeds reused for some problems only, by a restart or in one block of work, are seen problem by
problem. Draw after draw, the next one is an earlier one again with the probability that all
earlier ones have together, at most Q, that of all that were drawn. So with every theta
``exp(theta * again) / (1 + Q (e^theta - 1))^(n - 1)`` has a mean of at most one (it is below a
martingale), and so has the average over several theta: its inverse is a p-value (Markov), which
counts as many times as there are problems.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

SURE = 1e-6  # one-sided p-value below which chance is no explanation
COPIES = 0.05  # share of samples that are copies, from which it matters
SLACK = 0.05  # of the expected share, and of log-probabilities: what these may be off by
_THETAS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)  # in doublings of the odds


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
    """One-sided, of samples that are independent, by the mean over all problems."""
    p_any: float = 1.0
    """The same by the problem that tells most against it, times the number of problems."""
    copied: tuple[int, ...] = ()
    """Positions of the problems that surely hold copies."""
    copies_there: float = 0.0
    """`copies`, those of these problems alone; of all problems still the mean."""

    @property
    def accident(self) -> bool:
        """Whether samples are copies of each other, for sure and in number."""
        inexact = self.alike - self.chance < SLACK * self.chance
        in_the_mean = self.p_value < SURE and self.copies >= COPIES and not inexact
        return in_the_mean or self.copies_there >= COPIES


def repeats(
    samples: ArrayLike,
    pairs: ArrayLike,
    probability: ArrayLike,
    distinct: ArrayLike | None = None,
    chances: ArrayLike | None = None,
) -> Repeats | None:
    """Compare pairs of samples that agree with what independent samples would give.

    Args:
        samples: n of each problem, at least 2, ``(problems,)``.
        pairs: pairs among them with the same token ids.
        probability: mean over the samples of the probability with which each was drawn.
        distinct: different token ids among the samples, for a look at each problem.
        chances: probability of all of these together, ``p ** (1 - SLACK)`` for each.

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
    each = np.ones(len(n))
    if distinct is not None and chances is not None:
        each = len(n) * _by_problem(n, np.asarray(distinct), np.asarray(chances))
    copied = np.flatnonzero(each < SURE)
    return Repeats(
        alike=float(alike.mean()),
        chance=float(p.mean()),
        copies=float((excess * (n - 1)).mean()),
        p_value=float(stdtr(len(n) - 1, -t)),
        p_any=min(1.0, float(each.min())),
        copied=tuple(copied.tolist()),
        copies_there=float((excess * (n - 1))[copied].sum() / len(n)),
    )


def _by_problem(n: Floats, distinct: Floats, chance: Floats) -> Floats:
    """p-value of so few different draws of each problem, ``(problems,)``."""
    from scipy.special import logsumexp

    theta = np.log(2) * np.array(_THETAS)[:, None]
    each = theta * (n - distinct) - (n - 1) * np.log1p(np.minimum(chance, 1.0) * np.expm1(theta))
    return np.asarray(np.exp(np.minimum(0.0, np.log(len(theta)) - logsumexp(each, axis=0))))
