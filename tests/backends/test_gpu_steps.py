"""`make test-gpu` runs as far as it can where there is no GPU: its steps are no dead code."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

pytest.importorskip("torch")

ROOT = Path(__file__).parents[2]
STUDY = ROOT / "studies" / "gpu.py"


def go(out: Path, only: str, **environment: str) -> tuple[int, dict[str, str], str]:
    """Exit status, state of each step, and the file that a person would send."""
    command = [sys.executable, str(STUDY), "--quick", "--minutes=600", f"--only={only}", "--out"]
    rooms = os.pathsep.join(str(ROOT / name) for name in ("plugins", "fixtures", "reports"))
    done = subprocess.run(
        [*command, str(out)], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": rooms, "CUDA_VISIBLE_DEVICES": "", **environment},
    )  # fmt: skip
    text = out.read_text("utf-8") if out.exists() else done.stderr
    return done.returncode, dict(re.findall(r"^## (\w+): (\w+)$", text, re.M)), text


def test_what_needs_no_gpu_runs_and_the_rest_says_what_it_lacks(tmp_path: Path) -> None:
    status, states, text = go(tmp_path / "gpu.md", "machine,company,cluster")
    assert status == 0, text
    assert states == {
        "machine": "ok", "company": "ok",
        "cluster": "ok" if find_spec("ray") else "skipped",
    }  # fmt: skip
    assert "skipped: needs 2 NVIDIA GPUs" in text or find_spec("ray")
    assert "the same bits, of 4: 4 beside 1, 4 beside 7, 4 beside 12" in text
    assert f"Python {sys.version.split()[0]}" in text
    assert text.count("\n## ") == 3


@pytest.mark.parametrize(
    ("body", "state", "words"),
    [
        ("assert False, 'a promise is broken'", "FAILED", "AssertionError: a promise is broken"),
        ("import time; print('begun'); time.sleep(600)", "stopped", "begun"),
        (
            "import subprocess; subprocess.Popen(['sleep', '600'], stdout=-3, stderr=-3)",
            "FAILED",
            "LEFT",
        ),
        (
            "from gpu_steps.common import Skip; raise Skip('no such thing')",
            "skipped",
            "no such th",
        ),
    ],
)
def test_a_step_that_fails_hangs_or_leaves_something_is_told(
    tmp_path: Path, body: str, state: str, words: str
) -> None:
    """Run by a copy whose one step is replaced."""
    text = STUDY.read_text("utf-8")
    steps = tmp_path / "gpu_steps"
    steps.mkdir()
    (steps / "__init__.py").write_text("")
    (steps / "common.py").write_text("SCALE = 'SCALE'\nclass Skip(Exception): pass\n")
    (steps / "machine.py").write_text(f"def run(quick):\n    {body}\n")
    copy = tmp_path / "gpu.py"
    copy.write_text(
        text.replace('"machine", 60', '"machine", 6').replace("ECONDS = 10", "ECONDS = 1")
    )
    rooms = os.pathsep.join(str(ROOT / name) for name in ("plugins", "fixtures", "reports"))
    out = tmp_path / "gpu.md"
    done = subprocess.run(
        [sys.executable, str(copy), "--only=machine", f"--out={out}"],
        env={**os.environ, "PYTHONPATH": rooms}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert out.exists(), done.stderr
    assert f"## machine: {state}" in out.read_text("utf-8")
    assert words in out.read_text("utf-8")
    assert done.returncode == (state != "skipped")


def test_the_steps_take_half_an_hour_at_most() -> None:
    seconds = [int(n) for n in re.findall(r'Step\("\w+", (\d+),', STUDY.read_text("utf-8"))]
    assert len(seconds) == len([*(ROOT / "studies" / "gpu_steps").glob("*.py")]) - 2
    assert sum(seconds) <= 33 * 60


@pytest.mark.slow
@pytest.mark.skipif(not find_spec("vllm"), reason="needs vLLM: make test-vllm")
@pytest.mark.parametrize(
    "step",
    [
        "sampler",
        "engine",
        "lengths",
        "gate_run",
        "kills",
        "messages",
        "places",
    ],
)
def test_the_steps_with_an_engine_run_on_the_cpu_build(tmp_path: Path, step: str) -> None:
    status, states, text = go(tmp_path / "gpu.md", step, VLLM_CPU_KVCACHE_SPACE="1")
    assert status == 0, text
    assert states[step] in ("ok", "skipped"), text
