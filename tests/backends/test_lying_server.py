"""A server that lies: what it cannot have drawn is refused by name, and the rest is kept."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from typing import Any

import pytest

from rlvr_gate.records import Checkpoint, Completion, Sampling, Stream
from rlvr_gate_fixtures.backends import BackendError, Request
from rlvr_gate_fixtures.backends.answers import answers
from rlvr_gate_fixtures.backends.server import endpoint
from rlvr_gate_fixtures.backends.server.backend import ServerBackend
from rlvr_gate_fixtures.backends.server.keys import KEY
from rlvr_gate_fixtures.inputs.checkpoints import resolve

pytest.importorskip("transformers")

IDS = (15, 144, 6, 1)  # "12+3" and the stop id, as the shipped tokenizer has them
TEXT = "12+3"

Send = Callable[[bytes], None]
Act = Callable[[Send, threading.Event], None]
"""Writes bytes; the event says that nobody listens any more."""


def choice(**changes: Any) -> dict[str, Any]:
    """A completion as vLLM tells it, but for `changes`; None leaves a part out."""
    told = {
        "index": 0,
        "text": TEXT,
        "finish_reason": "stop",
        "token_ids": list(IDS),
        "logprobs": {"token_logprobs": [-0.5] * len(IDS)},
    } | changes
    return {name: value for name, value in told.items() if value is not None}


def body(*choices: object, **more: object) -> bytes:
    told = choices or (choice(),)
    return json.dumps({"model": "tiny", "choices": list(told), **more}).encode()


def reply(
    data: bytes, status: str = "200 OK", headers: Mapping[str, str] | None = None, tail: str = ""
) -> Act:
    """A whole answer, with other or further headers."""
    lines = {"Content-Length": str(len(data)), "Content-Type": "application/json"}
    head = "".join(f"{k}: {v}\r\n" for k, v in (lines | dict(headers or {})).items() if v)

    def act(send: Send, over: threading.Event) -> None:
        send(f"HTTP/1.1 {status}\r\n{head}{tail}\r\n".encode("latin-1") + data)

    return act


def raw(*pieces: bytes, pause: float = 0.0, again: bool = False) -> Act:
    """Bytes as they are, then the end; `again` and again until nobody listens."""

    def act(send: Send, over: threading.Event) -> None:
        while True:
            for piece in pieces:
                send(piece)
                if over.wait(pause):
                    return
            if not again:
                return

    act.hang_up = True  # type: ignore[attr-defined]
    return act


class Liar:
    """Serves in threads until it is closed.

    Args:
        lie: what is done to a completion request with this number, counted from 0; None for an
            honest answer.
        models: what is done to a request for the list of models.
    """

    def __init__(self, lie: Callable[[int], Act | None], models: Act | None = None) -> None:
        self._lie, self._models = lie, models or reply(b'{"data": [{"id": "tiny"}]}')
        self.asked: list[str] = []
        self.sent = 0
        self._over = threading.Event()
        self._turn = threading.Lock()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/v1"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._over.set()
        self._listening.close()

    @property
    def completions(self) -> int:
        """Completion requests that came."""
        return sum(head.startswith("POST") for head in self.asked)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection, connection.makefile("rb") as lines:
            while (head := self._request(lines)) and not self._over.is_set():
                with self._turn:
                    number = self.completions
                    self.asked.append(head)
                posted = head.startswith("POST")
                act = (self._lie(number) or reply(body())) if posted else self._models
                act(lambda data: self._send(connection, data), self._over)
                if hasattr(act, "hang_up"):
                    return

    def _send(self, connection: socket.socket, data: bytes) -> None:
        connection.sendall(data)
        self.sent += len(data)

    @staticmethod
    def _request(lines: Any) -> str:
        head, length = "", 0
        while (line := lines.readline()) not in (b"\r\n", b""):
            head += line.decode("latin-1")
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        lines.read(length)
        return head


PROMPT, SAMPLES, BUDGET, SECRET = (5, 6, 7), 6, 8, "sk-planted-key"
LONG = [15] * BUDGET

SPOILT: dict[str, tuple[Act, str]] = {
    # what is no answer at all
    "nothing in the body": (reply(b""), "no JSON"),
    "a web page": (reply(b"<html>hello"), "no JSON, starting with '<html>hello'"),
    "half of a JSON text": (reply(body()[:-9]), "no JSON"),
    "nested a million times": (reply(b"[" * 10**6), "more than 50,"),
    "nested 20,000 times": (reply(b"[" * 20_000), "no JSON"),
    "a number of 10,000 digits": (reply(b"9" * 10**4), "no JSON"),
    "bytes that are no UTF-8": (reply(b'{"choices": "\xff\xfe"}'), "no JSON"),
    "a list": (reply(b"[1, 2]"), "no completion in the answer"),
    "null": (reply(b"null"), "no completion in the answer"),
    "an error in a good answer": (reply(b'{"error": "no GPU"}'), "with an error: no GPU"),
    "gzip that nobody asked for": (
        reply(gzip.compress(body()), headers={"Content-Encoding": "gzip"}),
        "answered in 'gzip', which nobody asked for",
    ),
    "10 GB announced": (reply(b"", headers={"Content-Length": "10000000000"}), "more than 1,"),
    "a body without an end": (
        raw(b"HTTP/1.1 200 OK\r\n\r\n", *[b" " * 2**16] * 400), "more than 1,"
    ),
    "chunks without an end": (
        raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            *[b"10000\r\n" + b" " * 2**16 + b"\r\n"] * 400), "more than 1,",
    ),
    "100 Continue without an end": (
        raw(*[b"HTTP/1.1 100 Continue\r\n\r\n" * 999] * 99), "more than 1,"
    ),
    "300,000 small lists": (reply(b"[" + b"[]," * 300_000 + b"[]]"), "more than 50,"),
    "choices twice": (
        reply(body()[:-1] + b', "choices": []}'), "no completion in the answer"
    ),
    # choices
    "no choices": (reply(b'{"choices": []}'), "no completion in the answer"),
    "choices that are none": (reply(body(5)), "no completion in the answer"),
    "two choices": (reply(body(choice(), choice())), "several completions where one"),
    "a choice of another index": (reply(body(choice(index=3))), "several completions where one"),
    "another model": (reply(body(model="gpt-2")), "another model answered: 'gpt-2'"),
    # token ids
    "no token ids": (reply(body(choice(token_ids=None))), "no token ids; vLLM does from"),
    "an empty list of ids": (reply(body(choice(token_ids=[]))), "no token ids; vLLM does"),
    "ids of text": (reply(body(choice(token_ids=["12"]))), "are no whole numbers"),
    "ids that are true": (reply(body(choice(token_ids=[True, 1]))), "are no whole numbers"),
    "ids with a fraction": (reply(body(choice(token_ids=[1.5, 1]))), "are no whole numbers"),
    "ids in an object": (reply(body(choice(token_ids={"0": 15}))), "are no whole numbers"),
    "an id past the vocabulary": (
        reply(body(choice(token_ids=[15, 157, 6, 1]))), "id 157 is none of the vocabulary's 157"
    ),
    "an id of 100 bits": (reply(body(choice(token_ids=[2**100, 1, 1, 1]))), "none of the vocab"),
    "a negative id": (reply(body(choice(token_ids=[15, -1, 6, 1]))), "token id -1 is none of"),
    # length and end
    "more tokens than asked": (
        reply(body(choice(token_ids=[*LONG, 15], finish_reason="length", logprobs=None))),
        "it has 9 tokens, where 1 to 8",
    ),
    "a stop id in the middle": (
        reply(body(choice(token_ids=[15, 1, 6, 1]))), "it goes on after the stop id 1"
    ),
    "a stop without a stop id": (
        reply(body(choice(token_ids=[15, 144, 6, 6]))), "it has stop rules of its own"
    ),
    "cut where it stopped": (
        reply(body(choice(finish_reason="length"))), "it has stop rules of its own"
    ),
    "cut before the budget": (
        reply(body(choice(token_ids=[15, 144, 6, 6], finish_reason="length"))),
        "it was cut after 4 tokens of the 8",
    ),
    "a filter's end": (reply(body(choice(finish_reason="content_filter"))), "'content_filter'"),
    "no end": (reply(body(choice(finish_reason=None))), "ended a completion with 'None'"),
    "an end that is a list": (reply(body(choice(finish_reason=["stop"]))), "ended a completion"),
    # log-probabilities
    "a probability above 1": (
        reply(body(choice(logprobs={"token_logprobs": [-1, 0.2, -1, -1]}))), "is '0.2', where"
    ),
    "a probability that is no number": (
        reply(body(choice(logprobs={"token_logprobs": [-1, float("nan"), -1, -1]}))), "is 'nan'"
    ),
    "a probability of nothing": (
        reply(body(choice(logprobs={"token_logprobs": [-1, float("-inf"), -1, 0]}))), "is '-inf'"
    ),
    "a probability of 400 digits": (
        reply(body(choice(logprobs={"token_logprobs": [-(10**400), -1, -1, -1]}))), "finite number"
    ),
    "a probability in words": (
        reply(body(choice(logprobs={"token_logprobs": ["-1", -1, -1, -1]}))), "is '-1', where a"
    ),
    "too few probabilities": (
        reply(body(choice(logprobs={"token_logprobs": [-1, -1]}))), "2 log-probabilities of 4"
    ),
    "probabilities that are none": (reply(body(choice(logprobs=[{}]))), "log-probability is '{}'"),
    # text
    "another text": (reply(body(choice(text="42"))), "text '42' is not what its token ids stand"),
    "no text where there are ids": (reply(body(choice(text=""))), "is not what its token ids"),
    "more text than ids": (reply(body(choice(text=TEXT * 99))), "is not what its token ids"),
    "no text at all": (reply(body(choice(text=None))), "its text is 'None'"),
    "a text that is a list": (reply(body(choice(text=[TEXT]))), "its text is"),
    "half a surrogate pair": (reply(body(choice(text="\ud800"))), "half a surrogate pair"),
    "a NUL": (reply(body(choice(text="12\0+3"))), "is not what its token ids"),
    "the key with blanks in it": (
        reply(body(choice(text=f"a {SECRET[:5]} \n{SECRET[5:]}"))), "its text holds the API key"
    ),
    "the key where a message is cut": (
        reply(body(choice(finish_reason="x" * 72 + SECRET))), f"with '{'x' * 72}***'"
    ),
    "the key in its ids": (reply(body(choice(token_ids=[SECRET]))), "whole numbers: \"['***']\""),
    "the key as its model": (reply(body(model=SECRET)), "another model answered: '***'"),
    "the key beside its answer": (
        reply(body(5, id=SECRET)), "no completion in the answer \"{'model': 'tiny'"
    ),
    "the key as its text": (reply(body(choice(text=f"a {SECRET}"))), "its text holds the API key"),
}  # fmt: skip
"""Answers that are none: each costs the sample it was for, which is drawn again."""

PASSING: dict[str, tuple[Act, str]] = {
    "nothing at all": (raw(), "RemoteDisconnected"),
    "something else than HTTP": (raw(b"SSH-2.0-OpenSSH_9.2\r\n"), "BadStatusLine"),
    "less than announced": (raw(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{"), "Incomplete"),
    "a broken chunk": (
        raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), "IncompleteRead"
    ),
    "a thousand headers": (
        raw(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 1000 + b"\r\n"), "more than 100 headers"
    ),
    "a line without an end": (raw(b"HTTP/1.1 200 OK\r\nA: " + b"a" * 10**5), "LineTooLong"),
    "too many requests": (reply(b"slow down", "429 Too Many Requests"), "status 429: slow down"),
    "a wait of a year": (
        reply(b"{}", "429 Wait", {"Retry-After": "31536000"}), "status 429"
    ),
    "a wait that is no number": (reply(b"{}", "503 No", {"Retry-After": "\xb2"}), "status 503"),
    "a wait until a date": (
        reply(b"{}", "503 No", {"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"}), "status 503"
    ),
    "an error of the server": (reply(b'{"error": {"message": "OOM"}}', "500 Oops"), "500: OOM"),
    "overloaded": (reply(b"", "529 Overloaded"), r"status 529: \(nothing\)"),
}  # fmt: skip
"""Trouble that may be over the next time."""

FINAL: dict[str, tuple[Act, str]] = {
    **{
        f"status {status}": (reply(b'{"detail": "no"}', f"{status} No"), f"status {status}: no")
        for status in (400, 401, 402, 403, 404, 405, 413, 415, 422, 501)
    },
    "no content": (reply(b"", "204 No Content"), "refused with status 204"),
    "a redirect to another host": (
        reply(b"", "307 Elsewhere", {"Location": "http://me:pass@evil.example/v1"}),
        r"redirects to http://\*\*\*@evil.example/v1 with status 307",
    ),
    "a redirect to itself": (
        reply(b"", "302 Found", {"Location": "/v1/completions"}), "redirects to /v1/completions"
    ),
    "the key in an error": (
        reply(f"bad key {SECRET} in Bearer {SECRET}".encode(), "401 No"), r"bad key \*\*\* in"
    ),
    "control characters in an error": (
        reply(b"\x1b[2J::error::\r\n" + b"x" * 10**5, "400 No"),
        r"400: \[2J::error::  x{300,400}$",
    ),
}  # fmt: skip
"""What another try cannot change."""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "_FIRST_PAUSE", 0.001)
    monkeypatch.setattr(endpoint, "_LONGEST_PAUSE", 0.005)
    monkeypatch.setenv(KEY, SECRET)


@pytest.fixture(scope="module")
def base() -> Checkpoint:
    return resolve("base", "base")


Lie = Callable[..., Liar]


@pytest.fixture
def liar() -> Iterator[Lie]:
    running: list[Liar] = []

    def start(lie: Callable[[int], Act | None], **more: Any) -> Liar:
        running.append(Liar(lie, **more))
        return running[-1]

    yield start
    for each in running:
        each.close()


class Run:
    """What comes of a server: the texts that get past the gate, in the order of the samples."""

    def __init__(self, base: Checkpoint) -> None:
        self.base = base
        self.kept: list[Completion] = []

    def __call__(self, url: str, **options: str) -> list[str]:
        """Draw all; what is kept."""
        asked = {"concurrency": "1", "retries": "2", **options}
        backend = _Shared(url, **asked)
        sampling = Sampling(max_new_tokens=BUDGET)
        stream = Stream(self.base.digest, sampling, self.base.stop_ids, backend.identity(), 0)
        self.kept = []
        with closing(
            answers(backend, [(self.base, stream, [Request(PROMPT, 0, SAMPLES)])])
        ) as arriving:
            for _, drawn in arriving:
                self.kept.append(drawn.completion)
        assert sorted(each.sample for each in self.kept) == list(range(SAMPLES))
        return self.texts()

    def texts(self) -> list[str]:
        return [each.text for each in self.kept]


class _Shared(ServerBackend):
    """Spells with the tokenizer in this process: a child for every test would take minutes."""

    tokenizer: Any = None

    def encode(self, checkpoint: Checkpoint, prompts: Any) -> list[tuple[int, ...]]:
        return [PROMPT for _ in prompts]

    def _tell(self, checkpoint: Checkpoint, job: Any) -> list[Any]:
        from transformers import AutoTokenizer

        known = _Shared.tokenizer = _Shared.tokenizer or AutoTokenizer.from_pretrained(
            checkpoint.path
        )
        if job["op"] == "tokenize":
            return list(known(job["text"], add_special_tokens=False)["input_ids"])
        return [
            known.decode(ids, skip_special_tokens=skip)
            for ids in job["ids"]
            for skip in (True, False)
        ]


@pytest.fixture
def run(base: Checkpoint) -> Run:
    return Run(base)


MEMORY, SECONDS = 32 << 20, 20  # of Python's objects; of computing


@pytest.fixture
def cheap(liar: Lie, run: Run) -> Iterator[None]:
    """Whatever a server says costs bounded memory, the server's own here included, and time."""
    run(liar(lambda number: None).url)  # has everything imported
    started = time.process_time()
    tracemalloc.start()
    try:
        yield
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < MEMORY
    assert time.process_time() - started < SECONDS


@pytest.mark.usefixtures("cheap")
@pytest.mark.parametrize("name", SPOILT)
def test_a_bad_answer_costs_that_answer_and_a_liar_is_told_by_its_lie(
    liar: Lie, run: Run, name: str
) -> None:
    act, message = SPOILT[name]
    once = liar(lambda number: act if number == 2 else None)
    assert run(once.url) == [TEXT] * SAMPLES
    assert once.completions == SAMPLES + 1
    ever = liar(lambda number: act if number >= 2 else None)
    with pytest.raises(BackendError) as error:
        run(ever.url)
    assert message in str(error.value)
    assert SECRET[:6] not in str(error.value)
    assert run.texts() == [TEXT] * 2
    assert ever.completions == 2 + 3 * (SAMPLES - 2)


@pytest.mark.usefixtures("cheap")
@pytest.mark.parametrize("name", PASSING)
def test_what_may_pass_is_asked_again(liar: Lie, run: Run, name: str) -> None:
    act, message = PASSING[name]
    served = liar(lambda number: act if number % 2 else None)
    assert run(served.url) == [TEXT] * SAMPLES
    for_good = liar(lambda number: act)
    with pytest.raises(BackendError, match=f"(?s)in 3 attempts.*{message}.*draws the rest"):
        run(for_good.url)
    assert for_good.completions == 3


@pytest.mark.usefixtures("cheap")
@pytest.mark.parametrize("name", FINAL)
def test_what_cannot_pass_is_told_at_once(liar: Lie, run: Run, name: str) -> None:
    act, message = FINAL[name]
    served = liar(lambda number: act if number == 2 else None)
    with pytest.raises(BackendError, match=message) as error:
        run(served.url)
    assert served.completions == 3
    assert run.texts() == [TEXT] * 2
    assert SECRET[:6] not in repr(error.value)


@pytest.mark.parametrize(
    "pieces",
    [
        (b"H",) * 99,
        (b"HTTP/1.1 200 OK\r\n", *[b"A: b\r\n"] * 99),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n", *[b" "] * 99),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *[b"1\r\n \r\n"] * 99),
    ],
    ids=["status", "headers", "body", "chunks"],
)
def test_a_server_that_trickles_is_late_all_the_same(
    liar: Lie, run: Run, pieces: tuple[bytes, ...]
) -> None:
    served = liar(lambda number: raw(*pieces, pause=0.1))
    started = time.monotonic()
    with pytest.raises(BackendError, match="no answer within 1 s, only a part of one"):
        run(served.url, timeout="1", retries="0")
    assert time.monotonic() - started < 5


def test_a_bomb_costs_no_memory(liar: Lie, run: Run) -> None:
    act, message = SPOILT["chunks without an end"]
    run(liar(lambda number: None).url)  # has everything imported
    served = liar(lambda number: act)
    tracemalloc.start()
    try:
        with pytest.raises(BackendError, match=message):
            run(served.url)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 8 << 20
    assert served.sent < 200 << 20


def test_a_tiny_positive_log_probability_is_rounding(liar: Lie, run: Run) -> None:
    told = choice(logprobs={"token_logprobs": [1e-7, 0.0, 0, 1e-9]})
    run(liar(lambda number: reply(body(told))).url)
    assert {each.logprob for each in run.kept} == {0.0}


@pytest.mark.parametrize("text", [f" {TEXT}", f"{TEXT}\n", f"{TEXT}<eos>", f"{TEXT}\ufffd"])
def test_detokenizers_may_differ_and_the_text_kept_is_that_of_the_ids(
    liar: Lie, run: Run, text: str
) -> None:
    assert run(liar(lambda number: reply(body(choice(text=text)))).url) == [TEXT] * SAMPLES


def test_a_stop_id_at_the_budget_is_a_stop(liar: Lie, run: Run) -> None:
    ids, text = [*IDS[:3], *IDS[:3], IDS[2], 1], TEXT * 2 + "3"
    told = choice(token_ids=ids, text=text, finish_reason="length", logprobs=None)
    assert run(liar(lambda number: reply(body(told))).url) == [text] * SAMPLES


@pytest.mark.parametrize(
    ("models", "message"),
    [
        (reply(b"[]"), "lists no models"),
        (reply(b'{"data": [{}]}'), "lists no models"),
        (reply(b'{"data": {"id": "a"}}'), "lists no models"),
        (reply(b'{"data": []}'), "has no model, it serves none"),
        (reply(b"<html>"), "no JSON"),
        (reply(b"", headers={"Content-Length": "10000000000"}), "more than 1,048,576 bytes"),
        (reply(b"", "301 Moved", {"Location": "https://elsewhere/v1"}), "https://elsewhere/v1"),
        (reply(b'{"error": "who?"}', "401 No"), "the one there was refused"),
    ],
)
def test_a_list_of_models_that_is_none_is_explained(
    liar: Lie, run: Run, models: Act, message: str
) -> None:
    served = liar(lambda number: None, models=models)
    with pytest.raises(BackendError, match=message) as error:
        run(served.url)
    assert served.completions == 0
    assert len(str(error.value)) < 1000


@pytest.mark.parametrize(
    ("told", "message"),
    [
        (choice(text="\ud800"), "half a surrogate pair"),
        (choice(text="1" * 40), "it has 21 tokens, where at most 8"),
        (choice(text=5), "its text is '5'"),
        (choice(logprobs={"token_logprobs": [3.0]}), "log-probability is '3.0'"),
    ],
)
def test_a_plain_server_is_checked_by_the_text(
    liar: Lie, run: Run, told: dict[str, Any], message: str
) -> None:
    plain = {k: v for k, v in told.items() if k != "token_ids"}
    served = liar(
        lambda number: reply(body(plain)) if number else reply(body(choice(token_ids=None)))
    )
    with pytest.raises(BackendError, match=message):
        run(served.url, dialect="openai")
    assert run.texts() == [TEXT]


def test_a_plain_server_that_says_it_drew_more_is_believed(liar: Lie, run: Run) -> None:
    served = liar(lambda number: reply(body(usage={"completion_tokens": 99})))
    with pytest.raises(BackendError, match="drew 99 tokens, asked were 8"):
        run(served.url, dialect="openai")


def test_every_role_has_a_key_of_its_own_and_no_other(
    liar: Lie, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(KEY)
    monkeypatch.setenv(f"{KEY}_BASE", "for-base")
    ours, theirs = liar(lambda number: None), liar(lambda number: None)
    run("", base=ours.url, rlvr=theirs.url)
    Run(resolve("rlvr", "rlvr"))("", base=ours.url, rlvr=theirs.url)
    assert all("Authorization: Bearer for-base" in head for head in ours.asked)
    assert ours.asked
    assert theirs.asked
    assert not any("Authorization" in head for head in theirs.asked)
    monkeypatch.setenv(KEY, "for-all")
    monkeypatch.setenv(f"{KEY}_BASE", "")
    run("", base=ours.url, rlvr=theirs.url)
    assert "Authorization" not in ours.asked[-1]


@pytest.mark.parametrize("key", ["a b", "a\nb", "schlüssel", "a\x7f"])
def test_a_key_that_cannot_be_sent_is_told_without_it(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"{KEY}_RLVR", key)
    with pytest.raises(ValueError, match=f"{KEY}_RLVR must be printable ASCII") as error:
        ServerBackend("http://gpu/v1")
    assert key not in str(error.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"url": "ftp://me:hunter2@gpu/v1"}, r"got 'ftp://\*\*\*@gpu/v1'|holds credentials"),
        ({"url": "http://me:hunter2@gpu/v1"}, "holds credentials"),
        ({"url": "http://hunter2@gpu/v1"}, "holds credentials"),
        ({"url": "http://gpu/v1?api_key=hunter2"}, r"api_key=\*\*\*"),
        ({"url": "http://gpu/v1", "api_key": "hunter2"}, f"no option api_key: .*{KEY}"),
        ({"url": "http://gpu/v1", "token": "hunter2"}, "no option token"),
        ({"url": "http://gpu:99999/v1"}, "must be http://HOST:PORT"),
        ({"url": "http://[::1/v1"}, "must be http://HOST:PORT"),
        ({"url": "http://gpu/v1 x"}, "must be http://HOST:PORT"),
        ({"url": "http://gpu/\r\nX: y"}, "must be http://HOST:PORT"),
    ],
)
def test_no_option_shows_a_secret(options: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message) as error:
        ServerBackend(**options)
    assert "hunter2" not in str(error.value)


def test_a_server_without_tls_is_told_at_once(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def refuse() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                connection.recv(4096)

        serving = threading.Thread(target=refuse)
        serving.start()
        url = f"https://127.0.0.1:{listening.getsockname()[1]}/v1"
        with pytest.raises(
            BackendError, match=r"cannot be asked: 127\.0\.0\.1 speaks no TLS there"
        ):
            run(url, timeout="20")
        serving.join()


def test_a_host_without_a_name_is_told(run: Run) -> None:
    with pytest.raises(BackendError, match=r"no host is called nobody\.invalid|gave no answer"):
        run("http://nobody.invalid/v1")


def test_when_one_request_fails_for_good_the_others_land(liar: Lie, run: Run) -> None:
    both = threading.Barrier(2)

    def slowly(number: int) -> Act | None:
        if number > 1:
            return None
        both.wait(10)
        if number == 0:
            return reply(b"{}", "400 No")
        time.sleep(0.5)
        return None

    served = liar(slowly)
    with pytest.raises(BackendError, match="status 400"):
        run(served.url, concurrency="2")
    assert run.texts() == [TEXT]


def test_at_least_fifty_lies_are_told() -> None:
    assert len(SPOILT | PASSING | FINAL) >= 50
    assert json.loads(body())["choices"][0]["token_ids"] == list(IDS)
