"""The Qwen math harness's JSONL: joined by the question, since `idx` is a line's number."""

from __future__ import annotations

import pytest

from rlvr_gate.records import Grade

BASE, RLVR = "qwen-base.jsonl", "qwen-rlvr.jsonl"


def test_problems_are_joined_by_their_text_whatever_idx_says(kit) -> None:
    recorded = kit.both(kit.here / BASE, kit.here / RLVR)
    assert kit.totals(recorded, "base") == kit.Totals(9, 3, 0, 2)
    assert kit.totals(recorded, "rlvr") == kit.Totals(9, 6, 0, 3)
    assert recorded.benchmark.problems[0].prompt == "What is 2 + 3?"
    assert [t.correct for t in recorded.tallies["rlvr"]] == [3, 2, 1]


def test_completions_and_answers_are_kept_and_truncation_is_unknown(kit) -> None:
    recorded = kit.both(kit.here / BASE, kit.here / RLVR)
    first = recorded.benchmark.problems[1].id
    right, wrong, unknown = recorded.examples["base"][first]
    assert (right.text, right.grade, right.extracted) == (
        "It is \\boxed{20}.",
        Grade.CORRECT,
        "20",
    )
    assert (unknown.grade, unknown.extracted, wrong.extracted) == (Grade.WRONG, "9", None)
    assert right.finish is None
    assert {t.truncated for t in recorded.tallies["base"]} == {None}
    assert recorded.answers["base"][1].given == {"20": 1, None: 1, "9": 1}
    assert "truncation" in recorded.unknown


def test_repeated_texts_are_counted(kit) -> None:
    recorded = kit.both(kit.here / BASE, kit.here / RLVR)
    assert [t.duplicates for t in recorded.tallies["rlvr"]] == [2, 1, 0]


def test_regrading_replaces_the_scores_of_both_runs(bench, kit) -> None:
    base = bench.copy(BASE, lambda rows: [row.update(score=[False] * 3) for row in rows])
    recorded = kit.both(base, kit.here / RLVR, verifier="number")
    assert kit.totals(recorded, "base") == kit.Totals(9, 3, 0, 2)
    assert kit.totals(recorded, "rlvr") == kit.Totals(9, 6, 0, 3)
    assert "graders" not in recorded.unknown
    assert "graded again by number" in recorded.benchmark.source
    assert {p.verifier for p in recorded.benchmark.problems} == {"number"}


def test_a_file_that_was_never_graded_can_be_graded(bench, kit) -> None:
    def strip(rows) -> None:
        for row in rows:
            del row["score"], row["pred"]

    base = bench.copy(BASE, strip)
    assert "line 1: missing pred, score (not graded? --regrade grades the completions)" in (
        bench.refusal(base, kit.here / RLVR)
    )
    recorded = kit.both(base, kit.here / RLVR, verifier="number")
    assert kit.totals(recorded, "base").correct == 3


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"score": [True, False]}, "line 2: ragged: 3 completions, 3 predictions and 2 scores"),
        ({"score": [True] * 4}, "line 2: ragged: 3 completions, 3 predictions and 4 scores"),
        (
            {"score": [100.0, 0, 0]},
            "line 2: a score must be 0 or 1 (or null: unscored), got 100.0",
        ),
        ({"score": [float("nan"), 0, 0]}, "line 2: a score must be 0 or 1"),
        ({"question": " "}, "line 2: question is empty"),
        ({"code": "text"}, "line 2: code must be a list"),
        ({"code": [], "pred": [], "score": []}, "line 2: no samples"),
        ({"question": "What is 2 + 3?"}, "line 2: the problem is already on line 1"),
        ({"gt": "21"}, "has another answer on file in qwen-base.jsonl, line 2 than in"),
        ({"question": "What is 4 x 6?"}, "lacks 1 of the problems in qwen-base.jsonl"),
        ({"code": ["a"], "pred": ["a"], "score": [False]}, "has n=1 in qwen-base.jsonl, line 2"),
    ],
)
def test_what_is_refused(bench, kit, row: dict, words: str) -> None:
    base = bench.copy(BASE, lambda rows: rows[1].update(row))
    assert words in bench.refusal(base, kit.here / RLVR)


def test_an_unscored_sample_is_neither_right_nor_wrong(bench, kit) -> None:
    base = bench.copy(BASE, lambda rows: rows[0].update(score=[True, None, True]))
    assert kit.totals(kit.both(base, kit.here / RLVR), "base") == kit.Totals(9, 3, 1, 2)


def test_seeds_are_pooled_and_one_seed_twice_is_refused(bench, kit) -> None:
    again = bench.copy("qwen-rlvr.jsonl")
    pooled = [kit.here / BASE, again]
    recorded = kit.both(pooled, [kit.here / RLVR, kit.here / BASE])
    assert kit.totals(recorded, "base") == kit.totals(recorded, "rlvr") == kit.Totals(18, 9, 0, 3)
    reordered = bench.copy(BASE, lambda rows: rows.reverse())
    said = bench.refusal([kit.here / BASE, reordered], kit.here / RLVR)
    assert "holds the same samples as qwen-base.jsonl: pooling them" in said


def test_one_run_given_for_both_is_not_comparable(kit) -> None:
    recorded = kit.both(kit.here / BASE, kit.here / BASE)
    assert recorded.differences == ("both are the same samples: every completion is the same",)


def test_a_folder_is_read_whole_and_says_what_it_left_out(bench, kit, tmp_path) -> None:
    bench.copy(BASE)
    (tmp_path / "metrics.json").write_text('{"num_samples": 3, "acc": 33.3}')
    recorded = kit.both(tmp_path, kit.here / RLVR)
    assert kit.totals(recorded, "base").n == 9
    assert f"holding no run: {tmp_path / 'metrics.json'}" in recorded.benchmark.source
    (tmp_path / "empty").mkdir()
    assert "empty holds no recorded run" in bench.refusal(tmp_path / "empty", kit.here / RLVR)


@pytest.mark.parametrize(
    ("name", "problems", "base", "rlvr"),
    [("aime24", 30, 2, 4), ("amc23", 40, 17, 15), ("minerva_math", 272, 70, 83)],
)
def test_a_real_pair(reference, kit, name: str, problems: int, base: int, rlvr: int) -> None:
    folder = reference / "qwen_harness"
    recorded = kit.both(folder / "Qwen2.5-3B-Instruct" / name, folder / "Qwen-2.5-3B-rlft" / name)
    assert kit.totals(recorded, "base") == kit.Totals(problems, base, 0, base)
    assert kit.totals(recorded, "rlvr") == kit.Totals(problems, rlvr, 0, rlvr)


def test_real_completions_of_100_problems(reference, kit) -> None:
    """As its README states: accuracy 0.910, 96 of 100 solved."""
    path = reference / "qwen_harness" / "math_cot_100.jsonl"
    found = kit.totals(kit.both(path, path), "base")
    assert (found.n, found.correct / found.n, found.solved) == (800, 0.910, 96)
