"""Variance of a pass@k estimate within one problem: what more samples would take away.

With ``c ~ Binomial(n, p)`` the estimate is ``1 - f(c)``, where f(c) = C(n-c,k)/C(n,k) has
mean ``(1-p)^k`` and variance ``E f^2 - (1-p)^2k``.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rlvr_gate.stats.passk import checked, pass_at_k, tabulated

Floats = NDArray[np.float64]


def within_variance(samples: ArrayLike, correct: ArrayLike, k: ArrayLike) -> Floats:
    """Expected variance of the pass@k estimate given its counts, for every ``k <= n``.

    The exact variance at p, averaged over the Jeffreys posterior Beta(c+1/2, n-c+1/2). So
    it is never zero at c = 0 or c = n, where the plug-in variance would claim certainty;
    there it errs wide. Add the two checkpoints' variances for a paired difference.
    """
    return tabulated(_jeffreys, *checked(samples, correct, k))


def unbiased_within_variance(samples: ArrayLike, correct: ArrayLike, k: ArrayLike) -> Floats:
    """Unbiased variance of the pass@k estimate, which exists for ``2k <= n`` only.

    ``f_k(c)^2 - f_2k(c)``: f_2k is unbiased for ``(1-p)^2k``. Zero at c = 0 and c = n, so
    use it in sums over problems (to split a variance), never for one problem.

    Raises:
        ValueError: ``2k > samples`` for some problem.
    """
    n, k_ = np.asarray(samples), np.asarray(k)
    if np.any(2 * k_ > n):
        raise ValueError(
            f"an unbiased variance needs 2k <= samples, got k={k_.max()}, samples={n.min()}"
        )
    none = 1.0 - pass_at_k(samples, correct, k)
    return np.maximum(0.0, none**2 - (1.0 - pass_at_k(samples, correct, 2 * k_)))


@lru_cache(maxsize=256)
def _jeffreys(n: int, k: int) -> Floats:
    from scipy.special import betaln, gammaln

    c = np.arange(n + 1)
    a, b = c[:, None] + 0.5, n - c[:, None] + 0.5
    choose = gammaln(n + 1) - gammaln(c + 1) - gammaln(n - c + 1)
    weights = np.exp(choose[None, :] + betaln(a + c, b + n - c) - betaln(a, b))  # (c, new c)
    none = 1.0 - pass_at_k(n, c, k)
    square = np.exp(betaln(a, b + 2 * k) - betaln(a, b))[:, 0]  # E (1-p)^2k
    table = np.maximum(0.0, weights @ none**2 / weights.sum(axis=1) - square)
    table.setflags(write=False)
    return np.asarray(table)
