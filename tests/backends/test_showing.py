"""Images on their way to vLLM: from a prompt's ids, opened within bounds."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from tests.files.test_pictures import png

from rlvr_gate_fixtures.backends.children.jobs import Refused
from rlvr_gate_fixtures.backends.vllm.showing import ToShow, opened
from rlvr_gate_fixtures.files import pictures

pytest.importorskip("PIL")
PREPARED = pictures.as_ids("c" * 64)


def test_a_prompt_has_its_images_in_their_order(tmp_path: Path) -> None:
    digests = [pictures.kept(tmp_path, png(4, 3, rgb)) for rgb in ((255, 0, 0), (0, 0, 255))]
    first, second = (pictures.as_ids(digest) for digest in digests)
    prompt = ToShow(str(tmp_path)).prompt([7, *second, *PREPARED, 8, 7, *first, *PREPARED])
    assert prompt["prompt_token_ids"] == [7, 8, 7]
    images = prompt["multi_modal_data"]["image"]
    assert [(image.size, image.mode) for image in images] == [((4, 3), "RGB")] * 2
    assert [image.getpixel((0, 0)) for image in images] == [(0, 0, 255), (255, 0, 0)]


def test_a_prompt_without_images_is_its_ids() -> None:
    assert ToShow("").prompt([1, 2]) == {"prompt_token_ids": [1, 2]}


def bomb() -> bytes:
    """A PNG that says it has 30 million pixels and holds none."""
    head = struct.pack(">II", 6000, 5000)
    return png(1, 1)[:16] + head + png(1, 1)[24:]


@pytest.mark.parametrize("data", [png(40, 30)[:-40], b"GIF89a" + struct.pack("<HH", 4, 3), bomb()])
def test_a_damaged_image_is_named(tmp_path: Path, data: bytes) -> None:
    digest = pictures.kept(tmp_path, data)
    with pytest.raises(Refused, match=f"the image {digest} cannot be shown"):
        opened(tmp_path, digest)
    with pytest.raises(Refused, match="is not in"):
        opened(tmp_path / "elsewhere", digest)
