"""The section of the training run: small multiples of what every step has."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from rlvr_gate.records import CurvePoint, RunRecord
from rlvr_gate_reports import html

Run = Callable[..., RunRecord]


def along(run: Run, values: dict[str, float], ks: Sequence[int] = (1, 2, 4, 8, 16)) -> str:
    """The section of a run whose checkpoints have such a pass@1, and less of it at larger k."""
    record = run(problems=12, samples=16)
    curves = {
        role: [CurvePoint(k, value / k, value / k - 0.01, value / k + 0.01) for k in ks]
        for role, value in values.items()
    }
    base = {"base": [replace(p, k=k) for p, k in zip(curves["base"], ks, strict=True)]}
    page = html.render(replace(record, curves={"countdown": {**curves, **base}}))
    found = re.search(r'<section id="trajectory">.*?</section>', page, flags=re.S)
    return found[0] if found else ""


def test_steps_are_drawn_in_their_order_and_the_best_is_told(run: Run) -> None:
    section = along(run, {"base": 0.1, "step-100": 0.3, "step-20": 0.4, "rlvr": 0.35})
    assert "pass@1 was highest at step 20 (0.400), 0.300 at the last." in section
    titles = re.findall(r"<title>pass@1 at (\d+): ([\d.]+)", section)
    assert titles == [("0", "0.100"), ("20", "0.400"), ("100", "0.300")]
    assert section.count("<figure>") == 4, "five k's, four panels: the ends are among them"
    assert {"pass@1", "pass@16"} <= set(re.findall(r"<b>(pass@\d+)</b>", section))


def test_without_a_run_to_follow_there_is_no_section(run: Run) -> None:
    assert along(run, {"base": 0.1, "rlvr": 0.3, "step-8": 0.2}) == ""
    assert along(run, {"base": 0.1, "step-x": 0.3, "step-8": 0.2, "stepstep-9": 0.2}) == ""


def test_a_run_that_only_fell_says_so(run: Run) -> None:
    section = along(run, {"base": 0.5, "step-1": 0.3, "step-2": 0.2})
    assert "pass@1 was highest at the start (0.500), 0.200 at the last." in section


def test_panels_share_one_scale(run: Run) -> None:
    section = along(run, {"base": 0.5, "step-1": 0.3, "step-2": 0.2}, (1, 16))
    panels = section.split("<figure>")[1:]
    ticks = [re.findall(r'<text class="end"[^>]*>[^<]*', panel) for panel in panels]
    assert len(ticks) == 2
    assert ticks[0] == ticks[1]
