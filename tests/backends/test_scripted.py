"""The scripted backend keeps the protocol's promises without a model."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from rlvr_gate.records import FinishReason, Sampling
from rlvr_gate_fixtures.backends import BackendError, Request, load
from rlvr_gate_fixtures.backends.scripted import ScriptedBackend


def texts(backend, need, *requests: Request, **changes: object) -> dict[tuple[int, int], str]:
    stream = replace(need(1).stream, **changes)
    checkpoint = replace(need(1).checkpoint, digest=stream.checkpoint_digest)
    drawn = list(backend.complete(checkpoint, stream, requests))
    found = {(d.request, d.completion.sample): d.completion.text for d in drawn}
    assert len(found) == len(drawn)
    return found


def ask(prompt: str, start: int, stop: int) -> Request:
    return Request(tuple(prompt.encode()), start, stop)


def test_a_sample_depends_on_nothing_but_its_key(need, backend):
    whole = texts(backend, need, ask("1+1=", 0, 64), ask("2+2=", 0, 64))
    assert len(whole) == 128
    assert texts(backend, need, ask("1+1=", 40, 64)) == {
        key: text for key, text in whole.items() if key[0] == 0 and key[1] >= 40
    }
    assert texts(backend, need, ask("1+1=", 0, 64), seed=1) != texts(
        backend, need, ask("1+1=", 0, 64)
    )
    assert texts(backend, need, ask("1+1=", 0, 64), checkpoint_digest="D9") != texts(
        backend, need, ask("1+1=", 0, 64)
    )


def test_a_list_is_read_in_turn(need):
    backend = ScriptedBackend({"base": {"x": ["a", "b"]}})
    assert list(texts(backend, need, ask("x", 1, 4)).values()) == ["b", "a", "b"]


def test_checkpoints_go_by_their_folder_and_the_star_is_anyone(need):
    backend = ScriptedBackend({"rlvr": {"*": ["r"]}, "*": {"x": ["s"]}})
    assert texts(backend, need, ask("x", 0, 1)) == {(0, 0): "s"}
    with pytest.raises(BackendError, match="no lines for 'y'"):
        texts(backend, need, ask("y", 0, 1))


def test_a_long_reply_is_cut_at_the_budget(need):
    backend = ScriptedBackend({"*": {"*": ["abcdef"]}})
    stream = replace(need(1).stream, sampling=Sampling(max_new_tokens=4))
    completion = next(backend.complete(need(1).checkpoint, stream, [ask("x", 0, 1)])).completion
    assert (completion.text, completion.finish) == ("abcd", FinishReason.LENGTH)
    exact = replace(stream, sampling=Sampling(max_new_tokens=7))
    completion = next(backend.complete(need(1).checkpoint, exact, [ask("x", 0, 1)])).completion
    assert (len(completion.token_ids), completion.finish) == (7, FinishReason.STOP)


def test_a_script_may_lie_in_a_file_and_is_part_of_the_identity(tmp_path, need):
    (tmp_path / "a.json").write_text(json.dumps({"*": {"*": ["hello"]}}))
    backend = load("scripted", script=str(tmp_path / "a.json"), delay="0", die_after="2")
    assert texts(backend, need, ask("x", 0, 2)) == {(0, 0): "hello", (0, 1): "hello"}
    assert backend.identity() == ScriptedBackend({"*": {"*": ["hello"]}}).identity()
    assert backend.identity() != ScriptedBackend({"*": {"*": ["bye"]}}).identity()
    with pytest.raises(BackendError, match="died"):
        texts(backend, need, ask("x", 0, 1))


@pytest.mark.parametrize("text", [None, "{", "[]", '{"base": 3}'])
def test_a_bad_script_is_a_clear_error(tmp_path, text):
    if text is not None:
        (tmp_path / "a.json").write_text(text)
    with pytest.raises(ValueError, match=r"the script .*a\.json"):
        ScriptedBackend(tmp_path / "a.json")
