"""What a user writes for a benchmark: names, files, field maps, options; and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rlvr_gate import options
from rlvr_gate_fixtures.inputs import benchmarks
from rlvr_gate_fixtures.inputs.benchmarks import BenchmarkError
from rlvr_gate_fixtures.inputs.benchmarks.spec import parse

COMMIT = "0123456789abcdef0123456789abcdef01234567"
MAP = "problem=q,answer=a,verifier=number"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("countdown", "countdown"),
        ("a/mine.jsonl", "mine"),
        ("./what?.jsonl", "what?"),
        (f"a@b.csv:{MAP}", "a@b"),
        (f"C:/x.jsonl.gz:{MAP}", "x"),
        (f"x.parquet:{MAP},name=ours", "ours"),
        ("gsm8k?file=/x/gsm8k.jsonl", "gsm8k"),
        ("gsm8k?file=x.jsonl&template=qa", "gsm8k?template=qa"),
        (f"gsm8k@{COMMIT}", f"gsm8k@{COMMIT[:12]}"),
        ("livecodebench?to=2025-01-31&from=2024-08-01&file=x.jsonl",
         "livecodebench?from=2024-08-01&to=2025-01-31"),
        ("gym:boxnet?size=8&seed=1", "gym:boxnet?seed=1&size=8"),
        ("gym:acre+boxnet?size=8&acre.train=0", "gym:acre+boxnet?acre.train=0&size=8"),
        (f"hub:org/set@{COMMIT}?split=test:{MAP}", "set"),
    ],
)  # fmt: skip
def test_a_benchmark_has_a_name_before_it_is_read(text: str, name: str) -> None:
    assert benchmarks.name(text) == name


def test_a_map_on_the_command_line_goes_on_over_commas() -> None:
    assert options.benchmarks(f"countdown,x.csv:{MAP},gym:acre?size=3,y.csv:{MAP}") == (
        "countdown", f"x.csv:{MAP}", "gym:acre?size=3", f"y.csv:{MAP}",
    )  # fmt: skip


def test_columns_may_hold_what_parts_a_map() -> None:
    given = r"a\, b.csv:problem=q\, the question,answer=a=b,verifier=exact"
    (text,) = options.benchmarks(given)
    spec = parse(text)
    assert (spec.source, spec.fields["problem"]) == ("a, b.csv", "q, the question")
    assert spec.fields["answer"] == "a=b"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gsm8", r"unknown benchmark 'gsm8'; did you mean 'gsm8k'\? known: countdown"),
        ("MathVision", "did you mean 'mathvision'"),
        ("gsm8k?seed=3", "unknown option 'seed'; known: file, template"),
        ("gpqa?sead=3", r"unknown option 'sead'; did you mean 'seed'\?"),
        ("gsm8k?template=boxd", r"unknown template 'boxd'; did you mean 'boxed'\?"),
        ("gsm8k@main", "expected gsm8k@COMMIT with the 40 digits of a commit, got main"),
        (f"gsm8k@{COMMIT}?file=x.jsonl", "a revision is of the hub, not of a file"),
        ("omni-math-rule", "it is on no hub: give omni-math-rule.file=PATH, with github.com"),
        ("countdown?size=3", "countdown is pinned, and takes no options"),
        ("x.csv:problm=q", r"unknown key 'problm'; did you mean 'problem'\?"),
        ("x.csv:problem=q,problem=r", "problem is given twice"),
        ("x.csv:problem=q,verifier=", "expected KEY=VALUE between ',', got 'verifier='"),
        ("x.csv:problem=q,answer=a,verifier=nummber", r"did you mean 'number'\?"),
        (f"x.csv:{MAP},template=nosuch", "unknown template 'nosuch'"),
        ("gym:", "expected gym:TASK"),
        ("gym:acre+acre", r"expected tasks joined by \+, each once"),
        ("gym:composite", "it mixes tasks"),
        ("gym:acre?size=0", "expected size from 1 to 10000, got 0"),
        ("gym:acre?size=1e9", "expected size from 1 to 10000"),
        ("gym:acre?boxnet.seed=1", "boxnet.seed is of 'boxnet', asked are acre"),
        ("hub:org/set", "expected a field map after it"),
        (f"hub:org/set:{MAP}", "40 digits of a commit, got none: a branch or tag can move"),
        (f"hub:org/set@{COMMIT}?splitt=x:{MAP}", r"unknown key 'splitt'; did you mean 'split'\?"),
        (f"hub:../set@{COMMIT}/x:{MAP}", "expected hub:ORG/NAME@COMMIT"),
        ("what is this", "cannot be read: expected a name as in gsm8k"),
    ],
)  # fmt: skip
def test_what_nobody_can_load_is_told_before_anything_is_read(text: str, message: str) -> None:
    with pytest.raises(BenchmarkError, match=message):
        benchmarks.check(text)


def test_every_shipped_name_is_understood() -> None:
    for name in benchmarks.known():
        assert benchmarks.name(name) == name


@pytest.mark.parametrize("marked", ["<image1> What is x?", "What is x? <IMAGE>"])
def test_a_question_with_an_image_is_refused_with_its_place(tmp_path: Path, marked: str) -> None:
    """MathVision's rows say where their images go: without them base and rlvr would only guess."""
    rows = [{"problem": "2 < 3?", "answer": "5"}, {"problem": marked, "answer": "5"}]
    for file, spec in (
        ("a.json", ":problem=problem,answer=answer,verifier=number"),
        ("b.jsonl", ""),
    ):
        text = (
            json.dumps(rows)
            if file == "a.json"
            else "".join(json.dumps({**row, "verifier": "number"}) + "\n" for row in rows)
        )
        (tmp_path / file).write_text(text)
        with pytest.raises(benchmarks.BenchmarkError, match="2: the question has an image in it"):
            benchmarks.load(f"{tmp_path / file}{spec}")
