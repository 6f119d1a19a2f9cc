"""Stop texts: where a completion ends, on every engine that a model runs in here."""

from __future__ import annotations

import pytest

from rlvr_gate.records import (
    Checkpoint,
    Completion,
    FinishReason,
    Sampling,
    Stream,
)
from rlvr_gate_fixtures.backends import Backend, Request, Terms
from rlvr_gate_fixtures.backends.answers import answers
from rlvr_gate_fixtures.backends.rules import tidy, wrong_completion
from rlvr_gate_fixtures.backends.scripted import ScriptedBackend
from rlvr_gate_fixtures.inputs.checkpoints import resolve
from rlvr_gate_fixtures.store.keys import asked_key, stream_key

pytest.importorskip("transformers")
PROMPTS = ["C9,23,15=17:", "C2,3,4=14:", "S29+67:"]


@pytest.fixture(scope="module")
def base() -> Checkpoint:
    return resolve("base", "base")


def stream(base: Checkpoint, *stop: str, budget: int = 60) -> Stream:
    return Stream(base.digest, Sampling(max_new_tokens=budget, stop=stop), base.stop_ids, "x", 0)


def drawn(backend: Backend, base: Checkpoint, of: Stream, count: int = 24) -> list[Completion]:
    """Completions of every prompt, through the gate that answers come in by."""
    requests = [Request(ids, 0, count) for ids in backend.encode(base, PROMPTS)]
    found = {(d.request, d.completion.sample): d.completion
             for _, d in answers(backend, [(base, of, requests)])}  # fmt: skip
    return [found[place] for place in sorted(found)]


@pytest.mark.parametrize(
    "stops",
    [("3=", "\n"), *(pytest.param(s, marks=pytest.mark.slow) for s in (("=",), ("+", "*")))],
)
def test_a_completion_ends_before_a_stop_text_and_is_else_what_it_was(base, stops) -> None:
    """Same tokens, up to the one that completes the text."""
    from rlvr_gate_fixtures.backends.transformers.backend import TransformersBackend

    backend = TransformersBackend(threads="1")
    with backend.kept():
        whole = drawn(backend, base, stream(base))
        short = drawn(backend, base, stream(base, *stops))
    stopped = 0
    for long, cut in zip(whole, short, strict=True):
        at = min((long.text.find(s) for s in stops if s in long.text), default=-1)
        assert cut.token_ids == long.token_ids[: len(cut.token_ids)]
        if at < 0:
            assert cut == long
            continue
        stopped += 1
        assert cut.finish is FinishReason.STOP
        assert cut.text == long.text[:at]
        assert cut.token_ids[-1] not in base.stop_ids or len(cut.token_ids) == len(long.token_ids)
    assert stopped >= 10


def test_text_that_is_split_over_tokens_is_found_where_it_is_complete(base) -> None:
    from rlvr_gate_fixtures.backends.children.jobs import load_tokenizer
    from rlvr_gate_fixtures.backends.children.stopping import StopTexts

    tokenizer = load_tokenizer(str(base.path))
    ids = tokenizer("9+23=32;15", add_special_tokens=False)["input_ids"]
    for stop in ("+", "23", "23=3", "9+2", "15", "9+23=32;15"):
        texts = StopTexts(tokenizer, [stop])
        count = texts.end(ids)
        assert stop in tokenizer.decode(ids[:count])
        assert stop not in tokenizer.decode(ids[: count - 1])
        assert texts.complete(ids[:count])
        assert not texts.complete(ids[: count - 1])
        assert ids[count - 1] in texts.last_ids()
        assert texts.text(ids) == "9+23=32;15".partition(stop)[0]
    assert StopTexts(tokenizer, ["zz"]).end(ids) == len(ids)


def test_stop_texts_are_part_of_the_key_where_there_are_any(base) -> None:
    keys = [stream_key(stream(base, *stops)) for stops in ((), ("a",), ("b",), ("a", "b"))]
    assert len({*keys}) == 4
    assert 'stop":' not in keys[0].replace('"stop_ids":', "")
    assert stream_key(stream(base, "b", "a")) == keys[3]  # their order decides nothing
    asked = [asked_key("rlvr", "D", Sampling(stop=stops), "") for stops in ((), ("a",))]
    assert asked[0] != asked[1]


@pytest.mark.parametrize("stop", [("",), ("x" * 101,), ("a", "a"), tuple("abcdefghi")])
def test_a_stop_text_that_is_none_is_refused(stop) -> None:
    with pytest.raises(ValueError, match="stop text"):
        Sampling(stop=stop)


def spelling(text: str) -> Terms:
    return Terms(spell=lambda *ids: [text for _ in ids])


@pytest.mark.parametrize(
    ("text", "kept", "finish", "words"),
    [
        ("42\nQ: 7", "42", FinishReason.STOP, ""),
        ("42", "42", FinishReason.STOP, "has neither a stop id at its end nor a stop text"),
        ("42\nQ: 7", "42\nQ: 7", FinishReason.STOP, "goes on after a stop text"),
        ("42\nQ: 7", "43", FinishReason.STOP, "is not what its token ids stand for"),
        ("42", "42", FinishReason.LENGTH, "it was cut after 2 tokens of the 60"),
    ],
)
def test_an_answer_is_held_to_the_stop_texts(base, text, kept, finish, words) -> None:
    of, terms = stream(base, "\nQ:"), spelling(text)
    completion = Completion(0, (30, 31), kept, finish, -1.0)
    assert words in wrong_completion(completion, of, terms)
    if not words:
        assert wrong_completion(completion, of, terms) == ""
        assert tidy(completion, of, terms).text == "42"


def test_a_script_stops_too(base) -> None:
    backend = ScriptedBackend({"*": {"*": ["42\nQ: 7"]}})
    (one, *_) = drawn(backend, base, stream(base, "\nQ:"))
    assert (one.text, one.finish) == ("42", FinishReason.STOP)
