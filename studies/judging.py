"""CPU seconds of judging counts: every claim of pass@k and coverage, and the page's curves.

    python studies/judging.py [--problems 1060] [--samples 128]

Counts are made up (a hard benchmark, sharpened); what is imported and read from disk is not timed.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from coverage import base_population, rlvr_population
from findings import Counts, suite

from rlvr_gate.claims.overview import overview
from rlvr_gate.claims.views import CheckpointView, PairView
from rlvr_gate.judging.ledger import Ledger
from rlvr_gate.records import Tally
from rlvr_gate.stats.passk import default_ladder


def judge_all(source: Counts, n: int) -> None:
    """Gate claims by their bound, findings, the overview of the report."""
    capability, solved, budgets = (
        suite(f"{name}.py")
        for name in ("capability/test_pass_at_k", "coverage/test_solved_sets",
                     "capability/test_budgets")
    )  # fmt: skip
    gate, pair = (_pair(source, guaranteed=sure) for sure in (True, False))
    tests = [
        lambda: capability.test_pass_at_1_rises(gate, "b", 0.0),
        lambda: solved.test_coverage_is_kept(gate, "b", n // 2, 0.02),
        *(lambda k=k: capability.test_rlvr_leads(pair, "b", k) for k in default_ladder(n)),
        lambda: capability.test_base_overtakes_at_large_k(pair, "b", n),
        lambda: capability.test_sampling_efficiency_gap_is_small(pair, "b", n, 0.2),
        lambda: solved.test_more_lost_than_gained(pair, "b"),
        lambda: solved.test_support_is_preserved(pair, "b"),
        lambda: solved.test_accuracy_histogram_moves_to_the_edges(pair, "b", 0.9),
        lambda: budgets.test_base_overtakes_within_the_budget(pair, "b", n),
    ]
    for test in tests:
        try:
            test()
        except AssertionError:
            continue  # refuted or undecided: judged
    overview(source, "b", default_ladder(n), 0.95)  # type: ignore[arg-type]  # all that counts tell


def _pair(source: Counts, *, guaranteed: bool) -> PairView:
    ledger = Ledger(guaranteed=guaranteed)
    base, rlvr = (CheckpointView(role, source, ledger) for role in ("base", "rlvr"))  # type: ignore[arg-type]  # the same
    return PairView(base, rlvr)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--problems", type=int, default=1060)
    parser.add_argument("--samples", type=int, default=128)
    options = parser.parse_args()
    for seed in range(4):
        rng = np.random.default_rng(seed)
        base = base_population("hard", rng)
        rlvr, at = (
            rlvr_population(base, "sharpen", rng),
            rng.integers(0, base.size, options.problems),
        )
        source = Counts({
            role: tuple(Tally(f"p{i}", options.samples, int(c))
                        for i, c in enumerate(rng.binomial(options.samples, p[at])))
            for role, p in (("base", base), ("rlvr", rlvr))
        })  # fmt: skip
        before = time.process_time()
        judge_all(source, options.samples)
        spent = time.process_time() - before
        first = " (with what is imported then)" if not seed else ""
        print(f"{options.problems:,} x {options.samples}: {spent:.2f} s of CPU{first}")


if __name__ == "__main__":
    main()
