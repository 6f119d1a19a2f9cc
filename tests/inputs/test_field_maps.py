"""Anybody's JSONL, CSV or parquet under a field map; what is wrong is told with its place."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from rlvr_gate.records import Problem
from rlvr_gate_fixtures import bounds
from rlvr_gate_fixtures.inputs import benchmarks
from rlvr_gate_fixtures.inputs.benchmarks import BenchmarkError

MAP = "problem=question,answer=gold,verifier=number"
ROWS = [{"question": "2+3?", "gold": "5"}, {"question": "é+1?", "gold": 27.0, "more": [1]}]


def jsonl(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def load(path: Path, fields: str = MAP) -> tuple[Problem, ...]:
    return benchmarks.load(f"{path}:{fields}").problems


def test_the_same_rows_are_the_same_problems_in_every_form(tmp_path: Path) -> None:
    whole = jsonl(tmp_path / "a.jsonl", *ROWS)
    text = whole.read_bytes()
    forms = {
        "b.jsonl": b"\xef\xbb\xbf" + text.replace(b"\n", b"\r\n"),
        "c.jsonl.gz": gzip.compress(text),
        "d.json": json.dumps(ROWS).encode(),
        "e.csv": "\ufeffquestion,gold\n2+3?,5\né+1?,27\n".encode(),
        "f.csv.gz": gzip.compress('question,gold\r\n"2+3?","5"\r\n"é+1?",27\r\n'.encode()),
    }
    expected = {(problem.prompt, problem.answer) for problem in load(whole)}
    assert expected == {("2+3?", "5"), ("é+1?", "27")}
    for name, content in forms.items():
        (tmp_path / name).write_bytes(content)
        assert {(p.prompt, p.answer) for p in load(tmp_path / name)} == expected, name


def test_parquet_is_read_in_a_child(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    table = pyarrow.table({"question": ["2+3?", "1+1?"], "gold": [5, 2], "photo": [b"\0", b"\1"]})
    pytest.importorskip("pyarrow.parquet").write_table(table, tmp_path / "x.parquet")
    assert [p.answer for p in load(tmp_path / "x.parquet")] == ["5", "2"]
    (tmp_path / "y.parquet").write_bytes(b"PAR1" + b"\xff" * 100 + b"PAR1")
    with pytest.raises(BenchmarkError, match=r"y\.parquet.*not decoded"):
        load(tmp_path / "y.parquet")


def test_ids_strata_and_clusters_come_from_columns(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "x.jsonl", {"q": "1?", "a": 1, "n": 16, "kind": "easy", "of": None})
    fields = "problem=q,answer=a,verifier=integer,id=n,stratum=kind,cluster=of"
    assert load(path, fields) == (Problem("16", "1?", "1", "integer", "easy"),)


@pytest.mark.parametrize(
    ("gold", "told", "answer"),
    [
        ("boxed", r"so \boxed{1}, or \boxed{\frac{3}{4}}", r"\frac{3}{4}"),
        ("boxed", r"\boxed{ \{1, 2\} }", r"\{1, 2\}"),
        ("####", "5*2=<<5*2=10>>10\n#### 1,450,000", "1450000"),
        ("whole", "7", "7"),
    ],
)
def test_golds_are_taken_out_of_worked_solutions(
    tmp_path: Path, gold: str, told: str, answer: str
) -> None:
    path = jsonl(tmp_path / "x.jsonl", {"question": "?", "gold": told})
    (problem,) = load(path, f"problem=question,answer=gold,verifier=exact,gold={gold}")
    assert problem.answer == answer


@pytest.mark.parametrize(
    ("row", "fields", "message"),
    [
        ({"question": "x"}, MAP, r"line 1: gold: no column 'gold' its columns are question"),
        ({"question": "x", "golden": 1}, MAP, "did you mean 'golden'"),
        ({"question": "x", "gold": None}, MAP, "gold is null"),
        ({"question": "x", "gold": " "}, MAP, "line 1: the answer is empty"),
        ({"question": "\n", "gold": 1}, MAP, "line 1: the problem is empty"),
        ({"question": "x", "gold": True}, MAP, "gold must be a text or a number, got True"),
        ({"question": "x", "gold": [1, 2]}, MAP, "a text or a number, got a list of 2"),
        ({"question": {"en": "x"}, "gold": 1}, MAP, "got an object of 1 keys"),
        ({"question": "\ud800", "gold": 1}, MAP, "half a surrogate"),
        ({"question": "x", "gold": "no number"}, MAP, "cannot be read by the verifier"),
        ({"question": "x", "gold": "1"}, f"{MAP},gold=boxed", r"gold: no \\boxed"),
        ({"question": "x", "gold": r"\boxed{1"}, f"{MAP},gold=boxed", "is not closed"),
        ({"question": "x", "gold": "1"}, f"{MAP},gold=####", "no #### in it"),
        ({"question": "x", "gold": "1"}, f"{MAP},gold=box", r"unknown gold 'box'; did you mean"),
        ({"question": "x", "gold": "1"}, f"{MAP},seed=1", "seed shuffles options"),
        ({"question": "x", "gold": "1"}, "problem=question,verifier=number", "lacks answer"),
        ([1], MAP, "expected a JSON object"),
    ],
)  # fmt: skip
def test_what_a_row_lacks_is_told_with_its_place(
    tmp_path: Path, row: object, fields: str, message: str
) -> None:
    with pytest.raises(BenchmarkError, match=message):
        load(jsonl(tmp_path / "bad.jsonl", row), fields)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        ('{"question": "x", "gold": 1}'.encode("utf-16"), "UTF-16, expected UTF-8"),
        (b'{"question": "\xff", "gold": 1}', "not UTF-8"),
        (b'{"question": "x", "question": "y"}', "comes twice in one object"),
        (gzip.compress(b" " * (bounds.FREE + 2**20) + b"\n"), "unpacks to more than|MiB"),
        (b"BZh91AY&SY", "compressed with bzip2"),
    ],
)
def test_files_that_are_something_else(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "x.jsonl").write_bytes(content)
    with pytest.raises(BenchmarkError, match=message):
        load(tmp_path / "x.jsonl")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"question,gold\n1?\n", "row 2: expected 2 cells as in row 1, got 1"),
        (b"question,question\n1?,2\n", "two columns are called 'question'"),
        (b'question,gold\n"1?,2\n', "row 2: not CSV"),
        (b"question,gold\n", "is empty"),
        (b"question,gold\n\x00,2\n", "a NUL byte"),
    ],
)
def test_tables_that_are_none(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "x.csv").write_bytes(content)
    with pytest.raises(BenchmarkError, match=message):
        load(tmp_path / "x.csv")


def test_more_rows_than_a_benchmark_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "PROBLEMS", 1)
    with pytest.raises(BenchmarkError, match="more than 1 rows"):
        load(jsonl(tmp_path / "x.jsonl", *ROWS))


def test_a_set_that_lists_its_problems_again_asks_each_once(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "x.jsonl", *ROWS * 32)
    loaded = benchmarks.load(f"{path}:{MAP}")
    assert len(loaded.problems) == 2
    assert "2 problems listed more than once" in loaded.notes[0]


def test_one_id_is_of_one_problem(tmp_path: Path) -> None:
    rows = [{"question": "1?", "gold": 1, "id": 3}, {"question": "2?", "gold": 2, "id": 3}]
    with pytest.raises(BenchmarkError, match=r"line 2: id '3' is already on .*line 1"):
        load(jsonl(tmp_path / "x.jsonl", *rows), f"{MAP},id=id")
    assert len(load(jsonl(tmp_path / "x.jsonl", rows[0], rows[0]), f"{MAP},id=id")) == 1


def test_contradictions_are_found_under_a_map(tmp_path: Path) -> None:
    rows = [{"question": "1?", "gold": 1}, {"question": "1?", "gold": 2}]
    with pytest.raises(BenchmarkError, match="contradict an earlier one"):
        load(jsonl(tmp_path / "x.jsonl", *rows))


CHOICES = "problem=q,options=right|w1|w2|w3,answer=right"
CHOICE = {"q": "Which?", "right": "four", "w1": "five", "w2": "six", "w3": "two"}


def test_options_are_shuffled_by_a_stated_seed(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "x.jsonl", *({**CHOICE, "q": f"{i}?"} for i in range(400)))
    problems = load(path, CHOICES)
    assert {p.verifier for p in problems} == {"choice"}
    for problem in problems:
        assert f"\n{problem.answer}) four" in problem.prompt
    assert load(path, CHOICES) == load(path, f"{CHOICES},seed=0") == problems
    assert load(path, f"{CHOICES},seed=1") != problems
    counts = [sum(p.answer == letter for p in problems) for letter in "ABCD"]
    assert all(60 < count < 140 for count in counts), counts  # 100 ± 4.6 standard deviations


def test_an_option_stays_where_it_is_whatever_else_is_asked(tmp_path: Path) -> None:
    few = load(jsonl(tmp_path / "few.jsonl", CHOICE), CHOICES)
    many = load(jsonl(tmp_path / "many.jsonl", {**CHOICE, "q": "Other?"}, CHOICE), CHOICES)
    assert few[0].prompt == many[1].prompt


@pytest.mark.parametrize(
    ("answer", "letter"), [("B", "B"), ("(b)", "B"), ("blue", "B"), ("red ", "A")]
)
def test_a_list_of_options_keeps_its_order(tmp_path: Path, answer: str, letter: str) -> None:
    row = {"q": "Sky?", "options": ["red", "blue"], "a": answer}
    (problem,) = load(jsonl(tmp_path / "x.jsonl", row), "problem=q,options=options,answer=a")
    assert (problem.prompt, problem.answer) == ("Sky?\n\nA) red\nB) blue", letter)


@pytest.mark.parametrize(
    ("options", "answer", "message"),
    [
        (["a", "a"], "A", "'a' is there twice, so no letter would be right"),
        (["a", ""], "A", "an option is empty"),
        (["a"], "A", "expected 2 to 10 options, got 1"),
        ([str(i) for i in range(11)], "A", "got 11"),
        (["red", "blue"], "C", "neither one of the 2 options nor its letter"),
        ("red", "A", "options must be a list"),
    ],
)
def test_options_nobody_could_choose_from(
    tmp_path: Path, options: object, answer: str, message: str
) -> None:
    row = {"q": "?", "options": options, "a": answer}
    with pytest.raises(BenchmarkError, match=message):
        load(jsonl(tmp_path / "x.jsonl", row), "problem=q,options=options,answer=a")


def test_a_file_is_not_called_like_a_shipped_benchmark(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "gsm8k.jsonl", *ROWS)
    with pytest.raises(BenchmarkError, match=r"would be called gsm8k.*,name=my-gsm8k"):
        load(path)
    assert benchmarks.load(f"{path}:{MAP},name=my-gsm8k").name == "my-gsm8k"
    own = jsonl(tmp_path / "aime24.jsonl", {"problem": "1?", "answer": "1", "verifier": "exact"})
    assert "not the benchmark that ships" in benchmarks.load(str(own)).notes[0]


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
def test_a_number_that_is_none_is_no_answer(tmp_path: Path, value: str) -> None:
    """As pandas writes a missing one."""
    (tmp_path / "x.jsonl").write_text(f'{{"q": "?", "a": {value}}}')
    with pytest.raises(
        BenchmarkError, match=r"line 1: a.*must be a text or a number, got -?(nan|inf)"
    ):
        benchmarks.load(f"{tmp_path / 'x.jsonl'}:problem=q,answer=a,verifier=math")
