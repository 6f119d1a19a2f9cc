"""Evidence is read by its types: nobody asks it for a key that another module spelled."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("plugins", "fixtures", "reports", "suites")


def asked_by_key(tree: ast.AST) -> Iterator[ast.expr]:
    """`x.evidence[…]`, `x.evidence.get(…)` and its kin, `… in x.evidence`, `**x.evidence`."""
    for node in ast.walk(tree):
        match node:
            case (
                ast.Subscript(value=ast.Attribute(attr="evidence"))
                | ast.Call(
                    func=ast.Attribute(
                        attr="get" | "items" | "keys" | "values",
                        value=ast.Attribute(attr="evidence"),
                    )
                )
                | ast.Compare(
                    ops=[ast.In() | ast.NotIn()], comparators=[ast.Attribute(attr="evidence")]
                )
            ):
                yield node
            case ast.Dict():
                spread = (v for k, v in zip(node.keys, node.values, strict=True) if k is None)
                yield from (value for value in spread if getattr(value, "attr", "") == "evidence")


@pytest.mark.parametrize("room", ROOMS)
def test_nobody_asks_evidence_for_a_key(room: str) -> None:
    files = sorted((ROOT / room).rglob("*.py"))
    assert files
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in files
        for node in asked_by_key(ast.parse(path.read_text("utf-8")))
    ]
    assert found == []


@pytest.mark.parametrize(
    "code",
    [
        "j.evidence['look']", "j.evidence.get('power')", "'parameters' in j.evidence",
        "{**j.evidence, 'look': 1}", "for k in claim.judgements[0].evidence.items(): pass",
    ],
)  # fmt: skip
def test_asking_for_a_key_would_be_seen(code: str) -> None:
    assert list(asked_by_key(ast.parse(code)))
