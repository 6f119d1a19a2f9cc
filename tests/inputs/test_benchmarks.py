"""Benchmarks come from names or JSONL files; a bad line is named."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from rlvr_gate.records import Problem
from rlvr_gate_fixtures.inputs import benchmarks
from rlvr_gate_fixtures.inputs.benchmarks import BenchmarkError, gym

GOOD = '{"problem": "2+3=", "answer": "5", "verifier": "exact"}'


def test_a_file_becomes_a_benchmark(tmp_path):
    path = tmp_path / "mine.jsonl"
    path.write_text(
        "\ufeff" + GOOD + "\n\n"
        '{"id": "x", "problem": "é", "answer": 4, "verifier": "exact", "stratum": "hard"}\r\n'
    )
    loaded = benchmarks.load(str(path))
    assert (loaded.name, loaded.source) == ("mine", str(path))
    assert loaded.problems == (
        Problem("line-1", "2+3=", "5", "exact", ""),
        Problem("x", "é", "4", "exact", "hard"),
    )


def test_the_digest_is_over_the_problems_alone(tmp_path):
    digests = []
    for name, text in (("a", GOOD), ("b", GOOD + "\n"), ("c", GOOD.replace("5", "6"))):
        (tmp_path / f"{name}.jsonl").write_text(text)
        digests.append(benchmarks.load(str(tmp_path / f"{name}.jsonl")).digest)
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (b"{", "line 2: not JSON"),
        (b"[" * 100_000, "line 2: "),
        (b"\xff", "line 2: not UTF-8"),
        (b"[1]", "line 2: expected a JSON object, got list"),
        (b'{"problem": "x", "answer": "1"}', "line 2: missing verifier; keys are problem"),
        (b'{"promblem": "x"}', "line 2: missing .* and unknown 'promblem'"),
        (b'{"problem": 3, "answer": "1", "verifier": "exact"}', "problem must be a string, got 3"),
        (b'{"problem": "x", "answer": 0.5, "verifier": "exact"}', "answer must be a string"),
        (b'{"problem": "x", "answer": true, "verifier": "exact"}', "answer must be a string"),
        (b'{"problem": " ", "answer": "1", "verifier": "exact"}', "line 2: problem is empty"),
        (b'{"problem": "\\ud800", "answer": "1", "verifier": "exact"}', "half a surrogate"),
        (
            b'{"problem": "x", "answer": "1", "verifier": "exakt"}',
            "unknown verifier 'exakt'; known",
        ),
        (
            b'{"id": "line-1", "problem": "x", "answer": "1", "verifier": "exact"}',
            "line 2: id 'line-1' is already on line 1",
        ),
    ],
)
def test_a_bad_line_is_named(tmp_path, bad, message):
    path = tmp_path / "bad.jsonl"
    path.write_bytes(GOOD.encode() + b"\n" + bad)
    with pytest.raises(BenchmarkError, match=rf"bad\.jsonl.*{message}"):
        benchmarks.load(str(path))


@pytest.mark.parametrize("text", ["", "\n \n"])
def test_an_empty_file_is_refused(tmp_path, text):
    (tmp_path / "empty.jsonl").write_text(text)
    with pytest.raises(BenchmarkError, match=r"empty\.jsonl is empty"):
        benchmarks.load(str(tmp_path / "empty.jsonl"))


def test_an_absent_file_is_refused():
    with pytest.raises(BenchmarkError, match=r"cannot read .*No such file"):
        benchmarks.load("/nowhere/x.jsonl")


def test_an_unknown_name_lists_the_known():
    with pytest.raises(BenchmarkError, match=r"; did you mean 'countdown'\? known: .*chain_sum"):
        benchmarks.load("cuntdown")
    with pytest.raises(BenchmarkError, match=r"unknown benchmark 'x'; known: countdown"):
        benchmarks.load("x")


@pytest.fixture
def task(monkeypatch):
    """A shipped benchmark that counts how often it is generated."""
    problems = (Problem("t-0", "x", "1", "exact"),)
    made = gym.GymTask("t", "g", "target", {}, 0, 1, gym.problems_digest(problems))
    generated = []
    monkeypatch.setattr(gym, "BENCHMARKS", {"t": made})
    monkeypatch.setattr(gym, "problems", lambda task: generated.append(task) or problems)
    return generated


def test_generated_problems_are_kept(task, tmp_path):
    first = benchmarks.load("t", cache=tmp_path)
    assert benchmarks.load("t", cache=tmp_path) == first
    assert len(task) == 1


@pytest.mark.parametrize("text", ["", "{}", '[{"id": 3}]', "[]"])
def test_kept_problems_that_were_changed_are_generated_again(task, tmp_path, text):
    first = benchmarks.load("t", cache=tmp_path)
    file = next(tmp_path.iterdir())
    file.write_text(text)
    assert benchmarks.load("t", cache=tmp_path) == first
    assert benchmarks.load("t", cache=tmp_path) == first
    assert len(task) == 2
    assert json.loads(file.read_text())[0]["id"] == "t-0"


def test_a_folder_that_cannot_be_written_costs_only_the_cache(task, tmp_path):
    (tmp_path / "file").touch()
    assert benchmarks.load("t", cache=tmp_path / "file" / "under").problems
    assert len(task) == 1


@pytest.mark.parametrize("error", [ImportError("no module"), ValueError("another version")])
def test_a_generator_that_cannot_run_is_a_clear_error(task, monkeypatch, error):
    def problems(_):
        raise error

    monkeypatch.setattr(gym, "problems", problems)
    with pytest.raises(BenchmarkError, match=r"not installed|another version"):
        benchmarks.load("t")


def test_a_shipped_benchmark_in_the_cache_needs_no_generator(tmp_path, child_env):
    pytest.importorskip("reasoning_gym")
    code = (
        "import sys; from pathlib import Path; from rlvr_gate_fixtures.inputs import benchmarks\n"
        "loaded = benchmarks.load('chain_sum', cache=Path(sys.argv[1]))\n"
        "print(loaded.digest, len(loaded.problems), 'reasoning_gym' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    cold, warm = (
        subprocess.run(command, env=child_env, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    )
    assert cold.split() == [*warm.split()[:2], "True"]
    assert warm.split()[2] == "False"


def test_planning_and_filling_import_nothing_heavy(child_env):
    code = (
        "import sys, rlvr_gate_fixtures.measurements.samples.fill\n"
        "import rlvr_gate_fixtures.inputs.benchmarks\n"
        "import rlvr_gate_fixtures.inputs.checkpoints, rlvr_gate_fixtures.backends.scripted\n"
        "heavy = 'torch transformers reasoning_gym numpy scipy huggingface_hub'\n"
        "print([name for name in heavy.split() if name in sys.modules])"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=child_env, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
