"""Adaptive runs that look before all problems were asked: whole runs through the command line."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

import pytest

from rlvr_gate.stats.error_rates import spend

ADAPTIVE = "--samples=adaptive:64:4"

SUITE = """
import pytest
from rlvr_gate import claim

@claim("rlvr leads", id="EARLY", kind="gate")
def test_early(pair, benchmark):
    assert pair.rlvr.pass_at(1, benchmark) > pair.base.pass_at(1, benchmark)

@claim("rlvr leads by far", id="LATE", kind="gate")
@pytest.mark.at_k(2)
def test_late(pair, benchmark, k, noted):
    assert pair.rlvr.pass_at(k, benchmark) > pair.base.pass_at(k, benchmark) + 0.47

@pytest.fixture
def noted(tmp_path_factory, request):
    with open(request.config.rootpath / "noted.txt", "a") as file:
        print("setup", file=file)
    yield
    with open(request.config.rootpath / "noted.txt", "a") as file:
        print("teardown", file=file)
"""

POLICY = """
[policy]
name = "early"
required_claims = ["EARLY"]
"""


@pytest.fixture
def pair(gate):
    """A hundred problems on which rlvr solves half that base never does."""
    gate.problems = 100
    gate.samples = 64
    gate.write(0.0, lambda i: 0.9 if i % 2 else 0.0)
    (gate.root / "test_mine.py").write_text(SUITE)
    (gate.root / "policy.toml").write_text(POLICY)
    gate.options = ["--gate-policy=policy.toml", "--backend-option=delay=0"]
    return gate


def claims(document: Any) -> dict[str, Any]:
    return {claim["id"]: claim for claim in document["claims"]}


def samples(document: Any) -> list[int]:
    return [roles["rlvr"]["n"] for roles in document["counts"]["sums"].values()]


def test_sampling_stops_at_the_look_that_decides(pair) -> None:
    result = pair.run(ADAPTIVE, "--gate-json=gate.json", "--gate-report=gate.html",
                      "-k", "early", suites="test_mine.py")  # fmt: skip
    document = pair.document()
    assert document["gate"]["state"] == "open"
    assert len(samples(document)) == 50
    judged = claims(document)["EARLY"]
    assert judged["interval"]["level"] == 0.95
    first = 1 - spend(0.8 * 0.05, [0.5, 0.75, 1.0])[0]  # of a first judgement
    assert judged["evidence"]["look"]["level"] == pytest.approx(first, abs=1e-9)
    assert "50 of 100 problems asked" in result.stdout.str()
    assert "every claim was settled at look 1 of 3" in " ".join(result.stdout.str().split())
    assert document["run"]["sampled"]["completions"] < 100 * 64


def test_the_rest_is_asked_only_as_far_as_the_open_claim_reads(pair) -> None:
    result = pair.run(ADAPTIVE, "--gate-json=gate.json", "--junit-xml=junit.xml",
                      suites="test_mine.py")  # fmt: skip
    document = pair.document()
    assert claims(document)["EARLY"]["evidence"]["look"]["number"] == 1
    assert claims(document)["LATE"]["evidence"]["look"]["number"] == 3
    assert claims(document)["LATE"]["evidence"]["look"]["problems"] == 100
    assert len(samples(document)) == 100
    rows = [roles["rlvr"] for roles in document["counts"]["sums"].values()]
    assert sorted({(row["most"], row["n"]) for row in rows}) == [(16, 16), (64, 16), (64, 64)]
    assert sum(row["most"] == 64 for row in rows) == 50
    assert {row["correct"] for row in rows if row["n"] == 64} == {0}
    assert document["saving"]["looks"]["sums"]["to_the_end"] == 50
    assert "of 50 problems asked to the end: " in result.stdout.str()
    assert max(point["k"] for point in document["curves"]["sums"]["rlvr"]) == 64


def test_a_look_reports_nothing_and_leaves_nothing_set_up(pair) -> None:
    result = pair.run(ADAPTIVE, "--junit-xml=junit.xml", "-v", suites="test_mine.py")
    assert result.stdout.str().count("test_late") <= 3  # its line, and the summary's
    assert (pair.root / "noted.txt").read_text().split() == ["setup", "teardown"] * 3
    of_pytest = ET.parse(pair.root / "junit.xml").find("testsuite[@name='pytest']")
    assert of_pytest is not None
    for case in of_pytest.iter("testcase"):
        names = [found.get("name") for found in case.iter("property")]
        assert names.count("rlvr_gate.verdict") == 1


def test_a_run_that_died_between_looks_ends_the_same(pair) -> None:
    pair.run(ADAPTIVE, "--sample-store=whole", "--gate-json=whole.json", suites="test_mine.py")
    drawn = pair.document("whole.json")["run"]["sampled"]["completions"]
    for _ in range(2):
        pair.run(ADAPTIVE, f"--backend-option=die_after={drawn // 2 - 100}",
                 suites="test_mine.py")  # fmt: skip
    plan = pair.run(ADAPTIVE, "--plan", suites="test_mine.py")
    plan.stdout.fnmatch_lines(["* on sums: 25 problems x 16 samples*"])
    pair.run(ADAPTIVE, "--gate-json=gate.json", suites="test_mine.py")
    one, other = (pair.document(name) for name in ("whole.json", "gate.json"))
    assert other["run"]["sampled"]["completions"] == drawn - 2 * (drawn // 2 - 100)
    assert {**one, "run": None} == {**other, "run": None}


@pytest.mark.slow  # of a run without looks CI asks the same: test_gate.py
def test_xdist_gives_the_same_json(pair) -> None:
    pytest.importorskip("xdist")
    pair.run(ADAPTIVE, "--gate-json=one.json", suites="test_mine.py")
    result = pair.run(ADAPTIVE, "--sample-store=other", "-n", "2", "--gate-json=other.json",
                      suites="test_mine.py")  # fmt: skip
    one, other = (pair.document(name) for name in ("one.json", "other.json"))
    assert one["run"]["sampled"] == other["run"]["sampled"]
    assert {**one, "run": None} == {**other, "run": None}
    assert "in 3 looks" in " ".join(result.stdout.str().split())


def test_a_fixed_run_takes_no_looks(pair) -> None:
    pair.run("--gate-json=gate.json", suites="test_mine.py")
    document = pair.document()
    assert len(samples(document)) == 100
    assert "look" not in claims(document)["EARLY"]["evidence"]


TOGETHER = """
from rlvr_gate import claim

@claim("rlvr gains", id="ALL", kind="{kind}")
def test_all(pair, benchmarks):
    (only,) = benchmarks
    assert pair.rlvr.pass_at(64, only) > pair.base.pass_at(64, only)
"""


@pytest.mark.parametrize(("kind", "read"), [("finding", 50), ("gate", 100)])
def test_a_claim_over_benchmarks_reads_the_first_look_or_has_all_asked(
    pair, kind: str, read: int
) -> None:
    """A finding's problems hang on no verdict, and are there for every k; a gate claim's are all.

    The rest is asked as far as k = 2 goes, which nothing at k = 64 can be read of.
    """
    (pair.root / "test_mine.py").write_text(SUITE + TOGETHER.format(kind=kind))
    pair.run(ADAPTIVE, "--gate-json=gate.json", suites="test_mine.py")
    found = claims(pair.document())["ALL"]
    assert found["verdict"] == "holds"
    assert found["evidence"]["problems"] == read
    unsolved = sum(n == 64 for n in samples(pair.document()))
    assert unsolved == 50 if kind == "gate" else 15 < unsolved < 35
