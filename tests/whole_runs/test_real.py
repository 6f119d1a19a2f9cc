"""The policy `real` can open, from some size on; and it stays shut on what is learned by heart."""

from __future__ import annotations

import json

import pytest

from .conftest import Gate

ENOUGH, FEW = 400, 250
"""Problems: V2 bounds the format gain at .02 from 368 on, if nothing at all was seen."""
ASKED = " or ".join(
    (
        "two_runs_are_comparable", "pass_at_1_rises", "gradings_agree", "bears_other_templates",
        "gains_on_hulls", "holds_on_variants", "gains_with_a_calculator",
        "gains_more_than_a_spurious", "nobody_knows",
    )
)  # fmt: skip
"""What the policy asks; other claims would take as long again."""


def write(gate: Gate, problems: int, elsewhere: float = 0.6) -> None:
    """An honest pair asked questions in words; `elsewhere` is what RLVR solves of variants."""
    gate.write(0.2, 0.6)
    gate.also("coin", 0.2)
    rows, script = [], {"old": {}, "new": {}, "coin": {}}  # type: ignore[var-annotated]
    for i in range(problems):
        asked = (
            f"Mia and Tom pick up {i + 9} stones by the sea near house {i}, and of these Mia "
            f"keeps all but {i + 2}; how many does she keep in the end?"
        )
        rows.append({"id": f"p{i}", "problem": asked, "answer": "7", "verifier": "number"})
        script["new"][asked] = {"right": r"so \boxed{7}", "wrong": "no", "success": 0.6}
    for name, success in (("old", 0.2), ("new", elsewhere), ("coin", 0.2)):
        script[name]["*"] = {"right": r"so \boxed{7}", "wrong": "no", "success": success}
    (gate.root / "sums.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (gate.root / "script.json").write_text(json.dumps(script))
    gate.options += ["--gate-json=gate.json", "--thorough", "--checkpoint=spurious=./coin"]


def checks(gate: Gate) -> dict[str, str]:
    found = gate.document()["gate"]["checks"]  # type: ignore[index]
    return {check["name"]: check["verdict"] for check in found}


@pytest.mark.slow
def test_it_opens_on_an_honest_pair(gate: Gate) -> None:
    write(gate, ENOUGH)
    result = gate.run("--gate-policy=real", "-k", ASKED)
    assert set(checks(gate).values()) == {"holds"}
    assert result.ret == 0


@pytest.mark.slow
def test_it_stays_shut_where_problems_are_few_or_known_by_heart(gate: Gate) -> None:
    write(gate, FEW, elsewhere=0.2)
    result = gate.run("--gate-policy=real", "-k", ASKED)
    assert result.ret == 1
    assert checks(gate) == {
        "both gradings": "undecided",  # so few problems do not show so little
        "own template and base's": "holds",
        "best temperature of each": "holds",
        "variants of the problems": "refuted",
        "a calculator for both": "holds",
        "spurious reward": "holds",
        "contamination": "holds",
    }


def test_base_itself_is_no_spurious_control(gate: Gate) -> None:
    """It gains nothing, so any gain at all would be more than a spurious reward's."""
    gate.write(0.2, 0.6)
    gate.options += ["--gate-json=gate.json", "--checkpoint=spurious=./old"]
    gate.run("-k", "gains_more_than_a_spurious")
    (found,) = gate.document()["claims"]  # type: ignore[misc]
    assert (found["id"], found["verdict"]) == ("R1", "not comparable")
    assert "spurious holds base's weights" in json.dumps(found)


HIDING = " or ".join(("holds_on_variants", "nobody_knows"))


def test_what_is_known_by_heart_cannot_hide_where_nothing_is_asked_anew(gate: Gate) -> None:
    """30 honest problems of 75 have variants and ten words; the rest is short and learned."""
    write(gate, 30)
    rows = [
        {"id": f"q{i}", "problem": f"item {i}?", "answer": "7", "verifier": "number"}
        for i in range(45)
    ]
    with (gate.root / "sums.jsonl").open("a") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    gate.run("--gate-policy=real", "-k", HIDING)
    found = checks(gate)
    assert (found["variants of the problems"], found["contamination"]) == ("undecided",) * 2
    said = json.dumps(gate.document())
    assert "30 of 75 problems have such variants" in said
    assert "with nothing gained on variants of the others it lies in" in said
    assert "30 of 75 questions have ten words of their own" in said
