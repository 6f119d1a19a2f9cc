"""What a report's document holds beside a verdict, as lines of a terminal.

The document may be anybody's: whatever is no table is told as it stands, and everything is cut.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeGuard

from rlvr_gate.visible import one_line
from rlvr_gate_reports import words

_ROWS, _COLUMNS = 6, 8  # shown of a table
_CELL, _LINE = 44, 200  # characters


def lines(evidence: Mapping[str, object]) -> Iterator[str]:
    """Of each entry a line, or a table below its name."""
    for key, value in evidence.items():
        if key == "exhibits" and isinstance(value, list):
            for exhibit in value:
                yield from _exhibit(exhibit)
        else:
            yield from _entry(key, value)


def _entry(key: str, value: object) -> Iterator[str]:
    if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
        head = list(dict.fromkeys(name for row in value for name in row))
        yield from _table(key, head, [[row.get(name) for name in head] for row in value])
    elif isinstance(value, dict):
        yield _line(f"  {key}: " + ", ".join(f"{k} {_cell(v)}" for k, v in value.items()))
    elif value not in ([], {}, None, ""):
        yield _line(f"  {key}: {_cell(value, _LINE)}")


def _exhibit(exhibit: object) -> Iterator[str]:
    found = exhibit if isinstance(exhibit, dict) else {}
    kind, title = found.get("kind"), str(found.get("title") or "beside it")
    rows, head = found.get("rows"), found.get("head")
    if kind == "table" and isinstance(head, list) and _are_rows(rows):
        yield from _table(title, head, rows)
    elif kind == "facts" and isinstance(found.get("facts"), dict):
        yield from _table(title, [], [[name, value] for name, value in found["facts"].items()])
    elif kind in ("curves", "heat"):
        yield _line(f"  {title}: a picture, in the page of the report")
    else:
        yield from _entry(title, exhibit if not isinstance(exhibit, dict) else json.dumps(exhibit))


def _are_rows(rows: object) -> TypeGuard[list[list[object]]]:
    return isinstance(rows, list) and all(isinstance(row, list) for row in rows)


def _table(title: str, head: Sequence[object], rows: Sequence[Sequence[object]]) -> Iterator[str]:
    cells = [[_cell(value) for value in row[:_COLUMNS]] for row in rows[:_ROWS]]
    shown = [[_cell(name) for name in head[:_COLUMNS]], *cells] if head else cells
    columns = max(map(len, shown), default=0)
    widths = [max(len(row[n]) for row in shown if n < len(row)) for n in range(columns)]
    yield _line(f"  {title}")
    for row in shown:
        padded = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=False))
        yield _line("    " + "  ".join(padded).rstrip())
    if len(rows) > _ROWS:
        yield f"    and {len(rows) - _ROWS:,} more"


def _cell(value: object, most: int = _CELL) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return words.number(value)
    return one_line(value if isinstance(value, str) else json.dumps(value), most)


def _line(text: str) -> str:
    return one_line(text, _LINE)
