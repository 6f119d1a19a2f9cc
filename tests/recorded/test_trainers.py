"""What trainers and harnesses of code dump: right counts, or a sentence that says why not."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest


def write(path: Path, items: Iterable[Mapping[str, object]]) -> Path:
    path.write_text("".join(json.dumps(item) + "\n" for item in items))
    return path


def verl(corrects: Iterable[Iterable[int]], **more: object) -> list[dict]:
    """A dump of problems, each with one line for every 0 or 1."""
    return [
        {"input": f"user\nWhat is {i}+5?\nassistant\n", "output": f"{i} {j} {right}",
         "gts": str(i + 5), "score": float(right), "step": 0, **more}
        for i, row in enumerate(corrects)
        for j, right in enumerate(row)
    ]  # fmt: skip


BASE, RLVR = [[1, 0, 0], [0, 0, 0]], [[1, 1, 0], [1, 0, 0]]


@pytest.fixture
def pair(tmp_path):
    """Two dumps of verl, changed."""

    def made(change=lambda rows: rows, other=lambda rows: rows) -> tuple[Path, Path]:
        (tmp_path / "base.jsonl").parent.mkdir(exist_ok=True)
        return (
            write(tmp_path / "base.jsonl", change(verl(BASE))),
            write(tmp_path / "rlvr.jsonl", other(verl(RLVR, step=100))),
        )

    return made


def test_lines_of_verl_are_samples_of_what_was_asked(kit, pair) -> None:
    recorded = kit.both(*pair())
    assert [(t.n, t.correct) for t in recorded.tallies["base"]] == [(3, 1), (3, 0)]
    assert [(t.n, t.correct) for t in recorded.tallies["rlvr"]] == [(3, 2), (3, 1)]
    assert recorded.benchmark.source.startswith("recorded verl dump (score): base ")
    assert recorded.benchmark.problems[1].answer == "6"
    assert recorded.examples is not None
    assert not recorded.differences
    assert "prompts" in recorded.unknown


def test_lines_may_stand_in_any_order(kit, pair) -> None:
    ordered, shuffled = kit.both(*pair()), kit.both(*pair(lambda rows: rows[::-1]))
    sums = [{t.problem: t.correct for t in r.tallies["base"]} for r in (ordered, shuffled)]
    assert sums[0] == sums[1]


def test_acc_and_not_a_shaped_score_is_read(kit, pair) -> None:
    def shaped(rows):
        return [row | {"acc": bool(row["score"]), "score": row["score"] - 0.3} for row in rows]

    recorded = kit.both(*pair(shaped, shaped))
    assert kit.totals(recorded, "rlvr") == kit.Totals(6, 3, 0, 2)
    assert "(acc)" in recorded.benchmark.source


def test_minus_one_is_wrong_where_nothing_is_zero(kit, pair) -> None:
    def signed(rows):
        return [row | {"score": 2 * row["score"] - 1} for row in rows]

    recorded = kit.both(*pair(signed, signed))
    assert kit.totals(recorded, "base") == kit.Totals(6, 1, 0, 1)
    (mixed,) = kit.both(*pair(signed)).differences
    assert mixed == "scale of the grades differ: base -1.0 and 1, rlvr 0.0 and 1"


def test_runs_that_are_graded_by_other_fields_are_not_comparable(kit, pair) -> None:
    def graded(rows):
        return [row | {"acc": True} for row in rows]

    assert "grades differ: base score, rlvr acc" in kit.both(*pair(other=graded)).differences


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"score": 0.37}, "line 2: score is 0.37, a shaped reward, which does not say what is"),
        ({"score": -1}, "line 2: score is -1, on line 1 0: with both it is a shaped reward"),
        ({"score": "high"}, "line 2: score must be a number or true or false, got \"high\""),
        ({"score": [1]}, "line 2: score must be a number"),
        ({"score": 1e400}, "line 2: score is Infinity, a shaped reward"),
        ({"step": 7}, "line 2: of step 7, line 1 is of step 0: split it"),
        ({"input": " "}, "line 2: the prompt is empty"),
        ({"input": 5}, "line 2: input must be a string"),
        ({"output": None}, "line 2: output must be a string"),
    ],
)  # fmt: skip
def test_a_line_that_is_no_grade_is_refused(bench, pair, row: dict, words: str) -> None:
    def spoiled(rows):
        rows[0]["score"] = 0
        return [rows[0], rows[1] | row, *rows[2:]]

    assert words in bench.refusal(*pair(spoiled))


def test_what_pandas_wrote_for_nothing_is_unscored(kit, pair) -> None:
    def holes(rows):
        rows[1]["score"], rows[2]["score"] = float("nan"), None
        return [row | {"step": 0.0} for row in rows]

    assert kit.totals(kit.both(*pair(holes)), "base") == kit.Totals(6, 1, 2, 1)


def test_a_file_joined_to_itself_counts_once_or_not_at_all(bench, pair) -> None:
    for times in (2, 3):
        assert f"holds the same 6 completions {times} times, one copy after the other" in (
            bench.refusal(*pair(lambda rows, times=times: rows * times))
        )


def test_counts_beside_what_they_were_made_of_are_refused(bench, pair, tmp_path) -> None:
    base, rlvr = pair()
    counts = write(tmp_path / "counts.jsonl", [{"id": "0", "n": 3, "c": 1}])
    assert "hold counts and also verl dump (score): the same samples would count twice" in (
        bench.refusal([base, counts], rlvr)
    )


def test_steps_of_one_training_are_not_pooled(bench, pair, tmp_path) -> None:
    base, rlvr = pair()
    (tmp_path / "all").mkdir()
    for path in (base, rlvr):
        path.rename(tmp_path / "all" / path.name)
    assert "all/rlvr.jsonl is of step 100, all/base.jsonl of step 0" in (
        bench.refusal(tmp_path / "all", tmp_path / "all")
    )


def test_sides_that_are_swapped_are_told_by_their_steps(bench, pair) -> None:
    base, rlvr = pair()
    assert "base is of step 100 (rlvr.jsonl) and rlvr of step 0" in bench.refusal(rlvr, base)


def test_one_file_for_both_sides_is_not_comparable(kit, pair, tmp_path) -> None:
    base, rlvr = pair(lambda rows: [{**row, "step": None} for row in rows])
    third = write(tmp_path / "third.jsonl", verl([[0, 0, 0], [1, 1, 1]], step=100))
    found = kit.both([base, rlvr], [rlvr, third]).differences
    assert found == (f"{rlvr} is given as base too: a file is of one checkpoint",)


def test_a_problem_that_one_side_lacks_is_named(bench, pair) -> None:
    said = bench.refusal(*pair(other=lambda rows: rows[:3]))
    assert "rlvr.jsonl lacks 1 of the problems in base.jsonl" in said
    assert "What is 1+5?" in said
    assert "has n=3" in bench.refusal(*pair(other=lambda rows: rows[:-1]))


def test_the_same_question_with_another_answer_is_another_problem(kit, pair) -> None:
    def images(rows):
        return [row | {"input": "What is in the image?"} for row in rows]

    recorded = kit.both(*pair(images, images))
    assert [t.n for t in recorded.tallies["base"]] == [3, 3]


def test_a_question_with_its_answer_and_without_is_refused(bench, pair) -> None:
    """Else the lines that lost their answer would be a problem of their own."""

    def lost(rows):
        return [rows[0], rows[1] | {"gts": None}, *rows[2:]]

    assert (
        "base.jsonl, line 2: its question stands elsewhere with an answer, and once without"
        in (bench.refusal(*pair(lost, lost)))
    )


def test_a_torn_line_tells_how_many_are_whole(bench, pair) -> None:
    base, rlvr = pair()
    base.write_text(base.read_text()[:-20])
    said = bench.refusal(base, rlvr)
    assert "base.jsonl, line 6: not JSON: " in said
    assert "it is the last line, as where writing was cut short, and 5 before it are whole" in said
    base.write_text(base.read_text() + "\n" + rlvr.read_text())
    assert "last line" not in bench.refusal(base, rlvr)


def test_a_dump_is_graded_again(kit, pair) -> None:
    recorded = kit.both(
        *pair(lambda rows: [row | {"score": 0.1, "output": row["gts"]} for row in rows]),
        verifier="number",
    )
    assert kit.totals(recorded, "base").correct == 6


def skills(symbolic: Iterable[object], **more: object) -> list[dict]:
    return [
        {"problem": f"What is {i}+5?", "expected_answer": str(i + 5), "generation": f"{i} {right}",
         "predicted_answer": "5" if right else None, "symbolic_correct": right, **more}
        for i, right in enumerate(symbolic)
    ]  # fmt: skip


def test_seeds_of_nemo_skills_are_pooled(kit, tmp_path) -> None:
    for role, seeds in (("base", [[1, 0], [0, 0]]), ("rlvr", [[1, 1], [0, 1]])):
        (tmp_path / role).mkdir()
        for seed, row in enumerate(seeds):
            write(tmp_path / role / f"output-rs{seed}.jsonl", skills(map(bool, row), seed=seed))
    recorded = kit.both(tmp_path / "base", tmp_path / "rlvr")
    assert [(t.n, t.correct) for t in recorded.tallies["base"]] == [(2, 1), (2, 0)]
    assert [(t.n, t.correct) for t in recorded.tallies["rlvr"]] == [(2, 1), (2, 2)]
    assert recorded.answers is not None


def test_greedy_beside_seeds_and_a_seed_twice_are_refused(bench, tmp_path) -> None:
    first = write(tmp_path / "output-rs0.jsonl", skills([True, False]))
    greedy = write(tmp_path / "output.jsonl", skills([False, False]))
    copy = write(tmp_path / "output-rs1.jsonl", skills([True, False], async_position=1))
    assert "is of drawing seeds, output.jsonl of drawing greedy" in (
        bench.refusal([greedy, first], first)
    )
    assert "holds the same samples as output-rs0.jsonl" in bench.refusal([first, copy], first)
    write(first, skills([True, False]) + skills([True, True]))
    assert "line 3: the problem is already on line 1" in bench.refusal(first, first)


def test_a_judge_and_a_rule_are_chosen_between(kit, bench, tmp_path) -> None:
    rows = skills([True, False, True], judgement="Reasoning…\nJudgement: No")
    rows[0]["judgement"] = "Judgement: **Yes**"
    rows[2]["judgement"] = "I cannot say"
    path = write(tmp_path / "a", rows)
    assert "expected one score, got symbolic_correct, judgement: choose with" in (
        bench.refusal(path, path)
    )
    assert kit.totals(kit.both(path, path, score="judgement"), "base") == kit.Totals(3, 1, 1, 1)
    assert kit.totals(kit.both(path, path, score="symbolic_correct"), "base").correct == 2


def evalplus(tasks: Mapping[str, Iterable[tuple[object, object]]], **more: object) -> dict:
    return {
        "date": "2026-01-01", "hash": "x",
        "eval": {
            task: [{"task_id": task, "solution": f"def f(): {i}", "base_status": base,
                    "plus_status": plus} for i, (base, plus) in enumerate(programs)]
            for task, programs in tasks.items()
        },
        "pass_at_k": {"base": {"pass@1": 0.99}},
    } | more  # fmt: skip


STATUSES = {
    "E/0": [("pass", "pass"), ("pass", "fail"), ("timeout", "pass")],
    "E/1": [("fail",) * 2] * 3,
}


@pytest.fixture
def document(tmp_path):
    def made(content: object, name: str = "a") -> Path:
        (tmp_path / name).write_text(json.dumps(content))
        return tmp_path / name

    return made


def test_evalplus_is_read_under_all_tests_or_the_base_tests(kit, document) -> None:
    path = document(evalplus(STATUSES))
    plus, base = kit.both(path, path), kit.both(path, path, score="base")
    assert [(t.problem, t.n, t.correct) for t in plus.tallies["base"]] == [
        ("E/0", 3, 1),
        ("E/1", 3, 0),
    ]
    assert kit.totals(base, "base").correct == 2
    assert "EvalPlus results (plus_status: base and plus tests)" in plus.benchmark.source
    assert "(base_status: the base tests alone)" in base.benchmark.source


def test_evalplus_without_plus_tests_is_no_match_for_one_with_them(kit, document) -> None:
    alone = {task: [(base, None) for base, _ in all] for task, all in STATUSES.items()}
    base, rlvr = document(evalplus(alone)), document(evalplus(STATUSES, hash="y"), "b")
    found = kit.both(base, rlvr)
    assert kit.totals(found, "base").correct == 2
    assert found.differences[:2] == (
        "problem sets differ: base x, rlvr y",
        "grades differ: base base_status: the base tests alone, rlvr plus_status: base and plus "
        "tests",
    )


def test_evalplus_of_older_versions(kit, bench, document) -> None:
    old = {"E/0": {"nfiles": 2, "base": [["pass", []], ["fail", []]],
                   "plus": [["pass", []], ["timeout", []]]}}  # fmt: skip
    path = document({"eval": old})
    assert kit.totals(kit.both(path, path), "base") == kit.Totals(2, 1, 0, 1)
    old["E/0"]["plus"].pop()
    assert "E/0: ragged: 2 programs" in bench.refusal(document({"eval": old}), path)


@pytest.mark.parametrize(
    ("tasks", "words"),
    [
        ({"E/0": [("pass", "pass"), ("pass", None)]}, "E/0: plus_status must be one of pass"),
        ({"E/0": [("success", "pass")]}, "E/0: base_status must be one of pass"),
        ({"E/0": [(True, True)]}, "E/0: base_status must be one of"),
        ({"E/0": [(["pass"], "pass")]}, "E/0: base_status must be one of"),
        ({"E/0": []}, "E/0: no samples"),
    ],
)  # fmt: skip
def test_a_status_that_is_none_is_refused(bench, document, tasks: dict, words: str) -> None:
    path = document(evalplus(tasks))
    assert words in bench.refusal(path, path)


def test_programs_under_the_wrong_task_are_refused(bench, document) -> None:
    content = evalplus(STATUSES)
    content["eval"]["E/0"][1]["task_id"] = "E/1"
    path = document(content)
    assert 'E/0: holds a program of "E/1"' in bench.refusal(path, path)


def question(id: object = "0", **more: object) -> dict:
    return {"question_id": id, "question_content": f"Do {id}.", "code_list": ["a", "b", "c", "d"],
            "graded_list": [True, False, True, False], "pass@1": 0.5} | more  # fmt: skip


@pytest.mark.parametrize(
    ("told", "unscored"),
    [
        (['{"error_code": -5, "error_message": "TestRunnerError"}'] * 4, 2),
        ([{"error_code": -5}] * 4, 2),  # what is right stays right
        (['{"error_code": -3}', '{"error_code": -4}', "{", "[" * 9_000], 0),
        ([-5, None, "-5", True], 0),
        (['{"error_code": -5}'] * 3, 0),  # not one for each
        ("-5", 0),
    ],
)
def test_where_livecodebenchs_own_runner_failed_nothing_is_known(
    kit, document, told, unscored
) -> None:
    path = document([question(metadata=told)])
    (tally,) = kit.both(path, path).tallies["base"]
    assert (tally.n, tally.correct, tally.unscored) == (4, 2, unscored)


def test_livecodebench_is_read_by_its_truths_and_not_its_means(kit, document) -> None:
    rows = [question(), question("1", graded_list=[False] * 4), question(2.0)]
    recorded = kit.both(document(rows), document(rows))
    assert [(t.problem, t.correct) for t in recorded.tallies["base"]] == [
        ("0", 2),
        ("1", 0),
        ("2", 2),
    ]


def test_a_mean_over_programs_gives_their_number_back(kit, bench, document) -> None:
    rows = [
        question(str(i), graded_list=None, **{"pass@1": mean})
        for i, mean in enumerate((0.25, "1.0"))
    ]
    path = document(rows)
    assert [(t.n, t.correct) for t in kit.both(path, path).tallies["base"]] == [(4, 1), (4, 4)]
    for mean in (0.3, 25.0, True, float("nan")):
        path = document([question(graded_list=None, **{"pass@1": mean})])
        assert "item 1: pass@1 " in bench.refusal(path, path)
    path = document([{"question_id": "0", "pass@1": 0.5}])
    assert "does not tell how many were drawn" in bench.refusal(path, path)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"graded_list": [True, -4, True, False]}, "(or null: unscored), got -4"),
        ({"graded_list": [[True, -2], False, True, False]}, "a score must be 0 or 1"),
        ({"graded_list": [True, False]}, "ragged: 4 programs and 2 in graded_list"),
        ({"question_id": None}, "question_id is empty"),
        ({"graded_list": [], "code_list": [], "output_list": []}, "no samples"),
    ],
)  # fmt: skip
def test_error_codes_are_no_truths(bench, document, row: dict, words: str) -> None:
    path = document([question() | row])
    assert words in bench.refusal(path, path)


def test_human_eval_is_pooled_by_task(kit, tmp_path) -> None:
    rows = [{"task_id": f"E/{i}", "completion": f"{i}{j}", "result": "x", "passed": j < i}
            for j in range(3) for i in range(3)]  # fmt: skip
    path = write(tmp_path / "a", rows)
    assert [(t.n, t.correct) for t in kit.both(path, path).tallies["base"]] == [
        (3, 0),
        (3, 1),
        (3, 2),
    ]


@pytest.mark.parametrize("magic", [b"\x80\x02}q\x00", b"\x80\x04\x95", b"PK\x03\x04\x00\x00"])
def test_a_pickle_is_not_opened(bench, tmp_path, magic: bytes) -> None:
    path = tmp_path / "0.pt"
    path.write_bytes(magic + b"\0" * 60)
    assert "a pickle, as torch.save writes them" in bench.refusal(path, path)


def test_the_field_s_files_join(kit, reference) -> None:
    folder = reference.parent / "field" / "12-other-harness-files"
    if not folder.is_dir():
        pytest.skip("the reference data has no such folder")
    recorded = kit.both(folder / "verl_base.jsonl", folder / "verl_rlvr.jsonl")
    lines = [json.loads(row) for row in (folder / "verl_rlvr.jsonl").read_text().splitlines()]
    assert kit.totals(recorded, "rlvr").correct == sum(line["acc"] for line in lines)
    assert [t.n for t in recorded.tallies["base"]] == [8] * 30
    named = {
        "evalplus_eval_results.json": (80, 0),
        "lcb_eval_all.json": (80, 40),
        "nemo_skills_rs0.jsonl": (30, 30),
    }
    for name, expected in named.items():
        found = kit.totals(kit.both(folder / name, folder / name), "base")
        assert (found.n, found.correct) == expected
