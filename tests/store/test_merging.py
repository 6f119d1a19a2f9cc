"""Stores made one: everything once, whatever the order, and all of a source or nothing."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import zlib
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from rlvr_gate.records import Completion, FinishReason, Grade, Graded, Problem, Sampling, Stream
from rlvr_gate_fixtures.__main__ import main
from rlvr_gate_fixtures.store.file import StoreError, connect
from rlvr_gate_fixtures.store.merging import merge
from rlvr_gate_fixtures.store.samples import Prompted, Store

STREAM = Stream("d" * 64, Sampling(), (2,), "scripted/1", 0)


def prompted(name: str) -> Prompted:
    return Prompted(Problem(name, f"{name}?", "4", "exact"), tuple(name.encode()), "1")


def completion(sample: int, text: str) -> Completion:
    return Completion(sample, tuple(text.encode()), text, FinishReason.STOP, -1.5)


def filled(folder: Path, samples: dict[str, range], *, stream: Stream = STREAM,
           text: str = "4") -> Path:  # fmt: skip
    """A store in which these samples of these problems are right."""
    with Store.open(folder) as store, store.writing():
        for name, wanted in samples.items():
            problem = prompted(name)
            store.add_encoded("bytes", {problem.problem.prompt: problem.prompt_ids})
            store.add(stream, [(problem.prompt_ids, completion(i, text)) for i in wanted])
            decided = Graded(Grade.CORRECT if text == "4" else Grade.WRONG, text, "")
            store.add_grades(stream, [(problem, i, decided) for i in wanted])
        store.add_pace(stream, 10, 100, 2.0)
    return folder


def counts(folder: Path, name: str, samples: int, stream: Stream = STREAM) -> tuple[int, int]:
    with Store.open(folder, readonly=True) as store:
        (tally,) = store.tallies(stream, [prompted(name)], samples)
        return tally.n, tally.correct


def rows(folder: Path) -> dict[str, int]:
    db = sqlite3.connect(folder / "samples.sqlite")
    tables = ("streams", "prompts", "encodings", "draws", "bodies", "rubrics", "grades")
    found = {t: db.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in tables}
    db.close()
    return found


def test_parts_make_the_whole(tmp_path: Path) -> None:
    one = filled(tmp_path / "one", {"a": range(8), "b": range(4)})
    two = filled(tmp_path / "two", {"b": range(4, 8), "c": range(8)})
    found = list(merge(tmp_path / "all", [one, two]))
    assert [(m.completions, m.known, m.differing) for m in found] == [(12, 0, 0), (12, 0, 0)]
    assert [counts(tmp_path / "all", name, 8) for name in "abc"] == [(8, 8)] * 3
    whole = filled(tmp_path / "whole", dict.fromkeys("abc", range(8)))
    assert rows(tmp_path / "all") == rows(whole)
    with Store.open(tmp_path / "all", readonly=True) as store:
        texts = [c.text for c in store.completions(STREAM, prompted("b").prompt_ids, 8)]
        assert texts == ["4"] * 8
        assert store.encoded("bytes", ["b?"]) == {"b?": tuple(b"b")}


def test_merging_again_adds_nothing(tmp_path: Path) -> None:
    one = filled(tmp_path / "one", {"a": range(8)})
    list(merge(tmp_path / "all", [one]))
    before = rows(tmp_path / "all")
    assert [(m.completions, m.known) for m in merge(tmp_path / "all", [one, one])] == [(0, 8)] * 2
    assert rows(tmp_path / "all") == before


def test_ids_inside_a_file_mean_nothing(tmp_path: Path) -> None:
    """Sources met their streams, prompts and answers in other orders."""
    other = replace(STREAM, seed=1)
    one = filled(tmp_path / "one", {"a": range(2), "b": range(2)})
    filled(one, {"a": range(2)}, stream=other, text="5")
    two = filled(tmp_path / "two", {"c": range(2)}, stream=other, text="5")
    filled(two, {"b": range(2, 4), "a": range(2, 4)})
    list(merge(tmp_path / "all", [two, one]))
    assert counts(tmp_path / "all", "a", 4) == counts(tmp_path / "all", "b", 4) == (4, 4)
    assert counts(tmp_path / "all", "a", 2, other) == (2, 0)
    assert counts(tmp_path / "all", "c", 2, other) == (2, 0)


def test_another_completion_of_the_same_sample_is_counted_and_not_taken(tmp_path: Path) -> None:
    one = filled(tmp_path / "one", {"a": range(4)})
    two = filled(tmp_path / "two", {"a": range(2, 6)}, text="5")
    *_, last = merge(tmp_path / "all", [one, two])
    assert (last.completions, last.known, last.differing) == (2, 2, 2)
    assert counts(tmp_path / "all", "a", 6) == (6, 4)


def test_the_plan_s_pace_comes_along_once(tmp_path: Path) -> None:
    one = filled(tmp_path / "one", {"a": range(4)})
    list(merge(tmp_path / "all", [one]))
    list(merge(tmp_path / "all", [one]))
    with Store.open(tmp_path / "all", readonly=True) as store:
        assert store.pace(STREAM).tokens_per_second == 50
        assert store.pace(STREAM).tokens_per_completion == 10


def test_a_broken_source_changes_nothing(tmp_path: Path) -> None:
    one = filled(tmp_path / "one", {"a": range(4)})
    target = filled(tmp_path / "all", {"b": range(4)})
    before = rows(target)
    db = sqlite3.connect(one / "samples.sqlite")
    db.execute("DROP TABLE grades")
    db.commit()
    db.close()
    with pytest.raises(StoreError, match="grades"):
        list(merge(target, [one]))
    assert rows(target) == before


@pytest.mark.parametrize(
    ("source", "words"),
    [("nowhere", "holds no sample store: expected"), ("all", "is the target itself"),
     ("foreign", "it is not a sample store")],
)  # fmt: skip
def test_what_is_no_source_is_refused(tmp_path: Path, source: str, words: str) -> None:
    filled(tmp_path / "all", {"a": range(1)})
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "samples.sqlite").write_bytes(b"something else" * 20)
    with pytest.raises(StoreError, match=words):
        list(merge(tmp_path / "all", [tmp_path / source]))


def test_the_command_says_what_it_did(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = filled(tmp_path / "one", {"a": range(4)})
    two = filled(tmp_path / "two", {"a": range(4)}, text="5")
    assert main(["merge", str(tmp_path / "all"), str(one), str(two)]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].endswith("one: 4 completions")
    assert "0 completions, 4 were there already; 4 of those are other completions" in said[1]
    assert main(["merge", str(tmp_path / "all"), str(tmp_path / "none")]) == 1
    assert "rlvr-gate merge: " in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([])


def _view(db: sqlite3.Connection) -> None:
    db.execute("ALTER TABLE draws RENAME TO old")
    db.execute("CREATE VIEW draws AS SELECT * FROM old")


def _stand_in(db: sqlite3.Connection) -> None:
    """A view that never ends, in the place of a table."""
    db.execute("DROP TABLE bodies")
    db.execute(
        "CREATE VIEW bodies AS WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r) "
        "SELECT i AS id, zeroblob(1000000) AS text, x'02' AS token_ids FROM r"
    )


def _trigger(db: sqlite3.Connection) -> None:
    db.execute("CREATE TRIGGER t AFTER INSERT ON draws BEGIN DELETE FROM grades; END")


def _virtual(db: sqlite3.Connection) -> None:
    db.execute("DROP TABLE bodies")
    db.execute("CREATE VIRTUAL TABLE bodies USING fts5(text, token_ids)")


def _generated(db: sqlite3.Connection) -> None:
    db.execute("DROP TABLE bodies")
    db.execute(
        "CREATE TABLE bodies (id INTEGER PRIMARY KEY, text BLOB AS (zeroblob(9)), token_ids)"
    )


def _index(db: sqlite3.Connection) -> None:
    db.execute("CREATE INDEX i ON bodies (length(text))")


HOSTILE = {
    "a view": (_view, "draws in it is no table|old in it is no table"),
    "a view in a table's place": (_stand_in, "bodies in it is no table"),
    "a trigger": (_trigger, "t in it is no table"),
    "a virtual table": (_virtual, "bodies.* in it is no table"),
    "a generated column": (_generated, "bodies in it is no table"),
    "an index of its own": (_index, "i in it is no table"),
    "text for a number": (
        lambda db: db.execute("UPDATE draws SET tokens = 'many'"), "table draws holds values of"),
    "a number for a blob": (
        lambda db: db.execute("UPDATE bodies SET text = 5"), "table bodies holds values of"),
    "a grade that is none": (
        lambda db: db.execute("UPDATE grades SET grade = 'best'"), "table grades holds values of"),
    "a huge value": (
        lambda db: db.execute("UPDATE bodies SET text = zeroblob(70000000) WHERE id = 1"),
        "more than 67108864 bytes"),
    "a newer schema": (lambda db: db.execute("PRAGMA user_version = 99"), "schema is version 99"),
    "another application": (
        lambda db: db.execute("PRAGMA application_id = 7"), "not a sample store"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_source_is_refused_and_changes_nothing(tmp_path: Path, name: str) -> None:
    change, words = HOSTILE[name]
    source = filled(tmp_path / "source", {"a": range(4)})
    target = filled(tmp_path / "all", {"b": range(4)})
    before = rows(target)
    with closing(sqlite3.connect(source / "samples.sqlite")) as db:
        change(db)
        db.commit()
    with pytest.raises(StoreError, match=words):
        list(merge(target, [source]))
    assert rows(target) == before


def test_a_damaged_page_is_refused(tmp_path: Path) -> None:
    source = filled(tmp_path / "source", {"a": range(400)})
    path = source / "samples.sqlite"
    with closing(sqlite3.connect(path)) as db:
        (root,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'draws'").fetchone()
    data = bytearray(path.read_bytes())
    data[(root - 1) * 4096 + 8 : root * 4096] = b"\xff" * 4088
    path.write_bytes(data)
    with pytest.raises(StoreError, match="damaged"):
        list(merge(tmp_path / "all", [source]))


@pytest.mark.parametrize("link", [Path.symlink_to, Path.hardlink_to])
def test_the_target_under_another_name_is_no_source(tmp_path: Path, link) -> None:
    target = filled(tmp_path / "all", {"a": range(1)})
    (tmp_path / "link").mkdir()
    link(tmp_path / "link" / "samples.sqlite", target / "samples.sqlite")
    with pytest.raises(StoreError, match="is the target itself"):
        list(merge(target, [tmp_path / "link"]))


@pytest.mark.parametrize(
    "packed", [b"\1" + zlib.compress(bytes(2**27)), b"\1torn", b"", b"\0\xff\xfe"]
)
def test_a_text_that_does_not_unpack_is_named_and_unpacked_no_further(
    tmp_path: Path, packed: bytes
) -> None:
    store = filled(tmp_path / "store", {"a": range(2)})
    with closing(sqlite3.connect(store / "samples.sqlite")) as db:
        db.execute("UPDATE bodies SET text = ?", (packed,))
        db.commit()
    with Store.open(store, readonly=True) as opened, pytest.raises(StoreError, match="damaged"):
        opened.completions(STREAM, prompted("a").prompt_ids, 2)


def test_a_store_with_a_trigger_is_not_opened(tmp_path: Path) -> None:
    store = filled(tmp_path / "store", {"a": range(2)})
    with closing(sqlite3.connect(store / "samples.sqlite")) as db:
        _trigger(db)
    for readonly in (True, False):
        with pytest.raises(StoreError, match="it is not a sample store: t in it"):
            Store.open(store, readonly=readonly)


def test_the_work_goes_with_the_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four times the samples of a problem, about four times the steps; a plan of SQLite's own
    choice read the whole stream for every grade."""
    steps: list[int] = []

    def counted(folder: Path, *, readonly: bool) -> sqlite3.Connection:
        db = connect(folder, readonly=readonly)
        db.set_progress_handler(lambda: steps.append(1), 100)  # type: ignore[arg-type, return-value]
        return db

    monkeypatch.setattr("rlvr_gate_fixtures.store.merging.connect", counted)
    taken = []
    for samples in (50, 200):
        source = filled(tmp_path / f"of-{samples}", dict.fromkeys("abcd", range(samples)))
        steps.clear()
        list(merge(tmp_path / f"into-{samples}", [source]))
        taken.append(len(steps))
    assert taken[1] < 5 * taken[0]


def test_a_new_store_is_written_once_and_is_whole_or_empty_after_a_kill(tmp_path: Path) -> None:
    """No log beside it grows to its size; killed in the middle, the next merge starts over."""
    source = filled(tmp_path / "one", {"a": range(300)}, text="4" * 5000)
    code = (
        "import os, sys\nfrom pathlib import Path\n"
        "from rlvr_gate_fixtures.store import merging\n"
        "merging._LATER = {'origins': 'SELECT nobody_knows()'}\n"
        "def connect(*a, made=merging.connect, **k):\n"
        "    db = made(*a, **k)\n"
        "    db.create_function('nobody_knows', 0, lambda: os.kill(os.getpid(), 9))\n"
        "    db.execute('PRAGMA cache_size = 4')\n"
        "    return db\n"
        "merging.connect = connect\n"
        "list(merging.merge(Path(sys.argv[1]), [Path(sys.argv[2])]))\n"
    )
    target = tmp_path / "all"
    killed = subprocess.run([sys.executable, "-c", code, str(target), str(source)], check=False)
    assert killed.returncode == -9
    assert (target / "samples.sqlite-journal").exists()
    assert not (target / "samples.sqlite-wal").exists()
    (found,) = merge(target, [source])
    assert (found.completions, found.known) == (300, 0)
    assert rows(target) == rows(source)
    with closing(connect(target, readonly=False)) as db:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_store_that_somebody_reads_is_merged_into_beside_them(tmp_path: Path) -> None:
    source, target = filled(tmp_path / "one", {"a": range(8)}), tmp_path / "all"
    found = merge(target, [source, filled(tmp_path / "two", {"b": range(8)})])
    next(found)
    with Store.open(target, readonly=True) as reading:
        reading.rows("BEGIN")
        assert len(reading.rows("SELECT * FROM draws")) == 8
        assert next(found).completions == 8
        assert len(reading.rows("SELECT * FROM draws")) == 8
    assert counts(target, "b", 8) == (8, 8)
