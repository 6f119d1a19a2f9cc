"""The section on behaviour: which claims it draws, under which diagnosis; each exhibit once."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from rlvr_gate.records import ClaimRecord, Evidence, Kind, RunRecord, Side, Table, Verdict
from rlvr_gate_reports import html

Run = Callable[..., RunRecord]
METHODS = Table("Methods", ("method", "base", "rlvr"), [("sums", 0.731, 0.125)])


def about(record: RunRecord, id: str, nodeid: str, **more: object) -> ClaimRecord:
    """A claim that holds, with an exhibit and both sides."""
    evidence = Evidence(
        sides=(Side("rlvr", "rlvr entropy", 0.417, 0.4, 0.43),), exhibits=(METHODS,)
    )
    judged = replace(record.claims[0].judgements[0], verdict=Verdict.HOLDS, evidence=evidence)
    claim = ClaimRecord(id, f"text of {id}", "", Kind.FINDING, nodeid, "countdown", None, 0.0,
                        Verdict.HOLDS, (judged,))  # fmt: skip
    return replace(claim, **more)  # type: ignore[arg-type]  # fields of the record


def section(record: RunRecord, *claims: ClaimRecord) -> str:
    page = html.render(replace(record, claims=[*record.claims, *claims]))
    found = re.search(r'<section id="behaviour">.*?</section>', page, flags=re.S)
    return found[0] if found else ""


def test_claims_about_answers_are_drawn_under_their_diagnosis(run: Run) -> None:
    record = run(problems=4, samples=8)
    shown = section(
        record,
        about(record, "T1", "suites/tokens/test_choices.py::t1"),
        about(record, "K11", "suites/diversity/test_answers.py::k11"),
    )
    tokens, answers = shown.split("<h3>")[1:]
    assert tokens.startswith("Tokens")
    assert "RLVR decides otherwise at few positions." in tokens
    assert '<a href="#claim-t1-on-countdown">T1 on countdown</a> text of T1' in tokens
    assert "<td>0.731</td>" in tokens
    assert "0.417 [0.400, 0.430]" in tokens
    assert "RLVR gives fewer different answers." in answers


def test_what_several_claims_show_alike_is_drawn_once(run: Run) -> None:
    record = run(problems=4, samples=8)
    many = [about(record, f"T{n}", "suites/tokens/test_choices.py::t") for n in range(15)]
    shown = section(record, *many)
    assert shown.count("<td>0.731</td>") == 1
    assert shown.count("text of T") == 12
    assert "and 3 more among the claims" in shown


@pytest.mark.parametrize(
    ("nodeid", "more"),
    [
        ("suites/weights/test_w1.py::w1", {}),
        ("suites/tokens/test_choices.py::t1", {"judgements": (), "skipped": True}),
    ],
)
def test_without_a_judged_claim_there_is_no_section(
    run: Run, nodeid: str, more: dict[str, object]
) -> None:
    record = run(problems=4, samples=8)
    assert section(record, about(record, "T1", nodeid, **more)) == ""


def test_what_a_suite_writes_stays_text(run: Run, hostile_run: RunRecord) -> None:
    record = run(problems=4, samples=8)
    hostile = replace(hostile_run.claims[0], nodeid="suites/tokens/test_x.py::x")
    shown = section(record, hostile)
    assert "&lt;script&gt;" in shown
    assert "<script" not in shown
    assert not set("\x00\x07\x1b\u202e\u2066\ud800") & set(shown)
