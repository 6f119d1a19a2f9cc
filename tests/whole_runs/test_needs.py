"""What a claim needs comes from the claim alone, and everything asked is in the record."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from .conftest import Gate, write_checkpoint
from .test_weights import write as write_weights

HEAD = "import pytest\nfrom rlvr_gate import claim\n"
GRID = (
    HEAD
    + """
@claim("RLVR keeps its pass@1 when it is cold", id="MY-T")
@pytest.mark.asks("base", "rlvr", temperature=(0.5, 2.0))
@pytest.mark.parametrize("t", [0.5, 2.0])
def test_cold(pair, benchmark, t):
    assert pair.rlvr.at(temperature=t).pass_at(1, benchmark) > pair.base.at(
        temperature=t).pass_at(1, benchmark)
"""
)
UNASKED = (
    HEAD
    + """
@claim("reads what another claim has asked", id="MY-U")
def test_unasked(pair, benchmark):
    assert pair.rlvr.at(temperature=0.5).pass_at(1, benchmark) > 0
"""
)
OTHERWISE = (
    HEAD
    + """
@claim("a template and more samples of named problems", id="MY-O")
@pytest.mark.asks("base", "rlvr", template="Q: {prompt}")
@pytest.mark.asks("rlvr", samples=40, problems=("p001", "p003"))
def test_otherwise(pair, benchmark):
    ask = dict(template="Q: {prompt}")
    assert pair.rlvr.at(**ask).pass_at(1, benchmark) > pair.base.at(**ask).pass_at(1, benchmark)
    few = pair.rlvr.at(samples=40, problems=("p001", "p003"))
    assert few.pass_at(32, benchmark) > 0.5
"""
)
SEVERAL = (
    HEAD
    + """
@claim("RLVR leads on every benchmark", id="MY-ALL")
def test_everywhere(pair, benchmarks):
    for benchmark in benchmarks:
        assert pair.rlvr.pass_at(1, benchmark) > pair.base.pass_at(1, benchmark)
"""
)
EVERY = (
    HEAD
    + """
@claim("every checkpoint is asked", id="MY-EVERY")
def test_every(pair, checkpoints, benchmark):
    assert [view.role for view in checkpoints] == ["base", "rlvr", "other"]
    for view in checkpoints[1:]:
        assert view.pass_at(1, benchmark) > 0
"""
)
SERIES = (
    HEAD
    + """
@claim("pass@1 rises from step to step", id="MY-SERIES")
def test_rises(series, benchmark):
    assert [view.role for view in series] == ["base", "step-4", "step-16", "rlvr"]
    for earlier, later in zip(series, series[1:]):
        assert later.pass_at(1, benchmark) > earlier.pass_at(1, benchmark)
"""
)


@pytest.fixture(name="asked")
def _asked(gate: Gate) -> Gate:
    gate.write(0.2, 0.9)
    gate.options.append("--gate-json=gate.json")
    return gate


def verdicts(gate: Gate) -> dict[str, str]:
    claims = gate.document()["claims"]
    assert isinstance(claims, list)
    return {f"{claim['id']} {claim['nodeid'].partition('[')[2]}": claim["verdict"]
            for claim in claims}  # fmt: skip


def suite(gate: Gate, **files: str) -> None:
    for name, text in files.items():
        (gate.root / f"test_{name}.py").write_text(text)


def test_a_grid_of_temperatures_is_asked_judged_and_on_record(asked: Gate) -> None:
    suite(asked, grid=GRID)
    asked.run(suites=".")
    assert set(verdicts(asked).values()) == {"holds"}
    found = asked.document()
    names = {(ask["name"], ask["sampling"]["temperature"]): ask["completions"]
             for ask in found["asks"]}  # fmt: skip
    assert names == {
        (name, t): 20 * 16
        for role in ("base", "rlvr")
        for name, t in ((role, 1.0), (f"{role} (temperature 0.5)", 0.5),
                        (f"{role} (temperature 2)", 2.0))
    }  # fmt: skip
    roles = {name for name, _ in names}
    assert set(found["counts"]["sums"]["p001"]) == roles
    assert set(found["curves"]["sums"]) == roles | {"difference"}
    again = asked.run(suites=".")
    assert "0 completions drawn" in again.stdout.str() or asked.document()["run"]["sampled"][
        "completions"] == 0  # fmt: skip


def test_a_thorough_claim_is_skipped_and_nothing_is_drawn_for_it(asked: Gate) -> None:
    """Unless the run is thorough; a run that is not draws what it drew before there was one."""
    thorough = GRID.replace("@pytest.mark.asks(", "@pytest.mark.thorough\n@pytest.mark.asks(")
    asked.root.joinpath("test_mine.py").write_text(thorough)
    asked.run("--gate-json=gate.json", suites="test_mine.py")
    found = asked.document()
    assert {claim["verdict"] for claim in found["claims"]} == {"undecided"}
    assert all("needs --thorough" in claim["reason"] for claim in found["claims"])
    assert found["run"]["sampled"].get("completions", 0) == 0
    asked.run("--gate-json=gate.json", "--thorough", suites="test_mine.py")
    found = asked.document()
    assert len({ask["name"] for ask in found["asks"]}) == 6
    assert all("needs --thorough" not in claim["reason"] for claim in found["claims"])


@pytest.mark.parametrize("beside", [False, True], ids=["alone", "beside"])
def test_what_only_another_claim_asked_is_refused(asked: Gate, beside: bool) -> None:
    suite(asked, unasked=UNASKED, **({"grid": GRID} if beside else {}))
    asked.run(suites=".")
    claims = asked.document()["claims"]
    (mine,) = [claim for claim in claims if claim["id"] == "MY-U"]
    assert mine["verdict"] == "undecided"
    assert "@pytest.mark.asks('rlvr', temperature=0.5)" in mine["reason"]


@pytest.mark.parametrize(
    "how",
    [(), ("-k", "cold"), ("-n2",), ("--samples=adaptive:16",)],
    ids=lambda how: " ".join(how),
)
def test_the_verdict_is_the_same_however_the_test_is_reached(asked: Gate, how) -> None:
    folder = asked.root / "deep" / "er"
    folder.mkdir(parents=True)
    (folder / "test_grid.py").write_text(GRID)
    suite(asked, several=SEVERAL)
    asked.run(*how, suites=".")
    found = {key: verdict for key, verdict in verdicts(asked).items() if key.startswith("MY-T")}
    assert found == {"MY-T sums-0.5]": "holds", "MY-T sums-2.0]": "holds"}


def test_a_template_and_samples_of_named_problems(asked: Gate) -> None:
    script = json.loads((asked.root / "script.json").read_text())
    for lines in script.values():
        lines.update({f"Q: {prompt}": reply for prompt, reply in list(lines.items())})
    (asked.root / "script.json").write_text(json.dumps(script))
    suite(asked, otherwise=OTHERWISE)
    result = asked.run("--plan", suites=".")
    result.stdout.fnmatch_lines(["rlvr (samples 40, 2 problems *) on sums: 2 problems x 40*"])
    asked.run(suites=".")
    (claim,) = asked.document()["claims"]
    worded, few = claim["judgements"]
    assert (worded["verdict"], worded["statement"].count("template")) == ("holds", 2)
    assert (few["n"], few["k"], few["estimate"]) == (40, 32, 1.0)
    named = {ask["name"].partition(" (")[2][:8]: ask for ask in asked.document()["asks"]}
    assert (named["samples "]["problems"], named["samples "]["completions"]) == (2, 80)
    assert named["template"]["template"] == "Q: {prompt}"


@pytest.mark.parametrize("samples", ["16", "adaptive:16"])
def test_a_claim_about_all_benchmarks_is_one_claim(asked: Gate, samples: str) -> None:
    lines = (asked.root / "sums.jsonl").read_text()
    (asked.root / "more.jsonl").write_text(lines)
    suite(asked, several=SEVERAL)
    asked.run("--benchmarks=sums.jsonl,more.jsonl", f"--samples={samples}", suites=".")
    (only,) = asked.document()["claims"]
    assert (only["verdict"], only["benchmark"]) == ("holds", None)
    assert [j["benchmark"] for j in only["judgements"]] == ["sums", "more"]
    assert set(asked.document()["counts"]) == {"sums", "more"}


def test_a_claim_about_every_checkpoint(asked: Gate) -> None:
    script = json.loads((asked.root / "script.json").read_text())
    write_checkpoint(asked.root / "s9", 9)
    script["s9"] = {p: {**r, "success": 0.5} for p, r in script["old"].items()}
    (asked.root / "script.json").write_text(json.dumps(script))
    suite(asked, every=EVERY)
    asked.run("--checkpoint=other=./s9", suites=".")
    assert verdicts(asked) == {"MY-EVERY sums]": "holds"}


def test_a_claim_about_a_series_of_checkpoints(asked: Gate) -> None:
    script = json.loads((asked.root / "script.json").read_text())
    for number, rate in ((4, 0.45), (16, 0.7)):
        write_checkpoint(asked.root / f"s{number}", number)
        script[f"s{number}"] = {p: {**r, "success": rate} for p, r in script["old"].items()}
    (asked.root / "script.json").write_text(json.dumps(script))
    suite(asked, series=SERIES)
    asked.run(suites=".")
    (claim,) = asked.document()["claims"]
    assert "--checkpoint step-N=REF" in claim["reason"]
    asked.run("--checkpoint=step-16=./s16", "--checkpoint=step-4=./s4", suites=".")
    assert verdicts(asked) == {"MY-SERIES sums]": "holds"}
    assert set(asked.document()["curves"]["sums"]) == {
        "base", "rlvr", "step-4", "step-16", "difference"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("marker", "said"),
    [
        ("asks('base')", "nothing else"),
        ("asks(temperature=0.5)", "expected @pytest.mark.asks"),
        ("asks('base', warmth=0.5)", "warmth"),
        ("asks('base', temperature=-1)", "temperature > 0"),
        ("asks('base', template='no place')", "{prompt}"),
        ("asks('base', samples=0)", "samples >= 1"),
        ("asks('base', grading='mild')", "a grading is strict, lenient, clean"),
        ("asks('base', sampling='warm')", "a sampling is limit-of-rlvr or untempered"),
        ("scores('base', under=('base', 'rlvr'), choices=3)", "got choices=3"),
        ("scores('base', under='rlvr', choices=True)", "got choices=True under 1"),
        ("scores('base', under='rlvr', grading='strict')", "as in asks"),
        ("scores('base', under='rlvr', temperature=0)", "temperature > 0"),
        ("weights('everything')", "weights('spectra')"),
    ],
)
def test_markers_that_mean_nothing_are_refused(asked: Gate, marker: str, said: str) -> None:
    body = UNASKED.replace("def test_unasked", f"@pytest.mark.{marker}\ndef test_unasked")
    suite(asked, wrong=body)
    result = asked.run(suites=".")
    assert result.ret not in (0, 1, 10, 11)
    assert said in result.stdout.str() + result.stderr.str()


NAMED = GRID.replace("temperature=(0.5, 2.0)", "sampling='limit-of-rlvr'").replace(
    "temperature=t", "sampling='limit-of-rlvr'"
)


def test_sampling_by_name_for_an_ask_and_for_a_run(asked: Gate) -> None:
    suite(asked, named=NAMED)
    asked.run("--sampling=limit-of-rlvr", "--temperature=0.7", suites=".")
    found = {
        ask["name"]: (ask["sampling"]["temperature"], ask["sampling"]["top_p"])
        for ask in asked.document()["asks"]
    }
    named = "(temperature 0.6, top-p 0.95)"
    assert found == {
        name: sampling
        for role in ("base", "rlvr")
        for name, sampling in ((role, (0.7, 0.95)), (f"{role} {named}", (0.6, 0.95)))
    }


COUNTING = """
import os
from rlvr_gate_fixtures.measurements.weights import read
for name in ("measure", "measure_shapes"):
    def counted(*args, _real=getattr(read, name), _name=name, **more):
        with open(os.path.join(os.path.dirname(__file__), "measured.txt"), "a") as file:
            file.write(_name + "\\n")
        return _real(*args, **more)
    setattr(read, name, counted)
"""


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["plain", "workers"])
def test_weights_are_measured_once_by_all_processes(pytester, monkeypatch, workers) -> None:
    """Folders with nothing but weights: no tokenizer, however the claims are chosen."""
    write_weights(pytester.path / "old")
    write_weights(pytester.path / "new", 1, 0.2)
    pytester.makeconftest(COUNTING)
    suites = Path(__file__).parents[2] / "suites" / "weights"
    shutil.copytree(suites, pytester.path / "ours", ignore=shutil.ignore_patterns("__*"))
    pytester.runpytest_subprocess(
        "ours", "-k", "sparse or spectrum", "--model-pair=./old,./new", "-p", "no:cacheprovider",
        "--gate-policy=weights", "--gate-json=gate.json", *workers,
    )  # fmt: skip
    done = (pytester.path / "measured.txt").read_text().split()
    assert sorted(done) == ["measure", "measure_shapes"]
    found = json.loads((pytester.path / "gate.json").read_text())
    assert {c["verdict"] for c in found["claims"]} >= {"holds"}


CUT = (
    HEAD
    + """
@claim("RLVR leads with room for few tokens", id="MY-CUT")
@pytest.mark.asks("base", "rlvr", max_new_tokens=1)
def test_cut(pair, benchmark):
    base, rlvr = (view.at(max_new_tokens=1) for view in (pair.base, pair.rlvr))
    assert rlvr.pass_at(1, benchmark) > base.pass_at(1, benchmark)

@claim("room changes what RLVR solves", id="MY-ROOM")
@pytest.mark.asks("rlvr", max_new_tokens=1)
def test_room(pair, benchmark):
    assert pair.rlvr.pass_at(1, benchmark) > pair.rlvr.at(max_new_tokens=1).pass_at(1, benchmark)
"""
)


def test_what_is_asked_otherwise_is_compared_with_its_like(asked: Gate) -> None:
    """Settings that a claim itself made differ are no reason; what they cut is theirs alone."""
    suite(asked, cut=CUT, grid=GRID)
    asked.run(suites=".")
    assert "sampling settings" not in json.dumps(asked.document())
    found = verdicts(asked)
    assert found["MY-CUT sums]"] == found["MY-ROOM sums]"] == "not comparable"
    assert found["MY-T sums-0.5]"] == found["MY-T sums-2.0]"] == "holds"
    claims = {claim["id"]: json.dumps(claim) for claim in asked.document()["claims"]}
    assert "truncated" in claims["MY-CUT"]
    assert "truncated" not in claims["MY-T"]
