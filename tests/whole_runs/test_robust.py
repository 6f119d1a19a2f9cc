"""Does a gain survive? Attacks: checkpoints that learned the problems, or the form, by heart."""

from __future__ import annotations

import json

import pytest

from .conftest import Gate

PROBLEMS = 150


def claim(gate: Gate, id: str) -> dict[str, object]:
    (found,) = [c for c in gate.document()["claims"] if c["id"] == id]  # type: ignore[attr-defined]
    assert isinstance(found, dict)
    return found


def learned(gate: Gate, elsewhere: float) -> None:
    """RLVR solves `3+4=`, and `4+3=` with a chance of its own; base next to nothing."""
    gate.problems, gate.samples = PROBLEMS, 16
    gate.write(0.5, 0.5)
    rows, script = [], {"old": {}, "new": {}}  # type: ignore[var-annotated]
    for i in range(PROBLEMS):
        row = {"id": f"p{i:03}", "problem": f"{i}+{i + 1}=", "answer": str(2 * i + 1)}
        rows.append(row | {"verifier": "integer"})
        for prompt, chance in ((row["problem"], 0.9), (f"{i + 1}+{i}=", elsewhere)):
            reply = {"right": row["answer"], "wrong": "no"}
            script["old"][prompt] = reply | {"success": 0.02}
            script["new"][prompt] = reply | {"success": chance}
    (gate.root / "sums.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (gate.root / "script.json").write_text(json.dumps(script))
    gate.options += ["--gate-json=gate.json", "--thorough"]


@pytest.mark.parametrize(("elsewhere", "verdict"), [(0.9, "holds"), (0.1, "refuted")])
def test_problems_learned_by_heart_are_found_out_by_variants(
    gate: Gate, elsewhere: float, verdict: str
) -> None:
    learned(gate, elsewhere)
    only = ("-k", "test_it_holds_on_variants")
    plan = gate.run("--plan", *only).stdout.str()
    assert "base (samples 16, isomorphic 1) on sums: 150 problems x 16 samples" in plan
    gate.run(*only)
    found = claim(gate, "V1")
    assert found["verdict"] == verdict
    (judged,) = found["judgements"]  # type: ignore[misc]
    assert "150 of 150 problems have such variants" in judged["evidence"]["notes"]
    asks = {ask["name"]: ask for ask in gate.document()["asks"]}  # type: ignore[attr-defined]
    assert asks["rlvr (samples 16, isomorphic 2)"]["variant"] == "isomorphic 2"
    assert gate.document()["run"]["sampled"]["completions"] == 2 * 2 * 16 * PROBLEMS  # type: ignore[index]


def test_what_nobody_can_generate_anew_stays_open(gate: Gate) -> None:
    learned(gate, 0.9)
    gate.run("-k", "test_it_holds_on_fresh_problems")
    found = claim(gate, "V1-fresh")
    assert found["verdict"] == "undecided"
    assert "no problem of this benchmark has such a variant" in json.dumps(found)


def test_without_chat_templates_nothing_can_hang_on_them(gate: Gate) -> None:
    """The scripted backend reads a prompt as it stands, whichever template is asked for."""
    learned(gate, 0.9)
    plan = gate.run("--plan", "-k", "test_it_bears_other_templates").stdout.str()
    assert "rlvr (samples 16, no chat template) on sums: 150 problems x 16 samples" in plan
    gate.run("-k", "test_it_bears_other_templates")
    found = claim(gate, "S3")
    assert found["verdict"] == "holds"
    assert "makes the same prompts as its own" in json.dumps(found)
    drawn = gate.document()["run"]["sampled"]["completions"]  # type: ignore[index]
    assert drawn == 2 * 16 * PROBLEMS  # each prompt once, under whatever name


@pytest.mark.parametrize(("by_heart", "verdict"), [(0.0, "holds"), (0.5, "refuted")])
def test_questions_known_by_heart_are_found_out(gate: Gate, by_heart: float, verdict: str) -> None:
    """RLVR goes on with so many of the questions as they were written."""
    learned(gate, 0.9)
    told = "{} cats and as many dogs live in the small houses by the sea of {}"
    rows, script = [], {"old": {}, "new": {}}  # type: ignore[var-annotated]
    for i in range(PROBLEMS):
        question = told.format(i, i + 1)
        rows.append({"id": f"p{i}", "problem": question, "answer": "1", "verifier": "integer"})
        words = question.split()
        for percent in (40, 60, 80):
            many = round(len(words) * percent / 100)
            rest = {"right": " ".join(words[many:]), "wrong": "who knows"}
            script["old"][" ".join(words[:many])] = rest | {"success": 0.0}
            script["new"][" ".join(words[:many])] = rest | {"success": by_heart}
    (gate.root / "sums.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for lines in script.values():
        lines["*"] = {"right": "1", "wrong": "no", "success": 0.5}
    (gate.root / "script.json").write_text(json.dumps(script))
    gate.run("-k", "test_nobody_knows_the_questions")
    found = claim(gate, "R3")
    assert found["verdict"] == verdict
    assert "60 %" in json.dumps(found)
