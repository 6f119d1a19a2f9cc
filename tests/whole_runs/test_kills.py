"""Real runs that are killed while they draw and grade: the same command ends where none was."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from contextlib import closing, suppress
from importlib.util import find_spec
from pathlib import Path

import pytest

from rlvr_gate_fixtures.store.packing import unpack_text

from .living import descendants, gone

pytestmark = pytest.mark.skipif(find_spec("torch") is None, reason="needs the extra transformers")

CLAIM = """
from rlvr_gate import claim

@claim("RLVR raises pass@1", id="MY1")
def test_pass_at_1_rises(pair, benchmark):
    assert pair.rlvr.pass_at(1, benchmark) > pair.base.pass_at(1, benchmark)
"""
SAMPLES = 64
DEVICE = os.environ.get("RLVR_GATE_TEST_DEVICE", "cpu")
"""Where checkpoints are drawn from; `make test-gpu` says `cuda`."""
PLANTED = {
    name: f"planted-{name.lower().replace('_', '-')}"
    for name in ("RLVR_GATE_API_KEY", "RLVR_GATE_API_KEY_BASE", "HF_TOKEN", "OPENAI_API_KEY",
                 "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN")
}  # fmt: skip
FAULTS = {
    "kill -9 pytest": ("", signal.SIGKILL),
    "kill -9 child": ("backends.transformers.child", signal.SIGKILL),
    "kill -9 grading worker": ("rlvr_gate_fixtures.grading.worker", signal.SIGKILL),
    "SIGTERM": ("", signal.SIGTERM),
    "SIGHUP": ("", signal.SIGHUP),
}


def command(folder: Path, store: str) -> list[str]:
    return [
        sys.executable, "-m", "pytest", "test_mine.py", "-q", "-p", "no:cacheprovider",
        "--model-pair=base,rlvr", "--benchmarks=few.jsonl", "--backend-option=threads=1",
        f"--backend-option=device={DEVICE}", f"--samples={SAMPLES}", f"--sample-store={store}",
        f"--gate-json={store}.json", f"--gate-report={store}.html", f"--junitxml={store}.xml",
    ]  # fmt: skip


def family(leader: int) -> dict[int, str]:
    """Living descendants of a process and their command lines."""
    lines = {}
    for pid in descendants(leader):
        with suppress(OSError):
            lines[pid] = Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    return lines


def stored(store: Path) -> int:
    with suppress(sqlite3.Error), closing(sqlite3.connect(f"file:{store}/samples.sqlite?mode=ro", uri=True)) as db:  # fmt: skip  # noqa: E501
        return int(db.execute("SELECT count(*) FROM draws").fetchone()[0])
    return 0


def unused(files: set[Path]) -> set[Path]:
    """Those of shared memory that no process has, a moment later too: others come and go."""
    time.sleep(1 if files else 0)
    used = set[str]()
    for maps in Path("/proc").glob("[0-9]*/maps"):
        with suppress(OSError):
            used |= {line.rpartition(" ")[2] for line in maps.read_text().splitlines()}
    return {file for file in files if str(file) not in used and file.exists()}


def draws(store: Path) -> list[tuple[object, ...]]:
    """Every stored completion with its key, and how it was graded."""
    with closing(sqlite3.connect(store / "samples.sqlite")) as db:
        return db.execute(
            "SELECT facts, p.token_ids, d.sample, b.token_ids, b.text, logprob, grade, reason "
            "FROM draws d JOIN streams s ON s.id = d.stream JOIN prompts p ON p.id = d.prompt "
            "JOIN bodies b ON b.id = d.body LEFT JOIN grades g "
            "ON (g.stream, g.prompt, g.sample) = (d.stream, d.prompt, d.sample) ORDER BY 1, 2, 3"
        ).fetchall()


def texts(root: Path) -> Iterator[tuple[str, bytes]]:
    """Every byte that was written, compressed texts of stores in clear."""
    for file in (f for f in root.rglob("*") if f.is_file()):
        yield file.name, file.read_bytes()
        if file.suffix == ".sqlite":
            with closing(sqlite3.connect(file)) as db:
                for (text,) in db.execute("SELECT text FROM bodies"):
                    with suppress(zlib.error):
                        yield f"{file.name} in clear", unpack_text(text).encode()


@pytest.mark.parametrize(
    "seed", [7, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (8, 9, 10))]
)
def test_killed_runs_end_where_an_undisturbed_one_ends_and_leave_nothing(gate, seed: int) -> None:
    """Five kills each, so twenty in all, at other moments."""
    from rlvr_gate_fixtures.inputs import benchmarks

    problems = benchmarks.load("countdown").problems[:12]
    lines = [
        {"id": p.id, "problem": p.prompt, "answer": p.answer, "verifier": p.verifier}
        for p in problems
    ]
    root = gate.root
    (root / "few.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (root / "test_mine.py").write_text(CLAIM)
    (temporary := root / "temporary").mkdir()
    shared = set(Path("/dev/shm").glob("*"))
    environment = {**os.environ, **PLANTED, "TMPDIR": str(temporary)}
    rng, wanted = random.Random(seed), 2 * len(problems) * SAMPLES

    for fault, (victim, how) in FAULTS.items():
        before = stored(root / "broken")
        with subprocess.Popen(
            command(root, "broken"), cwd=root, env=environment, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        ) as run:  # fmt: skip
            while stored(root / "broken") == before:
                assert run.poll() is None, run.communicate()[0]
                time.sleep(0.01)
            time.sleep(rng.uniform(0, 0.2))
            started = family(run.pid)
            struck = [run.pid] if not victim else [p for p, c in started.items() if victim in c]
            assert struck, (fault, started)
            for pid in struck:
                with suppress(ProcessLookupError):
                    os.kill(pid, how)
            output = run.communicate()[0]
        (root / f"{fault}.log").write_text(output)
        assert gone([*started], 15), (fault, started)
        if fault == "kill -9 grading worker":
            assert stored(root / "broken") == wanted, output
            (root / "broken").rename(root / "outlived")
        elif not victim:
            assert run.returncode == -how

    for store in ("broken", "calm"):
        done = subprocess.run(
            command(root, store), cwd=root, env=environment, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        (root / f"{store}.log").write_text(done.stdout + done.stderr)
        assert "1 finding in" in done.stdout, done.stdout
    calm = draws(root / "calm")
    assert len(calm) == wanted
    assert all(row[-2] in ("correct", "wrong") for row in calm)
    assert draws(root / "broken") == calm
    assert draws(root / "outlived") == calm
    documents = [json.loads((root / f"{store}.json").read_text()) for store in ("broken", "calm")]
    assert documents[0]["counts"] == documents[1]["counts"]
    left = [p for p in temporary.rglob("*") if not p.name.startswith("torchinductor_")]
    assert left == []  # that one folder, empty, is torch's own and has a fixed name
    assert unused(set(Path("/dev/shm").glob("*")) - shared) == set()
    for name, written in texts(root):
        for key in PLANTED.values():
            assert key.encode() not in written, (name, key)
