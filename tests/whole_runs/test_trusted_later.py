"""A store is judged again later: read-only, by several runs at once, and its grades hold."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

SUITES = Path(__file__).parents[2] / "suites"
COMMAND = [
    sys.executable, "-m", "pytest", "--model-pair", "./old,./new", "--benchmarks=sums.jsonl",
    "--samples=16", "--backend=scripted", "--backend-option=script=script.json",
    "-p", "no:cacheprovider", "-q", str(SUITES),
]  # fmt: skip
COUNTS = ("claims", "counts", "gate")
PARALLEL = 6


@pytest.fixture
def filled(gate):
    """A pair whose gate is open, sampled once."""
    gate.write(base=0.3, rlvr=0.8)
    assert gate.run("--gate-json=first.json").ret == 0
    return gate


def store(gate) -> Path:
    return gate.root / ".rlvr-gate"


def files(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


# Read-only, and several at once


def test_a_complete_store_on_a_read_only_mount_is_judged(filled):
    before = files(store(filled))
    command = ["mount", "--bind", str(store(filled)), str(store(filled))]
    readonly = ["mount", "-o", "remount,ro,bind", str(store(filled))]
    if not shutil.which("mount") or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("mounting needs privileges that this process lacks")
    try:
        subprocess.run(readonly, check=True)
        result = filled.run("--gate-json=gate.json", "-n", "2")
        plan = filled.run("--plan")
        more = filled.run("--samples=32")
    finally:
        subprocess.run(["umount", "-l", str(store(filled))], check=True)
    assert result.ret == 0
    assert all(filled.document()[k] == filled.document("first.json")[k] for k in COUNTS)
    plan.stdout.fnmatch_lines(["total: 0 to draw, * stored; nothing to draw"])
    assert more.ret == 4
    more.stderr.fnmatch_lines(["*Read-only file system; give a writable folder with *"])
    assert files(store(filled)) == before


def test_runs_with_nothing_to_draw_judge_one_store_at_once(filled):
    code = (
        "import sys; from pathlib import Path\n"
        "from rlvr_gate_fixtures.store.samples import Store\n"
        "with Store.open(Path(sys.argv[1])) as store, store.writing():\n"
        "    print('in', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(store(filled))],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as writer:  # fmt: skip
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"in\n"
        runs = [
            subprocess.Popen(
                [*COMMAND, f"--gate-json={i}.json"], cwd=filled.root,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            )
            for i in range(PARALLEL)
        ]  # fmt: skip
        said = [run.communicate()[0] for run in runs]
        writer.kill()
    assert [run.returncode for run in runs] == [0] * PARALLEL, said
    for i in range(PARALLEL):
        assert all(
            filled.document(f"{i}.json")[k] == filled.document("first.json")[k] for k in COUNTS
        )


# Grades that hold


SITE = """
import rlvr_gate_fixtures.verifiers as v
old = v.VERIFIERS["exact"].check
def lenient(completion, answer):
    return old(answer, answer) if completion.strip() == "no" else old(completion, answer)
object.__setattr__(v.VERIFIERS["exact"], "check", lenient)
"""


def test_a_verifier_that_was_edited_under_its_old_version_is_found(filled, monkeypatch):
    (filled.root / "edited").mkdir()
    (filled.root / "edited" / "sitecustomize.py").write_text(SITE)
    path = os.environ["PYTHONPATH"]
    monkeypatch.setenv("PYTHONPATH", f"{filled.root / 'edited'}:{path}")
    result = filled.pytester.run(*COMMAND, "--gate-json=gate.json", "-n", "2")
    assert result.ret == 11
    text = json.dumps(filled.document())
    assert "stored grades cannot be repeated: of " in text
    assert "completions of base on sums" in text
    assert "was wrong ('no'), is now correct" in text


def test_grades_that_changed_in_the_store_are_found_whoever_has_them(filled):
    with sqlite3.connect(store(filled) / "samples.sqlite") as db:
        db.execute("UPDATE grades SET grade = 'correct' WHERE stream = 2")
    db.close()
    assert filled.run("--gate-json=gate.json").ret == 11
    text = json.dumps(filled.document())
    assert "completions of rlvr on sums" in text
    assert "completions of base on sums" not in text
