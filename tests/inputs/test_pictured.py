"""Images of a benchmark's rows: from the row or beside it, and from nowhere else."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

import pytest
from tests.files.test_pictures import png

from rlvr_gate_fixtures.files import pictures
from rlvr_gate_fixtures.inputs.benchmarks import BenchmarkError, load

MAP = "problem=q,answer=a,verifier=number,image=i"


def bench(folder: Path, *cells: object, question: str = "What is it?") -> str:
    rows = [{"q": f"{question} ({n})", "a": n, "i": cell} for n, cell in enumerate(cells)]
    (folder / "seen.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return f"{folder / 'seen.jsonl'}:{MAP}"


def test_an_image_is_named_in_the_prompt_and_kept(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "1.png").write_bytes(png(3, 2))
    data = "data:image/png;base64," + base64.b64encode(png(3, 3)).decode()
    spec = bench(tmp_path, "images/1.png", data, {"bytes": None, "path": "images/1.png"}, None, "")
    found = load(spec, cache=tmp_path / "cache")
    one, two = (pictures.digest_of(png(3, high)) for high in (2, 3))
    assert [problem.prompt for problem in found.problems] == [
        f"{pictures.mark(one)}\nWhat is it? (0)", f"{pictures.mark(two)}\nWhat is it? (1)",
        f"{pictures.mark(one)}\nWhat is it? (2)", "What is it? (3)", "What is it? (4)",
    ]  # fmt: skip
    assert {path.name for path in (tmp_path / "cache" / "images").iterdir()} == {one, two}
    (tmp_path / "images" / "1.png").write_bytes(png(9, 9))
    assert load(spec).digest != found.digest  # another image is another benchmark


def test_images_come_out_of_parquet(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    shown = [{"bytes": png(3, 2), "path": "x.png"}, {"bytes": png(3, 3), "path": None}]
    rows = {"q": ["<image1> and <image2>?"], "a": ["5"], "i": [shown]}
    parquet.write_table(arrow.table(rows), tmp_path / "seen.parquet")
    (problem,) = load(f"{tmp_path / 'seen.parquet'}:{MAP}").problems
    one, two = (pictures.mark(pictures.digest_of(png(3, high))) for high in (2, 3))
    assert problem.prompt == f"{one} and {two}?"


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("https://example.org/1.png", "nothing is fetched while a benchmark is read"),
        ("file:///etc/passwd", "nothing is fetched"),
        ("../secret.png", "expected an image at '../secret.png' within"),
        ("/etc/hostname", "within"),
        ("link.png", "expected an image at 'link.png'"),
        ("pipe.png", "expected an image at 'pipe.png'"),
        ("absent.png", "there is none"),
        ("seen.jsonl", "expected a PNG, JPEG, GIF or WebP image"),
        ("data:image/png;base64,%%%", "no base64"),
        ("data:image/png,abc", "come in base64"),
        (7, "expected an image or where it is, got '7'"),
        ({"url": "x"}, "expected an image, got an object of url"),
        (["one.png"] * 9, "9 images, expected at most 8"),
    ],
)
def test_an_image_is_from_the_data_alone(tmp_path: Path, cell: object, message: str) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (tmp_path / "secret.png").write_bytes(png(3, 2))
    (folder / "one.png").write_bytes(png(3, 2))
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    os.mkfifo(folder / "pipe.png")
    with pytest.raises(BenchmarkError, match=f"line 2.*{message}"):
        load(bench(folder, "one.png", cell))


def test_a_place_without_an_image_is_refused(tmp_path: Path) -> None:
    (tmp_path / "one.png").write_bytes(png(3, 2))
    for question, cell in (("<image1> <image2>", "one.png"), ("<image1>", None)):
        with pytest.raises(BenchmarkError, match="line 1: the question has an image in it"):
            load(bench(tmp_path, cell, question=question))
