"""The style: every text is read on what lies behind it, in light and in dark (WCAG 2.2, 1.4.3)."""

from __future__ import annotations

import re
from importlib import resources

import pytest

STATES = ("holds", "refuted", "undecided", "incomparable")
PAIRS = (
    *((state, f"{state}-soft") for state in STATES),
    *((ink, f"{state}-soft") for ink in ("ink", "muted") for state in STATES),
    *((ink, back) for ink in ("ink", "muted") for back in ("page", "panel")),
)


def themes() -> dict[str, dict[str, str]]:
    """Names of colours -> `#rrggbb`, of either theme."""
    folder = resources.files("rlvr_gate_reports") / "templates"
    blocks = re.findall(r":root \{(.*?)\}", (folder / "style.css").read_text("utf-8"), re.S)
    return {
        theme: dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))
        for theme, block in zip(("light", "dark"), blocks, strict=True)
    }


def luminance(colour: str) -> float:
    """Relative luminance in [0, 1] of `#rrggbb`."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """From 1 (alike) to 21 (black on white)."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_black_on_white_is_21() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("text", "behind"), PAIRS)
def test_text_stands_out(theme: str, text: str, behind: str) -> None:
    colours = themes()[theme]
    assert contrast(colours[text], colours[behind]) >= 4.5
