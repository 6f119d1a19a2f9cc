"""Problems listed several times are one; answers that are of no use are refused."""

from __future__ import annotations

import json
import re

import pytest

from rlvr_gate.records import Problem
from rlvr_gate_fixtures.inputs import benchmarks
from rlvr_gate_fixtures.inputs.benchmarks import BenchmarkError
from rlvr_gate_fixtures.inputs.benchmarks.gym import problems_digest
from rlvr_gate_fixtures.inputs.benchmarks.repeated import distinct


def listed(*problems: tuple[str, str], **same: str) -> list[Problem]:
    return [
        Problem(f"p{i}", prompt, "1", "exact", cluster=cluster, **same)
        for i, (prompt, cluster) in enumerate(problems)
    ]


def clusters(*problems: tuple[str, str]) -> list[str]:
    return [problem.cluster for problem in distinct(listed(*problems)).problems]


def test_problems_that_are_all_different_stay_as_they_are() -> None:
    problems = tuple(listed(("a", ""), ("b", "x"), ("c", "x")))
    found = distinct(problems)
    assert found.problems == problems
    assert found.notes == ()
    assert problems_digest(found.problems) == problems_digest(problems)


def test_a_problem_listed_again_is_asked_once_whatever_its_id() -> None:
    found = distinct(listed(("a", ""), ("b", ""), *[("a", "")] * 7))
    assert [p.id for p in found.problems] == ["p0", "p1"]
    assert not any(p.cluster for p in found.problems)
    assert found.notes == (
        "1 problem listed more than once, p0 (8 times): asked and counted once each",
    )


@pytest.mark.parametrize("like", ["a  b", " a b\n", "a\tb", "a\u00a0b"])
def test_the_same_text_but_for_white_space_is_one_cluster(like: str) -> None:
    one, other, apart = clusters(("a b", ""), (like, ""), ("ab", ""))
    assert one == other == "same text as p0"
    assert apart == ""


def test_two_ways_to_write_one_letter_are_one_text() -> None:
    one, other = clusters(("caf\u00e9", ""), ("cafe\u0301", ""))
    assert one == other != ""


def test_clusters_of_the_user_are_joined_never_split() -> None:
    found = clusters(("a", "x"), ("a ", "y"), ("b", "x"), ("c", "y"), ("d", "z"))
    assert len(set(found[:4])) == 1
    assert found[4] == "z"


def test_a_copy_brings_its_cluster_along() -> None:
    first, second = clusters(("a", ""), ("b", "x"), ("a", "x"))
    assert first == second == "x"


def test_one_prompt_under_two_verifiers_is_two_problems_of_one_cluster() -> None:
    one = Problem("p0", "a", "1", "exact")
    found = distinct([one, Problem("p1", "a", "1", "number")])
    assert [p.cluster for p in found.problems] == ["same text as p0"] * 2


def write(path, *rows: dict[str, str]) -> str:
    path.write_text("\n".join(json.dumps(row) for row in rows) + "\n")
    return str(path)


UNREADABLE = [
    ("integer", "4.5"),
    ("integer", "four"),
    ("integer", ""),
    ("number", "\\frac{"),
    ("number", "1/0"),
    ("number", ""),
    ("number", "12 apples and 3 pears"),
    ("exact", "  "),
    ("countdown", "9,23,15"),
    ("countdown", "17"),
]


def test_every_line_is_named_that_holds_such_an_answer(tmp_path) -> None:
    rows = [
        {"id": f"p{i}", "problem": f"{i}=", "answer": "x" if i % 3 else "1", "verifier": "number"}
        for i in range(40)
    ]
    with pytest.raises(BenchmarkError) as refused:
        benchmarks.load(write(tmp_path / "mine.jsonl", *rows))
    named = {int(n) for n in re.findall(r"line (\d+)", str(refused.value))}
    assert named == {i + 1 for i in range(40) if i % 3}


@pytest.mark.parametrize(("verifier", "answer"), UNREADABLE)
def test_an_answer_that_its_verifier_cannot_read_is_named_with_its_line(
    tmp_path, verifier, answer
) -> None:
    good = {"id": "fine", "problem": "1+1=", "answer": "2", "verifier": "number"}
    bad = {"id": "odd", "problem": "x", "answer": answer, "verifier": verifier}
    with pytest.raises(BenchmarkError) as refused:
        benchmarks.load(write(tmp_path / "mine.jsonl", good, bad))
    text = str(refused.value)
    assert "1 answer on file cannot be read by the verifier, so nothing was drawn" in text
    assert f"mine.jsonl, line 2: problem 'odd': {verifier}: " in text
    assert "fine" not in text


def test_many_unreadable_answers_are_counted_and_ten_are_shown(tmp_path) -> None:
    rows = [{"problem": f"{i}", "answer": "?", "verifier": "integer"} for i in range(500)]
    with pytest.raises(BenchmarkError) as refused:
        benchmarks.load(write(tmp_path / "mine.jsonl", *rows))
    lines = str(refused.value).splitlines()
    assert lines[0].startswith("500 answers on file")
    assert len(lines) == 13
    assert "… and 490 more" in lines[11]


def test_a_verifier_that_fails_on_an_answer_is_reported_like_one(tmp_path, monkeypatch) -> None:
    from rlvr_gate_fixtures import verifiers
    from rlvr_gate_fixtures.inputs.benchmarks import answers

    def fails(completion: str, answer: str) -> None:
        raise RuntimeError("boom")

    broken = verifiers.Verifier("exact", "1", fails)
    monkeypatch.setattr(answers, "EVERY", {"exact": broken})
    row = {"problem": "a", "answer": "1", "verifier": "exact"}
    with pytest.raises(BenchmarkError, match=r"exact fails on its answer '1': RuntimeError: boom"):
        benchmarks.load(write(tmp_path / "mine.jsonl", row))


def test_one_problem_with_two_answers_is_refused_with_both_lines(tmp_path) -> None:
    rows = [
        {"problem": "1+1=", "answer": "2", "verifier": "integer"},
        {"problem": "2+2=", "answer": "4", "verifier": "integer"},
        {"problem": "1+1=", "answer": "3", "verifier": "integer"},
    ]
    with pytest.raises(BenchmarkError) as refused:
        benchmarks.load(write(tmp_path / "mine.jsonl", *rows))
    assert "1 answer on file contradict" in str(refused.value)
    assert "mine.jsonl, line 3: the same problem as on " in str(refused.value)
    assert "mine.jsonl, line 1, there the answer is '2', here '3'" in str(refused.value)


def test_one_answer_in_two_spellings_is_no_contradiction(tmp_path) -> None:
    rows = [
        {"problem": "half of 1", "answer": answer, "verifier": "number"}
        for answer in ("0.5", "1/2")
    ]
    loaded = benchmarks.load(write(tmp_path / "mine.jsonl", *rows))
    assert len(loaded.problems) == 1
    assert loaded.notes


@pytest.mark.parametrize("name", benchmarks.gym.BENCHMARKS)
def test_the_shipped_benchmarks_have_no_copies_and_readable_answers(name, tmp_path) -> None:
    pytest.importorskip("reasoning_gym")
    loaded = benchmarks.load(name, cache=tmp_path)
    assert distinct(loaded.problems).problems == loaded.problems
    benchmarks.answers.check(loaded.problems, lambda problem: problem.id)
