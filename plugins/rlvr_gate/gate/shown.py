"""Evidence as exhibits: what every report draws, whoever measured it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from rlvr_gate.records import Evidence, Exhibit, Facts, Table
from rlvr_gate.records.exhibits import LARGEST, MOST, Cell
from rlvr_gate.records.plain import told
from rlvr_gate.visible import one_line

_PROBLEM, _DIFFERENCE = "problem", "difference"  # as the records of this package say them


@dataclass(frozen=True, slots=True)
class Shown:
    """An exhibit, and how many of its rows were left out."""

    exhibit: Exhibit
    left_out: int = 0


def shown(evidence: Evidence, most: int) -> tuple[Shown, ...]:
    """Facts first, then a table for each kind of evidence, then what the suite put beside it.

    Args:
        most: rows of a table.
    """
    facts = [Shown(each) for each in _facts(evidence)]
    return (*facts, *tables(evidence, most), *exhibits(evidence, most))


def tables(evidence: Evidence, most: int) -> tuple[Shown, ...]:
    """What the judge itself shows as tables."""
    solved = evidence.solved
    kinds: Sequence[tuple[str, Sequence[object] | None]] = (
        ("beside base against itself", evidence.noise.rows if evidence.noise else None),
        ("conclusions", evidence.conclusions),
        ("guessable problems", evidence.guessable),
        ("deciding problems", evidence.deciding),
        ("lost problems", solved.lost_problems if solved else None),
        ("gained problems", solved.gained_problems if solved else None),
        ("samples that agree", evidence.alike),
        ("violations", [{"violation": text} for text in evidence.violations or ()]),
    )
    return tuple(_table(title, rows, most) for title, rows in kinds if rows)


def exhibits(evidence: Evidence, most: int) -> tuple[Shown, ...]:
    """What the suite put beside the verdict."""
    return tuple(_cut(each, most) for each in evidence.exhibits)


def _cut(exhibit: Exhibit, most: int) -> Shown:
    if not isinstance(exhibit, Table) or len(exhibit.rows) <= most:
        return Shown(exhibit)
    return Shown(replace(exhibit, rows=exhibit.rows[:most]), len(exhibit.rows) - most)


def _table(title: str, rows: Sequence[object], most: int) -> Shown:
    """Rows of one record as a table; its head is what the record calls its fields."""
    found: list[Mapping[str, Cell]] = [told(row) for row in rows[:most]]
    keys = list(dict.fromkeys(chain.from_iterable(found)))[: MOST["columns"]]
    head = _heads(keys)
    named = dict(zip(keys, head, strict=True))
    table = Table(
        title,
        head,
        [[_cell(row.get(key)) for key in keys] for row in found],
        problems=named.get(_PROBLEM, ""),
        signed=[named[_DIFFERENCE]] if _DIFFERENCE in named else [],
    )
    return Shown(table, len(rows) - len(found))


def _cell(value: Cell) -> Cell:
    large = isinstance(value, int | float) and abs(value) > LARGEST
    return f"{value:.4g}" if large else value


def _heads(keys: Sequence[str]) -> list[str]:
    """Keys short enough for a head, and still distinct."""
    short = [one_line(key, 80) for key in keys]
    return [f"{name} ({n})" if short.count(name) > 1 else name for n, name in enumerate(short, 1)]


def _facts(evidence: Evidence) -> Iterator[Facts]:
    found: dict[str, Cell] = {
        "problems": evidence.problems,
        "strata": evidence.strata,
        "independent clusters": evidence.clusters,
        "scored by": evidence.scored_by,
        "count": evidence.count,
        "total": evidence.total,
        "same-model null": evidence.no_noise,
    }
    if solved := evidence.solved:
        found |= {"preserved": solved.preserved, "gained": solved.gained,
                  "lost": solved.lost, "unreached": solved.unreached}  # fmt: skip
    if evidence.noise:
        found["samples compared"] = evidence.noise.samples
    known = {name: value for name, value in found.items() if value is not None}
    weights = told(evidence.weights) if evidence.weights else {}
    known |= told(evidence.numbers) | weights
    names = list(known)[: MOST["facts"]]
    if names:
        yield Facts(dict(zip(_heads(names), (_cell(known[name]) for name in names), strict=True)))
    for title, shares in evidence.shares.items():
        yield Facts(dict(list(shares.items())[: MOST["facts"]]), title)
