"""`--recorded ROLE=FILE`: counts are judged without a model, believed no further than they go."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from rlvr_gate.stats.passk import pass_at_k

ROOT = os.environ.get("RLVR_GATE_REFERENCE_DATA")
COUNTS = Path(ROOT or "/nonexistent", "recorded", "deepscaler_counts")

Row = Mapping[str, object]


def rows(correct: Sequence[int], n: int = 16) -> list[Row]:
    return [{"id": f"p{i}", "n": n, "c": c} for i, c in enumerate(correct)]


BASE, BETTER = rows([2, 3, 4, 1, 5, 2, 3, 4] * 4), rows([9, 8, 12, 7, 11, 9, 10, 8] * 4)


@pytest.fixture
def judge(gate):
    """Write two files of counts and judge them."""

    def run(*args: str, base: Sequence[Row] = BASE, rlvr: Sequence[Row] = BETTER):
        for name, lines in (("base", base), ("rlvr", rlvr)):
            text = "\n".join(map(json.dumps, lines))
            (gate.root / f"{name}.jsonl").write_text(text + "\n")
        suites = str(Path(__file__).parents[2] / "suites")
        return gate.pytester.runpytest_subprocess(
            "--recorded=base=base.jsonl", "--recorded=rlvr=rlvr.jsonl", "--gate-json=gate.json",
            "-p", "no:cacheprovider", *args, suites,
        )  # fmt: skip

    return run


def verdicts(document) -> dict[str, str]:
    return {claim["id"]: claim["verdict"] for claim in document["claims"]}


def refused(gate, result, *words: str) -> None:
    assert result.ret == 4
    text = result.stdout.str() + result.stderr.str()
    for word in words:
        assert word in text
    assert "Traceback" not in text
    file = gate.root / "gate.json"
    if file.exists():
        assert gate.document()["gate"]["state"] in ("no decision", "not finished")


def test_what_counts_cannot_say_keeps_the_default_gate_from_opening(gate, judge) -> None:
    result = judge()
    assert result.ret == 10
    document = gate.document()
    assert document["gate"]["deciding"] == ["S2 on recorded"]
    assert verdicts(document)["K1"] == "holds"
    result.stdout.fnmatch_lines(["*not recorded: prompts, sampling settings, stop ids*"])


def test_who_vouches_for_the_counts_gets_a_verdict(gate, judge) -> None:
    assert judge("--gate-policy=recorded").ret == 0
    assert judge("--gate-policy=recorded", base=BETTER, rlvr=BASE).ret == 1
    assert gate.document()["gate"]["deciding"] == ["K1 on recorded"]


def test_a_worse_checkpoint_closes_the_default_gate_too(judge) -> None:
    assert judge(base=BETTER, rlvr=BASE).ret == 1


def test_every_report_is_written_and_the_json_fits_its_schema(gate, judge) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    from rlvr_gate_reports.document import schema

    judge("--gate-report=gate.html", "--gate-summary=gate.md")
    jsonschema.validate(gate.document(), schema())
    assert (gate.root / "gate.html").stat().st_size > 1000
    assert "K1" in (gate.root / "gate.md").read_text()


def test_files_are_named_with_their_digests(gate, judge) -> None:
    judge()
    (benchmark,) = gate.document()["benchmarks"]
    assert benchmark["source"].startswith("recorded counts: base base.jsonl (sha256 ")
    assert benchmark["problems"] == len(BASE)


def test_problems_are_joined_by_id_not_by_line(gate, judge) -> None:
    judge("--gate-policy=recorded")
    ordered = gate.document()
    judge("--gate-policy=recorded", rlvr=BETTER[::-1])
    shuffled = gate.document()
    for document in (ordered, shuffled):
        document.pop("run")
        document.pop("benchmarks")  # they name the digest of the file
    assert ordered == shuffled


def test_the_ladder_ends_at_the_recorded_samples(gate, judge) -> None:
    judge(base=rows([1, 2, 3], n=12), rlvr=rows([4, 5, 6], n=12))
    points = gate.document()["curves"]["recorded"]["base"]
    assert [point["k"] for point in points] == [1, 2, 4, 8, 12]


def test_the_ladder_ends_at_the_fewest_samples_where_problems_differ(gate, judge) -> None:
    judge(base=[*rows([1, 2, 3]), {"id": "q", "n": 5, "c": 1}],
          rlvr=[*rows([4, 5, 6]), {"id": "q", "n": 5, "c": 2}])  # fmt: skip
    document = gate.document()
    assert [point["k"] for point in document["curves"]["recorded"]["rlvr"]] == [1, 2, 4, 5]
    assert document["samples"] == 5
    assert document["counts"]["recorded"]["q"]["rlvr"]["n"] == 5


def test_xdist_says_the_same(gate, judge) -> None:
    pytest.importorskip("xdist")
    judge()
    one = gate.document()
    judge("-n", "2")
    two = gate.document()
    assert one.pop("run") != two.pop("run")
    assert one == two


def test_strata_are_kept_under_either_name(gate, judge) -> None:
    from rlvr_gate_fixtures.recorded import read

    judge(base=[row | {"source": "aime"} for row in BASE],
          rlvr=[row | {"stratum": "aime"} for row in BETTER])  # fmt: skip
    files = {role: [gate.root / f"{role}.jsonl"] for role in ("base", "rlvr")}
    assert {t.stratum for t in read("x", files).tallies["rlvr"]} == {"aime"}


def test_the_counts_are_called_what_benchmarks_says(gate, judge) -> None:
    judge("--benchmarks=aime")
    assert list(gate.document()["counts"]) == ["aime"]


def test_weight_claims_are_skipped_with_the_remedy(gate, judge) -> None:
    result = judge("-rs")
    result.stdout.fnmatch_lines(["*recorded runs hold no weights: needs --model-pair*"])
    assert verdicts(gate.document())["W1"] == "undecided"


def test_weights_are_compared_where_a_pair_is_given_too_and_nothing_is_sampled(
    gate, judge
) -> None:
    gate.write(base=0.2, rlvr=0.7)
    judge("--model-pair=./old,./new", "--gate-policy=recorded")
    document = gate.document()
    assert verdicts(document)["W1"] != "undecided"
    assert document["weights"]["rlvr"]["total"]["parameters"] == 728
    assert document["run"]["sampled"]["completions"] == 0


def test_plan_has_nothing_to_draw(gate, judge) -> None:
    result = judge("--plan")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["recorded runs: nothing to draw"])


def with_line(index: int, line: object) -> list[object]:
    return [*BETTER[:index], line, *BETTER[index + 1 :]]


@pytest.fixture
def refusal(tmp_path):
    """Read two files of counts and return why they cannot be used."""
    from rlvr_gate_fixtures.recorded import FileError, read

    def why(base: Sequence[object] = BASE, rlvr: Sequence[object] = BETTER) -> str:
        for name, lines in (("base", base), ("rlvr", rlvr)):
            texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
            (tmp_path / f"{name}.jsonl").write_text("\n".join(texts))
        with pytest.raises(FileError) as raised:
            read("b", {role: [tmp_path / f"{role}.jsonl"] for role in ("base", "rlvr")})
        return str(raised.value).replace(f"{tmp_path}/", "")

    return why


def test_a_bad_line_is_a_usage_error(gate, judge) -> None:
    refused(gate, judge(rlvr=with_line(2, {"id": "p2", "n": 16, "c": 17})),
            "--recorded: rlvr.jsonl, line 3: c must lie in 0..n, got c=17 with n=16")  # fmt: skip


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ({"id": "p2", "n": 16, "c": -1}, "c must lie in 0..n, got c=-1 with n=16"),
        ({"id": "p2", "n": 0, "c": 0}, "n must lie in 1..1000000, got 0"),
        ({"id": "p2", "n": 16, "c": 2.5}, "c must be a whole number, got 2.5"),
        ({"id": "p2", "n": True, "c": 1}, "n must be a whole number, got true"),
        ({"id": "p2", "n": 16, "c": float("nan")}, "c must be a whole number, got NaN"),
        ({"id": None, "n": 16, "c": 1}, "id must be a string or a whole number, got null"),
        ({"id": "p2", "n": 16, "c": 1, "stratum": 3}, "stratum must be a string, got 3"),
        ({"id": "p2", "n": 16}, "missing c; keys are id, n, c and, if wanted, stratum"),
        ({"id": "p2", "n": 16, "c": 1, "p": 1}, "unknown 'p'; keys are id, n, c"),
        ({"id": "p1", "n": 16, "c": 1}, "id 'p1' is already on line 2"),
        ({"id": "\ud800", "n": 16, "c": 1}, "id holds half a surrogate pair"),
        ([1, 2], "expected a JSON object, got list"),
        ('{"id"', "not JSON"),
    ],
)
def test_a_line_that_cannot_be_counted_is_named(refusal, line: object, words: str) -> None:
    assert f"rlvr.jsonl, line 3: {words}" in refusal(rlvr=with_line(2, line))


def test_an_unknown_format_says_which_keys_it_met(refusal) -> None:
    said = refusal(base=[{"task": 1, "solutions": []}])
    assert said.startswith(
        "base.jsonl: not a known format of recorded runs: expected AReaL rollouts, EvalPlus"
    )
    assert "got the keys task, solutions; " in said
    assert said.endswith(
        "needs a field map, base.jsonl:id=COLUMN,correct=COLUMN, or make counts, one line a "
        'problem: {"id": …, "n": …, "c": …}'
    )


def test_an_empty_file(refusal) -> None:
    assert "rlvr.jsonl is empty" in refusal(rlvr=[])


def test_ids_of_one_side_only_are_named(refusal) -> None:
    missing = "rlvr.jsonl lacks 2 of the problems in base.jsonl: 'p30', 'p31' (base.jsonl, line 31"
    assert missing in refusal(rlvr=BETTER[:-2])
    assert "base.jsonl lacks 1 of the problems in rlvr.jsonl: 'p31'" in refusal(base=BASE[:-1])


def test_different_numbers_of_samples_for_one_problem(refusal) -> None:
    text = refusal(rlvr=with_line(2, {"id": "p2", "n": 8, "c": 1}))
    assert "problem 'p2' has n=16 in base.jsonl, line 3, and n=8 in rlvr.jsonl, line 3" in text


def test_two_strata_of_one_problem(refusal) -> None:
    text = refusal([row | {"stratum": "a"} for row in BASE], [r | {"source": "b"} for r in BETTER])
    assert text == (
        "problem 'p0' has more than one stratum: 'a' in base.jsonl, line 1, 'b' in rlvr.jsonl, "
        "line 1"
    )


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--recorded=base=base.jsonl", "base.jsonl holds the same samples as base.jsonl: pooling"),
        ("--regrade=number", "base.jsonl, line 1: no completions to grade: leave out --regrade"),
        ("--regrade=sympy", "unknown verifier 'sympy'; known: choice, "),
        ("--recorded-score=acc", "base.jsonl: counts hold one score, leave out --recorded-score"),
        ("--recorded=rlvr", "expected ROLE=FILE"),
        ("--samples=16", "recorded runs say how many samples there are"),
        ("--benchmarks=a,b", "recorded runs are of one benchmark, --benchmarks names 2"),
        ("--k=1,32", "got k=32 with 16 recorded samples: lower k"),
        ("--checkpoint=sft=./x", "--checkpoint beside --recorded needs --model-pair"),
        ("--recorded=sft=nowhere.jsonl", "cannot read nowhere.jsonl: No such file"),
    ],
)
def test_options_that_do_not_go_with_it(gate, judge, option: str, words: str) -> None:
    refused(gate, judge(option), words)


def test_one_role_is_not_a_pair(gate) -> None:
    (gate.root / "base.jsonl").write_text(json.dumps(BASE[0]))
    result = gate.pytester.runpytest_subprocess("--recorded=base=base.jsonl")
    refused(gate, result, "rlvr is missing: add --recorded rlvr=FILE")


@pytest.mark.skipif(
    not COUNTS.is_dir(), reason="RLVR_GATE_REFERENCE_DATA does not name the reference data"
)
def test_published_numbers_through_the_command_line(gate, pytester) -> None:
    """arXiv:2609.22547: 1060 problems, 128 samples; to the printed digit."""
    expected = json.loads((COUNTS / "metadata_and_expected_subset.json").read_text())["expected"]
    pytester.makepyfile(
        """
        from rlvr_gate import claim

        @claim("rl leads", id="L")
        def test_leads(pair, benchmark, k):
            assert pair.rlvr.pass_at(k, benchmark) > pair.base.pass_at(k, benchmark)
        """
    )
    result = pytester.runpytest_subprocess(
        f"--recorded=base={COUNTS / 'base.jsonl'}", f"--recorded=rlvr={COUNTS / 'rl.jsonl'}",
        "--benchmarks=deepscaler", "--gate-json=gate.json", "-p", "no:cacheprovider",
        "--k=1,2,4,8,10,11,16,21,22,32,60,61,64,128",
    )  # fmt: skip
    assert result.ret == 12  # the suite of pass@k alone: S2 was not collected
    document = gate.document()
    curves = {
        role: {str(point["k"]): point["value"] for point in points}
        for role, points in document["curves"]["deepscaler"].items()
    }
    for role, name in (("base", "base_pass_at_k"), ("rlvr", "rl_pass_at_k")):
        for k, value in expected[name].items():
            assert curves[role][k] == pytest.approx(value, abs=1e-14)
    for k, value in expected["mean_diff"].items():
        assert curves["difference"][k] == pytest.approx(value, abs=1e-14)
    counts = document["counts"]["deepscaler"].values()
    n, base, rlvr = np.array([(c["base"]["n"], c["base"]["correct"], c["rlvr"]["correct"])
                              for c in counts]).T  # fmt: skip
    for k, value in expected["se_diff"].items():
        difference = pass_at_k(n, rlvr, int(k)) - pass_at_k(n, base, int(k))
        assert difference.std(ddof=1) / len(n) ** 0.5 == pytest.approx(value, abs=1e-14)
    bands = document["curves"]["deepscaler"]["difference"]
    above = [point["k"] for point in bands if point["band_low"] > 0]
    below = [point["k"] for point in bands if point["band_high"] < 0]
    assert [above[0], above[-1]] == expected["positive_budgets"]
    assert [below[0], below[-1]] == expected["negative_budgets"]
    found = {str(claim["k"]): claim for claim in document["claims"]}
    at = {k: claim["verdict"] for k, claim in found.items()}
    assert at["1"] == at["10"] == "holds"
    assert at["21"] == at["22"] == "undecided"
    assert at["128"] == "refuted"
    # a band knows that neighbours move together, Holm's adjustment of 14 findings does not
    assert at["61"] == "undecided"
    assert found["61"]["interval"]["high"] < 0
    assert found["61"]["reason"].startswith("alone it would be refuted; among the findings' 14")
