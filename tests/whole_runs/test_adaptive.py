"""`--samples adaptive`: fewer completions, the same verdicts, and states fixed by the samples."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rlvr_gate.judging import readings
from rlvr_gate.records import Tally
from rlvr_gate.stats.adaptive import Rounds, adaptive_pass_at_k
from rlvr_gate_fixtures.backends import Drawn
from rlvr_gate_fixtures.backends.scripted import ScriptedBackend
from rlvr_gate_fixtures.stages import Stages

ADAPTIVE = "--samples=adaptive:64:4"

Document = dict[str, Any]


def base(i: int) -> float:
    """Success probabilities from never to nearly always."""
    return (0.0, 0.03, 0.2, 0.5, 0.8)[i % 5]


def rlvr(i: int) -> float:
    return (0.02, 0.5, 0.9, 0.98, 0.99)[i % 5]


@dataclass(frozen=True)
class Told:
    """Three runs over one store: adaptive, then fixed, then adaptive again."""

    adaptive: Document
    fixed: Document
    again: Document
    terminal: str
    folder: Path


@pytest.fixture
def pair(gate):
    gate.samples = 64
    gate.write(base, rlvr)
    return gate


@pytest.fixture(scope="module")
def kept() -> list[Told]:
    """Where the first test that looks at them leaves the runs."""
    return []


@pytest.fixture
def told(pair, kept: list[Told]) -> Told:
    if not kept:
        store = "--sample-store=told"
        reports = ("--gate-report=told.html", "--gate-summary=told.md")
        first = pair.run(ADAPTIVE, store, "--gate-json=told.json", *reports)
        forget(pair.root / "told")
        pair.run(store, "--gate-json=fixed.json")
        forget(pair.root / "told")
        pair.run(ADAPTIVE, store, "--gate-json=again.json")
        documents = (pair.document(f"{name}.json") for name in ("told", "fixed", "again"))
        kept.append(Told(*documents, first.stdout.str(), pair.root))
    return kept[0]


def forget(store: Path) -> None:
    """Twenty problems decide nothing twice: both ways of sampling are judged as the first."""
    with closing(sqlite3.connect(store / "samples.sqlite")) as db, db:
        db.execute("DELETE FROM judged")


def claim(document: Document, id: str) -> Document:
    found: Document = next(claim for claim in document["claims"] if claim["id"] == id)
    return found


def states(document: Document, role: str) -> dict[str, tuple[int, int]]:
    return {
        problem: (roles[role]["n"], roles[role]["correct"])
        for problem, roles in document["counts"]["sums"].items()
    }


def apart_from_the_run(document: Document) -> Document:
    return {key: value for key, value in document.items() if key != "run"}


OPEN = {"K7", "A1", "A2"}
"""Adaptive samples only bound what is always solved, and are counted under one grading alone."""


def test_the_verdicts_are_those_of_fixed_samples(told) -> None:
    one, two = (
        {(c["id"], c["k"]): c["verdict"] for c in document["claims"] if c["id"] not in OPEN}
        for document in (told.adaptive, told.fixed)
    )
    assert one == two
    assert told.adaptive["gate"] == told.fixed["gate"]
    assert told.adaptive["gate"]["state"] == "open"


def test_fewer_completions_are_drawn_and_a_later_fixed_run_draws_the_rest(told) -> None:
    first, rest = (d["run"]["sampled"] for d in (told.adaptive, told.fixed))
    assert first["completions"] * 1.5 < 2 * 20 * 64
    assert first["completions"] + rest["completions"] == 2 * 20 * 64
    assert (first["reused"], rest["reused"]) == (0, first["completions"])
    drawn = sum(n for role in ("base", "rlvr") for n, _ in states(told.adaptive, role).values())
    assert drawn == first["completions"]


def test_a_store_that_holds_more_gives_the_same_states(told) -> None:
    assert told.again["run"]["sampled"]["completions"] == 0
    assert apart_from_the_run(told.again) == apart_from_the_run(told.adaptive)


def test_every_problem_stopped_where_the_rule_says(told) -> None:
    stopped = [*states(told.adaptive, "base").values(), *states(told.adaptive, "rlvr").values()]
    assert {n for n, _ in stopped} == {16, 32, 64}
    assert all(correct >= 4 or n == 64 for n, correct in stopped)


def test_pass_at_k_is_the_rule_s_own_estimate_up_to_the_last_round(told) -> None:
    points = {p["k"]: p["value"] for p in told.adaptive["curves"]["sums"]["rlvr"]}
    assert list(points) == [1, 2, 4, 8, 16, 32, 64]
    n, c = np.array([*states(told.adaptive, "rlvr").values()]).T
    for k, value in points.items():
        expected = adaptive_pass_at_k(n, c, k, Rounds((16, 32, 64), 4)).mean()
        assert value == pytest.approx(expected)


def test_what_was_saved_is_said_in_tokens(told) -> None:
    sampled = told.adaptive["run"]["sampled"]
    assert sampled["completions"] + sampled["saved_completions"] == 2 * 20 * 64
    said = re.search(
        r"adaptive samples: ([\d,]+) of 2,560 completions \([\d.]+x fewer\), ([\d,]+) of about "
        r"([\d,]+) tokens",
        told.terminal,
    )
    assert said is not None
    completions, used, fixed = (int(group.replace(",", "")) for group in said.groups())
    assert completions == sampled["completions"]
    assert used == sampled["tokens"]
    assert fixed - used == sampled["saved_tokens"] > 0


def test_solved_sets_and_never_solved_are_those_of_the_last_round(told) -> None:
    """A problem that stopped is solved; one that is unsolved was asked to the end."""
    one, two = (claim(document, "K4") for document in (told.fixed, told.adaptive))
    assert (one["estimate"], one["interval"]) == (two["estimate"], two["interval"])
    for name in ("preserved", "gained", "lost", "unreached"):
        assert one["evidence"][name] == two["evidence"][name]
    never = [claim(d, "K7")["judgements"][0]["estimate"] for d in (told.fixed, told.adaptive)]
    assert never[0] == never[1]


def test_always_solved_is_only_bounded(told) -> None:
    always = claim(told.adaptive, "K7")["judgements"][1]
    assert "(bounds; needs fixed samples)" in always["statement"]
    assert always["verdict"] == "undecided"


def test_every_report_is_written(told) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    from rlvr_gate_reports.document import schema

    jsonschema.validate(told.adaptive, schema())
    assert (told.folder / "told.html").stat().st_size > 1000
    assert "K1" in (told.folder / "told.md").read_text()


def test_xdist_gives_the_same_json(pair, told) -> None:
    pytest.importorskip("xdist")
    result = pair.run(ADAPTIVE, "-n", "2", "--gate-json=gate.json")
    document = pair.document()
    assert document["run"]["sampled"] == told.adaptive["run"]["sampled"]
    assert apart_from_the_run(document) == apart_from_the_run(told.adaptive)
    assert "adaptive samples: " in result.stdout.str()


def test_a_run_that_died_twice_ends_in_the_same_states(pair, told) -> None:
    """And the plan in between explains what is left of the round it died in."""
    pair.run(ADAPTIVE, "--backend-option=die_after=300")
    pair.run(ADAPTIVE, "--backend-option=die_after=400")
    pair.run(ADAPTIVE, "--plan").stdout.fnmatch_lines(
        ["round 1 of 3, to 16 samples; then *", "base on sums: *", "rlvr on sums: *"]
    )
    pair.run(ADAPTIVE, "--gate-json=gate.json")
    document = pair.document()
    assert apart_from_the_run(document) == apart_from_the_run(told.adaptive)
    assert document["run"]["sampled"]["reused"] == 700


def test_plan_explains_the_first_round_and_draws_nothing(pair) -> None:
    pair.run(ADAPTIVE, "--plan").stdout.fnmatch_lines(
        [
            "round 1 of 3, to 16 samples; then problems with fewer than 4 correct go on to 32, "
            "64: at most 1920 more",
            "base on sums: 20 problems x 16 samples, 0 stored, 320 to draw*",
            "total: 640 to draw, 0 stored*",
        ]
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("adaptive:", "expected a whole number of at least 1, got ''"),
        ("adaptive:64:0", "expected a whole number of at least 1, got '0'"),
        ("adaptive:64:4:2", "expected adaptive[:MOST[:TARGET]], as in adaptive:256:4"),
        ("adaptive:4:8", "a target of 8 correct samples cannot be reached with at most 4"),
        ("adaptif", "expected a whole number of at least 1, got 'adaptif'"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(text: str, words: str) -> None:
    import argparse

    from rlvr_gate import options

    with pytest.raises(argparse.ArgumentTypeError, match=re.escape(words)):
        options.samples(text)


def test_k_beyond_the_last_round_is_refused(pair) -> None:
    result = pair.run(ADAPTIVE, "--k=1,128")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*pass@k needs k <= samples, got k=128 with --samples 64*"])


RULE = Rounds((2, 4, 6), 2)


def ended(outcomes: tuple[str, ...]) -> Tally:
    """The tally the rule leaves of a sequence of correct, wrong, unscored or cut completions."""
    for size in RULE.sizes:
        seen = outcomes[:size]
        if seen.count("c") + seen.count("C") >= RULE.target or size == RULE.sizes[-1]:
            break
    correct, cut = seen.count("c") + seen.count("C"), seen.count("C") + seen.count("W")
    return Tally("p", size, correct, seen.count("u"), truncated=cut, rounds=RULE)


def weighed(shares: dict[str, float]) -> tuple[list[Tally], np.ndarray]:
    """Every sequence's tally and the chance of the sequence."""
    sequences = list(product(shares, repeat=RULE.sizes[-1]))
    chances = np.array([np.prod([shares[o] for o in sequence]) for sequence in sequences])
    return [ended(sequence) for sequence in sequences], chances


@pytest.mark.parametrize("k", [1, 2, 3, 5, 6])
def test_both_readings_of_unscored_completions_are_unbiased(k: int) -> None:
    tallies, chances = weighed({"c": 0.3, "w": 0.5, "u": 0.2})
    reading = readings.solve_rate(tallies, k)
    assert chances @ reading.low == pytest.approx(1 - 0.7**k)
    assert chances @ reading.high == pytest.approx(1 - 0.5**k)


def test_the_truncation_rate_lies_between_its_readings() -> None:
    tallies, chances = weighed({"c": 0.3, "C": 0.05, "w": 0.45, "W": 0.2})
    reading = readings.truncated(tallies)
    assert chances @ reading.low <= 0.25 <= chances @ reading.high
    assert chances @ (reading.high - reading.low) < 0.15
    tallies, chances = weighed({"c": 0.3, "w": 0.5, "W": 0.2})  # only wrong ones are cut
    low = readings.truncated([t for t in tallies if t.truncated <= t.n - t.correct]).low
    assert chances @ low <= 0.2


def test_tallies_of_two_rules_are_each_read_by_their_own() -> None:
    tallies = [Tally("a", 4, 2, rounds=RULE), Tally("b", 4, 2), Tally("c", 6, 1, rounds=RULE)]
    alone = [readings.solve_rate([tally], 2).low[0] for tally in tallies]
    assert readings.solve_rate(tallies, 2).low.tolist() == alone
    with pytest.raises(ValueError, match="k"):
        readings.solve_rate(tallies, 6)  # b was never going to be asked six times
    with pytest.raises(ValueError, match="need one stopping rule, got 2"):
        readings.always_solved(tallies)


@pytest.mark.parametrize("more", [(), ("--samples=64",)])
def test_an_engine_stays_loaded_from_look_to_look(
    gate, more: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every look begins with the checkpoint that the last one ended with; then all is given up."""
    gate.samples, gate.problems = 64, 100
    gate.write(base, rlvr)
    log, held = gate.root / "log", {"loaded": "", "keeping": 0}
    drawn = ScriptedBackend.complete

    def note(word: str) -> None:
        with log.open("a") as file:
            file.write(f"{word}\n")

    @contextmanager
    def kept(self: ScriptedBackend) -> Iterator[None]:
        held["keeping"] += 1
        try:
            yield
        finally:
            held["keeping"] -= 1
            if not held["keeping"]:
                held["loaded"] = ""
                note("left")

    def complete(self: ScriptedBackend, checkpoint: Any, *asked: Any) -> Iterator[Drawn]:
        if held["loaded"] != checkpoint.loaded:
            note(checkpoint.role)
        held["loaded"] = checkpoint.loaded
        yield from drawn(self, checkpoint, *asked)

    def looked(self: Stages, items: Any) -> None:
        note("look")
        look(self, items)

    look = Stages._look
    monkeypatch.setattr(Stages, "_look", looked)
    monkeypatch.setattr(ScriptedBackend, "complete", complete)
    monkeypatch.setattr(ScriptedBackend, "kept", kept)
    monkeypatch.setattr(ScriptedBackend, "loaded", property(lambda self: held["loaded"]), False)
    gate.run(ADAPTIVE, "-k", "overtakes", *more)
    words = log.read_text().split()
    looks, loads = words.count("look"), [word for word in words if word in ("base", "rlvr")]
    if more:
        assert words == ["base", "left", "rlvr", "left"]
        return
    assert looks > 1
    assert loads == [("base", "rlvr")[n % 2] for n in range(looks + 1)]
    assert words.index("left") > len(words) - 1 - words[::-1].index("look")
