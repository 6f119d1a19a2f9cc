"""`--plan` says what the gate claims could detect, before anything is drawn."""

from __future__ import annotations


def test_the_plan_says_what_gate_claims_could_detect_and_warns(gate) -> None:
    """Of pass@k in full, of a mean over benchmarks what it would see, of S2 nothing."""
    gate.write(base=0.4, rlvr=0.4)
    (gate.root / "test_more.py").write_text(
        "from rlvr_gate import claim\n"
        "@claim('RLVR gains', id='MEAN', kind='gate')\n"
        "def test_mean(pair, benchmarks):\n"
        "    assert pair.gain(1, benchmarks) > 0\n"
        "@claim('of a fixture of its own', id='OWN', kind='gate')\n"
        "def test_own(pair, benchmark, tmp_path):\n"
        "    assert pair.rlvr.pass_at(1, benchmark) > 0.1\n"
        "@claim('raises', id='BAD', kind='gate')\n"
        "def test_bad(pair, benchmark):\n"
        "    raise RuntimeError\n",
        "utf-8",
    )
    result = gate.run("--plan", "--gate-policy=coverage", str(gate.root / "test_more.py"))
    result.stdout.fnmatch_lines(
        ["what the gate claims could detect, before anything is drawn*",
         "  K1 on sums (20 problems, 16 samples): *a true difference in pass@1 of *",
         "  C1 on sums (20 problems, 16 samples): *a true difference in pass@8 of *",
         "  C1 on sums (20 problems, 16 samples): WARNING: it can hardly ever hold: *"]
    )  # fmt: skip
    text = result.stdout.str()
    assert "  MEAN (16 samples): where nothing changed, a run of this size detects" in text
    for silent in ("  S2", "  OWN", "  BAD"):
        assert silent not in text
    assert not (gate.root / "reports").exists()


def test_an_adaptive_plan_is_told_at_the_level_of_the_last_look(gate) -> None:
    gate.problems = 100
    gate.write(base=0.4, rlvr=0.4)
    result = gate.run("--plan", "--samples=adaptive", "-k", "rises")
    result.stdout.fnmatch_lines(["  K1 on sums (100 problems, * samples): *"])


def test_coverage_is_judged_at_half_the_samples_unless_k_is_named(gate) -> None:
    gate.write(base=0.3, rlvr=0.5)
    gate.options.append("--gate-json=gate.json")
    for args, k in (([], 8), (["--k=1,4"], 4)):
        gate.run("-k", "coverage_is_kept or pass_at_1_rises", *args)
        claims = {claim["id"]: claim for claim in gate.document()["claims"]}
        (judged,) = claims["C1"]["judgements"]
        assert judged["k"] == k
