"""`--regrade`: the completions of files are graded strictly, leniently and as clean ones too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rlvr_gate.records import Tally
from rlvr_gate_fixtures.evidence.recorded import RecordedEvidence
from rlvr_gate_fixtures.files.source import FileError
from rlvr_gate_fixtures.recorded import read

MAP = "id=id,sample=sample,text=text,answer=answer"
BASE = ("It is {}, I think.", "1 + 1 = 3, so \\boxed{{{}}}", "\\boxed{{0}}", "{} or 7")
RLVR = ("\\boxed{{{}}}", "1 + 1 = 2, so \\boxed{{{}}}", "\\boxed{{{}}}", "#### {}")


def written(folder: Path, role: str, texts: tuple[str, ...]) -> Path:
    rows = [
        {"id": f"p{i}", "sample": j, "text": text.format(i + 10), "answer": str(i + 10)}
        for i in range(6)
        for j, text in enumerate(texts)
    ]
    (folder / f"{role}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder / f"{role}.jsonl:{MAP}"


@pytest.fixture
def runs(tmp_path: Path) -> dict[str, list[Path]]:
    return {
        "base": [written(tmp_path, "base", BASE)],
        "rlvr": [written(tmp_path, "rlvr", RLVR)],
    }


def correct(tallies: tuple[Tally, ...] | None) -> int:
    assert tallies is not None
    return sum(tally.correct for tally in tallies)


def test_each_grading_counts_the_same_completions(runs: dict[str, list[Path]]) -> None:
    recorded = read("sums", runs, verifier="number")
    assert recorded.further is not None
    counts = {
        role: [
            correct(recorded.tallies[role]),
            *(correct(recorded.further(role, g)) for g in ("strict", "lenient", "clean")),
        ]
        for role in runs
    }
    assert counts == {"base": [12, 6, 12, 0], "rlvr": [24, 24, 24, 6]}
    clean = recorded.further("rlvr", "clean")
    assert [(t.problem, t.n, t.unscored) for t in clean] == [(f"p{i}", 4, 3) for i in range(6)]


def test_claims_read_them_by_the_names_that_sampled_runs_have(
    runs: dict[str, list[Path]],
) -> None:
    def absent(remedy: str) -> None:
        raise LookupError(remedy)

    evidence = RecordedEvidence(read("sums", runs, verifier="number"), None, absent)  # type: ignore[arg-type]
    strict = [evidence.tallies(f"{role} (strict grades)", "sums") for role in runs]
    assert list(map(correct, strict)) == [6, 24]
    assert evidence.graded("base", "strict", "sums") == strict[0]
    even = evidence.even("sums", "base (strict grades)", "rlvr (strict grades)")
    assert [*even] == strict
    assert list(map(correct, evidence.even("sums"))) == [12, 24]


def test_a_grading_that_decides_nothing_is_unscored_and_no_error(
    tmp_path: Path, runs: dict[str, list[Path]]
) -> None:
    silent = {role: [written(tmp_path, role, ("\\boxed{{{}}}",))] for role in runs}
    further = read("sums", silent, verifier="number").further
    assert further is not None
    assert [t.unscored for t in further("base", "clean")] == [1] * 6


def test_a_verifier_with_one_grade_has_its_own_in_place_of_a_strict_one(
    tmp_path: Path, runs: dict[str, list[Path]]
) -> None:
    recorded = read("sums", {role: [written(tmp_path, role, ("{}",))] for role in runs},
                    verifier="exact")  # fmt: skip
    assert recorded.further is not None
    assert recorded.further("base", "strict") == recorded.tallies["base"]


def test_grades_of_other_graders_have_no_second_one(
    tmp_path: Path, runs: dict[str, list[Path]]
) -> None:
    rows = [{"id": f"p{i}", "n": 4, "c": 2} for i in range(4)]
    for role in runs:
        (tmp_path / f"{role}.counts.jsonl").write_text(
            "".join(json.dumps(row) + "\n" for row in rows)
        )
    counted = read("sums", {role: [tmp_path / f"{role}.counts.jsonl"] for role in runs})
    assert counted.further is None


def test_a_file_that_changed_since_it_was_read_is_not_graded_otherwise(
    tmp_path: Path, runs: dict[str, list[Path]]
) -> None:
    further = read("sums", runs, verifier="number").further
    assert further is not None
    written(tmp_path, "base", (*BASE[:3], "{}"))
    with pytest.raises(FileError, match=r"base\.jsonl changed while it was judged: run again"):
        further("base", "strict")
    assert correct(further("rlvr", "strict")) == 24
