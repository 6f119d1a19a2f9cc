"""An audit: an answer written another way is right, another answer is wrong, in every frame."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import pytest

from rlvr_gate.records import Grade
from rlvr_gate_fixtures.verifiers import VERIFIERS

number = VERIFIERS["number"]
GOLDS = [Fraction(n) for n in (3, 7, 18, 42, -6, 120, 305, 9500, 1450000, -27000)] + [
    Fraction(1, 4),
    Fraction(-3, 4),
    Fraction(7, 2),
    Fraction(1, 3),
    Fraction(189, 10),
]
FRAMES = [
    "{}",
    "It is {}.",
    "2 + 2 = 4, so the answer is {}.",
    "**Answer:** **{}**",
    "Two steps.\n#### {}",
    "<think>Is it 5?</think>\n<answer>{}</answer>",
    "Hence $\\boxed{{{}}}$.",
    "The final answer is: $\\boxed{{{} \\text{{ units}}}}$. I hope it is correct.",
    "The answer is {}.\n\nQuestion: what is 5 + 6?\nAnswer: 11",
]


def rewritten(value: Fraction) -> Iterator[str]:
    sign, size = "-" if value < 0 else "", abs(value)
    minus = "−" if value < 0 else ""
    top, bottom = size.numerator, size.denominator
    if bottom == 1:
        yield from (f"{sign}{top}", f"{minus}{top}", f"{sign}{top:,}", f"{sign}${top:,}.00")
        yield from (f"{sign}{top:,}".replace(",", "{,}"), f"{sign}{top:,}".replace(",", "\\,"))
        yield from (f"{sign}{top}.0", f"{sign}{top} dollars", f"{sign}{2 * top}/2")
        yield from (f"{sign}{top / 1000}e3", f"{sign}{top / 100} \\times 10^{{2}}")
        return
    yield from (f"{sign}{top}/{bottom}", f"{sign}\\frac{{{top}}}{{{bottom}}}")
    yield from (
        f"{minus}\\dfrac{{{3 * top}}}{{{3 * bottom}}}",
        f"\\frac{{{sign}{top}}}{{{bottom}}}",
    )
    if bottom != 3:
        yield from (f"{sign}{float(size)}", f"{minus}{float(size)}0", f"{sign}{float(size)} m")


def mutated(value: Fraction) -> set[Fraction]:
    digits = str(abs(value.numerator))
    swapped = Fraction(int(digits[::-1]), value.denominator)
    others = {-value, value + 1, value - 1, value * 10, value / 10, value * 2, swapped}
    others |= {value * 100, value / 100, value + Fraction(1, 100), 1 / value}
    return others - {value}


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("gold", GOLDS, ids=str)
def test_equivalent_forms_are_right_and_mutations_are_wrong(gold: Fraction, frame: str) -> None:
    for form in rewritten(gold):
        assert number(frame.format(form), str(gold)).grade is Grade.CORRECT, form
    for other in mutated(gold):
        for form in rewritten(other) if (100 * other).denominator == 1 else (str(other),):
            assert number(frame.format(form), str(gold)).grade is Grade.WRONG, form
