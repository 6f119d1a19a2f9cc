"""Problems solved in more than a share of the samples: the upper bins of an accuracy histogram."""

from rlvr_gate.claims.numbers.number import Floats, Ints, number


@number("share solved in over {share:g} of the samples", least=2)
def solved_over(n: Ints, c: Ints, share: float) -> Floats:
    """One where c/n > share: a plug-in, as arXiv:2504.13837v5 fig. 5 counts its bins."""
    if not 0 <= share < 1:
        raise ValueError(f"a share of the samples lies in [0, 1), got {share}")
    return (c > share * n + 1e-9).astype(float)
