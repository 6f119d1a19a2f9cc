"""The same completions graded strictly, leniently and as clean solutions, in whole runs."""

from __future__ import annotations

import json

import pytest

from .conftest import SUITES, Gate

CLEAN = """
import pytest
from rlvr_gate import claim

@claim("RLVR leads on clean solutions", id="MY-C")
@pytest.mark.asks("base", "rlvr", grading="clean")
def test_clean(pair, benchmark):
    clean = pair.at(grading="clean")
    assert clean.rlvr.pass_at(4, benchmark) > clean.base.pass_at(4, benchmark)
    assert clean.solved(benchmark).lost_share < 0.5
"""


def told(gate: Gate, right: dict[str, str], wrong: str = r"\boxed{0}") -> None:
    """`right` of a checkpoint is how it states its right answers, `{}`."""
    rows = [json.loads(line) for line in (gate.root / "sums.jsonl").read_text().splitlines()]
    rows = [{**row, "answer": str(2 * i + 2), "verifier": "number"} for i, row in enumerate(rows)]
    (gate.root / "sums.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    script = json.loads((gate.root / "script.json").read_text())
    for name, replies in script.items():
        for i, row in enumerate(rows):
            replies[row["problem"]] |= {
                "right": right[name].replace("{}", str(2 * i + 2)),
                "wrong": wrong,
            }
    (gate.root / "script.json").write_text(json.dumps(script))


def claim(gate: Gate, id: str) -> dict[str, object]:
    (found,) = [c for c in gate.document()["claims"] if c["id"] == id]  # type: ignore[attr-defined]
    assert isinstance(found, dict)
    return found


@pytest.fixture(name="form")
def _form(gate: Gate) -> Gate:
    """RLVR is right as often as base; what it learned is to say so in a box."""
    gate.problems, gate.samples = 60, 8
    gate.write(0.5, 0.5)
    told(gate, {"old": "it is {}, I think", "new": r"\boxed{{}}"})
    gate.options += ["--gate-json=gate.json", "--max-new-tokens=64"]
    return gate


def test_a_gain_that_is_form_is_said_to_hang_on_the_grading(form: Gate) -> None:
    form.run("-k", "test_pass_at_1_rises or test_gradings_agree")
    gain = claim(form, "K1")["judgements"][0]  # type: ignore[index]
    assert gain["verdict"] == "undecided"
    notes = " ".join(gain["evidence"]["notes"])
    assert "depends on the grading: holds under strict grades" in notes
    assert "lenient" not in notes
    agree = claim(form, "V2")["judgements"][0]  # type: ignore[index]
    assert agree["verdict"] == "undecided"
    rows = {row["problems"]: row["difference"] for row in agree["evidence"]["conclusions"]}
    assert rows["format gain"] < -0.3
    assert rows["gain, strict grades"] > 0.3
    (table,) = agree["evidence"]["exhibits"]
    strict = [row for row in table["rows"] if row[1] == "strict"]
    assert [row[:3] for row in strict] == [["base", "strict", 480], ["rlvr", "strict", 480]]
    assert strict[0][3] == 0
    assert strict[1][3] > 200


def test_further_grades_draw_nothing_and_are_planned_where_they_lack(form: Gate) -> None:
    """A run that had no claim about them filled the store; the next one only grades."""
    mine = "from rlvr_gate import claim\n@claim('one', id='ONE')\ndef test_one(pair, benchmark):\n"
    mine += "    assert pair.rlvr.pass_at(1, benchmark) > 0.1\n"
    (form.root / "test_one.py").write_text(mine)
    form.run(suites="test_one.py")
    plan = form.run("--plan", "-k", "test_gradings_agree").stdout.str()
    assert "total: 0 to draw, 960 stored; nothing to draw" in plan
    assert "base (strict grades) on sums: 60 problems x 8 samples" in plan
    assert plan.count("nothing to draw, 480 to grade") == 4
    form.run("-k", "test_gradings_agree")
    assert form.document()["run"]["sampled"]["completions"] == 0  # type: ignore[index]
    assert set(form.document()["counts"]["sums"]["p001"]) == {"base", "rlvr"}  # type: ignore[index]
    plan = form.run("--plan", "-k", "test_gradings_agree").stdout.str()
    assert "grades)" not in plan


def test_pass_at_k_and_solved_sets_of_clean_solutions(gate: Gate) -> None:
    """Base is right with false sums, RLVR with true ones: on clean solutions RLVR leads."""
    gate.problems, gate.samples = 40, 8
    gate.write(0.9, 0.4)
    told(gate, {"old": r"1 + 1 = 3, so \boxed{{}}", "new": r"1 + 1 = 2, so \boxed{{}}"})
    gate.options += ["--gate-json=gate.json", "--max-new-tokens=64"]
    (gate.root / "test_clean.py").write_text(CLEAN)
    gate.run(suites="test_clean.py")
    first, second = claim(gate, "MY-C")["judgements"]  # type: ignore[misc]
    assert first["verdict"] == second["verdict"] == "holds"
    assert "rlvr (clean grades) pass@4" in first["statement"]
    solved = second["evidence"]
    assert solved["gained"] > 30
    assert solved["lost"] == solved["preserved"] == 0


def test_adaptive_samples_have_one_grading(form: Gate) -> None:
    """What one grading stopped says nothing unbiased of another: V2 stays open, and says why."""
    form.options += ["--samples=adaptive"]
    form.run("-k", "test_gradings_agree or test_pass_at_1_rises")
    found = claim(form, "V2")["judgements"][0]  # type: ignore[index]
    assert found["verdict"] == "undecided"
    assert "not graded otherwise" in found["statement"]


def test_the_shipped_claims_about_pass_at_k_ask_for_further_grades() -> None:
    for name in ("capability/test_pass_at_k.py", "coverage/test_solved_sets.py"):
        assert 'grading=("strict", "lenient")' in (SUITES / name).read_text("utf-8")
