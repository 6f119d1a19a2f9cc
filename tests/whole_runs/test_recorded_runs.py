"""Recorded runs of other harnesses through the door users use, up to the report."""

from __future__ import annotations

import base64
import json
import os
import re
import zlib
from pathlib import Path

import pytest

SUITES = Path(__file__).parents[2] / "suites"
DATA = Path(__file__).parents[1] / "recorded" / "data"
ROOT = os.environ.get("RLVR_GATE_REFERENCE_DATA")
REAL = Path(ROOT or "/nonexistent", "recorded")
real = pytest.mark.skipif(
    not REAL.is_dir(), reason="RLVR_GATE_REFERENCE_DATA does not name the reference data"
)


@pytest.fixture
def judge(gate):
    """Judge two recorded runs, with all reports."""

    def run(base: Path, rlvr: Path, *args: str):
        return gate.pytester.runpytest_subprocess(
            f"--recorded=base={base}", f"--recorded=rlvr={rlvr}", "--gate-json=gate.json",
            "--gate-report=gate.html", "-p", "no:cacheprovider", *args, str(SUITES),
        )  # fmt: skip

    return run


def totals(document, role: str) -> tuple[int, int, int]:
    """Problems, samples and correct ones in the report for machines."""
    ((_, problems),) = document["counts"].items()
    counts = [problem[role] for problem in problems.values()]
    return len(counts), sum(c["n"] for c in counts), sum(c["correct"] for c in counts)


def prompts_of(page: str) -> list[str]:
    """Of every problem, as the page's script unpacks them; few are in the page's own text."""
    (packed,) = re.findall(r'id="b0-prompts">([^<]*)</script>', page)
    return json.loads(zlib.decompress(base64.b64decode(packed)))


def claim(document, name: str):
    return next(claim for claim in document["claims"] if claim["id"] == name)


def test_completions_reach_the_report(gate, judge) -> None:
    result = judge(DATA / "qwen-base.jsonl", DATA / "qwen-rlvr.jsonl", "--benchmarks=sums")
    assert result.ret == 10
    page = (gate.root / "gate.html").read_text("utf-8")
    assert "What is 4 x 5?" in page
    assert "It is \\boxed{20}." in page
    words = page[: page.index("<script")]  # the script knows the words
    assert "ended by" not in words  # nobody recorded it
    document = gate.document()
    assert totals(document, "base") == (3, 9, 3)
    (benchmark,) = document["benchmarks"]
    assert benchmark["source"].startswith("recorded Qwen math harness: base ")
    assert "not recorded: prompts" in claim(document, "S2")["judgements"][0]["statement"]


def test_what_a_log_tells_keeps_runs_from_being_compared(gate, judge) -> None:
    """A sixth of either's completions has no grade; what was cut is told beside it."""
    result = judge(DATA / "inspect-base.json", DATA / "inspect-rlvr.json")
    assert result.ret == 11
    assert claim(gate.document(), "S2")["verdict"] == "not comparable"
    page = (gate.root / "gate.html").read_text("utf-8")
    assert "ended by length" in page[: page.index("<script")]
    (note,) = claim(gate.document(), "S2")["judgements"][0]["evidence"]["notes"]
    assert note.startswith("truncated: base 16.7%, rlvr 0.0%; difference in [")


def test_unknown_truncation_is_null_in_the_document(gate, judge) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    from rlvr_gate_reports.document import schema

    judge(DATA / "qwen-base.jsonl", DATA / "qwen-rlvr.jsonl")
    document = gate.document()
    jsonschema.validate(document, schema())
    (problems,) = document["counts"].values()
    assert {problem["base"]["truncated"] for problem in problems.values()} == {None}


def test_a_score_is_chosen_and_completions_are_graded_again(gate, judge) -> None:
    files = DATA / "samples_sums_base.jsonl", DATA / "samples_sums_rlvr.jsonl"
    result = judge(*files)
    assert result.ret == 4
    assert "choose with --recorded-score=NAME" in result.stderr.str()
    judge(*files, "--recorded-score=exact_match,strict-match")
    assert totals(gate.document(), "base") == (3, 3, 1)
    judge(*files, "--regrade=integer")
    assert totals(gate.document(), "base") == (3, 3, 2)


def test_both_options_need_recorded_files(gate) -> None:
    result = gate.pytester.runpytest_subprocess("--regrade=number")
    assert result.ret == 4
    assert "--recorded-score and --regrade need --recorded ROLE=FILE" in result.stderr.str()


@real
def test_a_real_start_model_and_its_run(gate, judge) -> None:
    """Greedy completions of Qwen2.5-3B-Instruct and its RL run: three benchmarks in a folder."""
    folder = REAL / "qwen_harness"
    result = judge(folder / "Qwen2.5-3B-Instruct", folder / "Qwen-2.5-3B-rlft", "--k=1")
    document = gate.document()
    assert result.ret == 10
    assert totals(document, "base") == (342, 342, 89)
    assert totals(document, "rlvr") == (342, 342, 102)
    beyond_one = (
        "K2",
        "K4",
        "K5",
        "K5-net",
        "K6",
        "K7",
        "K8",
        "K11",
        "K16",
        "K20",
        "K21",
        "C1",
        "G1",
    )
    assert {claim(document, id)["verdict"] for id in beyond_one} == {"undecided"}
    prompts = prompts_of((gate.root / "gate.html").read_text("utf-8"))
    assert len(prompts) == 342
    assert any("Every morning Aya goes for a" in prompt for prompt in prompts)


@real
def test_real_checkpoints_with_their_guess_floor(gate, judge) -> None:
    """reasoning-gym's Llama 3B, steps 400 and 800 on AMC: 40 problems of 50 samples."""
    folder = REAL / "reasoning_gym_llama3b"
    files = folder / "step_400/amc23", folder / "step_800/amc2023"
    result = judge(*files, "--gate-policy=recorded", "--benchmarks=amc")
    document = gate.document()
    assert result.ret == 10
    assert totals(document, "base") == (40, 2000, 288)
    assert totals(document, "rlvr") == (40, 2000, 283)
    assert claim(document, "K1")["verdict"] == "undecided"
    sets = claim(document, "K5-net")["evidence"]
    assert (sets["gained"], sets["lost"]) == (4, 5)  # flat at k = 1, one problem fewer solved
    assert {claim(document, id)["verdict"] for id in ("K6", "K16", "G1", "K20")} == {"undecided"}
    assert "answers not recorded" not in claim(document, "K21")["judgements"][0]["statement"]
    page = (gate.root / "gate.html").read_text("utf-8")
    assert "&lt;think&gt;" in page


@real
def test_one_greedy_sample_says_nothing_beyond_pass_at_1(judge) -> None:
    folder = REAL / "qwen_harness"
    result = judge(folder / "Qwen2.5-3B-Instruct", folder / "Qwen-2.5-3B-rlft", "--k=1,8")
    assert result.ret == 4
    assert "needs k <= samples, got k=8 with 1 recorded samples" in result.stderr.str()


@pytest.fixture
def evalperf(gate):
    """Counts of one of EvalPerf's models as a file: 118 code tasks, and its published pass@1."""

    def write(name: str) -> tuple[Path, float]:
        models = json.loads((REAL / "evalperf_counts" / "counts.json").read_text())
        model = models[f"{name}_temp_1.0"]
        rows = [{"id": id, "n": model["n"], "c": c} for id, c in model["c"].items()]
        file = gate.root / f"{name}.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return file, model["summary_pass1"] / 100

    return write


@real
@pytest.mark.parametrize(
    ("base", "rlvr", "gained", "lost"),
    [
        ("meta-llama--Meta-Llama-3-8B-Instruct_vllm",
         "meta-llama--Llama-3.1-8B-Instruct_vllm", 11, 1),
        ("Qwen--CodeQwen1.5-7B-Chat_vllm", "claude-3-5-sonnet-20240620_bedrock", 0, 8),
    ],
)  # fmt: skip
def test_pairs_of_evalperf(gate, judge, evalperf, base, rlvr, gained: int, lost: int) -> None:
    """Pass@1 as published and far apart; who leads in problems ever solved is another matter."""
    (weak, low), (strong, high) = evalperf(base), evalperf(rlvr)
    options = ("--gate-policy=recorded", "--benchmarks=evalperf")
    for files, means, sets, status, verdict in (
        ((weak, strong), (low, high), (gained, lost), 0, "holds"),
        ((strong, weak), (high, low), (lost, gained), 1, "refuted"),
    ):
        assert judge(*files, *options).ret == status
        document = gate.document()
        curves = document["curves"]["evalperf"]
        first = [curves[role][0]["value"] for role in ("base", "rlvr")]
        assert first == pytest.approx(means, abs=1e-14)
        assert claim(document, "K1")["verdict"] == verdict
        solved = claim(document, "K5-net")["evidence"]
        assert (solved["gained"], solved["lost"]) == sets


@real
def test_counts_above_their_samples_are_refused(judge, evalperf) -> None:
    """EvalPerf's o1 rows say 50 samples and count up to 100 correct ones."""
    wrong, _ = evalperf("o1-mini-2024-09-12_openai")
    right, _ = evalperf("claude-3-5-sonnet-20240620_bedrock")
    result = judge(wrong, right)
    assert result.ret == 4
    assert "line 1: c must lie in 0..n, got c=100 with n=50" in result.stderr.str()


def test_completions_that_are_graded_here_are_graded_otherwise_too(gate, judge) -> None:
    """RLVR learned a form: K1 says on which grading it hangs, V2 and A2 are judged."""
    for role, right in (("base", "it is {}, I think"), ("rlvr", "1 + 1 = 2, so \\boxed{{{}}}")):
        rows = [
            {"id": f"p{i}", "sample": j, "answer": str(i + 10),
             "text": right.format(i + 10) if (i + j) % 2 else "\\boxed{0}"}
            for i in range(40) for j in range(4)
        ]  # fmt: skip
        (gate.root / f"{role}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    files = [f"{gate.root / role}.jsonl:id=id,sample=sample,text=text,answer=answer"
             for role in ("base", "rlvr")]  # fmt: skip
    only = ("-k", "test_gradings_agree or test_pass_at_1_rises or test_clean_solutions")
    judge(*files, "--regrade=number", *only)
    document = gate.document()
    notes = " ".join(claim(document, "K1")["judgements"][0]["evidence"]["notes"])
    assert "depends on the grading: holds under strict grades" in notes
    (agree,) = claim(document, "V2")["judgements"]
    shown = {row["problems"]: row["difference"] for row in agree["evidence"]["conclusions"]}
    assert shown["gain, strict grades"] == 0.5
    assert shown["format gain"] == -0.5
    assert claim(document, "A2")["verdict"] == "not comparable"  # base states no arithmetic
