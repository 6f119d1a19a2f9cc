"""A store that cannot be used says so, and nothing is half-written."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from rlvr_gate.records import Completion, FinishReason, Sampling, Stream
from rlvr_gate_fixtures.store.file import SCHEMA_VERSION
from rlvr_gate_fixtures.store.samples import Store, StoreError

STREAM = Stream("D1", Sampling(), (2,), "scripted/x", 0)


def rows(start: int, stop: int, size: int = 1):
    """Completions that do not compress."""
    for i in range(start, stop):
        text = "".join(hashlib.sha256(f"{i} {j}".encode()).hexdigest() for j in range(size))
        yield (1,), Completion(i, tuple(text.encode()), text, FinishReason.STOP, 0.0)


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(p): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture
def folder(tmp_path) -> Path:
    with Store.open(tmp_path / "store") as store:
        store.add(STREAM, rows(0, 10))
    return tmp_path / "store"


def test_a_store_from_a_newer_release_is_left_alone(folder):
    with sqlite3.connect(folder / "samples.sqlite") as db:
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    db.close()
    before = snapshot(folder)
    for readonly in (False, True):
        with pytest.raises(
            StoreError, match=r"schema is version 2, this release knows 1; upgrade"
        ):
            Store.open(folder, readonly=readonly)
    assert snapshot(folder) == before


def test_a_newer_release_at_work_is_noticed_too(folder):
    db = sqlite3.connect(folder / "samples.sqlite")
    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")  # still in the write-ahead log
    with pytest.raises(StoreError, match="this release knows 1"):
        Store.open(folder)
    db.close()


@pytest.mark.parametrize("content", [b"hello", b"x" * 5000])
def test_a_foreign_file_is_left_alone(tmp_path, content):
    (tmp_path / "samples.sqlite").write_bytes(content)
    with pytest.raises(StoreError, match="not a sample store"):
        Store.open(tmp_path)
    assert snapshot(tmp_path) == {str(tmp_path / "samples.sqlite"): content}


def test_another_program_s_database_is_left_alone(tmp_path):
    with sqlite3.connect(tmp_path / "samples.sqlite") as db:
        db.execute("CREATE TABLE theirs (x)")
    db.close()
    before = snapshot(tmp_path)
    with pytest.raises(StoreError, match="not a sample store"):
        Store.open(tmp_path)
    assert snapshot(tmp_path) == before


def test_a_file_that_was_only_just_made_becomes_a_store(tmp_path):
    (tmp_path / "samples.sqlite").touch()
    with Store.open(tmp_path) as store:
        assert store.add(STREAM, rows(0, 1)) == 1


def test_a_damaged_file_is_a_clear_error(folder):
    file = folder / "samples.sqlite"
    data = bytearray(file.read_bytes())
    data[200:] = b"\xff" * (len(data) - 200)
    file.write_bytes(data)
    with pytest.raises(StoreError, match="damaged"), Store.open(folder) as store:
        store.add(STREAM, rows(0, 1))


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="Not a directory; give a writable folder"):
        Store.open(tmp_path / "file" / "store")


def test_an_absent_store_is_not_made_by_a_reader(tmp_path):
    with pytest.raises(StoreError, match="cannot be opened here"):
        Store.open(tmp_path / "nowhere", readonly=True)
    assert not (tmp_path / "nowhere").exists()


@pytest.fixture
def mounted(tmp_path):
    """A small file system of its own, or a skip where none can be mounted."""
    folder = tmp_path / "mounted"
    folder.mkdir()

    def mount(*options: str) -> Path:
        command = ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", str(folder)]
        if not shutil.which("mount") or subprocess.run(command, capture_output=True).returncode:
            pytest.skip("mounting a file system needs privileges this process lacks")
        return folder

    yield mount
    if folder.is_mount():
        subprocess.run(["umount", str(folder)], check=True)


def add_until_full(store: Store) -> None:
    for start in range(0, 10_000, 100):
        store.add(STREAM, rows(start, start + 100, size=8))


def test_a_full_disk_keeps_what_was_stored(mounted):
    folder = mounted("size=2m")
    with Store.open(folder) as store:
        with pytest.raises(StoreError, match="the disk is full; free some space"):
            add_until_full(store)
        kept = store.completions(STREAM, (1,), 10_000)
        stored = len(kept)
        assert stored >= 100
        assert stored % 100 == 0  # whole transactions
        assert [c.sample for c in kept] == list(range(stored))
    with Store.open(folder, readonly=True) as store:
        assert store.completions(STREAM, (1,), 10_000) == kept
    subprocess.run(["mount", "-o", "remount,size=8m", str(folder)], check=True)
    with Store.open(folder) as store:
        assert store.add(STREAM, rows(0, stored + 100, size=8)) == 100


def test_a_full_disk_from_the_start_leaves_no_half_store(mounted):
    folder = mounted("size=16k")
    with pytest.raises(StoreError, match="the disk is full"):
        Store.open(folder / "store")
    subprocess.run(["mount", "-o", "remount,size=4m", str(folder)], check=True)
    with Store.open(folder / "store") as store:
        assert store.add(STREAM, rows(0, 1)) == 1


def test_a_read_only_folder_is_a_clear_error(mounted):
    folder = mounted("size=2m")
    with Store.open(folder / "store") as store:
        store.add(STREAM, rows(0, 10))
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
    before = snapshot(folder)
    for path in (folder / "store", folder / "new"):
        with pytest.raises(StoreError, match=r"--sample-store="):
            Store.open(path)
    assert snapshot(folder) == before


def test_a_complete_store_is_read_where_nothing_can_be_written(mounted):
    folder = mounted("size=4m")
    with Store.open(folder / "store") as store:
        store.add(STREAM, rows(0, 10))
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
    before = snapshot(folder)
    found = Store.found(folder / "store")
    assert found is not None
    with found as store:
        assert len(store.completions(STREAM, (1,), 20)) == 10
        assert store.origin(STREAM) == {}
    assert Store.found(folder / "new") is None
    assert snapshot(folder) == before


def test_a_store_that_was_not_closed_says_so_where_nothing_can_be_written(mounted, tmp_path):
    with Store.open(tmp_path / "open") as store:
        store.add(STREAM, rows(0, 10))
        folder = mounted("size=4m")
        for name in ("samples.sqlite", "samples.sqlite-wal"):
            shutil.copy(tmp_path / "open" / name, folder)
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
    with pytest.raises(StoreError, match=r"was not closed, and samples\.sqlite-wal cannot be"):
        Store.found(folder)


def test_tables_that_an_older_store_lacks_are_empty(folder):
    with sqlite3.connect(folder / "samples.sqlite") as db:
        for table in ("origins", "scores", "traces"):
            db.execute(f"DROP TABLE {table}")
    db.close()
    before = snapshot(folder)
    with Store.open(folder, readonly=True) as store:
        assert store.origin(STREAM) == {}
        assert store.rows("SELECT * FROM scores JOIN traces ON score = id") == []
    assert (
        snapshot(folder)[str(folder / "samples.sqlite")] == before[str(folder / "samples.sqlite")]
    )


def test_a_quota_of_pages_is_a_full_disk(folder):
    with Store.open(folder) as store:
        pages = store.rows("PRAGMA page_count")[0][0]
        store.rows(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(StoreError, match="the disk is full"):
            store.add(STREAM, rows(10, 1000))
        assert len(store.completions(STREAM, (1,), 1000)) == 10


def test_one_process_writes_at_a_time(folder, child_env):
    code = (
        "import sys; from pathlib import Path\n"
        "from rlvr_gate_fixtures.store.samples import Store\n"
        "with Store.open(Path(sys.argv[1])) as store, store.writing():\n"
        "    print('in', flush=True); sys.stdin.read()"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(folder)],
        env=child_env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with child, Store.open(folder) as store:
        assert child.stdout is not None
        assert child.stdout.readline() == b"in\n"
        with (
            pytest.raises(StoreError, match=f"process {child.pid} is filling it"),
            store.writing(),
        ):
            pass
        assert len(store.completions(STREAM, (1,), 10)) == 10
        child.kill()
        with store.writing(wait=True), store.writing():
            store.add(STREAM, rows(10, 11))
