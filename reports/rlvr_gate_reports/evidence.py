"""Evidence of any shape as small tables: what a suite puts in, a reader can open."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rlvr_gate.records import Interval
from rlvr_gate_reports import words

_MOST_ROWS = 50
_SAID_ELSEWHERE = (
    "not comparable",
    "power",
    "would decide",
    "targets",
    "crossover",
    "notes",
    "guess floor",
)


@dataclass(frozen=True, slots=True)
class Link:
    """Text of a cell, with the page's anchor it leads to."""

    text: str
    anchor: str | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """A titled table; without `head` it is a list of facts."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[Link, ...], ...]
    more: int = 0
    """Rows left out; the JSON has them all."""


def blocks(evidence: Mapping[str, object], link: Callable[[str], Link]) -> tuple[Block, ...]:
    """Plain facts first, then one table per nested entry, in the evidence's order."""
    facts = {key: value for key, value in evidence.items() if not _nested(value)}
    nested = {key: value for key, value in evidence.items() if _nested(value) and value}
    shown = {key: value for key, value in nested.items() if key not in _SAID_ELSEWHERE}
    tables = [_table(key, value, link) for key, value in shown.items()]
    return (*([_facts("", facts)] if facts else []), *tables)


def _table(title: str, value: object, link: Callable[[str], Link]) -> Block:
    if isinstance(value, Mapping):
        return _facts(title, value)
    entries = list(value) if isinstance(value, Sequence) else [value]
    more = max(len(entries) - _MOST_ROWS, 0)
    entries = entries[:_MOST_ROWS]
    rows = [entry for entry in entries if isinstance(entry, Mapping)]
    if len(rows) < len(entries):
        return Block(title, (), tuple((Link(_text(entry)),) for entry in entries), more)
    if title == "curves":
        return _estimates(rows)
    head = tuple(dict.fromkeys(str(key) for row in rows for key in row))
    cells = tuple(tuple(_cell(key, row.get(key), link) for key in head) for row in rows)
    return Block(title, head, cells, more)


def _estimates(rows: Sequence[Mapping[str, object]]) -> Block:
    cells = []
    for row in rows:
        low, high, value = (_float(row.get(key)) for key in ("low", "high", "value"))
        text = words.number(value)
        if low is not None and high is not None:
            text += " " + words.interval(Interval(low, high, 0.0))
        cells.append((Link(str(row.get("label", row.get("role", "?")))), Link(text)))
    return Block("both sides", ("quantity", "estimate [interval]"), tuple(cells))


def _facts(title: str, facts: Mapping[str, object]) -> Block:
    rows = ((Link(str(key)), Link(_text(value))) for key, value in facts.items())
    return Block(title, (), tuple(rows))


def _cell(key: str, value: object, link: Callable[[str], Link]) -> Link:
    if key == "problem":
        return link(str(value))
    if key == "difference":
        return Link(words.number(_float(value), signed=True))
    return Link(_text(value))


def _text(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "–"}[value]
    if isinstance(value, int):
        return words.count(value)
    if isinstance(value, float):
        return words.number(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_text(entry)}" for key, entry in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(_text(entry) for entry in value)
    return str(value)


def _nested(value: object) -> bool:
    return isinstance(value, Mapping | Sequence) and not isinstance(value, str)


def _float(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
