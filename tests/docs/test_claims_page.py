"""docs/claims.md says what the suites say, and what recorded runs of the shipped family show."""

from __future__ import annotations

import json
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT, PAGE = ROOT / "docs" / "claims.py", ROOT / "docs" / "claims.md"
RUNS = json.loads((ROOT / "docs" / "claims" / "runs.json").read_text("utf-8"))


WHERE_NAMED = {"K1m", "K1p", "S5"}
"""Claims that a policy, or --self-test, must ask for."""


def ids() -> list[str]:
    sources = "\n".join(p.read_text("utf-8") for p in (ROOT / "suites").rglob("test_*.py"))
    return re.findall(r'\bid="([\w.-]+)"', sources)


def test_the_page_is_what_suites_and_runs_say(tmp_path: Path) -> None:
    written = tmp_path / "claims.md"
    subprocess.run([sys.executable, str(SCRIPT), str(written)], check=True, cwd=ROOT)
    if os.environ.get("UPDATE_GOLDEN"):
        PAGE.write_text(written.read_text("utf-8"), "utf-8")
    text = written.read_text("utf-8")
    assert text == PAGE.read_text("utf-8"), "out of date: python docs/claims.py, review the diff"


@pytest.mark.parametrize("id", ids())
def test_every_shipped_claim_is_there_and_was_judged(id: str) -> None:
    assert f"**{id}** " in PAGE.read_text("utf-8")
    verdicts = [v for run in RUNS for v in run["claims"].get(id, ())]
    judged = [v for v in verdicts if not v["skipped"]]
    assert judged, "record a run: python docs/claims.py --record"


@pytest.mark.parametrize("id", ids())
def test_every_claim_is_recorded_both_ways_or_the_page_says_why_not(id: str) -> None:
    """And no reason outlives the run that made it untrue."""
    script = runpy.run_path(str(SCRIPT))
    assert script["both_ways"](id, RUNS) != (id in script["WHY"])


def test_reasons_are_of_claims_that_there_are() -> None:
    assert runpy.run_path(str(SCRIPT))["WHY"].keys() <= set(ids())


def test_the_shipped_pair_comes_first_and_commands_name_no_place() -> None:
    assert RUNS[0]["trained"] == "rlvr"
    assert all("/tmp" not in run["command"] and "--model-pair" in run["command"] for run in RUNS)


def test_make_gate_all_gives_every_claim_what_it_needs() -> None:
    """So that none is only ever skipped there: roles, policies that name claims, texts."""
    command = subprocess.run(
        ["make", "-n", "gate-all"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    sources = "\n".join(p.read_text("utf-8") for p in (ROOT / "suites").rglob("test_*.py"))
    needed = set(re.findall(r'mark\.roles\("([\w-]+)"', sources)) - {"again"}
    given = set(re.findall(r"--checkpoint ([\w-]+)=", command))
    assert needed <= given
    assert any(re.fullmatch(r"step-\d+", role) for role in given)
    assert {"--thorough", "--self-test"} <= set(command.split())
    assert "--texts=" in command
    named = sources.count("mark.where_named")
    assert named == len(WHERE_NAMED)
    policy = (ROOT / "plugins/rlvr_gate/policies/benchmarks.toml").read_text("utf-8")
    assert "--gate-policy=benchmarks" in command
    assert all(f"[claims.{id}]" in policy for id in WHERE_NAMED - {"S5"})
    for role, name in re.findall(r"--checkpoint ([\w-]+)=([\w-]+)", command):
        assert (ROOT / "fixtures" / "checkpoints" / name).is_dir(), role
