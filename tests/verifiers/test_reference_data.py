"""Verifiers on data of others: skipped where it is absent."""

from __future__ import annotations

import gzip
import json
import os
from collections import Counter
from pathlib import Path

import pytest

from rlvr_gate.records import Grade
from rlvr_gate_fixtures.verifiers import VERIFIERS

ROOT = Path(os.environ.get("RLVR_GATE_REFERENCE_DATA", "/nonexistent"))
pytestmark = pytest.mark.skipif(
    not ROOT.is_dir(), reason="RLVR_GATE_REFERENCE_DATA names no folder of reference data"
)
number = VERIFIERS["number"]


def test_every_public_case_with_a_number_or_a_letter_is_decided_right() -> None:
    lines = (ROOT / "field/grader_cases.jsonl").read_text().splitlines()
    cases = [json.loads(line) for line in lines]
    wrong = []
    for case in cases:
        verifier = VERIFIERS["choice" if case["kind"] == "mcq" else "number"]
        grade = verifier(case["completion"], case["reference"]).grade
        if (grade is Grade.CORRECT) is not case["correct"]:
            wrong.append((case["kind"], grade))
    assert len(cases) == 67
    assert Counter(wrong) == {("math", Grade.UNSCORED): 9, ("code", Grade.UNSCORED): 3}


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
