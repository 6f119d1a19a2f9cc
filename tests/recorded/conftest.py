"""Tiny files of every format (data/README.md), and ways to change one and read it again."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from rlvr_gate_fixtures.recorded import FileError, Recorded, read

HERE = Path(__file__).parent / "data"
_REFERENCE = os.environ.get("RLVR_GATE_REFERENCE_DATA")


@dataclass(frozen=True)
class Totals:
    """What a role comes to."""

    n: int
    correct: int
    unscored: int
    solved: int


@dataclass(frozen=True)
class Bench:
    """A folder to change files in."""

    folder: Path

    def copy(self, name: str, change: Callable[[list[dict]], object] | None = None) -> Path:
        """A JSONL file of `data`, its objects changed in place."""
        rows = [json.loads(line) for line in (HERE / name).read_text().splitlines()]
        if change:
            change(rows)
        path = self.folder / name
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return path

    def document(self, name: str, change: Callable[[dict], object]) -> Path:
        """The same of a JSON document."""
        document = json.loads((HERE / name).read_text())
        change(document)
        path = self.folder / name
        path.write_text(json.dumps(document))
        return path

    def refusal(self, base: Path | Sequence[Path], rlvr: Path | Sequence[Path], **wish) -> str:
        """Why two runs cannot be read, without the folders' names."""
        with pytest.raises(FileError) as raised:
            both(base, rlvr, **wish)
        return str(raised.value).replace(f"{self.folder}/", "").replace(f"{HERE}/", "")


def both(base: Path | Sequence[Path], rlvr: Path | Sequence[Path], **wish) -> Recorded:
    """Read two runs."""
    files = {"base": base, "rlvr": rlvr}
    listed = {role: [paths] if isinstance(paths, Path) else paths for role, paths in files.items()}
    return read("b", listed, **wish)


def totals(recorded: Recorded, role: str) -> Totals:
    """Sums over the problems of a role."""
    tallies = recorded.tallies[role]
    return Totals(
        sum(t.n for t in tallies),
        sum(t.correct for t in tallies),
        sum(t.unscored for t in tallies),
        sum(t.correct > 0 for t in tallies),
    )


class Kit:
    """What the tests of a format need."""

    here = HERE
    both = staticmethod(both)
    totals = staticmethod(totals)
    Totals = Totals


@pytest.fixture
def kit() -> Kit:
    return Kit()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def reference() -> Path:
    """The folder of real recorded runs."""
    if _REFERENCE is None:
        pytest.skip("RLVR_GATE_REFERENCE_DATA does not name the reference data")
    return Path(_REFERENCE) / "recorded"
