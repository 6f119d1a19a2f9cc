"""The workflow and the recipe of docs/verdicts.md run as they stand, but for what is installed."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

yaml = pytest.importorskip("yaml")

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "verdicts.md").read_text("utf-8")


def block(kind: str, containing: str) -> str:
    """The code block of that language with these words."""
    return next(b for b in re.findall(rf"```{kind}\n(.*?)```", PAGE, re.S) if containing in b)


@pytest.fixture
def shell(gate):
    """Run a step as CI does: bash, which stops at what fails; the suites are the checkout's."""
    tools = gate.root / "bin"
    tools.mkdir()
    for name, module in (("pytest", "pytest"), ("rlvr-gate", "rlvr_gate_fixtures")):
        (tools / name).write_text(f'#!/bin/sh\nexec {sys.executable} -m {module} "$@"\n')
        (tools / name).chmod(0o755)
    summary = gate.root / "summary.md"

    def run(step: str) -> subprocess.CompletedProcess[str]:
        step = step.replace("--pyargs rlvr_gate_suites", shlex.quote(str(ROOT / "suites")))
        path = os.pathsep.join(str(ROOT / room) for room in ("plugins", "fixtures", "reports"))
        given = [
            "--benchmarks=sums.jsonl", f"--samples={gate.samples}", "--backend=scripted",
            "--backend-option=script=script.json", "-p", "no:cacheprovider",
        ]  # fmt: skip
        environment = os.environ | {
            "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": path,
            "PYTEST_ADDOPTS": shlex.join(given),
            "GITHUB_ACTIONS": "true",
            "GITHUB_STEP_SUMMARY": str(summary),
            "BASE": "./old",
            "RLVR": "./new",
        }
        return subprocess.run(
            ["bash", "-e", "-c", step],
            cwd=gate.root, env=environment, capture_output=True, text=True, timeout=300,
        )  # fmt: skip

    return run


def test_the_workflow_gates_and_the_recipe_compares(gate, shell) -> None:
    gate.problems = 60
    gate.write(base=0.3, rlvr=lambda i: 0.95 if i % 20 < 14 else 0.0)
    job = yaml.safe_load(block("yaml", "name: gate"))["jobs"]["gate"]
    steps = [step["run"] for step in job["steps"] if "run" in step]
    assert steps[0].startswith("pip install")
    ran = shell(steps[1])
    assert ran.returncode == 0, ran.stdout[-3_000:] + ran.stderr[-3_000:]
    assert "::warning title=rlvr-gate%3A The trade::" in ran.stdout
    ran = shell(steps[2])
    assert ran.returncode == 0, ran.stderr
    assert "May ship" in (gate.root / "summary.md").read_text().splitlines()[0]
    assert json.loads((gate.root / "out" / "ctrf.json").read_text())["reportFormat"] == "CTRF"
    first, *others = block("bash", "--gate-policy=coverage").splitlines()
    assert shell(first).returncode == 1, "coverage fell"
    ran = shell("\n".join(others))
    assert ran.returncode == 0, ran.stderr
    assert "gate: May ship" in ran.stdout
    assert "release: Do not ship" in ran.stdout
    assert (gate.root / "out" / "compare.html").exists()
    assert yaml.safe_load((gate.root / "out" / "model-index.yaml").read_text())["model-index"]
