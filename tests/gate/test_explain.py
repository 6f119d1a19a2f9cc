"""A claim in lines of text, and its evidence as exhibits: all of it, in bounds, nothing hidden."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from rlvr_gate.gate.decide import undecidable
from rlvr_gate.gate.explain import drawn, explain, notes, numbers
from rlvr_gate.gate.shown import Shown, exhibits, shown, tables
from rlvr_gate.records import (
    Alike,
    ClaimRecord,
    Conclusion,
    Crossover,
    Curves,
    Deciding,
    Evidence,
    Expected,
    Facts,
    GateState,
    Guessable,
    GuessFloor,
    Heat,
    Interval,
    JudgedAgain,
    Judgement,
    Kind,
    LookTaken,
    Moved,
    Noise,
    Power,
    Side,
    SolvedCounts,
    Table,
    Target,
    Verdict,
    WeightTotals,
    WouldDecide,
)
from rlvr_gate.records.exhibits import MOST

JUDGED = Judgement(
    "rlvr pass@1 > base pass@1", Verdict.UNDECIDED, 0.1, Interval(-0.05, 0.25, 0.95), 0.0, ">",
    "b", 1, 8,
)  # fmt: skip
CLAIM = ClaimRecord(
    "K1", "rlvr solves more", "arXiv:2504.13837", Kind.GATE, "t.py::k1", "countdown", 8, 0.0,
    Verdict.UNDECIDED, (JUDGED,),
)  # fmt: skip


def claim(**evidence: Any) -> ClaimRecord:
    return replace(CLAIM, judgements=(replace(JUDGED, evidence=Evidence(**evidence)),))


def test_a_claim_says_what_it_is_about_and_where_it_comes_from() -> None:
    assert explain(CLAIM) == [
        "gate claim K1 is UNDECIDED: rlvr solves more, countdown, k=8",
        "  rlvr pass@1 > base pass@1   (n=8): undecided",
        "    +0.1  0.95 interval [-0.05, +0.25]  must be > 0",
        "  source: arXiv:2504.13837",
    ]


def test_a_claim_that_compared_nothing_says_why() -> None:
    bare = replace(
        CLAIM, judgements=(), source="", benchmark=None, k=None, reason="compared nothing"
    )
    assert explain(bare) == [
        "gate claim K1 is UNDECIDED: rlvr solves more",
        "  compared nothing",
    ]


def test_what_nobody_measured_is_no_number() -> None:
    assert numbers(JUDGED) == "+0.1  0.95 interval [-0.05, +0.25]  must be > 0"
    unmeasured = replace(JUDGED, estimate=None)
    assert numbers(unmeasured) == "no estimate: nothing was measured  must be > 0"


def test_a_number_about_weights_names_no_samples() -> None:
    bare = replace(CLAIM, judgements=(replace(JUDGED, n=None),))
    assert explain(bare)[1] == "  rlvr pass@1 > base pass@1: undecided"


@pytest.mark.parametrize(
    ("evidence", "line"),
    [
        ({"look": LookTaken(2, 3, 50, 100, 0.98)},
         "judged at look 2 of 3, on 50 of 100 problems, at level 0.98; "
         "the interval holds its 0.95 over all looks"),
        ({"again": JudgedAgain(2, 0.1, 0.995, "a doubt")},
         "judgement 2 of this question that the sample store remembers, at level 0.995; "
         "the interval holds its 0.95 over all of them; a doubt"),
        ({"again": JudgedAgain(1, 0.8, 0.96)},
         "judgement 1 of this question that the sample store remembers, at level 0.96; "
         "the interval holds its 0.95 over all of them"),
        ({"power": Power(0.04, 0.8)},
         "a run of this size detects 0.04 or more beyond the threshold (power 80%)"),
        ({"would_decide": WouldDecide(60, None, "about 60 more problems would decide it")},
         "if the estimate stays where it is: about 60 more problems would decide it"),
        ({"targets": (Target("population", True, -0.05, 0.25),
                      Target("this benchmark", False, 0.01, 0.19))},
         "the interval above is about the population of such problems; "
         "for this benchmark's problems alone it is [+0.01, +0.19]"),
        ({"guess_floor": GuessFloor(8, 0.125, 3)},
         "guessing from the other problems' answers reaches pass@8 0.125; it solves 3 problems"),
        ({"notes": ("stands whatever the cut ones were",)}, "stands whatever the cut ones were"),
        ({"crossover": Crossover(8, 4, 4, 16, 0.95, (4, 8, 16), "rlvr leads up to k=4")},
         "rlvr leads up to k=4"),
        ({"incomparable": ("prompts differ",)}, "not comparable: prompts differ"),
        ({"sides": (Side("rlvr", "rlvr pass@1", 0.5, 0.4, 0.6),)},
         "rlvr pass@1              0.5000  [0.4000, 0.6000]"),
    ],
)  # fmt: skip
def test_every_kind_of_evidence_is_said_in_a_line(evidence: dict[str, Any], line: str) -> None:
    assert f"    {line}" in explain(claim(**evidence))
    assert line not in " ".join(explain(CLAIM))


def test_nothing_is_noted_of_nothing() -> None:
    assert notes(JUDGED) == []


def test_what_an_author_wrote_stays_one_line_each() -> None:
    nasty = "x\n::error::\x1b[2J\u202e" + "y" * 5_000
    lines = explain(replace(
        CLAIM, id=nasty, text=nasty, source=nasty, reason=nasty,
        judgements=(replace(JUDGED, statement=nasty, evidence=Evidence(
            notes=(nasty,), incomparable=(nasty,),
            exhibits=(Facts({nasty: nasty}, nasty),))),),
    ))  # fmt: skip
    assert all(len(line) <= 1_000 and line.isprintable() for line in lines)
    assert not any(line.startswith("::") for line in lines)


def lines_of(exhibit: Any, left_out: int = 0) -> list[str]:
    return drawn(Shown(exhibit, left_out))


def test_a_table_is_drawn_row_by_row_and_counts_what_it_leaves_out() -> None:
    table = Table("By topic", ["topic", "gain", "n"], [["sums", 0.25, 3], [None, -0.5, True]])
    assert lines_of(table, 7) == [
        "By topic:",
        "  topic sums   gain +0.250   n 3",
        "  topic -   gain -0.500   n True",
        "  … and 7 more",
    ]


def test_facts_are_drawn_on_one_line_under_a_title_or_none() -> None:
    assert lines_of(Facts({"a": 1, "b": None})) == ["beside it:", "  a 1   b -"]


@pytest.mark.parametrize("count", [1, 2, 7, 8, 9, 100, 1_000])
def test_a_curve_is_thinned_to_its_ends_and_some_between(count: int) -> None:
    points = [(n, n / 1_000) for n in range(count)]
    title, line = lines_of(Curves("Length", {"rlvr": points}))
    shown = [part.split(" ") for part in line.removeprefix("  rlvr: ").split("   ")]
    xs = [int(x) for x, _ in shown]
    assert title == "Length:"
    assert xs == sorted(set(xs))
    assert (xs[0], xs[-1], len(xs)) == (0, count - 1, min(count, 8))
    assert all(float(y) == pytest.approx(int(x) / 1_000, abs=5e-4) for x, y in shown)


def test_a_band_is_drawn_by_its_middle() -> None:
    assert lines_of(Curves("", {"l": [(1, 0.5, 0.25, 0.75)]}))[1] == "  l: 1 +0.500"


def test_a_map_is_told_by_its_size_and_ends() -> None:
    heat = Heat("Layers", ["0", "1"], ["q", "k", "v"], [[0.5, None, -0.25], [None, None, None]])
    assert lines_of(heat) == ["Layers:", "  2 by 3, from -0.250 to +0.500"]
    assert lines_of(Heat("", ["0"], ["q"], [[None]])) == ["beside it:", "  1 by 1"]


MOVED = tuple(Moved(f"p{n}", "3/16", "0/16", "solid") for n in range(9))
TOLD = {
    "noise": Noise(8, (Expected("retention", 0.5, None),)),
    "conclusions": (Conclusion("all: 40", 0.1, 0.0, 0.2),),
    "guessable": (Guessable("p2", 0.3),),
    "deciding": (Deciding("p1", -0.5, {"rlvr pass@1": "0/16"}),),
    "alike": (Alike("base", 0.1, 0.2),),
    "violations": ("Weyl's bound is exceeded",),
}  # fmt: skip


def test_every_table_of_the_judge_is_shown_under_its_name() -> None:
    found = tables(Evidence(**TOLD, solved=SolvedCounts(1, 9, 9, 4, MOVED, MOVED)), 6)
    assert [each.exhibit.title for each in found] == [
        "beside base against itself", "conclusions", "guessable problems", "deciding problems",
        "lost problems", "gained problems", "samples that agree", "violations",
    ]  # fmt: skip
    assert [each.left_out for each in found] == [0, 0, 0, 0, 3, 3, 0, 0]
    assert tables(Evidence(), 6) == ()


@pytest.mark.parametrize("name", TOLD)
def test_each_alone_is_one_table(name: str) -> None:
    (only,) = tables(Evidence(**{name: TOLD[name]}), 6)
    assert isinstance(only.exhibit, Table)
    assert len(only.exhibit.rows) == 1


def test_deciding_problems_lead_to_their_completions_and_keep_signs() -> None:
    """Labels become columns; a problem that one side lacks has an empty cell."""
    rows = (Deciding("p1", -0.5, {"rlvr": "0/16"}), Deciding("p2", 0.25, {"base": "1/16"}))
    (only,) = tables(Evidence(deciding=rows), 6)
    table = only.exhibit
    assert isinstance(table, Table)
    assert table.head == ("problem", "difference", "rlvr", "base")
    assert table.rows == (("p1", -0.5, "0/16", None), ("p2", 0.25, None, "1/16"))
    assert (table.problems, table.signed) == ("problem", ("difference",))


def test_labels_that_look_alike_when_cut_stay_apart() -> None:
    sides = {f"{'x' * 100}{end}": end for end in "ab"}
    (only,) = tables(Evidence(deciding=(Deciding("p1", 0.5, sides),)), 6)
    table = only.exhibit
    assert isinstance(table, Table)
    assert len(set(table.head)) == 4
    assert table.rows == (("p1", 0.5, "a", "b"),)


def test_more_labels_than_a_table_holds_are_cut_not_refused() -> None:
    sides = {f"label {n}": "1/2" for n in range(200)}
    (only,) = tables(Evidence(deciding=(Deciding("p1", 0.5, sides),)), 6)
    assert isinstance(only.exhibit, Table)
    assert len(only.exhibit.head) == MOST["columns"]


def test_a_suites_table_is_cut_and_nothing_else() -> None:
    table = Table("t", ["a"], [[n] for n in range(10)])
    facts = Facts({str(n): n for n in range(10)})
    found = exhibits(Evidence(exhibits=(table, facts)), 4)
    assert [each.left_out for each in found] == [6, 0]
    assert found[0].exhibit == replace(table, rows=table.rows[:4])
    assert found[1].exhibit == facts
    assert exhibits(Evidence(exhibits=(table,)), 10) == (Shown(table),)


def test_facts_come_first_then_the_judges_tables_then_the_suites() -> None:
    found = shown(Evidence(
        problems=40, strata=2, clusters=20, scored_by="toy/1", count=1, total=3, no_noise="why",
        solved=SolvedCounts(1, 2, 3, 4, MOVED[:1], ()), noise=TOLD["noise"],
        numbers={"alpha": 0.25, "unknown": None}, weights=WeightTotals(10, 5, 0.5),
        shares={"by layer": {"0": 0.5}}, exhibits=(Facts({"own": 1}, "mine"),),
    ), 6)  # fmt: skip
    first, second, *others = (each.exhibit for each in found)
    assert isinstance(first, Facts)
    assert first.facts == {
        "problems": 40, "strata": 2, "independent clusters": 20, "scored by": "toy/1", "count": 1,
        "total": 3, "same-model null": "why", "preserved": 1, "gained": 2, "lost": 3,
        "unreached": 4, "samples compared": 8, "alpha": 0.25, "unknown": None, "parameters": 10,
        "unchanged": 5, "unchanged_fraction": 0.5,
    }  # fmt: skip
    assert (second.title, second.facts) == ("by layer", {"0": 0.5})  # type: ignore[union-attr]
    assert [each.title for each in others] == [
        "beside base against itself", "lost problems", "mine"
    ]  # fmt: skip


def test_nothing_measured_shows_nothing_and_zero_is_something() -> None:
    assert shown(Evidence(), 6) == ()
    (only,) = shown(Evidence(count=0, total=0), 6)
    assert only.exhibit == Facts({"count": 0, "total": 0})


def test_numbers_no_exhibit_holds_are_told_in_words_and_too_many_are_cut() -> None:
    """Beyond 1e100 a number is spelled; a run's facts do not fail for being many."""
    numbers: dict[str, Any] = {"large": 10**101, "small": -1e300}
    numbers |= {f"n{i}": i for i in range(300)}
    shares = {"by layer": {str(i): 0.5 for i in range(300)}}
    first, second = shown(Evidence(numbers=numbers, shares=shares), 6)
    assert isinstance(first.exhibit, Facts)
    assert isinstance(second.exhibit, Facts)
    assert first.exhibit.facts["large"] == "1e+101"
    assert first.exhibit.facts["small"] == "-1e+300"
    assert len(first.exhibit.facts) == len(second.exhibit.facts) == MOST["facts"]


def test_every_field_of_evidence_is_said_or_shown() -> None:
    """A kind of evidence that is added must be told somewhere, or named here."""
    one = {
        "sides": (Side("rlvr", "rlvr pass@1", 0.5, 0.4, 0.6),), "problems": 40, "strata": 2,
        "clusters": 20, "targets": (Target("this benchmark", False, 0.0, 0.1),), "count": 1,
        "scored_by": "toy", "guess_floor": GuessFloor(8, 0.1, 3), "total": 3, "no_noise": "why",
        "crossover": Crossover(8, 4, 4, 16, 0.95, (4, 8), "words"), "numbers": {"a": 1},
        "solved": SolvedCounts(1, 2, 3, 4, (), ()), "weights": WeightTotals(10, 5, 0.5),
        "shares": {"by layer": {"0": 0.5}}, "notes": ("n",), "incomparable": ("r",),
        "power": Power(0.1, 0.8), "would_decide": WouldDecide(1, None, "w"),
        "look": LookTaken(1, 2, 3, 4, 0.9), "again": JudgedAgain(1, 0.8, 0.96),
        "exhibits": (Facts({"a": 1}),), **TOLD,
    }  # fmt: skip
    assert one.keys() == {each.name for each in fields(Evidence)}
    bare = explain(CLAIM)
    for name, value in one.items():
        told = explain(claim(**{name: value})) != bare
        assert told or shown(Evidence(**{name: value}), 6), name


def test_without_a_decision_nobody_gets_through() -> None:
    found = undecidable(["disk full", "no record"], "default")
    assert (found.state, found.exit_status) == (GateState.NO_DECISION, 12)
    assert (found.deciding, found.policy) == (("disk full", "no record"), "default")
