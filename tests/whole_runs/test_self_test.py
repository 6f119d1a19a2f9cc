"""--self-test: base drawn twice on the run's own engine; a policy asks for it, nobody fakes it."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from .conftest import Gate

ONLY = ["-k", "self_test or same_question"]
OURS = """[policy]
name = "ours"
required_claims = ["S2"]
self_test = true
[claims.S5]
margin = 0.1
"""


@pytest.fixture
def tested(gate: Gate) -> Gate:
    """Fifty problems of different chances: S5 can hold within ten points."""
    gate.problems = 50
    gate.write(base=lambda i: 0.2 + 0.012 * i, rlvr=lambda i: 0.3 + 0.012 * i)
    (gate.root / "ours.toml").write_text(OURS)
    return gate


def judged(gate: Gate, *args: str, status: int) -> Mapping[str, object]:
    """S5 of a run under the policy that asks for it."""
    outputs = ["--gate-json=gate.json", "--gate-report=gate.html"]
    result = gate.run(*outputs, "--gate-policy=ours.toml", *ONLY, *args)
    assert result.ret == status, str(result.stdout)
    claims = gate.document()["claims"]
    assert isinstance(claims, list)
    (claim,) = (c for c in claims if c["id"] == "S5")
    found: Mapping[str, object] = claim
    return found


def test_base_drawn_twice_holds_and_every_report_says_what_it_showed(tested: Gate) -> None:
    claim = judged(tested, "--self-test", status=0)
    assert claim["verdict"] == "holds"
    assert claim["kind"] == "gate"
    evidence = claim["evidence"]
    assert isinstance(evidence, dict)
    assert "no session effect beyond 0.0" in evidence["notes"][0]
    assert "`[claims.K1] margin = 0.0" in evidence["notes"][0]
    table, curves = evidence["exhibits"]
    same = [row[0] for row in table["rows"] if row[1] == 0]
    assert same == ["K1: pass@1 rises", "C1: pass@8 falls by less than 0.02"]
    assert set(curves["curves"]) == set(same)
    assert "split into two runs of one model" in (tested.root / "gate.html").read_text("utf-8")
    counts = tested.document()["counts"]
    assert isinstance(counts, dict)
    assert {"base", "rlvr", "again"} <= set(counts["sums"]["p000"])
    # the store keeps it: the next candidate of this base draws nothing for it
    plan = str(tested.run("--self-test", "--plan", *ONLY).stdout)
    assert "again" in plan
    assert "0 to draw" in plan or "nothing to draw" in plan


def test_a_policy_that_asks_for_it_does_not_open_without(tested: Gate) -> None:
    claim = judged(tested, status=12)
    assert claim["reason"] == "needs --self-test"
    deselected = ["--gate-policy=ours.toml", "--self-test", "-k", "same_question"]
    assert tested.run(*deselected).ret == 12


def test_another_checkpoint_is_no_second_base(tested: Gate) -> None:
    claim = judged(tested, "--checkpoint=again=./new", status=11)
    assert "again is another checkpoint than base (./new, not ./old)" in json.dumps(claim)


def test_it_is_named_once_and_draws(tested: Gate) -> None:
    twice = tested.run("--self-test", "--checkpoint=again=./old")
    recorded = tested.run("--self-test", "--recorded=base=sums.jsonl", pair="")
    assert (twice.ret, recorded.ret) == (4, 4)
    assert "'again' is given twice" in str(twice.stderr)
    assert "--self-test draws base a second time" in str(recorded.stderr)


def test_an_engine_that_ignores_seeds_has_not_drawn_twice(tested: Gate) -> None:
    """Every collection reads the same lines: alike to the last problem, and worth nothing."""
    script = json.loads((tested.root / "script.json").read_text("utf-8"))
    script["old"] = {
        prompt: ["no", coin["right"], *["no", coin["right"]] * (i % 3), "no"]
        for i, (prompt, coin) in enumerate(script["old"].items())
    }
    (tested.root / "script.json").write_text(json.dumps(script))
    claim = judged(tested, "--self-test", status=11)
    assert "as many correct as base on 50 of 50 problems" in json.dumps(claim)
