"""The public pair's problems are right, and those held out are never learned from."""

from __future__ import annotations

import math
import re
from itertools import islice
from pathlib import Path

import pytest

from rlvr_gate.records import Grade
from rlvr_gate_fixtures.inputs.benchmarks import load
from rlvr_gate_fixtures.verifiers import VERIFIERS
from rlvr_gate_smollm2 import problems

TRUTH = {
    "multiply": math.prod,
    "gcd": lambda n: max(d for d in range(1, 200) if not any(each % d for each in n)),
    "largest": lambda n: sorted(n)[-1],
    "second": lambda n: max(set(n) - {max(n)}),
}


def numbers(question: str) -> list[int]:
    return [int(found) for found in re.findall(r"\d+", question)]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_training_never_sees_the_numbers_of_a_held_out_problem(seed: int) -> None:
    kept = {(p.stratum, tuple(sorted(numbers(p.prompt)))) for p in problems.held_out()}
    seen = {
        (p.stratum, tuple(sorted(numbers(p.prompt))))
        for p in islice(problems.training(seed), 3000)
    }
    assert not kept & seen
    assert {stratum for stratum, _ in seen} == set(problems.TASKS)


def test_held_out_problems_are_distinct_and_as_many_in_every_stratum() -> None:
    held_out = problems.held_out()
    assert len({p.prompt for p in held_out}) == len({p.id for p in held_out}) == len(held_out)
    for name in problems.TASKS:
        assert sum(p.stratum == name for p in held_out) == problems.HELD_OUT_EACH


def test_answers_are_true_and_readable() -> None:
    for problem in (*problems.held_out(), *islice(problems.training(0), 400)):
        assert int(problem.answer) == TRUTH[problem.stratum](numbers(problem.prompt))
        assert VERIFIERS["number"](problem.answer, problem.answer).grade is Grade.CORRECT
        assert problem.prompt.endswith(problems.ONLY)


def test_a_seed_gives_the_same_problems_and_another_seed_others() -> None:
    first, again, other = (list(islice(problems.training(s), 50)) for s in (0, 0, 1))
    assert first == again != other


def test_the_benchmark_file_is_what_a_run_reads(tmp_path: Path) -> None:
    problems.write(tmp_path / "arithmetic.jsonl")
    loaded = load(str(tmp_path / "arithmetic.jsonl"))
    assert loaded.problems == problems.held_out()
