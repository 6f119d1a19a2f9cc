"""A small seeded slice of the study in studies/coverage.py."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

STUDY = Path(__file__).parents[2] / "studies" / "coverage.py"


@pytest.fixture(scope="module")
def study():
    spec = importlib.util.spec_from_file_location("coverage_study", STUDY)
    module = importlib.util.module_from_spec(spec)
    sys.modules["coverage_study"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules["coverage_study"]


@pytest.mark.parametrize(
    ("shape", "change"), [("hard", "sharpen"), ("never", "same"), ("mid", "rare loss")]
)
def test_the_difference_is_covered_or_the_interval_is_wide(study, shape, change):
    cells = study.difference_cells(
        600, seed=2, only=lambda s, c: (s, c) == (shape, change), problems=(30, 100)
    )
    assert len(cells) == 24
    noise = 3 * (0.05 * 0.95 / 600) ** 0.5
    assert min(c.coverage for c in cells) >= 0.94 - noise
    assert max(max(c.too_high, c.too_low) for c in cells) <= 0.055 + noise / 2
    assert all(c.width > 0 for c in cells)


def test_students_t_would_not_do(study):
    cells = study.difference_cells(
        300, seed=2, only=lambda s, c: (s, c) == ("mid", "rare loss"), problems=(30,)
    )
    assert min(c.student_coverage for c in cells) < 0.85
