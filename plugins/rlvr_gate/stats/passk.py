"""Unbiased per-problem estimators from counts: n samples, c of them correct.

Every estimator works on arrays that broadcast: give ``(problems,)`` counts and one ``k``, or
use `ladder` for ``(problems, len(ks))``. The number of samples may differ between problems.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def pass_at_k(samples: ArrayLike, correct: ArrayLike, k: ArrayLike) -> Floats:
    """Chance that ``k`` completions drawn without replacement hold a correct one.

    ``1 - C(n-c, k) / C(n, k)`` in product form (arXiv:2107.03374 eq. 1; the metric of
    arXiv:2504.13837v5): unbiased for ``1 - (1-p)^k`` for every ``1 <= k <= n``.

    Raises:
        ValueError: ``k`` outside ``1..samples`` or ``correct`` outside ``0..samples``.

    >>> float(pass_at_k(samples=4, correct=1, k=2))
    0.5
    """
    n, c, k_ = checked(samples, correct, k)
    return 1.0 - tabulated(_none_of_k, n, c, k_)


def pass_power_k(samples: ArrayLike, correct: ArrayLike, k: ArrayLike) -> Floats:
    """Chance that all ``k`` completions drawn without replacement are correct.

    pass^k, ``C(c, k) / C(n, k)`` (arXiv:2406.12045): unbiased for ``p^k``.

    >>> float(pass_power_k(samples=4, correct=2, k=1))
    0.5
    """
    n, c, k_ = checked(samples, correct, k)
    return tabulated(_none_of_k, n, n - c, k_)


def g_pass_at_k(samples: ArrayLike, correct: ArrayLike, k: ArrayLike, tau: float) -> Floats:
    """Chance that at least ``ceil(tau k)`` (and at least one) of ``k`` are correct.

    G-Pass@k of arXiv:2412.13147 eq. 5, a hypergeometric tail. ``tau -> 0`` is pass@k,
    ``tau = 1`` is pass^k.

    Raises:
        ValueError: ``tau`` outside [0, 1], or counts as in `pass_at_k`.
    """
    _check_fraction(tau, "tau")
    n, c, k_ = checked(samples, correct, k)
    return tabulated(lambda n_, k1: _at_least(n_, k1, max(1, _ceil(tau * k1))), n, c, k_)


def mean_g_pass_at_k(samples: ArrayLike, correct: ArrayLike, k: ArrayLike) -> Floats:
    """Twice the mean of G-Pass@k over thresholds above one half (mG-Pass@k).

    ``2/k * sum over i = ceil(k/2)+1..k of G-Pass@k_{i/k}`` (arXiv:2412.13147 eq. 7): the
    area under the curve of `g_pass_at_k` for tau in [0.5, 1], scaled to [0, 1]. Zero at k = 1.
    """
    n, c, k_ = checked(samples, correct, k)
    return tabulated(_mean_upper_half, n, c, k_)


def cover_at(samples: ArrayLike, correct: ArrayLike, tau: float) -> Floats:
    """One where the observed share of correct samples reaches ``tau``, else zero.

    Cover@tau of arXiv:2510.08325 by plug-in ``c/n >= tau``: a step function of a noisy
    share, so unlike the others it is biased for problems with p near ``tau``.
    """
    _check_fraction(tau, "tau")
    n, c, _ = checked(samples, correct, 1)
    return np.asarray(c >= np.ceil(tau * n - 1e-9), dtype=np.float64)


def mean_at_n(samples: ArrayLike, correct: ArrayLike) -> Floats:
    """Share of the samples that is correct, ``c / n``: pass@1 and avg@n."""
    n, c, _ = checked(samples, correct, 1)
    return np.asarray(c / n, dtype=np.float64)


def ladder(
    estimator: Callable[[ArrayLike, ArrayLike, ArrayLike], Floats],
    samples: ArrayLike,
    correct: ArrayLike,
    ks: Sequence[int],
) -> Floats:
    """Tabulate an estimator over problems and budgets: ``(problems, len(ks))``.

    >>> ladder(pass_at_k, [4, 4], [0, 1], [1, 2, 4]).tolist()
    [[0.0, 0.0, 0.0], [0.25, 0.5, 1.0]]
    """
    n, c = np.atleast_1d(np.asarray(samples)), np.atleast_1d(np.asarray(correct))
    return estimator(n[:, None], c[:, None], np.asarray(ks)[None, :])


def default_ladder(samples: int) -> tuple[int, ...]:
    """Powers of two up to ``samples``, and ``samples`` itself.

    >>> default_ladder(48)
    (1, 2, 4, 8, 16, 32, 48)
    """
    if samples < 1:
        raise ValueError(f"a ladder of k needs samples >= 1, got {samples=}")
    powers = {1 << i for i in range(samples.bit_length())}
    return tuple(sorted({k for k in powers if k <= samples} | {samples}))


def checked(samples: ArrayLike, correct: ArrayLike, k: ArrayLike) -> tuple[Ints, Ints, Ints]:
    """The three as whole numbers of one shape, or the reason why pass@k is undefined."""
    n, c, k_ = np.broadcast_arrays(_whole(samples, "samples"), _whole(correct, "correct"),
                                   _whole(k, "k"))  # fmt: skip
    if n.size == 0:
        raise ValueError("pass@k needs at least one problem, got none")
    if (bad := (k_ < 1) | (k_ > n)).any():
        raise ValueError(
            f"pass@k needs 1 <= k <= samples, got k={k_[bad].flat[0]}, samples={n[bad].flat[0]}"
        )
    if (bad := (c < 0) | (c > n)).any():
        raise ValueError(
            "pass@k needs 0 <= correct <= samples, got "
            f"correct={c[bad].flat[0]}, samples={n[bad].flat[0]}"
        )
    return n, c, k_


def _whole(values: ArrayLike, name: str) -> Ints:
    given = np.asarray(values)
    if given.dtype.kind not in "iuf" or np.any(given != np.floor(given)):  # NaN != NaN
        raise ValueError(f"{name} must be whole numbers, got {given.ravel()[:5].tolist()}")
    return given.astype(np.int64)


def _check_fraction(value: float, name: str) -> None:
    if not 0 <= value <= 1:
        raise ValueError(f"{name} must lie in [0, 1], got {value}")


def _ceil(value: float) -> int:
    return int(np.ceil(value - 1e-9))  # 0.3 * 10 is 3.0000000000000004


def tabulated(table: Callable[[int, int], Floats], n: Ints, c: Ints, k: Ints) -> Floats:
    """Look every count up in the table of its (n, k)."""
    width = int(k.max()) + 1
    pairs, which = np.unique(n * width + k, return_inverse=True)
    tables = [table(*divmod(pair, width)) for pair in pairs.tolist()]
    starts = np.cumsum([0, *(t.size for t in tables[:-1])])
    return np.asarray(np.concatenate(tables)[starts[which.reshape(n.shape)] + c])


@lru_cache(maxsize=4096)
def _none_of_k(n: int, k: int) -> Floats:
    """``C(n-c, k) / C(n, k)`` for c = 0..n: the k factors telescope, error <= c ulps."""
    j = np.arange(n)
    steps = np.maximum(n - k - j, 0) / (n - j)
    return _frozen(np.concatenate([[1.0], np.cumprod(steps)]))


@lru_cache(maxsize=4096)
def _at_least(n: int, k: int, m: int) -> Floats:
    """P(Hypergeometric(n, c, k) >= m) for c = 0..n."""
    from scipy.stats import hypergeom

    return _frozen(np.asarray(hypergeom.sf(m - 1, n, np.arange(n + 1), k), dtype=np.float64))


@lru_cache(maxsize=4096)
def _mean_upper_half(n: int, k: int) -> Floats:
    tails = [_at_least(n, k, i) for i in range(_ceil(k / 2) + 1, k + 1)]
    return _frozen(2.0 / k * np.sum(tails, axis=0) if tails else np.zeros(n + 1))


def _frozen(table: Floats) -> Floats:
    table.setflags(write=False)
    return table
