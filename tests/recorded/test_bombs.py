"""Files that were made to cost much cost little: one line of error, bounded memory and time.

They are read by a process that may have a GiB more than it needs for itself.
"""

from __future__ import annotations

import gzip
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rlvr_gate_fixtures import bounds
from rlvr_gate_fixtures.inputs.benchmarks import BenchmarkError, load

HERE = Path(__file__).parent
ROOMS = os.pathsep.join(str(HERE.parents[1] / room) for room in ("plugins", "fixtures"))
MEMORY, SECONDS = 2**30, 10  # more than the process has before it reads; of computing

READER = """
import gzip, json, resource, sys, time, zipfile
from pathlib import Path
from rlvr_gate_fixtures.recorded.fold import FileError, Wish, fold
pages = int(Path("/proc/self/statm").read_text().split()[0])
resource.setrlimit(resource.RLIMIT_AS, (pages * 4096 + int(sys.argv[1]),) * 2)
for line in sys.stdin:
    start = sum(sum(resource.getrusage(who)[:2]) for who in (0, -1))
    try:
        fold([Path(json.loads(line))], Wish())
        said = "read"
    except FileError as error:
        said = str(error)
    end = sum(sum(resource.getrusage(who)[:2]) for who in (0, -1))
    print(json.dumps([said, end - start]), flush=True)
"""


def _bombs() -> dict:
    spec = importlib.util.spec_from_file_location("bombs", HERE / "bombs.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.BOMBS


BOMBS = _bombs()
NEEDS = {"parquet": "pyarrow", "Zstandard": "zstandard", "holes": "pyarrow", "MB in": "pyarrow",
         "noise": "pyarrow", "something": "pyarrow", "kinds": "pyarrow"}  # fmt: skip


@pytest.fixture(scope="module")
def reader() -> Iterator[subprocess.Popen[str]]:
    """A process that reads one file after the other and says what became of it."""
    with subprocess.Popen(
        [sys.executable, "-c", READER, str(MEMORY)], text=True, env={"PYTHONPATH": ROOMS},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        yield process
        process.stdin.close()


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="bounds memory as Linux does")
@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_costs_one_line(reader, tmp_path, name: str) -> None:
    for words, package in NEEDS.items():
        if words in name:
            pytest.importorskip(package)
    make, expected = BOMBS[name]
    reader.stdin.write(json.dumps(str(make(tmp_path))) + "\n")
    reader.stdin.flush()
    said, seconds = json.loads(reader.stdout.readline())
    said = said.replace(f"{tmp_path}/", "")
    assert said.startswith(expected)
    assert "\n" not in said
    assert len(said) < 2100
    assert seconds < SECONDS


def test_there_are_many_of_them() -> None:
    assert len(BOMBS) > 30


@pytest.mark.parametrize(
    "name",
    ["a pipe", "a GB of holes after a line", "100,000 lists", "a key twice", "UTF-16", "NUL",
     "a number of a million digits", "4 million objects", "gzip in gzip"],
)  # fmt: skip
def test_a_benchmark_is_bounded_alike(tmp_path, name: str) -> None:
    path = tmp_path / "mine.jsonl"
    BOMBS[name][0](tmp_path).rename(path)
    with pytest.raises(BenchmarkError, match=r"mine\.jsonl") as raised:
        load(str(path))
    assert "Traceback" not in str(raised.value)
    assert len(str(raised.value)) < 2100


def test_problems_and_the_files_of_a_folder_are_bounded(bench, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(bounds, "PROBLEMS", 2)
    monkeypatch.setattr(bounds, "FILES", 2)
    for name in ("a", "b"):
        rows = [{"id": f"{name}{i}", "n": 4, "c": 1} for i in range(2)]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert "b.jsonl, line 1: more than 2 problems" in bench.refusal(tmp_path, tmp_path)
    (tmp_path / "c.jsonl").touch()
    assert "holds more than 2 recorded files" in bench.refusal(tmp_path, tmp_path)


def test_honest_files_are_not_bombs(kit, tmp_path) -> None:
    """Long lines, text full of brackets, a gzip of much repetition: all are read."""
    long = "\\frac{1}{2}, [x], {y}, " * 5_000
    row = {"question": "q", "gt": "5", "code": [long] * 16, "pred": ["5"] * 16,
           "score": [True] * 16}  # fmt: skip
    path = tmp_path / "a.jsonl.gz"
    with gzip.open(path, "wt", compresslevel=1) as file:
        for i in range(3):
            file.write(json.dumps(row | {"question": f"q{i}"}) + "\n")
    assert kit.totals(kit.both(path, path), "base").correct == 48
