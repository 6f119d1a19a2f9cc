"""The server backend: what it asks, its patience and its errors, and a real vLLM server."""

from __future__ import annotations

import json
import math
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from rlvr_gate.records import Checkpoint, FinishReason, Sampling, Stream
from rlvr_gate_fixtures.backends import BackendError, Begun, Drawn, Request, goes_on, load
from rlvr_gate_fixtures.backends.answers import answers
from rlvr_gate_fixtures.backends.server import endpoint
from rlvr_gate_fixtures.backends.server.backend import ServerBackend
from rlvr_gate_fixtures.backends.server.endpoint import KEY
from rlvr_gate_fixtures.inputs.checkpoints import resolve
from rlvr_gate_fixtures.processes.families import end_lost, members

needs_vllm = pytest.mark.skipif(not find_spec("vllm"), reason="needs vLLM: make test-vllm")
needs_tokenizer = pytest.mark.skipif(not find_spec("transformers"), reason="needs transformers")

PROMPT = (5, 6, 7, 8, 9)
Reply = tuple[int, Any]
"""Status and body; a body of text is sent as it is."""


class Served:
    """A server in a thread that keeps what it was asked and answers as told."""

    def __init__(self, reply: Callable[[int, dict[str, Any]], Reply], models: Any) -> None:
        self.asked: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        served = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self.answer((200, models) if self.path == "/v1/models" else (404, {}))

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with served.turn:
                    number = len(served.asked)
                    served.asked.append(body)
                    served.headers.append(dict(self.headers))
                self.answer(reply(number, body))

            def answer(self, told: Reply) -> None:
                status, body = told
                if status == 0:  # hang up
                    self.close_connection = True
                    return
                data = (body if isinstance(body, str) else json.dumps(body)).encode()
                with suppress(OSError):  # whoever asked may be gone
                    self.send_response(status)
                    if status == 429:
                        self.send_header("Retry-After", "0")
                    self.send_header("Content-Length", str(len(data)))
                    self.end_headers()
                    self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.turn = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def answer(body: dict[str, Any], text: str = "42", ids: Sequence[int] = (30, 31, 1)) -> Reply:
    reason = "stop" if ids[-1] == 1 else "length"
    logprobs = {"token_logprobs": [-0.5] * len(ids)}
    choice = {"text": text, "finish_reason": reason, "logprobs": logprobs, "token_ids": list(ids)}
    return 200, {"model": body["model"], "choices": [choice]}


def plainly(number: int, body: dict[str, Any]) -> Reply:
    return answer(body)


Serve = Callable[..., Served]


@pytest.fixture
def serve() -> Iterator[Serve]:
    running: list[Served] = []

    def start(
        reply: Callable[[int, dict[str, Any]], Reply] = plainly,
        names: Sequence[str] = ("tiny",),
        models: Any = None,
    ) -> Served:
        served = Served(reply, models or {"data": [{"id": name} for name in names]})
        running.append(served)
        return served

    yield start
    for served in running:
        served.close()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "_FIRST_PAUSE", 0.01)
    monkeypatch.delenv(KEY, raising=False)


@pytest.fixture(scope="module")
def base() -> Checkpoint:
    return resolve("base", "base")


def stream(base: Checkpoint, seed: int = 0, **sampling: float) -> Stream:
    settings = Sampling(**({"max_new_tokens": 80} | sampling))  # type: ignore[arg-type]
    return Stream(base.digest, settings, base.stop_ids, "server", seed)


def draw(backend: ServerBackend, base: Checkpoint, samples: int = 5) -> list[Drawn]:
    return list(backend.complete(base, stream(base), [Request(PROMPT, 0, samples)]))


# What is asked


def test_a_request_says_everything(serve: Serve, base: Checkpoint) -> None:
    served = serve()
    told = stream(base, temperature=0.7, top_p=0.9)
    list(ServerBackend(served.url).complete(base, told, [Request(PROMPT, 3, 5)]))
    body = {k: v for k, v in served.asked[0].items() if k != "seed"}
    assert body == {
        "model": "tiny", "prompt": list(PROMPT), "max_tokens": 80, "n": 1, "stream": False,
        "temperature": 0.7, "top_p": 0.9, "top_k": 0, "min_p": 0.0, "presence_penalty": 0.0,
        "frequency_penalty": 0.0, "repetition_penalty": 1.0, "logprobs": 1, "ignore_eos": True,
        "stop_token_ids": list(base.stop_ids), "return_token_ids": True,
        "add_special_tokens": False,
    }  # fmt: skip


def test_every_sample_comes_once_with_a_seed_of_its_own(serve: Serve, base: Checkpoint) -> None:
    served = serve()
    asked = [Request(PROMPT, 0, 150), Request((8, 9), 4, 54)]
    drawn = list(ServerBackend(served.url, concurrency="8").complete(base, stream(base), asked))
    places = sorted((d.request, d.completion.sample) for d in drawn)
    assert places == [*((0, i) for i in range(150)), *((1, i) for i in range(4, 54))]
    assert len({body["seed"] for body in served.asked}) == 200
    (one,) = {(d.completion.token_ids, d.completion.text, d.completion.logprob) for d in drawn}
    assert one == ((30, 31, 1), "42", -1.5)


def test_a_seed_depends_on_what_is_drawn_and_on_nothing_else(
    serve: Serve, base: Checkpoint
) -> None:
    served = serve()
    backend = ServerBackend(served.url, concurrency="1")
    list(backend.complete(base, stream(base), [Request((7,), 0, 3), Request(PROMPT, 0, 4)]))
    list(backend.complete(base, stream(base), [Request(PROMPT, 2, 4)]))
    list(backend.complete(base, stream(base, seed=1), [Request(PROMPT, 2, 3)]))
    seeds = [body["seed"] for body in served.asked]
    assert seeds[5:7] == seeds[7:9]
    assert seeds[9] not in seeds[:9]


def test_each_role_has_its_server_and_a_server_its_models(serve: Serve, base: Checkpoint) -> None:
    one, two = serve(names=["tiny", "tuned"]), serve()
    rlvr = resolve("rlvr", "rlvr")
    backend = ServerBackend(base=two.url, rlvr=f"{one.url}#tuned")
    draw(backend, base)
    draw(backend, rlvr)
    assert {body["model"] for body in one.asked} == {"tuned"}
    assert {body["model"] for body in two.asked} == {"tiny"}


def test_the_key_comes_from_the_environment_and_is_never_shown(
    serve: Serve, base: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY, "secret")
    served = serve(lambda number, body: plainly(number, body) if number < 5 else (403, {}))
    backend = ServerBackend(served.url)
    draw(backend, base)
    assert {headers["Authorization"] for headers in served.headers} == {"Bearer secret"}
    with pytest.raises(BackendError, match="the one there was refused") as error:
        draw(backend, base)
    assert "secret" not in str(error.value) + backend.identity() + repr(vars(backend))


@needs_tokenizer
def test_a_plain_server_gets_no_extensions_and_the_tokenizer_is_ours(
    serve: Serve, base: Checkpoint
) -> None:
    def plain(number: int, body: dict[str, Any]) -> Reply:
        return 200, {"choices": [{"text": "9-5", "finish_reason": ["stop", "length"][number % 2]}]}

    served = serve(plain)
    backend = ServerBackend(served.url, dialect="openai", concurrency="1")
    stopped, cut = (drawn.completion for drawn in draw(backend, base, 2))
    assert set(served.asked[0]) == {
        "model", "prompt", "max_tokens", "temperature", "top_p", "presence_penalty",
        "frequency_penalty", "n", "stream", "logprobs", "seed",
    }  # fmt: skip
    assert served.asked[0]["seed"] < 2**31
    assert stopped.token_ids == (*cut.token_ids, *base.stop_ids)
    assert (stopped.finish, cut.finish) == (FinishReason.STOP, FinishReason.LENGTH)
    assert math.isnan(cut.logprob)
    assert backend.identity() == "server/unnamed/openai"


@needs_tokenizer
def test_the_text_that_is_kept_is_read_from_the_token_ids(serve: Serve, base: Checkpoint) -> None:
    served = serve(lambda number, body: answer(body, " 12+3\n", (15, 144, 6, 1)))
    call = (base, stream(base), [Request(PROMPT, 0, 4)])
    kept = [drawn.completion for _, drawn in answers(ServerBackend(served.url), [call])]
    assert [(each.text, each.token_ids) for each in kept] == [("12+3", (15, 144, 6, 1))] * 4


@needs_tokenizer
def test_what_was_begun_is_part_of_the_prompt_and_of_the_answer(
    serve: Serve, base: Checkpoint
) -> None:
    served = serve(lambda number, body: answer(body, "3", (6, 1)))
    begun = Request(PROMPT, 4, 5, Begun((15, 144), -2.0))
    call = (base, stream(base), [begun, Request(PROMPT, 4, 5)])
    drawn = sorted(
        (drawn for _, drawn in answers(ServerBackend(served.url, concurrency="1"), [call])),
        key=lambda each: each.request,
    )
    whole = drawn[0].completion
    assert whole.token_ids == (15, 144, 6, 1)
    assert (whole.text, whole.finish, whole.logprob) == ("12+3", FinishReason.STOP, -3.0)
    assert [(b["prompt"], b["max_tokens"]) for b in served.asked] == [
        ([*PROMPT, 15, 144], 78),
        ([*PROMPT], 80),
    ]
    assert served.asked[0]["seed"] != served.asked[1]["seed"]  # the numbers before are used up


def test_texts_alone_cannot_be_gone_on_with() -> None:
    assert goes_on(ServerBackend("http://127.0.0.1:1/v1"))
    assert not goes_on(ServerBackend("http://127.0.0.1:1/v1", dialect="openai"))


# Patience


@pytest.mark.parametrize("trouble", [429, 500, 503, 0])
def test_trouble_that_passes_is_waited_for(serve: Serve, base: Checkpoint, trouble: int) -> None:
    served = serve(lambda n, body: answer(body) if n % 2 else (trouble, "overloaded"))
    drawn = draw(ServerBackend(served.url, concurrency="1"), base, 4)
    assert sorted(d.completion.sample for d in drawn) == [0, 1, 2, 3]
    seeds = [body["seed"] for body in served.asked]
    assert seeds[::2] == seeds[1::2]  # the same request again


def test_trouble_that_stays_ends_the_run(serve: Serve, base: Checkpoint) -> None:
    served = serve(lambda n, body: answer(body) if n < 2 else (503, {"error": "no worker"}))
    drawing = ServerBackend(served.url, concurrency="1", retries="3").complete(
        base, stream(base), [Request(PROMPT, 0, 9)]
    )
    assert len([next(drawing), next(drawing)]) == 2
    with pytest.raises(BackendError, match=r"4 attempts.*503: no worker.*draws the rest"):
        list(drawing)
    assert len(served.asked) == 6


def test_a_silent_server_is_timed_out(serve: Serve, base: Checkpoint) -> None:
    def slowly(number: int, body: dict[str, Any]) -> Reply:
        time.sleep(1.5)
        return answer(body)

    served = serve(slowly)
    with pytest.raises(BackendError, match=r"2 attempts.*no answer within 1 s"):
        draw(ServerBackend(served.url, timeout="1", retries="1"), base, 1)


def test_pauses_grow_with_jitter_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    spans = [0.5, 1, 2, 4, 8, 16, 30, 30]
    for attempt, span in enumerate(spans):
        pauses = [endpoint._pause(attempt, None) for _ in range(50)]
        assert span / 2 <= min(pauses) < max(pauses) <= span
    assert endpoint._pause(0, 7) == 7
    assert endpoint._pause(0, 7000) == 30


def test_closing_the_iterator_ends_every_thread(serve: Serve, base: Checkpoint) -> None:
    hold = threading.Event()

    def reply(number: int, body: dict[str, Any]) -> Reply:
        if number:
            hold.wait(20)
        return answer(body)

    served = serve(reply)
    before = set(threading.enumerate())
    drawing = ServerBackend(served.url, concurrency="4").complete(
        base, stream(base), [Request(PROMPT, 0, 50)]
    )
    next(drawing)
    started = time.monotonic()
    drawing.close()  # type: ignore[attr-defined]  # a generator
    assert time.monotonic() - started < 10
    ours = {t for t in threading.enumerate() if "_work" in t.name}
    assert not ours - before
    hold.set()


# Refusals


def test_nobody_there_is_an_error(base: Checkpoint) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
        with pytest.raises(BackendError, match=f"{url} gave no answer in 2 attempts.*refused"):
            draw(ServerBackend(url, retries="1"), base)


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        ((400, {"error": {"message": "too long"}}), "refused with status 400: too long"),
        ((401, {"error": "who?"}), f"401: who.; put the API key into {KEY}, which is empty"),
        ((404, "no"), "should end where /completions and /models begin"),
        ((200, "<html>"), "no JSON, starting with '<html>'; is this an OpenAI-compatible"),
        ((200, {"choices": []}), "no completion in the answer"),
        ((200, {"choices": [{"text": "a", "finish_reason": "stop"}]}), "returned no token ids"),
        (
            (200, {"choices": [{"text": "a", "finish_reason": "stop", "token_ids": [9]}]}),
            "it has stop rules of its own",
        ),
        (
            (200, {"choices": [{"text": "", "finish_reason": "content_filter"}]}),
            "ended a completion with 'content_filter'",
        ),
    ],
)
def test_an_answer_that_will_not_do_is_explained(
    serve: Serve, base: Checkpoint, reply: Reply, message: str
) -> None:
    served = serve(lambda number, body: reply)
    with pytest.raises(BackendError, match=message):
        list(answers(ServerBackend(served.url), [(base, stream(base), [Request(PROMPT, 0, 5)])]))


def test_an_unknown_model_is_told_with_those_served(serve: Serve, base: Checkpoint) -> None:
    served = serve(names=["a", "b"])
    with pytest.raises(BackendError, match=f"several models, it serves a, b; .*base={served.url}"):
        draw(ServerBackend(served.url), base)
    with pytest.raises(BackendError, match="has no model 'c', it serves a, b"):
        draw(ServerBackend(f"{served.url}#c"), base)
    with pytest.raises(BackendError, match="lists no models"):
        draw(ServerBackend(serve(models=["a"]).url), base)


def test_a_role_without_a_server_is_named(base: Checkpoint) -> None:
    with pytest.raises(BackendError, match="no server for base; add --backend-option base="):
        draw(ServerBackend(rlvr="http://127.0.0.1:1/v1"), base)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "needs to know where: --backend-option url="),
        ({"url": "gpu-1:8000"}, r"url must be http://HOST:PORT/v1 or .*got 'gpu-1:8000'"),
        ({"concurency": "4"}, r"concurency must be http://"),
        ({"base": "http://me:secret@gpu-1/v1"}, f"base holds credentials; .*{KEY}"),
        ({"url": "http://gpu-1/v1", "dialect": "sglang"}, "dialect must be one of vllm, openai"),
        ({"url": "http://gpu-1/v1", "timeout": "0"}, "timeout must be a whole number of at"),
    ],
)
def test_options_explain_their_refusal(options: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message) as error:
        load("server", **options)
    assert "secret" not in str(error.value)


def test_the_engines_name_is_part_of_the_identity() -> None:
    assert ServerBackend("http://gpu/v1", engine="vllm-0.32").identity() == "server/vllm-0.32"


# A real server


def mapped(pid: int) -> set[str]:
    """Files of shared memory that a process has."""
    lines = Path(f"/proc/{pid}/maps").read_text().splitlines()
    return {f"/dev/shm/{name}" for _, found, name in (li.partition("/dev/shm/") for li in lines)
            if found and not name.endswith(" (deleted)")}  # fmt: skip


@needs_vllm
def test_a_real_server_draws_what_is_asked(vllm: tuple[str, int], base: Checkpoint) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(base.path)
    backend = ServerBackend(vllm[0], concurrency="16")
    prompts = backend.encode(base, ["C9,23,15=17:", "S29+67:"])
    drawn = list(backend.complete(base, stream(base), [Request(p, 0, 40) for p in prompts]))
    assert len({(d.request, d.completion.sample) for d in drawn}) == 80
    for completion in (d.completion for d in drawn):
        stopped = completion.token_ids[-1] in base.stop_ids
        assert stopped == (completion.finish is FinishReason.STOP)
        plain = [i for i in completion.token_ids if i not in base.stop_ids]
        assert completion.text == tokenizer.decode(plain)
        assert completion.logprob < 0
    again = list(backend.complete(base, stream(base), [Request(prompts[1], 10, 40)]))
    first = {d.completion.sample: d.completion.token_ids for d in drawn if d.request == 1}
    same = [first[d.completion.sample] == d.completion.token_ids for d in again]
    assert sum(same) / len(same) >= 0.8


@needs_vllm
def test_a_real_server_stops_at_texts(vllm: tuple[str, int], base: Checkpoint) -> None:
    backend = ServerBackend(vllm[0], concurrency="16")
    (prompt,) = backend.encode(base, ["C9,23,15=17:"])
    of = stream(base, stop=("+", "*"))  # type: ignore[arg-type]
    kept = [d.completion for _, d in answers(backend, [(base, of, [Request(prompt, 0, 40)])])]
    assert len(kept) == 40
    assert not any(stop in c.text for stop in "+*" for c in kept)
    assert sum(c.token_ids[-1] not in base.stop_ids for c in kept) >= 10


@needs_vllm
def test_a_real_server_says_that_the_context_is_too_long(
    vllm: tuple[str, int], base: Checkpoint
) -> None:
    told = stream(base, max_new_tokens=500)
    with pytest.raises(BackendError, match=r"status 400: .*max_model_len=160"):
        list(ServerBackend(vllm[0]).complete(base, told, [Request(PROMPT, 0, 1)]))


@needs_vllm
def test_a_real_server_that_dies_is_an_error(vllm: tuple[str, int], base: Checkpoint) -> None:
    """Last in this file: it takes the server along."""
    drawing = ServerBackend(vllm[0], retries="1").complete(
        base, stream(base), [Request(PROMPT, 0, 50_000)]
    )
    next(drawing)
    shared = {file for pid in members(vllm[1]) for file in mapped(pid)}
    end_lost("nobody is marked so", vllm[1])  # but for what unlinks its shared memory
    assert shared
    assert not [file for file in shared if Path(file).exists()]
    with pytest.raises(BackendError, match=r"gave no answer in 2 attempts.*draws the rest"):
        list(drawing)
