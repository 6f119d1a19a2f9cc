"""What the page holds as data until somebody asks: problem rows and texts.

A problem is a handful of numbers and up to some dozen texts. As elements, thousands of them would
make a page that no browser likes; as data they cost their compressed bytes, and the page's script
draws what is looked at. Everything goes through `visible` and is shown as text alone.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rlvr_gate.visible import visible

_UNSAFE = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}
_LEVEL = 6  # of deflate; 9 takes half as long again and saves a hundredth


class Data(str):
    """Text that a template may insert as it is: no `<`, `>` or `&` is in it."""

    __slots__ = ()

    def __html__(self) -> str:
        return str(self)


@dataclass(frozen=True, slots=True)
class Island:
    """A block of data in the page, by the id of its element."""

    anchor: str
    data: Data


def plain(anchor: str, value: object) -> Island:
    """A JSON value, readable as it stands."""
    return Island(anchor, Data(_json(value).translate(_UNSAFE)))


def deflated(anchor: str, value: object) -> Island:
    """The same, compressed (zlib, base64)."""
    return Island(anchor, Data(_encoded(_json(value))))


def cost(values: Sequence[object]) -> float:
    """Bytes of the page for each character of these texts' JSON, compressed together."""
    text = _json(values)
    return len(_encoded(text)) / max(len(text), 1)


def _json(value: object) -> str:
    return json.dumps(_seen(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _seen(value: object) -> object:
    """The same with every text made visible."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, dict):
        return {visible(str(key)): _seen(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_seen(entry) for entry in value]
    return value


def _encoded(text: str) -> str:
    return base64.b64encode(zlib.compress(text.encode(), _LEVEL)).decode()


def blocks(anchor: str, entries: Iterator[object], each: int) -> Iterator[Island]:
    """Entries, so many of them together: `anchor-0`, `anchor-1`, …"""
    held: list[object] = []
    number = 0
    for entry in entries:
        held.append(entry)
        if len(held) == each:
            yield deflated(f"{anchor}-{number}", held)
            held, number = [], number + 1
    if held:
        yield deflated(f"{anchor}-{number}", held)
