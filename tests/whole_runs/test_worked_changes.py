"""The worked changes of CONTRIBUTING, made in a copy of the tree, which then runs the gate."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("plugins/rlvr_gate", "fixtures/rlvr_gate_fixtures", "reports/rlvr_gate_reports")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(language: str, page: str = "CONTRIBUTING.md") -> list[str]:
    found = BLOCK.findall((ROOT / page).read_text("utf-8"))
    return [text for tongue, text in found if tongue == language]


def head(block: str) -> tuple[str, str, str]:
    """File, class and code: the first line is `# FILE`, `{# FILE #}` or `# FILE, in CLASS`."""
    first, _, code = block.partition("\n")
    file, _, owner = first.strip("{#} ").partition(", in ")
    return file, owner, code


def write(tree: Path, block: str) -> None:
    """A new file, the end of one, or the first methods of a class."""
    file, owner, code = head(block)
    path = tree / file
    text = path.read_text("utf-8") if path.exists() else ""
    if owner:
        assert f"class {owner}:" in text
        before, _, after = text.partition(f"class {owner}:")
        fields, method, rest = after.partition("    def ")
        text = f"{before}class {owner}:{fields}{code}\n{method}{rest}"
    else:
        text = f"{text}\n\n{code}" if text else code
    path.write_text(text, "utf-8")


def enter(tree: Path, block: str) -> None:
    """Each `+` line goes after the line shown before it, which the file has once."""
    file, _, change = head(block)
    lines = (tree / file).read_text("utf-8").splitlines()
    for shown, added in zip(change.splitlines()[::2], change.splitlines()[1::2], strict=True):
        assert lines.count(shown[1:]) == 1, shown
        lines.insert(lines.index(shown[1:]) + 1, added.removeprefix("+"))
    (tree / file).write_text("\n".join(lines) + "\n", "utf-8")


@pytest.fixture(name="tree")
def _tree(tmp_path: Path) -> Path:
    """A copy of what is installed, the suites and the reference, with the changes made."""
    for part in (*ROOMS, "suites"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "docs").mkdir()
    shutil.copy(ROOT / "docs" / "reference.py", tmp_path / "docs")
    for block in blocks("python") + blocks("jinja"):
        write(tmp_path, block)
    for block in blocks("diff"):
        enter(tmp_path, block)
    return tmp_path


def python(tree: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    rooms = os.pathsep.join(str(tree / Path(room).parent) for room in ROOMS)
    return subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env={**os.environ, "PYTHONPATH": rooms},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def quiz(folder: Path) -> None:
    """Forty problems like the one shown; rlvr mostly solves all of them, base half of them."""
    shown = json.loads(blocks("json")[0])
    numbers = range(40)
    problems = [{**shown, "problem": shown["problem"].replace("7", str(i))} for i in numbers]
    (folder / "quiz.jsonl").write_text("\n".join(map(json.dumps, problems)))
    script = {
        name: {
            p["problem"]: {"right": "Tails.", "wrong": "heads, heads", "success": rate(i)}
            for i, p in enumerate(problems)
        }
        for name, rate in (("old", lambda i: 0.1 if i % 2 else 0.9), ("new", lambda i: 0.95))
    }
    (folder / "script.json").write_text(json.dumps(script))


def test_the_worked_changes_do_what_they_say(gate, tree: Path) -> None:
    gate.write(base=0.5, rlvr=0.5)
    quiz(gate.root)
    done = python(
        tree, "-m", "pytest", str(tree / "suites"), "--model-pair=./old,./new", "--samples=16",
        "--benchmarks=quiz.jsonl", "--backend=scripted", "--backend-option=script=script.json",
        "--gate-json=gate.json", "--gate-report=gate.html", "-p", "no:cacheprovider",
        cwd=gate.root,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    claims = {claim["id"]: claim for claim in gate.document()["claims"]}
    assert claims["M1"]["verdict"] == "holds"
    assert claims["M1"]["estimate"] == pytest.approx(0.5, abs=0.05)
    page = (gate.root / "gate.html").read_text("utf-8")
    assert '<a href="#lengths">Lengths</a>' in page
    assert "<tr><td>quiz</td><td>rlvr</td><td>" in page


def test_the_reference_tells_of_them(tree: Path) -> None:
    done = python(tree, "docs/reference.py", cwd=tree)
    assert done.returncode == 0, done.stderr
    page = (tree / "docs" / "reference.md").read_text("utf-8")
    for row in ("| `mostly_solved(benchmark)` | `Quantity` |", "| `coin` | 1 |", "| M1 |"):
        assert row in page


def test_a_benchmark_by_name_is_a_file_and_a_line(gate, tmp_path: Path) -> None:
    for part in ROOMS:
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    write(tmp_path, blocks("python", "docs/benchmarks.md")[0])
    enter(tmp_path, blocks("diff", "docs/benchmarks.md")[0])
    table = "country,capital\nFrance,Paris\nPeru,Lima\nMali,Bamako\n"
    (gate.root / "capitals.csv").write_text(table)
    show = ("-m", "rlvr_gate_fixtures", "benchmarks")
    done = python(tmp_path, *show, "capitals?file=capitals.csv", cwd=gate.root)
    assert done.returncode == 0, done.stderr
    assert "What is the capital of France?" in done.stdout
    assert "this release has not seen these 3 questions" in done.stdout
    (gate.root / "capitals.csv").write_text(table + "Chad,N'Djamena\n")
    refused = python(tmp_path, *show, "capitals?file=capitals.csv", cwd=gate.root)
    assert (refused.returncode, "expected 3 rows" in refused.stderr) == (1, True)
