"""Two runs over one store write the same bytes, but for what is the run's own."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable

import pytest

from .conftest import Gate

OWN = ("command", "created", "plan", "fill", "weigh", "completions", "tokens", "reused")
"""When and how it was run, how long it took, and what it had to draw."""
STEPS = ("--checkpoint=step-10=./early", "--checkpoint=step-20=./late")


@pytest.fixture
def pages(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """Of each run its page, document and summary; no order of a set is the same in both."""
    run = gate.pytester.run
    monkeypatch.setattr(
        gate.pytester, "runpytest_subprocess", lambda *a: run(sys.executable, "-m", "pytest", *a)
    )
    gate.write(base=lambda i: 0.1 + i / 40, rlvr=lambda i: 0.9 - i / 40)
    gate.also("early", 0.5)
    gate.also("late", 0.6)
    written = []
    for seed in "12":
        monkeypatch.setenv("PYTHONHASHSEED", seed)
        outputs = {kind: gate.root / f"{seed}.{kind}" for kind in ("html", "json", "md")}
        options = ("--gate-report", "--gate-json", "--gate-summary")
        where = [f"{o}={p}" for o, p in zip(options, outputs.values(), strict=True)]
        assert gate.run(*STEPS, *where).ret == 0
        written.append({kind: path.read_bytes().decode() for kind, path in outputs.items()})
    return written


def without(text: str, patterns: Iterable[str]) -> str:
    """Text without what each pattern finds once."""
    for pattern in patterns:
        text, found = re.subn(pattern, "", text, flags=re.MULTILINE)
        assert found == 1, pattern
    return text


def split(document: str) -> tuple[str, str]:
    """What a document says of the run, and everything else."""
    before, run = document.split('\n "run": {')
    return run, before


def test_two_runs_over_one_store(pages: list[dict[str, str]]) -> None:
    first, second = (page["html"] for page in pages)
    own = [rf"<dt>{name}</dt><dd>.*?</dd>" for name in OWN]
    assert first != second  # the run's own is told
    assert without(first, own) == without(second, own)

    (one, rest), (two, same) = (split(page["json"]) for page in pages)
    assert rest == same
    own = [rf'^ {{2,3}}"{name}": .*$' for name in OWN]
    assert without(one, own) == without(two, own)

    first, second = (page["md"] for page in pages)
    assert without(first, [r"^Run \S+\.$"]) == without(second, [r"^Run \S+\.$"])
