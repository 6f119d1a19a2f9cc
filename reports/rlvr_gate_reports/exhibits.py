"""Exhibits as pictures and words, whoever made them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import chain

from rlvr_gate.records import Cell, Curves, Exhibit, Facts, Heat, Table
from rlvr_gate_reports import words
from rlvr_gate_reports.svg import Svg, cut, escape, mark, named, picture, text, turns

_W, _H = 460, 280
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 120, 14, 40
_LABEL_GAP, _TICKS = 15, 5
_MARK = 12  # pixels of the mark before a name
_MANY_CELLS = 12  # columns of a map beyond which cells are small and say their number on hover
_ALMOST = 1e-9  # of a step: rounding is no reason to leave out a tick
_ALIKE, _NOTHING = 1e-12, 1e-100  # ends so close, and numbers so small, need room to be drawn
_LOG = 16  # largest over smallest x from which an axis is logarithmic

Point = Sequence[float]


def cell(value: Cell, *, signed: bool = False) -> str:
    """A cell in words: counts with thousands, other numbers with three decimals."""
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "–"}[value]
    if isinstance(value, int):
        return words.count(value)
    if isinstance(value, float):
        return words.number(value, signed=signed)
    return value


def grid(exhibit: Exhibit) -> tuple[list[str], list[list[str]]]:
    """Any exhibit as a head and rows of words, for where there are no pictures."""
    if isinstance(exhibit, Table):
        signed = [name in exhibit.signed for name in exhibit.head]
        return list(exhibit.head), [
            [cell(value, signed=s) for value, s in zip(row, signed, strict=True)]
            for row in exhibit.rows
        ]
    if isinstance(exhibit, Facts):
        return ["", ""], [[name, cell(value)] for name, value in exhibit.facts.items()]
    if isinstance(exhibit, Heat):
        lines = zip(exhibit.rows, exhibit.values, strict=True)
        head = [exhibit.what, *exhibit.columns]
        return head, [[name, *map(words.number, line)] for name, line in lines]
    places = sorted({point[0] for points in exhibit.curves.values() for point in points})
    at = [{point[0]: point for point in points} for points in exhibit.curves.values()]
    rows = [[f"{x:g}", *(_at(points.get(x)) for points in at)] for x in places]
    return [exhibit.x, *exhibit.curves], rows


def _at(point: Point | None) -> str:
    if point is None:
        return "–"
    bounds = f" [{words.number(point[2])}, {words.number(point[3])}]" if point[2:] else ""
    return f"{words.number(point[1])}{bounds}"


class _Axis:
    """Numbers to pixels along one side.

    Args:
        log: logarithmic where they are positive and span much.
        round_: from one round number to another.
    """

    def __init__(
        self, numbers: Sequence[float], start: float, end: float, *, log: bool, round_: bool
    ) -> None:
        low, high = min(numbers), max(numbers)
        self._log = log and low > 0 and high >= _LOG * low
        self._start, self._end = start, end
        self._low, self._high = self._scaled(low), self._scaled(high)
        size = max(abs(self._low), abs(self._high))
        if self._high - self._low <= _ALIKE * size or size < _NOTHING:
            pad = size / 10 if size > _NOTHING else 1.0
            self._low, self._high = self._low - pad, self._high + pad
        self._step = 1.0 if self._log else _round_step((self._high - self._low) / _TICKS)
        if round_:
            self._low = math.floor(self._low / self._step + _ALMOST) * self._step
            self._high = math.ceil(self._high / self._step - _ALMOST) * self._step

    def at(self, number: float) -> float:
        share = (self._scaled(number) - self._low) / (self._high - self._low)
        return self._start + share * (self._end - self._start)

    def ticks(self) -> list[float]:
        """Round numbers from end to end."""
        if self._log:
            steps = range(math.ceil(self._low), math.floor(self._high) + 1)
            return [2.0**step for step in steps[:: max(1, len(steps) // _TICKS)]]
        first = math.ceil(self._low / self._step - _ALMOST)
        last = math.floor(self._high / self._step + _ALMOST)
        return [index * self._step for index in range(first, last + 1)]

    def _scaled(self, number: float) -> float:
        return math.log2(number) if self._log else number


def marks(exhibit: Curves) -> Svg:
    """A mark for each name, named beside it; zero is in the picture, and its line is drawn.

    Names give way to one another downwards, within the picture.
    """
    at = {name: points[0] for name, points in exhibit.curves.items()}
    x = _Axis([0.0, *(p[0] for p in at.values())], _LEFT, _W - _RIGHT, log=False, round_=True)
    y = _Axis([0.0, *(p[1] for p in at.values())], _H - _BOTTOM, _TOP, log=False, round_=True)
    css = turns(at)
    parts = [
        _grid(x, y, exhibit),
        f'<path class="zero" d="M{_LEFT} {y.at(0):.1f}H{_W - _RIGHT}"/>',
    ]
    last = -math.inf
    for name, point in sorted(at.items(), key=lambda of: (y.at(of[1][1]), of[0])):
        place, across = y.at(point[1]), x.at(point[0])
        last = max(place, last + _LABEL_GAP)
        parts.append(_mark(across, place, point, name, css[name]))
        if last - place > 2:
            parts.append(
                f'<path class="grid" d="M{across:.1f} {place:.1f}L{across + 8:.1f} {last:.1f}"/>'
            )
        parts.append(text(across + 10, last + 4, cut(name, 22), f"label {css[name]}"))
    spoken = f"{exhibit.title}: " + ", ".join(
        f"{name} {words.number(p[1])} at {words.number(p[0])}" for name, p in at.items()
    )
    return picture(parts, _W, max(_H, int(last) + 12), spoken)


def curves(exhibit: Curves, reach: Sequence[float] = ()) -> Svg:
    """Lines with their bands, ticks at round numbers, and names at the end of each line.

    Args:
        reach: numbers that the axis of y holds too, so that pictures side by side share one.
    """
    points = list(chain.from_iterable(exhibit.curves.values()))
    x = _Axis([p[0] for p in points], _LEFT, _W - _RIGHT, log=True, round_=False)
    heights = [*reach, *(n for p in points for n in p[1:])]
    y = _Axis(heights, _H - _BOTTOM, _TOP, log=False, round_=True)
    css = turns(exhibit.curves)
    parts = [_grid(x, y, exhibit)]
    parts += [_band(x, y, of, css[name]) for name, of in exhibit.curves.items() if of[0][2:]]
    parts += [_line(x, y, of, name, css[name]) for name, of in exhibit.curves.items()]
    ends = sorted((y.at(of[-1][1]), name) for name, of in exhibit.curves.items())
    last = -math.inf
    for place, name in ends:
        last = max(place, last + _LABEL_GAP)
        parts.append(named(_W - _RIGHT + 9, last, cut(name, 14), css[name]))
    spoken = f"{exhibit.title}: {exhibit.y or 'values'} against {exhibit.x}"
    return picture(parts, _W + _MARK, max(_H, int(last) + 12), spoken)


def heat(exhibit: Heat) -> Svg:
    """Shades: the fuller the larger; of the other colour, and marked by its sign, below zero."""
    known = [value for line in exhibit.values for value in line if value is not None]
    largest = max(map(abs, known), default=0) or 1.0
    spell = len(exhibit.columns) <= _MANY_CELLS
    width, height, left = (58, 22, 118) if spell else (12, 12, 118)
    top = 34 if spell else 6
    parts = [
        text(left + (i + 0.5) * width, top - 8, cut(name, 9), "mid small")
        for i, name in enumerate(exhibit.columns)
        if spell
    ]
    for row, (name, line) in enumerate(zip(exhibit.rows, exhibit.values, strict=True)):
        y = top + row * height
        parts.append(text(left - 8, y + height / 2 + 4, cut(name, 18), "end small"))
        for column, value in enumerate(line):
            if value is not None:
                where = f"{name}, {exhibit.columns[column]}"
                x = left + column * width
                parts.append(_shade(x, y, width, height, value / largest, value, where))
                if spell:
                    shown = words.number(value)
                    parts.append(text(x + width / 2, y + height - 7, shown, "mid small ink"))
    span = f"from {words.number(min(known))} to {words.number(max(known))}" if known else "empty"
    spoken = f"{exhibit.title}: {exhibit.what} {span}"
    sizes = max(left + width * len(exhibit.columns) + 6, _W), top + height * len(exhibit.rows) + 4
    return picture(parts, *sizes, spoken)


def _shade(x: float, y: float, width: int, height: int, share: float, value: float,
           where: str) -> str:  # fmt: skip
    css = "base" if value < 0 else "rlvr"
    return (
        f'<rect class="heat {css}" x="{x}" y="{y}" width="{width - 1}" height="{height - 1}" '
        f'fill-opacity="{0.06 + 0.74 * abs(share):.3f}">'
        f"<title>{escape(f'{where}: {words.number(value)}')}</title></rect>"
    )


def _grid(x: _Axis, y: _Axis, exhibit: Curves) -> str:
    bottom, right = _H - _BOTTOM, _W - _RIGHT
    parts = [f'<path class="axis" d="M{_LEFT} {bottom}H{right}"/>']
    for value in y.ticks():
        at = y.at(value)
        parts.append(f'<path class="grid" d="M{_LEFT} {at:.1f}H{right}"/>')
        parts.append(text(_LEFT - 8, at + 4, _tick(value), "end"))
    for value in x.ticks():
        parts.append(f'<path class="axis" d="M{x.at(value):.1f} {bottom}v4"/>')
        parts.append(text(x.at(value), bottom + 17, _tick(value), "mid"))
    named = f"{exhibit.y} against {exhibit.x}" if exhibit.y else exhibit.x
    parts.append(text((_LEFT + right) / 2, bottom + 34, cut(named, 50), "mid"))
    return "".join(parts)


def _band(x: _Axis, y: _Axis, points: Sequence[Point], css: str) -> str:
    known = [p for p in points if p[2:]]
    upper = [f"{x.at(p[0]):.1f},{y.at(p[3]):.1f}" for p in known]
    lower = [f"{x.at(p[0]):.1f},{y.at(p[2]):.1f}" for p in reversed(known)]
    return f'<polygon class="band {css}" points="{" ".join([*upper, *lower])}"/>'


def _line(x: _Axis, y: _Axis, points: Sequence[Point], name: str, css: str) -> str:
    path = "L".join(f"{x.at(p[0]):.1f} {y.at(p[1]):.1f}" for p in points)
    marks = "".join(_mark(x.at(p[0]), y.at(p[1]), p, name, css) for p in points)
    return f'<path class="line {css}" d="M{path}"/>{marks}'


def _mark(x: float, y: float, point: Point, name: str, css: str) -> str:
    said = f"{name} at {point[0]:g}: {_at(point)}"
    return mark(x, y, css, f"<title>{escape(said)}</title>")


def _tick(value: float) -> str:
    return f"{value:.4g}".replace("-", "−")


def _round_step(about: float) -> float:
    """The next of 1, 2, 5, 10 … up from `about`."""
    power = 10.0 ** math.floor(math.log10(about))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= about * (1 - 1e-9))
