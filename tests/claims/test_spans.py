"""Spans of a corpus against brute force, and the creativity index against its definition."""

from __future__ import annotations

import random

import numpy as np
import pytest

from rlvr_gate.claims.texts.spans import LENGTHS, Spans, words

PLENTY = 10_000


def by_hand(documents: list[str], text: str) -> list[float]:
    """Every span of every document, compared word by word."""
    held, own = [words(document) for document in documents], words(text)
    found = []
    for length in LENGTHS:
        spans = {tuple(d[i : i + length]) for d in held for i in range(len(d) - length + 1)}
        inside = set()
        for i in range(len(own) - length + 1):
            if tuple(own[i : i + length]) in spans:
                inside |= set(range(i, i + length))
        found.append(len(inside) / len(own) if own else 0.0)
    return found


def test_the_worked_example() -> None:
    """Definitions: text a..h, corpus a..f: covered .75 at L = 5 and 6, index 6.5."""
    spans = Spans.of(["a b c d e f"], PLENTY)
    assert spans.covered("a b c d e f g h").tolist() == [0.75, 0.75, 0, 0, 0, 0, 0, 0]
    assert spans.creativity("a b c d e f g h") == 6.5
    assert spans.count == 6


@pytest.mark.parametrize("seed", range(60))
def test_it_is_what_comparing_word_by_word_finds(seed: int) -> None:
    rng = random.Random(seed)
    letters = "abcd"[: rng.randint(1, 4)]  # few words, so that long spans do recur

    def some(most: int) -> str:
        return " ".join(rng.choices(letters, k=rng.randint(0, most)))

    documents = [some(40) for _ in range(rng.randint(0, 6))]
    text = some(60)
    if documents and rng.random() < 0.5:
        text = f"{some(10)} {rng.choice(documents)} {some(10)}"
    assert Spans.of(documents, PLENTY).covered(text) == pytest.approx(by_hand(documents, text))


def test_a_text_copied_whole_has_none_and_a_smaller_corpus_leaves_more() -> None:
    lines = [f"line {i} of {i * 7 % 13} and some more words to be found {i}" for i in range(30)]
    text = lines[3]
    assert Spans.of(lines, PLENTY).creativity(text) == 0
    less = [Spans.of(lines[:n], PLENTY).creativity(" ".join(lines)) for n in (30, 20, 10, 0)]
    assert less == sorted(less)
    assert less[-1] == len(LENGTHS)


def test_the_order_of_documents_is_nothing() -> None:
    lines = ["a b c d e f g", "e f g a b c d", "x y z a b c"]
    text = "a b c d e f g a b c d x y z a b c"
    one, other = Spans.of(lines, PLENTY), Spans.of(lines[::-1], PLENTY)
    assert one.covered(text).tolist() == other.covered(text).tolist()


def test_no_span_runs_over_the_end_of_a_document() -> None:
    spans = Spans.of(["a b c", "d e f"], PLENTY)
    assert not spans.covered("a b c d e f").any()
    assert Spans.of(["a b c d e f"], PLENTY).covered("a b c d e f")[0] == 1


def test_a_span_of_known_halves_that_never_stood_together_is_absent() -> None:
    """The trap of numbers for halves: `a b c d` and `e f g h` are known, their union is not."""
    spans = Spans.of(["a b c d x", "y e f g h"], PLENTY)
    assert not spans.covered("a b c d e f g h").any()


def test_nothing_to_cover_and_nothing_to_cover_with() -> None:
    assert Spans.of([], PLENTY).creativity("a b c d e") == 8
    assert Spans.of(["a b c d e"], PLENTY).covered("").tolist() == [0] * 8
    assert Spans.of(["a b"], PLENTY).covered("a b").tolist() == [0] * 8


def test_letters_accents_and_numbers() -> None:
    assert words("Ünïcode 007, x_1!") == ["unicode", "007", ",", "x", "_", "1", "!"]
    assert Spans.of(["É É é e E"], PLENTY).covered("e e e e e")[0] == 1


def test_a_corpus_is_bounded() -> None:
    with pytest.raises(ValueError, match="more than 10 words; give a part of it"):
        Spans.of(["a b c d e"] * 3, 10)


def test_memory_is_some_bytes_a_word() -> None:
    rng = np.random.default_rng(0)
    text = " ".join(map(str, rng.integers(0, 5_000, 100_000)))
    spans = Spans.of([text], 200_000)
    held = sum(each.nbytes for each in (*spans.doubled, *spans.whole.values()))
    assert held <= 90 * spans.count
    assert spans.creativity(text) == 0
