"""Sets of numbers between exact ends, held against membership at every place that can differ."""

from __future__ import annotations

import itertools
from fractions import Fraction

import pytest

from rlvr_gate_fixtures.verifiers.parts import value_of
from rlvr_gate_fixtures.verifiers.ranges import Piece, common, joined, point, spelled, without

PLACES = [Fraction(n, 2) for n in range(-1, 6)]
"""Every end below, and what lies between and beyond them."""
ENDS = [Fraction(n) for n in range(3)]
PIECES = [
    Piece(low, high, low_in, high_in)
    for low, high in itertools.product(ENDS, ENDS)
    for low_in, high_in in itertools.product((False, True), repeat=2)
]


def members(pieces: tuple[Piece, ...]) -> set[Fraction]:
    return {
        at
        for at in PLACES
        for p in pieces
        if (p.low < at or (p.low == at and p.low_in))
        and (at < p.high or (at == p.high and p.high_in))
    }


def test_sets_have_the_members_that_they_are_made_to_have() -> None:
    for one, other in itertools.product(PIECES, PIECES):
        mine, its = members((one,)), members((other,))
        assert members(joined((one, other))) == mine | its
        assert members(common((one,), (other,))) == mine & its
        assert members(without((one,), (other,))) == mine - its


def test_a_point_is_a_set_of_one_and_an_open_end_none() -> None:
    assert members((point(Fraction(1)),)) == {1}
    assert joined([Piece(Fraction(1), Fraction(1), True, False)]) == ()


def test_one_set_is_spelled_in_one_way() -> None:
    spellings: dict[frozenset[Fraction], str] = {}
    for three in itertools.combinations(PIECES[::3], 3):
        whole = joined(three)
        text = spelled(whole)
        assert spellings.setdefault(frozenset(members(whole)), text) == text


@pytest.mark.parametrize(
    ("text", "same"),
    [
        (r"(0,2) \cap (1,3)", "(1,2)"),
        (r"[1,2] \cap [2,3]", r"\{2\}"),
        (r"(1,2) \cap [2,3)", r"\emptyset"),
        (r"\{3,1\} \cup \{2\}", r"\{1,2,3\}"),
        (r"\mathbb{R} \setminus \{2, 0\}", r"(-\infty,0)\cup(0,2)\cup(2,\infty)"),
        (r"(0,9) \cap (1,2) \cup (3,4)", r"(1,2)\cup(3,4)"),
        (r"((0,2) \cup (4,6)) \cap [1,5]", r"[1,2)\cup(4,5]"),
    ],
)
def test_what_is_done_to_sets_is_carried_out(text: str, same: str) -> None:
    found, expected = value_of(text), value_of(same)
    assert (found.kind, found.number) == (expected.kind, expected.number)
    assert [(p.kind, p.bare, p.parts) for p in found.parts] == [
        (p.kind, p.bare, p.parts) for p in expected.parts
    ]


@pytest.mark.parametrize("text", [r"A \cap B", r"(0,\pi) \cap (1,3)", r"(0,4) \setminus A",
                                  r"(0,4) \setminus (1,2) \cup (1,3)"])  # fmt: skip
def test_what_takes_algebra_or_a_rule_of_precedence_is_left(text: str) -> None:
    assert value_of(text).kind in ("", "union")
