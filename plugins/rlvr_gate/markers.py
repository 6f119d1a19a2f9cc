"""How a suite says that a test is a claim."""

from __future__ import annotations

import inspect
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from numbers import Real
from typing import TypeVar

import pytest

from rlvr_gate.records import Kind, Paper

Test = TypeVar("Test", bound=Callable[..., object])

_LONGEST_ID = 64


@dataclass(frozen=True, slots=True)
class Marked:
    """A function that `claim` has marked, and the mark that a collected test then carries."""

    test: Callable[..., object]
    mark: pytest.Mark


marked: list[Marked] = []
"""What this process has marked, so that a claim which pytest does not collect is no secret."""


@dataclass(frozen=True, slots=True)
class Unused:
    """A claim that has decorated nothing yet."""

    id: str
    path: str
    line: int


unused: dict[int, Unused] = {}
"""By number; a claim that is still here when all is collected has lost its @."""
_numbers = count()


def claim(
    text: str,
    *,
    id: str = "",
    source: str = "",
    kind: str = "finding",
    margin: float = 0.0,
    bound: float = 0.0,
    paper: Paper | None = None,
) -> Callable[[Test], Test]:
    """Mark a test as a claim.

    Args:
        text: the sentence the evidence can refute.
        id: short and stable; policies refer to it. Every claim needs one of its own.
        source: the paper, its version and the section it comes from.
        kind: `gate` decides the release, `finding` is only reported; a policy may change it.
        margin: the slack the `margin` fixture hands to the test unless a policy sets another.
        bound: the number the `bound` fixture hands to the test unless a policy sets another.
        paper: what the source says of the sentence, and whose the threshold is.

    Raises:
        ValueError: one of these cannot be meant, or what is decorated can never be judged.
    """
    _check_texts(text, id, source)
    if kind not in tuple(Kind):
        raise ValueError(f"claim {id}: kind must be 'gate' or 'finding', got {kind!r}")
    slack, held = _number(margin, "margin", id), _number(bound, "bound", id)
    if slack < 0:
        raise ValueError(f"claim {id}: margin is a slack of at least 0, got {margin!r}")
    if not (paper is None or isinstance(paper, Paper)):
        raise ValueError(f"claim {id}: paper is a rlvr_gate.Paper, got {paper!r}")
    number, caller = next(_numbers), sys._getframe(1)
    unused[number] = Unused(id, caller.f_code.co_filename, caller.f_lineno)

    def mark(test: Test) -> Test:
        unused.pop(number, None)
        _check_test(test, id)
        decorate = pytest.mark.claim(
            text=text, id=id, source=source, kind=Kind(kind), margin=slack, bound=held, paper=paper
        )
        found: Test = decorate(test)
        marked.append(Marked(test, decorate.mark))
        return found

    return mark


def _check_texts(text: object, id: object, source: object) -> None:
    if callable(text):
        raise ValueError('@claim needs its sentence and id: write @claim("RLVR …", id="MY1")')
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"a claim needs a sentence that evidence can refute, got {text!r}")
    if not isinstance(id, str):
        raise ValueError(f"the id of the claim {text!r} must be text, got {id!r}")
    if not id:
        raise ValueError(f'the claim {text!r} needs an id, as in id="MY1"')
    if not id.isprintable() or any(c.isspace() for c in id) or len(id) > _LONGEST_ID:
        raise ValueError(
            f"a claim's id is a word of at most {_LONGEST_ID} printable characters, got "
            f"{id[: _LONGEST_ID + 1]!r}"
        )
    if not isinstance(source, str):
        raise ValueError(f"claim {id}: source must be text, got {source!r}")


def _number(value: object, name: str, id: str) -> float:
    plain = isinstance(value, Real) and not isinstance(value, bool)
    if not plain or not math.isfinite(value):  # type: ignore[arg-type]  # a number by now
        raise ValueError(f"claim {id}: {name} must be a finite number, got {value!r}")
    return float(value)  # type: ignore[arg-type]  # likewise


def _check_test(test: object, id: str) -> None:
    if inspect.isclass(test):
        raise ValueError(f"claim {id}: decorate a test function, not the class {test.__name__}")
    if not inspect.isfunction(test):
        raise ValueError(f"claim {id}: decorate a test function, got {type(test).__name__}")
    if test.__name__ == "<lambda>":
        raise ValueError(
            f"claim {id}: decorate a function with a name, as in def test_…, not a lambda"
        )
    if inspect.iscoroutinefunction(test) or inspect.isasyncgenfunction(test):
        raise ValueError(f"claim {id}: {test.__name__} is async, so it would never be judged")
    if inspect.isgeneratorfunction(test):
        raise ValueError(f"claim {id}: {test.__name__} yields, so it would never be judged")
    others = [m.kwargs.get("id") for m in getattr(test, "pytestmark", []) if m.name == "claim"]
    if others:
        raise ValueError(f"claim {id}: {test.__name__} is already the claim {others[0]}")
