"""Exhibits: what is wrong is refused where it is made, what is right is plain and harmless."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from rlvr_gate import Curves, Facts, Heat, Table
from rlvr_gate.records.exhibits import LONGEST, MOST, Exhibit

EVIL = "a\x1b[2J\u202eb\nc"


class Loud(str):
    """A text that would rather be something else."""

    __slots__ = ()

    def __html__(self) -> str:
        return "<script>"


REFUSED: dict[str, tuple[Callable[[], Exhibit], type[Exception], str]] = {
    "ragged rows": (
        lambda: Table("By topic", ["topic", "n"], [["sums", 1], ["primes"]]), ValueError,
        r"^Table 'By topic', row 2 has 1 cells under a head of 2$",
    ),
    "a row that is a text": (lambda: Table("", ["a"], ["b"]), TypeError, "row 1 needs a list"),
    "rows that are none": (lambda: Table("", ["a"], 3), TypeError, "rows needs a list, got int 3"),  # type: ignore[arg-type]
    "a cell that is a list": (
        lambda: Table("t", ["a"], [[[1]]]), TypeError, r"row 1, 'a' needs a number, got list",  # type: ignore[list-item]
    ),
    "a cell that is NaN": (
        lambda: Table("t", ["a"], [[math.nan]]), ValueError,
        "finite numbers up to 1e[+]100, got nan: None for none",
    ),
    "a cell that is bytes": (lambda: Table("t", ["a"], [[b"x"]]), TypeError, "got bytes"),  # type: ignore[list-item]
    "a cell beyond all measure": (lambda: Facts({"a": 10**101}), ValueError, "one of 336 bits"),
    "a complex cell": (lambda: Facts({"a": 1j}), TypeError, "'a' needs a number, got complex"),  # type: ignore[dict-item]
    "a head twice": (lambda: Table("t", ["a", "a"], []), ValueError, "names 'a' twice"),
    "heads alike once cut": (
        lambda: Table("t", ["a" * 500 + "b", "a" * 500 + "c"], []), ValueError, "twice",
    ),
    "no such column": (
        lambda: Table("t", ["a"], [], problems="id"), ValueError, "no column 'id', only a",
    ),
    "no such signed column": (lambda: Table("t", ["a"], [], signed=["d"]), ValueError, "'d'"),
    "too many rows": (
        lambda: Table("t", ["a"], [[1]] * (MOST["rows"] + 1)), ValueError,
        "at most 1,000 rows, got 1,001: show the ones that matter",
    ),
    "too many columns": (
        lambda: Table("t", list(map(str, range(51))), []), ValueError, "at most 50",
    ),
    "a title that is none": (lambda: Facts({}, None), TypeError, "Facts, title needs text"),  # type: ignore[arg-type]
    "facts that are a list": (lambda: Facts([("a", 1)]), TypeError, "needs facts by name"),  # type: ignore[arg-type]
    "a fact named by a number": (lambda: Facts({1: 2}), TypeError, "needs text, got int 1"),  # type: ignore[dict-item]
    "too many facts": (
        lambda: Facts(dict.fromkeys(map(str, range(201)))), ValueError, "at most 200",
    ),
    "no curve": (lambda: Curves("c", {}), ValueError, "Curves 'c' needs a curve, got none"),
    "a curve without points": (lambda: Curves("c", {"a": []}), ValueError, "needs a point"),
    "a point of three": (lambda: Curves("c", {"a": [(1, 2, 3)]}), ValueError, "got 3 numbers"),
    "a point that is infinite": (
        lambda: Curves("c", {"a": [(1, math.inf)]}), ValueError, "point 1 needs finite numbers",
    ),
    "x that stands still": (
        lambda: Curves("c", {"a": [(1, 2), (1, 3)]}), ValueError, "needs x that increases",
    ),
    "an interval upside down": (
        lambda: Curves("c", {"a": [(1, 2, 3, 1)]}), ValueError, "needs low <= high, got 3, 1",
    ),
    "a map of another size": (
        lambda: Heat("h", ["r"], ["a", "b"], [[1]]), ValueError, "row 'r' needs 2 values, got 1",
    ),
    "a map of other rows": (
        lambda: Heat("h", ["r"], ["a"], [[1], [2]]), ValueError, "needs 1 lines of values, got 2",
    ),
    "an empty map": (lambda: Heat("h", [], [], []), ValueError, "needs rows, got none"),
    "a map of truths": (lambda: Heat("h", ["r"], ["a"], [[True]]), TypeError, "got bool True"),
    "a map too large": (
        lambda: Heat("h", ["r"], list(map(str, range(201))), [[1] * 201]), ValueError,
        "at most 200 side",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_wrong_is_refused_where_it_is_made(name: str) -> None:
    make, error, said = REFUSED[name]
    with pytest.raises(error, match=said):
        make()


def test_numbers_become_plain_whoever_counted_them() -> None:
    table = Table("t", ["a", "b"], [[np.float32(0.5), np.int64(3)]])
    assert [type(cell) for cell in table.rows[0]] == [float, int]
    heat = Heat("h", ["r"], ["a", "b"], np.array([[1.0, 2.0]]))
    assert heat.values == ((1.0, 2.0),)
    assert Curves("c", {"a": np.array([[1, 2], [2, 3]])}).curves == {"a": ((1, 2), (2, 3))}


def test_texts_of_others_are_seen_and_short() -> None:
    found = Table(EVIL, [EVIL], [[EVIL], ["x" * 10_000]])
    assert found.title == found.head[0] == found.rows[0][0] == "a␛[2J⟨U+202E⟩b c"
    assert len(str(found.rows[1][0])) == LONGEST
    assert Facts({EVIL: EVIL}).facts == {"a␛[2J⟨U+202E⟩b c": "a␛[2J⟨U+202E⟩b c"}


def test_a_text_does_not_keep_what_its_class_can_do() -> None:
    assert type(Table("t", ["a"], [[Loud("b")]]).rows[0][0]) is str
    assert type(Facts({Loud("a"): 1}, Loud("t")).title) is str


def test_what_a_suite_changes_later_is_not_what_was_shown() -> None:
    rows, facts = [[1]], {"a": 1}
    table, shown = Table("t", ["a"], rows), Facts(facts)
    rows[0][0], facts["a"] = 2, 2
    assert (table.rows, shown.facts) == (((1,),), {"a": 1})
