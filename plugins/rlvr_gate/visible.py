"""Text of others made fit to be read: nothing hidden, nothing endless, nothing a CI log obeys.

Ids, claims, paths, completions and messages may hold whatever their authors like. Pages pass them
through `visible`, names and cells through `one_line`, what is printed through `for_log`.
"""

from __future__ import annotations

import re
import unicodedata

LONGEST_LINE = 1_000
"""Characters of a line that is printed."""
_MOST_MARKS = 8
"""Marks over one letter; writing needs four or five."""
MOST_LINES = 400
"""Lines of one message that is printed."""

_OTHER = re.compile(r"[^\n\t -~]+")
_JOINING = "\u200c\u200d\ufe0e\ufe0f"
"""Emoji and several scripts need them; beside ASCII they only hide."""
_BLANK = (
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
    + "".join(map(chr, range(0xFE00, 0xFE0E)))
    + "".join(map(chr, range(0xE0100, 0xE01F0)))
)
"""Letters and marks that are drawn as nothing."""
_UNSEEN = frozenset(_BLANK)
_COMMAND = re.compile(r"^(\s*)(?=::)|(?<=##)(?=(?:vso|teamcity)?\[)", re.IGNORECASE)
"""What GitHub (`::` at the start of a line, `##[` anywhere), Azure and TeamCity obey."""


def visible(text: str) -> str:
    """Text with what cannot be seen made visible; lines and tabs stay.

    Control characters become their pictures; bidirectional controls, other format characters,
    blank letters, half surrogates and what is no character their code points. Of marks piled on
    one letter the first few are drawn, and the others counted.

    >>> visible("a\\x00b\\u202ec")
    'a␀b⟨U+202E⟩c'
    """
    return _OTHER.sub(_shown, text)


def capped(text: str, most: int) -> str:
    """At most `most` characters; of a longer text its beginning, and how long it was.

    >>> capped("x" * 50, 30)
    'xxxxxxxxxxxxx… (50 characters)'
    """
    return text if len(text) <= most else _cut(text, most, len(text))


def one_line(text: str, most: int = LONGEST_LINE) -> str:
    """Visible text on one line of at most `most` characters.

    >>> one_line("two\\nlines")
    'two lines'
    """
    shown = visible(text[: most + 1]).replace("\n", " ").replace("\t", " ")
    return shown if len(shown) <= most else _cut(shown, most, len(text))


def for_log(text: object, most: int = LONGEST_LINE) -> str:
    """Lines fit to be printed where a CI system listens: seen, capped, and none of them an order.

    >>> for_log("seen\\n::error::\\x1b[2J")
    'seen\\n\\\\::error::␛[2J'
    """
    lines = str(text).split("\n")
    shown = [harmless(one_line(line, most)) for line in lines[:MOST_LINES]]
    more = len(lines) - len(shown)
    return "\n".join([*shown, f"… and {more:,} more lines"] if more else shown)


def harmless(line: str) -> str:
    """A line that no CI system takes for an order: `\\::error`, `##\\[error]`."""
    return _COMMAND.sub(lambda found: f"{found[0]}\\", line)


def _cut(text: str, most: int, length: int) -> str:
    note = f"… ({length:,} characters)"
    return text[: max(most - len(note), 0)] + note


def _shown(found: re.Match[str]) -> str:
    run = _unpiled(found[0])
    if run.isprintable() and _UNSEEN.isdisjoint(run) and not _joined(run):
        return run
    return "".join(_character(run, place) for place in range(len(run)))


def _unpiled(run: str) -> str:
    """No more marks over one letter than a script needs: piled up they cover other lines."""
    if len(run) <= _MOST_MARKS:
        return run
    kept, piled = list[str](), 0
    for character in [*run, ""]:
        if character and unicodedata.category(character) in ("Mn", "Me"):
            piled += 1
            kept += [character] if piled <= _MOST_MARKS else []
            continue
        kept += [f"⟨{piled - _MOST_MARKS:,} marks⟩"] if piled > _MOST_MARKS else []
        kept.append(character)
        piled = 0
    return "".join(kept)


def _joined(run: str) -> bool:
    return any(joining in run for joining in _JOINING)


def _character(run: str, place: int) -> str:
    character = run[place]
    category, code = unicodedata.category(character), ord(character)
    if code < 0x20 or code == 0x7F:
        return chr(0x2400 + code) if code < 0x20 else "␡"
    if character in _JOINING:
        return character if _joins(run, place) else f"⟨U+{code:04X}⟩"
    if category in ("Cc", "Cf", "Cs", "Cn", "Zl", "Zp") or character in _UNSEEN:
        return f"⟨U+{code:04X}⟩"
    return character


def _joins(run: str, place: int) -> bool:
    """Whether one of its neighbours, none of them ASCII, is a letter or picture to be joined."""
    beside = run[max(place - 1, 0) : place] + run[place + 1 : place + 2]
    return any(unicodedata.category(other)[0] in "LMSN" and other not in _JOINING
               for other in beside)  # fmt: skip
