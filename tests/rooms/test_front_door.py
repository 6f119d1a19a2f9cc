"""What a newcomer meets first: the README is complete, start-up is instant, versions are shown."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
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


def own_options() -> list[str]:
    text = python("import pytest; pytest.main(['--help'])")
    group = re.split(r"^rlvr-gate.*\n", text, maxsplit=1, flags=re.MULTILINE)[1].split("\n\n", 1)[
        0
    ]
    return re.findall(r"^  (--[a-z-]+)", group, flags=re.MULTILINE)


def test_every_option_is_in_the_readme() -> None:
    options = own_options()
    assert len(options) >= 16
    assert [option for option in options if f"`{option}" not in README] == []


def test_every_hook_is_in_the_readme() -> None:
    source = (ROOT / "plugins" / "rlvr_gate" / "hookspecs.py").read_text("utf-8")
    hooks = re.findall(r"^def (pytest_\w+)", source, flags=re.MULTILINE)
    assert hooks
    assert [hook for hook in hooks if f"`{hook}(" not in README] == []


def test_every_shipped_claim_is_in_the_readme() -> None:
    sources = "\n".join(p.read_text("utf-8") for p in (ROOT / "suites").rglob("test_*.py"))
    ids = re.findall(r'\bid="([\w-]+)"', sources)
    assert len(ids) >= 11
    assert [id for id in ids if f"| {id} |" not in README] == []


def test_the_header_says_which_copy_runs(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_subprocess("--collect-only")
    result.stdout.fnmatch_lines(["rlvr-gate: *plugins/rlvr_gate/plugin.py"])


def test_public_names_are_the_ones_declared() -> None:
    import rlvr_gate

    assert sorted(rlvr_gate.__all__) == rlvr_gate.__all__
    assert all(hasattr(rlvr_gate, name) for name in rlvr_gate.__all__)
