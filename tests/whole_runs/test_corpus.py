"""Completions against a corpus, through the door users use."""

from __future__ import annotations

import json

from .conftest import Gate

ONLY = ("-k", "less_of_its_own")
SAID, OWN = "a b c d e f g h i j k l", "z y x w v u t s r q p o"


def write(gate: Gate) -> None:
    """Base says the corpus now and then, RLVR mostly."""
    gate.problems, gate.samples = 60, 8
    gate.write(0.5, 0.5)
    script = {
        name: {"*": {"right": SAID, "wrong": OWN, "success": chance}}
        for name, chance in (("old", 0.1), ("new", 0.8))
    }
    (gate.root / "script.json").write_text(json.dumps(script))
    (gate.root / "corpus.txt").write_text(f"{SAID}\n", "utf-8")
    gate.options += ["--gate-json=gate.json"]


def test_a_pair_is_held_against_it(gate: Gate) -> None:
    write(gate)
    gate.run(*ONLY, "--corpus=corpus.txt")
    (found,) = gate.document()["claims"]  # type: ignore[misc]
    assert (found["id"], found["verdict"]) == ("CI", "holds")
    assert -6.5 < found["estimate"] < -4.7  # 8 (.1 - .8)
    assert '"words": 12' in json.dumps(found)


def test_without_one_it_is_not_judged(gate: Gate) -> None:
    write(gate)
    gate.run(*ONLY)
    (found,) = gate.document()["claims"]  # type: ignore[misc]
    assert found["reason"] == "needs --corpus FILE"


def test_what_is_no_corpus_is_said_before_anything_is_drawn(gate: Gate) -> None:
    write(gate)
    result = gate.run(*ONLY, "--corpus=absent.txt")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*absent.txt*"])
    assert "completions" not in result.stdout.str() + result.stderr.str()
