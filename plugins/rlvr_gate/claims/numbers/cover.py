"""Cover@tau: problems solved with a probability of at least tau (arXiv:2510.08325, sec. 3)."""

import numpy as np

from rlvr_gate.claims.numbers.number import Floats, Ints, number


@number("Cover@{tau:g}", shown=({"tau": 0.5},))
def cover_at(n: Ints, c: Ints, tau: float) -> Floats:
    """Chance that tau of n/2 samples are correct; unbiased, as 1[c/n >= tau] is not."""
    from scipy.stats import hypergeom

    half = n // 2
    if not 0 < tau <= 1 or half.min() < 1:
        raise ValueError(f"Cover@tau needs 0 < tau <= 1 and n >= 2, got {tau} and {n.min()}")
    return np.asarray(hypergeom.sf(np.ceil(np.round(tau * half, 9)) - 1, n, c, half))
