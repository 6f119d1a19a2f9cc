"""The same problems asked otherwise: temperatures, templates, variants, a section of each.

Read from the curves of the ways of asking that claims have had drawn, whichever claims they were.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rlvr_gate.records import PAIR, VARIANTS, CurvePoint
from rlvr_gate_reports import svg, words
from rlvr_gate_reports.html.sections.section import Material, Part, Section
from rlvr_gate_reports.reading import otherwise

_KINDS = (
    ("temperatures", "Temperatures", re.compile(r"temperature ")),
    ("templates", "Templates", re.compile(r"template")),
    ("variants", "Variants", re.compile(rf"({'|'.join(VARIANTS)})( |$)")),
)
"""Anchor, title, and how the name of such a way of asking reads behind its role."""
_MOST = 12  # curves of one picture

Points = Sequence[CurvePoint]


@dataclass(frozen=True, slots=True)
class Asked:
    """One benchmark, asked in several ways of one kind."""

    benchmark: str
    diagnosis: str
    pictures: tuple[tuple[str, svg.Svg], ...]
    """Role, and its curves."""
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Ways:
    """The section of one kind."""

    anchor: str
    title: str
    benchmarks: tuple[Asked, ...]


def kind_of(name: str) -> str:
    """Anchor of the section that shows this way of asking; empty where it has none.

    >>> kind_of("rlvr (temperature 0.6, samples 64)"), kind_of("rlvr"), kind_of("base (samples 4)")
    ('temperatures', '', '')
    """
    how = otherwise(name)[1]
    return next((a for a, _, said in _KINDS if how and said.search(how)), "")


def read(material: Material) -> Iterator[Part]:
    """A part for each kind that both checkpoints were asked in."""
    for anchor, title, _ in _KINDS:
        found = tuple(
            asked
            for benchmark, curves in material.record.curves.items()
            if (asked := _asked(benchmark, title, _ways(curves, anchor)))
        )
        if found:
            yield Part(anchor, title, Ways(anchor, title, found))


def _ways(curves: Mapping[str, Points], anchor: str) -> dict[str, dict[str, Points]]:
    """Role -> how it was asked -> its curve; the pair's as the run asks it is among them."""
    ways: dict[str, dict[str, Points]] = {r: {"as the run": curves.get(r, ())} for r in PAIR}
    for name, points in curves.items():
        role, how = otherwise(name)
        if how and role in ways and points and kind_of(name) == anchor:
            ways[role][how] = points
    return ways


def _asked(benchmark: str, title: str, ways: Mapping[str, Mapping[str, Points]]) -> Asked | None:
    both = [how for how in ways["base"] if how in ways["rlvr"]]
    if not any(len(of) > 1 for of in ways.values()) or not all(
        ways[r]["as the run"] for r in PAIR
    ):
        return None
    every = list(dict.fromkeys(how for of in ways.values() for how in of))
    ends = _ends([points for of in ways.values() for points in of.values()])
    rows = tuple(
        (how, *(_at(ways[role].get(how, ()), k) for k in ends for role in PAIR)) for how in every
    )
    pictures = tuple((role, svg.curves(dict(list(ways[role].items())[:_MOST]))) for role in PAIR)
    head = (title[:-1].lower(), *(f"{role} pass@{k}" for k in ends for role in PAIR))
    return Asked(benchmark, _told(ways, both, ends), pictures, head, rows)


def _ends(curves: Sequence[Points]) -> list[int]:
    """The least k and the largest that more than half of them have."""
    ks = [int(p.k) for points in curves for p in points]
    often = [k for k in dict.fromkeys(ks) if 2 * ks.count(k) > len(curves)]
    return list(dict.fromkeys([min(often), max(often)])) if often else [min(ks)]


def _at(points: Points, k: int) -> str:
    found = next((p for p in points if p.k == k), None)
    if found is None:
        return "–"
    bounds = f"[{words.number(found.low)}, {words.number(found.high)}]"
    return f"{words.number(found.value)} {bounds}"


def _told(
    ways: Mapping[str, Mapping[str, Points]], both: Sequence[str], ends: Sequence[int]
) -> str:
    """In how many ways rlvr is the higher one, at either end."""
    if len(both) < 2:
        alone = " and ".join(role for role in PAIR if len(ways[role]) > 1)
        return f"Only {alone} was asked so: no comparison of the two."
    return " ".join(_ahead(ways, both, k) for k in ends)


def _ahead(ways: Mapping[str, Mapping[str, Points]], both: Sequence[str], k: int) -> str:
    at = [[next((p.value for p in ways[r][how] if p.k == k), None) for r in PAIR] for how in both]
    known = [(base, rlvr) for base, rlvr in at if base is not None and rlvr is not None]
    ahead = sum(rlvr > base for base, rlvr in known)
    return f"At k = {k} rlvr is estimated above base in {ahead} of {len(known)} ways of asking."


WAYS = Section("ways.html.j2", read)
