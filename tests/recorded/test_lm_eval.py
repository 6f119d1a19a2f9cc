"""samples_*.jsonl of lm-evaluation-harness: a metric under a filter, joined by the document."""

from __future__ import annotations

import json

import pytest

BASE, RLVR = "samples_sums_base.jsonl", "samples_sums_rlvr.jsonl"
STRICT, FLEXIBLE = "exact_match,strict-match", "exact_match,flexible-extract"
REAL = "lm-eval-0.4.13"  # the tool's own files: data/README.md


def only(rows: list[dict], kept: str = "strict-match") -> None:
    rows[:] = [row for row in rows if row["filter"] == kept]


def test_the_filter_that_was_chosen_is_read(kit) -> None:
    files = kit.here / BASE, kit.here / RLVR
    strict, flexible = kit.both(*files, score=STRICT), kit.both(*files, score=FLEXIBLE)
    assert kit.totals(strict, "base") == kit.totals(strict, "base") == kit.Totals(3, 1, 0, 1)
    assert kit.totals(strict, "rlvr") == kit.Totals(3, 2, 0, 2)
    assert kit.totals(flexible, "base") == kit.Totals(3, 2, 0, 2)
    assert kit.totals(flexible, "rlvr") == kit.Totals(3, 3, 0, 3)


def test_several_filters_must_be_chosen_from(bench, kit) -> None:
    files = kit.here / BASE, kit.here / RLVR
    assert bench.refusal(*files) == (
        f"{BASE}, line 1: expected one score, got {STRICT}, {FLEXIBLE}: choose with "
        "--recorded-score=NAME"
    )
    assert "--recorded-score=acc is not in the file; it has exact_match" in (
        bench.refusal(*files, score="acc")
    )


def test_one_filter_and_one_metric_need_no_choice(bench, kit) -> None:
    base, rlvr = bench.copy(BASE, only), bench.copy(RLVR, only)
    recorded = kit.both(base, rlvr)
    assert recorded.tallies == kit.both(base, rlvr, score="exact_match").tallies
    assert recorded.unknown == ("stop ids", "truncation", "graders")
    assert recorded.differences == ()
    assert recorded.examples["rlvr"][recorded.benchmark.problems[2].id][0].text == " so 2"


def test_other_prompts_and_settings_are_not_comparable(bench, kit) -> None:
    def ask_otherwise(rows) -> None:
        only(rows)
        for row in rows:
            row["arguments"]["gen_args_0"] = {
                "arg_0": "Please: " + row["doc"]["question"], "arg_1": {"temperature": 1.0}
            }  # fmt: skip

    recorded = kit.both(bench.copy(BASE, ask_otherwise), bench.copy(RLVR, only))
    assert recorded.differences[0] == "temperature differ: base 1.0, rlvr 0.7"
    assert recorded.differences[1].startswith("prompts of 3 problems differ, as ")


def test_repeats_have_one_score_and_are_graded_one_by_one(bench, kit) -> None:
    def repeat(rows) -> None:
        for row in rows:
            row["resps"] = [["5", "20", "2"]]

    base, rlvr = bench.copy(BASE, repeat), bench.copy(RLVR, repeat)
    assert "line 1: 3 completions and one exact_match, which is about the filtered response" in (
        bench.refusal(base, rlvr, score=STRICT)
    )
    recorded = kit.both(base, rlvr, verifier="integer")
    assert kit.totals(recorded, "base") == kit.Totals(9, 3, 0, 3)


def test_repeats_with_a_score_each_are_read(bench, kit) -> None:
    def repeat(rows) -> None:
        only(rows)
        for row in rows:
            row.update(resps=[["5", "20"]], exact_match=[1.0, None])

    recorded = kit.both(bench.copy(BASE, repeat), bench.copy(RLVR, repeat))
    assert kit.totals(recorded, "base") == kit.Totals(6, 3, 3, 3)


def test_likelihood_tasks_have_a_score_and_no_text(bench, kit) -> None:
    def compare(rows) -> None:
        only(rows)
        for row in rows:
            row["resps"] = row["filtered_resps"] = [[["-1.5", "True"]], [["-3.0", "False"]]]

    recorded = kit.both(bench.copy(BASE, compare), bench.copy(RLVR, compare))
    assert kit.totals(recorded, "base") == kit.Totals(3, 1, 0, 1)
    assert recorded.examples is None


def test_the_answer_after_four_hashes_is_graded_against(bench, kit) -> None:
    def explain(rows) -> None:
        for row in rows:
            row["target"] = f"Count them. #### {row['target']}"

    files = bench.copy(BASE, explain), bench.copy(RLVR, explain)
    assert kit.totals(kit.both(*files, verifier="integer"), "base") == kit.Totals(3, 2, 0, 2)


def test_the_array_of_the_first_versions(bench, kit, tmp_path) -> None:
    old = kit.here / "lm-eval-0.4.0.jsonl"
    assert kit.totals(kit.both(old, old), "base") == kit.Totals(3, 2, 0, 2)
    rows = json.loads(old.read_text())
    twice = tmp_path / "twice.jsonl"
    twice.write_text(json.dumps([*rows, *rows], indent=2))
    assert "twice.jsonl, item 4: the problem is already on item 1" in bench.refusal(twice, old)


def test_the_tools_own_repeats_are_read(kit) -> None:
    files = [kit.here / f"{REAL}-countdown-{role}.jsonl" for role in ("base", "rlvr")]
    stored, graded = kit.both(*files), kit.both(*files, verifier="countdown")
    for role, file in zip(("base", "rlvr"), files, strict=True):
        correct = [json.loads(line)["correct"] for line in file.read_text().splitlines()]
        told = kit.Totals(48, sum(map(sum, correct)), 0, sum(map(any, correct)))
        assert kit.totals(stored, role) == kit.totals(graded, role) == told
    assert stored.unknown == ("stop ids", "truncation", "graders")
    assert stored.differences == ()


def test_the_tools_own_filters_are_chosen_from(bench, kit) -> None:
    file = kit.here / f"{REAL}-sums.jsonl"
    assert f"got {STRICT}, {FLEXIBLE}: choose" in bench.refusal(file, file)
    assert kit.totals(kit.both(file, file, score=FLEXIBLE), "base") == kit.Totals(6, 3, 0, 3)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"exact_match": 0.5}, "line 2: a score must be 0 or 1 (or null: unscored), got 0.5"),
        ({"exact_match": 100.0}, "line 2: a score must be 0 or 1"),
        ({"exact_match": float("nan")}, "line 2: a score must be 0 or 1"),
        ({"doc": [1]}, "line 2: doc must be an object, got [1]"),
        ({"resps": "text"}, "line 2: resps must be a list"),
        ({"doc": {"question": "What is 2 + 3?", "answer": "5"}}, "line 2: the problem is already"),
    ],
)
def test_what_is_refused(bench, kit, row: dict, words: str) -> None:
    def change(rows) -> None:
        only(rows)
        rows[1].update(row)

    assert words in bench.refusal(bench.copy(BASE, change), kit.here / RLVR, score="exact_match")


def test_a_file_without_any_score_is_refused(bench, kit) -> None:
    def blank(rows) -> None:
        only(rows)
        for row in rows:
            row["exact_match"] = None

    said = bench.refusal(bench.copy(BASE, blank), bench.copy(RLVR, only))
    assert said == f"{BASE}: no sample is scored: --regrade=VERIFIER may do it"
