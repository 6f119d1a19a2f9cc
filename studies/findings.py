"""How often a run says a false thing among its findings, alone and counted together.

    python studies/findings.py [--runs 200] [--seed 2]

The shipped suites' claims are judged on counts drawn from two runs of one model (every difference
is noise) and from a pair that differs, by the functions of the suites themselves.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from coverage import Floats, base_population, rlvr_population

from rlvr_gate.claims.views import CheckpointView, PairView
from rlvr_gate.gate.family import with_p_values
from rlvr_gate.gate.worst import worst
from rlvr_gate.judging.ledger import Ledger
from rlvr_gate.records import ClaimRecord, Kind, Tally, Verdict
from rlvr_gate.stats.passk import default_ladder
from rlvr_gate.stats.support import Sureness, level_of_each, sureness

SAMPLES = 64
DECIDED = (Verdict.HOLDS, Verdict.REFUTED)
NOTHING = ("K1k", "K2", "K4", "K7")  # of two runs of one model, any decision is wrong
KEPT = ("C1", "K5")  # of these, a refutation
SUITES = Path(__file__).parents[1] / "suites"


@dataclass(frozen=True)
class Counts:
    """What a claim may read: tallies, and nothing else."""

    of: Mapping[str, tuple[Tally, ...]]

    def tallies(self, role: str, benchmark: str) -> tuple[Tally, ...]:
        return self.of[role]

    def even(self, benchmark: str, one: str = "", other: str = "") -> Sequence[Sequence[Tally]]:
        return ()

    def guessing(self, benchmark: str) -> None:
        return None


def suite(name: str) -> Any:
    """The module of a file of suites."""
    spec = importlib.util.spec_from_file_location(Path(name).stem, SUITES / name)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def claims() -> Iterator[tuple[str, Callable[[PairView], None]]]:
    """Id, and how its suite judges it; K1k once for each k."""
    capability, solved = (
        suite("capability/test_pass_at_k.py"),
        suite("coverage/test_solved_sets.py"),
    )
    for k in default_ladder(SAMPLES):
        yield "K1k", lambda pair, k=k: capability.test_rlvr_leads(pair, "b", k)  # type: ignore[misc]
    yield "K2", lambda pair: capability.test_base_overtakes_at_large_k(pair, "b", SAMPLES)
    yield (
        "K8",
        lambda pair: capability.test_sampling_efficiency_gap_is_small(pair, "b", SAMPLES, 0.2),
    )
    yield "C1", lambda pair: solved.test_coverage_is_kept(pair, "b", SAMPLES // 2, 0.02)
    yield "K4", lambda pair: solved.test_more_lost_than_gained(pair, "b")
    yield "K5", lambda pair: solved.test_support_is_preserved(pair, "b")
    yield "K7", lambda pair: solved.test_accuracy_histogram_moves_to_the_edges(pair, "b", 0.9)


def judged(base: Floats, rlvr: Floats, rng: np.random.Generator) -> list[ClaimRecord]:
    """Every finding of one run, alone."""
    drawn = {"base": rng.binomial(SAMPLES, base), "rlvr": rng.binomial(SAMPLES, rlvr)}
    source = Counts({
        role: tuple(Tally(f"p{i}", SAMPLES, int(c)) for i, c in enumerate(counts))
        for role, counts in drawn.items()
    })  # fmt: skip
    return [_judged(f"{i} {id}", id, judge, source) for i, (id, judge) in enumerate(claims())]


def _judged(
    nodeid: str, id: str, judge: Callable[[PairView], None], source: Counts
) -> ClaimRecord:
    ledger = Ledger()
    pair = NoBand(*(CheckpointView(role, source, ledger) for role in ("base", "rlvr")))  # type: ignore[arg-type]
    with contextlib.suppress(AssertionError):
        judge(pair)
    found = tuple(ledger.judgements)
    verdict = worst([judgement.verdict for judgement in found])
    return ClaimRecord(id, "", "", Kind.FINDING, nodeid, "b", None, 0.0, verdict, found)


class NoBand(PairView):
    """A pair without the band beside K2, which takes its time and decides nothing."""

    def crossover(self, k: int, benchmark: str) -> Any:
        from rlvr_gate.records import Crossover

        return Crossover(None, None, None, None, 0.95, (), "")


def wrong(claim: ClaimRecord) -> bool:
    """Of two runs of one model."""
    decided = claim.id in NOTHING and claim.verdict in DECIDED
    return decided or (claim.id in KEPT and claim.verdict is Verdict.REFUTED)


def _decided(claims: Sequence[ClaimRecord]) -> int:
    return sum(claim.verdict in DECIDED for claim in claims)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=2)
    args = parser.parse_args()
    print("| shape | M | one model: a wrong finding alone, among all | sharpen: decided of "
          "13 alone, among all |\n|---|---|---|---|")  # fmt: skip
    for shape in ("hard", "bimodal", "mid"):
        for problems in (100, 500):
            print(row(shape, problems, args.runs, args.seed), flush=True)
    print()
    print_solid(args.runs, args.seed)


def print_solid(runs: int, seed: int) -> None:
    """How often two runs of one model show a solid problem, and how many true losses are one."""
    print("| shape | M | n | one model: any solid, one by one, together | sharpen: lost, of them "
          "solid one by one, together |\n|---|---|---|---|---|")  # fmt: skip
    for shape in ("hard", "bimodal", "mid"):
        for problems, samples in ((100, 64), (500, 64), (500, 256)):
            rng = np.random.default_rng(seed)
            base = base_population(shape, rng)
            sharp = rlvr_population(base, "sharpen", rng)
            drawn = [rng.integers(0, len(base), problems) for _ in range(runs)]
            same = np.array([solid(base[at], base[at], samples, rng) for at in drawn])
            lost = np.array([solid(base[at], sharp[at], samples, rng) for at in drawn])
            alone, together = (same[:, 1:] > 0).mean(axis=0)
            told = ", ".join(f"{mean:.1f}" for mean in lost.mean(axis=0))
            print(f"| {shape} | {problems} | {samples} | {alone:.3f}, {together:.3f} | {told} |",
                  flush=True)  # fmt: skip


def solid(
    base: Floats, rlvr: Floats, samples: int, rng: np.random.Generator
) -> tuple[int, int, int]:
    """Problems lost or gained (lost, where the two differ), those solid alone, and together."""
    one, other = rng.binomial(samples, base), rng.binomial(samples, rlvr)
    n = np.full(len(base), samples)
    level = level_of_each(n, one, n, other)
    both_ways = base is rlvr or np.array_equal(base, rlvr)
    moved = [(b, r) for b, r in zip(one.tolist(), other.tolist(), strict=True)
             if (b and not r) or (both_ways and r and not b)]  # fmt: skip
    tags = [
        [sureness(samples, max(pair), samples, 0, alpha=alpha) is Sureness.SOLID for pair in moved]
        for alpha in (0.05, level)
    ]
    return len(moved), sum(tags[0]), sum(tags[1])


def row(shape: str, problems: int, runs: int, seed: int) -> str:
    """One line of the table."""
    rng = np.random.default_rng(seed)
    base = base_population(shape, rng)
    sharp = rlvr_population(base, "sharpen", rng)
    errors, power = np.zeros(2), np.zeros(2)
    for _ in range(runs):
        chosen = rng.integers(0, len(base), problems)
        same = judged(base[chosen], base[chosen], rng)
        errors += [any(map(wrong, same)), any(map(wrong, with_p_values(same)))]
        other = judged(base[chosen], sharp[chosen], rng)
        power += [_decided(other), _decided(with_p_values(other))]
    (a, b), (c, d) = errors / runs, power / runs
    return f"| {shape} | {problems} | {a:.3f}, {b:.3f} | {c:.1f}, {d:.1f} |"


if __name__ == "__main__":
    main()
