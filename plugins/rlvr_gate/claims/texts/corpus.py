"""Texts that completions are held against, and what of each completion stands in them."""

from __future__ import annotations

from dataclasses import dataclass, field

from rlvr_gate.claims.texts.spans import Spans
from rlvr_gate.records import Facts
from rlvr_gate.records.exhibits import Cell


@dataclass(frozen=True)
class Corpus:
    """A corpus that completions are held against.

    Args:
        name: of its file.
        digest: SHA-256 of its bytes.
    """

    name: str
    digest: str
    spans: Spans
    _known: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def facts(self) -> Facts:
        """What it is, to stand beside a number."""
        told: dict[str, Cell] = {
            "file": self.name,
            "words": self.spans.count,
            "sha256": self.digest,
        }
        return Facts(told, "The corpus")

    def index(self, text: str) -> str:
        """The creativity index of a text as a number in words, each text once."""
        if text not in self._known:
            self._known[text] = repr(self.spans.creativity(text))
        return self._known[text]
