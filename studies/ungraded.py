"""What completions without a grade do to a verdict: false holds, and what is left of its power.

    python studies/ungraded.py [--replicates 200] [--seed 3]

Two runs of one model on problems of the shape *never*, n = 256, a claim "rlvr's pass@k exceeds
base's minus a margin". At a margin of 0 every `holds` is false; at one of .04 it is right. A share
of the completions loses its grade: *at random*; *the harder*, rlvr's wrong ones and base's right
ones, which is what a grader that favours rlvr does; *the rarer*, rlvr's right ones, which hides
coverage that is there. Three readings of one and the same counts: the worst case, a policy's
`unscored = 0.1`, and as if the unscored were right as often as the others of their problem.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np
from coverage import Ints, base_population
from findings import Counts

from rlvr_gate.claims.views import CheckpointView
from rlvr_gate.judging.ledger import Ledger
from rlvr_gate.records import Tally, Verdict

SAMPLES = 256
PROBLEMS = (100, 500)
SHARES = (0.001, 0.01)
KS = (1, SAMPLES // 2)
LOSSES = ("at random", "the harder", "the rarer")
MARGINS = (0.0, 0.04)


def lose(correct: Ints, role: str, loss: str, share: float,
         rng: np.random.Generator) -> tuple[Ints, Ints]:  # fmt: skip
    """Correct counts of what kept its grade, and how many lost it, both ``(problems,)``.

    As many completions lose it in expectation whatever the law: `share` of all of them, or all
    of a kind where there are fewer of that kind.
    """
    right, wrong = correct, SAMPLES - correct
    if loss == "at random":
        lost = rng.binomial(right, share), rng.binomial(wrong, share)
    else:
        gone = (loss == "the rarer") == (role == "rlvr")
        from_right = right if gone else np.zeros_like(right)
        from_wrong = np.zeros_like(wrong) if gone else wrong
        of = from_right + from_wrong
        chance = min(1.0, share * SAMPLES * correct.size / max(int(of.sum()), 1))
        lost = rng.binomial(from_right, chance), rng.binomial(from_wrong, chance)
    return right - lost[0], lost[0] + lost[1]


def pair(problems: int, loss: str, share: float,
         rng: np.random.Generator) -> Iterator[tuple[str, tuple[Tally, ...]]]:  # fmt: skip
    """Tallies of the two runs."""
    p = rng.choice(base_population("never", np.random.default_rng(1)), problems)
    for role in ("base", "rlvr"):
        correct, lost = lose(rng.binomial(SAMPLES, p), role, loss, share, rng)
        yield (
            role,
            tuple(
                Tally(f"p{i}", SAMPLES, int(c), int(u))
                for i, (c, u) in enumerate(zip(correct, lost, strict=True))
            ),
        )


def verdicts(of: dict[str, tuple[Tally, ...]], k: int, margin: float) -> list[Verdict]:
    """Of the three readings: the worst case, the policy's tenth, as the others."""
    source, ledger = Counts(of), Ledger(guaranteed=True)
    base, rlvr = (CheckpointView(role, source, ledger) for role in ("base", "rlvr"))  # type: ignore[arg-type]
    quantity = rlvr.pass_at(k, "b") - base.pass_at(k, "b")
    readings = (quantity, quantity.supposing(0.1), quantity.supposing(None))
    return [reading.verdict(">", -margin) for reading in readings]


def row(problems: int, loss: str, share: float, replicates: int, seed: int) -> Sequence[str]:
    """Shares of `holds`, for every k and margin."""
    rng = np.random.default_rng(seed)
    runs = [dict(pair(problems, loss, share, rng)) for _ in range(replicates)]
    return [
        ", ".join(
            f"{np.mean([v is Verdict.HOLDS for v in reading]):.3f}"
            for reading in zip(*(verdicts(of, k, margin) for of in runs), strict=True)
        )
        for k, margin in product(KS, MARGINS)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--replicates", type=int, default=200)
    parser.add_argument("--seed", type=int, default=3)
    options = parser.parse_args()
    heads = [f"k = {k}, margin {margin}" for k, margin in product(KS, MARGINS)]
    print(f"| M | without a grade | share | {' | '.join(heads)} |")
    print("|---" * (3 + len(heads)) + "|")
    for problems, loss, share in product(PROBLEMS, LOSSES, SHARES):
        cells = row(problems, loss, share, options.replicates, options.seed)
        print(f"| {problems} | {loss} | {share} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
