"""A new claim takes five lines at most, as README and guide show it: their examples are run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "claims" / "your-own.md"
MOST = 5
BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


def examples(page: Path, *ids: str) -> list[str]:
    """Blocks of Python that hold claims: all of them, or the first of each of these ids."""
    found = [b for b in BLOCK.findall(page.read_text("utf-8")) if "@claim(" in b]
    return [next(b for b in found if f'id="{id}"' in b) for id in ids] if ids else found


def lines(code: str) -> int:
    """Lines of a claim: neither blank nor an import."""
    return sum(bool(x.strip()) and not x.startswith(("import", "from")) for x in code.splitlines())


SHORT = [*examples(GUIDE, "MY1", "MY10"), *examples(ROOT / "README.md")]


@pytest.mark.parametrize("code", SHORT, ids=lambda code: re.search(r'id="([^"]+)"', code)[1])
def test_an_example_is_short_and_judged(gate, code: str) -> None:
    assert lines(code) <= MOST
    gate.write(base=0.1, rlvr=0.6)
    for step in (8, 16):
        gate.also(f"s{step}", 0.1 + step / 50)
    (gate.root / "test_mine.py").write_text(code, "utf-8")
    steps = [f"--checkpoint=step-{step}=./s{step}" for step in (8, 16)]
    gate.run("--gate-json=gate.json", *steps, suites="test_mine.py")
    (claim,) = gate.document()["claims"]
    assert claim["verdict"] == "holds"
    assert claim["judgements"]
