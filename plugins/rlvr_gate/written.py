"""Claims as source files write them, read without importing anything."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from rlvr_gate.records import Kind

_MOST_BYTES = 1 << 20
_ROOM = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Written:
    """One decorated function."""

    id: str
    path: Path
    function: str
    line: int
    kind: Kind
    margin: float
    bound: float
    takes: frozenset[str]
    """The fixtures it asks for."""
    tree: str
    """The function with its decorators, whatever its layout and comments."""


def claims_in(path: Path) -> tuple[Written, ...]:
    """The claims of one file; none where it is no Python or does not know rlvr_gate."""
    try:
        data = path.read_bytes() if path.stat().st_size <= _MOST_BYTES else b""
        if b"rlvr_gate" not in data or b"claim" not in data:
            return ()
        module = ast.parse(data)
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    names = _names(module)
    return tuple(
        _written(path, node, call)
        for node in ast.walk(module)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for call in node.decorator_list
        if isinstance(call, ast.Call) and _called(call.func) in names
    )


@lru_cache(maxsize=1)
def shipped_claims() -> Mapping[str, Written]:
    """The claims of the suites that come with the plugin, by id."""
    files = sorted(shipped_folder().rglob("test_*.py")) if shipped_folder().is_dir() else []
    return {claim.id: claim for file in files for claim in claims_in(file)}


def shipped_folder() -> Path:
    """Where the suites lie: beside the installed package, or in the checkout."""
    installed = _ROOM.parent / "rlvr_gate_suites"
    return installed if installed.is_dir() else _ROOM.parent.parent / "suites"


def _names(module: ast.Module) -> set[str]:
    """What the decorator is called in this file."""
    imports = (
        node
        for node in ast.walk(module)
        if isinstance(node, ast.ImportFrom) and node.module in ("rlvr_gate", "rlvr_gate.markers")
    )
    aliases = (alias for node in imports for alias in node.names if alias.name == "claim")
    return {"claim", *(alias.asname for alias in aliases if alias.asname)}


def _called(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _written(path: Path, node: ast.FunctionDef | ast.AsyncFunctionDef, call: ast.Call) -> Written:
    said = {k.arg: k.value.value for k in call.keywords if isinstance(k.value, ast.Constant)}
    arguments = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
    return Written(
        id=str(said.get("id", "")),
        path=path,
        function=node.name,
        line=node.lineno,
        kind=Kind.GATE if said.get("kind") == Kind.GATE else Kind.FINDING,
        margin=_number(said.get("margin")),
        bound=_number(said.get("bound")),
        takes=frozenset(argument.arg for argument in arguments),
        tree=ast.dump(node),
    )


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
