"""Checkpoints' files that loop or swell, and children that talk nonsense: an error, in time."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from rlvr_gate.records import Checkpoint, Sampling, Stream
from rlvr_gate_fixtures.backends import BackendError, Drawn, Request, load
from rlvr_gate_fixtures.backends.answers import answers, encoded
from rlvr_gate_fixtures.backends.children import child
from rlvr_gate_fixtures.backends.children.child import ChildBackend
from rlvr_gate_fixtures.backends.children.limits import LoadLimits
from rlvr_gate_fixtures.backends.transformers.backend import TransformersBackend
from rlvr_gate_fixtures.inputs.checkpoints import resolve
from rlvr_gate_fixtures.processes.pipe import Lines

LOOP = (
    "{% for a in range(9999) %}{% for b in range(9999) %}{% for c in range(9999) %}{% set x = c %}"
)
END = "{% endfor %}" * 3


@pytest.fixture
def altered(tmp_path: Path) -> Callable[..., Checkpoint]:
    """The shipped base with another template, tokenizer or configuration."""

    def make(template: str = "", tokenizer: str = "", **config: object) -> Checkpoint:
        base = resolve("base", "base")
        folder = tmp_path / "altered"
        shutil.copytree(base.path, folder)
        if template:
            (folder / "chat_template.jinja").write_text(template)
        if tokenizer:
            (folder / "tokenizer.json").write_text(tokenizer)
        known = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(known | config))
        return replace(base, path=folder)

    return make


def backend(**options: str) -> TransformersBackend:
    return TransformersBackend(device="cpu", threads="1", **options)


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (LOOP + END, "took more than 8 s for a prompt; raise the backend option encode_timeout"),
        ("{{ 'ab' * 9999999999 }}", "more than 1 GiB of memory to render a prompt; .*encode_mem"),
        ("{{ raise_exception('not for you') }}", "cannot encode a prompt: .*not for you"),
        ("{{ '' }}", "it has no tokens; see its chat template"),
    ],
    ids=["loops", "swells", "raises", "is empty"],
)
def test_a_template_that_will_not_do_is_told(
    altered: Callable[..., Checkpoint], template: str, message: str
) -> None:
    pytest.importorskip("transformers")
    broken, started = altered(template), time.monotonic()
    seconds = "8" if template.startswith(LOOP) else "60"
    with pytest.raises(BackendError, match=message) as error:
        encoded(backend(encode_timeout=seconds, encode_memory="1"), broken, ["S1+1:"])
    assert str(broken.path) in str(error.value) or "base" in str(error.value)
    assert time.monotonic() - started < 90


def test_a_tokenizer_that_will_not_do_is_told(altered: Callable[..., Checkpoint]) -> None:
    pytest.importorskip("transformers")
    with pytest.raises(BackendError, match=r"the tokenizer of .*altered cannot be used: "):
        encoded(backend(), altered(tokenizer='{"model": ' + "[" * 10**5), ["S1+1:"])


def draw(of: ChildBackend, checkpoint: Checkpoint, samples: int = 1) -> list[Drawn]:
    stream = Stream("D", Sampling(max_new_tokens=4), checkpoint.stop_ids, of.identity(), 0)
    call = (checkpoint, stream, [Request((5, 6, 7), 0, samples)])
    return [drawn for _, drawn in answers(of, [call])]


def test_a_configuration_of_a_billion_layers_is_told(altered: Callable[..., Checkpoint]) -> None:
    pytest.importorskip("transformers")
    broken = altered(num_hidden_layers=10**9)
    with pytest.raises(
        BackendError, match="was not loaded within 6 s; raise the backend"
    ) as error:
        draw(backend(load_timeout="6"), broken)
    assert str(broken.path) in str(error.value)


SWELL = """
import sys, time
from rlvr_gate_fixtures.backends.children.memory import loading
with loading(["x/far-too-large"], 1, print):
    held = [b"x" * 2**28 for _ in range(8)]
    time.sleep(60)
"""


def test_loading_that_swells_says_so_and_ends() -> None:
    run = [sys.executable, "-u", "-c", SWELL]
    ended = subprocess.run(run, capture_output=True, text=True, check=False, timeout=50)
    assert ended.returncode == 1
    assert "loading x/far-too-large took more than 1 GiB of memory" in ended.stdout
    assert "ready" not in ended.stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"load_timeout": "0"}, "load_timeout must be a whole number of at least 1"),
        ({"encode_memory": "-1"}, "encode_memory must be a whole number of at least 1"),
        ({"api_key": "hunter2"}, "unknown backend option api_key"),
    ],
)
def test_limits_explain_their_refusal(options: Mapping[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message) as error:
        load("transformers", **options)
    assert "hunter2" not in str(error.value)


# What a child says

TALK = """
import json, sys, time
for line in sys.stdin:
    for _ in range({times}):
        sys.stdout.write({says})
    sys.stdout.flush()
    time.sleep({stays})
    if "done" not in {says}:
        break
"""


class Talking(ChildBackend):
    """Its child says what it is told to say."""

    name = "talking"
    module = "rlvr_gate_talking"
    limits = replace(LoadLimits(), load_timeout=1)

    def identity(self) -> str:
        return "talking"

    def options(self) -> Mapping[str, object]:
        return {}


@pytest.fixture
def says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Talking]:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(child, "_LONGEST_LINE", 1 << 20)

    def make(text: str, times: int = 1, stays: float = 0, **limits: int) -> Talking:
        told = TALK.format(says=repr(text), times=times, stays=stays)
        (tmp_path / "rlvr_gate_talking.py").write_text(told)
        talking = Talking()
        talking.limits = replace(LoadLimits(load_timeout=60), **limits)
        return talking

    return make


GOOD = '[0, {}, [5, 1], "a", "stop", -1.0]\n'


ONE = "[0, 0, [5, 1], {0}]\ndone\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "ended with status 0. What it drew is stored"),
        (GOOD.format(0)[:-9], "ended with status 0. What it drew is stored"),
        ("no JSON\n", "answered b'no JSON', which is nothing that was asked for"),
        ("[" * 10**5 + "\n", "which is nothing that was asked for"),
        ("7\n", "answered b'7', which is nothing"),
        ('{"kind": "new"}\n', "which is nothing that was asked for"),
        ('{"refused": "no room"}\n', "the talking backend: no room"),
        ("[0, 0]\n", "answered '.0, 0.', which is nothing"),
        ("[0, 0, 5, null, [], {}]\n", "which is nothing that was asked for"),
        ('[0, 0, [5, 1], "a", "tired", -1]\n', "which is nothing that was asked for"),
        (GOOD.format(0) + GOOD.format(0) + "done\n", "sample 0 of request 0 came twice"),
        (GOOD.format(7) + GOOD.format(0) + "done\n", "sample 7 of request 0 was not asked for"),
        (GOOD.format('"0"') + "done\n", "was not asked for"),
        (ONE.format('9, "stop", -1'), "half a surrogate pair"),
        (ONE.format('"", "stop", null'), "its log-probability is 'None', no number"),
        (ONE.format('"", "stop", 1'), "its log-probability is 1, where a finite number"),
        (ONE.format('"", "stop", -Infinity'), "its log-probability is -inf"),
        (ONE.replace("5", "9999").format('"", "stop", -1'), "token id 9999 is none of the voc"),
        (ONE.replace("5, 1", "").format('"", "stop", -1'), "it has 0 tokens, where 1 to 4"),
    ],
)  # fmt: skip
def test_a_child_that_talks_nonsense_is_one_error(
    says: Callable[..., Talking], text: str, message: str
) -> None:
    with pytest.raises(BackendError, match=message) as error:
        draw(says(text), resolve("base", "base"))
    assert len(str(error.value)) < 600


def test_a_line_without_an_end_is_an_error(says: Callable[..., Talking]) -> None:
    with pytest.raises(BackendError, match="a line of more than 1 MiB"):
        draw(says("x" * 2**16, times=9999), resolve("base", "base"))


def test_a_child_that_is_never_ready_is_an_error(says: Callable[..., Talking]) -> None:
    silent = says("", stays=60, load_timeout=1)
    with pytest.raises(BackendError, match="was not loaded within 1 s; raise the backend option"):
        draw(silent, resolve("base", "base"))


def test_a_child_that_is_ready_may_take_its_time(says: Callable[..., Talking]) -> None:
    talking = says('"ready"\n')
    script = Path(os.environ["PYTHONPATH"].split(":")[0]) / "rlvr_gate_talking.py"
    late = "time.sleep(2)\nsys.stdout.write({!r})\n".format(GOOD.format(0) + "done\n")
    script.write_text(script.read_text() + late)
    talking.limits = replace(talking.limits, load_timeout=20)
    assert len(draw(talking, resolve("base", "base"))) == 1


def test_lines_come_whole_whatever_the_pieces() -> None:
    read, write = os.pipe()
    lines = Lines(read, 100)
    os.write(write, b"one\ntw")
    assert lines.read(1) == b"one"
    with pytest.raises(TimeoutError):
        lines.read(0.01)
    os.write(write, b"o\n\nthree")
    assert [lines.read(1), lines.read(1)] == [b"two", b""]
    os.close(write)
    assert lines.read() is None
    os.close(read)


def test_keys_stay_out_of_the_environment_of_a_child(
    says: Callable[..., Talking], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RLVR_GATE_API_KEY_BASE", "hunter2")
    talking = says("")
    script = Path(os.environ["PYTHONPATH"].split(":")[0]) / "rlvr_gate_talking.py"
    script.write_text("import os, sys\nsys.stderr.write(str(dict(os.environ)))")
    with pytest.raises(BackendError, match="ended with status 0") as error:
        draw(talking, resolve("base", "base"))
    assert "hunter2" not in str(error.value)
