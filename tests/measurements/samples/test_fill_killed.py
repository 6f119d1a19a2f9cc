"""Whatever ends a filling process, running it again ends where an undisturbed run ends."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rlvr_gate.records import Completion, FinishReason
from rlvr_gate_fixtures.backends import BackendError, Drawn
from rlvr_gate_fixtures.measurements.samples.fill import fill
from rlvr_gate_fixtures.measurements.samples.plan import make_plan, prompted
from rlvr_gate_fixtures.store.samples import Store

SCRIPT = Path(__file__).with_name("filling.py")
SAMPLES = 100


@pytest.fixture(scope="module")
def filling():
    spec = importlib.util.spec_from_file_location("filling", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def start(store: Path, env: dict[str, str], delay: float) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), str(store), str(SAMPLES), str(delay)],
        env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def wait_until(stored: int, folder: Path, child: subprocess.Popen[str]) -> None:
    """Until the store holds so many completions; the child must still be at work."""
    while not (folder / "samples.sqlite").exists() or count(folder) < stored:
        assert child.poll() is None
        time.sleep(0.01)


def count(folder: Path) -> int:
    with Store.open(folder) as store:
        return int(store.rows("SELECT count(*) FROM draws")[0][0])


def contents(folder: Path, filling) -> list[object]:
    """Tallies and completions of every problem."""
    backend, need = filling.setting(SAMPLES)
    with Store.open(folder, readonly=True) as store:
        problems = prompted(need.checkpoint, need.benchmark, store, backend)
        counts = store.tallies(need.stream, problems, SAMPLES)
        return [
            *counts,
            *(store.completions(need.stream, p.prompt_ids, SAMPLES) for p in problems),
            store.rows("SELECT count(*) FROM draws"),
            store.rows("SELECT count(*) FROM bodies"),
            store.rows("SELECT count(*) FROM grades"),
        ]


def finish(folder: Path, env: dict[str, str]) -> int:
    """Run to the end; return how many completions the backend drew."""
    with start(folder, env, 0.0) as child:
        output, errors = child.communicate()
    assert child.returncode == 0, errors
    return int(output)


def test_kill_9_again_and_again_ends_where_an_undisturbed_run_ends(tmp_path, child_env, filling):
    killed, calm = tmp_path / "killed", tmp_path / "calm"
    drawn = 0
    for stored in (1, 200, 450):
        with start(killed, child_env, 0.001) as child:
            wait_until(stored, killed, child)
            child.kill()
            child.communicate()
        assert child.returncode == -signal.SIGKILL
        drawn = count(killed)
        assert stored <= drawn < 10 * SAMPLES
    assert finish(killed, child_env) == 10 * SAMPLES - drawn
    assert finish(calm, child_env) == 10 * SAMPLES
    assert contents(killed, filling) == contents(calm, filling)


def test_ctrl_c_keeps_everything_that_arrived(tmp_path, child_env):
    with start(tmp_path / "store", child_env, 0.002) as child:
        wait_until(100, tmp_path / "store", child)
        child.send_signal(signal.SIGINT)
        output, errors = child.communicate()
    assert child.returncode != 0
    assert "KeyboardInterrupt" in errors
    assert 0 <= count(tmp_path / "store") - int(output) <= 1


CHILD = """
import json, sys
for line in sys.stdin:
    print(line, end="", flush=True)
"""


class ChildBackend:
    """A backend whose completions pass through a process that can be killed."""

    pid = 0

    def __init__(self, backend) -> None:
        self.backend = backend

    def origin(self):
        return {}

    def identity(self):
        return self.backend.identity()

    def encode(self, checkpoint, prompts):
        return self.backend.encode(checkpoint, prompts)

    def complete(self, checkpoint, stream, requests):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.pid = child.pid
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            for drawn in self.backend.complete(checkpoint, stream, requests):
                c = drawn.completion
                try:
                    child.stdin.write(
                        json.dumps([c.sample, c.token_ids, c.text, c.logprob]) + "\n"
                    )
                    child.stdin.flush()
                except BrokenPipeError:
                    raise BackendError("the child is gone") from None
                line = child.stdout.readline()
                if not line:
                    raise BackendError("the child is gone")
                sample, ids, text, logprob = json.loads(line)
                back = Completion(sample, tuple(ids), text, FinishReason.STOP, logprob)
                yield Drawn(drawn.request, back)
        finally:
            child.kill()
            child.communicate()


def test_a_killed_child_stops_the_fill_and_the_next_one_draws_the_rest(tmp_path, filling):
    backend, need = filling.setting(SAMPLES, delay=0.0005)
    child = ChildBackend(backend)

    class Killing(ChildBackend):
        def complete(self, checkpoint, stream, requests):
            for n, drawn in enumerate(child.complete(checkpoint, stream, requests)):
                yield drawn
                if n == 300:
                    os.kill(child.pid, signal.SIGKILL)

    with Store.open(tmp_path / "store") as store:
        killing = Killing(backend)
        with pytest.raises(BackendError, match="the child is gone"):
            fill(make_plan([need], store, killing), store, killing)
        plan = make_plan([need], store, child)
        assert plan.stored == 301
        assert fill(plan, store, child).completions == 10 * SAMPLES - 301
    calm = tmp_path / "calm"
    with Store.open(calm) as store:
        fill(make_plan([need], store, backend), store, backend)
    assert contents(tmp_path / "store", filling) == contents(calm, filling)
