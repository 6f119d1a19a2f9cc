"""What two checkpoints would choose, token by token, along a completion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Chosen:
    """At every position of one completion, each ``(tokens,)``; the end token has one too."""

    token_ids: tuple[int, ...]
    """The completion itself."""
    ours: Ints
    """Id of the token that one checkpoint finds likeliest there."""
    theirs: Ints
    """Likewise of the other checkpoint."""
    rank: Ints
    """Place, from 1, of the other's choice in the first one's order of tokens."""
    entropy: Floats
    """Of the first one's next-token distribution, in nats."""

    @property
    def differ(self) -> NDArray[np.bool_]:
        """Where the two would choose different tokens."""
        return np.asarray(self.ours != self.theirs)


class ChoiceSource(Protocol):
    """Where choices come from."""

    def chosen(
        self, along: str, under: str, other: str, benchmark: str
    ) -> tuple[tuple[Chosen, ...], ...]:
        """Of every problem the completions that were looked at; LookupError where nobody did.

        Args:
            along: the name of the way of asking that the completions answer.
            under, other: the roles that choose.
        """

    def spelled(self, role: str, ids: Sequence[tuple[int, ...]]) -> list[str]:
        """The text of token ids, as far as it can be told; for people to read."""
