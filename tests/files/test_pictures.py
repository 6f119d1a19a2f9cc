"""Images of questions: looked at without decoding them, kept, and named in prompts."""

from __future__ import annotations

import hashlib
import itertools
import struct
import zlib
from pathlib import Path

import pytest

from rlvr_gate_fixtures.files import pictures
from rlvr_gate_fixtures.files.pictures import PictureError


def png(width: int, height: int, colour: tuple[int, int, int] = (255, 0, 0)) -> bytes:
    """A whole PNG of one colour."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    rows = (b"\0" + bytes(colour) * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(itertools.starmap(chunk, parts))


JPEG = b"\xff\xd8\xff\xe0\0\x04ab" + b"\xff\xff\xc0\0\x11\x08" + struct.pack(">HH", 30, 40)
WEBP = {
    "VP8X": b"\0\0\0\0\0\0\0\0" + (39).to_bytes(3, "little") + (29).to_bytes(3, "little"),
    "VP8L": b"\0\0\0\0\x2f" + struct.pack("<I", 39 | 29 << 14),
    "VP8 ": b"\0\0\0\0\0\0\0\x9d\x01\x2a" + struct.pack("<HH", 40 | 1 << 14, 30),
}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("PNG", png(40, 30)),
        ("JPEG", JPEG),
        ("GIF", b"GIF89a" + struct.pack("<HH", 40, 30)),
        *(("WEBP", b"RIFF\0\0\0\0WEBP" + kind.encode() + body) for kind, body in WEBP.items()),
    ],
)
def test_an_images_size_is_told_by_its_first_bytes(name: str, data: bytes) -> None:
    assert pictures.looked_at(data) == (name, (40, 30))
    for short in range(12, len(data) if name != "PNG" else 24):
        with pytest.raises(PictureError):
            pictures.looked_at(data[:short])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "expected a PNG, JPEG, GIF or WebP image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "got bytes that begin with 3c 73 76 67"),
        (b"BM" + b"\0" * 60, "expected a PNG"),
        (png(1, 1)[:16] + struct.pack(">II", 60_000, 60_000), "60,000 x 60,000 pixels"),
        (png(1, 1)[:16] + struct.pack(">II", 0, 5), "0 x 5 pixels"),
        (png(1, 1) + b"\0" * pictures.BYTES, "bytes, more than 33,554,432"),
        (b"\xff\xd8\xff\xe0\0\x01" + b"\0" * 40, "segments do not follow"),
        (b"\xff\xd8\xff\xe0\0\x04ab" + b"\0" * 40, "segments do not follow"),
        (b"\xff\xd8" + b"\xff" * 100_000, "ends before it says"),
    ],
)
def test_what_cannot_be_shown_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(PictureError, match=message):
        pictures.digest_of(data)


def test_a_kept_image_is_the_same_or_an_error(tmp_path: Path) -> None:
    data = png(4, 3)
    digest = pictures.kept(tmp_path / "new", data)
    assert digest == hashlib.sha256(data).hexdigest()
    assert pictures.read(tmp_path / "new", digest) == data
    (tmp_path / "new" / digest).write_bytes(png(4, 4))
    with pytest.raises(PictureError, match="another image than it was"):
        pictures.read(tmp_path / "new", digest)
    with pytest.raises(PictureError, match="is not in"):
        pictures.read(tmp_path, digest)


def test_images_among_token_ids_come_out_as_they_went_in() -> None:
    one, two = ("0f" * 32, "ff" * 32)
    ids = [7, *pictures.as_ids(one), *pictures.as_ids(two), 0, 151_935, *pictures.as_ids(one)]
    assert list(pictures.parted(ids)) == [[7], one, two, [0, 151_935], one]
    assert list(pictures.parted([1, 2])) == [[1, 2]]
    assert list(pictures.parted([])) == []
    assert min(pictures.as_ids(one)) >= pictures.FIRST
    assert max(pictures.as_ids(two)) < 2**32
    for broken in (
        pictures.as_ids(one)[:-1],
        (*pictures.as_ids(one)[:-1], 5),
        (2**31 + 2**16,) * 16,
    ):
        with pytest.raises(ValueError, match="part of an image's digest"):
            list(pictures.parted(broken))


def test_images_stand_where_the_question_has_them() -> None:
    one, two = "a" * 64, "b" * 64
    first, second = pictures.mark(one), pictures.mark(two)
    assert pictures.placed("see <image2>, <Image_1>", [one, two]) == f"see {second}, {first}"
    assert pictures.placed("What is it?", [one, two]) == f"{first}\n{second}\nWhat is it?"
    assert pictures.placed("In <image> or <image1>?", [one]) == f"In {first} or {first}?"
    assert pictures.placed("What is it?", []) == "What is it?"
    assert pictures.shown(["no", first])
    assert not pictures.shown(["no", "<image sha256=abc>"])
