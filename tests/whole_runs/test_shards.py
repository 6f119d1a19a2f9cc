"""`--shard` on several machines and `rlvr-gate merge` give what one run gives."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rlvr_gate.options import Shard, shard


@pytest.fixture
def pair(gate):
    gate.problems = 40
    gate.write(0.2, 0.8)
    return gate


def merged(root: Path, *parts: str) -> str:
    command = [sys.executable, "-m", "rlvr_gate_fixtures", "merge", ".rlvr-gate", *parts]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("samples", ["16", "adaptive:16:2"])
def test_shards_merged_are_one_run(pair, samples: str) -> None:
    options = (f"--samples={samples}",)
    pair.run(*options, "--gate-json=whole.json", "--sample-store=whole")
    for number in (1, 2, 3):
        result = pair.run(*options, f"--shard={number}/3", f"--sample-store=part-{number}")
        assert result.ret == 0
        result.stdout.fnmatch_lines(
            [f"shard {number}/3: * completions drawn into part-{number},*"]
        )
        assert "policy" not in result.stdout.str()
    merged(pair.root, "part-1", "part-2", "part-3")
    pair.run(*options, "--gate-json=gate.json")
    whole, gate = pair.document("whole.json"), pair.document()
    assert gate["run"]["sampled"]["completions"] == 0
    assert gate["run"]["sampled"]["reused"] == whole["run"]["sampled"]["completions"]
    assert {**gate, "run": None} == {**whole, "run": None}


def test_a_lost_shard_is_drawn_by_the_last_run(pair) -> None:
    for number in (1, 2):
        pair.run(f"--shard={number}/2", f"--sample-store=part-{number}")
    shutil.rmtree(pair.root / "part-2")
    merged(pair.root, "part-1")
    pair.run("--gate-json=gate.json")
    sampled = pair.document()["run"]["sampled"]
    assert sampled["completions"] + sampled["reused"] == 2 * 40 * 16
    assert min(sampled["completions"], sampled["reused"]) > 0


def test_the_plan_is_that_of_the_shard(pair) -> None:
    total = 0
    for number in (1, 2):
        out = pair.run("--plan", f"--shard={number}/2").stdout.str()
        total += int(out.partition("total: ")[2].partition(" to draw")[0])
    assert total == 2 * 40 * 16


def test_shards_share_everything_out() -> None:
    prompts = [f"{i}+{i}=" for i in range(300)]
    parts = [[p for p in prompts if Shard(i, 4).holds(p)] for i in (1, 2, 3, 4)]
    assert sorted(p for part in parts for p in part) == sorted(prompts)
    assert all(40 < len(part) < 110 for part in parts)


@pytest.mark.parametrize("text", ["0/2", "3/2", "2", "a/b", "1/0", "/", ""])
def test_what_is_no_shard_is_refused(text: str) -> None:
    import argparse

    with pytest.raises(argparse.ArgumentTypeError):
        shard(text)


def test_shards_are_not_for_xdist(pair) -> None:
    pytest.importorskip("xdist")
    result = pair.run("--shard=1/2", "-n", "2")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*--shard judges nothing: use it without -n*"])
