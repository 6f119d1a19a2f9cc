"""Secrets stay out of what people read."""

from __future__ import annotations

import pytest

from rlvr_gate.redacting import redacted


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("pytest --backend-option=url=http://me:pw@gpu/v1", "url=http://***@gpu/v1"),
        ("pytest --backend-option url=https://sk-1@gpu/v1", "url=https://***@gpu/v1"),
        ("--backend-option api_key=abc -q", "--backend-option api_key=*** -q"),
        ("--backend-option=token=abc", "--backend-option=token=***"),
        ("http://gpu/v1?key=abc&x=1", "http://gpu/v1?key=***&x=1"),
        ("--max-new-tokens=64 -k keyed", "--max-new-tokens=64 -k keyed"),
        ("--model-pair=org/base@main,org/rlvr@main", "org/base@main,org/rlvr@main"),
        ("bearer planted-value!", "bearer ***!"),
    ],
)
def test_secrets_are_hidden_and_nothing_else(
    text: str, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_ACCESS_TOKEN", "planted-value")
    assert redacted(text).endswith(shown)


def test_a_short_value_is_no_word_to_hide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", "1")
    assert redacted("samples=11") == "samples=11"
