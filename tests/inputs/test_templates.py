"""Templates are part of the prompt, whole and once; LaTeX in them and in problems is itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rlvr_gate_fixtures.inputs import benchmarks
from rlvr_gate_fixtures.inputs.benchmarks import BenchmarkError
from rlvr_gate_fixtures.inputs.benchmarks.templates import SLOT, TEMPLATES, template

MAP = "problem=q,answer=a,verifier=number"


@pytest.fixture(name="file")
def _file(tmp_path: Path) -> Path:
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps({"q": r"\frac{1}{2} + {q}", "a": 1}))
    return path


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_holds_the_problem_once_and_no_chat(name: str) -> None:
    text = TEMPLATES[name].text
    assert text.count(SLOT) == 1
    assert "<|" not in text


def test_the_prompt_is_the_template_around_the_problem(file: Path) -> None:
    loaded = benchmarks.load(f"{file}:{MAP},template=boxed")
    assert loaded.problems[0].prompt == (
        "\\frac{1}{2} + {q}\n"
        "Please reason step by step, and put your final answer within \\boxed{}."
    )
    assert "template boxed" in loaded.source


def test_another_template_is_another_benchmark(file: Path) -> None:
    plain, boxed = (benchmarks.load(f"{file}:{MAP},template={t}") for t in ("none", "boxed"))
    assert plain.digest != boxed.digest
    assert plain.problems[0].answer == boxed.problems[0].answer


def test_a_template_of_the_user(file: Path, tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_text("\ufeffSolve {q}\nin \\boxed{}")
    loaded = benchmarks.load(f"{file}:{MAP},template={tmp_path}/own.txt")
    assert loaded.problems[0].prompt == "Solve \\frac{1}{2} + {q}\nin \\boxed{}"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no slot", "expected {q} once, .* it is there 0 times"),
        (b"{q} {q}", "it is there 2 times"),
        (b"\xff{q}", "not UTF-8"),
        (b"{q}" + b" " * 2**16, "more than 65,536 bytes"),
    ],
)
def test_a_text_that_is_no_template(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "own.txt").write_bytes(content)
    with pytest.raises(BenchmarkError, match=message):
        template(str(tmp_path / "own.txt"))


def test_a_template_that_is_not_there() -> None:
    with pytest.raises(BenchmarkError, match="No such file"):
        template("/nowhere/own.txt")
