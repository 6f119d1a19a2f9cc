"""What methods a checkpoint uses: completions told apart by what they do.

A classifier is a function of a completion's text that names a method. `how` is the one that ships:
it looks for code, backtracking, checking and enumerating, by their words in English and by the
signs of the shipped miniatures. Words are no proof of what a text does: read the examples.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

Classifier = Callable[[str], str]
"""Names the method of a completion."""

PLAIN = "none of these"
_WORDS = {
    "code": r"```|\bdef [A-Za-z_]+\(|\bprint\(|\bpython\b",
    "backtracking": r"\b(wait|hmm+|on second thought|try again|another (way|approach)|"
    r"(is|was|are) (not right|wrong))\b|[:=]\d{1,9}n\d",
    "checking": r"\b(let me (double-?)?check|(double-?)?check(ing)?:|verify|verifying|to verify)\b"
    r"|[:=]\d{1,9}[ny](?=[\d>])",
    "enumerating": r"\b(case \d|option \d|list (all|out)|one by one|try(ing)? (all|every|each))\b",
}
_KNOWN = {name: re.compile(words, re.IGNORECASE) for name, words in _WORDS.items()}
MARKS: Mapping[str, Callable[[str], bool]] = {
    name: lambda text, found=found: found.search(text) is not None  # type: ignore[misc]
    for name, found in _KNOWN.items()
}
"""The four signs that ship, each alone."""


def how(text: str) -> str:
    """Which of the four a completion shows, in words: `code and checking`."""
    return " and ".join(name for name, shows in MARKS.items() if shows(text)) or PLAIN


def whether(name: str, shows: Callable[[str], bool]) -> Classifier:
    """Two methods: completions that show something, and all others.

    >>> whether("python", lambda text: "python" in text)("import")
    'no python'
    """
    return lambda text: name if shows(text) else f"no {name}"


@dataclass(frozen=True, slots=True)
class Used:
    """How often one problem's completions used a method, and came out right."""

    n: int
    correct: int
    unscored: int = 0


class MethodSource(Protocol):
    """Where completions are told apart."""

    def methods(
        self, role: str, benchmark: str, classify: Classifier
    ) -> Sequence[Mapping[str, Used]] | None:
        """By method, of every problem in the benchmark's order; None where texts are unknown."""
