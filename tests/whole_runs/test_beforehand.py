"""The report says whether what decides was settled before there was anything to look at."""

from __future__ import annotations

import os
import shutil
import sqlite3

POLICY = """
[policy]
name = "ours"
[claims.X1]
kind = "gate"
margin = {margin}
"""
CLAIM = """
from rlvr_gate import claim

@claim("rlvr is right more often", id="X1", source="us")
def test_more(pair, benchmark, margin):
    assert pair.rlvr.pass_at(1, benchmark) > pair.base.pass_at(1, benchmark) - margin
"""
STORE = ".rlvr-gate"


def told(gate, *args: str) -> tuple[str, list[str]]:
    gate.run(
        "--gate-json=gate.json", "--gate-policy=ours.toml", f"--sample-store={STORE}", *args,
        suites="test_ours.py",
    )  # fmt: skip
    found = gate.document()["run"]["beforehand"]
    return found["fixed"], found["changed"]


def begin(gate) -> None:
    gate.write(base=0.2, rlvr=0.5)
    (gate.root / "ours.toml").write_text(POLICY.format(margin=0.0))
    (gate.root / "test_ours.py").write_text(CLAIM)


def altered(gate, sql: str) -> None:
    db = sqlite3.connect(gate.root / STORE / "samples.sqlite")
    db.execute(sql)
    db.commit()
    db.close()


def test_what_stood_before_the_first_draw_is_fixed_and_stays_so(gate) -> None:
    begin(gate)
    assert told(gate) == ("before", [])
    (gate.root / "ours.toml").write_text("# a comment\n" + POLICY.format(margin=0.0))
    assert told(gate, "--gate-report=page.html", "-n", "2") == ("before", [])
    page = (gate.root / "page.html").read_text()
    assert "Policy, claims and design were fixed before the first draw." in page


def test_a_policy_eased_after_looking_is_told_whatever_the_clock_says(gate) -> None:
    begin(gate)
    told(gate)
    (gate.root / "ours.toml").write_text(POLICY.format(margin=0.1))
    for file in (gate.root / "ours.toml", *(gate.root / STORE).iterdir()):
        os.utime(file, (0, 0))
    assert told(gate) == ("changed", ["the policy"])
    assert told(gate, "--gate-summary=gate.md") == ("changed", ["the policy"])  # and stays so
    assert "Changed since the first draw: the policy" in (gate.root / "gate.md").read_text()
    (gate.root / "ours.toml").write_text(POLICY.format(margin=0.0))
    assert told(gate) == ("before", [])


def test_claims_that_came_later_or_changed_are_named(gate) -> None:
    begin(gate)
    told(gate)
    more = CLAIM.replace("X1", "X2").replace("test_more", "test_other")
    (gate.root / "test_ours.py").write_text(CLAIM + more.replace("margin", "bound"))
    assert told(gate) == ("changed", ["claims X1 (edited), X2 (added)"])
    gate.samples = 24
    (gate.root / "test_ours.py").write_text(CLAIM)
    fixed, changed = told(gate)
    assert (fixed, changed[0]) == ("changed", "samples (16, now 24)")
    assert changed[1:] == ["budgets (1, 2, 4, 8, 16, now 1, 2, 4, 8, 16, 24)"]


def test_a_copied_store_brings_its_promise_along(gate) -> None:
    begin(gate)
    told(gate)
    shutil.move(gate.root / STORE, gate.root / "first")
    shutil.copytree(gate.root / "first", gate.root / STORE)
    (gate.root / "ours.toml").write_text(POLICY.format(margin=0.1))
    assert told(gate) == ("changed", ["the policy"])


def test_a_promise_made_on_an_empty_store_is_none_for_draws_merged_into_it(gate) -> None:
    """The new policy is written where nothing is drawn; what others drew comes afterwards."""
    from rlvr_gate_fixtures.store.merging import merge

    begin(gate)
    told(gate)
    shutil.move(gate.root / STORE, gate.root / "first")
    (gate.root / "ours.toml").write_text(POLICY.format(margin=0.1))
    told(gate, "--shard=1/20")
    altered(gate, "DELETE FROM draws")
    list(merge(gate.root / STORE, [gate.root / "first"]))
    assert told(gate) == ("changed", ["the policy"])
    altered(gate, "DELETE FROM draws")
    altered(gate, "DELETE FROM promised")
    db = sqlite3.connect(gate.root / "first" / "samples.sqlite")
    db.execute("DROP TABLE promised")  # as a store of an earlier release
    db.close()
    told(gate, "--shard=1/20")
    altered(gate, "DELETE FROM draws")
    list(merge(gate.root / STORE, [gate.root / "first"]))
    assert told(gate)[0] == "unknown"


def test_an_older_store_knows_nothing_of_it_and_never_will(gate) -> None:
    begin(gate)
    told(gate)
    altered(gate, "DROP TABLE promised")
    assert told(gate) == ("unknown", [])
    assert told(gate) == ("unknown", [])


def test_a_promise_that_cannot_be_read_is_none(gate) -> None:
    begin(gate)
    told(gate)
    for text in ("no json", "[1]", "[" * 100_000, "{}"):
        altered(gate, f"UPDATE promised SET facts = '{text}'")
        assert told(gate) == ("unknown", [])
