"""A store that grows is judged again: each counts, the same one once, none in silence."""

from __future__ import annotations

import sqlite3

import pytest

from .conftest import Gate

K1 = ["-k", "pass_at_1_rises or same_question"]


@pytest.fixture
def grown(gate: Gate) -> Gate:
    """A pair that twenty problems cannot tell apart."""
    gate.write(base=0.5, rlvr=0.5)
    return gate


def judged(gate: Gate, *args: str, status: int | None = 10) -> dict[str, object]:
    """The evidence of K1's judgement."""
    result = gate.run("--gate-json=gate.json", "--gate-report=gate.html", *K1, *args)
    assert status is None or result.ret == status, str(result.stdout)
    claims = gate.document()["claims"]
    assert isinstance(claims, list)
    (claim,) = (c for c in claims if c["id"] == "K1")
    assert claim["interval"]["level"] == 0.95
    evidence: dict[str, object] = claim["evidence"]
    return evidence


def levels(gate: Gate, *args: str) -> tuple[int, float]:
    again = judged(gate, *args)["judged again"]
    assert isinstance(again, dict)
    return again["number"], round(again["level"], 6)


def test_more_samples_other_seeds_and_more_problems_are_judgements_of_one_question(grown):
    assert levels(grown) == (1, 0.96)
    assert levels(grown) == (1, 0.96)  # the same data are no second look
    assert levels(grown, "--samples=24") == (2, 0.995)
    assert levels(grown, "--samples=24", "--sample-seed=5") == (3, 0.9975)
    grown.problems = 30
    grown.write(base=0.5, rlvr=0.5)
    assert levels(grown) == (4, 0.99875)
    errors = grown.document()["gate"]["error_control"]
    assert errors["judged"] == 4
    assert errors["false_release"] == 0.025
    html = (grown.root / "gate.html").read_text("utf-8")
    assert "Judgement 4 of this question that the sample store remembers" in html


def test_the_advice_names_the_level_of_the_next_judgement(grown):
    said = judged(grown)["would decide"]
    assert "the next judgement on this store is at level 0.995" in said["text"]


def test_workers_number_them_alike(grown):
    assert levels(grown) == (1, 0.96)
    assert levels(grown, "-n", "2", "--samples=24") == (2, 0.995)


def test_adaptive_samples_are_one_judgement(grown):
    assert levels(grown) == (1, 0.96)
    for _ in range(2):
        again = judged(grown, "--samples=adaptive:32")["judged again"]
        assert again["number"] == 2
        assert again["share of the error budget"] == 0.1


def test_a_plan_and_a_shard_judge_nothing(grown):
    assert grown.run("--shard=1/1", *K1).ret == 0
    assert grown.run("--plan").ret == 0
    assert grown.run("--plan", "--samples=adaptive:32").ret == 0
    assert levels(grown)[0] == 1


def test_a_checkpoint_against_itself_spends_nothing(grown):
    for seed in ("0", "2"):
        args = [f"--sample-seed={seed}", "--gate-json=gate.json", *K1]
        result = grown.run(*args, pair="./old,./old")
        assert result.ret == 10
        (k1,) = (c for c in grown.document()["claims"] if c["id"] == "K1")
        assert k1["evidence"]["judged again"]["number"] == 1
        assert "is no release" in k1["evidence"]["judged again"]["doubt"]


def test_a_memory_that_was_deleted_is_missed(grown):
    """Try to open falsely: judge until it opens, and forget each time."""
    judged(grown)
    db = sqlite3.connect(grown.root / ".rlvr-gate" / "samples.sqlite")
    db.execute("DELETE FROM judged")
    db.commit()
    db.close()
    for _ in range(2):  # and it stays so
        assert levels(grown, "--samples=24") == (1, 0.96)
        assert grown.document()["run"]["sampled"]["unremembered"] == 640
        html = (grown.root / "gate.html").read_text("utf-8")
        assert "640 completions were in the store before the first judgement it remembers" in html


def test_the_policy_says_how_much_is_kept(grown):
    (grown.root / "ours.toml").write_text("[policy]\nagain = 0.5\n")
    assert levels(grown, "--gate-policy=ours.toml") == (1, 0.975)
    assert levels(grown, "--gate-policy=ours.toml", "--samples=24") == (2, 0.9875)
    # Another policy cannot spend more than what is left.
    assert levels(grown, "--samples=32") == (3, 0.99375)
