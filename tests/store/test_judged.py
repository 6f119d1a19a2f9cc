"""What a store remembers of judgements: once for the same data, in order, through a merge."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest

from rlvr_gate_fixtures.store.file import StoreError
from rlvr_gate_fixtures.store.judged import Judged, Judgements
from rlvr_gate_fixtures.store.merging import merge
from rlvr_gate_fixtures.store.samples import Store


def halves(earlier: Sequence[float]) -> float:
    return (1 - sum(earlier)) / 2


def keep(folder: Path, *asked: tuple[str, str], before: int = 0) -> None:
    with Store.open(folder) as store:
        Judgements(store).remember(asked, halves, before=before, facts="x")


def held(folder: Path, question: str, state: str) -> tuple[Judged, ...]:
    with Store.open(folder, readonly=True) as store:
        return Judgements(store).upto(question, state)


def test_each_state_of_a_question_is_one_judgement(tmp_path: Path) -> None:
    for state in ("a", "b", "a", "c", "b"):
        keep(tmp_path, ("q", state), ("other", "a"), before=7)
    assert held(tmp_path, "q", "c") == (Judged(1, 0.5, 7), Judged(2, 0.25, 7), Judged(3, 0.125, 7))
    assert held(tmp_path, "q", "a") == held(tmp_path, "q", "c")[:1]  # as it was when it was made
    assert held(tmp_path, "q", "new") == held(tmp_path, "q", "c")
    assert held(tmp_path, "other", "a") == (Judged(1, 0.5, 7),)
    assert held(tmp_path, "unknown", "a") == ()


def test_merged_stores_remember_what_either_does(tmp_path: Path) -> None:
    keep(tmp_path / "one", ("q", "a"), ("q", "b"))
    keep(tmp_path / "two", ("q", "c"), ("q", "b"))
    for _ in range(2):
        list(merge(tmp_path / "one", [tmp_path / "two"]))
        assert [j.share for j in held(tmp_path / "one", "q", "c")] == [0.5, 0.25, 0.5]
    keep(tmp_path / "one", ("q", "d"))
    with Store.open(tmp_path / "one", readonly=True) as store:
        assert len(Judgements(store).upto("q", "d")) == 4


def test_a_store_of_an_earlier_release_remembers_nothing_and_can_be_read(tmp_path: Path) -> None:
    Store.open(tmp_path).close()
    db = sqlite3.connect(tmp_path / "samples.sqlite")
    db.execute("DROP TABLE judged")
    db.close()
    assert held(tmp_path, "q", "a") == ()
    other = tmp_path / "other"
    list(merge(other, [tmp_path]))
    keep(tmp_path, ("q", "a"))
    assert len(held(tmp_path, "q", "a")) == 1


@pytest.mark.parametrize("column", ["share = 'x'", "number = 'one'", "state = 'text'"])
def test_a_memory_of_other_kinds_is_not_merged(tmp_path: Path, column: str) -> None:
    keep(tmp_path / "one", ("q", "a"))
    db = sqlite3.connect(tmp_path / "one" / "samples.sqlite")
    db.execute(f"UPDATE judged SET {column}")
    db.commit()
    db.close()
    with pytest.raises(StoreError, match="table judged holds values of another kind"):
        list(merge(tmp_path / "all", [tmp_path / "one"]))
