"""`rlvr-gate benchmarks`: the names there are, or one of them with what identifies it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from rlvr_gate_fixtures.__main__ import NO_READER, main
from rlvr_gate_fixtures.inputs import benchmarks
from rlvr_gate_fixtures.inputs.benchmarks import asked, showing
from rlvr_gate_fixtures.inputs.benchmarks.shipped import MEMBERS

MAP = "problem=q,answer=a,verifier=number"


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = main(["benchmarks", *arguments])
    out = capsys.readouterr()
    return status, out.out, out.err


def test_every_name_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = said(capsys)
    assert status == 0
    listed = {line.split()[0] for line in out.splitlines()}
    assert listed >= {*benchmarks.known()}


def test_a_file_is_shown_with_its_identity_and_an_item(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps({"q": "2 + 3\x1b[31m?", "a": 5}))
    status, out, _ = said(capsys, f"{path}:{MAP},template=qa")
    assert status == 0
    for told in ("template: qa (", "problems: 1, SHA-256 ", "rows: 1", "questions: SHA-256 ",
                 "verifier: number ", "item: line-1", "Question: 2 + 3", "answer: 5"):  # fmt: skip
        assert told in out
    assert "\x1b" not in out


def test_own_files_and_generated_ones_are_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps({"problem": "2 + 3?", "answer": "5", "verifier": "number"}))
    status, out, _ = said(capsys, str(path))
    assert (status, "answer: 5" in out) == (0, True)
    pytest.importorskip("reasoning_gym")
    status, out, _ = said(capsys, "gym:lcm?size=2")
    assert (status, "verifier: gym " in out) == (0, True)


def test_what_is_known_is_told_before_what_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("rlvr_gate_fixtures.inputs.benchmarks.hub.find_spec", lambda name: None)
    status, out, err = said(capsys, "gsm8k")
    assert status == 1
    assert "licence: MIT" in out
    assert "hub: openai/gsm8k main test, commit cc7b047b6e5b" in out
    assert "expected contents: SHA-256 55f9344a2be6" in out
    assert "pip install" in err


def test_no_question_is_shown_whose_terms_ask_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = {f"Incorrect Answer {n}": f"no {n}" for n in (1, 2, 3)}
    row = {"Question": "secret?", "Correct Answer": "hidden", **wrong}
    path = tmp_path / "gpqa.jsonl"
    path.write_text(json.dumps(row))
    known = {**MEMBERS, "gpqa": replace(MEMBERS["gpqa"], rows=1)}
    monkeypatch.setattr(asked, "MEMBERS", known)
    monkeypatch.setattr(showing, "MEMBERS", known)
    status, out, _ = said(capsys, f"gpqa?file={path}")
    assert status == 0
    assert "its terms ask that none is shown" in out
    assert "secret" not in out
    assert "hidden" not in out


def test_a_long_item_is_cut(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps({"q": "y" * 10_000, "a": 5}))
    assert "… and 9,400 more characters" in said(capsys, f"{path}:{MAP}")[1]


@pytest.mark.parametrize("given", ["nosuch", "x.csv", "x.csv:problem=q", "gym:acre?size=x"])
def test_what_cannot_be_shown_is_one_sentence(
    given: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, _, err = said(capsys, given)
    assert status == 1
    assert err.startswith("rlvr-gate benchmarks: ")
    assert len(err.splitlines()) == 1


def test_a_reader_that_had_enough_is_no_fault() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "rlvr_gate_fixtures", "benchmarks"]
    with os.fdopen(writing, "w") as output:
        done = subprocess.run(
            command, stdout=output, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (done.returncode, done.stderr) == (NO_READER, "")
