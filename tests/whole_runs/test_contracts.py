"""Import contracts deny by default: what is new and nowhere allowed fails, unlisted as it is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("importlinter")

ROOT = Path(__file__).parents[2]
ROOMS = ("plugins/rlvr_gate", "fixtures/rlvr_gate_fixtures", "fixtures/rlvr_gate_miniatures",
         "reports/rlvr_gate_reports")  # fmt: skip


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the rooms' code, with the project's own contracts."""
    folder = tmp_path_factory.mktemp("tree")
    for room in ROOMS:
        shutil.copytree(
            ROOT / room, folder / room, ignore=shutil.ignore_patterns("__pycache__", "*.st")
        )
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def broken(tree: Path) -> set[str]:
    """The first words of every contract that the tree breaks."""
    paths = os.pathsep.join(str(tree / room) for room in ("plugins", "fixtures", "reports"))
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"], cwd=tree,
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "Contracts: " in done.stdout, done.stdout + done.stderr
    lines = [line.partition(" BROKEN") for line in done.stdout.splitlines()]
    return {name.partition(":")[0] for name, is_broken, _ in lines if is_broken}


def test_the_tree_keeps_them(tree: Path) -> None:
    assert broken(tree) == set()


def test_what_nobody_listed_is_denied(tree: Path) -> None:
    """Modules in no layer, and heavy libraries in modules that lie in one."""
    new = {
        "plugins/rlvr_gate/novelty.py": "",
        "plugins/rlvr_gate/stats/novelty.py": "import pytest\n",
        "plugins/rlvr_gate/gate/novelty.py": "import scipy.stats\n",
        "fixtures/rlvr_gate_fixtures/measurements/novelty/__init__.py": "import jinja2\n",
        "fixtures/rlvr_gate_fixtures/store/novelty.py": (
            "import torch\nfrom rlvr_gate_fixtures.measurements.samples import plan\n"
        ),
    }
    for name, text in new.items():
        (tree / name).parent.mkdir(exist_ok=True)
        (tree / name).write_text(text)
    try:
        found = broken(tree)
    finally:
        for name in new:
            (tree / name).unlink()
    assert found >= {
        "torch, transformers, vllm and ray",
        "pytest",
        "jinja2",
        "scipy and numpy",
        "the judge, from pytest's side down to the nouns",
        "the measuring, from pytest's side down to the store",
        "the kinds of measurement, and what each is planned from",
    }
