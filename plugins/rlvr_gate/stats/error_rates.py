"""Error control over many claims and several looks, and what each number is about.

Opening the gate needs *all* gate claims to hold: an intersection-union test, whose
false-release rate is that of its weakest claim, with no correction. Closing it takes *any*
refuted claim: a union, whose false-block rate adds up and is controlled by Holm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class ErrorRates:
    """Bounds on the two ways a gate can be wrong, given the tail of each of its claims."""

    false_release: float
    """Opens although some gate claim is false: at most the largest tail."""
    false_block: float
    """Closes although every gate claim is true: at most the sum of the tails."""
    statement: str


def gate_error_rates(tails: Sequence[float]) -> ErrorRates:
    """Bound false release and false block of a gate over claims with these one-sided tails.

    A two-sided interval of level 1 - alpha gives each claim a tail of alpha / 2.

    >>> gate_error_rates([0.025, 0.025]).false_block
    0.05
    """
    _check_probabilities(tails, "tails")
    release, block = max(tails), min(1.0, sum(tails))
    return ErrorRates(
        release,
        block,
        f"false release <= {release:g}: all {len(tails)} gate claims must hold "
        f"(intersection-union, no correction); false block <= {block:g}: any refuted claim "
        "blocks (union, the tails add up)",
    )


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Holm's adjusted p-values, in the given order: reject where the value is <= alpha.

    Controls the chance of any false rejection under every dependence (Holm 1979).

    >>> holm([0.01, 0.04, 0.03])
    (0.03, 0.06, 0.06)
    """
    _check_probabilities(p_values, "p-values")
    p = np.asarray(p_values)
    order = np.argsort(p, kind="stable")
    steps = np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1))
    adjusted = np.empty(p.size)
    adjusted[order] = np.minimum(steps, 1.0)
    return tuple(adjusted.tolist())


def spend(alpha: float, information: Sequence[float]) -> tuple[float, ...]:
    """Share an error budget among looks, early looks getting little; the sum is ``alpha``.

    Increments of the O'Brien-Fleming-like spending function ``2 - 2 Phi(z_{alpha/2} /
    sqrt t)`` (Lan and DeMets 1983). Looks that each test at their own increment err together
    at most ``alpha``, whatever their dependence; `rlvr_gate.stats.looks` tests less strictly,
    because it knows their dependence.

    Args:
        information: share of the final information at each look, increasing, ending at 1
            (for rounds of samples: their sizes over the largest).

    >>> [round(a, 4) for a in spend(0.05, [0.25, 0.5, 1.0])]
    [0.0001, 0.0055, 0.0444]
    """
    from scipy.special import ndtr, ndtri

    t = np.asarray(information, dtype=np.float64)
    if not 0 < alpha < 1:
        raise ValueError(f"an error budget must lie in (0, 1), got {alpha}")
    if not t.size or t[0] <= 0 or t[-1] != 1 or np.any(np.diff(t) <= 0):
        raise ValueError(f"looks need increasing information ending at 1, got {t.tolist()}")
    spent = 2 * ndtr(ndtri(alpha / 2) / np.sqrt(t))
    return tuple(np.diff(spent, prepend=0.0).tolist())


_LEAST = 2.0**-40


def spend_again(spent: Sequence[float], kept: float) -> float:
    """Share of the error budget that the next judgement of one question may spend.

    The first spends all but ``kept``, every later one half of what is left, so however many there
    are they never spend more than the whole budget, and together err no more often than it says,
    whatever they have to do with each other.

    Args:
        spent: shares of the earlier ones.
        kept: what the first one keeps back.

    >>> [spend_again([0.8, 0.1, 0.05][:n], kept=0.2) for n in range(4)]
    [0.8, 0.1, 0.05, 0.025]
    """
    if not 0 < kept < 1:
        raise ValueError(f"what is kept of an error budget must lie in (0, 1), got {kept}")
    share = max(1 - sum(spent), 0.0) / 2 if spent else 1 - kept
    return max(round(share, 15), _LEAST)


def _check_probabilities(values: Sequence[float], name: str) -> None:
    if not len(values) or not all(0 <= v <= 1 for v in values):
        raise ValueError(f"{name} must be one or more numbers in [0, 1], got {list(values)}")
