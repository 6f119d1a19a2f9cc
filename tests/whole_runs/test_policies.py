"""Shipped policies and targets through the door users use."""

from __future__ import annotations


def test_the_mean_over_benchmarks_decides_where_the_policy_asks_for_it(gate) -> None:
    """Twelve problems cannot raise K1 on their own; with the other benchmark's they need not."""
    gate.problems = 60
    gate.write(base=0.2, rlvr=0.45)
    lines = (gate.root / "sums.jsonl").read_text("utf-8").splitlines(keepends=True)
    (gate.root / "few.jsonl").write_text("".join(lines[:12]), "utf-8")
    (gate.root / "many.jsonl").write_text("".join(lines[12:]), "utf-8")
    gate.options += ["--benchmarks=few.jsonl,many.jsonl", "--gate-json=gate.json"]
    tests = ("-k", "rises or comparable")
    assert gate.run(*tests).ret == 10
    before = {claim["id"] for claim in gate.document()["claims"]}
    assert gate.run("--gate-policy=benchmarks", *tests).ret == 0
    claims = {claim["id"]: claim for claim in gate.document()["claims"]}
    assert before == claims.keys() - {"K1m", "K1p"}
    assert (claims["K1p"]["verdict"], claims["K1p"]["kind"]) == ("holds", "gate")
    assert {claims[id]["kind"] for id in ("K1", "K1m")} == {"finding"}


def test_verdicts_about_these_problems_say_so_everywhere(gate) -> None:
    gate.write(base=0.3, rlvr=0.45)
    (gate.root / "ours.toml").write_text('[policy]\ntarget = "these problems"\n', "utf-8")
    outputs = ("--gate-json=gate.json", "--gate-report=gate.html", "--gate-summary=gate.md")
    tests = ("-k", "pass_at_1_rises or comparable")
    assert gate.run(*outputs, *tests).ret == 10
    result = gate.run(f"--gate-policy={gate.root}/ours.toml", *outputs, *tests)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["gate claims (of these problems alone)*"])
    (k1,) = (claim for claim in gate.document()["claims"] if claim["id"] == "K1")
    assert k1["judgements"][0]["target"] == "these problems"
    assert gate.document()["gate"]["error_control"]["assumed"] == 1
    for name in ("gate.html", "gate.md"):
        text = (gate.root / name).read_text("utf-8")
        assert "of these problems alone" in text
        assert "or they are about these problems alone" in text
