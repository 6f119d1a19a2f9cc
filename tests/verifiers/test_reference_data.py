"""Verifiers on data of others: skipped where it is absent."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import pytest

from rlvr_gate.records import Grade
from rlvr_gate_fixtures.grading.pool import Grader, ToGrade
from rlvr_gate_fixtures.verifiers import VERIFIERS

ROOT = Path(os.environ.get("RLVR_GATE_REFERENCE_DATA", "/nonexistent"))
pytestmark = pytest.mark.skipif(
    not ROOT.is_dir(), reason="RLVR_GATE_REFERENCE_DATA names no folder of reference data"
)
number = VERIFIERS["number"]


@pytest.mark.skipif(bool(VERIFIERS["math"].lacks()), reason="needs math-verify")
def test_every_public_case_but_code_is_decided_right() -> None:
    """Two of them as unscored: an answer on file without its brace, and a tower of powers."""
    lines = (ROOT / "field/grader_cases.jsonl").read_text().splitlines()
    cases = [case for case in map(json.loads, lines) if case["kind"] != "code"]
    names = {"mcq": "choice", "math": "math", "number": "math"}
    found: list[tuple[bool, Grade]] = []
    with Grader[bool]() as grader:
        grader.submit(
            ToGrade(case["correct"], names[case["kind"]], case["completion"], case["reference"])
            for case in cases
        )
        while grader.pending:
            found += [(ask.key, graded.grade) for ask, graded in grader.poll(1.0)]
    assert len(cases) == 63
    assert not [pair for pair in found if pair[0] is not (pair[1] is Grade.CORRECT)]
    assert [grade for _, grade in found].count(Grade.UNSCORED) == 2


def test_every_answer_of_gsm8k_is_read() -> None:
    lines = (ROOT / "problems/gsm8k.jsonl").read_text().splitlines()
    for answer in (json.loads(line)["answer"] for line in lines):
        final = answer.rpartition("####")[2]
        assert {number(answer, final).grade, number(final, answer).grade} == {Grade.CORRECT}


def test_recorded_labels_of_gsm8k_solutions_agree() -> None:
    path = ROOT / "recorded/gsm8k_solutions/example_model_solutions.jsonl.gz"
    seen = 0
    for row in map(json.loads, gzip.decompress(path.read_bytes()).splitlines()):
        answer = row.pop("ground_truth").rpartition("\nA:")[2]
        for system in (value for value in row.values() if isinstance(value, dict)):
            grade = number(system["solution"], answer).grade
            assert (grade is Grade.CORRECT) is system["is_correct"], system
            seen += 1
    assert seen == 4 * 1319
