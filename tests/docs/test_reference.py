"""docs/reference.md says what the code says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "docs" / "reference.py"
PAGE = ROOT / "docs" / "reference.md"
HEAVY = ("torch", "transformers", "vllm", "ray", "jinja2", "safetensors")


def stored() -> str:
    return PAGE.read_text("utf-8")


def python(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, cwd=ROOT, check=True
    )
    return done.stdout


@pytest.fixture(scope="module", name="written")
def _written(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[str]]:
    """The page as the code has it, and what heavy modules writing it imported."""
    page = tmp_path_factory.mktemp("docs") / "reference.md"
    code = (
        "import json, runpy, sys\n"
        f"sys.argv = ['reference.py', {str(page)!r}]\n"
        f"runpy.run_path({str(SCRIPT)!r}, run_name='__main__')\n"
        f"print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
    )
    heavy = json.loads(python("-c", code))
    return page.read_text("utf-8"), heavy


def test_the_page_is_what_the_code_says(written) -> None:
    page, _ = written
    if os.environ.get("UPDATE_GOLDEN"):
        PAGE.write_text(page, "utf-8")
    assert page == stored(), "out of date: run `python docs/reference.py` and review the diff"


def test_writing_it_imports_nothing_heavy(written) -> None:
    assert written[1] == []


def test_every_option_that_help_shows_is_there() -> None:
    text = python("-c", "import pytest; pytest.main(['--help'])")
    group = re.split(r"^rlvr-gate.*\n", text, maxsplit=1, flags=re.MULTILINE)[1]
    options = re.findall(r"^  (--[a-z-]+)", group.split("\n\n", 1)[0], flags=re.MULTILINE)
    assert len(options) >= 16
    assert [option for option in options if f"| `{option}" not in stored()] == []


def test_every_hook_is_there() -> None:
    source = (ROOT / "plugins" / "rlvr_gate" / "hookspecs.py").read_text("utf-8")
    hooks = re.findall(r"^def (pytest_\w+)", source, flags=re.MULTILINE)
    assert hooks
    assert [hook for hook in hooks if f"`{hook}(" not in stored()] == []


def test_every_shipped_claim_is_there() -> None:
    sources = "\n".join(p.read_text("utf-8") for p in (ROOT / "suites").rglob("test_*.py"))
    ids = re.findall(r'\bid="([\w-]+)"', sources)
    assert len(ids) >= 11
    assert [id for id in ids if f"| {id} |" not in stored()] == []
