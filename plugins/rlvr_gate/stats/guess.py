"""How far guessing alone would get: the floor under every claim at large k.

A guesser that has seen the benchmark but not the problem draws answers from what was
answered to the *other* problems. Benchmarks with few or popular answers (small integers,
yes or no) can be "solved" that way at k = 256.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def guess_floor(
    answers: Sequence[Sequence[str | None]], right: Sequence[Collection[str]]
) -> Floats:
    """Chance per draw that a guess from the other problems' answers is right, ``(problems,)``.

    Every other problem weighs the same, however many samples it has; a sample without an
    extracted answer (None) is a wrong guess.

    Args:
        answers: extracted answers of all samples, per problem; in a canonical spelling.
        right: answers the verifier accepts for each problem, in the same spelling.

    Raises:
        ValueError: fewer than two problems, or lists of different length.

    >>> guess_floor([["7", "7"], ["7", "3"], ["3", None]], [{"7"}, {"3"}, {"5"}]).tolist()
    [0.25, 0.25, 0.0]
    """
    if len(answers) != len(right) or len(answers) < 2:
        raise ValueError(
            "a guess floor needs two or more problems with answers and right answers, got "
            f"{len(answers)} and {len(right)}"
        )
    shares = [_shares(drawn) for drawn in answers]
    pool: dict[str, float] = {}
    for share in shares:
        for answer, weight in share.items():
            pool[answer] = pool.get(answer, 0.0) + weight
    others = len(answers) - 1
    floor = [
        sum(pool.get(a, 0.0) - own.get(a, 0.0) for a in set(accepted)) / others
        for own, accepted in zip(shares, right, strict=True)
    ]
    return np.clip(np.asarray(floor, dtype=np.float64), 0.0, 1.0)


def guess_pass_at_k(floor: ArrayLike, k: int) -> Floats:
    """Chance that one of ``k`` guesses is right, ``1 - (1 - floor)^k``, per problem."""
    if k < 1:
        raise ValueError(f"pass@k needs k >= 1, got {k=}")
    return np.asarray(1.0 - (1.0 - np.asarray(floor, dtype=np.float64)) ** k)


def guessable(floor: ArrayLike, k: int, *, limit: float = 0.05) -> NDArray[np.bool_]:
    """Problems that ``k`` guesses solve with more than ``limit`` probability.

    The guess-filtered verdict (K21) is the claim judged again without them. The rule is ours;
    arXiv:2504.13837v5, app. C.2, filters by the base's direct answers, on the other side.
    """
    return np.asarray(guess_pass_at_k(floor, k) > limit)


def _shares(drawn: Sequence[str | None]) -> dict[str, float]:
    shares: dict[str, float] = {}
    for answer in drawn:
        if answer is not None:
            shares[answer] = shares.get(answer, 0.0) + 1 / len(drawn)
    return shares
