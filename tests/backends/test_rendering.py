"""A prompt with its chat template around it, or without."""

from __future__ import annotations

from typing import Any

import pytest

from rlvr_gate_fixtures.backends.children.tokenizer import render


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
