"""Printed numbers that follow from other printed numbers, recomputed by the code that judges.

Sources: arXiv:2507.14843v4 tab. 1, 6; arXiv:2504.13837v2 tab. 2-5 (v5 renumbers them).
"""

from __future__ import annotations

import json
import os
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from rlvr_gate.claims import numbers
from rlvr_gate.stats.support import leash_ratios, mcnemar

from .counted import pair_of, tallies, views

ROOT = Path(os.environ.get("RLVR_GATE_REFERENCE_DATA", "/nonexistent"))

# preserved, gained, lost, unreached; SRR, NDR, SDS, NSCR as printed
LEASH = {
    "ProRL-1.5B-v1": (2400, 36, 163, 805, 0.94, 0.02, 0.03, -0.05),
    "ProRL-1.5B-v2": (2388, 48, 175, 793, 0.93, 0.02, 0.04, -0.05),
    "AceReason-Nemotron-7B": (2715, 28, 56, 605, 0.98, 0.01, 0.02, -0.01),
    "Skywork-OR1-7B": (2685, 26, 86, 607, 0.97, 0.01, 0.02, -0.02),
    "AceReason-Nemotron-14B": (2418, 8, 23, 501, 0.99, 0.00, 0.01, -0.01),
    "Phi4-Reason-Plus-14B": (2474, 16, 23, 437, 0.99, 0.01, 0.01, -0.00),
    "OLMo-2-1B": (761, 83, 104, 599, 0.88, 0.10, 0.18, -0.02),
    "Kangheng-OVR-7B": (781, 3, 4, 516, 1.00, 0.00, 0.01, -0.00),
}
# ProRL v1: preserved, gained, lost, unreached, problems; coverage of base and of ProRL in percent
BENCHMARKS = {
    "AIME24": (25, 0, 3, 2, 30, 93.3, 83.3),
    "AIME25": (20, 2, 4, 4, 30, 80.0, 73.3),
    "MATH500": (497, 0, 1, 2, 500, 99.6, 99.4),
    "Minerva": (173, 0, 22, 77, 272, 71.7, 63.6),
    "Olympiad": (600, 3, 26, 46, 675, 92.7, 89.3),
    "SimpleQA": (75, 3, 26, 329, 433, 23.3, 18.0),
}
# pass@1 and pass@256 in percent: training problems, held out, MATH500
ALGORITHMS = {
    "GRPO": (26.1, 66.3, 25.1, 68.3, 74.4, 97.2),
    "PPO": (27.2, 65.8, 26.8, 69.2, 75.2, 97.2),
    "ReMax": (24.4, 65.5, 23.8, 67.5, 73.5, 96.6),
    "RLOO": (28.6, 66.4, 28.1, 69.2, 75.0, 97.4),
    "Reinforce++": (28.2, 67.7, 28.0, 69.7, 75.4, 96.8),
    "DAPO": (31.4, 66.1, 26.5, 67.0, 75.6, 96.4),
}
BASE = (9.9, 67.2, 10.2, 69.1, 34.5, 96.2)


@pytest.mark.parametrize("row", LEASH.values(), ids=LEASH)
def test_support_ratios_of_every_row(row) -> None:
    p, e, s, _, *printed = row
    found = leash_ratios(p, e, s)
    values = found.retention, found.discovery, found.sds, found.nscr
    assert values == pytest.approx(printed, abs=0.0053)  # one NDR, .0148, is printed as .02


@pytest.mark.parametrize("row", LEASH.values(), ids=LEASH)
def test_net_change_as_a_claim_reads_it(row) -> None:
    p, e, s, o, *_, nscr = row
    base, rlvr = [1] * (p + s) + [0] * (e + o), [1] * p + [0] * s + [1] * e + [0] * o
    sets = pair_of(base, rlvr, 2).solved("b")
    assert sets.net_change.value == pytest.approx(nscr, abs=0.0053)
    solved = sets.net_change.evidence.solved
    assert solved is not None
    assert (solved.preserved, solved.gained, solved.lost, solved.unreached) == (p, e, s, o)


def test_the_four_sets_are_all_problems() -> None:
    """The same problems whoever is asked; those of OLMo are six benchmarks together."""
    totals = {name: sum(row[:4]) for name, row in LEASH.items()}
    assert {totals[name] for name in list(LEASH)[:4]} == {3404}
    assert totals["AceReason-Nemotron-14B"] == totals["Phi4-Reason-Plus-14B"] == 2950
    assert totals["OLMo-2-1B"] == 30 + 30 + 40 + 500 + 272 + 675


@pytest.mark.parametrize("row", BENCHMARKS.values(), ids=BENCHMARKS)
def test_coverage_follows_from_the_sets(row) -> None:
    p, e, s, o, problems, base, rlvr = row
    assert p + e + s + o == problems
    assert 100 * (p + s) / problems == pytest.approx(base, abs=0.06)
    assert 100 * (p + e) / problems == pytest.approx(rlvr, abs=0.06)


@pytest.mark.parametrize(
    ("gained", "lost", "p"),
    [(0, 4, 0.125), (1, 4, 0.375), (5, 18, 0.011), (0, 3, 0.25), (0, 22, 5e-7), (3, 26, 1.5e-5),
     (28, 56, 0.003), (8, 23, 0.011), (16, 23, 0.34)],
)  # fmt: skip
def test_exact_mcnemar_of_published_counts(gained: int, lost: int, p: float) -> None:
    assert mcnemar(gained, lost).p_two_sided == pytest.approx(p, rel=0.06)


def test_mcnemar_of_all_problems_of_prorl() -> None:
    assert mcnemar(36, 163).p_two_sided < 1e-19


def test_sampling_efficiency_gap_of_every_cell() -> None:
    """Above .40 on the held-out problems alone, whatever the text says; .206 is the smallest."""
    gaps = np.array([[BASE[2 * i + 1] - row[2 * i] for i in range(3)]
                     for row in ALGORITHMS.values()]) / 100  # fmt: skip
    printed = [[41.1, 44.0, 21.8], [40.0, 42.3, 21.0], [42.8, 45.3, 22.7], [38.6, 41.0, 21.2],
               [39.0, 41.1, 20.8], [35.8, 42.6, 20.6]]  # fmt: skip
    assert gaps * 100 == pytest.approx(np.array(printed))
    assert gaps.min() == pytest.approx(0.206)
    assert (gaps > 0.40).all(axis=0).tolist() == [False, True, False]


def test_the_subset_of_aime24_by_itself() -> None:
    """19 of 23 kept and none gained: SRR .826, NSCR -.174, and no significance."""
    found = leash_ratios(19, 0, 4)
    assert (found.retention, found.nscr) == pytest.approx((0.826, -0.174), abs=5e-4)
    assert found.sds == 0.0


def needs(folder: str):
    path = ROOT / "recorded" / folder
    reason = "RLVR_GATE_REFERENCE_DATA does not name the reference data"
    return pytest.mark.skipif(not path.is_dir(), reason=reason)


@needs("deepscaler_counts")
def test_the_budgets_of_a_real_pair() -> None:
    """R1-Distill-Qwen-1.5B and DeepScaleR: k* may be 11 to 61 (arXiv:2609.22547, appendix)."""
    folder = ROOT / "recorded" / "deepscaler_counts"
    base, rlvr = (
        {row["id"]: row["c"] for row in map(json.loads, (folder / name).read_text().splitlines())}
        for name in ("base.jsonl", "rl.jsonl")
    )
    pair = pair_of([base[i] for i in base], [rlvr[i] for i in base], 128)
    found = numbers.overtaking_budget(pair, 128, "b")
    assert (found.interval.low, found.interval.high) == pytest.approx((11, 61), abs=1)
    assert 11 < found.value < 61
    assert found <= 128


@needs("evalperf_counts")
def test_real_pairs_swap_signs_with_their_roles() -> None:
    models = json.loads((ROOT / "recorded" / "evalperf_counts" / "counts.json").read_text())
    some = [[*each["c"].values()] for each in list(models.values())[:4] if each["n"] == 100]
    for one, other in combinations(some, 2):
        there = views(base=tallies(one, 100), rlvr=tallies(other, 100)).solved("b")
        back = views(base=tallies(other, 100), rlvr=tallies(one, 100)).solved("b")
        assert there.net_change.value == pytest.approx(-(back.net_change.value or 0.0))
        solved = there.net_change.evidence.solved
        assert solved is not None
        assert solved.preserved + solved.gained + solved.lost + solved.unreached == len(one)
