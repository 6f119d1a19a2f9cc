"""Data sets through the library `datasets`, in a child, from folders; and what is kept of them."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
from tests.files.test_pictures import png

from rlvr_gate_fixtures.files import pictures
from rlvr_gate_fixtures.inputs import benchmarks
from rlvr_gate_fixtures.inputs.benchmarks import BenchmarkError, asked, hub
from rlvr_gate_fixtures.inputs.benchmarks.shipped import MEMBERS
from rlvr_gate_fixtures.inputs.benchmarks.shipped.member import Hub

pytestmark = pytest.mark.skipif(find_spec("datasets") is None, reason="needs datasets")
COMMIT = "0123456789abcdef0123456789abcdef01234567"
ROWS = [{"question": f"{n} and 1?", "answer": f"#### {n + 1}"} for n in (1, 2)]


@pytest.fixture(name="mirror")
def _mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of a data set's repository, with a split more; and no hub."""
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    parquet = pytest.importorskip("pyarrow.parquet")
    table = pytest.importorskip("pyarrow").Table
    folder = tmp_path / "openai" / "gsm8k"
    for split, rows in (("test", ROWS), ("train", ROWS[:1])):
        (folder / "main").mkdir(parents=True, exist_ok=True)
        parquet.write_table(table.from_pylist(rows), folder / "main" / f"{split}-0.parquet")
    (folder / "README.md").write_text(
        "---\nconfigs:\n- config_name: main\n  data_files:\n  - split: test\n"
        "    path: main/test-*\n  - split: train\n    path: main/train-*\n---\n"
    )
    return folder


def test_a_mirror_is_read_by_config_and_split(mirror: Path, monkeypatch) -> None:
    known = replace(MEMBERS["gsm8k"], rows=2, contents=())
    monkeypatch.setattr(asked, "MEMBERS", {"gsm8k": known})
    loaded = benchmarks.load(f"gsm8k?file={mirror}&template=none")
    assert [(p.prompt, p.answer) for p in loaded.problems] == [
        ("1 and 1?", "2"),
        ("2 and 1?", "3"),
    ]
    assert "datasets" not in sys.modules


def test_images_of_a_mirror_are_not_decoded_on_the_way(tmp_path: Path, monkeypatch) -> None:
    """MathVista's layout: a column of images, which `datasets` would open with Pillow."""
    import datasets

    features = datasets.Features({
        **{name: datasets.Value("string") for name in ("pid", "question", "query", "answer")},
        "choices": datasets.List(datasets.Value("string")), "decoded_image": datasets.Image(),
    })  # fmt: skip
    broken = png(40, 30)[:60]  # of which the first bytes alone are looked at
    rows = [
        {"pid": str(n), "question": "?", "query": f"Question: ? ({n})", "answer": "Yes",
         "choices": ["No", "Yes"], "decoded_image": {"bytes": image, "path": None}}
        for n, image in enumerate((png(3, 2), broken))
    ]  # fmt: skip
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    columns = {name: [row[name] for row in rows] for name in features}
    (tmp_path / "copy").mkdir()
    made = datasets.Dataset.from_dict(columns, features=features)
    made.to_parquet(tmp_path / "copy" / "testmini-0.parquet")
    (tmp_path / "copy" / "README.md").write_text(
        "---\nconfigs:\n- config_name: default\n  data_files:\n  - split: testmini\n"
        "    path: testmini-*\n---\n"
    )
    known = replace(MEMBERS["mathvista"], rows=2)
    monkeypatch.setattr(asked, "MEMBERS", {"mathvista": known})
    found = benchmarks.load(f"mathvista?file={tmp_path / 'copy'}", cache=tmp_path / "cache")
    digests = [pictures.digest_of(image) for image in (png(3, 2), broken)]
    assert [(p.prompt, p.answer, p.verifier) for p in found.problems] == [
        (f"{pictures.mark(digest)}\nQuestion: ? ({n})", "B", "choice")
        for n, digest in enumerate(digests)
    ]
    assert all((tmp_path / "cache" / "images" / digest).is_file() for digest in digests)


def test_a_script_among_the_data_is_not_run(mirror: Path, tmp_path: Path) -> None:
    (mirror / "gsm8k.py").write_text(f"open({str(tmp_path / 'was run')!r}, 'w')")
    with pytest.raises(BenchmarkError, match="scripts are no longer supported"):
        list(hub.rows(Hub("x/y", "main"), mirror))
    assert not (tmp_path / "was run").exists()


def test_a_mirror_of_other_rows_is_refused(mirror: Path) -> None:
    with pytest.raises(BenchmarkError, match="not the questions and answers of gsm8k"):
        benchmarks.load(f"gsm8k?file={mirror}")


def test_a_folder_here_is_not_taken_for_the_hub(mirror: Path, monkeypatch) -> None:
    monkeypatch.chdir(mirror.parents[1])
    with pytest.raises(BenchmarkError, match=r"openai/gsm8k.*without a network give a copy"):
        benchmarks.load("gsm8k")


def test_a_split_that_is_not_there(mirror: Path) -> None:
    with pytest.raises(BenchmarkError, match="Unknown split"):
        list(hub.rows(Hub("x/y", "main", "dev"), mirror))


def test_what_came_from_the_hub_is_there_offline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [(f"row {n}", row) for n, row in enumerate(ROWS, start=1)]
    drawn = []
    monkeypatch.setattr(hub, "rows", lambda source: drawn.append(source) or iter(rows))
    spec = (
        f"hub:org/set@{COMMIT}?split=dev:problem=question,answer=answer,gold=####,verifier=number"
    )
    first = benchmarks.load(spec, cache=tmp_path)
    assert benchmarks.load(spec, cache=tmp_path) == first
    assert drawn == [Hub("org/set", "", "dev", COMMIT)]
    assert COMMIT in first.source
    other = benchmarks.load(f"{spec},template=boxed", cache=tmp_path)
    assert other.digest != first.digest
    assert len(drawn) == 2


def test_what_was_kept_under_another_map_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [("row 1", {"q": "1 and 1?", "p": "2 and 2?", "a": "4", "b": "2"})]
    monkeypatch.setattr(hub, "rows", lambda source: iter(rows))
    found = [
        benchmarks.load(f"hub:org/set@{COMMIT}:{fields}", cache=tmp_path).problems[0]
        for fields in (
            "problem=q,answer=b,verifier=number", "problem=q,answer=b,verifier=math",
            "problem=p,answer=a,verifier=math", "problem=q,answer=b,verifier=number",
        )
    ]  # fmt: skip
    assert [(p.prompt, p.answer, p.verifier) for p in found] == [
        ("1 and 1?", "2", "number"), ("1 and 1?", "2", "math"), ("2 and 2?", "4", "math"),
        ("1 and 1?", "2", "number"),
    ]  # fmt: skip


@pytest.mark.parametrize("change", ["cut", "answer", "empty", "list"])
def test_what_was_kept_and_is_damaged_is_loaded_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    rows = [(f"row {n}", row) for n, row in enumerate(ROWS, start=1)]
    drawn = []
    monkeypatch.setattr(hub, "rows", lambda source: drawn.append(source) or iter(rows))
    first = benchmarks.load("gsm8k@" + COMMIT, cache=tmp_path)
    assert "this release has not seen these 2 questions" in first.notes[0]
    (kept,) = tmp_path.iterdir()
    text = kept.read_text()
    changed = {"cut": text[:-20], "answer": text.replace('"3"', '"4"'), "empty": "", "list": "[1]"}
    assert changed[change] != text
    kept.write_text(changed[change])
    assert benchmarks.load("gsm8k@" + COMMIT, cache=tmp_path) == first
    assert len(drawn) == 2
    assert json.loads(kept.read_text())["digest"] == first.digest


def test_the_hub_without_a_commit_is_held_to_the_contents(monkeypatch) -> None:
    row = {"problem": "?", "answer": "1", "level": 1}
    monkeypatch.setattr(hub, "rows", lambda source: iter([("row 1", row)]))
    with pytest.raises(BenchmarkError, match="math500@COMMIT asks what the hub has"):
        benchmarks.load("math500")


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "find_spec", lambda name: None)
    with pytest.raises(BenchmarkError, match=r"pip install 'rlvr-gate\[datasets\]', or give"):
        benchmarks.load("gsm8k")
