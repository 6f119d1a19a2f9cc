"""What others wrote is shown as it is, and can do nothing."""

from __future__ import annotations

import sys
import unicodedata

import pytest

from rlvr_gate.visible import MOST_LINES, capped, for_log, harmless, one_line, visible

EVERY = "".join(map(chr, range(sys.maxunicode + 1)))


def test_nothing_that_cannot_be_seen_survives() -> None:
    shown = visible(" ".join(EVERY))
    hidden = {c for c in shown if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Cn", "Zl", "Zp")}
    assert hidden == {"\n", "\t"}


@pytest.mark.parametrize(
    "text",
    ["naïve 漢字", "👩\u200d🔬", "❤\ufe0f", "1\ufe0f\u20e3", "می\u200cخواهم", "e\u0301", "\xa0"],
)
def test_what_people_write_stays(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u200db", "a⟨U+200D⟩b"), ("\u3164", "⟨U+3164⟩"), ("x\ufe0f", "x⟨U+FE0F⟩"),
        ("é\u200d\u200d\u200da", "é\u200d⟨U+200D⟩⟨U+200D⟩a"), ("\ud800", "⟨U+D800⟩"),
        ("\x9b2J", "⟨U+009B⟩2J"), ("\x7f\r\0", "␡␍␀"), ("\uffff\U0001fffe", "⟨U+FFFF⟩⟨U+1FFFE⟩"),
    ],
)  # fmt: skip
def test_what_hides_is_named(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize("text", ["x" * 2_000, "\u202e" * 900, "\n" * 1_001, "x" * 1_000])
def test_one_line_is_one_and_no_longer_than_asked(text: str) -> None:
    shown = one_line(text)
    assert len(shown) <= 1_000
    assert "\n" not in shown
    assert shown == text or shown.endswith(f"… ({len(text):,} characters)")


def test_what_is_capped_says_how_long_it_was() -> None:
    assert capped("short", 30) == "short"
    assert capped("x" * 2_000, 30) == "xxxxxxxxxx… (2,000 characters)"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("::error::x", "\\::error::x"), ("  \xa0::x", "  \xa0\\::x"), ("a ::x", "a ::x"),
        ("a ##[error]x", "a ##\\[error]x"), ("##VSO[task]", "##\\VSO[task]"),
        ("##teamcity[x", "##\\teamcity[x"), ("## heading [x]", "## heading [x]"),
    ],
)  # fmt: skip
def test_no_line_is_an_order(line: str, shown: str) -> None:
    assert harmless(line) == shown
    assert harmless(shown) == shown


def test_a_message_for_a_log_keeps_its_lines_and_ends() -> None:
    lines = for_log("a\n::b\r::c\u2028::d\n" + "x\n" * 1_000).split("\n")
    assert lines[:2] == ["a", "\\::b␍::c⟨U+2028⟩::d"]
    assert len(lines) == MOST_LINES + 1
    assert lines[-1] == f"… and {1_003 - MOST_LINES} more lines"


@pytest.mark.parametrize("mark", ["\u0301", "\u20dd", "\u0489", "\u1ab0"])
def test_marks_piled_on_a_letter_cover_no_other_line(mark: str) -> None:
    assert visible(f"e{mark * 5_000}x") == f"e{mark * 8}⟨4,992 marks⟩x"
    assert visible(mark * 9) == f"{mark * 8}⟨1 marks⟩"
    assert visible(f"é{mark * 8}é{mark * 8}") == f"é{mark * 8}é{mark * 8}"
    assert len(one_line(f"e{mark * 900}")) < 40


def test_writing_that_needs_marks_is_left_as_it_is() -> None:
    for said in ("क्षत्रिय", "ﷺ الْحَمْدُ لِلَّٰهِ", "Tiếng Việt", "בְּרֵאשִׁ֖ית", "ที่นี่", "e\u0301\u0323\u0308"):
        assert visible(said) == said
