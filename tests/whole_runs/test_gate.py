"""The whole run: the verdicts decide the exit status, and the reports say why."""

from __future__ import annotations

from datetime import date, timedelta

import pytest


def test_a_better_checkpoint_opens_the_gate(gate) -> None:
    gate.write(base=0.2, rlvr=0.7)
    result = gate.run("--gate-json=gate.json")
    assert result.ret == 0
    document = gate.document()
    assert document["gate"]["state"] == "open"
    verdicts = {c["id"]: c["verdict"] for c in document["claims"] if c["k"] is None}
    assert verdicts["K1"] == verdicts["S2"] == "holds"


def test_a_worse_checkpoint_closes_it_and_is_named(gate) -> None:
    gate.write(base=0.7, rlvr=0.2)
    result = gate.run("--gate-json=gate.json")
    assert result.ret == 1
    assert gate.document()["gate"]["deciding"] == ["K1 on sums"]
    result.stdout.fnmatch_lines(
        ["*gate claim K1 is REFUTED: RLVR raises pass@1, sums*", "*rlvr pass@1 > base pass@1*",
         "*interval*must be > 0*", "*deciding problems*"]
    )  # fmt: skip


def test_an_equal_checkpoint_is_undecided(gate) -> None:
    gate.write(base=0.4, rlvr=0.4)
    result = gate.run("--gate-json=gate.json")
    assert result.ret == 10
    assert gate.document()["gate"]["state"] == "undecided"


def test_shrinking_coverage_is_a_finding_unless_the_policy_gates_on_it(gate) -> None:
    gate.problems = 60
    gate.write(base=0.3, rlvr=lambda i: 0.95 if i % 20 < 14 else 0.0)
    gate.options.append("--gate-json=gate.json")
    assert gate.run().ret == 0
    assert {c["id"]: c["verdict"] for c in gate.document()["claims"]}["C1"] == "refuted"
    assert gate.run("--gate-policy=coverage").ret == 1
    assert gate.document()["gate"]["deciding"] == ["C1 on sums"]


def test_a_waiver_opens_the_gate_aloud_and_an_expired_one_does_not(gate) -> None:
    gate.problems = 60
    gate.write(base=0.3, rlvr=lambda i: 0.95 if i % 20 < 14 else 0.0)
    text = (
        '[claims.C1]\nkind = "gate"\n[[waivers]]\nclaim = "C1"\nreason = "known: ticket 7"\n'
        "until = {}\n"
    )
    soon = (date.today() + timedelta(days=30)).isoformat()
    (gate.root / "mine.toml").write_text(text.format(soon))
    outputs = "--gate-json=gate.json", "--gate-report=gate.html", "--gate-summary=gate.md"
    result = gate.run("--gate-policy=mine.toml", *outputs)
    assert result.ret == 0
    files = [(gate.root / name).read_text() for name in ("gate.html", "gate.md")]
    for said in (result.stdout.str(), *files):
        assert "May ship on a waiver" in said
        assert "known: ticket 7" in said
        assert "30 days left" in said
    [use] = gate.document()["gate"]["waivers"]
    assert (use["claim"], use["state"], use["until"]) == ("C1", "used", soon)
    assert gate.document()["gate"]["deciding"] == ["K1 on sums", "S2 on sums"]
    (gate.root / "mine.toml").write_text(text.format(soon) + 'benchmark = "countdown"\n')
    result = gate.run("--gate-policy=mine.toml", *outputs)
    assert result.ret == 1
    files = [(gate.root / name).read_text() for name in ("gate.html", "gate.md")]
    for said in (result.stdout.str(), *files):
        assert "matches no gate claim of this run" in " ".join(said.split())
    (gate.root / "mine.toml").write_text(text.format("2000-01-01"))
    assert gate.run("--gate-policy=mine.toml", *outputs).ret == 1
    assert gate.document()["gate"]["waivers"][0]["state"] == "expired"


def test_github_is_told_the_decision_in_annotations_of_ours_alone(gate, monkeypatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    gate.write(base=0.6, rlvr=0.2)
    result = gate.run()
    orders = [line for line in result.stdout.lines if line.startswith("::")]
    assert orders[0].startswith("::error title=rlvr-gate%3A Do not ship::K1 on sums is refuted")
    assert all(line.startswith(("::error title=rlvr", "::warning title=rlvr")) for line in orders)
    monkeypatch.delenv("GITHUB_ACTIONS")
    assert not [line for line in gate.run().stdout.lines if line.startswith("::")]


def test_counts_let_anyone_recompute_the_figures(gate) -> None:
    gate.write(base=0.2, rlvr=0.7)
    gate.run("--gate-json=gate.json")
    document = gate.document()
    counts = document["counts"]["sums"]
    assert len(counts) == 20
    rates = {
        role: sum(c[role]["correct"] / c[role]["n"] for c in counts.values()) / 20
        for role in ("base", "rlvr")
    }
    k1 = next(c for c in document["claims"] if c["id"] == "K1")
    assert k1["estimate"] == pytest.approx(rates["rlvr"] - rates["base"], abs=1e-12)


def test_xdist_gives_the_same_json(gate) -> None:
    pytest.importorskip("xdist")
    gate.write(base=0.2, rlvr=0.5)
    assert gate.run("--gate-json=one.json", "--sample-store=a").ret == 0
    assert gate.run("--gate-json=two.json", "--sample-store=b", "-n", "2").ret == 0
    one, two = gate.document("one.json"), gate.document("two.json")
    assert one.pop("run") != two.pop("run")
    assert one == two


def test_a_second_run_draws_nothing_and_says_the_same(gate) -> None:
    gate.write(base=0.2, rlvr=0.5)
    gate.run("--gate-json=one.json")
    gate.run("--gate-json=two.json")
    one, two = gate.document("one.json"), gate.document("two.json")
    assert one["run"]["sampled"]["completions"] == 20 * 16 * 2
    assert two["run"]["sampled"]["completions"] == 0
    assert one["counts"] == two["counts"]


def test_more_samples_extend_the_store(gate) -> None:
    gate.write(base=0.2, rlvr=0.5)
    gate.run("--gate-json=one.json")
    gate.samples = 40
    gate.run("--gate-json=two.json")
    assert gate.document("two.json")["run"]["sampled"]["completions"] == 20 * 24 * 2


def test_a_checkpoint_against_itself_gets_another_seed(gate) -> None:
    gate.write(base=0.3, rlvr=0.3)
    assert gate.run("--gate-json=gate.json", pair="./old,./old").ret == 10
    seeds = {c["role"]: c["seed"] for c in gate.document()["checkpoints"]}
    assert seeds["base"] != seeds["rlvr"]


def test_junit_carries_the_verdicts(gate) -> None:
    gate.write(base=0.2, rlvr=0.7)
    gate.run("--junit-xml=junit.xml")
    text = (gate.root / "junit.xml").read_text()
    assert 'name="rlvr_gate.verdict" value="holds"' in text
    assert "rlvr_gate.record" not in text


def test_a_claim_in_five_lines(gate) -> None:
    gate.write(base=0.2, rlvr=0.7)
    gate.pytester.makepyfile(
        """
        from rlvr_gate import claim

        @claim("RLVR doubles pass@1", id="MY1", kind="gate")
        def test_doubles(pair, benchmark):
            assert pair.rlvr.pass_at(1, benchmark) - pair.base.pass_at(1, benchmark) > 0.2
        """
    )
    gate.root.joinpath("mine.toml").write_text('[policy]\nrequired_claims = ["MY1"]\n')
    result = gate.run("--gate-policy=mine.toml", suites="test_a_claim_in_five_lines.py")
    assert result.ret == 0


def test_a_claim_that_compares_nothing_does_not_open_the_gate(gate) -> None:
    gate.write(base=0.2, rlvr=0.7)
    gate.pytester.makepyfile(
        """
        from rlvr_gate import claim

        @claim("nothing", id="MY1", kind="gate")
        def test_nothing(pair, benchmark):
            pass
        """
    )
    gate.root.joinpath("mine.toml").write_text("[policy]\n")
    result = gate.run("--gate-policy=mine.toml", suites=str(gate.root))
    assert result.ret == 12
    result.stdout.fnmatch_lines(["*the test compared nothing*"])


def test_a_claim_that_raises_leaves_no_decision(gate) -> None:
    gate.write(base=0.2, rlvr=0.7)
    gate.pytester.makepyfile(
        """
        from rlvr_gate import claim

        @claim("broken", id="MY1")
        def test_broken(pair, benchmark):
            assert pair.rlvr.pass_at(99, benchmark) > 0.1
        """
    )
    result = gate.run(suites=str(gate.root))
    assert result.ret == 12
    result.stdout.fnmatch_lines(["*99*16*"])


def test_a_claim_without_its_contrast_is_skipped_with_the_remedy(gate) -> None:
    gate.write(base=0.2, rlvr=0.7)
    result = gate.run("-rs")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*needs --checkpoint sft=REF*"])


def test_tests_that_are_not_claims_are_left_alone(gate) -> None:
    gate.pytester.makepyfile("def test_other(tmp_path):\n    assert tmp_path\n")
    result = gate.pytester.runpytest_subprocess("-p", "no:cacheprovider")
    assert result.ret == 0
    result.assert_outcomes(passed=1)


def test_a_finding_skipped_by_its_own_test_is_a_skip(gate) -> None:
    gate.write(base=0.2, rlvr=0.7)
    gate.pytester.makepyfile(
        """
        import pytest
        from rlvr_gate import claim

        @claim("later", id="MY1")
        def test_later(pair, benchmark):
            pytest.skip("not today")
        """
    )
    gate.root.joinpath("mine.toml").write_text("[policy]\n")
    result = gate.run("--gate-policy=mine.toml", suites=str(gate.root))
    result.assert_outcomes(skipped=1)
    assert result.ret == 12  # no gate claim was judged
