"""What all reports share: classes, bins, orders, sentences, numbers."""

from __future__ import annotations

import doctest
import math
from collections.abc import Callable
from dataclasses import replace
from itertools import product

import pytest

from rlvr_gate.records import (
    CurvePoint,
    ErrorControl,
    Evidence,
    Interval,
    Judgement,
    Kind,
    LookedAt,
    LookTaken,
    RunRecord,
    Saving,
    Tally,
    Verdict,
)
from rlvr_gate.stats.adaptive import Rounds
from rlvr_gate_reports import html, markdown, reading, words
from rlvr_gate_reports.reading import Crossing
from rlvr_gate_reports.terminal import summary

Run = Callable[..., RunRecord]


@pytest.mark.parametrize("module", [reading, words])
def test_the_examples_in_the_docstrings_run(module: object) -> None:
    results = doctest.testmod(module)  # type: ignore[arg-type]  # a module is one
    assert results.attempted > 0
    assert results.failed == 0


@pytest.mark.parametrize(
    ("correct", "place"),
    [(0, 0), (1, 1), (10, 1), (11, 2), (20, 2), (50, 5), (90, 9), (91, 10), (99, 10), (100, 11)],
)
def test_accuracy_bins_are_those_of_the_paper(correct: int, place: int) -> None:
    bins = reading.histogram([Tally("p", 100, correct)])
    assert len(bins) == 12
    assert bins[place] == sum(bins) == 1


@pytest.mark.parametrize(
    ("base", "rlvr", "kind"),
    [(3, 1, "preserved"), (0, 1, "gained"), (1, 0, "lost"), (0, 0, "unreached")],
)
def test_a_problem_is_classed_by_who_solved_it(base: int, rlvr: int, kind: str) -> None:
    counts = {"base": [Tally("p", 8, base)], "rlvr": [Tally("p", 8, rlvr)]}
    assert [problem.kind for problem in reading.solved(counts)] == [kind]


def test_only_problems_both_checkpoints_tried_are_classed() -> None:
    counts = {"base": [Tally("a", 1, 0), Tally("b", 1, 0)], "rlvr": [Tally("b", 1, 1)]}
    assert [problem.problem for problem in reading.solved(counts)] == ["b"]
    assert reading.solved({"base": [Tally("a", 1, 0)]}) == []


def test_what_rests_on_luck_is_said() -> None:
    base = [Tally("a", 8, 1), Tally("b", 8, 5), Tally("c", 8, 0), Tally("d", 8, 3)]
    rlvr = [Tally("a", 8, 0), Tally("b", 8, 0), Tally("c", 8, 2), Tally("d", 8, 1)]
    problems = reading.solved({"base": base, "rlvr": rlvr})
    assert words.luck(problems) == (
        "Of 2 lost: 1 solid, 1 one lucky sample; of 1 gained: 1 thin. Solid: at 5 % over all "
        "problems together."
    )
    assert words.luck(problems[3:]) == ""


@pytest.mark.parametrize(
    ("gaps", "found"),
    [
        ([0.1, 0.05, -0.1], Crossing(2, 4)),
        ([0.1, -0.05, 0.1, -0.1], Crossing(4, 8)),
        ([0.1, 0.0, -0.1], Crossing(1, 2)),
        ([0.1, 0.05], None),
        ([-0.1, -0.05], None),
        ([-0.1, 0.05], None),
        ([0.1, 0.0], None),
        ([], None),
    ],
)
def test_curves_cross_where_the_lead_ends_for_good(
    gaps: list[float], found: Crossing | None
) -> None:
    points = [CurvePoint(2.0**i, gap, gap, gap) for i, gap in enumerate(gaps)]
    assert reading.crossover(points) == found


def test_claims_are_ordered_as_people_count(run: Run) -> None:
    claims = run(problems=4).claims
    named = [replace(claims[0], id=name) for name in ("K10", "K2", "W1", "K2")]
    assert [c.id for c in sorted(named, key=reading.claim_order)] == ["K2", "K2", "K10", "W1"]


def test_what_went_wrong_is_shown_first(run: Run) -> None:
    shown = reading.for_readers(run("open").claims, Kind.FINDING)
    verdicts = [claim.verdict for claim in shown]
    assert verdicts[0] is Verdict.REFUTED
    assert verdicts[-1] is Verdict.HOLDS


def test_a_judgement_that_does_not_hold_still_shows_its_numbers(run: Run) -> None:
    # Judgement is falsy unless it holds: `if judgement` would hide exactly what matters.
    claim = next(c for c in run("closed").claims if c.id == "K1")
    assert not claim.judgements[0]
    assert "needs >\u00a00, got −0." in words.because(claim)


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("open", "Every gate claim holds: RLVR raises pass@1 (K1 on countdown: +0."),
        ("closed", "K1 on countdown is refuted: rlvr pass@1 > base pass@1 needs"),
        ("undecided", "K1 on countdown is undecided: rlvr pass@1 > base pass@1 needs"),
        ("not comparable", "S2 on countdown is not comparable: truncation rates differ by 10.8%"),
    ],
)
def test_the_gate_says_why_in_a_sentence(run: Run, state: str, reason: str) -> None:
    assert words.gate_reason(run(state)).startswith(reason)


def test_a_gate_that_judged_nothing_says_so(minimal_run: RunRecord) -> None:
    said = "The run was not whole, so nothing is decided: no gate claim was judged."
    assert words.gate_reason(minimal_run) == said


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0"), (1.0, "1.000"), (0.5, "0.500"), (-0.02, "−0.020"), (0.9996, "0.9996"),
        (0.99999999, "1.0000000"), (1e-9, "1.0e−09"), (0.0004, "0.0004"), (float("nan"), "–"),
        (1234.5, "1,234"), (-0.0, "0"),
    ],
)  # fmt: skip
def test_rounding_never_makes_a_false_zero(value: float, shown: str) -> None:
    assert words.number(value) == shown


def test_an_estimate_is_never_without_its_interval() -> None:
    judgement = Judgement(
        "x > 0", Verdict.HOLDS, 0.1, Interval(-0.02, 0.2, 0.95), 0.0, ">", None, None, None
    )
    assert words.estimate(judgement) == "+0.100 [−0.020, +0.200]"
    exact = replace(judgement, interval=Interval(0.1, 0.1, 0.95))
    assert words.estimate(exact) == "0.100 exact"
    assert words.estimate(replace(exact, n=64)) == "0.100 [0.100, 0.100]", "sampled, however sure"
    assert words.estimate(replace(exact, estimate=3.0, interval=Interval(3, 3, 0.95))) == "3 exact"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.04, "< 0.1 s"),
        (1.31, "1.3 s"),
        (83.2, "1 min 23 s"),
        (59.9, "60 s"),
        (7800, "2 h 10 min"),
    ],
)
def test_durations_are_short(seconds: float, shown: str) -> None:
    assert words.duration(seconds) == shown


RULE = Rounds((16, 64), 4)


def test_accuracy_of_a_problem_that_a_rule_stopped_is_that_of_the_rule() -> None:
    """Over every outcome of a problem that is right one time in five it averages to .2."""
    small, p, mean = Rounds((2, 4), 1), 0.2, 0.0
    for outcomes in product((0, 1), repeat=4):
        chance = math.prod(p if one else 1 - p for one in outcomes)
        n = 2 if sum(outcomes[:2]) else 4
        mean += chance * reading.accuracy(Tally("p", n, sum(outcomes[:n]), rounds=small))
    assert mean == pytest.approx(p)
    assert reading.accuracy(Tally("p", 64, 5, rounds=RULE)) < 5 / 64


def test_problems_asked_less_far_than_others_are_in_no_solved_set() -> None:
    whole, part = RULE, RULE.upto(1)
    counts = {
        role: [Tally("a", 16, 5, rounds=whole), Tally("b", 16, 0, rounds=part)]
        for role in ("base", "rlvr")
    }
    assert [found.problem for found in reading.solved(counts)] == ["a"]
    same = {role: [Tally("b", 16, 0, rounds=part)] for role in ("base", "rlvr")}
    assert [found.problem for found in reading.solved(same)] == ["b"]  # less far than nobody
    recorded = {role: [Tally("a", 8, 1), Tally("b", 16, 1)] for role in ("base", "rlvr")}
    assert len(reading.solved(recorded)) == 2


def test_bins_of_adaptive_samples_are_of_the_unbiased_accuracy() -> None:
    tallies = [Tally("a", 64, 0, rounds=RULE), Tally("b", 16, 16, rounds=RULE),
               Tally("c", 64, 1, rounds=RULE)]  # fmt: skip
    bins = reading.histogram(tallies)
    assert (bins[0], bins[1], bins[-1]) == (1, 1, 1)


@pytest.mark.parametrize("write", ["html", "markdown", "terminal"])
def test_every_report_says_what_was_saved(run: Run, write: str) -> None:
    looks = LookedAt(1, 2, 50, 100, to_the_end=50)
    saved = Saving(1_000, 20_000, 4_000, 60_000, {"countdown": looks})
    record = replace(run(problems=4, samples=8), rounds=Rounds((8,), 2), saving=saved)
    if write == "terminal":
        text = "\n".join("".join(span.text for span in line) for line in summary(record))
    else:
        text = {"html": html.render, "markdown": markdown.render}[write](record)
    text = " ".join(text.split())
    assert "1,000 of 4,000 completions (4.0x fewer), 20,000 of about 60,000 tokens" in text
    assert "50 of 100 problems asked: every claim was settled at look 1 of 2" in text
    assert "daptive samples" in text


def test_what_was_skipped_comes_last_and_is_not_undecided(run: Run) -> None:
    record = run()
    findings = [claim for claim in record.claims if claim.kind is Kind.FINDING]
    first, *_ = reading.for_readers(findings, Kind.FINDING)
    skipped = replace(first, judgements=(), verdict=Verdict.UNDECIDED, skipped=True,
                      reason="needs --checkpoint sft=REF", id="Z")  # fmt: skip
    claims = [claim if claim is not first else skipped for claim in record.claims]
    assert reading.for_readers(claims, Kind.FINDING)[-1].id == "Z"
    assert words.findings(replace(record, claims=claims)).endswith(", 1 was skipped.")


def test_a_claim_settled_early_says_on_how_many_problems() -> None:
    look = LookTaken(1, 3, 50, 100, 0.99)
    judged = Judgement("", Verdict.HOLDS, 0.1, Interval(0, 1, 0.95), 0.0, ">", "b", 1, 4,
                       Evidence(look=look))  # fmt: skip
    assert words.asked(judged) == "50 of 100 problems"
    all_of_them = Evidence(look=replace(look, problems=100))
    assert words.asked(replace(judged, evidence=all_of_them)) == ""
    assert words.asked(None) == words.asked(replace(judged, evidence=Evidence())) == ""


def test_looks_in_words() -> None:
    look = LookedAt(2, 2, 100, 100, to_the_end=50)
    assert words.looks(look) == "100 of 100 problems asked, 50 of them to the end, in 2 looks"
    assert words.saving(None) == ""


def test_the_error_rates_say_over_which_judgements_they_hold(run) -> None:
    def told(judged: int | None, unremembered: int = 0) -> tuple[str, str]:
        record = run()
        errors = ErrorControl(1, 0.025, 0.025, 0, judged)
        record = replace(
            record,
            gate=replace(record.gate, errors=errors),
            sampled=replace(record.sampled, unremembered=unremembered),
        )
        return words.release_and_block(record), words.error_line(record)

    assert "They count one judgement of one checkpoint" in told(None)[0]
    assert "over all" not in told(None)[1]
    assert "remembers, and this is the first;" in told(1)[0]
    assert "remembers, and this is number 3;" in told(3)[0]
    assert "; over all judgements, this is number 3" in told(3)[1]
    record = run()
    some = replace(record, gate=replace(record.gate, errors=ErrorControl(4, 0.025, 0.1, 3)))
    assert words.error_line(some).endswith("; nominal for 3 of 4 comparisons")
    for text in told(1, 640):
        assert "640 completions were in the store before the first judgement it remembers" in text
