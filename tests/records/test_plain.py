"""Records to JSON and back: lossless, and nothing malformed comes in."""

from __future__ import annotations

import json
import math
from copy import deepcopy
from dataclasses import fields, replace
from typing import Any

import pytest

from rlvr_gate import Curves, Facts, Heat, Interval, Judgement, Kind, Table, Verdict
from rlvr_gate.records import (
    Alike,
    ClaimRecord,
    Conclusion,
    Crossover,
    Deciding,
    Evidence,
    Expected,
    Guessable,
    GuessFloor,
    JudgedAgain,
    LookTaken,
    Moved,
    Noise,
    Power,
    Side,
    SolvedCounts,
    Target,
    WeightTotals,
    WouldDecide,
)
from rlvr_gate.records.plain import Malformed, packed, told, unpacked

MOVED = (Moved("p1", "3/16", "0/16", "solid"),)
ALL = Evidence(
    sides=(Side("rlvr", "rlvr pass@1", 0.5, 0.25, math.inf),),
    problems=40,
    strata=2,
    clusters=20,
    deciding=(Deciding("p\ud8001", -0.5, {"rlvr pass@1": "0/16"}),),
    targets=(Target("population", True, -0.1, 0.2),),
    scored_by="toy/1",
    guess_floor=GuessFloor(8, 0.1, 3),
    crossover=Crossover(8, None, 4, None, 0.95, (1, 2, 4, 8), "in words"),
    conclusions=(Conclusion("all: 40", 0.1, 0.0, 0.2),),
    guessable=(Guessable("p2", 0.3),),
    count=1,
    total=3,
    solved=SolvedCounts(1, 2, 3, 4, MOVED, ()),
    noise=Noise(8, (Expected("retention", None, 0.9),)),
    no_noise="why",
    alike=(Alike("base", 0.1, 0.2),),
    numbers={"matrices": 3, "alpha": 0.25, "none": None},
    weights=WeightTotals(10, 5, 0.5, relative_update=1e-3),
    shares={"by layer": {"0": 0.5}},
    violations=("Weyl",),
    notes=("a note",),
    incomparable=("a reason",),
    power=Power(0.1, 0.8),
    would_decide=WouldDecide(10, None, "more"),
    look=LookTaken(1, 2, 50, 100, 0.99),
    again=JudgedAgain(2, 0.1, 0.995, "a doubt"),
    exhibits=(
        Table("t", ["a", "b"], [[1, "x"], [None, 0.5], [True, 2]], problems="b", signed=["a"]),
        Curves("c", {"l": [(1, 0.5), (2, 0.25, 0.0, 1)]}, "k", "pass@k"),
        Heat("h", ["r"], ["a", "b"], [[1, None]], "share"),
        Facts({"a": True, "b": "x"}, "f"),
    ),
)  # fmt: skip
CLAIM = ClaimRecord(
    "K1", "text", "", Kind.GATE, "t", "b", 8, 0.02, Verdict.REFUTED,
    (Judgement("a > b", Verdict.REFUTED, math.nan, Interval(-math.inf, 0, 0.95), 0, ">", "b", 8,
               16, ALL, 0.01),),
)  # fmt: skip


def test_every_kind_of_evidence_is_tried_here() -> None:
    assert all(getattr(ALL, each.name) for each in fields(Evidence))


def test_a_record_comes_back_as_it_went() -> None:
    sent = replace(CLAIM, judgements=tuple(replace(j, estimate=0.5) for j in CLAIM.judgements))
    back = unpacked(ClaimRecord, json.loads(json.dumps(packed(sent), allow_nan=False)))
    assert back == sent
    assert json.dumps(told(back)) == json.dumps(told(sent))  # an int stays one


def test_numbers_that_are_not_finite_come_back_too() -> None:
    back = unpacked(ClaimRecord, json.loads(json.dumps(packed(CLAIM), allow_nan=False)))
    assert math.isnan(back.judgements[0].estimate)
    assert back.judgements[0].interval == Interval(-math.inf, 0, 0.95)


def test_nothing_measured_is_nothing_sent() -> None:
    assert packed(Evidence()) == {"is": "Evidence"}
    assert told(Evidence()) == {}
    assert told(Evidence(guessable=(), count=0)) == {"guessable problems": [], "count": 0}


def test_the_document_keeps_its_keys() -> None:
    """What readers of the JSON rely on, spelled once more."""
    document = told(ALL)
    assert list(document) == [
        "curves", "problems", "strata", "independent clusters", "deciding problems", "targets",
        "scored by", "guess floor", "crossover", "conclusions", "guessable problems", "count",
        "total", "preserved", "gained", "lost", "unreached", "lost problems", "gained problems",
        "samples compared", "beside base against itself", "same-model null",
        "samples that agree", "matrices", "alpha", "none", "parameters", "unchanged",
        "unchanged_fraction", "relative_update", "by layer", "violations", "notes",
        "not comparable", "power", "would decide", "look", "judged again", "exhibits",
    ]  # fmt: skip
    assert document["deciding problems"] == [
        {"problem": "p\ud8001", "difference": -0.5, "rlvr pass@1": "0/16"}
    ]
    assert document["guess floor"] == {
        "k": 8, "pass@k by guessing": 0.1, "guessable problems": 3,
    }  # fmt: skip
    assert document["crossover"] == {
        "k": 8, "last lead": None, "low": 4, "high": None, "level": 0.95,
        "ladder": [1, 2, 4, 8], "text": "in words",
    }  # fmt: skip
    assert document["look"] == {
        "number": 1, "of": 2, "problems": 50, "of problems": 100, "level": 0.99,
    }  # fmt: skip
    assert document["curves"][0]["high"] is None
    assert [e["kind"] for e in document["exhibits"]] == ["table", "curves", "heat", "facts"]


def changed(*path: Any, to: Any) -> Any:
    data = deepcopy(packed(CLAIM))
    at = data
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = to
    return data


EVIDENCE = ("judgements", 0, "evidence")
EXHIBIT = (*EVIDENCE, "exhibits")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (None, "expected an object, got None"),
        ([], "expected an object"),
        ({}, "ClaimRecord: .*missing 10 required"),
        ({"is": "Judgement"}, "expected a ClaimRecord"),
        ({"is": "ClaimRecord"}, "missing"),
        (changed("extra", to=1), "ClaimRecord has no 'extra'"),
        (changed("id", to=3), r"ClaimRecord.id: expected str, got 3"),
        (changed("kind", to="boss"), "ClaimRecord.kind: 'boss' is not a valid Kind"),
        (changed("verdict", to=None), "ClaimRecord.verdict"),
        (changed("k", to=True), "ClaimRecord.k: expected int or nothing, got True"),
        (changed("k", to=1.5), "expected int or nothing"),
        (changed("margin", to="wide"), "expected float, got 'wide'"),
        (changed("judgements", to={}), "judgements: expected a list"),
        (changed("judgements", 0, "interval", "low", to=7), "low <= high"),
        (changed("judgements", 0, "interval", to={"is": "Evidence"}), "expected a Interval"),
        (changed(*EVIDENCE, "power", to={"is": "Power"}), "missing 2 required"),
        (changed(*EVIDENCE, "crossover", to={"a": 1}), "expected Crossover or nothing"),
        (changed(*EVIDENCE, "crossover", "ladder", to=["a"]), r"ladder\[0\]: expected int"),
        (changed(*EVIDENCE, "numbers", to=[1]), "numbers: expected an object"),
        (changed(*EVIDENCE, "numbers", "alpha", to="0.5"), "numbers"),
        (changed(*EXHIBIT, 0, "is", to="Popen"), "expected Table or Curves or Heat or Facts"),
        (changed(*EXHIBIT, 0, "rows", 0, to=[1]), "row 1 has 1 cells under a head of 2"),
        (changed(*EXHIBIT, 1, "curves", "l", to=[[2, 1], [1, 1]]), "x that increases"),
        (changed(*EXHIBIT, 2, "values", to=[["nan", 1]]), "finite"),
        (changed(*EXHIBIT, 3, "facts", "a", to={"b": 1}), "facts"),
    ],
)
def test_what_is_malformed_does_not_come_in(data: Any, said: str) -> None:
    with pytest.raises(Malformed, match=said):
        unpacked(ClaimRecord, data)


def test_what_cannot_travel_is_named() -> None:
    with pytest.raises(TypeError, match="expected a record or a JSON value, got complex"):
        packed(replace(ALL, numbers={"z": 1j}))  # type: ignore[dict-item]
