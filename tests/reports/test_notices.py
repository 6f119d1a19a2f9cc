"""Annotations: one order of ours a sentence, whatever ids and reasons hold."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rlvr_gate.records import RunRecord
from rlvr_gate_reports.notices import _order, notices

Run = Callable[..., RunRecord]


@pytest.mark.parametrize(
    ("state", "starts"),
    [
        ("open", ["::warning title=rlvr-gate%3A The trade::"]),
        ("closed", ["::error title=rlvr-gate%3A Do not ship::"]),
        ("undecided", ["::error title=rlvr-gate%3A Do not ship yet::", "::warning "]),
        ("not comparable", ["::error title=rlvr-gate%3A No answer::"]),
    ],
)
def test_what_keeps_the_gate_shut_is_an_error_and_the_price_a_warning(
    run: Run, state: str, starts: list[str]
) -> None:
    lines = list(notices(run(state)))
    assert len(lines) == len(starts)
    assert all(line.startswith(start) for line, start in zip(lines, starts, strict=True))


def test_nothing_of_others_starts_an_order_or_ends_ours(hostile_run: RunRecord) -> None:
    for line in notices(hostile_run):
        assert "\n" not in line
        assert "\r" not in line
        assert line.count("::") >= 2
        assert not set("\x00\x07\x1b\u202e\u2066") & set(line)


def test_signs_that_mean_something_to_github_are_escaped() -> None:
    assert _order("error", "a: b, c", "100%\nno") == "::error title=a%3A b%2C c::100%25 no"
