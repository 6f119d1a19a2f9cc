"""How often a gate claim that is false opens the gate, judged again and again as its store grows.

    python studies/again.py [--replicates 2000] [--seed 2]

A claim "the mean of the problems' differences is above 0" is judged, and where that is undecided
the store grows and it is judged again, until it is decided or there is no more to be had. The true
mean is zero, so every `holds` is a false release. `twice`: everything is doubled each time;
`advice`: as many problems as `would_decide` names are added, whatever that is; `best of`: of every
size up to the next doubling the one is judged at which the claim looks best, which no rule allows.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from coverage import Floats, base_population

from rlvr_gate.records import Interval
from rlvr_gate.stats.error_rates import spend_again
from rlvr_gate.stats.guaranteed import guaranteed_p_value, sample
from rlvr_gate.stats.intervals import mean_interval
from rlvr_gate.stats.passk import pass_at_k
from rlvr_gate.stats.verdicts import enough

FIRST, MOST = 100, 1600
KEPT = 0.2
BUDGET = 0.05
SAMPLES = (16, 512)
Draw = Callable[[np.random.Generator], Floats]
Opens = Callable[[Floats, float], bool]


def rare_loss(rng: np.random.Generator) -> Floats:
    """Most problems gain a little, one in a hundred loses everything; ``(problems,)``."""
    return np.where(rng.random(MOST) < 0.01, -1.0, 0.01 / 0.99)


def counts(shape: str) -> Draw:
    """Two runs of one model over a population of this shape, n = 16."""

    def draw(rng: np.random.Generator) -> Floats:
        p = rng.choice(base_population(shape, np.random.default_rng(1)), MOST)
        found: Floats = (rng.binomial(16, p) - rng.binomial(16, p)) / 16
        return found

    return draw


def far(values: Floats) -> bool:
    """Whether a look is worth its time: within one standard error of 0 nothing is decided."""
    return bool(values.mean() > values.std() / np.sqrt(values.size))


def sharp(values: Floats, tail: float) -> bool:
    """By the findings' interval."""
    return far(values) and mean_interval(values, level=1 - 2 * tail, low=-1, high=1).low > 0


def bound(values: Floats, tail: float) -> bool:
    """By the gate claims' bound."""
    return far(values) and guaranteed_p_value(values, 0.0, low=-1) <= tail


def twice(values: Floats, problems: int, tail: float) -> int:
    return 2 * problems


def advice(values: Floats, problems: int, tail: float) -> int:
    """As many as would decide it at the next level, were the estimate to stay."""
    now = values[:problems]
    low = sample(now, -1).lower_end(tail) if now.mean() > 0 else float(now.mean())
    interval = Interval(low, max(2 * float(now.mean()) - low, low), 1 - 2 * tail)
    more = enough(float(now.mean()), interval, 0.0, problems=problems, samples=16,
                  variance=float(now.var(ddof=1)), within=0.0).problems  # fmt: skip
    return problems + max(1, MOST if more is None else more)


def best_of(values: Floats, problems: int, tail: float) -> int:
    """The size at which the mean is farthest above zero in standard errors: a peek at them all."""
    sizes = np.arange(problems + 1, min(2 * problems, MOST) + 1)
    if not sizes.size:
        return MOST + 1
    sums = np.cumsum(values)[sizes - 1]
    squares = np.cumsum(values**2)[sizes - 1]
    return int(sizes[np.argmax(sums / np.sqrt(squares + 1e-12))])


GROWS = {"twice": twice, "advice": advice, "best of": best_of}


def tails(spending: bool, judgements: int) -> list[float]:
    """The one-sided tail that each judgement may use."""
    spent: list[float] = []
    for _ in range(judgements):
        spent.append(spend_again(spent, KEPT) if spending else 1.0)
    return [BUDGET / 2 * share for share in spent]


def opens(values: Floats, grow: Callable[[Floats, int, float], int], test: Opens,
          levels: Sequence[float]) -> bool:  # fmt: skip
    """Whether one growing store ever opens the gate."""
    problems = FIRST
    for tail, later in pairwise(levels):
        if test(values[:problems], tail):
            return True
        if problems >= MOST:
            return False
        problems = min(grow(values, problems, later), MOST)
    return test(values[:problems], levels[-1])


def samples_grow(shape: str, k: int, test: Opens, levels: Sequence[float],
                 rng: np.random.Generator) -> bool:  # fmt: skip
    """The same where problems stay and samples double, from 16 to 512, at k or at k = n."""
    p = rng.choice(base_population(shape, np.random.default_rng(1)), FIRST)
    drawn = [rng.random((FIRST, SAMPLES[1])) < p[:, None] for _ in range(2)]
    n = SAMPLES[0]
    for tail in levels:
        at = k or n
        base, rlvr = (pass_at_k(n, d[:, :n].sum(axis=1), at) for d in drawn)
        if test(np.asarray(rlvr - base), tail):
            return True
        n *= 2
        if n > SAMPLES[1]:
            return False
    return False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--replicates", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=2)
    options = parser.parse_args()
    ways = [("findings', each at .025", sharp, False), ("gate's, each at .025", bound, False),
            ("gate's, one budget", bound, True)]  # fmt: skip
    print(f"| law | grows | {' | '.join(name for name, *_ in ways)} |\n|---|---|---|---|---|")
    laws: dict[str, Draw] = {"hard, same": counts("hard"), "mid, same": counts("mid"),
                             "rare loss, mean 0": rare_loss}  # fmt: skip
    for law, draw in laws.items():
        for name, grow in GROWS.items():
            rng = np.random.default_rng(options.seed)
            stores = [draw(rng) for _ in range(options.replicates)]
            row = [
                np.mean([opens(v, grow, test, tails(spending, 6)) for v in stores])
                for _, test, spending in ways
            ]
            print(
                f"| {law} | problems, {name} | {' | '.join(f'{r:.4f}' for r in row)} |", flush=True
            )
    for k, name in ((1, "k = 1"), (0, "k = n")):
        row = []
        for _, test, spending in ways:
            rng = np.random.default_rng(options.seed)
            row.append(np.mean([samples_grow("hard", k, test, tails(spending, 6), rng)
                                for _ in range(options.replicates // 4)]))  # fmt: skip
        print(
            f"| hard, same | samples, {name} | {' | '.join(f'{r:.4f}' for r in row)} |", flush=True
        )


if __name__ == "__main__":
    main()
