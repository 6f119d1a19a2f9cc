"""Which words of a text stand, in spans of so many, word for word in a corpus (exact).

Spans get numbers: two words one of their own, four words the pair of those of its halves, and so
on; a span that the corpus does not hold has none. So what is compared are whole numbers, never
hashes that might agree by chance, and memory is bounded by the corpus: some 90 bytes a word.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

LENGTHS = range(5, 13)
"""Words of a span, as the creativity index adds them up."""
_ABSENT = -1
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)*|\d+|[^\sa-z\d]")


def words(text: str) -> list[str]:
    """Words, whole numbers and single signs, in lower case and without accents.

    >>> words("Naïve: 12+3, isn't it?")
    ['naive', ':', '12', '+', '3', ',', "isn't", 'it', '?']
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return _WORD.findall(plain.lower())


@dataclass(frozen=True, slots=True)
class Spans:
    """The spans of 2, 4, 8 words of a corpus and of each of `LENGTHS`, sorted.

    Args:
        vocabulary: number of each word.
        doubled: of 2, 4 and 8 words, each a pair of numbers of half as many.
        whole: by length, pairs of overlapping spans of 4 or of 8 words that make it up.
    """

    vocabulary: dict[str, int]
    doubled: tuple[Ints, ...]
    whole: dict[int, Ints]
    count: int
    """Words of the corpus."""

    @classmethod
    def of(cls, documents: Iterator[str] | Sequence[str], most: int) -> Spans:
        """Of a corpus, whose spans end where its documents do.

        Raises:
            ValueError: it has more than `most` words.
        """
        vocabulary: dict[str, int] = {}
        ids: list[int] = []
        for document in documents:
            ids += [vocabulary.setdefault(word, len(vocabulary)) for word in words(document)]
            ids.append(_ABSENT)  # of the gap between two documents
            if len(ids) > most:
                raise ValueError(f"a corpus of more than {most:,} words; give a part of it")
        level = np.array(ids, dtype=np.int64)
        many, doubled, levels = int((level >= 0).sum()), list[Ints](), {1: level}
        for size in (2, 4, 8):
            pairs = _pairs(levels[size // 2], size // 2)
            doubled.append(np.unique(pairs[pairs >= 0]))
            levels[size] = _numbers(pairs, doubled[-1])
        whole = {}
        for length in LENGTHS:
            pairs = _pairs(*_made_of(levels, length))
            whole[length] = np.unique(pairs[pairs >= 0])
        return cls(vocabulary, tuple(doubled), whole, many)

    def covered(self, text: str) -> Floats:
        """Share of a text's words inside spans that the corpus holds, for each of `LENGTHS`.

        A text without words has nothing that could be: 0.
        """
        ids = np.array(
            [self.vocabulary.get(word, _ABSENT) for word in words(text)], dtype=np.int64
        )
        levels, found = {1: ids}, []
        for size, known in zip((2, 4, 8), self.doubled, strict=True):
            levels[size] = _numbers(_pairs(levels[size // 2], size // 2), known)
        for length in LENGTHS:
            held = _numbers(_pairs(*_made_of(levels, length)), self.whole[length]) >= 0
            found.append(_share(held, length, len(ids)))
        return np.array(found)

    def creativity(self, text: str) -> float:
        """The creativity index: what is not covered, added up over `LENGTHS`; 0 to 8."""
        return float((1 - self.covered(text)).sum())


def _made_of(levels: dict[int, Ints], length: int) -> tuple[Ints, int]:
    """Numbers of spans of 4 or 8 words, and how far apart two of them make one of `length`."""
    size = 4 if length <= 8 else 8
    return levels[size], length - size


def _pairs(ids: Ints, apart: int) -> Ints:
    """One number for each two `apart`; absent where one of them is."""
    one, other = ids[: max(len(ids) - apart, 0)], ids[apart:]
    return np.where((one < 0) | (other < 0), _ABSENT, (one << 31) | other)


def _numbers(pairs: Ints, known: Ints) -> Ints:
    """Where each stands among the known ones; absent where it does not."""
    if not len(known):
        return np.full(len(pairs), _ABSENT, dtype=np.int64)
    at = np.minimum(np.searchsorted(known, pairs), len(known) - 1)
    return np.where(known[at] == pairs, at, _ABSENT)


def _share(held: NDArray[np.bool_], length: int, many: int) -> float:
    """Of all words, those in a span that begins where `held`."""
    if not many:
        return 0.0
    steps = np.zeros(many + 1, dtype=np.int64)
    starts = np.flatnonzero(held)
    np.add.at(steps, starts, 1)
    np.add.at(steps, starts + length, -1)
    return float((np.cumsum(steps[:-1]) > 0).mean())
