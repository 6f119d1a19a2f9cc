"""The plane of divergence and forgetting, the table of a real gain, and promoted tokens."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from html import escape
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from rlvr_gate.gate.checks import rows
from rlvr_gate.gate.policy import load_policy
from rlvr_gate.records import Curves, RunRecord
from rlvr_gate_reports import exhibits, html

Run = Callable[..., RunRecord]


def section(page: str, anchor: str) -> str:
    found = re.search(f'<section id="{anchor}">.*?</section>', page, flags=re.S)
    return found[0] if found else ""


def test_the_plane_is_drawn_and_its_ends_are_told(everything: Run) -> None:
    record = everything(problems=12, samples=16)
    shown = section(html.render(record), "divergence")
    assert (
        "rlvr is nearest base (0.021 nats a token) and lost 0.013; "
        "sft is farthest from base (0.310 nats a token) and lost 0.233." in shown
    )
    assert "pass@1 lost on sums, sorting" in shown
    assert shown.count('class="mark') == shown.count('class="label') == 3
    assert "<td>0.310 [0.270, 0.360]</td><td>+0.233</td><td>+0.400</td>" in shown
    assert section(html.render(replace(record, plane=None)), "divergence") == ""


@pytest.mark.parametrize(
    ("lost", "said"),
    [
        ((-0.1, -0.2, -0.3), "and gained 0.100; sft is farthest from base"),
        ((0.0, -0.2, -0.3), "and lost nothing; sft is farthest from base"),
        ((-0.1, -0.2, 0.0), "None lost anything."),
        ((0.1, 0.2, 0.1), "and lost 0.100; step-8 lost 0.200, the most."),
    ],
)
def test_a_gain_is_not_told_as_a_loss(everything: Run, lost: tuple[float, ...], said: str) -> None:
    record = everything(problems=12, samples=16)
    assert record.plane is not None
    rows_ = tuple(
        replace(row, forgotten=f) for row, f in zip(record.plane.rows, lost, strict=True)
    )
    shown = section(html.render(replace(record, plane=replace(record.plane, rows=rows_))),
                    "divergence")  # fmt: skip
    assert said in shown
    assert "lost −" not in shown


def test_without_prior_tasks_it_says_what_was_lost_of_what(everything: Run) -> None:
    record = everything(problems=12, samples=16)
    assert record.plane is not None
    page = html.render(replace(record, plane=replace(record.plane, prior=(), k=16)))
    assert "pass@16 lost on countdown itself" in section(page, "divergence")


@pytest.mark.parametrize("lost", [[0.0] * 20, [n / 100 for n in range(20)], [-0.3, 0.3]])
def test_marks_that_lie_together_have_names_apart_within_the_picture(
    lost: Sequence[float],
) -> None:
    points = {f"step-{n}": [(0.001 * n, f)] for n, f in enumerate(lost)}
    picture = ElementTree.fromstring(exhibits.marks(Curves("plane", points, "KL", "lost")))
    places = [float(t.attrib["y"]) for t in picture.iter("text") if "label" in t.attrib["class"]]
    assert len(places) == len(lost)
    assert all(after - before >= 14.9 for before, after in pairwise(sorted(places)))
    assert 0 < min(places) <= max(places) < float(picture.attrib["viewBox"].split()[3])


def test_the_checks_of_a_real_gain_are_shown_under_every_policy_that_asked_some(
    everything: Run,
) -> None:
    record = everything(problems=12, samples=16)
    shown = section(html.render(record), "diagnosis")
    assert "Is the gain real? <small>not part of this decision</small>" in shown
    for check in load_policy("real").checks:
        assert f'<th scope="row">{escape(check.name).replace("&#x27;", "&#39;")}</th>' in shown
    assert "K3-gain (not run)" in shown
    none = replace(record, claims=[c for c in record.claims if c.id not in ("R1", "S3")])
    assert "Is the gain real?" not in html.render(none)


def test_checks_that_decide_are_shown_as_such(everything: Run) -> None:
    record = everything(problems=12, samples=16)
    decided = rows(load_policy("real").checks, record.claims)
    page = html.render(replace(record, gate=replace(record.gate, checks=decided)))
    assert "What the gain must survive: policy" in page
    assert "not part of this decision" not in page


def test_a_problem_shows_the_tokens_that_are_promoted_in_it(everything: Run) -> None:
    page = html.render(everything(problems=12, samples=16))
    said = "RLVR would choose another token at 3 of 41 positions along base"
    assert said in page
    assert "at 0 of 37 positions" in page
    assert "; the first 1 are shown" in page
    assert "<td><code>Start␣with</code></td><td><code>␣12</code></td><td><code>\\n</code>" in page
