"""Per-problem numbers from tallies, read twice where something is not known.

An unscored completion is read as wrong and as correct. A tally that a stopping rule ended early
(`Tally.rounds`) needs the estimator of that rule: its n was chosen by its outcomes, so c/n is
biased. What such a tally cannot say is read both ways too, never guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rlvr_gate.records import Tally
from rlvr_gate.stats.adaptive import Rounds, adaptive_pass_at_k
from rlvr_gate.stats.passk import pass_at_k

ONE_SAMPLE = "one sample of a problem says nothing about k > 1: raise --samples"

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Reading:
    """The least and the most each problem's number can be, both ``(problems,)``."""

    low: Floats
    high: Floats


def stopping_rule(tallies: Sequence[Tally]) -> Rounds | None:
    """The rule that decided how many samples each problem got; None where the number was fixed.

    Raises:
        ValueError: the tallies do not share one rule.
    """
    rules = {tally.rounds for tally in tallies}
    if len(rules) > 1:
        raise ValueError(f"tallies of one benchmark need one stopping rule, got {len(rules)}")
    return next(iter(rules), None)


def solve_rate(tallies: Sequence[Tally], k: int) -> Reading:
    """pass@k, unbiased under each tally's stopping rule.

    With a rule, the upper reading is the same Rao-Blackwell argument: the rule looked at scored
    successes only, so given where it stopped, the unscored completions lie anywhere among the
    others, and ``C(n-c-k, u) / C(n-c, u)`` of those places miss the first k.

    Raises:
        ValueError: k exceeds what some problem could have been asked.
    """
    return _by_rule(tallies, lambda alike: _solve_rate(alike, k))


def solve_rates(tallies: Sequence[Tally], ks: Sequence[int]) -> list[Reading]:
    """pass@k at every one of `ks`, as `solve_rate` reads each.

    Where all samples were drawn the counts are read once for all k: a curve has hundreds.
    """
    if any(tally.rounds for tally in tallies):
        return [solve_rate(tallies, k) for k in ks]
    n, c, unscored = (_column(tallies, name) for name in ("n", "correct", "unscored"))
    certain = not unscored.any()
    found = []
    for k in ks:
        low = pass_at_k(n, c, k)
        found.append(Reading(low, low if certain else pass_at_k(n, c + unscored, k)))
    return found


def _solve_rate(tallies: Sequence[Tally], k: int) -> Reading:
    n, c, unscored = (_column(tallies, name) for name in ("n", "correct", "unscored"))
    rule = stopping_rule(tallies)
    if rule is None:
        return Reading(pass_at_k(n, c, k), pass_at_k(n, c + unscored, k))
    low = adaptive_pass_at_k(n, c, k, rule)
    rest = n - c
    hit = np.where(
        unscored > 0, 1.0, 0.0
    )  # k reaches beyond the rest: an unscored one is among it
    few = (unscored > 0) & (k <= rest)
    if few.any():
        hit[few] = pass_at_k(rest[few], unscored[few], k)
    return Reading(low, 1.0 - (1.0 - low) * (1.0 - hit))


def supposing(
    read: Callable[[Sequence[Tally]], Reading],
    tallies: Sequence[Tally],
    share: float | Floats,
    rest: Reading,
) -> Reading:
    """A reading in which each unscored completion is correct with a chance of at most `share`.

    Between the two readings of `read`, which are those of 0 and 1: the mean of its upper reading
    over how many of a problem's unscored completions are correct.

    Args:
        share: for all problems, or for each, ``(problems,)``.
        rest: what `read` says of these tallies.
    """
    from scipy.stats import binom

    unscored = _column(tallies, "unscored")
    some = np.flatnonzero(unscored).tolist()
    high, chance = rest.high.copy(), np.broadcast_to(share, unscored.shape)
    high[some] = 0.0
    for right in range(int(unscored.max(initial=0)) + 1):
        weight = binom.pmf(right, unscored[some], chance[some])
        supposed = [replace(tallies[i], unscored=min(right, tallies[i].unscored)) for i in some]
        if supposed:
            high[some] += weight * read(supposed).high
    return Reading(rest.low, np.clip(high, rest.low, rest.high))


def own_rate(tallies: Sequence[Tally]) -> Floats:
    """Of each problem's scored completions, how many are correct; 0 where none was scored."""
    n, c, unscored = (_column(tallies, name) for name in ("n", "correct", "unscored"))
    return np.asarray(c / np.maximum(n - unscored, 1))


def never_solved(tallies: Sequence[Tally]) -> Reading:
    """One where no sample is correct: with a rule, none up to the last round.

    A single sample that fails may have been bad luck: unknown.
    """
    n, c, unscored = (_column(tallies, name) for name in ("n", "correct", "unscored"))
    return Reading(_indicator((c + unscored == 0) & (n > 1)), _indicator(c == 0))


def always_solved(tallies: Sequence[Tally]) -> Reading:
    """One where every sample is correct.

    A problem that a rule stopped without an error may or may not have erred later: unknown. So
    may one that was asked once.
    """
    n, c, unscored = (_column(tallies, name) for name in ("n", "correct", "unscored"))
    rule = stopping_rule(tallies)
    whole = n == (n if rule is None else rule.sizes[-1])
    return Reading(_indicator((c == n) & whole & (n > 1)), _indicator(c + unscored == n))


def truncated(tallies: Sequence[Tally]) -> Reading:
    """Chance that a completion runs out of tokens.

    With a rule: P(correct) times the truncated share of the correct ones plus P(not correct)
    times that of the others; a tally does not say which were truncated, so both extremes.
    Where nobody recorded truncation, it may be anything.
    """
    if any(tally.truncated is None for tally in tallies):
        return Reading(np.zeros(len(tallies)), np.ones(len(tallies)))
    return _by_rule(tallies, _truncated)


def _truncated(tallies: Sequence[Tally]) -> Reading:
    n, c, cut = (_column(tallies, name) for name in ("n", "correct", "truncated"))
    rule = stopping_rule(tallies)
    if rule is None:
        return Reading(cut / n, cut / n)
    right = adaptive_pass_at_k(n, c, 1, rule)

    def rate(among_correct: Ints) -> Floats:
        rest = cut - among_correct
        return np.asarray(
            right * among_correct / np.maximum(c, 1) + (1 - right) * rest / np.maximum(n - c, 1)
        )

    ends = rate(np.maximum(0, cut - (n - c))), rate(np.minimum(cut, c))
    return Reading(np.minimum(*ends), np.maximum(*ends))


def _by_rule(tallies: Sequence[Tally], read: Callable[[Sequence[Tally]], Reading]) -> Reading:
    """Read together what one rule stopped: parts of a benchmark may have their own."""
    rules = dict.fromkeys(tally.rounds for tally in tallies)
    if len(rules) <= 1:
        return read(tallies)
    low, high = np.empty(len(tallies)), np.empty(len(tallies))
    for rule in rules:
        where = [i for i, tally in enumerate(tallies) if tally.rounds == rule]
        found = read([tallies[i] for i in where])
        low[where], high[where] = found.low, found.high
    return Reading(low, high)


def _column(tallies: Sequence[Tally], name: str) -> Ints:
    return np.array([getattr(tally, name) for tally in tallies], dtype=np.int64)


def _indicator(true: NDArray[np.bool_]) -> Floats:
    return true.astype(np.float64)
