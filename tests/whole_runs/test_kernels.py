"""Claims about tangent kernels on the shipped pair, through the users' door."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not find_spec("torch"), reason="needs the extra [transformers]")

CLAIMS = """
import pytest
from rlvr_gate import claim

@pytest.mark.gradients(noise="rlvr")
@claim("RLVR turns the kernel less than a right angle", id="P1")
def test_turn(pair, benchmark):
    kernel = pair.rlvr.kernel_since(pair.base, benchmark)
    assert kernel.turn() < 0.5
    assert kernel.distance() < 1

@pytest.mark.gradients(noise="rlvr")
@claim("less than noise", id="P2")
def test_noise(pair, benchmark):
    assert pair.rlvr.kernel_since(pair.base, benchmark).over_noise("turn") < 100

@pytest.mark.gradients
@pytest.mark.traits("8", "no such text")
@claim("along traits", id="P5")
def test_traits(pair, benchmark):
    kernel = pair.rlvr.traits_since(pair.base, benchmark, "8", "no such text")
    assert kernel.share_along() > 1e-5
"""
ALONE = """
import pytest
from rlvr_gate import claim

@pytest.mark.gradients
@claim("the kernel turned", id="P1")
def test_turn(pair, benchmark):
    assert pair.rlvr.kernel_since(pair.base, benchmark).turn() > 0.1
"""
GIVEN = """
import pytest
from rlvr_gate import claim

@pytest.mark.gradients
@claim("the kernel turned over what is given", id="P1")
def test_turn(pair, benchmark):
    assert pair.rlvr.kernel_since(pair.base, benchmark).turn() < 0.5

@pytest.mark.gradients
@pytest.mark.traits("8", grading="strict")
@claim("along traits of every benchmark, of a grading and of a file", id="P2")
def test_traits(pair, benchmarks):
    kernel = pair.rlvr.traits_since(pair.base, benchmarks, "8", grading=["strict"])
    assert kernel.share_along() > 1e-5
"""
UNMARKED = """
from rlvr_gate import claim

@claim("asks too late", id="P3")
def test_late(pair, benchmark):
    assert pair.rlvr.kernel_since(pair.base, benchmark).turn() < 1
"""
WRONG = """
import pytest
from rlvr_gate import claim

@pytest.mark.gradients("rlvr", lines="sft")
@pytest.mark.traits(3)
@claim("means nothing", id="P4")
def test_wrong(pair, benchmark):
    assert pair.rlvr.kernel_since(pair.base, benchmark).turn() < 1
"""
PROBLEMS = [(f"S{i}+{61 + i}:", str(61 + 2 * i)) for i in range(11, 19)]


class Real:
    """The shipped pair in a pytester folder; its store is shared by the tests of this file."""

    def __init__(self, pytester: pytest.Pytester, store: Path) -> None:
        self.pytester, self.store = pytester, store
        lines = [
            json.dumps({"problem": p, "answer": a, "verifier": "integer", "stratum": f"{n % 2}"})
            for n, (p, a) in enumerate(PROBLEMS)
        ]
        pytester.makefile(".jsonl", sums="\n".join(lines))

    def run(self, claims: str, *args: str, pair: str = "base,rlvr") -> pytest.RunResult:
        self.pytester.makepyfile(test_claims=claims)
        return self.pytester.runpytest_subprocess(
            "test_claims.py", f"--model-pair={pair}", "--benchmarks=sums.jsonl", "--samples=4",
            "--backend-option=threads=1", "--backend-option=device=cpu", "--temperature=1",
            f"--sample-store={self.store}", "--gate-json=gate.json", "-p", "no:cacheprovider",
            *args,
        )  # fmt: skip

    @property
    def claims(self) -> dict[str, dict]:
        document = json.loads((self.pytester.path / "gate.json").read_text())
        return {claim["id"]: claim for claim in document["claims"]}


@pytest.fixture(scope="module")
def shared(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("kernels") / "store"


@pytest.fixture
def real(pytester: pytest.Pytester, shared: Path, monkeypatch) -> Real:
    root = Path(__file__).parents[2]
    rooms = ":".join(str(root / room) for room in ("plugins", "fixtures", "reports"))
    monkeypatch.setenv("PYTHONPATH", rooms)
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    return Real(pytester, shared)


def test_kernels_are_taken_once_and_every_process_reads_the_same(real: Real) -> None:
    planned = real.run(CLAIMS, "--plan").stdout.str()
    assert "gradients towards rlvr on sums: 6 points" in planned
    real.run(CLAIMS)
    first = real.claims
    turn, distance = first["P1"]["judgements"]
    assert 0 < turn["estimate"] < distance["estimate"] < 0.2
    assert turn["verdict"] == "holds"
    assert first["P2"]["judgements"][0]["interval"]["low"] > 0
    assert 1e-5 < first["P5"]["judgements"][0]["estimate"] < 1
    (table, curves, *_) = turn["evidence"]["exhibits"]
    assert table["rows"][0][0] == "rlvr"
    assert curves["kind"] == "curves"
    files = sorted((real.store / "gradients").iterdir())
    assert len(files) == 8
    for args in ((), ("-n", "2")):
        real.run(CLAIMS, *args)
        for id in ("P1", "P2", "P5"):
            again = [j["estimate"] for j in real.claims[id]["judgements"]]
            assert again == [j["estimate"] for j in first[id]["judgements"]]
    assert sorted((real.store / "gradients").iterdir()) == files
    assert "kept from an earlier run" in real.run(CLAIMS, "--plan").stdout.str()


def test_probes_and_traits_may_be_given(real: Real) -> None:
    """With the prompts' own words and others', in text and in answers."""
    lines = [json.dumps({"prompt": p, "completion": a}) for p, a in PROBLEMS[:4]]
    lines += [json.dumps({"prompt": f"Bword{i}:draw"}) for i in range(4)]
    real.pytester.makefile(".jsonl", mine="\n".join(lines), texts="\n".join(lines[4:]))
    more = [json.dumps({"problem": f"{p}0", "answer": a, "verifier": "integer"})
            for p, a in PROBLEMS]  # fmt: skip
    real.pytester.makefile(".jsonl", more="\n".join(more))
    args = "--probes=mine.jsonl", "--trait=prose=texts.jsonl", "--benchmarks=sums.jsonl,more.jsonl"
    assert (
        "towards rlvr on mine.jsonl: 2 points x 8 probes x 4 codes"
        in real.run(GIVEN, *args, "--plan").stdout.str()
    )
    real.run(GIVEN, *args)
    (turn,), (share,) = (real.claims[id]["judgements"] for id in ("P1", "P2"))
    assert turn["verdict"] == "holds"
    title = turn["evidence"]["exhibits"][0]["title"]
    assert title.startswith("Kernels over 8 probes of 8 prompts of mine.jsonl (")
    assert 0 < share["estimate"] < 1
    assert "traits: " in share["evidence"]["exhibits"][0]["title"]
    assert share["evidence"]["exhibits"][0]["title"].endswith(", prose")


def test_passages_that_are_none_are_refused_before_anything_is_drawn(real: Real) -> None:
    real.pytester.makefile(".jsonl", bad='{"problem": "p", "answer": "a"}')
    for option in ("--probes=bad.jsonl", "--trait=x=bad.jsonl"):
        found = real.run(GIVEN, option)
        assert found.ret == 4
        said = found.stdout.str() + found.stderr.str()
        assert "bad.jsonl, line 1: expected" in said


def test_a_base_against_itself_moved_nothing(real: Real) -> None:
    real.run(ALONE, pair="base,base")
    verdicts = {j["verdict"] for claim in real.claims.values() for j in claim["judgements"]}
    assert verdicts == {"not comparable"}


def test_what_nobody_asked_for_is_said_with_the_marker(real: Real) -> None:
    found = real.run(UNMARKED)
    found.stdout.fnmatch_lines(["*nobody took the kernel of*mark it with*gradients*"])
    assert found.ret != 0


def test_a_marker_that_means_nothing_is_refused(real: Real) -> None:
    found = real.run(WRONG)
    for form in ("expected @pytest.mark.gradients()", "expected @pytest.mark.traits(TEXT, …)"):
        assert form in found.stdout.str() + found.stderr.str()
    assert found.ret == 4


def test_recorded_runs_have_no_kernel(real: Real) -> None:
    rows = [{"id": str(i), "n": 4, "c": 2} for i in range(4)]
    for role in ("base", "rlvr"):
        text = "\n".join(json.dumps(row) for row in rows)
        real.pytester.path.joinpath(f"{role}.jsonl").write_text(text)
    real.pytester.makepyfile(test_claims=CLAIMS)
    found = real.pytester.runpytest_subprocess(
        "test_claims.py", "--recorded=base=base.jsonl", "--recorded=rlvr=rlvr.jsonl", "-rs"
    )
    found.stdout.fnmatch_lines(["*recorded runs hold no token ids, so there are no probes*"])
