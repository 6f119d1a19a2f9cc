"""How a picture looks where no style sheet is allowed: attributes for its classes.

Some servers refuse inline styles (Jenkins does by default), and a shape without attributes is
opaque black. Style sheets override attributes, so light, dark and print stay the page's affair.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

Attributes = Mapping[str, str]

INK, MUTED, LINE, PAGE, PANEL = "#1b2026", "#5c6670", "#dfe3e7", "#ffffff", "#f6f7f8"
ROLES = {
    "base": "#2b6cb0", "rlvr": "#c7510c", "contrast": "#1b7f6e", "difference": INK,
    "c1": "#7a4fb0", "c2": "#6b6b13",
}  # fmt: skip
CLASSES = {"preserved": "#47525e", "gained": "#c7510c", "lost": "#2b6cb0", "unreached": "#cfd5db"}
VERDICTS = {"holds": "#157048", "refuted": "#b0183d", "undecided": "#8a6200"}
OTHER = "#5b4b94"
"""Of a verdict that is none of these."""
_SHAPE: Mapping[str, Attributes] = {
    "grid": {"fill": "none", "stroke": LINE},
    "axis": {"fill": "none", "stroke": MUTED},
    "zero": {"fill": "none", "stroke": INK},
    "cross": {"fill": "none", "stroke": MUTED, "stroke-dasharray": "3 3"},
    "edge": {"fill": "none", "stroke": INK, "stroke-dasharray": "2 3", "stroke-opacity": ".7"},
    "allowed": {"fill": "none", "stroke": "#8a6200", "stroke-width": "5", "stroke-opacity": ".55"},
    "kstar": {"fill": "#8a6200", "fill-opacity": ".16"},
    "claimed": {"fill": PANEL},
    "threshold": {"fill": "none", "stroke": MUTED, "stroke-dasharray": "2 2"},
    "ci": {"fill": "none", "stroke": "currentColor", "stroke-width": "2"},
    "point": {"fill": "currentColor"},
    "track": {"fill": "#cfd5db", "fill-opacity": ".55"},
    "ink": {"fill": INK},
    "side": {"fill": MUTED},
    "mid": {"text-anchor": "middle"},
    "end": {"text-anchor": "end"},
    "small": {"font-size": "11"},
    "sign": {"fill": "none", "stroke": PAGE, "stroke-width": "1.6"},
}
_BY_ROLE: Mapping[str, Attributes] = {
    "line": {"fill": "none", "stroke": "{}", "stroke-width": "2"},
    "band": {"fill": "{}", "fill-opacity": ".15"},
    "mark": {"fill": "{}", "stroke": PAGE},
    "label": {"fill": "{}", "font-weight": "600"},
    "bar": {"fill": "{}"},
    "heat": {"fill": "{}"},
}
_BY_CLASS: Mapping[str, Attributes] = {
    "cell": {"fill": "{}"},
    "dot": {"fill": "{}", "fill-opacity": ".75", "stroke": PAGE, "stroke-width": ".8"},
}
_TOGETHER: Mapping[frozenset[str], Attributes] = {
    frozenset({"line", "base"}): {"stroke-dasharray": "6 3"},
    frozenset({"line", "contrast"}): {"stroke-dasharray": "2 3"},
    frozenset({"line", "d1"}): {"stroke-dasharray": "9 3 2 3"},
    frozenset({"line", "d2"}): {"stroke-dasharray": "12 4"},
    frozenset({"line", "d3"}): {"stroke-dasharray": "5 2 1 2 1 2"},
    frozenset({"mark", "open"}): {"fill": PAGE, "stroke": "{}", "stroke-width": "1.5"},
    frozenset({"bar", "base"}): {"fill": PAGE, "stroke": "{}", "stroke-width": "1.5"},
    frozenset({"dot", "unreached"}): {"fill": "none", "stroke": MUTED, "stroke-width": "1.4"},
    frozenset({"cell", "thin"}): {"fill-opacity": ".45"},
    frozenset({"cell", "one-lucky-sample"}): {
        "fill": "none", "stroke": "{}", "stroke-width": "1.5",
    },
}  # fmt: skip
_CLASS = re.compile(r'class="([^"]*)"')


def painted(parts: str) -> str:
    """Shapes and texts of a picture, each with the attributes of its classes."""
    return _CLASS.sub(lambda found: f"{found[0]}{_spelled(attributes(found[1]))}", parts)


def attributes(classes: str) -> dict[str, str]:
    """What a shape of these classes looks like; empty where they say nothing."""
    names = set(classes.split())
    colour = next((ROLES[n] for n in ("c1", "c2") if n in names), "") or next(
        (shade for name, shade in (*ROLES.items(), *CLASSES.items()) if name in names), OTHER
    )
    found: dict[str, str] = {}
    for table in (_SHAPE, _BY_ROLE, _BY_CLASS):
        for name in sorted(names & table.keys()):
            found |= table[name]
    for together, more in _TOGETHER.items():
        found |= more if together <= names else {}
    return {name: value.format(colour) for name, value in found.items()}


def verdict(name: str) -> str:
    """The colour of a verdict."""
    return VERDICTS.get(name, OTHER)


def _spelled(found: Attributes) -> str:
    return "".join(f' {name}="{value}"' for name, value in found.items())
