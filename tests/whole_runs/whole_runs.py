"""Whole runs in processes of their own, judged by exit status and by every output they leave."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from . import forking

ROOT = Path(__file__).parents[2]
ROOMS = os.pathsep.join(str(ROOT / room) for room in ("plugins", "fixtures", "reports"))

CLAIMS = """
from rlvr_gate import claim

@claim("RLVR raises pass@1", id="MY1", kind="gate")
def test_first(pair, benchmark):
    assert pair.rlvr.pass_at(1, benchmark) > pair.base.pass_at(1, benchmark)

@claim("RLVR raises pass@4", id="MY2", kind="gate")
def test_second(pair, benchmark):
    assert pair.rlvr.pass_at(4, benchmark) > pair.base.pass_at(4, benchmark)
"""
POLICY = '[policy]\nname = "ours"\nrequired_claims = ["MY1", "MY2"]\n'


@dataclass
class Ended:
    """How a run ended, and what its outputs say."""

    status: int
    text: str
    folder: Path

    @property
    def document(self) -> dict[str, object]:
        document: dict[str, object] = json.loads((self.folder / "gate.json").read_text("utf-8"))
        return document

    @property
    def state(self) -> str:
        gate = self.document["gate"]
        assert isinstance(gate, dict)
        return str(gate["state"])

    @property
    def states(self) -> dict[str, str]:
        """What a reader of each output alone would take for the gate's state."""
        cases = ElementTree.parse(self.folder / "junit.xml").getroot()
        red = {"failure", "error"} & {element.tag for element in cases.iter()}
        named = cases.find("testsuite[@name='rlvr-gate']/properties/property")
        assert named is not None
        return {
            "json": self.state,
            "markdown": (self.folder / "gate.md").read_text("utf-8").splitlines()[0],
            "html": (self.folder / "gate.html").read_text("utf-8"),
            "junit": "red" if red else "green",
            "junit suite": str(named.get("value")),
        }


@dataclass
class Folder:
    """A folder with two recorded runs, a suite of two gate claims and a policy that needs both."""

    path: Path
    env: Mapping[str, str] = field(default_factory=lambda: {"PYTHONPATH": ROOMS})
    cwd: Path | None = None
    """Where the command is given, if in another folder: then it names all by whole paths."""
    executable: str = sys.executable
    outputs: Sequence[str] = (
        "--gate-json=gate.json", "--gate-summary=gate.md", "--gate-report=gate.html",
        "--junit-xml=junit.xml",
    )  # fmt: skip

    def write(self, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            target = self.path / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")

    def counts(self, role: str, correct: int) -> None:
        """A recorded run: 30 problems, about so many of 16 samples correct in each."""
        rows = [{"id": f"p{i}", "n": 16, "c": correct + i % 3} for i in range(30)]
        self.write({f"{role}.jsonl": "".join(json.dumps(row) + "\n" for row in rows)})

    def args(self, *more: str) -> list[str]:
        options = [
            "--recorded=base=base.jsonl", "--recorded=rlvr=rlvr.jsonl", "--gate-policy=ours.toml",
            *self.outputs,
        ]  # fmt: skip
        there = [str(self.path)] if self.cwd else []
        if self.cwd:
            options = ["=".join([*o.split("=")[:-1], f"{self.path}/{o.split('=')[-1]}"])
                       for o in options]  # fmt: skip
        return ["-p", "no:cacheprovider", "--benchmarks=sums", *options, *more, *there]

    def environment(self, env: Mapping[str, str] | None) -> dict[str, str]:
        ours = ("PYTEST", "PYTHONPATH")
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
        return {**inherited, "OMP_NUM_THREADS": "1", **self.env, **(env or {})}

    def run(self, *args: str, env: Mapping[str, str] | None = None) -> Ended:
        """In a process that is forked from this one: all but the imports is its own."""
        done = forking.run(self.args(*args), self.cwd or self.path, self.environment(env))
        return Ended(done.status, done.output + done.errors, self.path)

    def start(
        self, *args: str, python: Sequence[str] = (), env: Mapping[str, str] | None = None
    ) -> Ended:
        """In a process that is started from nothing, as a shell does."""
        done = subprocess.run(
            [self.executable, *python, "-m", "pytest", *self.args(*args)],
            cwd=self.cwd or self.path, text=True, env=self.environment(env), check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300,
        )  # fmt: skip
        return Ended(done.returncode, done.stdout, self.path)


def folder_that_opens(path: Path) -> Folder:
    """A folder whose run opens the gate."""
    found = Folder(path)
    found.counts("base", 2)
    found.counts("rlvr", 10)
    found.write({"test_ours.py": CLAIMS, "ours.toml": POLICY, "pytest.ini": "[pytest]\n"})
    return found
