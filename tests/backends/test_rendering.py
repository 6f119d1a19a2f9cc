"""A prompt with its chat template around it, or without."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rlvr_gate_fixtures.backends.children.jobs import Refused
from rlvr_gate_fixtures.backends.children.tokenizer import asked, render
from rlvr_gate_fixtures.files import pictures


class Bytes:
    """A tokenizer of bytes that begins every text with 1, and so does its chat template."""

    bos_token_id = 1
    chat_template: str | None = "yes"

    def __call__(self, text: str, add_special_tokens: bool = True) -> dict[str, list[int]]:
        return {"input_ids": [1] * add_special_tokens + list(text.encode())}

    def apply_chat_template(self, messages: Any, **_: Any) -> str:
        return f"\x01<u>{messages[0]['content']}"


@pytest.mark.parametrize(
    ("template", "bare", "text"),
    [
        ("yes", False, "\x01<u>hi"),
        ("yes", True, "\x01hi"),
        (None, False, "\x01hi"),
        (None, True, "\x01hi"),
    ],
)
def test_a_bare_prompt_has_no_template_and_one_beginning(
    template: str | None, bare: bool, text: str
) -> None:
    tokenizer: Any = Bytes()
    tokenizer.chat_template = template
    assert bytes(render(tokenizer, "hi", bare=bare)).decode() == text


PLACE = ord("#")


class Seeing(Bytes):
    """One whose `#` is the place of an image, and whose template knows parts of a message."""

    bos_token_id = 1

    def convert_ids_to_tokens(self, token: int) -> str:
        return chr(token)

    def apply_chat_template(self, messages: Any, **_: Any) -> str:
        parts = messages[0]["content"]
        return "<u>" + "".join(part.get("text", "#") for part in parts)


def prompt_of(tokenizer: Any, prompt: str, folder: Path, **more: Any) -> list[list[int] | str]:
    return list(pictures.parted(asked(tokenizer, prompt, {"path": str(folder), **more})))


@pytest.mark.parametrize(("bare", "begins"), [(False, b"<u>see #"), (True, b"\x01see #")])
def test_an_image_has_its_place_its_digest_and_how_it_is_prepared(
    tmp_path: Path, bare: bool, begins: bytes
) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"image_token_id": PLACE}))
    one, two = "a" * 64, "b" * 64
    prompt = f"see {pictures.mark(one)}, {pictures.mark(two)}?"
    found = prompt_of(Seeing(), prompt, tmp_path, bare=bare)
    prepared = found[2]
    assert found == [list(begins), one, prepared, list(b", #"), two, prepared, list(b"?")]
    (tmp_path / "preprocessor_config.json").write_text('{"size": 336}')
    assert prompt_of(Seeing(), prompt, tmp_path, bare=bare)[2] != prepared


@pytest.mark.parametrize(
    ("config", "prompt", "message"),
    [
        ({}, "see {mark}", "names no token for one"),
        ({"image_token_id": "#"}, "see {mark}", "names no token for one"),
        ({"image_token_index": PLACE}, "see # and {mark}", "makes 2 places of 1 images"),
        ({"image_token_index": 5}, "see {mark}", "makes 0 places of 1 images"),
    ],
)
def test_a_checkpoint_that_sees_no_images_is_refused(
    tmp_path: Path, config: dict[str, object], prompt: str, message: str
) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(Refused, match=message):
        prompt_of(Seeing(), prompt.format(mark=pictures.mark("a" * 64)), tmp_path)
