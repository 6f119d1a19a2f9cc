"""What a run means is settled before it draws: policies, claims, paths, in real processes."""

from __future__ import annotations

import json

import pytest

CLAIMS = """
import pytest
from rlvr_gate import claim

@claim("of another benchmark than its own", id="A", kind="gate")
def test_another_benchmark(pair, benchmark):
    assert pair.rlvr.pass_at(1, "other") > 0.1

@claim("of a benchmark it did not ask for", id="B")
def test_no_benchmark(pair):
    assert pair.solved("sums").lost_share < 0.9

@claim("of a checkpoint nobody gave", id="C")
def test_no_such_role(pair, benchmark):
    assert pair.role("sft").pass_at(1, benchmark) > 0.1

@claim("without a number", id="D")
def test_nan(pair, benchmark):
    assert pair.rlvr.pass_at(1, benchmark) > float("nan")

@claim("fine", id="E", kind="gate")
def test_fine(pair, benchmark):
    assert 0.1 < 2 * pair.rlvr.pass_at(1, benchmark) - pair.base.pass_at(1, benchmark)
"""


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "workers"])
@pytest.mark.parametrize(
    ("policy", "suite", "message"),
    [
        ("[claims.K99]\nkind = 'gate'\n", "", "[claims.K99]: unknown claim 'K99'"),
        ("[policy]\nrequired_benchmarks = ['summs']\n", "", "unknown benchmark 'summs'"),
        ("[policy]\n", CLAIMS.replace('id="B"', 'id="A"'), "two claims have the id 'A'"),
    ],
)
def test_wrong_usage_is_one_sentence_and_draws_nothing(
    gate, policy: str, suite: str, message: str, workers: tuple[str, ...]
) -> None:
    gate.write(base=0.2, rlvr=0.7)
    (gate.root / "p.toml").write_text(policy)
    (gate.root / "test_it.py").write_text(suite or CLAIMS)
    result = gate.run("--gate-policy=p.toml", *workers, suites="test_it.py")
    text = result.stdout.str() + result.stderr.str()
    assert result.ret == 4
    assert text.count(message) == 1
    assert "INTERNALERROR" not in text
    assert not list(gate.root.glob(".rlvr-gate/samples.sqlite-wal"))
    assert "completions drawn" not in text


def test_a_claim_that_asks_for_what_it_may_not_is_told_so(gate) -> None:
    gate.write(base=0.2, rlvr=0.7)
    (gate.root / "p.toml").write_text("[policy]\n")
    (gate.root / "test_it.py").write_text(CLAIMS)
    (gate.root / "other.jsonl").write_bytes((gate.root / "sums.jsonl").read_bytes())
    result = gate.run("--benchmarks=sums.jsonl,other.jsonl", "--gate-policy=p.toml",
                      suites="test_it.py")  # fmt: skip
    assert result.ret == 12
    text = result.stdout.str()
    assert "this claim is about sums, but asks about other: pass on the `benchmark`" in text
    assert "asks about sums without the `benchmark` fixture" in text
    assert "no checkpoint 'sft' here, only base, rlvr: mark the claim with" in text
    assert "@pytest.mark.roles('sft') and give --checkpoint sft=REF" in text
    assert "cannot compare rlvr pass@1 with nan: need a finite number" in text
    assert "E on sums" not in text


def test_paths_hold_commas_blanks_and_a_home(gate, monkeypatch: pytest.MonkeyPatch) -> None:
    gate.write(base=0.2, rlvr=0.7)
    monkeypatch.setenv("HOME", str(gate.root))
    script = json.loads((gate.root / "script.json").read_text())
    script["o, ld"] = script.pop("old")
    (gate.root / "my script=1.json").write_text(json.dumps(script))
    (gate.root / "old").rename(gate.root / "o, ld")
    (gate.root / "sums.jsonl").rename(gate.root / "s, ums.jsonl")
    (gate.root / "p.toml").write_text('[policy]\nrequired_benchmarks = ["s, ums"]\n')
    result = gate.run(
        "--benchmarks=~/s, ums.jsonl", "--backend-option=script=~/my script=1.json",
        "--sample-store=~/my store", "--gate-json=~/out, put=1.json", "--gate-policy=~/p.toml",
        pair="~/o, ld,~/new",
    )  # fmt: skip
    assert result.ret == 0
    assert gate.document("out, put=1.json")["gate"]["state"] == "open"
    assert (gate.root / "my store" / "samples.sqlite").exists()


def test_a_scripted_backend_needs_its_script(gate) -> None:
    gate.write(base=0.2, rlvr=0.7)
    (gate.root / "test_it.py").write_text(CLAIMS)
    result = gate.pytester.runpytest_subprocess(
        "--model-pair=./old,./new", "--benchmarks=sums.jsonl", "--backend=scripted",
        "--checkpoint=sft=./old", "--checkpoint=s=./new", "-p", "no:cacheprovider", "test_it.py",
    )  # fmt: skip
    text = result.stdout.str() + result.stderr.str()
    assert result.ret == 4
    assert "missing a required argument: 'script'" in text
    assert "Traceback" not in text


def test_a_role_is_given_once(gate) -> None:
    gate.write(base=0.2, rlvr=0.7)
    result = gate.run("--checkpoint=sft=./old", "--checkpoint=sft=./new")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*'sft' is given twice*"])
