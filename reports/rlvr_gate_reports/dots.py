"""Pictures of many problems: a class is one shape, so that thousands cost no more than a few."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rlvr_gate_reports import words
from rlvr_gate_reports.svg import Svg, picture, text


class Dot(NamedTuple):
    """A problem of the scatter: its class and accuracies."""

    kind: str
    base: float
    rlvr: float


def scatter(dots: Sequence[Dot]) -> Svg:
    """Accuracy of each problem, base across and rlvr up, on square-root scales.

    Below the diagonal RLVR took something away. Shapes say the class: a square is lost, a
    triangle gained, a disc preserved, a ring unreached. A class is one shape, and problems at one
    place are one mark, so that thousands cost nothing; the page's script finds the problem under
    a pointer by the scale it reads from the picture.
    """
    if not dots:
        return Svg("")
    side, left, top = 270.0, 44.0, 28.0

    def at(base: float, rlvr: float) -> tuple[float, float]:
        return left + math.sqrt(base) * side, top + (1 - math.sqrt(rlvr)) * side

    parts = []
    for tick in (0.0, 0.05, 0.25, 0.5, 1.0):
        x, y = at(tick, tick)
        parts.append(
            f'<path class="grid" d="M{left:g} {y:.1f}h{side:g}M{x:.1f} {top:g}v{side:g}"/>'
        )
        parts.append(text(left - 8, y + 4, f"{tick:g}", "end"))
        parts.append(text(x, top + side + 17, f"{tick:g}", "mid"))
    parts.append(f'<path class="zero" d="M{left:g} {top + side:g}L{left + side:g} {top:g}"/>')
    places: dict[str, dict[tuple[float, float], None]] = {}
    for dot in dots:
        x, y = at(min(max(dot.base, 0), 1), min(max(dot.rlvr, 0), 1))
        places.setdefault(dot.kind, {})[round(x, 1), round(y, 1)] = None
    parts += [_dots(kind, places[kind]) for kind in sorted(places)]
    parts.append(text(left + side / 2, top + side + 36, "accuracy of base (√ scale)", "mid"))
    parts.append(text(left, top - 13, "accuracy of rlvr (√ scale)"))
    parts.append(text(left + side + 10, top + 12, "rlvr better", "side"))
    parts.append(text(left + side + 10, top + side - 4, "base better", "side"))
    below = sum(dot.rlvr < dot.base for dot in dots)
    above = sum(dot.rlvr > dot.base for dot in dots)
    spoken = f"accuracy of {len(dots)} problems: rlvr better at {above}, base better at {below}"
    scale = f' data-left="{left:g}" data-top="{top:g}" data-side="{side:g}"'
    return picture(parts, 430, top + side + 46, spoken, more=scale)


def _dots(kind: str, places: Iterable[tuple[float, float]]) -> str:
    shapes = {"lost": "M{0:g} {1:g}m-4-4h8v8h-8z", "gained": "M{0:g} {1:g}m0-5l5 9h-10z"}
    shape = shapes.get(kind, "M{0:g} {1:g}m-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z")
    path = "".join(shape.format(x, y) for x, y in places)
    return f'<path class="dot {words.slug(kind)}" d="{path}"/>'


CELL, IN_A_ROW = 16, 60
"""Pixels of a cell of the strip, and cells of a line."""


def strip(cells: Sequence[tuple[str, str]]) -> Svg:
    """A cell for each problem, in the order of the list below it: class, and how sure.

    Lost cells carry a minus, gained ones a plus; hollow is one lucky sample, pale is thin. As in
    the scatter, cells that look alike are one shape.
    """
    if not cells:
        return Svg("")
    boxes: dict[tuple[str, str], list[str]] = {}
    signs: list[str] = []
    size = CELL - 2
    for place, (kind, sureness) in enumerate(cells):
        x, y = place % IN_A_ROW * CELL + 1, place // IN_A_ROW * CELL + 1
        boxes.setdefault((kind, sureness), []).append(f"M{x} {y}h{size}v{size}h-{size}z")
        if kind in ("lost", "gained") and sureness != "one lucky sample":
            signs.append(f"M{x + 4} {y + 7}h6")
            signs += [f"M{x + 7} {y + 4}v6"] if kind == "gained" else []
    parts = [
        f'<path class="cell {words.slug(kind)} {words.slug(sureness)}" d="{"".join(paths)}"/>'
        for (kind, sureness), paths in boxes.items()
    ]
    parts.append(f'<path class="sign" d="{"".join(signs)}"/>' if signs else "")
    lines = -(-len(cells) // IN_A_ROW)
    kinds = [kind for kind, _ in cells]
    spoken = ", ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds))
    grid = f' data-cell="{CELL}" data-row="{IN_A_ROW}"'
    return picture(parts, IN_A_ROW * CELL, lines * CELL, f"problems: {spoken}", "strip", more=grid)
