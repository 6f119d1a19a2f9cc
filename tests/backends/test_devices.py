"""Children side by side: what each sees and draws, and that none is left, whatever happens."""

from __future__ import annotations

import io
import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rlvr_gate.records import Benchmark, Checkpoint, Problem, Sampling, Stream
from rlvr_gate_fixtures.backends import BackendError, Call, Drawn, Request, origin
from rlvr_gate_fixtures.backends.children import settling
from rlvr_gate_fixtures.backends.children.child import ChildBackend
from rlvr_gate_fixtures.backends.children.loads import Loads, loaded_bytes, parameters
from rlvr_gate_fixtures.backends.children.places import Place
from rlvr_gate_fixtures.backends.devices import DevicesBackend, spread
from rlvr_gate_fixtures.inputs.checkpoints import resolve
from rlvr_gate_fixtures.measurements.samples.fill import fill
from rlvr_gate_fixtures.measurements.samples.plan import Need, make_plan
from rlvr_gate_fixtures.progress import Progress
from rlvr_gate_fixtures.store.samples import Store

BASE = Checkpoint("base", "base", Path("/x/base"), "D1", "Llama", "T1", (0,), "template")
RLVR = replace(BASE, role="rlvr", path=Path("/x/rlvr"), digest="D2")
SFT = replace(BASE, role="sft", path=Path("/x/sft"), digest="D3")
PROBLEMS = tuple(Problem(f"p{i}", f"{i}+{i}=", str(2 * i), "exact") for i in range(10))
SUMS = Benchmark("sums", "tests", "digest of sums", PROBLEMS)


class Fake(ChildBackend):
    name = "fake"
    module = "side_by_side_child"

    def __init__(self, place: Place, folder: Path, **told: object) -> None:
        super().__init__()
        self.move(place)
        self.told = {"folder": str(folder), "meet": 0, "delay": 0.0, "fail_on": "-", **told}

    def identity(self) -> str:
        return "fake"

    def options(self) -> Mapping[str, object]:
        return self.told

    def encode(self, checkpoint: Checkpoint, prompts: object) -> list[tuple[int, ...]]:
        return [tuple(prompt.encode()) for prompt in prompts]  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))


@pytest.fixture(autouse=True)
def no_orphans() -> Iterator[None]:
    """Every test ends without a child."""
    yield
    assert children() == []


def children() -> list[int]:
    """Living children of this process that run the module above."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            if int(parent) == os.getpid() and b"side_by_side" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
    return sorted(found)


def on_gpus(folder: Path, *groups: str, **told: object) -> DevicesBackend:
    places = [Place(gpus=tuple(group.split(","))) for group in groups]
    return DevicesBackend([(Fake(place, folder, **told), place) for place in places])


def call(checkpoint: Checkpoint, samples: int, prompts: int = 1) -> Call:
    stream = Stream(checkpoint.digest, Sampling(), (0,), "fake", 0)
    return checkpoint, stream, [Request((n,), 0, samples) for n in range(prompts)]


def told(drawn: Drawn) -> dict[str, Any]:
    seen: dict[str, Any] = json.loads(drawn.completion.text)
    return seen


def need(checkpoint: Checkpoint, samples: int) -> Need:
    return Need(checkpoint, SUMS, call(checkpoint, 1)[1], samples)


# What is drawn where


def test_checkpoints_are_drawn_at_the_same_time_each_on_its_own_devices(tmp_path: Path) -> None:
    backend = on_gpus(tmp_path, "0,1", "2,3", meet=2)
    drawn = list(backend.complete_all([call(BASE, 5), call(RLVR, 7)]))
    seen = {(position, told(d)["gpus"], told(d)["path"]) for position, d in drawn}
    assert seen == {(0, "0,1", "/x/base"), (1, "2,3", "/x/rlvr")}
    assert sorted((p, d.completion.sample) for p, d in drawn) == [
        *((0, i) for i in range(5)), *((1, i) for i in range(7))
    ]  # fmt: skip


def test_children_on_the_cpu_keep_to_their_cores(tmp_path: Path) -> None:
    core = min(os.sched_getaffinity(0))
    place = Place(parts=((core,),))
    backend = DevicesBackend([(Fake(place, tmp_path), place)])
    (drawn,) = backend.complete(*call(BASE, 1))
    assert told(drawn)["cores"] == [core]
    assert told(drawn)["gpus"] == ""


def test_several_groups_share_a_checkpoint_and_draw_each_sample_once(tmp_path: Path) -> None:
    backend = on_gpus(tmp_path, "0", "1", "2", meet=3, delay=0.001)
    checkpoint, stream, _ = call(BASE, 1)
    asked = [Request((1,), 3, 200), Request((2,), 0, 150), Request((3,), 7, 7)]
    drawn = list(backend.complete(checkpoint, stream, asked))
    places = sorted((d.request, d.completion.sample) for d in drawn)
    assert places == [*((0, i) for i in range(3, 200)), *((1, i) for i in range(150))]
    shares = Counter(told(d)["gpus"] for d in drawn)
    assert sorted(shares) == ["0", "1", "2"]


def test_with_fewer_groups_a_group_takes_one_checkpoint_after_the_other(tmp_path: Path) -> None:
    backend = on_gpus(tmp_path, "0", "1")
    drawn = list(backend.complete_all([call(BASE, 3), call(RLVR, 3), call(SFT, 3)]))
    assert Counter((p, told(d)["gpus"]) for p, d in drawn) == {
        (0, "0"): 3,
        (1, "1"): 3,
        (2, "0"): 3,
    }


def test_kept_children_serve_later_rounds_and_go_over_where_nothing_is_left(
    tmp_path: Path,
) -> None:
    backend = on_gpus(tmp_path, "0", "1", delay=0.001)
    with backend.kept():
        first = {
            p: told(d)["pid"] for p, d in backend.complete_all([call(BASE, 1), call(RLVR, 1)])
        }
        again = {
            p: told(d)["pid"] for p, d in backend.complete_all([call(RLVR, 1), call(BASE, 1)])
        }
        assert again == {0: first[1], 1: first[0]}
        for _ in range(100):  # until the group that had base has come to load rlvr
            last = {told(d)["pid"] for d in backend.complete(*call(RLVR, 200))}
            if len(last) == 2:
                break
        assert len(last) == 2
        assert first[1] in last
    assert children() == []


# How it ends


def test_a_killed_child_ends_all_and_what_arrived_is_stored(tmp_path: Path) -> None:
    """And the same command draws the rest: nothing twice, nothing missing."""
    (tmp_path / "meet").mkdir()
    backend = on_gpus(tmp_path / "meet", "0", "1", meet=2, delay=0.005)
    needs, killed = [need(BASE, 100), need(RLVR, 100)], list[int]()

    class Killing(Progress):
        def drawn(self, checkpoint: str, benchmark: str, completions: int, tokens: int) -> None:
            super().drawn(checkpoint, benchmark, completions, tokens)
            if checkpoint == "rlvr" and not killed:
                alive = children()
                assert len(alive) == 2
                os.kill(alive[0], signal.SIGKILL)
                killed.append(alive[0])  # more may arrive before the run ends

    with Store.open(tmp_path / "store") as store:
        plan = make_plan(needs, store, backend)
        with pytest.raises(BackendError, match=r"on GPU \d: the fake .*signal 9.*draws the rest"):
            fill(plan, store, backend, progress=Killing(io.StringIO(), tty=False))
        assert children() == []
        plan = make_plan(needs, store, backend)
        assert 0 < plan.stored < 2000
        filled = fill(plan, store, backend)
        assert filled.completions == 2000 - plan.stored
        assert make_plan(needs, store, backend).complete


def test_a_refusal_of_one_group_names_it_and_ends_the_others(tmp_path: Path) -> None:
    backend = on_gpus(tmp_path, "0", "1", fail_on="1", delay=0.01)
    with pytest.raises(BackendError, match="on GPU 1: the fake backend: this device is broken"):
        list(backend.complete_all([call(BASE, 100_000), call(RLVR, 100_000)]))
    assert children() == []


def test_leaving_in_the_middle_ends_every_child(tmp_path: Path) -> None:
    """Also of lanes whose completions nobody has taken."""
    backend = on_gpus(tmp_path, "0", "1", "2", meet=3)
    drawing = backend.complete_all([call(BASE, 100_000), call(RLVR, 100_000)])
    next(drawing)
    assert len(children()) == 3
    time.sleep(0.5)  # all lanes stand before a full queue
    drawing.close()
    assert children() == []


def test_after_an_error_the_backend_draws_again(tmp_path: Path) -> None:
    backend = on_gpus(tmp_path, "0", "1", delay=0.01)
    with backend.kept():
        drawing = backend.complete_all([call(BASE, 1000), call(RLVR, 1000)])
        next(drawing)
        os.kill(children()[0], signal.SIGKILL)
        with pytest.raises(BackendError, match="killed by signal 9"):
            list(drawing)
        assert len(list(backend.complete_all([call(BASE, 5), call(RLVR, 5)]))) == 10


def test_ctrl_c_ends_every_child_and_keeps_what_arrived(tmp_path: Path) -> None:
    backend = on_gpus(tmp_path, "0", "1", delay=0.005)

    class Interrupting(Progress):
        def drawn(self, checkpoint: str, benchmark: str, completions: int, tokens: int) -> None:
            super().drawn(checkpoint, benchmark, completions, tokens)
            if not seen:
                os.kill(os.getpid(), signal.SIGINT)
            seen.append(completions)

    seen: list[int] = []
    needs = [need(BASE, 100), need(RLVR, 100)]
    with Store.open(tmp_path / "store") as store:
        plan = make_plan(needs, store, backend)
        with pytest.raises(KeyboardInterrupt):
            fill(plan, store, backend, progress=Interrupting(io.StringIO(), tty=False))
        assert children() == []
        assert make_plan(needs, store, backend).stored == sum(seen) > 0


# What is told


def test_the_plan_counts_the_time_of_the_longest_not_of_all(tmp_path: Path) -> None:
    together = on_gpus(tmp_path, "0", "1")
    alone = Fake(Place(gpus=("0",)), tmp_path)
    with Store.open(tmp_path / "store") as store:
        for checkpoint, seconds in ((BASE, 600.0), (RLVR, 1200.0)):
            store.add_pace(call(checkpoint, 1)[1], 1000, 2000, seconds)
        needs = [need(BASE, 100), need(RLVR, 100)]
        assert make_plan(needs, store, alone).lines()[-1].endswith("about 30 min")
        assert make_plan(needs, store, together).lines()[-1].endswith("about 20 min")


# Memory


def test_a_child_waits_until_the_memory_of_the_last_one_is_back() -> None:
    readings = iter([900, 500, 130, 0])
    settling.settle(lambda: next(readings), 164, seconds=60)
    assert list(readings) == [0]
    settling.settle(lambda: None, 0, seconds=60)  # nobody can tell: no wait
    settling.settle(lambda: 900, 0, seconds=0)  # others hold it: no wait for ever


@pytest.mark.parametrize("device", ["cuda", "cpu"])
def test_children_of_any_backend_wait_for_the_memory_of_their_own_gpus(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, device: str
) -> None:
    """After whatever held them before: another backend's engine, another checkpoint's child."""
    asked: list[str] = []
    held = iter([10, 10, 900, 900, 50])

    def memory_held(gpus: str) -> int:
        asked.append(gpus)
        return next(held)

    monkeypatch.setattr(settling, "memory_held", memory_held)
    monkeypatch.setattr(settling.time, "sleep", lambda _: None)
    settling._at_first.cache_clear()
    for _ in range(2):  # two backends: the first reading is the process's
        backend = Fake(Place(gpus=("7", "8")), tmp_path)
        backend.device = device
        list(backend.complete(BASE, call(BASE, 1)[1], []))
    settling._at_first.cache_clear()
    assert asked == (["7,8"] * 5 if device == "cuda" else [])


def test_the_hardware_that_is_told_is_that_of_the_childs_place(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    names = {"": ["H100", "H100", "T4"], "2": ["T4"], "0,1": ["H100", "H100"]}
    monkeypatch.setattr(origin, "nvidia_smi", lambda fact, gpus: names[gpus])
    origin.hardware.cache_clear()
    backend = Fake(Place(gpus=("2",)), tmp_path)
    backend.device = "cuda"
    assert backend.origin()["hardware"] == "1 x T4"
    backend.place = None
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert backend.origin()["hardware"] == "2 x H100, 1 x T4"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    assert backend.origin()["hardware"] == "2 x H100"
    origin.hardware.cache_clear()


def test_loads_that_do_not_fit_together_take_turns() -> None:
    loads, order = Loads(100), list[str]()
    first, second = threading.Event(), threading.Event()

    def load(name: str, size: int, entered: threading.Event, until: threading.Event) -> None:
        with loads.turn(size, lambda: False):
            order.append(name)
            entered.set()
            assert until.wait(20)
            order.append(f"{name} done")

    free = threading.Event()
    free.set()
    one = threading.Thread(target=load, args=("one", 500, first, second))  # alone: never refused
    one.start()
    assert first.wait(20)
    two = threading.Thread(target=load, args=("two", 60, threading.Event(), free))
    two.start()
    time.sleep(0.1)
    assert order == ["one"]
    second.set()
    for thread in (one, two):
        thread.join(20)
    assert order == ["one", "one done", "two", "two done"]
    with loads.turn(60, lambda: False), loads.turn(40, lambda: False):  # these fit
        pass
    with loads.turn(60, lambda: False), loads.turn(60, lambda: True):  # nobody waits any more
        pass


def test_all_that_share_a_machine_with_gpus_share_its_turns(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    on_cards = [backend for backend, _ in spread("transformers", ["0", "1", "2"])._backends]
    assert isinstance(on_cards[0].loads, Loads)
    assert all(backend.loads is on_cards[0].loads for backend in on_cards)
    ((one, _),) = spread("transformers", ["cpu"])._backends
    assert one.loads is None  # it is checked beforehand that all fit


def test_a_turn_ends_when_the_checkpoint_is_loaded(tmp_path: Path) -> None:
    backend = Fake(Place(gpus=("0",)), tmp_path)
    backend.loads = Loads(1)
    drawing = backend.complete(BASE, call(BASE, 4)[1], call(BASE, 4)[2])
    next(drawing)
    assert backend.loads._taken == 0
    drawing.close()


def test_what_a_checkpoint_takes_in_memory_follows_its_files_and_the_arithmetic() -> None:
    folder = resolve("base", "base").path
    assert 1e6 < parameters(folder) < 3e6
    assert loaded_bytes(folder, "float32") == 2 * loaded_bytes(folder, "bfloat16")
    assert parameters(Path("/nowhere")) == 0
