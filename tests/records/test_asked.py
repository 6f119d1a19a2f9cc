"""Ways of asking: their names, and sampling by name."""

from __future__ import annotations

import pytest

from rlvr_gate.records import Ask, spelled_out


def test_a_sampling_is_spelled_out_once() -> None:
    assert spelled_out({"temperature": 0.5}) == {"temperature": 0.5}
    assert spelled_out({"sampling": "untempered"}) == {"temperature": 1.0, "top_p": 1.0}
    with pytest.raises(ValueError, match="limit-of-rlvr or untempered"):
        spelled_out({"sampling": "codex"})
    with pytest.raises(ValueError, match="has a top_p of its own"):
        spelled_out({"sampling": "limit-of-rlvr", "top_p": 0.9})


def test_a_grading_is_one_of_four_and_part_of_the_name() -> None:
    assert Ask("rlvr", grading="clean", samples=4).name == "rlvr (samples 4, clean grades)"
    with pytest.raises(ValueError, match=r"a grading is strict, .*, repaired, got 'mild'"):
        Ask("rlvr", grading="mild")
