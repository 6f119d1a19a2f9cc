"""Claims about how likely completions are, on the shipped pair, through the users' door."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not find_spec("torch"), reason="needs the extra [transformers]")

CLAIMS = """
import pytest
from rlvr_gate import claim

@pytest.mark.scores("base", "rlvr", under="base")
@claim("RLVR's answers do not surprise the base", id="P1")
def test_surprise(pair, benchmark):
    base = pair.base
    assert base.log_perplexity(benchmark, of=pair.rlvr) < base.log_perplexity(benchmark)

@pytest.mark.scores("base", under=("base", "rlvr"))
@claim("RLVR stays near its base", id="P2")
def test_near(pair, benchmark):
    assert pair.base.divergence_to(pair.rlvr, benchmark) < 2
    assert pair.base.divergence_to(pair.rlvr, benchmark, per="completion") > 0.1
"""
UNMARKED = """
from rlvr_gate import claim

@claim("asks too late", id="P3")
def test_late(pair, benchmark):
    assert pair.rlvr.token_entropy(benchmark) < 1
"""
CHOICES = """
import pytest
from rlvr_gate import claim, numbers

GREEDY = {"temperature": 0.001, "samples": 1}

@pytest.mark.scores("base", under=("base", "rlvr"), choices=True, **GREEDY)
@claim("few tokens change", id="P4")
def test_tokens(pair, benchmark):
    along = pair.base.at(**GREEDY)
    assert numbers.chosen_otherwise(pair.base, pair.rlvr, benchmark, along=along) <= 0.9

@claim("asks too late", id="P5")
def test_late(pair, benchmark):
    numbers.chosen_otherwise(pair.base, pair.rlvr, benchmark, along=pair.base)

@claim("the gain is no other choice", id="P6")
def test_methods(pair, benchmark):
    digit = numbers.whether("long", lambda text: len(text) > 3)
    assert numbers.by_choice(pair, benchmark, digit) < 0.9
"""
PROBLEMS = [("S29+67:", "96"), ("S11+13:", "24"), ("S50+41:", "91"), ("S8+7:", "15")]


class Real:
    """The shipped pair in a pytester folder; its store is shared by the tests of this file."""

    def __init__(self, pytester: pytest.Pytester, store: Path) -> None:
        self.pytester, self.store = pytester, store
        lines = [
            json.dumps({"problem": p, "answer": a, "verifier": "integer"}) for p, a in PROBLEMS
        ]
        pytester.makefile(".jsonl", sums="\n".join(lines))

    def run(self, claims: str, *args: str) -> pytest.RunResult:
        self.pytester.makepyfile(test_claims=claims)
        return self.pytester.runpytest_subprocess(
            "test_claims.py", "--model-pair=base,rlvr", "--benchmarks=sums.jsonl", "--samples=6",
            "--backend-option=threads=1", "--backend-option=device=cpu",
            f"--sample-store={self.store}", "--gate-json=gate.json", "-p", "no:cacheprovider",
            *args,
        )  # fmt: skip

    @property
    def document(self) -> dict:
        return json.loads((self.pytester.path / "gate.json").read_text())


@pytest.fixture(scope="module")
def shared(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("scores") / "store"


@pytest.fixture
def real(pytester: pytest.Pytester, shared: Path, monkeypatch) -> Real:
    root = Path(__file__).parents[2]
    rooms = ":".join(str(root / room) for room in ("plugins", "fixtures", "reports"))
    monkeypatch.setenv("PYTHONPATH", rooms)
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    return Real(pytester, shared)


def test_scores_are_computed_once_and_every_process_reads_the_same(real: Real) -> None:
    real.run(CLAIMS)
    first = real.document
    assert first["run"]["sampled"]["scored"] > 4
    judged = {c["id"]: c["judgements"] for c in first["claims"]}
    assert [len(j) for j in judged.values()] == [1, 2]
    assert judged["P2"][0]["n"] == 6
    for facts in first["checkpoints"]:
        assert facts["versions"].keys() == {"torch", "transformers", "sums", "hardware", "options"}
    assert judged["P2"][0]["evidence"]["scored by"] == "transformers/float32/cpu"
    assert 0 < judged["P2"][0]["estimate"] < judged["P2"][1]["estimate"]
    for args in ((), ("-n", "2")):
        real.run(CLAIMS, *args)
        again = real.document
        assert again["run"]["sampled"]["scored"] == 0
        del again["run"]
        assert again == {key: value for key, value in first.items() if key != "run"}


def test_what_cannot_score_here_ends_the_run_before_anything_is_drawn(
    real: Real, tmp_path: Path
) -> None:
    """Not after hours of drawing what it was to score."""
    import torch

    if torch.version.cuda:
        pytest.skip("this torch can use GPUs")
    told = real.run(CLAIMS, "--score-option=device=cuda", f"--sample-store={tmp_path}")
    assert told.ret == 12
    told.stdout.fnmatch_lines(["*which is built for CPUs*", "0 completions drawn"])


def test_choices_are_planned_computed_and_shown_with_their_tokens(real: Real) -> None:
    plan = real.run(CHOICES, "--plan")
    plan.stdout.fnmatch_lines(
        ["*base (temperature 0.001, samples 1) under base and rlvr, with choices on sums: 4 comp*"]
    )
    result = real.run(CHOICES)
    result.stdout.fnmatch_lines(["*@pytest.mark.scores('base', under=('base', 'rlvr'), choices=*"])
    judged = {c["id"]: c["judgements"] for c in real.document["claims"]}
    (tokens,), (methods,) = judged["P4"], judged["P6"]
    kinds = [exhibit["kind"] for exhibit in tokens["evidence"]["exhibits"]]
    assert kinds[0] == "facts"
    facts, promoted = tokens["evidence"]["exhibits"][0]["facts"], real.document["promoted"]["sums"]
    assert facts["positions"] >= 4
    for counted in ("positions", "differing"):
        assert sum(of[counted] for of in promoted.values()) == facts[counted]
    assert len(promoted) == len(PROBLEMS)
    assert {of["along"] for of in promoted.values()} == {"base (temperature 0.001, samples 1)"}
    places = [place for of in promoted.values() for place in of["places"]]
    assert all(place["before"] != place["now"] for place in places)
    assert real.document["plane"] is None, "one checkpoint beside base is no plane"
    assert [e["kind"] for e in methods["evidence"]["exhibits"]] == ["table", "table", "facts"]


def test_the_plane_is_drawn_of_whatever_was_measured(real: Real) -> None:
    """Two checkpoints, one benchmark, no claim about forgetting."""
    real.run(CLAIMS.replace('under=("base", "rlvr")', 'under=("base", "*")'),
             "--checkpoint=step-8=step-8")  # fmt: skip
    plane = real.document["plane"]
    assert (plane["benchmark"], plane["prior"], plane["k"]) == ("sums", [], 6)
    assert {row["role"] for row in plane["rows"]} == {"rlvr", "step-8"}
    divergence = next(c for c in real.document["claims"] if c["id"] == "P2")["judgements"][0]
    ours = next(row for row in plane["rows"] if row["role"] == "rlvr")
    assert ours["kl"] == divergence["estimate"]
    ends = {r: {p["k"]: p["value"] for p in real.document["curves"]["sums"][r]} for r in
            ("base", "rlvr")}  # fmt: skip
    assert ours["gained"] == pytest.approx(ends["rlvr"][1] - ends["base"][1])


def test_a_claim_that_did_not_ask_is_told_the_marker(real: Real) -> None:
    result = real.run(UNMARKED)
    assert result.ret == 12
    result.stdout.fnmatch_lines(["*with @pytest.mark.scores('rlvr', under='rlvr')*"])


def test_the_plan_names_what_would_be_scored(real: Real) -> None:
    result = real.run(CLAIMS, "--plan", "--samples=8", "--score-samples=8")
    result.stdout.fnmatch_lines(
        ["base under base and rlvr on sums: 32 completions, at most * to score*"]
    )


@pytest.mark.parametrize(
    ("claims", "args", "words"),
    [
        (CLAIMS, ["--score-samples=7"], "--score-samples 7: more than --samples 6"),
        (CLAIMS, ["--samples=adaptive:64", "--score-samples=17"],
         "--score-samples 17: more than the 16 that adaptive samples always draw"),
        (CLAIMS, ["--score-backend=server"], "must be transformers or vllm"),
        (CLAIMS, ["--score-backend=gguf"], "unknown backend 'gguf'"),
        (CLAIMS, ["--score-option=dtype=int4"], "dtype must be one of"),
        (CLAIMS.replace('under="base"', 'by="base"'), [], "expected @pytest.mark.scores(ROLE"),
        (CLAIMS.replace('under=("base", "rlvr")', 'under=("base", "rlvr", "sft")'), [],
         "expected @pytest.mark.scores(ROLE"),
    ],
)  # fmt: skip
def test_bad_requests_are_refused_before_anything_is_drawn(
    real: Real, claims: str, args: list[str], words: str
) -> None:
    fresh = real.pytester.path / "fresh"
    result = real.run(claims, *args, f"--sample-store={fresh}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert words in result.stderr.str() + result.stdout.str()
    assert not list(fresh.glob("*.sqlite"))


def test_a_role_that_nobody_gave_skips_the_claim(real: Real) -> None:
    result = real.run(CLAIMS.replace('"base", "rlvr", under="base"', '"base", under="sft"'))
    result.stdout.fnmatch_lines(["*1 skipped*"])


def test_recorded_runs_cannot_be_scored(real: Real) -> None:
    for role in ("base", "rlvr"):
        rows = [json.dumps({"id": f"p{i}", "n": 4, "c": 2}) for i in range(5)]
        (real.pytester.path / f"{role}.jsonl").write_text("\n".join(rows))
    real.pytester.makepyfile(test_claims=CLAIMS)
    result = real.pytester.runpytest_subprocess(
        "test_claims.py", "--recorded=base=base.jsonl", "--recorded=rlvr=rlvr.jsonl", "-rs",
        "-p", "no:cacheprovider",
    )  # fmt: skip
    result.assert_outcomes(skipped=2)
    result.stdout.fnmatch_lines(["*nothing can score them*"])
