"""What a user reads about uncertainty, through the command line."""

from __future__ import annotations

import json

import pytest


def claims(document) -> dict[str, dict]:
    return {claim["id"]: claim for claim in document["claims"]}


@pytest.fixture
def valid():
    jsonschema = pytest.importorskip("jsonschema")
    from rlvr_gate_reports.document import schema

    return lambda document: jsonschema.validate(document, schema())


def test_undecided_explains_itself(gate, valid) -> None:
    gate.write(base=0.4, rlvr=0.4)
    result = gate.run("--gate-json=gate.json")
    result.stdout.fnmatch_lines(
        ["*gate claim K1 is UNDECIDED*", "*a run of this size detects*",
         "*if the estimate stays where it is: *more problems*would*",
         "*this benchmark's problems alone*", "*false release <= 2.5 %*false block <= 2.5 %*"]
    )  # fmt: skip
    document = gate.document()
    valid(document)
    assert document["gate"]["error_control"]["comparisons"] == 1
    assert document["gate"]["error_control"]["assumed"] == 0
    assert {c["kind"] for c in document["claims"] for j in c["judgements"] if j["guaranteed"]} == {
        "gate"
    }
    evidence = claims(document)["K1"]["evidence"]
    assert evidence["would decide"]["problems"] > 0
    assert evidence["power"]["minimum detectable effect"] > 0
    assert [target["target"] for target in evidence["targets"]] == ["population", "this benchmark"]


def test_crossover_null_tags_and_adjusted_p_values_are_in_the_report(gate, valid) -> None:
    gate.problems = 60
    gate.write(base=0.3, rlvr=lambda i: 0.9 if i % 2 else 0.0)
    result = gate.run("--gate-json=gate.json", "--gate-report=gate.html")
    result.stdout.fnmatch_lines(["*crossover at k[*] = *band allows k[*] from *"])
    document = gate.document()
    valid(document)
    found = claims(document)
    crossover = document["crossovers"]["sums"]
    assert found["K2"]["evidence"]["crossover"] == crossover
    assert crossover["low"] <= crossover["k"] <= crossover["high"]
    assert all("band_low" in point for point in document["curves"]["sums"]["difference"])
    leash = found["K5"]["evidence"]
    kept, *_ = leash["beside base against itself"]
    assert kept["rlvr"] < kept["base against itself"] <= 1
    assert {row["rests on"] for row in leash["lost problems"]} <= {
        "solid", "thin", "one lucky sample",
    }  # fmt: skip
    for claim in document["claims"]:
        if claim["kind"] == "finding" and claim["p_value"] is not None:
            assert claim["adjusted_p"] >= claim["p_value"]
    page = (gate.root / "gate.html").read_text("utf-8")
    for words in ("Findings are a family of their own", "base against itself", "all k at once"):
        assert words in page


def test_a_benchmark_that_guesses_solve_says_so(gate, valid) -> None:
    """Every answer is 0 or 1: at 16 samples a coin solves nearly all of it."""
    gate.write(base=0.3, rlvr=0.6)
    lines = [json.loads(line) for line in (gate.root / "sums.jsonl").read_text().splitlines()]
    script = json.loads((gate.root / "script.json").read_text())
    for index, line in enumerate(lines):
        line["answer"], line["stratum"] = str(index % 2), "odd" if index % 2 else "even"
        for checkpoint in script.values():
            checkpoint[line["problem"]] |= {"right": str(index % 2), "wrong": str(1 - index % 2)}
    (gate.root / "sums.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n")
    (gate.root / "script.json").write_text(json.dumps(script))
    gate.run("--gate-json=gate.json")
    document = gate.document()
    valid(document)
    found = claims(document)
    floor = found["C1"]["evidence"]["guess floor"]
    assert floor["pass@k by guessing"] > 0.99
    assert floor["guessable problems"] == 20
    assert found["K21"]["verdict"] == "undecided"
    assert found["K1"]["evidence"]["strata"] == 2
    assert {row["stratum"] for row in document["strata"]["sums"]} == {"odd", "even"}
