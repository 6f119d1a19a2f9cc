"""`--devices`: real checkpoints side by side give what they give one after the other."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import pytest

from .living import descendants, gone

SUITES = Path(__file__).parents[2] / "suites"
CLAIM = """
from rlvr_gate import claim

@claim("RLVR raises pass@1 of a few sums", id="MY1", kind="gate")
def test_pass_at_1_rises(pair, benchmark):
    assert pair.rlvr.pass_at(1, benchmark) > pair.base.pass_at(1, benchmark)
"""
two_cores = pytest.mark.skipif(
    len(os.sched_getaffinity(0)) < 2 or find_spec("torch") is None,
    reason="needs two cores and the extra transformers",
)


@pytest.fixture(scope="module")
def few() -> str:
    """Twelve problems of the shipped benchmark, as a user's file."""
    from rlvr_gate_fixtures.inputs import benchmarks

    return "".join(
        json.dumps({"id": p.id, "problem": p.prompt, "answer": p.answer, "verifier": p.verifier})
        + "\n"
        for p in benchmarks.load("countdown").problems[:12]
    )


@pytest.fixture
def pair(few: str, gate):
    """The shipped pair."""
    (gate.root / "few.jsonl").write_text(few)
    (gate.root / "test_mine.py").write_text(CLAIM)
    return gate


def command(*args: str) -> list[str]:
    return [
        sys.executable, "-m", "pytest", "test_mine.py", "-q", "-p", "no:cacheprovider",
        "--model-pair=base,rlvr", "--benchmarks=few.jsonl", "--backend-option=threads=1", *args,
    ]  # fmt: skip


def run(pair, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*args), cwd=pair.root, capture_output=True, text=True, check=False
    )


def draws(store: Path) -> list[tuple[object, ...]]:
    """Every stored completion with its key, and how it was graded."""
    with sqlite3.connect(store / "samples.sqlite") as db:
        return db.execute(
            "SELECT facts, p.token_ids, d.sample, b.token_ids, logprob, grade FROM draws d "
            "JOIN streams s ON s.id = d.stream JOIN prompts p ON p.id = d.prompt "
            "JOIN bodies b ON b.id = d.body JOIN grades g "
            "ON (g.stream, g.prompt, g.sample) = (d.stream, d.prompt, d.sample) ORDER BY 1, 2, 3"
        ).fetchall()


def test_gpus_that_nothing_here_can_use_end_the_run_before_anything_is_drawn(pair) -> None:
    """Of a filled store they are not asked: it is judged anywhere."""
    import torch

    if torch.version.cuda:
        pytest.skip("this torch can use GPUs")
    done = run(pair, "--devices=0", "--samples=4", "--sample-store=there")
    assert done.returncode == 12, done.stdout
    assert "is installed, which is built for CPUs" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert draws(pair.root / "there") == []


def drawing(pair, *args: str) -> tuple[subprocess.Popen[str], list[int]]:
    """A run in the middle of it, and its children."""
    going = subprocess.Popen(
        command("--samples=2000", "--devices=cpu,cpu", *args), cwd=pair.root,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    for _ in range(1200):
        with (
            suppress(sqlite3.Error),
            sqlite3.connect(pair.root / ".rlvr-gate/samples.sqlite") as db,
        ):
            if len(db.execute("SELECT DISTINCT stream FROM draws").fetchall()) == 2:
                return going, descendants(going.pid)
        assert going.poll() is None
        time.sleep(0.05)
    raise AssertionError("nothing was drawn")


def model_children(pids: list[int]) -> list[int]:
    """Those that have a model, each below a guardian with the same command."""
    with_command = [(pid, Path(f"/proc/{pid}/cmdline").read_bytes()) for pid in pids]
    found = [pid for pid, words in with_command if b"transformers.child" in words]
    return [pid for pid in found if parent(pid) in found]


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


@two_cores
@pytest.mark.parametrize("samples", [pytest.param("16", marks=pytest.mark.slow), "adaptive:32:4"])
def test_samples_are_those_of_a_run_without_devices(pair, samples: str) -> None:
    """Bit by bit, at the same number of threads; and neither draws again what the other drew."""
    options = (f"--samples={samples}", "--gate-json=gate.json")
    one = run(pair, *options, "--sample-store=one")
    counts = pair.document()["counts"]
    two = run(pair, *options, "--sample-store=two", "--devices=cpu,cpu")
    assert draws(pair.root / "one") == draws(pair.root / "two")
    assert counts == pair.document()["counts"]
    assert one.returncode == two.returncode
    run(pair, "--samples=32", "--gate-json=gate.json", "--sample-store=one", "--devices=cpu,cpu")
    sampled = pair.document()["run"]["sampled"]
    assert sampled["reused"] == len(draws(pair.root / "two")) < 2 * 12 * 32
    assert sampled["completions"] == 2 * 12 * 32 - sampled["reused"]


@two_cores
def test_ctrl_c_leaves_no_child_and_the_next_run_draws_the_rest(pair) -> None:
    going, started = drawing(pair)
    assert len(model_children(started)) == 2
    going.send_signal(signal.SIGINT)
    output, _ = going.communicate()
    assert going.returncode == 12, output
    assert gone(started, 10)
    assert "base " in output
    assert "rlvr " in output


@two_cores
def test_a_killed_child_is_an_error_that_says_what_to_do(pair) -> None:
    going, started = drawing(pair)
    os.kill(model_children(started)[1], signal.SIGKILL)
    output, _ = going.communicate()
    assert going.returncode == 12
    assert "the transformers backend was killed by signal 9" in output
    assert "the same command draws the rest" in output
    assert gone(started, 10)


@two_cores
def test_a_killed_run_leaves_no_child(pair) -> None:
    going, started = drawing(pair)
    going.kill()
    going.communicate()
    assert len(started) >= 2
    assert gone(started, 10)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--devices=0,cpu"], "*GPUs or cpu, not both*"),
        (["--devices=0,1"], "*got --backend scripted: leave it out*"),
        (["--devices=0,1", "--backend=server"], "*give one URL a role*"),
        (["--devices=cpu", "--backend=transformers", "--backend-option=device=cuda"],
         "*names CPU core *, backend option device=cuda"),
    ],
)  # fmt: skip
def test_wrong_usage_is_said_at_once(gate, args: list[str], words: str) -> None:
    gate.write(0.2, 0.8)
    options = [] if args[1:] else ["--backend-option=script=script.json"]
    result = gate.pytester.runpytest_subprocess(
        "--model-pair=./old,./new", "--benchmarks=sums.jsonl", "--backend=scripted", *options,
        *args, str(SUITES),
    )  # fmt: skip
    assert result.ret == 4
    result.stderr.fnmatch_lines([words])
