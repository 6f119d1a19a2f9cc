"""Pictures: numbers in, SVG text out. No script, no style of its own, no outside reference.

Colours come from the page's CSS classes, so that a picture follows light, dark and print. What
colour says is always said again by shape or word: base is dashed with squares, rlvr solid with
discs, and of the contrasts no two share colour, dash and mark.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape as escape_html

from rlvr_gate.records import PAIR, Crossover, CurvePoint
from rlvr_gate.visible import one_line
from rlvr_gate_reports import paint, words
from rlvr_gate_reports.reading import BINS, Crossing, otherwise, role_order

Point = CurvePoint

_W, _H = 460, 300  # of a chart; drawn at about this size, so text stays readable
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 120, 14, 40
_LABEL_GAP = 15
_BANDED = 4  # curves of which all have bands
_ROOM, _NAME, _LETTER = 9, 24, 6.5  # letters beside a curve, at most, and pixels of one more
_MARK = 12  # pixels of the mark before a name
_BRIEF = (
    (re.compile(r"temperature ([\d.]+)"), r"t\1"),
    (re.compile(r"samples \d+"), ""),
    (re.compile(r"tokens (\d+)"), r"\1 tok"),
    (re.compile(r"template .*"), "template"),
    (re.compile(r"(\d+) problems .*"), r"of \1"),
    (re.compile(r"(\w+) grades"), r"\1"),
)
"""What is asked otherwise, and how it is written beside a curve."""


class Svg(str):
    """SVG text a template may insert as it is; everything in it was escaped here."""

    __slots__ = ()

    def __html__(self) -> str:
        return str(self)


class _Axes:
    """Maps k (log2) and a value to pixels of one chart."""

    def __init__(self, ks: Sequence[int], low: float, high: float, height: int) -> None:
        self.ks, self.low, self.high = ks, low, high
        self.bottom = height - _BOTTOM
        self._first, self._last = math.log2(ks[0]), math.log2(ks[-1])

    def x(self, k: float) -> float:
        span = self._last - self._first
        share = (math.log2(k) - self._first) / span if span else 0.5
        return _LEFT + share * (_W - _LEFT - _RIGHT)

    def scale(self) -> str:
        """Where the first k and the last one are drawn, for the page's script."""
        ends = _LEFT, _W - _RIGHT, _TOP, self.bottom, self.ks[0], self.ks[-1]
        names = ("left", "right", "top", "bottom", "first", "last")
        return "".join(f' data-{name}="{end:g}"' for name, end in zip(names, ends, strict=True))

    def y(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return self.bottom - share * (self.bottom - _TOP)


def curves(
    by_role: Mapping[str, Sequence[Point]],
    crossing: Crossing | None = None,
    found: Crossover | None = None,
    every_k: Mapping[str, Sequence[Point]] | None = None,
) -> Svg:
    """pass@k of each checkpoint against k, with pointwise bands and labels at the end.

    The curve of each role is a group of its own, numbered in the order of roles, so that a page
    can hide it. Where k* is known, the k's that the simultaneous band allows are shaded.

    Args:
        every_k: the same at every k, for the lines; marks stand at the points of `by_role`.
    """
    drawn = {role: _sorted(by_role[role]) for role in role_order(by_role)}
    drawn = {role: points for role, points in drawn.items() if points and role != "difference"}
    if not drawn:
        return Svg("")
    top = max(point.high for points in drawn.values() for point in points)
    high = 1.0 if top > 0.6 else max(math.ceil(10 * top) / 10, 0.1)
    axes = _Axes(_ks(drawn.values()), 0.0, high, _H)
    parts = [_grid(axes, _steps(0.0, high)), _k_axis(axes)]
    css = turns(drawn)
    if found and found.k and found.low is not None and not _anywhere(found):
        parts.insert(0, _allowed(axes, found.k, found.low, found.high))
    elif crossing:
        parts.append(_crossing(axes, crossing))
    names, banded = _briefly(drawn), with_bands(drawn)
    labels, lowest = _end_labels(axes, drawn, css, names)
    wider = _MARK + _LETTER * max(max(map(len, names.values())) - _ROOM, 0)

    def fine(role: str) -> Sequence[Point]:
        return (every_k or {}).get(role) or drawn[role]

    parts += [
        f'<g data-curve="{index}">'
        f"{_band(axes, fine(role), css[role]) if role in banded else ''}"
        f"{_line(axes, points, role, css[role], fine(role))}{labels[role]}</g>"
        for index, (role, points) in enumerate(drawn.items())
    ]
    spoken = ", ".join(
        f"{role} from {words.number(p[0].value)} at k={p[0].k:g} "
        f"to {words.number(p[-1].value)} at k={p[-1].k:g}"
        for role, p in drawn.items()
    )
    size = _W + wider, max(_H, lowest + 12)
    return picture(parts, *size, f"pass@k curves: {spoken}", more=axes.scale())


def difference(
    points: Sequence[Point],
    allowed: tuple[int | None, int | None] | None = None,
    every_k: Sequence[Point] = (),
) -> Svg:
    """rlvr minus base, paired, against k; a full disc where the pointwise interval excludes zero.

    Filled: the pointwise band. Outlined: the band that holds at every k at once, where there is
    one. On the zero line: the k's it allows for the crossover, `allowed` from low to high.
    """
    points = _sorted(points)
    if not points:
        return Svg("")
    height, fine = 220, every_k or points
    reach = max(abs(end) for point in (*points, *fine) for end in _ends(point))
    reach = max(math.ceil(reach * 10) / 10, 0.1)
    axes = _Axes(_ks([points]), -reach, reach, height)
    parts = [_grid(axes, _steps(-reach, reach), signed=True), _k_axis(axes)]
    parts.append(_band(axes, fine, "difference"))
    if all(len(_ends(point)) == 4 for point in fine):
        parts += [_edge(axes, fine, end) for end in (2, 3)]
    zero = axes.y(0)
    parts.append(f'<path class="zero" d="M{_LEFT} {zero:.1f}H{_W - _RIGHT}"/>')
    if allowed and allowed[0] is not None:
        last = allowed[1] or axes.ks[-1]
        span = f"M{axes.x(allowed[0]) - 4:.1f} {zero:.1f}H{axes.x(last) + 4:.1f}"
        parts.append(f'<path class="allowed" d="{span}"/>')
    parts.append(_line(axes, points, "difference", "difference", fine))
    side = _W - _RIGHT + 10
    parts.append(text(side, axes.y(reach / 2) + 4, "rlvr ahead", "side"))
    parts.append(text(side, axes.y(-reach / 2) + 4, "base ahead", "side"))
    outer = points[0], points[-1]
    spoken = " to ".join(f"{words.number(p.value, signed=True)} at k={p.k:g}" for p in outer)
    return picture(parts, _W, height, f"paired difference rlvr minus base: {spoken}",
                   more=axes.scale())  # fmt: skip


def histogram(bins: Mapping[str, Sequence[int]]) -> Svg:
    """Problems per accuracy bin, base and rlvr side by side; 0 and 1 stand apart."""
    roles = [role for role in ("base", "rlvr") if role in bins]
    most = max((n for role in roles for n in bins[role]), default=0)
    if not most:
        return Svg("")
    width, height, left, bottom = _W, 220, 4, 220 - 44
    step = (width - left - 6) / (len(BINS) + 1)
    scale = (bottom - 22) / most
    parts = [f'<path class="axis" d="M{left} {bottom}H{width - 6}"/>']
    for index, label in enumerate(BINS):
        # Half a step of air sets the two exact bins apart from the open ones.
        x = left + step * (index + (0 if index == 0 else 1 if index == len(BINS) - 1 else 0.5))
        bar = step * 0.86 / max(len(roles), 1)
        for place, role in enumerate(roles):
            n = bins[role][index]
            parts.append(
                f'<rect class="bar {role}" x="{x + step * 0.07 + place * bar:.1f}" '
                f'y="{bottom - n * scale:.1f}" width="{bar - 1:.1f}" height="{n * scale:.1f}">'
                f"<title>{role}: {n} problems at {_bin_words(index)}</title></rect>"
            )
            if n and (most < 100 or index in (0, len(BINS) - 1)):
                # Three digits are wider than a bar: let them lean away from the other one.
                lean = (2 * place - 1) * 5 if n >= 100 else 0
                middle = x + step * 0.07 + (place + 0.5) * bar + lean
                parts.append(text(middle, bottom - n * scale - 4, str(n), "mid small"))
        parts.append(text(x + step / 2, bottom + 15, label, "mid small"))
    parts.append(text((left + width) / 2, height - 8, "accuracy of a problem (12 bins)", "mid"))
    spoken = "; ".join(
        f"{role}: {bins[role][0]} never solved, {bins[role][-1]} always solved" for role in roles
    )
    return picture(parts, width, height, f"accuracy histogram: {spoken}")


def forest(low: float, estimate: float, high: float, reach: float, verdict: str) -> Svg:
    """One row of a forest plot: interval and estimate as distances from the threshold.

    Distances are signed towards the claim, so right of the line is the claim's side whatever
    its relation. `reach` is the distance at either edge, shared by all rows.
    """
    width, height, middle = 190, 26, 13

    def x(distance: float) -> float:
        share = min(max(distance / reach, -1.0), 1.0) if reach else 0.0
        return width / 2 + share * (width / 2 - 8)

    ends = "".join(
        f'<path class="ci" d="M{x(sign * reach) - sign * 4:.1f} {middle - 4}'
        f'l{sign * 6} 4l{-sign * 6} 4"/>'
        for sign, distance in ((-1, low), (1, high))
        if sign * distance > reach * 1.0001
    )
    parts = [
        f'<rect class="claimed" x="{width / 2}" y="0" width="{width / 2}" height="{height}"/>',
        f'<path class="threshold" d="M{width / 2} 0V{height}"/>',
        f'<path class="ci" d="M{x(low):.1f} {middle}H{x(high):.1f}"/>',
        ends,
        f'<path class="ci" d="M{x(low):.1f} {middle - 4}v8M{x(high):.1f} {middle - 4}v8"/>'
        if low != high
        else "",
        f'<rect class="point" x="{x(estimate) - 4:.1f}" y="{middle - 4}" width="8" height="8" '
        f'transform="rotate(45 {x(estimate):.1f} {middle})"/>',
    ]
    spoken = f"interval against threshold: {verdict}"
    colour = f' color="{paint.verdict(words.slug(verdict))}"'
    return picture(parts, width, height, spoken, f"forest {words.slug(verdict)}", more=colour)


def proportions(parts: Sequence[tuple[str, int]]) -> Svg:
    """A bar cut into named shares: the solved sets."""
    total = sum(n for _, n in parts)
    if not total:
        return Svg("")
    width, height, x = 940.0, 40, 0.0
    drawn = []
    for label, n in parts:
        size = width * n / total
        drawn.append(
            f'<rect class="cell {words.slug(label)}" x="{x:.1f}" y="0" width="{size:.1f}" '
            f'height="{height}"><title>{escape(label)}: {n} of {total}</title></rect>'
        )
        x += size
    spoken = ", ".join(f"{n} {label}" for label, n in parts)
    return picture(drawn, width, height, f"solved sets: {spoken}", "proportions", stretch=True)


def bar(fraction: float, role: str) -> Svg:
    """A horizontal bar filled to `fraction` in [0, 1]."""
    width, height = 200, 10
    filled = width * min(max(fraction, 0.0), 1.0)
    parts = [
        f'<rect class="track" width="{width}" height="{height}"/>',
        f'<rect class="bar {turns([role])[role]}" width="{filled:.2f}" height="{height}"/>',
    ]
    return picture(parts, width, height, words.number(fraction), "meter", stretch=True)


def heat(
    rows: Sequence[str],
    columns: Sequence[str],
    values: Sequence[Sequence[float | None]],
    role: str,
    what: str,
    *,
    spell: bool = True,
) -> Svg:
    """A table of shares as shades: the fuller the colour, the larger the share, 1 at most.

    Args:
        values: (rows, columns); None leaves a cell empty.
        what: the quantity in words, for those who cannot see it.
        spell: print every share in its cell; else only the ends of each line are labelled.
    """
    known = [value for line in values for value in line if value is not None]
    if not known:
        return Svg("")
    top, left, cell, height = 34 if spell else 6, 118, 58 if spell else 12, 22 if spell else 12
    largest = max(known) or 1.0
    css = turns([role])[role]
    parts = []
    for index, label in enumerate(columns):
        if spell:
            parts.append(text(left + (index + 0.5) * cell, top - 8, cut(label, 9), "mid small"))
    for y, (label, line) in enumerate(zip(rows, values, strict=True)):
        bottom = top + (y + 1) * height
        parts.append(text(left - 8, bottom - height / 2 + 4, cut(label, 18), "end small"))
        for x, value in enumerate(line):
            if value is None:
                continue
            said = f"{label}, {columns[x]}: {words.number(value)}"
            parts.append(
                f'<rect class="heat {css}" x="{left + x * cell}" y="{bottom - height}" '
                f'width="{cell - 1}" height="{height - 1}" '
                f'fill-opacity="{0.06 + 0.74 * value / largest:.3f}"'
                + ("/>" if spell else f"><title>{escape(said)}</title></rect>")
            )
            if spell:
                middle = left + (x + 0.5) * cell
                parts.append(text(middle, bottom - 7, words.brief(value), "mid small ink"))
    spoken = f"{what}: from {words.number(min(known))} to {words.number(max(known))}"
    return picture(parts, left + cell * len(columns) + 6, top + height * len(rows) + 4, spoken)


def picture(parts: Iterable[str], width: float, height: float, label: str, css: str = "chart",
            *, stretch: bool = False, more: str = "") -> Svg:  # fmt: skip
    """Parts as one picture; `label` is what is said of it to those who do not see it.

    Args:
        more: attributes of the whole, for the page's script.
    """
    keep = ' preserveAspectRatio="none"' if stretch else ""
    size = f'width="{width:g}" height="{height:g}" fill="{paint.MUTED}" font-size="12"'
    return Svg(
        f'<svg class="{css}" viewBox="0 0 {width:g} {height:g}" {size}{keep}{more} role="img" '
        f'aria-label="{escape(label)}">{paint.painted("".join(parts))}</svg>'
    )


def _grid(axes: _Axes, values: Sequence[float], *, signed: bool = False) -> str:
    decimals = 2 if values[1] - values[0] < 0.1 else 1
    parts = []
    for value in values:
        y = axes.y(value)
        parts.append(f'<path class="grid" d="M{_LEFT} {y:.1f}H{_W - _RIGHT}"/>')
        said = f"{value:{'+' if signed and value else ''}.{decimals}f}"
        parts.append(text(_LEFT - 8, y + 4, said.replace("-", "−"), "end"))
    return "".join(parts)


def _k_axis(axes: _Axes) -> str:
    every = 1 if len(axes.ks) <= 9 else 2
    shown = [k for index, k in enumerate(axes.ks) if index % every == 0]
    parts = [f'<path class="axis" d="M{_LEFT} {axes.bottom}H{_W - _RIGHT}"/>']
    for k in shown:
        parts.append(f'<path class="axis" d="M{axes.x(k):.1f} {axes.bottom}v4"/>')
        parts.append(text(axes.x(k), axes.bottom + 17, str(k), "mid"))
    middle = (_LEFT + _W - _RIGHT) / 2
    parts.append(text(middle, axes.bottom + 34, "k (log scale)", "mid"))
    return "".join(parts)


def turns(roles: Iterable[str]) -> dict[str, str]:
    """Colour, dash and mark of a role; contrasts take turns.

    Three colours, four dashes and seven marks: the first 84 look different, and of the first seven
    no two share a mark, so that colour is never what tells them apart.
    """
    contrasts = [role for role in roles if role not in ("base", "rlvr", "difference")]
    turns = {r: f"contrast c{n % 3} d{n % 4} m{n % 7}" for n, r in enumerate(contrasts)}
    return {"base": "base", "rlvr": "rlvr", "difference": "difference", **turns}


def _band(axes: _Axes, points: Sequence[Point], css: str) -> str:
    upper = [f"{axes.x(p.k):.1f},{axes.y(p.high):.1f}" for p in points]
    lower = [f"{axes.x(p.k):.1f},{axes.y(p.low):.1f}" for p in reversed(points)]
    return f'<polygon class="band {css}" points="{" ".join([*upper, *lower])}"/>'


def _ends(point: Point) -> tuple[float, ...]:
    """Those of the pointwise interval, and of the band where there is one."""
    if point.band_low is None or point.band_high is None:
        return point.low, point.high
    return point.low, point.high, point.band_low, point.band_high


def _edge(axes: _Axes, points: Sequence[Point], end: int) -> str:
    path = "L".join(f"{axes.x(p.k):.1f} {axes.y(_ends(p)[end]):.1f}" for p in points)
    return f'<path class="edge" d="M{path}"/>'


def _line(axes: _Axes, points: Sequence[Point], role: str, css: str,
          fine: Sequence[Point] = ()) -> str:  # fmt: skip
    """A line along `fine`, or else from point to point, and a mark at each point."""
    at = [(axes.x(p.k), axes.y(p.value)) for p in points]
    path = "L".join(f"{axes.x(p.k):.1f} {axes.y(p.value):.1f}" for p in fine or points)
    marks = "".join(_mark(x, y, p, role, css) for (x, y), p in zip(at, points, strict=True))
    return f'<path class="line {css}" d="M{path}"/>{marks}'


def _mark(x: float, y: float, point: Point, role: str, css: str) -> str:
    signed = role == "difference"
    low, value, high = (
        words.number(end, signed=signed) for end in (point.low, point.value, point.high)
    )
    title = f"<title>{escape(role)} at k={point.k:g}: {value} [{low}, {high}]</title>"
    decided = "" if not signed or point.low > 0 or point.high < 0 else " open"
    return mark(x, y, f"{css}{decided}", title)


_MARKS = {
    "m0": "m0-4.4l4.4 7.6h-8.8z",
    "m1": "m0-4.6l4.6 4.6-4.6 4.6-4.6-4.6z",
    "m2": "m0 4.4l4.4-7.6h-8.8z",
    "m3": "m-1.4-4.2h2.8v2.8h2.8v2.8h-2.8v2.8h-2.8v-2.8h-2.8v-2.8h2.8z",
    "m4": "m-3.4-3.4h6.8v6.8h-6.8z",
    "m5": "m-4.2-3.8h8.4l-8.4 7.6h8.4z",
    "m6": "m0-3.8a3.8 3.8 0 1 0 .01 0z",
}
"""Outlines of the contrasts' marks, about their middle: of the fifth and seventh no more than
the outline is drawn."""
_OUTLINED = ("m4", "m6")


def mark(x: float, y: float, css: str, title: str = "") -> str:
    """The mark of a checkpoint by its `turns`: a square of base, a disc of rlvr."""
    names = css.split()
    if "base" in names:
        return (
            f'<rect class="mark {css}" x="{x - 3:.1f}" y="{y - 3:.1f}" width="6" height="6">'
            f"{title}</rect>"
        )
    shape = next((name for name in names if name in _MARKS), "")
    if shape:
        outlined = " open" if shape in _OUTLINED else ""
        path = f"M{x:.1f} {y:.1f}{_MARKS[shape]}"
        return f'<path class="mark {css}{outlined}" d="{path}">{title}</path>'
    return f'<circle class="mark {css}" cx="{x:.1f}" cy="{y:.1f}" r="3.5">{title}</circle>'


def named(x: float, y: float, said: str, css: str) -> str:
    """A mark and the name of what it stands for, to its right."""
    return mark(x + 4, y, css) + text(x + 13, y + 4, said, f"label {css}")


def _end_labels(
    axes: _Axes,
    drawn: Mapping[str, Sequence[Point]],
    css: Mapping[str, str],
    names: Mapping[str, str],
) -> tuple[dict[str, str], float]:
    """A name at the end of each curve, and how far down the last one stands."""
    wanted = sorted((axes.y(points[-1].value), role) for role, points in drawn.items())
    labels, last = {}, -math.inf
    for y, role in wanted:
        last = max(y, last + _LABEL_GAP)
        label = f"{names[role]} {words.number(drawn[role][-1].value)}"
        labels[role] = named(_W - _RIGHT + 9, last, label, css[role])
    return labels, last


def _briefly(roles: Iterable[str]) -> dict[str, str]:
    """Names short enough to stand beside a curve, and whole where short ones would be alike."""
    short = {role: _brief(role) for role in roles}
    said = list(short.values())
    return {r: cut(r if said.count(name) > 1 else name, _NAME) for r, name in short.items()}


def _brief(role: str) -> str:
    """`base t0.6` for base at that temperature, `rlvr direct 1` for that variant."""
    whose, how = otherwise(role)
    parts = (how or role).split(", ")
    for long, brief in _BRIEF:
        parts = [long.sub(brief, part) for part in parts]
    return " ".join(filter(None, [whose if how else "", *parts])) or role


def with_bands(roles: Sequence[str] | Mapping[str, object]) -> list[str]:
    """Which curves have bands: where there are many, those of the pair alone can be told apart."""
    return [role for role in roles if len(roles) <= _BANDED or role in PAIR]


def _anywhere(found: Crossover) -> bool:
    """Whether the band allows every k, or none of them: there is nothing to see."""
    return found.low == found.ladder[0] and found.high is None


def _allowed(axes: _Axes, k: int, low: int, high: int | None) -> str:
    """k* and the k's that the simultaneous band allows for it, shaded from top to bottom."""
    last = axes.ks[-1] if high is None else high
    start, end = axes.x(max(low, axes.ks[0])), axes.x(min(last, axes.ks[-1]))
    said = f"k* = {k} ({low}–{high})" if high is not None else f"k* = {k} ({low} or later)"
    return (
        f'<rect class="kstar" x="{start - 2:.1f}" y="{_TOP}" width="{end - start + 4:.1f}" '
        f'height="{axes.bottom - _TOP}"/>'
        f'<path class="cross" d="M{axes.x(k):.1f} {_TOP}V{axes.bottom}"/>'
    ) + text(min((start + end) / 2, _W - _RIGHT - 60), axes.bottom - 8, said, "mid small halo")


def _crossing(axes: _Axes, crossing: Crossing) -> str:
    x = axes.x(math.sqrt(crossing.last_lead * crossing.next_k))
    anchor, shift = ("mid", 0) if _LEFT + 60 < x < _W - _RIGHT - 60 else ("", 6)
    label = f"curves cross, k {crossing.last_lead}–{crossing.next_k}"
    return f'<path class="cross" d="M{x:.1f} {_TOP}V{axes.bottom}"/>' + text(
        x + shift, axes.bottom - 8, label, f"{anchor} small halo".strip()
    )


def text(x: float, y: float, said: str, css: str = "") -> str:
    """A text at a place of a picture."""
    return f'<text class="{css}" x="{x:.1f}" y="{y:.1f}">{escape(said)}</text>'


def escape(text: str) -> str:
    """Text as a picture holds it."""
    return escape_html(one_line(text))


def _steps(low: float, high: float) -> list[float]:
    span = high - low
    step = next(s for s in (0.02, 0.05, 0.1, 0.2, 0.5) if span / s <= 5.01)
    if low < 0:
        half = int(high / step + 1e-9)
        return [index * step for index in range(-half, half + 1)]
    return [index * step for index in range(int(high / step + 1e-9) + 1)]


def _ks(curves_: Iterable[Sequence[Point]]) -> list[int]:
    return sorted({int(point.k) for points in curves_ for point in points})


def _sorted(points: Sequence[Point]) -> list[Point]:
    return sorted(points, key=lambda point: point.k)


def _bin_words(index: int) -> str:
    if index in (0, len(BINS) - 1):
        return f"accuracy exactly {0 if index == 0 else 1}"
    low, high = (index - 1) / 10, index / 10
    return f"accuracy in ({low:.1f}, {high:.1f}{')' if index == len(BINS) - 2 else ']'}"


def cut(text: str, most: int) -> str:
    """At most so many characters, the last a sign that there were more."""
    return text if len(text) <= most else text[: most - 1] + "…"
