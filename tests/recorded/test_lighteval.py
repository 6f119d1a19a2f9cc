"""Details parquet of lighteval: means over samples give counts back, other metrics do not."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

MEAN, VOTE = "pass@k:k=1&n=4", "maj@n:n=4"
BASE, RLVR = ["1000", "0000", "1111"], ["1100", "1000", "1110"]


def row(index: int, right: str, **metrics: object) -> dict[str, object]:
    """A problem in today's layout, with the texts of its samples."""
    doc = {"query": f"What is {index} + {index}?", "choices": [str(2 * index)], "gold_index": [0]}
    texts = [f"It is {2 * index if one == '1' else 99}" for one in right]
    mean = right.count("1") / len(right)
    return {
        "doc": doc,
        "model_response": {"input": f"Q: {doc['query']}", "text": texts},
        "metric": metrics or {MEAN: mean, VOTE: 1.0},
    }


def old(index: int, right: str) -> dict[str, object]:
    """The same in the older layout."""
    new = row(index, right)
    return {
        "example": new["doc"]["query"], "full_prompt": "Q", "gold": new["doc"]["choices"],
        "predictions": new["model_response"]["text"],
        "metrics": {"math_pass@1:4_samples": right.count("1") / 4},
    }  # fmt: skip


def rows(run: list[str]) -> list[dict[str, object]]:
    return [row(i, right) for i, right in enumerate(run)]


@pytest.fixture
def parquet(tmp_path: Path):
    """Write rows as a parquet file."""
    arrow = pytest.importorskip("pyarrow")
    from pyarrow.parquet import write_table

    def write(name: str, items: list[dict[str, object]]) -> Path:
        path = tmp_path / name
        write_table(arrow.Table.from_pylist(items), path)
        return path

    return write


def test_a_mean_over_samples_gives_the_count(parquet, kit) -> None:
    recorded = kit.both(parquet("b", rows(BASE)), parquet("r", rows(RLVR)))
    assert kit.totals(recorded, "base") == kit.Totals(12, 5, 0, 2)
    assert kit.totals(recorded, "rlvr") == kit.Totals(12, 6, 0, 3)
    assert "prompts" not in recorded.unknown


def test_completions_are_shown_where_the_mean_tells_each_grade(parquet, kit) -> None:
    recorded = kit.both(parquet("b", rows(BASE)), parquet("r", rows(RLVR)))
    shown = [len(recorded.examples["base"][p.id]) for p in recorded.benchmark.problems]
    assert shown == [0, 2, 2]  # 1 of 4 correct: which one, the file does not tell


def test_the_order_of_rows_does_not_matter(parquet, kit) -> None:
    base, rlvr = parquet("b", rows(BASE)), parquet("r", rows(RLVR)[::-1])
    assert [t.correct for t in kit.both(base, rlvr).tallies["rlvr"]] == [2, 1, 3]


def test_the_older_layout(parquet, kit) -> None:
    base, rlvr = ([old(i, right) for i, right in enumerate(run)] for run in (BASE, RLVR))
    recorded = kit.both(parquet("b", base), parquet("r", rlvr))
    assert kit.totals(recorded, "base") == kit.Totals(12, 5, 0, 2)


def test_single_samples(parquet, kit) -> None:
    items = [row(0, "1", extractive_match=1.0), row(1, "0", extractive_match=None)]
    path = parquet("b", items)
    assert kit.totals(kit.both(path, path), "base") == kit.Totals(2, 1, 1, 1)


def test_every_completion_is_graded_again(parquet, kit) -> None:
    recorded = kit.both(parquet("b", rows(BASE)), parquet("r", rows(RLVR)), verifier="integer")
    assert kit.totals(recorded, "base") == kit.Totals(12, 5, 0, 2)
    assert len(recorded.examples["base"][recorded.benchmark.problems[0].id]) == 3


@pytest.mark.parametrize(
    ("item", "wish", "words"),
    [
        ({}, {"score": VOTE}, "row 1: maj@n:n=4 is no mean over samples, so it does not tell"),
        ({MEAN: 0.3}, {}, "row 1: pass@k:k=1&n=4 = 0.3 is no whole number of correct samples"),
        ({MEAN: 25.0}, {}, "row 1: pass@k:k=1&n=4 must lie in 0..1, got 25.0"),
        ({MEAN: float("nan")}, {}, "row 1: pass@k:k=1&n=4 must lie in 0..1, got NaN"),
        ({"avg@n:n=8": 0.25}, {}, "row 1: avg@n:n=8 is over 8 samples, the row has 4 completions"),
        (
            {MEAN: 0.25, "avg@n:n=4": 0.25},
            {},
            "row 1: expected one score, got pass@k:k=1&n=4, avg",
        ),
    ],
)
def test_what_is_refused(parquet, bench, item: dict, wish: dict, words: str) -> None:
    base = parquet("b", [row(0, "1000", **item)])
    assert words in bench.refusal(base, base, **wish)


def test_other_parquet_is_refused(parquet, bench) -> None:
    path = parquet("b", [{"text": "a"}])
    assert bench.refusal(path, path) == (
        "b: expected the columns doc, metric, model_response or, of older versions, example, gold,"
        " metrics, predictions; got text; any other table needs its columns named: "
        "FILE.parquet:id=COLUMN,correct=COLUMN"
    )


def test_responses_that_nobody_graded_are_told_how_to_be(parquet, bench) -> None:
    item = {"prompt": ["2+2="], "responses": ["4"], "reward_model": {"ground_truth": "4"}}
    path = parquet("b", [item])
    assert "verl's main_generation, which nobody graded" in bench.refusal(path, path)
    assert "--regrade=math" in bench.refusal(path, path)


def test_a_damaged_file(bench, tmp_path) -> None:
    pytest.importorskip("pyarrow")
    path = tmp_path / "b"
    path.write_bytes(b"PAR1 and nothing else")
    assert "b, footer: " in bench.refusal(path, path)


def test_without_pyarrow_the_error_names_the_extra(bench, tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    path = tmp_path / "b"
    path.write_bytes(b"PAR1")
    assert "not installed: pip install 'rlvr-gate[parquet]'" in bench.refusal(path, path)
