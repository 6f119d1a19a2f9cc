"""The ray backend on a real cluster of several nodes, all on this machine: real kills."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rlvr_gate.records import Checkpoint, Sampling, Stream
from rlvr_gate_fixtures.backends import (
    Backend,
    BackendError,
    Drawn,
    Request,
    check_machine,
    load,
)
from rlvr_gate_fixtures.backends.ray import backend as module
from rlvr_gate_fixtures.inputs.checkpoints import resolve

pytest.importorskip("ray", reason="ray is not installed: make test-ray")
pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
    pytest.mark.filterwarnings("default"),  # Ray's own
]

SCRIPT = {"*": {"*": {"right": "yes", "wrong": "no", "success": 0.5}}}
REQUESTS = [Request(tuple(f"question {i}".encode()), 3 * i, 100) for i in range(6)]
LITTLE: dict[str, Any] = {"object_store_memory": 80 << 20, "include_dashboard": False}
SUITES = Path(__file__).parents[2] / "suites"


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.delenv("RAY_ADDRESS", raising=False)


@pytest.fixture(scope="module")
def base() -> Checkpoint:
    return resolve("base", "base")


@pytest.fixture(scope="module")
def head() -> Iterator[Any]:
    """A head without CPUs."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, **LITTLE})
    cluster.nodes = []
    try:
        yield cluster
    finally:
        cluster.shutdown()


@pytest.fixture
def cluster(head: Any) -> Any:
    """The head and two nodes with a CPU each, however many were killed before."""
    alive = [node for node in head.nodes if running(raylet(node))]
    for node in set(head.nodes) - set(alive):
        head.remove_node(node, allow_graceful=False)
    head.nodes = alive
    while len(head.nodes) < 2:
        head.nodes.append(head.add_node(num_cpus=1, **LITTLE))
    return head


@pytest.fixture
def script(tmp_path: Path) -> str:
    path = tmp_path / "script.json"
    path.write_text(json.dumps(SCRIPT))
    return str(path)


def stream(base: Checkpoint, backend: Backend) -> Stream:
    return Stream(base.digest, Sampling(max_new_tokens=80), base.stop_ids, backend.identity(), 0)


def draw(backend: Backend, base: Checkpoint, requests: list[Request]) -> Iterator[Drawn]:
    return backend.complete(base, stream(base, backend), requests)


def contents(drawn: list[Drawn]) -> list[tuple[object, ...]]:
    """Everything that came, so that a sample that came twice is there twice."""
    return sorted(
        (d.request, d.completion.sample, d.completion.token_ids, d.completion.text) for d in drawn
    )


def descendants(pid: int) -> dict[int, str]:
    """The processes that `pid` started, and those that they started: pid -> command line."""
    parents: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            stat = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents.setdefault(int(stat[1]), []).append(int(folder.name))
    found: dict[int, str] = {}
    going = [pid]
    while going:
        for child in parents.get(going.pop(), []):
            going.append(child)
            try:
                command = Path(f"/proc/{child}/cmdline").read_text()
            except OSError:
                continue
            found[child] = command.replace("\0", " ")
    return found


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def all_gone(pids: dict[int, str], seconds: float = 20) -> dict[int, str]:
    """Those of `pids` that have not ended within `seconds`."""
    until = time.monotonic() + seconds
    while (left := {p: c for p, c in pids.items() if running(p)}) and time.monotonic() < until:
        time.sleep(0.1)
    return left


def raylet(node: Any) -> int:
    return int(node.all_processes["raylet"][0].process.pid)


def kill_node(node: Any) -> None:
    """As a machine that loses power: raylet and workers, with `kill -9`."""
    for pid in [raylet(node), *descendants(raylet(node))]:
        os.kill(pid, signal.SIGKILL)


def test_it_draws_what_the_inner_backend_draws(
    cluster: Any, base: Checkpoint, script: str
) -> None:
    inner = load("scripted", script=script)
    ray = load("ray", inner="scripted", script=script, address=cluster.address)
    with ray.kept():
        first = list(draw(ray, base, REQUESTS[:3]))
        second = list(draw(ray, base, REQUESTS[3:]))
    assert contents(first) == contents(list(draw(inner, base, REQUESTS[:3])))
    assert contents(second) == contents(list(draw(inner, base, REQUESTS[3:])))


def test_every_node_is_asked_before_anything_is_drawn(
    cluster: Any, base: Checkpoint, script: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ray = load("ray", inner="scripted", script=script, address=cluster.address)
    before = descendants(os.getpid())
    check_machine(ray, [[base]])
    assert not all_gone({p: c for p, c in descendants(os.getpid()).items() if p not in before})
    large = load("ray", inner="scripted", script=script, address=cluster.address, cpus="8")
    check_machine(large, [[base]])  # no node that could be asked: drawing waits for one
    monkeypatch.setattr(module, "versions", lambda _: {"pytest": "0.1"})
    with pytest.raises(BackendError) as told:
        check_machine(ray, [[base], [base]])
    (line,) = str(told.value).splitlines()  # both nodes are this machine, and say the same
    assert f"pytest is {pytest.__version__} on " in line
    assert "but 0.1 here" in line
    nobody = load("ray", inner="scripted", script=script, address="127.0.0.1:9")
    with pytest.raises(BackendError, match=r"cannot join the Ray cluster at 127\.0\.0\.1:9"):
        check_machine(nobody, [[base]])


def test_transformers_on_two_nodes_draw_the_tokens_of_one_process(
    cluster: Any, base: Checkpoint
) -> None:
    inner = load("transformers", device="cpu", threads="1")
    ray = load("ray", device="cpu", threads="1", address=cluster.address)
    prompts = ray.encode(base, ["C9,23,15=17:", "C2,3,4=14:", "S29+67:"])
    requests = [Request(ids, 2, 60) for ids in prompts]
    drawing = draw(ray, base, requests)
    drawn = [next(drawing)]
    workers = [p for node in cluster.nodes for p in descendants(raylet(node))]
    drawn += drawing
    assert contents(drawn) == contents(list(draw(inner, base, requests)))
    assert not all_gone({p: "" for p in workers if "transformers.child" in commands(p)})


def commands(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def test_a_node_that_dies_costs_no_sample_and_doubles_none(
    cluster: Any, base: Checkpoint, script: str
) -> None:
    options = {"inner": "scripted", "script": script, "address": cluster.address}
    ray = load("ray", **options, delay="0.01")
    drawing = draw(ray, base, REQUESTS)
    drawn = [next(drawing) for _ in range(200)]
    kill_node(cluster.nodes[0])
    drawn += drawing
    assert contents(drawn) == contents(list(draw(load("scripted", script=script), base, REQUESTS)))


def test_a_node_that_joins_is_used_when_the_others_are_gone(
    cluster: Any, base: Checkpoint, script: str
) -> None:
    options = {"inner": "scripted", "script": script, "address": cluster.address}
    ray = load("ray", **options, delay="0.01")
    drawing = draw(ray, base, REQUESTS)
    drawn = [next(drawing) for _ in range(100)]
    old = list(cluster.nodes)
    cluster.nodes.append(cluster.add_node(num_cpus=1, **LITTLE))
    for node in old:
        kill_node(node)
    drawn += drawing
    assert contents(drawn) == contents(list(draw(load("scripted", script=script), base, REQUESTS)))


def test_no_node_left_is_an_error_that_says_what_to_do(
    cluster: Any, base: Checkpoint, script: str
) -> None:
    options = {"inner": "scripted", "script": script, "address": cluster.address}
    ray = load("ray", **options, delay="0.01", wait="8")
    drawing = draw(ray, base, REQUESTS)
    next(drawing)
    for node in cluster.nodes:
        kill_node(node)
    with pytest.raises(
        BackendError,
        match=r"no worker could be started within 8 seconds: each needs 1 CPUs and 0 GPUs, the "
        r"cluster has .* in all, its largest node [01] and 0; .*the same command draws the rest",
    ):
        list(drawing)


def test_a_workers_child_that_is_killed_is_replaced(cluster: Any, base: Checkpoint) -> None:
    ray = load("ray", device="cpu", threads="1", address=cluster.address)
    (prompt,) = ray.encode(base, ["C9,23,15=17:"])
    drawing = draw(ray, base, [Request(prompt, 0, 600)])
    drawn = [next(drawing) for _ in range(20)]
    child = next(
        pid
        for node in cluster.nodes
        for pid, command in descendants(raylet(node)).items()
        if "transformers.child" in command
    )
    os.kill(child, signal.SIGKILL)
    drawn += drawing
    assert sorted(d.completion.sample for d in drawn) == list(range(600))


def test_a_backend_that_fails_at_once_is_not_tried_again(
    cluster: Any, base: Checkpoint, script: str
) -> None:
    options = {"inner": "scripted", "script": script, "address": cluster.address}
    ray = load("ray", **options, die_after="0")
    with pytest.raises(BackendError, match=r"the ray backend: on .*: the scripted backend died"):
        list(draw(ray, base, REQUESTS))


def test_a_backend_that_fails_again_and_again_is_given_up(
    cluster: Any, base: Checkpoint, script: str
) -> None:
    options = {"inner": "scripted", "script": script, "address": cluster.address}
    ray = load("ray", **options, die_after="10", workers="1")
    drawn = []
    with pytest.raises(BackendError, match=r"lost 4 times.*as its script says.*draws the rest"):
        drawn.extend(draw(ray, base, REQUESTS))  # keeps what came before the error
    assert 10 <= len(drawn) == len({d[:2] for d in contents(drawn)})


def test_a_cluster_that_is_not_there_is_an_error(base: Checkpoint, script: str) -> None:
    ray = load("ray", inner="scripted", script=script, address="127.0.0.1:9")
    with pytest.raises(BackendError, match=r"cannot join the Ray cluster at 127\.0\.0\.1:9"):
        list(draw(ray, base, REQUESTS))


@pytest.mark.parametrize("end", ["close", "exhaust"])
def test_our_own_cluster_is_gone_with_the_iterator(
    base: Checkpoint, script: str, end: str
) -> None:
    before = descendants(os.getpid())
    ray = load("ray", inner="scripted", script=script, delay="0.003", workers="2")
    drawing = draw(ray, base, REQUESTS)
    next(drawing)
    ours = {p: c for p, c in descendants(os.getpid()).items() if p not in before}
    assert any("raylet" in command for command in ours.values())
    if end == "close":
        drawing.close()  # type: ignore[attr-defined]  # a generator
    else:
        list(drawing)
    assert not all_gone(ours)


def test_our_own_cluster_dies_with_a_killed_run(base: Checkpoint, tmp_path: Path) -> None:
    code = (
        "import time\n"
        "from rlvr_gate.records import Sampling, Stream\n"
        "from rlvr_gate_fixtures.backends import Request, load\n"
        "from rlvr_gate_fixtures.inputs.checkpoints import resolve\n"
        "base = resolve('base', 'base')\n"
        "ray = load('ray', device='cpu', threads='1', workers='1')\n"
        "stream = Stream(base.digest, Sampling(max_new_tokens=80), base.stop_ids, 'x', 0)\n"
        "drawing = ray.complete(base, stream, [Request((5, 6, 7), 0, 100000)])\n"
        "next(drawing); print('drawing', flush=True); time.sleep(600)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=tmp_path
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "drawing\n"
        ours = descendants(parent.pid)
        assert any("transformers.child" in command for command in ours.values())
        parent.kill()
    assert not all_gone(ours)


def test_a_whole_gate_on_the_cluster_and_without_it_share_a_store(
    cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    problems = [
        json.dumps({"id": f"p{i}", "problem": f"{i}+{i}=", "answer": "yes", "verifier": "exact"})
        for i in range(20)
    ]
    (tmp_path / "sums.jsonl").write_text("\n".join(problems) + "\n")
    (tmp_path / "script.json").write_text(
        json.dumps(
            {
                name: {"*": {"right": "yes", "wrong": "no", "success": success}}
                for name, success in (("base", 0.2), ("rlvr", 0.8))
            }
        )
    )
    command = [
        sys.executable, "-m", "pytest", str(SUITES), "-p", "no:cacheprovider",
        "--model-pair=base,rlvr", "--benchmarks=sums.jsonl", "--backend-option=script=script.json",
    ]  # fmt: skip

    def gate(*options: str) -> dict[str, Any]:
        done = subprocess.run(
            [*command, "--gate-json=gate.json", *options],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode in (0, 10), done.stdout + done.stderr
        assert "(raylet)" not in done.stdout + done.stderr
        document: dict[str, Any] = json.loads((tmp_path / "gate.json").read_text())
        return document

    on_ray = ("--backend=ray", "--backend-option=inner=scripted",
              f"--backend-option=address={cluster.address}")  # fmt: skip
    first = gate(*on_ray, "--samples=32")
    assert first["run"]["sampled"]["completions"] == 2 * 20 * 32
    more = gate("--backend=scripted", "--samples=48")
    assert more["run"]["sampled"]["completions"] == 2 * 20 * 16
    alone = gate("--backend=scripted", "--samples=48", "--sample-store=alone")
    drawn_by = [facts.pop("versions") for of in (more, alone) for facts in of["checkpoints"]]
    assert [sorted(versions) for versions in drawn_by] == [["ray"], ["ray"], [], []]
    # What was drawn is the same; the claims of `more` are judged again, those of `alone` once.
    judged = dict.fromkeys(("run", "gate", "claims"))
    assert {**more, **judged} == {**alone, **judged}
    estimates = [[(c["id"], c["estimate"]) for c in of["claims"]] for of in (more, alone)]
    assert estimates[0] == estimates[1]
