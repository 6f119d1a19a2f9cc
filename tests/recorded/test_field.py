"""What people's files look like: quoted scores, pandas floats, Windows' encodings, limits."""

from __future__ import annotations

import json
from itertools import combinations

import pytest

from rlvr_gate.stats.passk import pass_at_k
from rlvr_gate_fixtures.recorded.rows import grade

COUNTS = ['{"id": "a", "n": 4, "c": 1}', '{"id": "b", "n": 4, "c": 3}']


@pytest.mark.parametrize("score", [1, 1.0, True, "1", "1.0", "True", "true", " TRUE ", "1e0"])
def test_what_is_correct_however_it_is_written(score: object) -> None:
    assert grade(score).value == "correct"


@pytest.mark.parametrize("score", [0, 0.0, False, "0", "0.0", "-0.0", "False", "false"])
def test_what_is_wrong_however_it_is_written(score: object) -> None:
    assert grade(score).value == "wrong"


@pytest.mark.parametrize("score", ["yes", "", "0.5", "nan", "None", "C", "1,0", "١", "0x1", 0.5])
def test_another_text_is_no_score(score: object) -> None:
    with pytest.raises(ValueError, match="a score must be 0 or 1"):
        grade(score)


def test_quoted_scores_are_read_in_every_harness(kit, bench) -> None:
    def quoted(rows: list[dict]) -> None:
        for row in rows:
            row["score"] = [str(score) for score in row["score"]]

    plain = kit.both(kit.here / "qwen-base.jsonl", kit.here / "qwen-rlvr.jsonl")
    texts = kit.both(bench.copy("qwen-base.jsonl", quoted), kit.here / "qwen-rlvr.jsonl")
    assert texts.tallies == plain.tallies

    def gym(document: dict) -> None:
        for category in document["categories"]:
            for dataset in category["datasets"]:
                for result in dataset["results"]:
                    for one in result["completions"]:
                        one["score"] = str(one["score"])

    changed = bench.document("gym-base.json", gym)
    both = kit.both(changed, kit.here / "gym-rlvr.json")
    assert both.tallies == kit.both(kit.here / "gym-base.json", kit.here / "gym-rlvr.json").tallies


@pytest.mark.parametrize(
    ("line", "id"),
    [('{"id": 7.0, "n": 16.0, "c": 4.0}', "7"),
     ('{"id": "7", "n": 16, "c": 4, "stratum": NaN}', "7"),
     ('{"id": 7, "n": 16, "c": 4, "cluster": null}', "7")],
)  # fmt: skip
def test_pandas_floats_are_whole_numbers(kit, tmp_path, line: str, id: str) -> None:
    (tmp_path / "a").write_text(line)
    (tally,) = kit.both(tmp_path / "a", tmp_path / "a").tallies["base"]
    assert (tally.problem, tally.n, tally.correct, tally.stratum) == (id, 16, 4, "")


def test_two_spellings_of_one_id_are_refused_in_one_file(bench, tmp_path) -> None:
    (tmp_path / "a").write_text('{"id": 1, "n": 4, "c": 1}\n{"id": "1", "n": 4, "c": 1}\n')
    assert (
        bench.refusal(tmp_path / "a", tmp_path / "a") == "a, line 2: id '1' is already on line 1"
    )


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_any_line_end_and_a_mark_at_the_start(kit, tmp_path, end: str, mark: bytes) -> None:
    (tmp_path / "a").write_bytes(mark + end.join(COUNTS).encode())
    assert kit.totals(kit.both(tmp_path / "a", tmp_path / "a"), "base").correct == 4


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (
            {"results": {"gsm8k": {"acc,none": 0.4}}},
            "which hold means and no counts of problems, not read here: give samples",
        ),
        ([{"pass@1": 0.4, "detail": {"pass@1": {"0": 1.0}}}, {}], "do not name their questions"),
        ([{"question_id": "0", "code_list": ["x"]}], "were not graded, not read here: give"),
        ({"accuracy": 40.0, "details": {"0": {"correct": True}}}, "number rows and do not say"),
        ({"0": {"origin_prompt": "?", "prediction": "5", "gold": "5"}}, "OpenCompass results"),
        ({"score": 0.4, "htmls": [], "convos": []}, "in pages of HTML alone"),
        ({"eval_aime_pass1": 0.4, "eval_aime_pass8": 0.6}, "which holds means and no counts"),
        ({"eval/aime/avg_score": 0.4, "eval/aime/pass_at_8": 0.6}, "needs a harness run"),
        ({"aime24": {"pass@1[avg-of-8]": {"symbolic_correct": 40.0}}}, "which holds means"),
        ({"num_samples": 30, "pass_acc": 40.0, "acc": 40.0}, "which holds means"),
    ],
)
def test_files_without_counts_say_what_to_give(bench, tmp_path, item, words: str) -> None:
    (tmp_path / "a").write_text(json.dumps(item))
    said = bench.refusal(tmp_path / "a", tmp_path / "a")
    assert words in said
    (tmp_path / "folder").mkdir()
    (tmp_path / "a").rename(tmp_path / "folder" / "a.json")
    assert words in bench.refusal(tmp_path / "folder", tmp_path / "folder")


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [("token", "I", "wrong"), ("message", "I", "wrong"), ("context", "C", "correct"),
     ("time", "I", "unscored"), ("time", "C", "correct"), ("operator", "I", "unscored"),
     ("new kind", "I", "unscored"), ("working", None, "unscored"), ("token", None, "unscored")],
)  # fmt: skip
def test_a_limit_truncates_and_a_clock_says_nothing_about_the_answer(
    kit, bench, kind: str, value: str | None, expected: str
) -> None:
    def halted(document: dict) -> None:
        for sample in document["samples"][:1]:
            sample["limit"] = {"type": kind, "limit": 10}
            sample["output"]["choices"] = []
            sample["scores"] = {} if value is None else {
                name: {"value": value} for name in sample["scores"]
            }  # fmt: skip

    path = bench.document("inspect-base.json", halted)
    first = kit.both(path, kit.here / "inspect-rlvr.json").tallies["base"][0]
    before = kit.both(kit.here / "inspect-base.json", kit.here / "inspect-rlvr.json")
    old = before.tallies["base"][0]
    assert first.truncated == (old.truncated or 0) + 1
    document = json.loads((kit.here / "inspect-base.json").read_text())
    (was,) = {score["value"] for score in document["samples"][0]["scores"].values()}
    kinds = {"correct": (1, 0), "wrong": (0, 0), "unscored": (0, 1)}
    c, u = kinds[expected]
    assert first.correct == old.correct - (was == "C") + c
    assert first.unscored == old.unscored + u


def test_n_may_differ_between_problems(kit, reference) -> None:
    folder = reference.parent / "field" / "04-n-differs-per-problem"
    if not folder.is_dir():
        pytest.skip("the reference data has no such folder")
    recorded = kit.both(folder / "base.jsonl", folder / "rlvr.jsonl")
    expected = {
        "base": {1: 0.24703, 2: 0.40843, 4: 0.5955, 8: 0.75977, 10: 0.80313},
        "rlvr": {1: 0.4631, 2: 0.63118, 4: 0.76246, 8: 0.82767, 10: 0.83683},
    }
    for role, curve in expected.items():
        for k, value in curve.items():
            tallies = recorded.tallies[role]
            found = sum(pass_at_k(t.n, t.correct, k) for t in tallies) / len(tallies)
            assert found == pytest.approx(value, abs=6e-6)


def test_n_may_differ_and_each_problem_is_enumerated(kit, tmp_path) -> None:
    problems = [(3, 1), (5, 2), (4, 0), (6, 6)]
    lines = [f'{{"id": {i}, "n": {n}, "c": {c}}}' for i, (n, c) in enumerate(problems)]
    (tmp_path / "a").write_text("\n".join(lines))
    tallies = kit.both(tmp_path / "a", tmp_path / "a").tallies["base"]
    for tally, (n, c) in zip(tallies, problems, strict=True):
        draws = list(combinations(range(n), 2))
        solved = sum(min(draw) < c for draw in draws)
        assert pass_at_k(tally.n, tally.correct, 2) == pytest.approx(solved / len(draws))
