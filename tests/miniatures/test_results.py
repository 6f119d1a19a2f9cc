"""The figures in the documentation are the measured ones."""

from __future__ import annotations

import json
from pathlib import Path

from rlvr_gate_miniatures.table import tables

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_the_tables_are_made_from_the_rows() -> None:
    rows = json.loads((DOCS / "miniatures.json").read_text())
    assert tables(rows) in (DOCS / "miniatures.md").read_text()


def test_a_cell_is_mean_and_range_over_seeds() -> None:
    rows = [
        {"checkpoint": "rlvr", "seed": seed, "pass@1": value, "angle@1": 0.25}
        for seed, value in enumerate((0.25, 0.5, 0.75))
    ]
    made = tables(rows)
    assert "| `rlvr` | 3 | 0.500 (0.250-0.750) | - |" in made
    assert "0.2° (0.2°-0.2°)" in made
