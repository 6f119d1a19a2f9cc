"""A policy that speaks of what is not there is wrong usage, before anything is drawn."""

# ruff: noqa: E501 - tables of policies
from __future__ import annotations

from pathlib import Path

import numpy  # noqa: F401 - once, before runs in this process bring it and drop it
import pytest

SUITES = Path(__file__).parents[2] / "suites"
SUITE = """
import pytest
from rlvr_gate import claim

@claim("a share with a margin", id="MY1", kind="gate", margin=0.02)
def test_share(pair, benchmark, margin): ...

@claim("a bound on weights", id="MY2", bound=0.3)
def test_bound(pair, bound): ...

@claim("degrees", id="MY3", bound=5.0)
def test_degrees(pair, bound): ...

@pytest.mark.scores("rlvr", under="base")
@claim("nats", id="MY4", margin=0.5)
def test_nats(pair, benchmark, margin): ...

@claim("neither", id="MY5")
def test_neither(pair, benchmark, k): ...
"""


@pytest.fixture
def collect(pytester: pytest.Pytester):  # type: ignore[no-untyped-def]  # pytester's own result
    """Collect the suite above, and whatever else is named, under a policy of this text."""

    def run(policy: str, *args: str) -> pytest.RunResult:
        pytester.makepyfile(test_mine=SUITE)
        (pytester.path / "p.toml").write_text(policy)
        return pytester.runpytest_inprocess(
            "-p", "rlvr_gate.plugin", "-p", "no:cacheprovider", "-Wdefault", "--collect-only",
            "--gate-policy=p.toml", *args, "test_mine.py",
        )  # fmt: skip

    return run


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ("[claims.MY11]\nkind = 'gate'",
         "[claims.MY11]: unknown claim 'MY11'; did you mean 'MY1'? known: "),
        ("[claims.k1]\nkind = 'gate'", "unknown claim 'k1'"),
        ("[claims.'K1 ']\nkind = 'gate'", "unknown claim 'K1 '; did you mean 'K1'?"),
        ("[claims.'']\nkind = 'gate'", "[claims.]: unknown claim ''"),
        ("[policy]\nrequired_claims = ['MY1', 'KI']", "required_claims: unknown claim 'KI'"),
        ("[policy]\nrequired_claims = ['MY2']",
         "MY2 is a finding under this policy, so the gate could never open"),
        ("[policy]\nrequired_claims = ['K2']", "K2 is a finding under this policy"),
        ("[policy]\nrequired_claims = ['MY1']\n[claims.MY1]\nkind = 'finding'",
         "MY1 is a finding under this policy"),
        ("[policy]\nrequired_claims = ['MY5']\n[claims.MY5]\nkind = 'gate'\n"
         "benchmarks = ['chain_sum']", "MY5 is a finding under this policy"),
        ("[policy]\nrequired_benchmarks = ['countdwn']",
         "required_benchmarks: unknown benchmark 'countdwn'; did you mean 'countdown'? known:"),
        ("[claims.MY1]\nmargin = 0.1\nbenchmarks = ['aime']",
         "[claims.MY1] benchmarks: unknown benchmark 'aime'"),
        ("[claims.MY2]\nbound = 0.1\nbenchmarks = ['countdown']",
         "[claims.MY2]: benchmarks is given, but the claim is about weights"),
        ("[claims.MY1]\nbound = 0.1", "[claims.MY1]: bound is given, but the test does not use one"),
        ("[claims.MY2]\nmargin = 0.1", "margin is given, but the test does not use one: it has only"),
        ("[claims.MY5]\nmargin = 0.1", "it has neither margin nor bound"),
        ("[claims.K1k]\nmargin = 0.1", "[claims.K1k]: margin is given, but the test does not use one"),
        ("[claims.W1]\nbenchmarks = ['countdown']", "the claim is about weights"),
        ("[claims.MY1]\nmargin = 2.0", "margin 2 lets everything pass: 2 points are written 0.02"),
        ("[claims.C1]\nmargin = 2", "margin 2 lets everything pass"),
        ("[claims.K8]\nmargin = 1", "margin 1 lets everything pass"),
        ("[claims.W1]\nbound = 36", "bound 36 is no share: 36 per cent are written 0.36"),
        ("[claims.MY2]\nbound = -3", "bound -3 is no share"),
    ],
)  # fmt: skip
def test_what_nobody_could_act_on_is_refused(collect, policy: str, message: str) -> None:
    result = collect(policy)
    text = f"{result.stdout.str()}\n{result.stderr.str()}"
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert message in text
    assert "INTERNALERROR" not in text


@pytest.mark.parametrize(
    "policy",
    [
        "[claims.MY1]\nmargin = 0.1\nbenchmarks = ['countdown']",
        "[claims.MY3]\nbound = 20",
        "[claims.MY4]\nmargin = 1.5",
        "[claims.K2]\nkind = 'gate'\n[claims.W5]\nbound = 7",
        "[policy]\nrequired_claims = ['MY1', 'K1', 'MY5']\n[claims.MY5]\nkind = 'gate'",
        "[policy]\nrequired_benchmarks = ['countdown']",
    ],
)
def test_what_is_collected_or_shipped_is_known_selected_or_not(collect, policy: str) -> None:
    assert collect(policy).ret == 0
    assert collect(policy, "-k", "share").ret == 0


def test_a_benchmark_of_this_run_is_known_by_its_files_name(collect) -> None:
    policy = "[policy]\nrequired_benchmarks = ['sums']"
    assert collect(policy, "--benchmarks=./deep/sums.jsonl").ret == 0
    assert collect(policy).ret == pytest.ExitCode.USAGE_ERROR


def test_every_problem_is_told_at_once(collect) -> None:
    result = collect("[policy]\nrequired_claims = ['A7']\n[claims.MY2]\nmargin = 1\n[claims.B7]\n"
                     "kind = 'gate'")  # fmt: skip
    text = result.stderr.str()
    assert all(part in text for part in ("'A7'", "[claims.MY2]", "[claims.B7]"))


def test_shipped_policies_mean_something_for_the_shipped_suites(
    pytester: pytest.Pytester,
) -> None:
    """Read as if they were a user's own files, where nothing is taken on trust."""
    from rlvr_gate.gate.policy import shipped

    folder = SUITES.parent / "plugins" / "rlvr_gate" / "policies"
    for name in shipped():
        (pytester.path / f"{name}.toml").write_text((folder / f"{name}.toml").read_text())
        result = pytester.runpytest_inprocess(
            "-p", "rlvr_gate.plugin", "-p", "no:cacheprovider", "-Wdefault", "--collect-only", "-q",
            f"--gate-policy={name}.toml", str(SUITES / "weights"),
        )  # fmt: skip
        assert result.ret == 0


def test_the_shipped_ids_are_read_from_the_suites_alone() -> None:
    from rlvr_gate.written import shipped_claims

    found = shipped_claims()
    assert {"S2", "K1", "C1", "W1", "W10"} <= found.keys()
    assert (found["C1"].margin, found["K1"].kind) == (0.02, "gate")
    assert found["W1"].takes == {"pair", "bound"}
