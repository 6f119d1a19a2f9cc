"""Adaptive sampling in rounds, and the pass@k estimator that stays unbiased under it.

After each round a problem with at least ``target`` correct samples stops, the others go on;
after the last round all stop. Given where a problem stopped, every outcome sequence that
leads there is equally likely, so averaging "the first k are all wrong" over them is the
Rao-Blackwell estimator of (1-p)^k: exactly unbiased for every k up to the last round.
"""

from __future__ import annotations

from functools import lru_cache
from math import comb

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rlvr_gate.records import Rounds

__all__ = ["Rounds", "adaptive_pass_at_k", "check_states"]

Floats = NDArray[np.float64]


def adaptive_pass_at_k(
    samples: ArrayLike, correct: ArrayLike, k: int, rounds: Rounds
) -> Floats:  # fmt: skip
    """Unbiased pass@k per problem from stopping states, ``(problems,)``.

    With one round it is `rlvr_gate.stats.passk.pass_at_k`. Exact integers inside.

    Raises:
        ValueError: ``k`` beyond the last round, or a state in which the rule cannot stop.
    """
    if not 1 <= k <= rounds.sizes[-1]:
        raise ValueError(f"pass@k needs 1 <= k <= the last round, got {k=}, rounds={rounds.sizes}")
    n, c = np.broadcast_arrays(np.asarray(samples), np.asarray(correct))
    states, where = np.unique(np.stack([n.ravel(), c.ravel()]), axis=1, return_inverse=True)
    values = [1.0 - _none_of_first(*state, k, rounds) for state in states.T.tolist()]
    return np.asarray(values)[where.reshape(n.shape)]


def check_states(samples: ArrayLike, correct: ArrayLike, rounds: Rounds) -> None:
    """Refuse counts that this rule cannot have left behind.

    Raises:
        ValueError: sizes that are no round, a stop before the target, or more successes
            than the last round could add to an unfinished problem.
    """
    for n, c in sorted(
        {*zip(np.ravel(samples).tolist(), np.ravel(correct).tolist(), strict=True)}
    ):
        if not _stopped(n, c, rounds):
            raise ValueError(
                f"rounds {rounds.sizes} with target {rounds.target} never stop at "
                f"samples={n}, correct={c}"
            )


def _stopped(n: int, c: int, rounds: Rounds) -> bool:
    if n not in rounds.sizes:
        return False
    final = n == rounds.sizes[-1]
    return (final or c >= rounds.target) and _paths(rounds, rounds.sizes.index(n), 0).get(c, 0) > 0


@lru_cache(maxsize=65536)
def _none_of_first(n: int, c: int, k: int, rounds: Rounds) -> float:
    """Share of the outcome sequences ending in this state whose first k are all wrong."""
    check_states(n, c, rounds)
    if n < k:
        return 0.0  # it stopped before sample k, so a success was among the first k
    look = rounds.sizes.index(n)
    return _paths(rounds, look, k).get(c, 0) / _paths(rounds, look, 0)[c]


@lru_cache(maxsize=4096)
def _paths(rounds: Rounds, look: int, k: int) -> dict[int, int]:
    """Sequences of length ``sizes[look]`` still sampled at its start, by number of ones.

    Those whose first ``k`` entries are zero; W of the method for k = 0, F_k otherwise.
    """
    start = rounds.sizes[look - 1] if look else 0
    alive = {0: 1}
    if look:
        alive = {c: w for c, w in _paths(rounds, look - 1, k).items() if c < rounds.target}
    new = rounds.sizes[look] - start
    free = new - max(0, min(new, k - start))
    found: dict[int, int] = {}
    for c, ways in alive.items():
        for s in range(free + 1):
            found[c + s] = found.get(c + s, 0) + ways * comb(free, s)
    return found
