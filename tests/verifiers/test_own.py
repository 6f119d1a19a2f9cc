"""A verifier of the user's own, by the path of its file, and the regular expression on file."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from rlvr_gate.records import Grade
from rlvr_gate_fixtures.grading.pool import Grader, ToGrade
from rlvr_gate_fixtures.inputs.benchmarks import BenchmarkError, load
from rlvr_gate_fixtures.processes.limits import Limits
from rlvr_gate_fixtures.verifiers import EVERY, VERIFIERS, whole_name

DOCS = Path(__file__).parents[2] / "docs"


def graded(verifier: str, completions: list[str], answer: str) -> list[tuple[Grade, str]]:
    """In a grading worker, as in a run."""
    found = []
    with Grader[int](Limits(cpu_seconds=2)) as grader:
        grader.submit(ToGrade(i, verifier, c, answer) for i, c in enumerate(completions))
        while grader.pending:
            found += [(g.grade, g.reason) for _, g in grader.poll(1.0)]
    return found


def named(folder: Path, text: str, function: str = "grade") -> str:
    (folder / "mine.py").write_text(text)
    return whole_name(f"{folder}/mine.py:{function}")


def test_the_worked_example_of_the_docs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What docs/verifiers.md shows is written to files and graded."""
    text = (DOCS / "verifiers.md").read_text("utf-8")
    part = text[text.index("## A verifier of your own") :]
    code, data = re.findall(r"```(?:python|csv)\n(.*?)```", part, re.DOTALL)[:2]
    (tmp_path / "temperature.py").write_text(code)
    (tmp_path / "water.csv").write_text(data)
    monkeypatch.chdir(tmp_path)
    spec = re.search(r'--benchmarks="(water\.csv:[^"]*)"', part)
    assert spec is not None
    benchmark = load(spec[1])
    (problem, *_) = benchmark.problems
    assert problem.verifier == f"{tmp_path}/temperature.py:within"
    found = graded(problem.verifier, ["It boils at 99.8 degrees.", "about 80"], problem.answer)
    assert [grade for grade, _ in found] == [Grade.CORRECT, Grade.WRONG]


def test_what_it_may_give(tmp_path: Path) -> None:
    text = """
from rlvr_gate.records import Grade, Graded

def grade(completion, answer):
    mine = Graded(Grade.WRONG, "x", "mine")
    return {"t": True, "f": False, "n": None, "g": mine, "s": "yes"}[completion]
"""
    found = graded(named(tmp_path, text), ["t", "f", "n", "g", "s", "?"], "a")
    assert [grade for grade, _ in found] == [
        Grade.CORRECT, Grade.WRONG, Grade.UNSCORED, Grade.WRONG, Grade.UNSCORED, Grade.UNSCORED
    ]  # fmt: skip
    assert found[3][1] == "mine"
    assert "expected a Graded, True, False or None, got str" in found[4][1]
    assert "crash: KeyError" in found[5][1]


def test_another_text_of_the_file_is_another_version(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one = EVERY[named(tmp_path / "a", "def grade(c, a):\n    return c == a\n")]
    other = EVERY[named(tmp_path / "b", "def grade(c, a):\n    return a in c\n")]
    assert one.version != other.version


def test_it_never_runs_in_our_own_process(tmp_path: Path) -> None:
    """Naming it and asking for its version reads the file; only a worker imports it."""
    text = f"open({str(tmp_path / 'ran')!r}, 'w')\ndef grade(c, a):\n    return True\n"
    name = named(tmp_path, text)
    assert EVERY[name]("1", "1").grade is Grade.UNSCORED
    assert not (tmp_path / "ran").exists()
    assert graded(name, ["1"], "1")[0][0] is Grade.CORRECT


def test_one_that_cannot_be_loaded_leaves_all_unscored(tmp_path: Path) -> None:
    name = named(tmp_path, "import nothing_of_the_kind\ndef grade(c, a):\n    return True\n")
    ((grade, reason),) = graded(name, ["1"], "1")
    assert grade is Grade.UNSCORED
    assert "could not be loaded" in reason


def test_one_that_never_ends_costs_its_completion_alone(tmp_path: Path) -> None:
    text = "def grade(c, a):\n    while c == 'loop':\n        pass\n    return True\n"
    found = graded(named(tmp_path, text), ["1", "loop", "2"], "1")
    assert [grade for grade, _ in found] == [Grade.CORRECT, Grade.UNSCORED, Grade.CORRECT]


@pytest.mark.parametrize(
    ("given", "message"),
    [("gone.py:grade", "there is no file"), ("mine.py:other", "no function 'other' there, only"),
     ("broken.py:grade", "is no Python"), ("mine.py", "unknown verifier")],
)  # fmt: skip
def test_a_wrong_name_is_refused_before_anything_is_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    named(tmp_path, "def grade(c, a):\n    return True\n")
    (tmp_path / "broken.py").write_text("def grade(:\n")
    (tmp_path / "some.csv").write_text("q,a\n1,1\n")
    with pytest.raises(BenchmarkError, match=message):
        load(f"some.csv:problem=q,answer=a,verifier={given}")


def test_a_file_of_problems_cannot_name_code(tmp_path: Path) -> None:
    """A path runs what it names: it counts on the command line and nowhere else."""
    name = named(tmp_path, "def grade(c, a):\n    return True\n")
    (tmp_path / "sly.jsonl").write_text(
        f'{{"problem": "1", "answer": "1", "verifier": "{name}"}}\n'
    )
    with pytest.raises(BenchmarkError, match="unknown verifier"):
        load(str(tmp_path / "sly.jsonl"))
    assert name not in VERIFIERS


@pytest.mark.parametrize(
    ("completion", "answer", "grade"),
    [
        ("The answer is 3.14159.", r"3\.14(15\d*)?", Grade.CORRECT),
        (r"\boxed{colour}", "colou?r", Grade.CORRECT),
        ("color", "colou?r", Grade.CORRECT),
        ("color or so", "colou?r", Grade.WRONG),
        ("<answer>NOT THIS</answer> color", "colou?r", Grade.WRONG),
        ("", ".*", Grade.WRONG),
        ("x", "(", Grade.UNSCORED),
        ("x", "x" * 2000, Grade.UNSCORED),
    ],
)
def test_the_regular_expression_on_file(completion: str, answer: str, grade: Grade) -> None:
    assert VERIFIERS["regex"](completion, answer).grade is grade


def test_an_expression_that_takes_for_ever_is_unscored_and_the_next_is_graded() -> None:
    started = time.monotonic()
    found = graded("regex", ["a" * 60 + "!", "aa"], "(a|aa)+$")
    assert [grade for grade, _ in found] == [Grade.UNSCORED, Grade.CORRECT]
    assert time.monotonic() - started < 60
