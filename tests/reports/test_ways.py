"""Temperatures, templates and variants have a section each, drawn from whatever was asked."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from rlvr_gate.records import PAIR, Ask, CurvePoint, RunRecord
from rlvr_gate_reports import html
from rlvr_gate_reports.html.sections.ways import kind_of

Run = Callable[..., RunRecord]


def page_of(run: Run, *asks: Ask, ks: tuple[float, ...] = (1.0, 16.0)) -> str:
    """A run whose pair was asked so too: base's curve is .2 there, and rlvr's .3 at k = 1."""
    record = run(problems=12, samples=16)
    curves = dict(record.curves["countdown"])
    for ask in asks:
        low = 0.2 if ask.role == "base" else 0.3
        curves[ask.name] = [CurvePoint(k, low / k**0.5, 0.0, 0.5) for k in ks]
    return html.render(replace(record, curves={"countdown": curves}))


def section(page: str, anchor: str) -> str:
    found = re.search(f'<section id="{anchor}">.*?</section>', page, flags=re.S)
    return found[0] if found else ""


def test_every_kind_has_its_section_with_both_ends_of_each_curve(run: Run) -> None:
    asks = [Ask(r, temperature=t, samples=16) for r in PAIR for t in (0.6, 1.4)]
    asks += [Ask(r, chat="none") for r in PAIR] + [Ask(r, variant="isomorphic 1") for r in PAIR]
    page = page_of(run, *asks)
    shown = section(page, "temperatures")
    assert shown.count("<figure>") == 2
    assert shown.count("<tr>") == 1 + 3, "a head, the run's own way and two temperatures"
    assert "<td>temperature 0.6, samples 16</td><td>0.200 [0, 0.500]</td><td>0.300 [" in shown
    assert "At k = 1 rlvr is estimated above base in 3 of 3 ways of asking." in shown
    assert "no chat template" in section(page, "templates")
    assert "isomorphic 1" in section(page, "variants")
    assert "isomorphic" not in section(page, "temperatures")


def test_without_other_ways_there_are_no_such_sections(run: Run) -> None:
    page = page_of(run, Ask("base", samples=4), Ask("rlvr", grading="strict"))
    for anchor in ("temperatures", "templates", "variants"):
        assert section(page, anchor) == ""


def test_one_checkpoint_asked_alone_stands_beside_the_run(run: Run) -> None:
    shown = section(page_of(run, Ask("rlvr", temperature=1.5), ks=(1.0,)), "temperatures")
    assert "<td>temperature 1.5</td><td>–</td>" in shown
    assert "Only rlvr was asked so: no comparison of the two." in shown
    assert "ways of asking." not in shown


def test_many_curves_leave_the_first_picture_to_checkpoints(run: Run) -> None:
    asks = [Ask(r, temperature=t) for r in PAIR for t in (0.2, 0.4, 0.6, 0.8, 1.2, 1.4)]
    page = page_of(run, *asks)
    toggles = re.findall(r'data-curve="\d+">([^<]*)</button>', page)
    assert toggles == ["base", "rlvr"]
    assert "rlvr (temperature 1.2)" in page, "its numbers are in the table of all curves"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        (Ask("base", template="Q: {prompt}").name, "templates"),
        (Ask("base", chat="own", temperature=0.7).name, "temperatures"),
        (Ask("base", problems=("a", "b")).name, ""),
        (Ask("base", variant="direct 2").name, "variants"),
        ("base", ""),
    ],
)
def test_a_way_of_asking_belongs_to_one_section(name: str, kind: str) -> None:
    assert kind_of(name) == kind
