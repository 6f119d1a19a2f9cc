"""How a suite says that a test is a claim."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest

from rlvr_gate.records import Kind

Test = TypeVar("Test", bound=Callable[..., object])


def claim(
    text: str,
    *,
    id: str,
    source: str = "",
    kind: str = "finding",
    margin: float = 0.0,
    bound: float = 0.0,
) -> Callable[[Test], Test]:
    """Mark a test as a claim.

    Args:
        text: the sentence the evidence can refute.
        id: short and stable; policies refer to it.
        source: the paper and section it comes from.
        kind: `gate` decides the release, `finding` is only reported; a policy may change it.
        margin: the slack the `margin` fixture hands to the test unless a policy sets another.
        bound: the number the `bound` fixture hands to the test unless a policy sets another.

    Raises:
        ValueError: `kind` is neither `gate` nor `finding`.
    """
    known = Kind(kind)

    def mark(test: Test) -> Test:
        decorate = pytest.mark.claim(
            text=text, id=id, source=source, kind=known, margin=margin, bound=bound
        )
        marked: Test = decorate(test)
        return marked

    return mark
