"""The ray backend as far as it goes without Ray: its options, and what a worker checks."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from rlvr_gate.records import Checkpoint, Sampling, Stream
from rlvr_gate_fixtures.backends import Backend, BackendError, Request, check_machine, load
from rlvr_gate_fixtures.backends.ray import backend as module
from rlvr_gate_fixtures.backends.ray.worker import Driver, Worker, fingerprint, look
from rlvr_gate_fixtures.backends.scripted import ScriptedBackend
from rlvr_gate_fixtures.backends.vllm import backend as vllm_backend

SCRIPT = {"*": {"*": {"right": "yes", "wrong": "no", "success": 0.5}}}


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: importlib.util.find_spec("json"))


@pytest.fixture
def script(tmp_path: Path) -> str:
    path = tmp_path / "script.json"
    path.write_text(json.dumps(SCRIPT))
    return str(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "model"
    path.mkdir()
    (path / "config.json").write_text("{}")
    (path / "model.safetensors").write_bytes(bytes(100_000))
    return path


def test_without_ray_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"needs Ray.*pip install 'rlvr-gate\[ray\]'"):
        load("ray")


@pytest.mark.usefixtures("installed")
def test_an_adapter_is_refused_and_not_drawn_as_its_base(script: str) -> None:
    folder = Path("/x/base")
    adapted = Checkpoint("rlvr", "a", folder, "D", "L", "T", (0,), adapter=Path("/x/adapter"))
    backend = load("ray", inner="scripted", script=script)
    stream = Stream("D", Sampling(), (0,), "x", 0)
    with pytest.raises(BackendError, match="draws from no adapter, and rlvr is one: merge it"):
        backend.complete(adapted, stream, [Request((1,), 0, 1)])


def test_the_parent_side_imports_no_ray() -> None:
    code = (
        "import sys, rlvr_gate_fixtures.backends.ray.backend as b\n"
        "b.find_spec = lambda name: True;"
        "b.RayBackend(); print([m for m in ('ray', 'torch', 'transformers') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.usefixtures("installed")
def test_its_identity_is_the_inner_backends_so_that_they_share_a_store(script: str) -> None:
    alone = load("scripted", script=script)
    assert load("ray", inner="scripted", script=script).identity() == alone.identity()
    options = {"dtype": "bfloat16", "device": "cpu"}
    assert load("ray", **options).identity() == load("transformers", **options).identity()


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"inner": "ray"}, "inner must name a backend that runs a model, got 'ray'"),
        ({"inner": "server"}, "inner must name a backend that runs a model, got 'server'"),
        ({"inner": "nonesuch"}, "unknown backend 'nonesuch'"),
        ({"dtype": "int4"}, "dtype must be one of float32, bfloat16, float16, got 'int4'"),
        ({"address": "ray://head:10001"}, "address must be HOST:PORT or auto, got 'ray://head"),
        ({"workers": "many"}, "workers must be a whole number, got 'many'"),
        ({"cpus": "0"}, "cpus must be a number above 0, got '0'"),
        ({"gpus": "-1"}, "gpus must be a number of at least 0, got '-1'"),
        ({"gpus": "1.5"}, r"gpus above 1 must be whole, got 1\.5"),
        ({"gpus": "0.5"}, r"gpus=0\.5 has workers share a GPU, .* or slots"),
        ({"wait": "nan"}, "wait must be a number of at least 0, got 'nan'"),
    ],
)
def test_options_explain_their_refusal(options: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load("ray", **options)


@pytest.mark.usefixtures("installed")
def test_workers_have_the_gpus_that_their_engine_needs(
    script: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vllm_backend, "version", lambda _: "0.32.0")
    engine = {"inner": "vllm", "tensor_parallel_size": "2"}
    for gpus in ("1", "0.5"):
        with pytest.raises(ValueError, match=r"tensor_parallel_size=2 needs 2 GPUs of a worker"):
            load("ray", **engine, gpus=gpus)
    load("ray", **engine)
    load("ray", **engine, gpus="2")
    load("ray", **engine, gpus="0")  # of the CPU
    half = {"inner": "vllm", "gpus": "0.5"}
    for memory in ({}, {"gpu_memory_utilization": "0.6"}):
        with pytest.raises(ValueError, match=r"give gpu_memory_utilization=0\.5 or less"):
            load("ray", **half, **memory)
    load("ray", **half, gpu_memory_utilization="0.45")
    load("ray", gpus="0.5", slots="16", device="cuda")
    load("ray", gpus="0.5", inner="scripted", script=script)


@pytest.mark.usefixtures("installed")
def test_the_cluster_is_the_options_the_environments_or_our_own(
    script: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def address(**options: str) -> object:
        backend = load("ray", inner="scripted", script=script, **options)
        assert isinstance(backend, module.RayBackend)
        cluster = backend.options()["cluster"]
        assert isinstance(cluster, dict)
        return cluster["address"]

    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    assert address() == "local"
    monkeypatch.setenv("RAY_ADDRESS", "head:6379")
    assert address() == "head:6379"
    assert address(address="other:6379") == "other:6379"


def inner(script: str) -> Backend:
    return load("scripted", script=script)


def like(folder: Path, identity: str, mark: str | None = None, **versions: str) -> Driver:
    """What a node must have like this machine, with or without such versions."""
    return Driver({folder: fingerprint(folder) if mark is None else mark}, identity, versions)


def test_a_worker_whose_node_has_the_checkpoint_is_ready(folder: Path, script: str) -> None:
    worker = Worker("scripted", {"script": "script.json"}, str(folder.parent))
    host, trouble = worker.ready(like(folder, inner(script).identity()))
    assert host
    assert not trouble
    worker.leave()


@pytest.mark.parametrize("change", ["a longer file", "another file", "other bytes"])
def test_a_node_with_other_files_is_refused(folder: Path, script: str, change: str) -> None:
    mark = fingerprint(folder)
    if change == "a longer file":
        (folder / "config.json").write_text("{ }")
    elif change == "another file":
        (folder / "tokenizer.json").write_text("{}")
    else:
        (folder / "model.safetensors").write_bytes(bytes(50_000) + b"x" * 50_000)
    worker = Worker("scripted", {"script": script}, ".")
    _, trouble = worker.ready(like(folder, inner(script).identity(), mark))
    assert "has other files than here" in trouble


def test_a_node_without_the_folder_is_refused(folder: Path, script: str) -> None:
    worker = Worker("scripted", {"script": script}, ".")
    _, trouble = worker.ready(like(folder / "gone", inner(script).identity(), ""))
    assert "all nodes need it at the same path" in trouble


def test_a_node_whose_backend_differs_is_refused(folder: Path, script: str) -> None:
    worker = Worker("scripted", {"script": script}, ".")
    _, trouble = worker.ready(like(folder, "scripted/other"))
    assert "but scripted/other here, and their samples must not be mixed" in trouble


def test_a_node_that_lacks_what_the_backend_needs_is_refused(folder: Path) -> None:
    worker = Worker("scripted", {"script": "/nowhere/script.json"}, ".")
    _, trouble = worker.ready(like(folder, "scripted/x"))
    assert "cannot read the script" in trouble


def test_a_node_with_another_version_of_what_computes_is_refused(
    folder: Path, script: str
) -> None:
    """Else a report would name one that has not drawn what it is about."""
    identity = inner(script).identity()
    _, trouble = Worker("scripted", {"script": script}, ".").ready(
        like(folder, identity, pytest="0.1")
    )
    assert f"pytest is {pytest.__version__} on " in trouble
    assert "but 0.1 here" in trouble
    worker = Worker("scripted", {"script": script}, ".")
    _, trouble = worker.ready(
        like(folder, identity, pytest=pytest.__version__, not_installed="1.0")
    )
    assert not trouble
    worker.leave()


# Before anything is drawn


def test_a_node_tells_what_it_lacks_before_anything_is_loaded(
    folder: Path, script: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)
    here = like(folder, inner(script).identity())
    one = Checkpoint("base", "x", folder, "D", "", "", (0,))
    given = {"script": "script.json"}  # from the folder of whoever asks
    assert look("scripted", given, str(folder.parent), here, [[one]]) == ""
    gone = Driver({folder: "", folder / "gone": ""}, here.identity, {})
    assert "has other files than here" in look("scripted", given, ".", gone, [[one]])
    (folder / "config.json").write_text("")

    def check(self: object, together: list[list[Checkpoint]]) -> None:
        raise BackendError(f"no room for {together[0][0].path}")

    monkeypatch.setattr(ScriptedBackend, "check_machine", check, raising=False)
    here = like(folder, inner(script).identity())
    told = look("scripted", given, ".", here, [[one]])
    assert told.startswith("on ")
    assert f"no room for {folder}" in told


@pytest.mark.usefixtures("installed")
def test_a_cluster_of_our_own_is_looked_at_without_being_started(
    folder: Path, script: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr(module, "_Driver", None)
    monkeypatch.setattr(module, "listed", lambda: ["one GPU"])
    of = Checkpoint("base", "x", folder, "D", "", "", (0,))

    def said(**options: str) -> str:
        try:
            check_machine(load("ray", inner="scripted", script=script, **options), [[of]])
        except BackendError as error:
            return str(error)
        return ""

    assert said(gpus="1") == said() == ""
    assert "a worker needs cpus=100000, and this machine has" in said(cpus="100000")
    assert said(gpus="2") == "a worker needs gpus=2, and this machine has 1: lower it"
    monkeypatch.setattr(module, "listed", list)  # nobody can tell
    assert said(gpus="2") == ""
    of = replace(of, adapter=folder)
    assert "the ray backend draws from no adapter, and base is one" in said()


def test_a_worker_tells_rows_and_the_failure_of_its_backend(folder: Path, script: str) -> None:
    worker = Worker("scripted", {"script": script, "die_after": "5"}, ".")
    worker.ready(like(folder, inner(script).identity()))
    checkpoint = Checkpoint("base", "x", folder, "D", "", "", (0,))
    stream = Stream("D", Sampling(), (0,), inner(script).identity(), 0)
    *rows, last = worker.draw(checkpoint, stream, [Request((50,), 2, 40)])
    assert last == "the scripted backend died, as its script says"
    drawn = [row for batch in rows for row in batch]
    alone = inner(script).complete(checkpoint, stream, [Request((50,), 2, 7)])
    assert [(r[1], r[3]) for r in drawn] == [
        (d.completion.sample, d.completion.text) for d in alone
    ]
    worker.leave()
