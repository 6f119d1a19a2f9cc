"""Arithmetic slips put right, and what that does to a grade."""

from __future__ import annotations

import random

import pytest

from rlvr_gate.records import Grade
from rlvr_gate_fixtures.verifiers import EVERY, graded_as
from rlvr_gate_fixtures.verifiers.repair import missed, repaired
from rlvr_gate_fixtures.verifiers.statements import statements

RIGHT, WRONG, PUZZLE = Grade.CORRECT, Grade.WRONG, "25,9,7=27"


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        ("2+3=6,6*4=24", "2+3=5,5*4=20"),
        ("14+20=35, 35+25=60", "14+20=34, 34+25=59"),
        ("20+14=39, 21+39=59", "20+14=34, 21+34=55"),  # what was miscopied stays
        ("5 + 3 = 9 pens, 9 * 2 = 18. In all 18.", "5 + 3 = 8 pens, 8 * 2 = 16. In all 16."),
        ("<<48/2=25>>25, <<48+25=73>>73\n#### 73", "<<48/2=24>>24, <<48+24=72>>72\n#### 72"),
        ("1,000 + 500 = 1,600 and 1,600 - 1 = 1,599", "1,000 + 500 = 1500 and 1500 - 1 = 1499"),
        ("$5 * 3 = $16, so $16", "$5 * 3 = $15, so $15"),
        ("7 / 2 = 3, 3 * 2 = 6", "7 / 2 = 3.5, 3.5 * 2 = 7"),
        ("3 - 5 = 2, 2 + 1 = 3", "3 - 5 = -2, -2 + 1 = -1"),
        ("2 * 3 = 5, 4 + 1 = 5, 5 + 5 = 10", "2 * 3 = 6, 4 + 1 = 5, 5 + 5 = 10"),
        ("s25+9:33-7:26=27n", "s25+9:34-7:27=27n"),
    ],
)  # fmt: skip
def test_slips_are_put_right_and_carried_on(text: str, mended: str) -> None:
    assert repaired(text) == mended
    assert all(statement.true for statement in statements(mended))


@pytest.mark.parametrize(
    "text",
    ["10/3=3", "10 / 3 = 3.33", "(2 + 3) * 4 = 21", "2x + 3 = 8", "2 + 3 = 4 + 2", "5 = 3",
     "2 + 3 = 6%", "x^2 + 3 = 8", "", "no numbers", "3 * (2 + 1) = 10", "1/0 = 3", "2+" * 5000,
     "9" * 5000 + "=1"],
)  # fmt: skip
def test_what_nobody_can_compute_for_sure_stays(text: str) -> None:
    assert repaired(text) == text


def test_repair_of_a_clean_text_changes_nothing_and_of_a_mended_one_too() -> None:
    rng = random.Random(0)
    for _ in range(300):
        at, steps, slips = rng.randint(1, 50), [], []
        value = at
        for _ in range(rng.randint(1, 4)):
            by, sign = rng.randint(1, 50), rng.choice("+-")
            before, value = value, value + by if sign == "+" else value - by
            steps.append(f"{before} {sign} {by} = {value}")
            slips.append(f"{before} {sign} {by} = {value + rng.choice([0, 1, 10])}")
        clean = "; ".join(steps)
        assert repaired(clean) == clean
        mended = repaired("; ".join(slips))
        assert repaired(mended) == mended


@pytest.mark.parametrize(
    ("verifier", "answer", "text", "own", "mended"),
    [
        ("integer", "20", "2+3=6,6*4=24", WRONG, RIGHT),
        ("number", "16", "5 + 3 = 9, 9 * 2 = 18. The answer is 18.", WRONG, RIGHT),
        ("math", "16", r"5 + 3 = 9, 9 * 2 = 18, so \boxed{18}", WRONG, RIGHT),
        ("integer", "24", "2+3=6,6*4=24", RIGHT, WRONG),  # a lucky slip
        ("integer", "20", "2+3=5,5*4=20", RIGHT, RIGHT),
        ("countdown", PUZZLE, "s25+9:34-7:26=27n25+9:34+7:41=27n>25+9+7", WRONG, RIGHT),
        ("countdown", PUZZLE, "s25+9:34-7:27=27n>25+9+7", WRONG, RIGHT),  # seen as no hit
        ("countdown", PUZZLE, "s25+9:35-8:26=27n>25+9+7", WRONG, WRONG),  # miscopied
        ("countdown", PUZZLE, "r25+9=35,35-7=28>25+9+7", WRONG, WRONG),
        ("countdown", PUZZLE, "r25+9=35,35-7=28>25+9-7", RIGHT, RIGHT),
    ],
)  # fmt: skip
def test_grades_with_a_calculator(
    verifier: str, answer: str, text: str, own: Grade, mended: Grade
) -> None:
    assert EVERY[verifier](text, answer).grade is own
    assert EVERY[graded_as(verifier, "repaired")](text, answer).grade is mended


def test_only_what_is_computed_has_a_repaired_grade() -> None:
    for name in ("choice", "code", "exact", "regex", "yes_no"):
        assert graded_as(name, "repaired") == name


@pytest.mark.parametrize("text", ["", "25+9-7", "The 25+9:34=34n", "s25+9:34-7:27=27y>25+9-7"])
def test_a_search_that_missed_nothing(text: str) -> None:
    assert missed(text) == ""


def test_long_texts_take_no_time() -> None:
    text = "s" + "25+9:34-7:26=27n" * 2000
    assert missed(text) == "25+9-7"
    assert repaired(text) == text.replace("26", "27")
