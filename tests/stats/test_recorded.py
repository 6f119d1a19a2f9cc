"""Real recorded counts: published values to the printed digit, and the same decisions.

Needs the reference data: set RLVR_GATE_REFERENCE_DATA to its folder.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from rlvr_gate.stats.bands import crossover, simultaneous_band
from rlvr_gate.stats.intervals import influences
from rlvr_gate.stats.passk import (
    g_pass_at_k,
    ladder,
    mean_at_n,
    mean_g_pass_at_k,
    pass_at_k,
)

ROOT = os.environ.get("RLVR_GATE_REFERENCE_DATA")
COUNTS = Path(ROOT or "/nonexistent", "recorded", "deepscaler_counts")
VECTORS = Path(ROOT or "/nonexistent", "verifiers", "lighteval_metrics")
KS = range(1, 129)


def needs(folder):
    return pytest.mark.skipif(
        not folder.is_dir(), reason="RLVR_GATE_REFERENCE_DATA does not name the reference data"
    )


def rows(name):
    lines = (COUNTS / name).read_text().splitlines()
    return {row["id"]: row for row in map(json.loads, lines)}


@pytest.fixture(scope="module")
def recorded():
    """Per-problem pass@k of both checkpoints, joined by id, and the published numbers."""
    base, rl = rows("base.jsonl"), rows("rl.jsonl")
    assert base.keys() == rl.keys()
    n = [base[i]["n"] for i in base]
    curves = [ladder(pass_at_k, n, [run[i]["c"] for i in base], KS) for run in (base, rl)]
    published = json.loads((COUNTS / "metadata_and_expected_subset.json").read_text())
    return curves[0], curves[1], published["expected"]


@needs(COUNTS)
def test_published_curves_to_the_printed_digit(recorded):
    base, rl, published = recorded
    for name, curve in (("base", base), ("rl", rl)):
        for k, value in published[f"{name}_pass_at_k"].items():
            assert curve[:, int(k) - 1].mean() == pytest.approx(value, abs=1e-14)


@needs(COUNTS)
def test_published_differences_and_standard_errors_to_the_printed_digit(recorded):
    base, rl, published = recorded
    for k, value in published["mean_diff"].items():
        assert (rl - base)[:, int(k) - 1].mean() == pytest.approx(value, abs=1e-14)
    for k, value in published["se_diff"].items():
        z, _ = influences((rl - base)[:, int(k) - 1])
        assert np.sqrt(np.sum(z**2)) == pytest.approx(value, abs=1e-14)


@needs(COUNTS)
def test_the_band_decides_the_published_regions(recorded):
    base, rl, published = recorded
    band = simultaneous_band(rl - base, list(KS), seed=0)
    positive = [k for k, low in zip(KS, band.low, strict=True) if low > 0]
    negative = [k for k, high in zip(KS, band.high, strict=True) if high < 0]
    assert [positive[0], positive[-1]] == published["positive_budgets"]
    assert [negative[0], negative[-1]] == published["negative_budgets"]
    assert len(positive) + len(negative) == 10 + 68  # no gaps
    found = crossover(band)
    assert found.k == 22  # as passk-inference's crossing of the mean curves has it
    assert [found.low, found.high] == published["first_loss_interval"]
    for k, value in published["lower_band"].items():  # another seed, and a skewness term
        assert band.at(int(k)).low == pytest.approx(value, abs=1e-4)


def cases():
    if not VECTORS.is_dir():
        return [None]
    files = [f for f in sorted(VECTORS.glob("*.json")) if not f.name.startswith("maj")]
    return [
        pytest.param(case, id=f"{f.stem}-{i}")
        for f in files
        for i, case in enumerate(json.loads(f.read_text())["test_cases"])
    ]


def ours(key, n, k, c):
    """Our value for one of lighteval's result names, from counts."""
    _, _, tau = key.partition(f"g-pass@{k}")
    if tau:
        return g_pass_at_k(n, c, k, float(tau.removeprefix("_")))
    if "g-pass" in key:
        return mean_g_pass_at_k(n, c, k)
    return mean_at_n(k, min(c, k)) if key.startswith("avg") else pass_at_k(n, c, k)


@needs(VECTORS)
@pytest.mark.parametrize("case", cases())
def test_lighteval_computes_the_same_from_some_count(case):
    """Their grading is not ours, so the count is free; the numbers it leads to are not."""
    params = case["metric_params"]
    n, k = params.get("n") or len(case["model_response"]["text"]), params["k"]
    expected = case["expected_output"]
    fits = [
        all(abs(float(ours(key, n, k, c)) - v) <= 0.01 for key, v in expected.items())
        for c in range(n + 1)
    ]
    assert any(fits)
