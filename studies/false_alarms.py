"""How often claims that select decide anything of a model against itself.

    python studies/false_alarms.py [--runs 2000] [--seed 2] [--only K16]

Both checkpoints are one model: counts are drawn twice from the same success probabilities, and
judged by the numbers that the suites compare. Beside it the same claim as it is often made, on the
draws (or problems, or temperature) that selected what is judged. The table is in
``docs/statistics.md``.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from coverage import Floats, base_population

from rlvr_gate.claims import numbers
from rlvr_gate.claims.views import CheckpointView, EvidenceSource, PairView
from rlvr_gate.judging.ledger import Ledger
from rlvr_gate.records import Ask, Tally, Verdict
from rlvr_gate.stats.intervals import mean_interval, ratio_interval
from rlvr_gate.stats.passk import pass_at_k
from rlvr_gate_fixtures.measurements.samples.matching import ToMatch, search

SHAPES = ("hard", "bimodal", "mid")
PROBLEMS, SAMPLES = 100, 64
TASKS, OF_TASK = 12, 120
GRID = (1.0, 0.6, 1.4)
TOKENS = 10
"""Of a completion of a pilot."""

Outcome = tuple[str, str]
"""What the claim said, and what the same claim says where it is judged on its choice."""
HOLDS, REFUTED, OPEN = (str(v) for v in (Verdict.HOLDS, Verdict.REFUTED, Verdict.UNDECIDED))


@dataclass(frozen=True)
class Counts:
    """Tallies by role and benchmark, and nothing else."""

    of: Mapping[tuple[str, str], tuple[Tally, ...]]

    def tallies(self, role: str, benchmark: str) -> tuple[Tally, ...]:
        return self.of[role, benchmark]

    def even(self, benchmark: str, one: str = "", other: str = "") -> Sequence[Sequence[Tally]]:
        return ()

    def guessing(self, benchmark: str) -> None:
        return None


def pair_over(counts: Mapping[tuple[str, str], Floats], samples: int = SAMPLES) -> PairView:
    """A pair over correct counts, by role and benchmark."""
    tallies = {
        key: tuple(Tally(f"p{i}", samples, int(c)) for i, c in enumerate(correct))
        for key, correct in counts.items()
    }
    source, ledger = cast(EvidenceSource, Counts(tallies)), Ledger()
    return PairView(CheckpointView("base", source, ledger), CheckpointView("rlvr", source, ledger))


def drawn(p: Floats, rng: np.random.Generator) -> PairView:
    """One model as both."""
    return pair_over({(role, "b"): rng.binomial(SAMPLES, p) for role in ("base", "rlvr")})


def problems_of(shape: str, rng: np.random.Generator) -> Floats:
    """Success probabilities of a benchmark's problems."""
    return rng.choice(base_population(shape, rng), PROBLEMS)


def of_signs(low: float, high: float) -> str:
    return HOLDS if low > 0 else REFUTED if high < 0 else OPEN


def hulls(p: Floats, rng: np.random.Generator) -> Outcome:
    """K3: three temperatures that are one, the best of which is taken."""
    asks = {(r, t): Ask(r, temperature=t, samples=SAMPLES).name
            for r in ("base", "rlvr") for t in GRID}  # fmt: skip
    counts = {key: rng.binomial(SAMPLES, p) for key in asks}
    named = {(asks[key], "b"): c for key, c in counts.items()}
    plain = {(role, "b"): counts[role, GRID[0]] for role in ("base", "rlvr")}
    pair = pair_over(plain | named)
    base, rlvr = (numbers.hull(v, GRID, SAMPLES, "b") for v in (pair.base, pair.rlvr))
    best = [max((pass_at_k(SAMPLES, counts[role, t], SAMPLES // 2) for t in GRID), key=np.mean)
            for role in ("base", "rlvr")]  # fmt: skip
    naive = mean_interval(best[0] - pass_at_k(SAMPLES, counts["rlvr", 1.0], SAMPLES // 2))
    return str((base > rlvr).verdict), of_signs(naive.low, naive.high)


def reach(p: Floats, rng: np.random.Generator) -> Outcome:
    """K6: wrong where it contradicts what base, against itself, would reach in the long run."""
    k = SAMPLES // 5
    solved, failed = 1 - (1 - p) ** k, (1 - p) ** k
    whole = failed @ solved
    truth = (failed * (1 - (1 - p) ** (4 * k))) @ solved / whole if whole else 1.0
    pair = drawn(p, rng)
    found = (numbers.within_reach(pair, "b") >= 0.9).verdict
    base, rlvr = (np.array([t.correct for t in v.counts("b")]) for v in (pair.base, pair.rlvr))
    first = rng.hypergeometric(base, SAMPLES - base, k) == 0
    alone = first & (rng.hypergeometric(rlvr, SAMPLES - rlvr, k) > 0)
    chosen = ratio_interval((alone & (base > 0)).astype(float), alone.astype(float))
    naive = HOLDS if chosen.low >= 0.9 else REFUTED if chosen.high < 0.9 else OPEN
    return wrong(str(found), truth >= 0.9), wrong(naive, truth >= 0.9)


def wrong(verdict: str, truth: bool) -> str:
    """The verdict where it is false, else that nothing false was said."""
    return verdict if verdict == (REFUTED if truth else HOLDS) else OPEN


def expansion(p: Floats, rng: np.random.Generator) -> Outcome:
    """K16."""
    pair, q = drawn(p, rng), SAMPLES // 2
    found = (numbers.expansion_beyond_rebound(pair, "b") > 0).verdict
    base, rlvr = (np.array([t.correct for t in v.counts("b")]) for v in (pair.base, pair.rlvr))
    failed = (rng.hypergeometric(base, SAMPLES - base, q) == 0).astype(float)
    naive = ratio_interval(failed * pass_at_k(SAMPLES, rlvr, q), failed)
    return str(found), of_signs(naive.low, naive.high)


def tasks_in_reach(p: Floats, rng: np.random.Generator) -> Outcome:
    """K15: ten tasks, some of them all but out of reach; solved at all is no proof of a rate."""
    rates = 10.0 ** rng.uniform(-5, -1, 10) * (rng.random(10) < 0.8)
    of = np.repeat(rates, PROBLEMS // 10)
    counts = {role: rng.binomial(SAMPLES, of) for role in ("base", "rlvr")}
    tallies = {
        (role, "b"): tuple(
            Tally(f"p{i}", SAMPLES, int(x), stratum=f"t{i // 10}") for i, x in enumerate(c)
        )
        for role, c in counts.items()
    }
    source, ledger = cast(EvidenceSource, Counts(tallies)), Ledger()
    pair = PairView(*(CheckpointView(role, source, ledger) for role in ("base", "rlvr")))
    found = numbers.out_of_reach(pair, "b").verdict
    never, after = (counts[r].reshape(10, -1).sum(1) for r in ("base", "rlvr"))
    naive = HOLDS if ((never == 0) & (after > 0)).any() else OPEN
    return (HOLDS if found is Verdict.HOLDS else OPEN), naive


def law_over_tasks(p: Floats, rng: np.random.Generator) -> Outcome:
    """K17: twelve tasks of one model; start and gain of the same draws fall against each other."""
    names = [f"t{i}" for i in range(TASKS)]
    starts = rng.uniform(0.1, 0.8, TASKS)
    rates = np.clip(rng.normal(starts[:, None], 0.1, (TASKS, OF_TASK)), 0, 1)
    counts = {role: rng.binomial(8, rates) for role in ("base", "rlvr")}
    flat = {(role, name): c[i] for role, c in counts.items() for i, name in enumerate(names)}
    found = numbers.start_against_gain(pair_over(flat, 8), 1, names).verdict
    start, after = (counts[r].mean(1) / 8 for r in ("base", "rlvr"))
    both = np.corrcoef(start, after - start)[0, 1]
    mixed = [np.corrcoef(start, rng.permutation(after - start))[0, 1] for _ in range(200)]
    low, high = np.quantile(mixed, [0.025, 0.975])
    return str(found), HOLDS if both < low else REFUTED if both > high else OPEN


def reliability(p: Floats, rng: np.random.Generator) -> Outcome:
    """K20: false is that rlvr is behind somewhere; each reliability for itself against a band."""
    pair = drawn(p, rng)
    found = (numbers.least_cover_gain(pair, "b", above=0.5) > -0.02).verdict
    half, naive = SAMPLES // 2, OPEN
    for j in range(half // 2, half + 1):
        gap = numbers.cover_at(pair.rlvr, "b", tau=j / half) - numbers.cover_at(
            pair.base, "b", tau=j / half
        )
        if gap.interval(0.95).high < -0.02:
            naive = REFUTED
    return wrong(str(found), True), naive


def overtaking(p: Floats, rng: np.random.Generator) -> Outcome:
    """G1: of equals nobody overtakes within the budget, nor leads at its end."""
    pair = drawn(p, rng)
    found = (numbers.overtaking_budget(pair, SAMPLES, "b") <= SAMPLES).verdict
    base, rlvr = pair.at_every_k(SAMPLES, "b")
    gaps = [(one - other).interval(0.95) for one, other in zip(base, rlvr, strict=True)]
    return str(found), HOLDS if any(gap.low > 0 for gap in gaps) else OPEN


def as_unsure(p: Floats, rng: np.random.Generator) -> Outcome:
    """K13: RLVR is its base with logits 1.6 times as large, so as unsure they are one model.

    Beside it the same at one temperature for both.
    """
    logits = rng.normal(0, 2.5, (PROBLEMS, 40))

    def law(role: str, temperature: float) -> Floats:
        sharp = logits * (1.0 if role == "base" else 1.6) / temperature
        chances = np.exp(sharp - sharp.max(1, keepdims=True))
        return np.asarray(chances / chances.sum(1, keepdims=True))

    def entropy(role: str, temperature: float) -> float:
        chances = law(role, temperature)
        ends, at = chances.cumsum(1), rng.random((PROBLEMS, 4 * TOKENS))
        drawn = (at[..., None] > ends[:, None, :-1]).sum(-1)
        return float(-np.log(np.take_along_axis(chances, drawn, 1)).mean())

    found = search(ToMatch("rlvr", "base", SAMPLES, "b"), 1.0, entropy)
    if found.temperature is None:
        return OPEN, OPEN
    said = []
    for temperature in (found.temperature, 1.0):
        both = (("base", 1.0), ("rlvr", temperature))
        counts = {(r, "b"): rng.binomial(SAMPLES, law(r, t)[:, 0]) for r, t in both}
        pair, k = pair_over(counts), SAMPLES // 2
        said.append(str((pair.rlvr.pass_at(k, "b") < pair.base.pass_at(k, "b")).verdict))
    return said[0], said[1]


CLAIMS: Mapping[str, tuple[Callable[[Floats, np.random.Generator], Outcome], float, bool]] = {
    "K3": (hulls, 1, True),
    "K6": (reach, 1, True),
    "K13": (as_unsure, 1, False),
    "K15": (tasks_in_reach, 1, False),
    "K16": (expansion, 1, True),
    "K17": (law_over_tasks, 0.5, False),
    "K20": (reliability, 0.25, True),
    "G1": (overtaking, 0.2, True),
}
"""How each is simulated, the share of the runs it gets, and whether the problems' shape tells."""


def row(claim: str, shape: str, runs: int, seed: int) -> str:
    """One line of the table."""
    judge, share, _ = CLAIMS[claim]
    rng, runs = np.random.default_rng([seed, *map(ord, claim + shape)]), int(runs * share)
    found = [judge(problems_of(shape, rng), rng) for _ in range(runs)]
    ours, theirs = (
        [sum(word == said for word in each) / runs for said in (HOLDS, REFUTED)]
        for each in zip(*found, strict=True)
    )
    return (f"| {claim} | {shape} | {runs} | {ours[0]:.4f} | {ours[1]:.4f} "
            f"| {theirs[0]:.3f}, {theirs[1]:.3f} |")  # fmt: skip


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--only", choices=list(CLAIMS))
    args = parser.parse_args()
    started = time.process_time()
    print("| claim | problems | runs | falsely holds | falsely refuted | on the choice: holds, "
          "refuted |\n|---|---|---|---|---|---|")  # fmt: skip
    for claim, (_, _, shaped) in CLAIMS.items():
        for shape in SHAPES if shaped else SHAPES[:1]:
            if args.only in (None, claim):
                print(row(claim, shape, args.runs, args.seed), flush=True)
    print(f"\n{time.process_time() - started:.0f} s of one core", file=sys.stderr)


if __name__ == "__main__":
    main()
