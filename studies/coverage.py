"""How honest the intervals are: a seeded simulation study, printed as Markdown tables.

    python studies/coverage.py [--replicates 2000] [--seed 2]

Benchmarks of M problems are drawn from populations of (base, rlvr) success probabilities,
counts are drawn from those, and the interval of `rlvr_gate.stats` is asked whether it holds
the population's true value. Its words and its last table are in ``docs/statistics.md``.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rlvr_gate.records import Verdict
from rlvr_gate.stats.adaptive import Rounds, adaptive_pass_at_k
from rlvr_gate.stats.bands import simultaneous_band
from rlvr_gate.stats.guaranteed import below_zero, guaranteed_interval, guaranteed_p_value
from rlvr_gate.stats.intervals import (
    effective_units,
    mean_ends,
    mean_interval,
    unit_shares,
)
from rlvr_gate.stats.looks import look_levels, look_sizes
from rlvr_gate.stats.null import against_same_model
from rlvr_gate.stats.passk import pass_at_k
from rlvr_gate.stats.within import within_variance

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PROBLEMS = (30, 100, 500)
SAMPLES = (32, 128, 256)
POPULATION = 20_000
LEVEL = 0.95
SHAPES = ("hard", "never", "nearly never", "easy", "bimodal", "mid")
CHANGES = ("same", "shift", "noisy", "sharpen", "rare loss")
UNBOUNDED: tuple[tuple[str, float, Callable[[np.random.Generator, tuple[int, int]], Floats]], ...]
UNBOUNDED = (
    ("gamma, shape 4", 4.0, lambda rng, size: rng.gamma(4, 1, size)),
    ("lognormal, sigma 0.5", np.exp(0.125), lambda rng, size: rng.lognormal(0, 0.5, size)),
    ("lognormal, sigma 1", np.exp(0.5), lambda rng, size: rng.lognormal(0, 1, size)),
    ("difference of lognormals, sigma 0.5", 0.0,
     lambda rng, size: rng.lognormal(0, 0.5, size) - rng.lognormal(0, 0.5, size)),
    ("gamma, and 3 % of problems 15 means away", 1.45,
     lambda rng, size: rng.gamma(4, 0.25, size) + 15 * (rng.random(size) < 0.03)),
)  # fmt: skip
"""(name, true mean, draw): laws of one number a problem."""
ROUNDS = Rounds((16, 32, 64, 128, 256), 4)
FIRST = 0.96
"""Level of the first judgement of a gate claim, at .95 in the policy."""
MARGIN, COVER = 0.02, 128
"""C1's margin, and its k at 256 samples."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One interval under one scenario: how often each end was on the wrong side."""

    shape: str
    change: str
    problems: int
    samples: int
    k: int
    too_high: float
    """Share of replicates whose low end lies above the truth."""
    too_low: float
    """Share whose high end lies below it."""
    width: float
    student_width: float
    student_coverage: float

    @property
    def coverage(self) -> float:
        return 1 - self.too_high - self.too_low


def base_population(shape: str, rng: np.random.Generator) -> Floats:
    """Success probabilities of base over the population of problems."""
    if shape == "hard":
        return rng.beta(0.25, 1.5, POPULATION)
    if shape == "never":
        return np.where(rng.random(POPULATION) < 0.7, 0.0, rng.beta(0.5, 1.5, POPULATION))
    if shape == "nearly never":
        return np.where(rng.random(POPULATION) < 0.9, 0.0, rng.beta(0.5, 1.5, POPULATION))
    if shape == "easy":
        return np.where(rng.random(POPULATION) < 0.3, 1.0, rng.beta(4.0, 0.4, POPULATION))
    if shape == "bimodal":
        return rng.beta(0.15, 0.15, POPULATION)
    return rng.beta(2.0, 2.0, POPULATION)


def rlvr_population(base: Floats, change: str, rng: np.random.Generator) -> Floats:
    """Success probabilities of rlvr: base's, moved on the logit scale, some of them lost."""
    move, spread = {
        "same": (0.0, 0.0),
        "shift": (0.7, 0.5),
        "noisy": (0.5, 1.5),
        "sharpen": (1.5, 0.5),
        "rare loss": (0.3, 0.2),
    }[change]
    inner = np.clip(base, 1e-12, 1 - 1e-12)
    logit = np.log(inner / (1 - inner)) + move + spread * rng.standard_normal(base.size)
    moved = np.where((base > 0) & (base < 1), 1 / (1 + np.exp(-logit)), base)
    chance = rng.random(base.size)
    if change == "sharpen":  # a quarter of the harder problems is lost
        return np.where((chance < 0.25) & (base < 0.3), 0.0, moved)
    if change == "rare loss":  # one problem in twenty is lost, whatever it was
        return np.where(chance < 0.05, 0.0, moved)
    return base if change == "same" else moved


def populations(seed: int) -> Iterator[tuple[str, str, Floats, Floats]]:
    rng = np.random.default_rng(seed)
    for shape in SHAPES:
        base = base_population(shape, rng)
        for change in CHANGES:
            yield shape, change, base, rlvr_population(base, change, rng)


def draw(
    base: Floats, rlvr: Floats, problems: int, samples: int, replicates: int,
    rng: np.random.Generator,
) -> tuple[Ints, Ints]:  # fmt: skip
    """Correct counts of both checkpoints on drawn problems, ``(problems, replicates)``."""
    drawn = rng.integers(0, base.size, (problems, replicates))
    return rng.binomial(samples, base[drawn]), rng.binomial(samples, rlvr[drawn])


def difference_cells(replicates: int, seed: int, only: Callable[[str, str], bool] | None = None,
                     problems: tuple[int, ...] = PROBLEMS) -> list[Cell]:  # fmt: skip
    """The paired difference of pass@k over the whole grid."""
    rng, cells = np.random.default_rng(seed + 1), []
    for shape, change, base, rlvr in populations(seed):
        if only and not only(shape, change):
            continue
        for n in SAMPLES:
            b, r = draw(base, rlvr, max(problems), n, replicates, rng)
            for k in (1, 8, n // 2, n):
                truth = float(np.mean((1 - base) ** k - (1 - rlvr) ** k))
                d = pass_at_k(n, r, k) - pass_at_k(n, b, k)
                cells += [_cell(shape, change, n, k, d[:m], truth) for m in problems]
    return cells


def _cell(shape: str, change: str, n: int, k: int, d: Floats, truth: float) -> Cell:
    low, high = mean_ends(d, level=LEVEL)
    mean, m = d.mean(axis=0), len(d)
    half = student_half_width(d)
    return Cell(
        shape, change, m, n, k,
        too_high=float(np.mean(low > truth + 1e-12)),
        too_low=float(np.mean(high < truth - 1e-12)),
        width=float(np.mean(high - low)),
        student_width=float(np.mean(2 * half)),
        student_coverage=float(np.mean(np.abs(mean - truth) <= half + 1e-12)),
    )  # fmt: skip


def print_summary(cells: list[Cell]) -> None:
    print("| M | cells | lowest coverage | < 93 % | 93-97 % | > 97 % | worst low tail |"
          " worst high tail | width / Student's | Student's t < 93 % |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|---|---|")
    for m in PROBLEMS:
        rows = [c for c in cells if c.problems == m]
        cover = np.array([c.coverage for c in rows])
        ratio = np.median([c.width / c.student_width for c in rows if c.student_width > 0])
        student = np.mean([c.student_coverage < 0.93 for c in rows])
        print(f"| {m} | {len(rows)} | {cover.min():.3f} | {np.mean(cover < 0.93):.0%} "
              f"| {np.mean((cover >= 0.93) & (cover <= 0.97)):.0%} | {np.mean(cover > 0.97):.0%} "
              f"| {max(c.too_high for c in rows):.3f} | {max(c.too_low for c in rows):.3f} "
              f"| {ratio:.2f} | {student:.0%} |")  # fmt: skip


def print_grid(cells: list[Cell]) -> None:
    """Lowest and highest coverage over n and k, a row per scenario."""
    print("| shape | change | " + " | ".join(f"M = {m}" for m in PROBLEMS) + " |")
    print("|---|---|" + "---|" * len(PROBLEMS))
    for shape in SHAPES:
        for change in CHANGES:
            row = []
            for m in PROBLEMS:
                cover = [c.coverage for c in cells
                         if (c.shape, c.change, c.problems) == (shape, change, m)]  # fmt: skip
                row.append(f"{min(cover):.3f}-{max(cover):.3f}")
            print(f"| {shape} | {change} | " + " | ".join(row) + " |")


def print_by_k(cells: list[Cell]) -> None:
    """Where the interval errs wide: share of cells above 97 %, by M and k."""
    names: list[tuple[str, Callable[[Cell], bool]]] = [
        ("k = 1", lambda c: c.k == 1), ("k = 8", lambda c: c.k == 8),
        ("k = n/2", lambda c: c.k == c.samples // 2), ("k = n", lambda c: c.k == c.samples),
    ]  # fmt: skip
    print("| M | " + " | ".join(name for name, _ in names) + " |\n|---|---|---|---|---|")
    for m in PROBLEMS:
        wide = [np.mean([c.coverage > 0.97 for c in cells if c.problems == m and at(c)])
                for _, at in names]  # fmt: skip
        print(f"| {m} | " + " | ".join(f"{w:.0%}" for w in wide) + " |")


def print_worst(cells: list[Cell], count: int = 8) -> None:
    print("| M | n | k | shape | change | coverage | low end above | high end below |")
    print("|---|---|---|---|---|---|---|---|")
    for c in sorted(cells, key=lambda c: c.coverage)[:count]:
        print(f"| {c.problems} | {c.samples} | {c.k} | {c.shape} | {c.change} "
              f"| {c.coverage:.3f} | {c.too_high:.3f} | {c.too_low:.3f} |")  # fmt: skip


def print_other_targets(replicates: int, seed: int) -> None:
    """One curve (population), and the difference with the problems fixed (benchmark)."""
    rng = np.random.default_rng(seed + 2)
    print("| M | one curve: lowest coverage, > 97 % | problems fixed: lowest coverage, > 97 % |")
    print("|---|---|---|")
    for m in PROBLEMS:
        one, fixed = [], []
        for _, change, base, rlvr in populations(seed):
            if change not in ("same", "sharpen"):
                continue
            n = 128
            b, _ = draw(base, rlvr, m, n, replicates, rng)
            these = rng.integers(0, base.size, m)
            fb = rng.binomial(n, base[these][:, None], (m, replicates))
            fr = rng.binomial(n, rlvr[these][:, None], (m, replicates))
            for k in (1, 8, 64, 128):
                low, high = mean_ends(pass_at_k(n, b, k), level=LEVEL, low=0.0)
                truth = float(np.mean(1 - (1 - base) ** k))
                one.append(float(np.mean((low <= truth) & (truth <= high))))
                d = pass_at_k(n, fr, k) - pass_at_k(n, fb, k)
                v = (within_variance(n, fb, k) + within_variance(n, fr, k)).sum(axis=0)
                truth = float(np.mean((1 - base[these]) ** k - (1 - rlvr[these]) ** k))
                half = 1.959964 * np.sqrt(v) / m
                fixed.append(float(np.mean(np.abs(d.mean(axis=0) - truth) <= half + 1e-12)))
        print(f"| {m} | {min(one):.3f}, {np.mean(np.array(one) > 0.97):.0%} "
              f"| {min(fixed):.3f}, {np.mean(np.array(fixed) > 0.97):.0%} |")  # fmt: skip


States = tuple[Ints, Ints]


def adaptive_rounds(p: Floats, rng: np.random.Generator) -> list[States]:
    """Samples and correct counts of every problem after each of `ROUNDS`."""
    n, c = np.zeros(p.shape, dtype=np.int64), np.zeros(p.shape, dtype=np.int64)
    states = []
    for size in ROUNDS.sizes:
        more = np.where(ROUNDS.goes_on(n, c), size - n, 0)
        n, c = n + more, c + rng.binomial(more, p)
        states.append((n, c))
    return states


def verdicts(d: Floats, threshold: float, level: float = FIRST) -> list[Verdict]:
    """One verdict per column of per-problem differences, by the gate claims' bound."""
    return [_verdict(x, threshold, (1 - level) / 2) for x in d.T]


def _verdict(d: Floats, threshold: float, tail: float) -> Verdict:
    """Of `the mean exceeds the threshold`."""
    above = d.mean() > threshold
    d, threshold = (d, threshold) if above else (-d, -threshold)
    if guaranteed_p_value(d, threshold, low=-1) > tail:
        return Verdict.UNDECIDED
    return Verdict.HOLDS if above else Verdict.REFUTED


def at_looks(rises: Floats, kept: Floats) -> tuple[tuple[list[Verdict], list[Verdict]], Floats]:
    """Verdicts of both claims at the first look that decides each, and the problems asked.

    Looks at a quarter, half and all problems, each at its own level; a gate that has decided
    both claims asks no further.
    """
    sizes = look_sizes(len(rises))
    levels = look_levels(FIRST, sizes, guaranteed=True)
    pairs, asked = [], []
    for one, two in zip(rises.T, kept.T, strict=True):
        found = [Verdict.UNDECIDED, Verdict.UNDECIDED]
        for size, level in zip(sizes, levels, strict=True):
            for i, (d, bar) in enumerate(((one, 0.0), (two, -MARGIN))):
                if found[i] is Verdict.UNDECIDED:
                    found[i] = _verdict(d[:size], bar, (1 - level) / 2)
            if Verdict.UNDECIDED not in found:
                break
        pairs.append(found)
        asked.append(float(size))
    return ([one for one, _ in pairs], [two for _, two in pairs]), np.array(asked)


def gate_rows(base: Floats, rlvr: Floats, rng: np.random.Generator) -> dict[str, list[float]]:
    """Gates on these problems: shares of verdicts, and samples saved.

    For fixed n = 256, adaptive samples of all problems, and adaptive samples with looks:
    pass@1 rises: holds, refuted; coverage (pass@128) is kept within 2 points: refuted, holds;
    either refuted; samples saved.
    """
    b, r = (rng.binomial(256, p) for p in (base, rlvr))
    rises, kept = (pass_at_k(256, r, k) - pass_at_k(256, b, k) for k in (1, COVER))
    gates = {"fixed": (verdicts(rises, 0.0), verdicts(kept, -MARGIN))}
    runs = [adaptive_rounds(p, rng)[-1] for p in (base, rlvr)]
    rises, kept = (
        np.subtract(*(adaptive_pass_at_k(*run, k, ROUNDS) for run in reversed(runs)))
        for k in (1, COVER)
    )
    gates["adaptive"] = (verdicts(rises, 0.0), verdicts(kept, -MARGIN))
    gates["looks"], asked = at_looks(rises, kept)
    drawn = sum(run[0] for run in runs).cumsum(axis=0)
    drawn_at = drawn[asked.astype(int) - 1, np.arange(base.shape[1])]
    rows = {}
    for name, (one, two) in gates.items():
        shares = [v.count(w) / len(v) for v, w in (
            (one, Verdict.HOLDS), (one, Verdict.REFUTED), (two, Verdict.REFUTED),
            (two, Verdict.HOLDS))]  # fmt: skip
        either = float(np.mean([Verdict.REFUTED in v for v in zip(one, two, strict=True)]))
        used = {"fixed": 2 * 256 * base.size, "adaptive": drawn[-1].sum(), "looks": drawn_at.sum()}
        rows[name] = [*shares, either, 2 * 256 * base.size / float(used[name])]
    return rows


def print_gates(gates: int, seed: int) -> None:
    print("| M | sampling | pass@1 rises: holds | refuted | coverage kept: refuted | "
          "either refuted | coverage kept: holds | samples saved |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|")
    rng = np.random.default_rng(seed + 3)
    bases = [base for _, change, base, _ in populations(seed) if change == "same"]
    for m in PROBLEMS:
        drawn = [base[rng.integers(0, base.size, (m, gates))] for base in bases]
        found = [gate_rows(p, p, rng) for p in drawn]
        for name in found[0]:
            x = np.array([rows[name] for rows in found])  # (shapes, columns)
            print(f"| {m} | {name} | " + " | ".join(f"{x[:, i].max():.4f}" for i in (0, 1, 2, 4))
                  + f" | {x[:, 3].min():.2f}-{x[:, 3].max():.2f} "
                  f"| {x[:, 5].min():.1f}x-{x[:, 5].max():.1f}x |")  # fmt: skip


def print_power(gates: int, seed: int) -> None:
    """The same gates where rlvr differs: how often each sees it."""
    print("| shape | change | M | sampling | pass@1 rises: holds | refuted | "
          "coverage kept: holds | refuted | samples saved |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|---|")
    rng = np.random.default_rng(seed + 7)
    for shape, change, base, rlvr in populations(seed):
        if shape not in ("hard", "mid", "bimodal") or change not in ("shift", "sharpen"):
            continue
        for m in (100, 500):
            at = rng.integers(0, base.size, (m, gates))
            for name, x in gate_rows(base[at], rlvr[at], rng).items():
                print(f"| {shape} | {change} | {m} | {name} | {x[0]:.2f} | {x[1]:.2f} "
                      f"| {x[3]:.2f} | {x[2]:.2f} | {x[5]:.1f}x |")  # fmt: skip


def print_bands(replicates: int, seed: int) -> None:
    """Simultaneous coverage of the difference's band over the ladder 1, 2, 4 ... 128."""
    rng, ks = np.random.default_rng(seed + 4), [2**i for i in range(8)]
    print("| shape | change | M = 100 | M = 500 |\n|---|---|---|---|")
    for shape, change, base, rlvr in populations(seed):
        if change not in ("same", "sharpen") or shape == "nearly never":
            continue
        truth = np.array([np.mean((1 - base) ** k - (1 - rlvr) ** k) for k in ks])
        row = []
        for m in (100, 500):
            b, r = draw(base, rlvr, m, 128, replicates, rng)
            d = np.stack([pass_at_k(128, r, k) - pass_at_k(128, b, k) for k in ks], axis=2)
            bands = [simultaneous_band(d[:, i], ks, draws=1000, seed=i) for i in range(replicates)]
            row.append(np.mean([np.all((band.low <= truth + 1e-12) & (truth - 1e-12 <= band.high))
                                for band in bands]))  # fmt: skip
        print(f"| {shape} | {change} | {row[0]:.3f} | {row[1]:.3f} |")


def print_strata(replicates: int, seed: int) -> None:
    """The difference over three strata, each drawn in proportion: coverage and width."""
    rng = np.random.default_rng(seed + 5)
    of = {shape: [(c, b, r) for s, c, b, r in populations(seed) if s == shape] for shape in SHAPES}
    print("| strata (50, 30, 20 %) | change | k | M | coverage | width / unstratified |")
    print("|---|---|---|---|---|---|")
    for shapes in (("hard", "mid", "easy"), ("never", "bimodal", "mid")):
        for i, change in enumerate(CHANGES):
            if change not in ("same", "sharpen"):
                continue
            parts = [of[shape][i][1:] for shape in shapes]
            for m in (60, 200):
                sizes = [m * share // 10 for share in (5, 3, 2)]
                labels = np.repeat(shapes, sizes)
                drawn = [draw(b, r, size, 128, replicates, rng)
                         for (b, r), size in zip(parts, sizes, strict=True)]  # fmt: skip
                for k in (1, 64):
                    d = np.concatenate([pass_at_k(128, r, k) - pass_at_k(128, b, k)
                                        for b, r in drawn])  # fmt: skip
                    each = [float(np.mean((1 - b) ** k - (1 - r) ** k)) for b, r in parts]
                    truth = float(np.dot(each, (0.5, 0.3, 0.2)))
                    found = [mean_interval(x, level=LEVEL, strata=labels) for x in d.T]
                    plain = [mean_interval(x, level=LEVEL) for x in d.T]
                    hit = np.mean([f.low <= truth <= f.high for f in found])
                    width, whole = (np.mean([f.high - f.low for f in fs]) for fs in (found, plain))
                    print(f"| {', '.join(shapes)} | {change} | {k} | {m} | {hit:.3f} "
                          f"| {width / whole:.2f} |")  # fmt: skip


def print_ratios(replicates: int, seed: int) -> None:
    """Retention and discovery beyond noise, n = 128, so 64 samples a side."""
    rng = np.random.default_rng(seed + 6)
    print("| shape | change | M | retention beyond noise: truth, coverage | "
          "discovery beyond noise: truth, coverage |\n|---|---|---|---|---|")  # fmt: skip
    for shape, change, base, rlvr in populations(seed):
        if change not in ("same", "sharpen", "rare loss"):
            continue
        qb, qr = 1 - (1 - base) ** 64, 1 - (1 - rlvr) ** 64
        kept = float((qb * qr).mean() / (qb * qb).mean())
        new = 1 - float((qb * qr + qb - qb * qb).mean() / qr.mean())
        for m in (100, 500):
            b, r = draw(base, rlvr, m, 128, replicates, rng)
            found = [against_same_model([128] * m, b[:, i], [128] * m, r[:, i], level=LEVEL)
                     for i in range(replicates)]  # fmt: skip
            one = np.mean([f.retention_interval.low <= kept <= f.retention_interval.high
                           for f in found])  # fmt: skip
            two = np.mean([f.discovery_interval.low <= new <= f.discovery_interval.high
                           for f in found])  # fmt: skip
            print(f"| {shape} | {change} | {m} | {kept:.3f}, {one:.3f} | {new:+.3f}, {two:.3f} |")


def print_differences(replicates: int, seed: int) -> None:
    cells = difference_cells(replicates, seed)
    for show in (print_summary, print_by_k, print_worst, print_grid):
        show(cells)
        print()


def student_half_width(values: Floats) -> Floats:
    """Of Student's t for the mean of each column."""
    from scipy.special import stdtrit

    m = len(values)
    quantile = -float(stdtrit(m - 1, (1 - LEVEL) / 2))
    return np.asarray(quantile * values.std(axis=0, ddof=1) / np.sqrt(m))


def print_unbounded(replicates: int, seed: int) -> None:
    """Means that nothing bounds, such as nats: each column is a benchmark."""
    print("| each problem's number | M | coverage | errs high, low | Student's t | over it |\n"
          "|---|---|---|---|---|---|")  # fmt: skip
    for name, mean, draw in UNBOUNDED:
        for m in PROBLEMS:
            x = draw(np.random.default_rng([seed, m]), (m, replicates))
            low, high = mean_ends(x, level=LEVEL, low=-np.inf, high=np.inf)
            half = student_half_width(x)
            known = np.mean(np.abs(x.mean(axis=0) - mean) <= half)
            above, below = np.mean(low > mean), np.mean(high < mean)
            print(f"| {name} | {m} | {1 - above - below:.3f} | {above:.3f}, {below:.3f} "
                  f"| {known:.3f} | {np.mean((high - low) / (2 * half)):.2f} |")  # fmt: skip


CLUSTERS = {
    "5 of 40, 100 of 1": (40,) * 5 + (1,) * 100,
    "4 of 10, 60 of 1": (10,) * 4 + (1,) * 60,
    "10 of 8, 120 of 1": (8,) * 10 + (1,) * 120,
    "3 of 20, 30 of 3": (20,) * 3 + (3,) * 30,
    "6 of 25": (25,) * 6,
}


def print_clusters(replicates: int, seed: int) -> None:
    """Clusters whose problems share their chances of success: lowest coverage, n = 32."""
    print("| clusters | effective | findings': lowest, worst end | at a look's level "
          "| gate claims': lowest, worst end |\n|---|---|---|---|---|")  # fmt: skip
    for name, sizes in CLUSTERS.items():
        labels = np.repeat(np.arange(len(sizes)), sizes)
        rows = [
            _clustered(labels, base, rlvr, k, replicates, np.random.default_rng([seed, i, k]))
            for i, (shape, change, base, rlvr) in enumerate(populations(seed))
            if shape in ("hard", "never", "bimodal") and change in ("same", "sharpen", "rare loss")
            for k in (1, 32)
        ]
        sharp, early, sure = np.array(rows).transpose(1, 0, 2)  # (cells, ends)
        print(f"| {name} | {effective_units(unit_shares(len(labels), labels)):.0f} "
              f"| {1 - sharp.sum(axis=1).max():.3f}, {sharp.max():.3f} "
              f"| {1 - early.sum(axis=1).max():.3f} "
              f"| {1 - sure.sum(axis=1).max():.3f}, {sure.max():.3f} |", flush=True)  # fmt: skip


def _clustered(
    labels: Ints, base: Floats, rlvr: Floats, k: int, replicates: int, rng: np.random.Generator
) -> list[list[float]]:
    """How often each end errs: findings', findings' at level .9945, gate claims' bound."""
    truth = float(np.mean((1 - base) ** k - (1 - rlvr) ** k))
    errors: list[list[tuple[bool, bool]]] = [[], [], []]
    for _ in range(replicates):
        at = rng.integers(0, base.size, labels[-1] + 1)[labels]
        b, r = (pass_at_k(32, rng.binomial(32, p[at]), k) for p in (base, rlvr))
        d, tail = r - b, (1 - LEVEL) / 2
        found = [mean_interval(d, level=level, clusters=labels) for level in (LEVEL, 0.9945)]
        for each, i in zip(errors, found, strict=False):
            each.append((i.low > truth + 1e-12, i.high < truth - 1e-12))
        above = guaranteed_p_value(d, truth, low=-1, clusters=labels)
        below = guaranteed_p_value(-d, -truth, low=-1, clusters=labels)
        errors[2].append((above < tail, below < tail))
    return [np.mean(each, axis=0).tolist() for each in errors]


SUITE = {"AIME24": (30, "hard"), "AMC23": (40, "mid"), "MATH500": (500, "bimodal"),
         "Minerva": (272, "hard"), "Olympiad": (675, "never")}  # fmt: skip


def print_suite(replicates: int, seed: int) -> None:
    """Five benchmarks, n = 64: K1 on each, all of them, and one claim about their mean."""
    print("| rlvr | " + " | ".join(f"{name} ({m})" for name, (m, _) in SUITE.items())
          + " | all five | mean of five | all problems |\n|---" + "|---" * 8 + "|")  # fmt: skip
    rng, of = np.random.default_rng(seed + 9), {(s, c): (b, r) for s, c, b, r in populations(seed)}
    for change in ("shift", "half of it", "a quarter", "same", "gains and rare losses"):
        pairs = [_suite_pair(*of[shape, "shift"], change) for _, shape in SUITE.values()]
        held = [_suite_holds(pairs, rng) for _ in range(replicates)]
        gains = [float(np.mean(r - b)) for b, r in pairs]
        each = [
            f"{np.mean([h[i] for h in held]):.3f} ({gain:+.3f})" for i, gain in enumerate(gains)
        ]
        more = [f"{np.mean([h[i] for h in held]):.3f}" for i in (5, 6, 7)]
        print(f"| {change} | " + " | ".join([*each, *more]) + " |", flush=True)


def _suite_pair(base: Floats, shifted: Floats, change: str) -> tuple[Floats, Floats]:
    """Chances of both; rare losses are so many that they take all that the others gain."""
    if change == "same":
        return base, base
    if change in ("half of it", "a quarter"):
        return base, base + (shifted - base) / (2 if change == "half of it" else 4)
    if change == "gains and rare losses":
        order = np.random.default_rng(0).permutation(base.size)
        left = np.cumsum(shifted[order][::-1])[::-1]  # were those before it all lost
        gone = int(np.argmax(left <= base.sum()))
        return base, np.where(np.isin(np.arange(base.size), order[:gone]), 0.0, shifted)
    return base, shifted


def _suite_holds(pairs: list[tuple[Floats, Floats]], rng: np.random.Generator) -> list[bool]:
    """K1 on each benchmark, on all, on their mean, on all problems together."""
    found = []
    for (m, _), (base, rlvr) in zip(SUITE.values(), pairs, strict=True):
        at = rng.integers(0, base.size, m)
        found.append((rng.binomial(64, rlvr[at]) - rng.binomial(64, base[at])) / 64)
    tail, whole = (1 - LEVEL) / 2, np.concatenate(found)
    each = [guaranteed_p_value(d, 0.0, low=-1) <= tail for d in found]
    shares = np.concatenate([np.full(len(d), 1 / len(d) / len(found)) for d in found])
    mean = guaranteed_p_value(whole, 0.0, low=-1, shares=shares) <= tail
    return [*each, all(each), mean, guaranteed_p_value(whole, 0.0, low=-1) <= tail]


def print_price(replicates: int, seed: int) -> None:
    """How often a gate claim holds: by the findings' interval, by its own bound; n = 128."""
    print("| shape | change | M | pass@1 rises: findings', gate's "
          "| pass@64 within 5 points: findings', gate's |\n|---|---|---|---|---|")  # fmt: skip
    rng, tail = np.random.default_rng(seed + 10), (1 - LEVEL) / 2
    for shape, change, base, rlvr in populations(seed):
        if shape not in ("hard", "mid", "bimodal") or change not in ("same", "shift", "sharpen"):
            continue
        for m in PROBLEMS:
            b, r = draw(base, rlvr, m, 128, replicates, rng)
            row = []
            for k, bar in ((1, 0.0), (64, -0.05)):
                d = pass_at_k(128, r, k) - pass_at_k(128, b, k)
                sharp = float(np.mean(mean_ends(d, level=LEVEL)[0] > bar))
                sure = np.mean([guaranteed_p_value(x, bar, low=-1) <= tail for x in d.T])
                row.append(f"{sharp:.2f}, {sure:.2f}")
            print(f"| {shape} | {change} | {m} | " + " | ".join(row) + " |", flush=True)


TOPS = (0.02, 0.05, 0.1, 0.3, 1.0)
MIDDLES = (-0.5, 0.0, 0.3, 0.6)


def laws(problems: int) -> Iterator[tuple[Floats, Ints, Floats]]:
    """Laws on three values in [-1, 1] with mean zero: most gain a little, a rare kind loses all.

    Returns:
        The values, the counts a benchmark can hold of each ``(outcomes, 3)``, and the laws
        ``(laws, 3)``. At 500 problems the rare kind is at most 6 %, and outcomes with more than
        70 of it, whose chance is below 1e-9, are left out.
    """
    rare = np.geomspace(1e-4, 0.6 if problems < 500 else 0.06, 120)
    first, second = np.indices((min(problems, 70 if problems >= 500 else problems) + 1,
                                problems + 1)).reshape(2, -1)  # fmt: skip
    counts = np.stack([first, second, problems - first - second], axis=1)
    counts = counts[counts[:, 2] >= 0]
    for top in TOPS:
        for middle in (share * top for share in MIDDLES):
            often = (rare - middle * (1 - rare)) / (top - middle)
            law = np.stack([rare, 1 - rare - often, often], axis=1)
            yield np.array([-1.0, middle, top]), counts, law[law.min(axis=1) >= 0]


def worst_false_release(
    problems: int, opens: Callable[[Floats, Ints], NDArray[np.bool_]]
) -> float:
    """The largest chance that a mean of zero is called positive, over all of `laws`: exact."""
    from scipy.special import gammaln, xlogy

    worst = 0.0
    for values, counts, law in laws(problems):
        opened = counts[opens(values, counts)]
        ways = gammaln(problems + 1) - gammaln(opened + 1).sum(axis=1)
        for each in law:
            worst = max(worst, float(np.exp(ways + xlogy(opened, each).sum(axis=1)).sum()))
    return worst


def sharp_opens(values: Floats, counts: Ints) -> NDArray[np.bool_]:
    """Whether the interval of findings lies above zero, for every outcome."""
    found = []
    for part in np.array_split(counts, max(1, len(counts) // 2000)):
        x = np.stack([np.repeat(values, row) for row in part], axis=1)
        found.append(mean_ends(x, level=LEVEL)[0] > 0)
    return np.concatenate(found)


def guaranteed_opens(values: Floats, counts: Ints) -> NDArray[np.bool_]:
    """Whether a gate claim's interval lies above zero, for every outcome."""
    parts = np.array_split(counts + np.array([1, 0, 0]), max(1, len(counts) // 2000))
    tail = (1 - LEVEL) / 2
    return np.concatenate([below_zero(values, part) <= tail for part in parts])


def print_worst_case(_: int, seed: int) -> None:
    """False release at a true change of zero, exactly; and what the promise costs in width."""
    print("| M | findings' interval: worst | gate claims' bound: worst | its width / findings' |"
          "\n|---|---|---|---|")  # fmt: skip
    rng, drawn = np.random.default_rng(seed + 8), list(populations(seed))
    for m in PROBLEMS:
        ratios = []
        for _, _, base, rlvr in drawn:
            b, r = draw(base, rlvr, m, 128, 4, rng)
            for k in (1, 8, 64, 128):
                d = pass_at_k(128, r, k) - pass_at_k(128, b, k)
                sharp = np.subtract(*reversed(mean_ends(d, level=LEVEL)))
                sure = [guaranteed_interval(x, level=LEVEL, low=-1, high=1) for x in d.T]
                ratios += [(i.high - i.low) / w for i, w in zip(sure, sharp, strict=True)]
        low, middle, high = np.quantile(ratios, (0.1, 0.5, 0.9))
        print(f"| {m} | {worst_false_release(m, sharp_opens):.4f} "
              f"| {worst_false_release(m, guaranteed_opens):.4f} "
              f"| {middle:.2f} ({low:.2f}-{high:.2f}) |", flush=True)  # fmt: skip


def print_speed(_: int, seed: int) -> None:
    x = np.random.default_rng(seed).uniform(-1, 1, 1000)
    before = time.process_time()
    for _ in range(100):
        mean_interval(x)
    each = (time.process_time() - before) / 100
    print(f"mean_interval of 1000 values: {each * 1e3:.2f} ms")


SECTIONS: dict[str, Callable[[int, int], None]] = {
    "difference": print_differences,
    "targets": print_other_targets,
    "gates": lambda replicates, seed: print_gates(min(2000, replicates), seed),
    "power": lambda replicates, seed: print_power(min(200, replicates), seed),
    "strata": lambda replicates, seed: print_strata(min(1000, replicates), seed),
    "ratios": lambda replicates, seed: print_ratios(min(500, replicates), seed),
    "bands": lambda replicates, seed: print_bands(min(300, replicates), seed),
    "unbounded": print_unbounded,
    "clusters": lambda replicates, seed: print_clusters(min(200, replicates), seed),
    "suite": lambda replicates, seed: print_suite(min(500, replicates), seed),
    "price": lambda replicates, seed: print_price(min(300, replicates), seed),
    "worst case": print_worst_case,
    "speed": print_speed,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--only", choices=sorted(SECTIONS), help="One section of the study")
    args = parser.parse_args()
    started = time.process_time()
    for name, show in SECTIONS.items():
        if args.only in (None, name):
            print(f"## {name}, {args.replicates} replicates, seed {args.seed}\n")
            show(args.replicates, args.seed)
            print()
    print(f"{time.process_time() - started:.0f} s of one core")


if __name__ == "__main__":
    main()
