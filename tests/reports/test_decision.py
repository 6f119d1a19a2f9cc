"""The decision: it says what the gate says, what was paid for it, and claims no more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from rlvr_gate.gate.decide import decide
from rlvr_gate.gate.policy import Policy
from rlvr_gate.records import GateState, RunRecord
from rlvr_gate_reports import decision, markdown, terminal

Run = Callable[..., RunRecord]
STATES = ("open", "closed", "undecided", "not comparable")


def every_report(record: RunRecord) -> list[str]:
    """Terminal and Markdown as one line each, signs spelled alike."""
    told = " ".join("".join(s.text for s in line) for line in terminal.summary(record))
    page = markdown.render(record)
    for sign, spelled in (("−", "-"), ("≥", ">="), ("\\", ""), ("\N{NO-BREAK SPACE}", " ")):
        told, page = told.replace(sign, spelled), page.replace(sign, spelled)
    return [" ".join(told.split()), " ".join(page.replace("&gt;", ">").split())]


@pytest.mark.parametrize("state", STATES)
def test_terminal_and_markdown_tell_it_in_the_same_words(run: Run, state: str) -> None:
    record = run(state)
    told = decision.of(record)
    for report in every_report(record):
        assert told.headline in report
        for sentence in told.trade:
            assert sentence.replace("−", "-") in report


def test_an_open_gate_says_what_fell_what_was_lost_and_which_policy_would_close_it(
    run: Run,
) -> None:
    record = run("open")
    told = decision.of(record)
    gap = record.curves["countdown"]["difference"][-1]
    tallies = record.counts["countdown"]
    both = list(zip(tallies["base"], tallies["rlvr"], strict=True))
    lost = [b.problem for b, r in both if b.correct and not r.correct]
    reached = sum(b.correct > 0 for b, _ in both)
    said = " ".join(told.trade)
    assert (told.headline, told.trade_title) == ("May ship", "The trade")
    assert f"pass@{gap.k:g} fell from 0.730 to 0.570 (−0.160 " in said
    assert f"{len(lost)} of {reached} problems that base solved are lost" in said
    assert "--gate-policy=coverage C1 on countdown at k=256 decides too" in said
    assert "the gate would be CLOSED" in said
    assert told.why is not None
    assert told.why.id == "C1"


def test_who_never_leads_has_no_end_of_a_lead(run: Run) -> None:
    record = run("open")
    never = replace(record.crossovers["countdown"], k=1, last_lead=None, low=1)
    said = " ".join(decision.of(replace(record, crossovers={"countdown": never})).trade)
    assert "RLVR leads at no k." in said
    assert "lead ends" not in said


def test_the_first_lost_problem_is_the_largest_loss(run: Run) -> None:
    record = run("open")
    tallies = record.counts["countdown"]
    both = zip(tallies["base"], tallies["rlvr"], strict=True)
    most = max((b for b, r in both if not r.correct), key=lambda tally: tally.correct)
    found = decision.of(record).lost
    assert found is not None
    assert found[0] == "countdown"
    assert found[1].base.correct == most.correct


def test_a_rise_is_no_trade_and_a_wide_interval_no_fall(run: Run) -> None:
    assert decision.of(run("closed")).trade_title == "What changed"
    said = " ".join(decision.of(run("undecided")).trade)
    assert "neither fall nor rise is shown" in said
    assert "fell" not in said


def test_no_policy_is_said_to_close_what_it_would_judge_at_another_margin(run: Run) -> None:
    record = run("open")
    other = [replace(c, margin=0.5) if c.id == "C1" else c for c in record.claims]
    said = " ".join(decision.of(replace(record, claims=other)).trade)
    assert "--gate-policy" not in said


def test_every_claim_that_holds_leaves_no_policy_to_name(run: Run) -> None:
    record = run("open")
    kept = [c for c in record.claims if c.id in ("S2", "K1")]
    assert "--gate-policy" not in " ".join(decision.of(replace(record, claims=kept)).trade)


@pytest.mark.parametrize(
    ("state", "then"),
    [
        ("undecided", "About 120 more problems would decide it"),
        ("not comparable", "Mend that and run again"),
    ],
)
def test_a_gate_that_cannot_say_says_what_to_do(run: Run, state: str, then: str) -> None:
    assert decision.of(run(state)).then.startswith(then)


def test_no_number_is_told_of_runs_that_are_not_comparable(run: Run) -> None:
    assert decision.of(run("not comparable")).trade == ()


@pytest.mark.parametrize("state", [GateState.NO_DECISION, GateState.NOT_FINISHED])
def test_a_run_without_an_answer_never_looks_like_a_verdict(
    minimal_run: RunRecord, state: GateState
) -> None:
    record = replace(minimal_run, gate=replace(minimal_run.gate, state=state))
    told = decision.of(record)
    assert told.headline.startswith("No answer")
    assert not told.trade
    assert not any("ship" in report for report in every_report(record))


def test_a_failed_test_closes_the_gate_and_is_no_verdict_on_rlvr(run: Run) -> None:
    record = run("open")
    failed = replace(record, gate=decide(record.claims, Policy("default"), ["tests/x.py::t"]))
    told = decision.of(failed)
    assert told.failed
    assert told.headline == "Do not ship: the run failed"
    assert "no verdict on RLVR" in told.then
    assert told.trade == ()
    assert "tests/x.py::t" in told.reason


def test_of_several_benchmarks_the_worst_is_told_and_the_others_counted(run: Run) -> None:
    record, better = run("open"), run("closed")
    both = replace(
        record,
        counts={"a": better.counts["countdown"], **record.counts},
        curves={"a": better.curves["countdown"], **record.curves},
    )
    said = " ".join(decision.of(both).trade)
    assert said.startswith("On countdown pass@256 fell")
    assert "Elsewhere pass@k at the largest k rose on a." in said
