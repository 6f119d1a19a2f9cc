"""The house stays readable: no crowded folder, no public class name for two things."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("plugins/rlvr_gate", "fixtures/rlvr_gate_fixtures", "reports/rlvr_gate_reports")
MANY = 14
"""Modules of a folder; more only where the folder is a table with a file a member."""
MEMBERS = {"recorded", "verifiers", "benchmarks", "shipped", "sections", "rlvr_gate_reports"}
PAGE = "reports/rlvr_gate_reports/html"
"""Its view classes are private to the page: they may be called what they show."""


def modules() -> list[Path]:
    return [path.relative_to(ROOT) for room in ROOMS for path in (ROOT / room).rglob("*.py")]


def test_no_folder_is_crowded() -> None:
    crowded: defaultdict[str, int] = defaultdict(int)
    for path in modules():
        if path.name != "__init__.py" and path.parent.name not in MEMBERS:
            crowded[str(path.parent)] += 1
    assert {folder: n for folder, n in crowded.items() if n > MANY} == {}


def test_a_class_name_means_one_thing() -> None:
    named: defaultdict[str, list[str]] = defaultdict(list)
    for path in modules():
        for node in ast.parse((ROOT / path).read_text("utf-8")).body:
            private = isinstance(node, ast.ClassDef) and node.name.startswith("_")
            if isinstance(node, ast.ClassDef) and not private and not str(path).startswith(PAGE):
                named[node.name].append(str(path))
    assert {name: paths for name, paths in named.items() if len(paths) > 1} == {}


def test_no_group_is_repeated_possessively() -> None:
    """Up to Python 3.11.4, `(?:…)*+` keeps what a failing repetition had read: gh-106052."""
    possessive = re.compile(r"\)(?:[*+?]|\{\d*,?\d*\})\+(?!=)")
    assert possessive.search("(?:a.)*+")
    assert not possessive.search("[0-9]*+(?>(?:a.)*)")
    found = [path for path in modules() if possessive.search(_patterns(path))]
    assert found == []


def _patterns(path: Path) -> str:
    """The texts of a module, comments left out."""
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    texts = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return "\n".join(str(text) for text in texts if isinstance(text, str | bytes))
