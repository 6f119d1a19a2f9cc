"""What stands beside a verdict, for the page: exhibits as tables, facts and pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from rlvr_gate.gate.shown import Shown, shown
from rlvr_gate.records import Cell, Curves, Evidence, Facts, Interval, Side, Table
from rlvr_gate_reports import exhibits, words
from rlvr_gate_reports.html.problems import Place
from rlvr_gate_reports.svg import Svg


@dataclass(frozen=True, slots=True)
class Link:
    """Text of a cell, with the place in the page it leads to."""

    text: str
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """A titled picture or table; a table without `head` is a list of facts."""

    title: str
    head: tuple[str, ...] = ()
    rows: tuple[tuple[Link, ...], ...] = ()
    more: int = 0
    """Rows left out; the JSON has them all."""
    picture: Svg = field(default_factory=Svg)
    note: str = ""


def blocks(evidence: Evidence, link: Callable[[str], Link], most: int) -> tuple[Block, ...]:
    """Facts first, then both sides, then tables, then what the suite put beside them.

    Args:
        most: rows of a table.
    """
    drawn = [_block(each, link) for each in shown(evidence, most)]
    facts = sum(not block.title for block in drawn[:1])
    return (*drawn[:facts], *_estimates(evidence.sides or ()), *drawn[facts:])


def _block(each: Shown, link: Callable[[str], Link]) -> Block:
    exhibit = each.exhibit
    if isinstance(exhibit, Table):
        return _table(exhibit, each.left_out, link)
    if isinstance(exhibit, Facts):
        rows = ((Link(name), Link(exhibits.cell(value))) for name, value in exhibit.facts.items())
        return Block(exhibit.title, rows=tuple(rows))
    if isinstance(exhibit, Curves):
        return Block(exhibit.title, picture=exhibits.curves(exhibit))
    return Block(exhibit.title, picture=exhibits.heat(exhibit), note=exhibit.what)


def _table(table: Table, left_out: int, link: Callable[[str], Link]) -> Block:
    def cell(name: str, value: Cell) -> Link:
        if name == table.problems and name:
            return link(str(value))
        return Link(exhibits.cell(value, signed=name in table.signed))

    rows = tuple(
        tuple(cell(name, value) for name, value in zip(table.head, row, strict=True))
        for row in table.rows
    )
    return Block(table.title, tuple(table.head), rows, left_out)


def _estimates(sides: Sequence[Side]) -> Iterator[Block]:
    rows = tuple(
        (Link(side.label), Link(f"{words.number(side.value)} {_bounds(side)}")) for side in sides
    )
    if rows:
        yield Block("both sides", ("quantity", "estimate [interval]"), rows)


def _bounds(side: Side) -> str:
    return words.interval(Interval(side.low, side.high, 0.0))
