"""The report for people: one offline HTML page. The only file that imports Jinja.

Nothing in the page is trusted: autoescape is on, an undefined name is an error, every text goes
through `visible`, no template marks anything as safe (a test reads them), pictures escape
their own labels, and a content security policy lets no script run but the page's own.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from functools import lru_cache
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined

from rlvr_gate.records import RunRecord
from rlvr_gate.visible import capped, visible
from rlvr_gate_reports import svg, words
from rlvr_gate_reports.comparison import Comparison
from rlvr_gate_reports.html import page
from rlvr_gate_reports.html.sections.section import SHOWN_CLAIMS
from rlvr_gate_reports.rendering import Say, silent

_LONGEST = 6_000  # characters of any one text in the page


def render(record: RunRecord) -> str:
    """The whole page; the same record always gives the same text."""
    return "".join(pieces(record))


def pieces(record: RunRecord, say: Say = silent) -> Iterator[str]:
    """The same piece by piece, so that a large page is written without ever being whole.

    Args:
        say: told what is made next, and how many problems of how many are done.
    """
    return _environment().get_template("report.html.j2").generate(
        page=page.build(record, say), record=record,
        script_digest=_digest(_asset("report.js")), style_digest=_digest(_asset("style.css")),
    )  # fmt: skip


def comparison(found: Comparison) -> Iterator[str]:
    """The page of several runs, piece by piece."""
    return _environment().get_template("compare.html.j2").generate(
        found=found, style_digest=_digest(_asset("style.css")),
        claims=found.claims[:SHOWN_CLAIMS], more=max(len(found.claims) - SHOWN_CLAIMS, 0),
        pictures=[(name, svg.curves(of)) for name, of in found.curves.items()],
    )  # fmt: skip


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("rlvr_gate_reports"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        number=words.number,
        count=words.count,
        level=words.level,
        duration=words.duration,
        days_left=words.days_left,
        sentence=words.sentence,
        slug=words.slug,
        short=words.short_digest,
        surprise=words.surprise,
    )
    environment.filters["is"] = words.is_verdict
    environment.globals["asset"] = _Asset
    return environment


class _Asset(str):
    """A style sheet or script of ours, inserted as it is: its digest is in the policy."""

    def __new__(cls, name: str) -> _Asset:
        return super().__new__(cls, _asset(name))

    def __html__(self) -> str:
        return str(self)


def _asset(name: str) -> str:
    return (resources.files("rlvr_gate_reports") / "templates" / name).read_text("utf-8")


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _visible(value: object) -> object:
    trusted = hasattr(value, "__html__")
    return visible(capped(value, _LONGEST)) if isinstance(value, str) and not trusted else value
