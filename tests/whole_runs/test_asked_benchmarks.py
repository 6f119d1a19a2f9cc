"""Whole runs on benchmarks of every kind: names in tests, policies and reports; usage errors."""

from __future__ import annotations

import json
import re

import pytest

MAP = "problem=question,answer=gold,verifier=number"
TEMPLATE = "Question: {q}\nAnswer:"


def write(gate, name: str = "quiz.csv") -> str:
    """Twenty sums in a table and a script that answers them under the template `qa`."""
    gate.write(base=0.5, rlvr=0.5)
    sums = [(f"{n} + {n}?", 2 * n) for n in range(20)]
    (gate.root / name).write_text("question,gold\n" + "\n".join(f"{q},{a}" for q, a in sums))
    script = {
        checkpoint: {
            TEMPLATE.replace("{q}", question): {
                "right": f"It is {answer}.", "wrong": "no", "success": rate,
            }
            for question, answer in sums
        }
        for checkpoint, rate in (("old", 0.2), ("new", 0.8))
    }  # fmt: skip
    (gate.root / "script.json").write_text(json.dumps(script))
    return f"{name}:{MAP},template=qa"


def test_a_table_under_a_map_and_a_template_opens_the_gate(gate) -> None:
    spec = write(gate)
    (gate.root / "p.toml").write_text('[policy]\nrequired_benchmarks = ["quiz"]\n')
    result = gate.run(
        f"--benchmarks={spec}", "--gate-json=gate.json", "--gate-policy=p.toml", "-v"
    )
    assert result.ret == 0, result.stdout.str() + result.stderr.str()
    assert "[quiz" in result.stdout.str()
    (benchmark,) = gate.document()["benchmarks"]
    assert benchmark["name"] == "quiz"
    assert "quiz.csv, 20 rows, questions " in benchmark["source"]
    assert "template qa" in benchmark["source"]
    again = gate.run(f"--benchmarks={spec}", "--plan")
    assert "0 to draw" in again.stdout.str() or "nothing to draw" in again.stdout.str()


def test_a_verifier_of_ones_own_opens_the_gate_and_a_changed_one_is_judged_again(gate) -> None:
    spec = write(gate).replace("verifier=number", "verifier=./mine.py:grade")
    grade = "def grade(completion, answer):\n    return f' {answer}.' in completion\n"
    (gate.root / "mine.py").write_text(grade)
    result = gate.run(f"--benchmarks={spec}", "--gate-json=gate.json")
    assert result.ret == 0, result.stdout.str() + result.stderr.str()
    assert gate.document()["gate"]["state"] == "open"
    assert "this is number 1" in result.stdout.str()
    (gate.root / "mine.py").write_text(grade + "# as before\n")
    again = gate.run(f"--benchmarks={spec}", "--gate-json=gate.json")
    assert gate.document()["run"]["sampled"]["completions"] == 0  # graded again, not drawn
    assert "this is number 2" in again.stdout.str()


CODE = json.dumps({"entry_point": "", "prompt": "", "test": "assert twice(4) == 8"})
RIGHT, WRONG = "def twice(n): return 2 * n", "def twice(n): return n"


def test_behind_which_walls_programs_are_run_is_named_wherever_a_run_is_read(gate):
    gate.write(base=0.5, rlvr=0.5)
    gate.samples = 4
    problems = [f"Double it. ({n})" for n in range(6)]
    (gate.root / "twice.jsonl").write_text(
        "\n".join(json.dumps({"problem": p, "answer": CODE, "verifier": "code"}) for p in problems)
    )
    script = {
        checkpoint: {p: {"right": RIGHT, "wrong": WRONG, "success": rate} for p in problems}
        for checkpoint, rate in (("old", 0.2), ("new", 0.8))
    }
    (gate.root / "script.json").write_text(json.dumps(script))
    result = gate.run(
        "--benchmarks=twice.jsonl", "--gate-json=gate.json", "--gate-report=gate.html"
    )
    if "cannot be used" in result.stderr.str():
        pytest.skip("this machine offers no walls")
    (benchmark,) = gate.document()["benchmarks"]
    (note,) = benchmark["notes"]
    assert re.match(r"programs are run behind (namespaces|bubblewrap|Landlock) and a filter", note)
    assert f"note: twice: {note[:60]}" in result.stdout.str()
    assert f"<dt>note on twice</dt><dd>{note}" in (gate.root / "gate.html").read_text()


def test_names_with_options_are_those_of_tests_and_policies(gate) -> None:
    pytest.importorskip("reasoning_gym")
    gate.write(base=0.5, rlvr=0.5)
    name = "gym:lcm?max_value=9&size=5"
    (gate.root / "p.toml").write_text(f"[policy]\nrequired_benchmarks = ['{name}']\n")
    result = gate.run(
        "--benchmarks=gym:lcm?size=5&max_value=9", "--collect-only", "-q", "--gate-policy=p.toml"
    )
    assert f"[{name}]" in result.stdout.str()
    assert "unknown benchmark" not in result.stdout.str() + result.stderr.str()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("quiz.csv", "quiz.csv: the field map lacks problem, answer, verifier"),
        ("quiz.csv:problm=q", "unknown key 'problm'; did you mean 'problem'?"),
        (f"quiz.csv:{MAP},template=boxd", "unknown template 'boxd'; did you mean 'boxed'?"),
        ("gsm8k@main", "40 digits of a commit, got main"),
        ("gym:acre?size=0", "expected size from 1 to 10000, got 0"),
        ("hub:org/set", "expected a field map after it"),
        (f"nowhere.csv:{MAP}", "cannot read nowhere.csv: No such file"),
        ("quiz.csv:problem=question,answer=golden,verifier=number", "did you mean 'gold'?"),
        ("gsm8k?file=quiz.csv", "row 2: no column 'answer'"),
    ],
)
def test_bad_specs_are_usage_errors(gate, given: str, message: str) -> None:
    write(gate)
    result = gate.run(f"--benchmarks={given}")
    text = result.stdout.str() + result.stderr.str()
    assert result.ret == 4, text
    assert message in text
    assert "Traceback" not in text


def test_an_easy_file_does_not_pass_for_a_shipped_benchmark(gate) -> None:
    spec = write(gate, "gsm8k.csv")
    (gate.root / "p.toml").write_text("[policy]\nrequired_benchmarks = ['gsm8k']\n")
    result = gate.run(f"--benchmarks={spec}", "--gate-policy=p.toml")
    assert result.ret == 4
    assert "has other questions" in result.stderr.str()
    renamed = gate.run(f"--benchmarks={spec},name=mine", "--gate-policy=p.toml")
    assert renamed.ret != 0
