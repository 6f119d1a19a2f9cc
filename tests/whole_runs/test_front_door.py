"""What a newcomer meets first: start-up is instant, versions are shown, public names exist."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = (
    "torch", "transformers", "vllm", "datasets", "safetensors", "jinja2", "scipy",
    "reasoning_gym", "sympy",
)  # fmt: skip


def python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    return done.stdout


@pytest.mark.parametrize("args", [["--help"], ["suites", "--collect-only", "-q"]])
def test_help_and_collection_import_nothing_heavy(args: list[str]) -> None:
    code = (
        "import json, sys, pytest\n"
        f"pytest.main({args!r})\n"
        f"print(json.dumps([m for m in {HEAVY!r} if m in sys.modules]))"
    )
    assert json.loads(python(code).splitlines()[-1]) == []


def test_the_header_says_which_copy_runs(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_subprocess("--collect-only")
    result.stdout.fnmatch_lines(["rlvr-gate: *plugins/rlvr_gate/plugin.py"])


def test_public_names_are_the_ones_declared() -> None:
    import rlvr_gate

    assert sorted(rlvr_gate.__all__) == rlvr_gate.__all__
    assert all(hasattr(rlvr_gate, name) for name in rlvr_gate.__all__)
