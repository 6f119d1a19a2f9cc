"""What a suite may put beside a verdict: a table, curves, a heat map, facts.

Reports draw these without knowing who made them, so what is wrong is refused where it is made: the
author sees the line that made it. Texts are made visible and cut, numbers are plain and finite
(None where there is none), and each is small enough to travel and to be read. `KIND` is what the
JSON document calls it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from numbers import Integral, Real
from typing import Any, ClassVar

from rlvr_gate.visible import one_line

Cell = str | int | float | bool | None
"""What a table or a fact holds; None where there is nothing."""

LARGEST = 1e100
LONGEST = 400
"""Characters of a title, a label or a cell; longer ones are cut."""
MOST = {"rows": 1_000, "columns": 50, "curves": 20, "points": 1_000, "facts": 200, "side": 200}
"""The largest exhibit: rows and columns of a table, and so on; `side` of a map."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a head.

    Args:
        problems: the column that holds problem ids, which lead to their completions.
        signed: columns whose numbers are differences, printed with their sign.

    Raises:
        TypeError, ValueError: a cell that is no text or finite number, a row of another length,
            a column that is not in the head, or more than `MOST`.
    """

    KIND: ClassVar[str] = "table"
    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    problems: str = ""
    signed: Sequence[str] = ()

    def __post_init__(self) -> None:
        where = _title(self)
        head = tuple(_text(name, f"{where}, head") for name in _list(self.head, f"{where}, head"))
        _bounded(head, "columns", where)
        _distinct(head, f"{where}, head")
        rows = _list(self.rows, f"{where}, rows")
        _bounded(rows, "rows", where)
        _set(self, head=head, rows=tuple(_row(r, head, f"{where}, row {n}")
                                         for n, r in enumerate(rows, 1)))  # fmt: skip
        signed = tuple(_text(name, where) for name in _list(self.signed, f"{where}, signed"))
        _set(self, signed=signed, problems=_text(self.problems, where))
        for name in (*signed, *filter(None, [self.problems])):
            if name not in head:
                raise ValueError(f"{where}: no column {name!r}, only {', '.join(head)}")


@dataclass(frozen=True, slots=True)
class Curves:
    """Lines by name, each a sequence of points `(x, y)` or `(x, y, low, high)`, x increasing.

    Args:
        x, y: what the axes are, in words.

    Raises:
        TypeError, ValueError: no curve, a point that is none, numbers that are not finite, x that
            does not increase, low > high, or more than `MOST`.
    """

    KIND: ClassVar[str] = "curves"
    title: str
    curves: Mapping[str, Sequence[Sequence[float]]]
    x: str = "x"
    y: str = ""

    def __post_init__(self) -> None:
        where = _title(self)
        _set(self, x=_text(self.x, where), y=_text(self.y, where))
        named = _named(self.curves, "curves", where)
        if not named:
            raise ValueError(f"{where} needs a curve, got none")
        curves = {name: _points(of, f"{where}, curve {name!r}") for name, of in named.items()}
        _set(self, curves=curves)


@dataclass(frozen=True, slots=True)
class Heat:
    """A map: one number for each row and column, drawn as shades; None leaves a cell empty.

    Args:
        values: `(rows, columns)`.
        what: the quantity, in words.

    Raises:
        TypeError, ValueError: a line of another length, a value that is no finite number, or more
            than `MOST`.
    """

    KIND: ClassVar[str] = "heat"
    title: str
    rows: Sequence[str]
    columns: Sequence[str]
    values: Sequence[Sequence[float | None]]
    what: str = ""

    def __post_init__(self) -> None:
        where = _title(self)
        for side in ("rows", "columns"):
            names = _list(getattr(self, side), f"{where}, {side}")
            _bounded(names, "side", where)
            if not names:
                raise ValueError(f"{where} needs {side}, got none")
            _set(self, **{side: tuple(_text(name, f"{where}, {side}") for name in names)})
        lines = _list(self.values, f"{where}, values")
        if len(lines) != len(self.rows):
            raise ValueError(f"{where} needs {len(self.rows)} lines of values, got {len(lines)}")
        values = tuple(self._line(line, f"{where}, row {name!r}")
                       for name, line in zip(self.rows, lines, strict=True))  # fmt: skip
        _set(self, values=values, what=_text(self.what, where))

    def _line(self, line: object, where: str) -> tuple[float | None, ...]:
        values = _list(line, where)
        if len(values) != len(self.columns):
            raise ValueError(f"{where} needs {len(self.columns)} values, got {len(values)}")
        return tuple(None if value is None else _number(value, where) for value in values)


@dataclass(frozen=True, slots=True)
class Facts:
    """A few named texts and numbers.

    Raises:
        TypeError, ValueError: a value that is no text or finite number, or more than `MOST`.
    """

    KIND: ClassVar[str] = "facts"
    facts: Mapping[str, Cell]
    title: str = ""

    def __post_init__(self) -> None:
        where = _title(self)
        named = _named(self.facts, "facts", where)
        _set(
            self, facts={name: _cell(value, f"{where}, {name!r}") for name, value in named.items()}
        )


Exhibit = Table | Curves | Heat | Facts


def _title(exhibit: Any) -> str:
    """Set the title; where the exhibit is, for messages: `Table 'By topic'`."""
    kind = type(exhibit).__name__
    title = _text(exhibit.title, f"{kind}, title")
    _set(exhibit, title=title)
    return f"{kind} {title!r}" if title else kind


def _set(exhibit: object, **fields: object) -> None:
    for name, value in fields.items():
        object.__setattr__(exhibit, name, value)


def _text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{where} needs text, got {_told(value)}")
    return one_line(value, LONGEST)


def _number(value: object, where: str) -> int | float:
    """A plain finite number, numpy's included."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{where} needs a number, got {_told(value)}")
    found = int(value) if isinstance(value, Integral) else float(value)
    if not abs(found) <= LARGEST:
        raise ValueError(
            f"{where} needs finite numbers up to {LARGEST:g}, got {found:.4g}: None for none"
            if isinstance(found, float)
            else f"{where} needs numbers up to {LARGEST:g}, got one of {found.bit_length()} bits"
        )
    return found


def _cell(value: object, where: str) -> Cell:
    if value is None or isinstance(value, bool):
        return value
    return _text(value, where) if isinstance(value, str) else _number(value, where)


def _row(row: object, head: Sequence[str], where: str) -> tuple[Cell, ...]:
    cells = _list(row, where)
    if len(cells) != len(head):
        raise ValueError(f"{where} has {len(cells)} cells under a head of {len(head)}")
    return tuple(_cell(value, f"{where}, {name!r}")
                 for name, value in zip(head, cells, strict=True))  # fmt: skip


def _points(points: object, where: str) -> tuple[tuple[float, ...], ...]:
    listed = _list(points, where)
    _bounded(listed, "points", where)
    found = tuple(_point(point, f"{where}, point {n}") for n, point in enumerate(listed, 1))
    if not found:
        raise ValueError(f"{where} needs a point, got none")
    if any(after[0] <= before[0] for before, after in pairwise(found)):
        raise ValueError(f"{where} needs x that increases, got {[p[0] for p in found][:8]}")
    return found


def _point(point: object, where: str) -> tuple[float, ...]:
    numbers = tuple(_number(value, where) for value in _list(point, where))
    if len(numbers) not in (2, 4):
        raise ValueError(f"{where} needs (x, y) or (x, y, low, high), got {len(numbers)} numbers")
    if numbers[2:] and numbers[2] > numbers[3]:
        raise ValueError(f"{where} needs low <= high, got {numbers[2]}, {numbers[3]}")
    return numbers


def _list(value: object, where: str) -> Sequence[object]:
    """A list, a tuple or an array."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, str | bytes) or not isinstance(value, Sequence):
        raise TypeError(f"{where} needs a list, got {_told(value)}")
    return value


def _named(value: object, what: str, where: str) -> dict[str, object]:
    if not isinstance(value, Mapping):
        raise TypeError(f"{where} needs {what} by name, got {_told(value)}")
    _bounded(value, what, where)
    names = tuple(_text(name, where) for name in value)
    _distinct(names, where)
    return dict(zip(names, value.values(), strict=True))


def _distinct(names: Sequence[str], where: str) -> None:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"{where} names {twice!r} twice")


def _bounded(listed: Collection[object], what: str, where: str) -> None:
    if len(listed) > MOST[what]:
        raise ValueError(f"{where} holds at most {MOST[what]:,} {what}, got {len(listed):,}: "
                         "show the ones that matter")  # fmt: skip


def _told(value: object) -> str:
    return f"{type(value).__name__} {one_line(repr(value), 80)}"
