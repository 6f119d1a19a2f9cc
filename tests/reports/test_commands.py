"""`rlvr-gate explain`, `compare`, `export`, `schema`: what they say of JSON reports alone."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rlvr_gate.gate.checks import rows
from rlvr_gate.records import Benchmark, Check, ErrorControl, Kind, RunRecord, Verdict
from rlvr_gate_fixtures.__main__ import main
from rlvr_gate_reports import beside, decision, document, results
from rlvr_gate_reports.results import ResultError

Run = Callable[..., RunRecord]
Said = pytest.CaptureFixture[str]


@pytest.fixture
def kept(tmp_path: Path) -> Callable[[RunRecord, str], str]:
    """Write a record as JSON, give the path."""

    def write(record: RunRecord, name: str) -> str:
        path = tmp_path / f"{name}.json"
        path.write_text(document.dumps(record))
        return str(path)

    return write


Kept = Callable[[RunRecord, str], str]


@pytest.mark.parametrize("state", ["open", "closed", "undecided", "not comparable"])
def test_the_json_alone_gives_the_decision_word_for_word(run: Run, kept: Kept, state: str) -> None:
    record = run(state, problems=30, samples=16)
    read = results.read(Path(kept(record, "gate"))).record
    told = decision.text(record, decision.of(record))
    assert decision.text(read, decision.of(read)) == told


def test_what_was_read_is_written_as_it_was(run: Run, kept: Kept) -> None:
    """But for what stands beside verdicts: counts, curves, claims and their numbers come back."""
    record = run("open", problems=12, samples=16, contrast=True)
    checks = rows([Check("survives", ("K1", "V9")), Check("both", ("S2",))], record.claims)
    record = replace(record, gate=replace(record.gate, checks=checks))
    wrote = json.loads(document.dumps(record))
    assert [row["missing"] for row in wrote["gate"]["checks"]] == [["V9 (not run)"], []]
    again = json.loads(document.dumps(results.read(Path(kept(record, "gate"))).record))
    for key in (
        "gate",
        "diagnosis",
        "samples",
        "counts",
        "curves",
        "crossovers",
        "level",
        "seed",
        "benchmarks",
    ):
        assert again[key] == wrote[key], key
    for one, other in zip(wrote["claims"], again["claims"], strict=True):
        for key in ("id", "verdict", "estimate", "interval", "relation", "threshold", "skipped"):
            assert one[key] == other[key]


@pytest.mark.parametrize("name", ["first", "revision-1"])
def test_what_earlier_versions_wrote_is_read_by_every_command(
    run: Run, kept: Kept, capsys: Said, name: str
) -> None:
    """Of the first version, and of the last one before revisions were told."""
    before = str(Path(__file__).parent / "golden" / f"{name}.json")
    today = kept(run("open", problems=4, samples=4), "today")
    for order in (
        ["explain", before, "K1"],
        ["compare", before, today],
        ["compare", today, before],
        ["export", before, "model-index"],
        ["export", before, "ctrf"],
        ["forecast", before, "8"],
    ):
        assert main(order) == 0, order
        said = capsys.readouterr()
        assert said.err == ""
        assert "nan" not in said.out
        assert said.out.strip()


def test_a_claim_is_explained_from_the_file(run: Run, kept: Kept, capsys: Said) -> None:
    record = run("closed", problems=30, samples=16)
    assert main(["explain", kept(record, "gate"), "K1"]) == 0
    said = capsys.readouterr().out
    assert "gate claim K1 is REFUTED: RLVR raises pass@1, countdown" in said
    assert "must be > 0" in said
    assert "minimum detectable effect" in said
    assert main(["explain", kept(record, "gate"), "K1 on countdown"]) == 0
    assert main(["explain", kept(record, "gate")]) == 0
    assert "K2" in capsys.readouterr().out.split()


def test_what_stands_beside_a_claim_is_explained_in_tables(
    everything: Run, kept: Kept, capsys: Said
) -> None:
    assert main(["explain", kept(everything(problems=30, samples=16), "gate"), "K1"]) == 0
    said = capsys.readouterr().out
    assert "  Templates\n    template  pass@1  gain\n    own       0.731   0.062\n" in said
    assert "    layers               12\n    share of the update  0.438\n" in said
    assert "Likeness: a picture, in the page of the report" in said
    assert "[{" not in said
    assert max(map(len, said.splitlines())) <= 220


@pytest.mark.parametrize(
    "exhibit",
    [
        None, 7, "text", [], {}, {"kind": "table"}, {"kind": "table", "head": 1, "rows": [2]},
        {"kind": "table", "head": ["a"], "rows": [["x" * 5_000, {"b": 1}], []]},
        {"kind": "facts", "facts": []}, {"kind": "facts", "facts": {"a\x1b[31m": "\u202e"}},
        {"kind": "curves", "title": "x\n::error::y" * 999}, {"kind": ["heat"]},
    ],
)  # fmt: skip
def test_anybodys_exhibits_are_told_bounded_and_inert(exhibit: object) -> None:
    told = list(beside.lines({"exhibits": [exhibit], "odd": [1, {"a": exhibit}]}))
    assert all(len(line) <= 210 for line in told)
    assert not {"\x1b", "\n", "\u202e"} & set("".join(told))


def test_an_unknown_claim_is_told_with_those_there_are(run: Run, kept: Kept, capsys: Said) -> None:
    assert main(["explain", kept(run(problems=4, samples=8), "gate"), "X9"]) == 1
    assert "no claim 'X9'" in (said := capsys.readouterr().err)
    assert "C1, K1, K2" in said


def test_a_comparison_tells_changed_verdicts_first_and_the_worse_before_the_better(
    run: Run, kept: Kept, capsys: Said
) -> None:
    open_, closed = (run(state, problems=60) for state in ("open", "closed"))
    assert main(["compare", kept(open_, "yesterday"), kept(closed, "today")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("yesterday: May ship")
    assert lines[1].startswith("today: Do not ship")
    rows = [line for line in lines if line.startswith(("  worse", "  changed"))]
    assert rows[0].startswith("  worse   K1 on countdown (gate): holds")
    assert " -> refuted " in rows[0]
    kinds = [row.split()[0] for row in rows]
    assert kinds == sorted(kinds, reverse=True)
    assert any("lost, now preserved" in line for line in lines)


def test_runs_that_differ_in_more_than_the_checkpoint_are_not_compared_in_silence(
    run: Run, kept: Kept, capsys: Said
) -> None:
    one = run("open", problems=12, samples=16)
    other = replace(
        one, samples=32, seed=5,
        gate=replace(one.gate, policy="lax"),
        benchmarks=[replace(one.benchmarks[0], digest="0" * 64)],
        checkpoints=[replace(c, digest=f"{c.role}0" * 8) for c in one.checkpoints],
    )  # fmt: skip
    assert main(["compare", kept(one, "a"), kept(other, "b")]) == 0
    said = capsys.readouterr().out
    for what in ("policy", "samples per problem", "run seed", "base", "countdown of b has other"):
        assert f"note: {what}" in said


def test_a_claim_that_one_run_did_not_ask_is_no_change_for_the_worse(
    run: Run, kept: Kept, capsys: Said
) -> None:
    one = run("open", problems=12, samples=16)
    claims = [
        replace(c, verdict=Verdict.UNDECIDED, judgements=(), skipped=True) if c.id == "W1" else c
        for c in one.claims if c.id != "K4"
    ]  # fmt: skip
    main(["compare", kept(one, "a"), kept(replace(one, claims=claims), "b")])
    said = capsys.readouterr().out
    assert "2 of 6 claims changed their verdict, 0 for the worse." in said
    assert "-> not asked" in said
    assert "-> skipped" in said


def test_the_page_of_a_comparison_is_inert_and_complete(
    run: Run, hostile_run: RunRecord, kept: Kept, tmp_path: Path
) -> None:
    page = tmp_path / "out" / "compare.html"
    for one, other in ((run("open"), run("closed")), (hostile_run, hostile_run)):
        names = kept(one, "a"), kept(other, "b<script>x")
        assert main(["compare", *names, f"--report={page}"]) == 0
        text = page.read_text("utf-8")
        assert "<script" not in text
        assert "<img" not in text
        assert not set("\x00\x07\x1b\u202e\u2066") & set(text)
        assert "claims changed their verdict" in text


def test_one_run_is_no_comparison(run: Run, kept: Kept, capsys: Said) -> None:
    assert main(["compare", kept(run(problems=4, samples=8), "a")]) == 1
    assert "needs two runs or more, got 1" in capsys.readouterr().err


def test_nothing_hostile_reaches_the_terminal(
    hostile_run: RunRecord, kept: Kept, capsys: Said
) -> None:
    path = kept(hostile_run, "a")
    main(["compare", path, path])
    for claim in hostile_run.claims:
        main(["explain", path, claim.id])
    for form in ("ctrf", "model-index"):
        main(["export", path, form])
    said = capsys.readouterr()
    assert not set("\x00\x07\x1b\u202e\u2066") & set(said.out + said.err)
    assert not [line for line in said.out.splitlines() if line.startswith("::")]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "no JSON"),
        ("[1]", "expected a report that --gate-json wrote"),
        ('{"schema": "rlvr-gate/gate-2"}', "rlvr-gate/gate-2"),
        ('{"schema": "rlvr-gate/gate-1"}', "not as its schema says"),
        ('{"schema": "rlvr-gate/gate-1", "run": [], "rounds": 3}', "not as its schema says"),
        ("[" * 100_000, "no JSON"),
    ],
)
def test_a_file_that_is_no_report_is_refused_with_a_sentence(
    tmp_path: Path, capsys: Said, text: str, why: str
) -> None:
    (tmp_path / "x.json").write_text(text)
    assert main(["explain", str(tmp_path / "x.json"), "K1"]) == 1
    assert why in capsys.readouterr().err
    with pytest.raises(ResultError):
        results.read(tmp_path / "missing.json")


@pytest.mark.parametrize("key", ["gate", "claims", "counts", "curves", "checkpoints"])
@pytest.mark.parametrize("wrong", [None, 3, "x", [None], {"a": {"b": {"c": [4]}}}])
def test_a_report_that_was_spoiled_is_refused_and_never_a_traceback(
    run: Run, tmp_path: Path, key: str, wrong: object
) -> None:
    spoiled = json.loads(document.dumps(run(problems=4, samples=8))) | {key: wrong}
    (tmp_path / "x.json").write_text(json.dumps(spoiled))
    with pytest.raises(ResultError):
        results.read(tmp_path / "x.json")


def test_exports_are_yaml_whose_numbers_are_the_curves(run: Run, kept: Kept, capsys: Said) -> None:
    yaml = pytest.importorskip("yaml")
    record = run("open", problems=12, samples=16)
    nasty = replace(record, benchmarks=[Benchmark("countdown", "", "", ())])
    path = kept(nasty, "gate")
    assert main(["export", path, "model-index"]) == 0
    [model] = yaml.safe_load(capsys.readouterr().out)["model-index"]
    [entry] = model["results"]
    points = record.curves["countdown"]["rlvr"]
    assert [m["type"] for m in entry["metrics"]] == ["pass@1", "pass@16"]
    assert [m["value"] for m in entry["metrics"]] == [
        pytest.approx(p.value, abs=1e-5) for p in (points[0], points[-1])
    ]
    assert main(["export", path, "eval-results", "--dataset=countdown=me/numbers:hard"]) == 0
    [entry] = yaml.safe_load(capsys.readouterr().out)
    assert entry["dataset"] == {"id": "me/numbers", "task_id": "hard"}
    assert entry["value"] == pytest.approx(100 * points[0].value, abs=1e-3)
    assert main(["export", path, "eval-results"]) == 1
    assert "give --dataset countdown=OWNER/NAME" in capsys.readouterr().err


def test_the_hub_reads_back_what_it_is_given(run: Run, kept: Kept, capsys: Said) -> None:
    """By its own readers: of `.eval_results` (hub-docs, eval_results.yaml) and of model cards."""
    hub, yaml = pytest.importorskip("huggingface_hub"), pytest.importorskip("yaml")
    cards = pytest.importorskip("huggingface_hub.repocard_data")
    record = run(problems=12, samples=16)
    path, points = kept(record, "gate"), record.curves["countdown"]["rlvr"]
    assert main(["export", path, "eval-results", "--dataset=countdown=me/numbers:hard"]) == 0
    told = yaml.safe_load(capsys.readouterr().out)
    [entry] = hub.parse_eval_result_entries(told)
    assert (entry.dataset_id, entry.task_id) == ("me/numbers", "hard")
    assert entry.value == pytest.approx(100 * points[0].value, abs=1e-3)
    assert hub.eval_result_entries_to_yaml([entry]) == told, "nothing that the format lacks"
    assert main(["export", path, "model-index"]) == 0
    index = yaml.safe_load(capsys.readouterr().out)["model-index"]
    _, results = cards.model_index_to_eval_results(index)
    assert [r.metric_type for r in results] == ["pass@1", f"pass@{points[-1].k:g}"]
    assert cards.eval_results_to_model_index(index[0]["name"], results) == index


def test_ctrf_counts_add_up_and_a_finding_never_fails(run: Run, kept: Kept, capsys: Said) -> None:
    record = run("closed", problems=30, samples=16)
    assert main(["export", kept(record, "gate"), "ctrf"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["reportFormat"] == "CTRF"
    tests, summary = found["results"]["tests"], found["results"]["summary"]
    assert summary["tests"] == len(tests) == 1 + len(record.claims)
    kinds = ("passed", "failed", "pending", "skipped", "other")
    assert sum(summary[kind] for kind in kinds) == summary["tests"]
    assert tests[0]["status"] == "failed"
    assert {t["status"] for t in tests[1:] if t["suite"] == ["finding"]} <= {"passed", "other"}
    assert next(t for t in tests if t["name"].startswith("K1 "))["status"] == "failed"


def test_the_schema_is_printed(capsys: Said) -> None:
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out) == document.schema()


def test_help_names_every_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "rlvr_gate_fixtures", "--help"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    for command in ("explain", "compare", "export", "schema", "merge", "audit"):
        assert f"    {command} " in done.stdout


# The gate about itself


def test_a_self_test_says_how_often_it_errs_and_what_it_sees(
    run: Run, kept: Kept, capsys: Said
) -> None:
    path = kept(run("open", problems=30, samples=16), "gate")
    assert main(["selftest", path, "--runs", "5"]) == 0
    said = capsys.readouterr().out
    assert "base's 16 samples of 30 problems, 5 times split into two runs of 8" in said
    assert "at level 0.96, as a first judgement is" in said
    assert said.count("one model twice") == 2
    assert "a drop of 0.020" in said
    assert "C1's comparison: pass@4 falls by less than 0.020" in said
    assert "two sessions" not in said


def test_a_second_session_tells_its_noise(run: Run, kept: Kept, capsys: Said) -> None:
    record = run("open", problems=30, samples=16)
    other = [replace(c, seed=c.seed + 7) for c in record.checkpoints]
    paths = [kept(record, "one"), kept(drawn_anew(record, checkpoints=other), "two")]
    assert main(["selftest", *paths, "--runs", "1"]) == 0
    said = capsys.readouterr().out
    assert "base's 16 and 16 more samples of 30 problems, 1 times split into two" in said
    assert "two sessions: base's pass@1 differs by " in said
    assert "`[claims.K1] margin = 0." in said
    assert "told apart\n    pass@1  " in said


def drawn_anew(record: RunRecord, **more: Any) -> RunRecord:
    """The same run with other counts of base."""
    rng = np.random.default_rng(3)
    counts = {
        b: {**of, "base": [replace(t, correct=int(rng.binomial(t.n, 0.4))) for t in of["base"]]}
        for b, of in record.counts.items()
    }
    return replace(record, counts=counts, **more)


def test_a_run_that_drew_base_twice_needs_no_second_report(
    run: Run, kept: Kept, capsys: Said
) -> None:
    record = run("open", problems=30, samples=16)
    anew = {b: of["base"] for b, of in drawn_anew(record).counts.items()}
    base = next(c for c in record.checkpoints if c.role == "base")
    again = replace(base, role="again", seed=1)
    twice = replace(
        record,
        counts={b: {**of, "again": anew[b]} for b, of in record.counts.items()},
        checkpoints=[*record.checkpoints, again],
    )
    same = replace(
        record,
        counts={b: {**of, "rlvr": anew[b]} for b, of in record.counts.items()},
        checkpoints=[replace(c, digest=base.digest) for c in record.checkpoints],
    )
    for name, each in (("again", twice), ("pair", same)):
        assert main(["selftest", kept(each, name), "--runs", "1"]) == 0
        assert "two sessions: base's pass@1 differs by " in capsys.readouterr().out
    foreign = [*record.checkpoints, replace(again, digest="f" * 64)]
    assert main(["selftest", kept(replace(twice, checkpoints=foreign), "x"), "--runs", "1"]) == 1
    assert "again is another checkpoint than base" in capsys.readouterr().err
    read = {b: {**of, "again": of["base"]} for b, of in record.counts.items()}
    assert main(["selftest", kept(replace(twice, counts=read), "y"), "--runs", "1"]) == 1
    assert "are these the same completions?" in capsys.readouterr().err


def test_what_cannot_test_itself_is_refused(run: Run, kept: Kept, capsys: Said) -> None:
    record = run("open", problems=30, samples=16)
    fewer = run("open", problems=20, samples=16)
    foreign = [replace(c, digest="f" * 64) for c in record.checkpoints]
    ragged = {
        b: {role: [replace(t, n=t.n + (i == 0)) for i, t in enumerate(tallies)]
            for role, tallies in of.items()}
        for b, of in record.counts.items()
    }  # fmt: skip
    one = kept(record, "one")
    for args, why in (
        ([one, one], "both reports count the same completions"),
        ([one, kept(replace(record, checkpoints=foreign), "two")], "of different bases"),
        ([one, kept(fewer, "three")], "does not hold the same problems"),
        ([kept(replace(record, counts=ragged), "four")], "needs as many samples of every problem"),
        ([kept(replace(record, counts={}), "five")], "nothing was sampled"),
    ):
        assert main(["selftest", *args, "--runs", "1"]) == 1
        assert why in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["selftest", one, "--runs", "0"])


# Several candidates


def candidate(record: RunRecord, digest: str, p: float) -> RunRecord:
    """The same run of another candidate, whose sampled gate claims have this p."""
    checkpoints = [
        replace(c, digest=digest) if c.role == "rlvr" else c for c in record.checkpoints
    ]
    claims = [
        replace(c, p_value=p) if c.kind is Kind.GATE and c.p_value is not None else c
        for c in record.claims
    ]
    return replace(record, checkpoints=checkpoints, claims=claims)


def test_several_candidates_are_corrected_and_the_best_is_not_believed(
    run: Run, kept: Kept, capsys: Said
) -> None:
    record = run("open", problems=30, samples=16)
    errors = ErrorControl(1, 0.025, 0.025)
    record = replace(record, gate=replace(record.gate, errors=errors))
    record = replace(record, claims=[
        replace(c, p_value=0.5) if c.id == "K1" else replace(c, p_value=None)
        for c in record.claims
    ])  # fmt: skip
    paths = [
        kept(candidate(record, digest * 64, p), name)
        for name, digest, p in (("a", "a", 0.04), ("b", "b", 0.001), ("c", "c", 0.02))
    ]
    assert main(["compare", *paths]) == 0
    said = capsys.readouterr().out
    assert "3 candidates against one base" in said
    assert "at most 7.5 %, not 2.5 %" in said
    assert "at level 0.9833" in said
    assert "1 of 3 open gates stay open: b" in said
    assert "the best of several candidates looks better than it is" in said
    assert main(["compare", paths[0], paths[0]]) == 0  # one candidate, judged twice
    assert "candidates" not in capsys.readouterr().out


def test_a_forecast_is_a_planning_answer_for_each_benchmark_and_k(
    run: Run, kept: Kept, capsys: Said
) -> None:
    path = kept(run("open"), "one.json")
    assert main(["forecast", path, "16", "64"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(",")[0] for line in lines] == ["countdown: pass@16", "countdown: pass@64"]
    assert all(line.endswith("a planning answer, never a verdict") for line in lines)
    assert main(["forecast", path, "0"]) == 1
    assert "a forecast needs k >= 1" in capsys.readouterr().err


def test_without_counts_of_both_there_is_no_forecast(run: Run, kept: Kept, capsys: Said) -> None:
    path = kept(replace(run("open"), counts={}), "none.json")
    assert main(["forecast", path, "64"]) == 1
    assert "holds no counts of base and rlvr" in capsys.readouterr().err
