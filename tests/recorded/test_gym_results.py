"""results.json of reasoning-gym: 1 is correct, partial credit is not, an error is unscored."""

from __future__ import annotations

import gzip
import json

import pytest

BASE, RLVR = "gym-base.json", "gym-rlvr.json"


def results(document: dict) -> list[dict]:
    return document["categories"][0]["datasets"][0]["results"]


def test_every_completion_counts_and_a_failed_scorer_decides_nothing(kit) -> None:
    recorded = kit.both(kit.here / BASE, kit.here / RLVR)
    assert kit.totals(recorded, "base") == kit.Totals(9, 3, 1, 2)
    assert kit.totals(recorded, "rlvr") == kit.Totals(9, 6, 0, 3)
    assert "sampling settings" not in recorded.unknown
    assert recorded.differences == ("11.1% of base's completions are unscored (bound 1%)",)


def test_gzip_is_read(bench, kit, tmp_path) -> None:
    packed = tmp_path / "results.json.gz"
    packed.write_bytes(gzip.compress((kit.here / BASE).read_bytes()))
    assert kit.totals(kit.both(packed, kit.here / RLVR), "base").n == 9
    packed.write_bytes(packed.read_bytes()[:-20])
    assert "cannot read results.json.gz" in bench.refusal(packed, kit.here / RLVR)


def test_one_line_is_as_good_as_many(kit, tmp_path) -> None:
    path = tmp_path / "results.json"
    path.write_text(json.dumps(json.loads((kit.here / BASE).read_text())))
    assert kit.totals(kit.both(path, kit.here / RLVR), "base").n == 9


def test_other_sampling_settings_are_not_comparable(bench, kit) -> None:
    base = bench.document(BASE, lambda d: d["metadata"].update(max_tokens=4096))
    differences = kit.both(base, kit.here / RLVR).differences
    assert "max_tokens differ: base 4096, rlvr 2048" in differences


def test_several_datasets_are_strata(bench, kit) -> None:
    def split(document: dict) -> None:
        first = document["categories"][0]["datasets"][0]
        rest = {**first, "name": "products", "results": first["results"][1:]}
        first["results"] = first["results"][:1]
        document["categories"][0]["datasets"].append(rest)

    base, rlvr = bench.document(BASE, split), bench.document(RLVR, split)
    strata = [t.stratum for t in kit.both(base, rlvr).tallies["base"]]
    assert strata == ["sums", "products", "products"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d["metadata"].update(partial=True), "metadata: the run is partial"),
        (lambda d: results(d)[1].update(completions=[], error="no answer from the server"),
         "category 0, dataset 0, result 1: no completions: no answer from the server"),
        (lambda d: results(d)[1]["completions"][0].update(score=100),
         "result 1: score must lie in 0..1, got 100"),
        (lambda d: results(d)[1]["completions"][0].update(score=float("nan")),
         "result 1: score must lie in 0..1, got NaN"),
        (lambda d: results(d).append(results(d)[0]),
         "result 3: the problem is already on category 0, dataset 0, result 0"),
        (lambda d: d["categories"][0]["datasets"][0].update(error="out of memory"),
         "category 0, dataset 0: the dataset failed: out of memory"),
    ],
)  # fmt: skip
def test_what_is_refused(bench, kit, change, words: str) -> None:
    assert words in bench.refusal(bench.document(BASE, change), kit.here / RLVR)


def test_real_checkpoints_of_one_run(reference, kit) -> None:
    """As its README states: 7,000 completions, 245 without a parsed answer."""
    folder = reference / "reasoning_gym_llama3b"
    amc = kit.both(
        folder / "step_400/amc23/results.json.gz", folder / "step_800/amc2023/results.json.gz"
    )
    aime = kit.both(folder / "step_400/aime2024", folder / "step_800/aime2024")
    assert kit.totals(amc, "base") == kit.Totals(2000, 288, 0, 27)
    assert kit.totals(amc, "rlvr") == kit.Totals(2000, 283, 0, 26)
    assert kit.totals(aime, "base") == kit.Totals(1500, 36, 0, 9)
    assert kit.totals(aime, "rlvr") == kit.Totals(1500, 40, 0, 7)
    answers = [a for run in (amc, aime) for of in run.answers.values() for a in of]
    assert sum(sum(a.given.values()) for a in answers) == 7000
    assert sum(a.given.get(None, 0) for a in answers) == 245


def test_another_grader_moves_real_counts(reference, kit) -> None:
    folder = reference / "reasoning_gym_llama3b"
    files = folder / "step_400/amc23", folder / "step_800/amc2023"
    again = kit.both(*files, verifier="number")
    assert kit.totals(again, "base").unscored == 0
    assert kit.totals(again, "base").correct != kit.totals(kit.both(*files), "base").correct
