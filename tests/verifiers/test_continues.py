"""Does a completion go on as the text did?"""

from __future__ import annotations

import pytest

from rlvr_gate.records import Grade
from rlvr_gate_fixtures.verifiers import EVERY, VERIFIERS


@pytest.mark.parametrize(
    ("completion", "grade"),
    [
        ("d e f", Grade.CORRECT),  # more than the rest
        (" d\n e", Grade.CORRECT),
        ("d x", Grade.WRONG),
        ("D e", Grade.WRONG),
        ("d", Grade.UNSCORED),  # it may have gone on so
        ("", Grade.WRONG),
        ("x d e", Grade.WRONG),
    ],
)
def test_word_for_word(completion: str, grade: Grade) -> None:
    assert EVERY["continues"](completion, "d e").grade is grade


def test_nothing_goes_on_with_nothing_and_no_benchmark_names_it() -> None:
    assert EVERY["continues"]("d", " ").grade is Grade.UNSCORED
    assert "continues" not in VERIFIERS
