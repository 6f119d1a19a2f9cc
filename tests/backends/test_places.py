"""Devices become places: groups, cores and what a child is told of them."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import pytest

from rlvr_gate.options import devices
from rlvr_gate_fixtures.backends.children import places as module
from rlvr_gate_fixtures.backends.children.places import Place, physical, places, split
from rlvr_gate_fixtures.backends.devices import shared_out, spread
from rlvr_gate_fixtures.backends.transformers.backend import TransformersBackend
from rlvr_gate_fixtures.backends.vllm.backend import binding


@pytest.fixture(autouse=True)
def no_gpus_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.delenv("CUDA_DEVICE_ORDER", raising=False)


@pytest.fixture
def four_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3})


@pytest.fixture
def siblings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Two sockets of two cores of two threads, numbered as Linux does."""
    for core in range(8):
        folder = tmp_path / f"cpu{core}" / "topology"
        folder.mkdir(parents=True)
        (folder / "physical_package_id").write_text(f"{core // 2 % 2}\n")
        (folder / "core_id").write_text(f"{core % 2}\n")
    monkeypatch.setattr(module, "_TOPOLOGY", tmp_path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0,cpu", "GPUs or cpu, not both"),
        ("0,1,0", "each GPU once"),
        ("0,,1", "got '' in '0,,1'"),
        ("cuda:0", "expected GPUs, as in 0,1 or GPU-…, or cpu,cpu; got 'cuda:0'"),
    ],
)
def test_a_list_that_names_no_devices_is_refused(text: str, words: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=words):
        devices(text)


def test_consecutive_devices_form_groups() -> None:
    grouped = places(devices("0,1,GPU-7,3"), each=2)
    assert grouped == [Place(gpus=("0", "1")), Place(gpus=("GPU-7", "3"))]
    assert grouped[1].environment() == {
        "CUDA_VISIBLE_DEVICES": "GPU-7,3", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"
    }  # fmt: skip


def test_devices_that_do_not_divide_into_groups_are_refused() -> None:
    with pytest.raises(ValueError, match=r"tensor_parallel_size=2 needs a multiple of 2 .* got 3"):
        places(devices("0,1,2"), each=2)


def test_indexes_count_in_what_this_process_sees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,MIG-5")
    first, second = places(("1", "0"), each=1)
    assert first.environment() == {"CUDA_VISIBLE_DEVICES": "MIG-5"}
    assert second.gpus == ("4",)
    with pytest.raises(ValueError, match="no GPU 2, as CUDA_VISIBLE_DEVICES=4,MIG-5 shows 2"):
        places(("2",), each=1)


@pytest.mark.usefixtures("four_cores")
def test_parts_of_the_cpu_share_no_core() -> None:
    one, two = places(devices("cpu,cpu"), each=1)
    assert sorted(one.cores + two.cores) == [0, 1, 2, 3]
    assert one.environment()["OMP_NUM_THREADS"] == "2"
    with pytest.raises(ValueError, match=r"5 parts of the CPU need 5 cores, .* may use 4"):
        places(["cpu"] * 5, each=1)


@pytest.mark.usefixtures("siblings")
def test_a_physical_core_is_in_one_part() -> None:
    assert physical(range(8)) == [(0, 4), (1, 5), (2, 6), (3, 7)]
    assert split(range(8), 2) == ((0, 4, 1, 5), (2, 6, 3, 7))
    assert split(range(8), 3) == ((0, 4), (1, 5), (2, 6, 3, 7))
    assert split([0, 4], 2) == ((0,), (4,))  # better than a refusal


@pytest.mark.usefixtures("siblings")
def test_engines_on_the_cpu_are_bound_to_cores_of_their_own() -> None:
    """A thread a physical core, and one core free for vLLM's scheduler where there are several."""
    parts = split(range(8), 2)
    assert [binding([part]) for part in parts] == ["4", "6"]
    assert binding(parts) == "4|6"
    assert binding([(3,)]) == "3"
    assert binding([range(8)]) == "4,5,6"


@pytest.mark.parametrize(
    ("loaded", "wanted", "turns"),
    [
        ("--", "br", [[0], [1]]),
        ("-----", "br", [[0], [1], [0], [1], [0]]),
        ("--", "brs", [[0, 2], [1]]),
        ("-", "br", [[0, 1]]),
        ("rb", "br", [[1], [0]]),
        ("br", "r", [[0], [0]]),
        ("bs", "rs", [[0], [1]]),
        ("bb", "br", [[0], [1]]),
        ("rb", "brs", [[1, 2], [0]]),
    ],
)
def test_checkpoints_are_shared_out_and_stay_where_they_are_loaded(
    loaded: str, wanted: str, turns: list[list[int]]
) -> None:
    assert shared_out(loaded.replace("-", " "), wanted) == turns


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("ray", {}, r"got --backend ray: workers= and gpus= say"),
        ("server", {}, r"got --backend server: .* one URL a role"),
        ("scripted", {"script": "x"}, "got --backend scripted: leave it out"),
        ("transformers", {"device": "cuda"}, "names CPU core 0,1, backend option device=cuda"),
        ("transformers", {"threads": "3"}, "threads=3: --devices leaves a child 2 of the cores"),
    ],
)
@pytest.mark.usefixtures("four_cores")
def test_what_does_not_go_with_devices_is_refused(
    name: str, options: dict[str, str], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        spread(name, ["cpu", "cpu"], **options)


@pytest.mark.usefixtures("four_cores")
def test_transformers_take_the_threads_of_their_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "64")
    backend = TransformersBackend()
    backend.move(places(["cpu", "cpu"], each=1)[0])
    assert backend.options()["threads"] == 2
    assert backend.identity() == TransformersBackend(device="cpu").identity()


def test_transformers_on_gpus_are_those_of_a_run_without_devices() -> None:
    backend = TransformersBackend()
    backend.move(Place(gpus=("1",)))
    assert backend.identity() == TransformersBackend(device="cuda").identity()


@pytest.mark.parametrize(
    ("build", "device", "fits"),
    [("cu129", "0", True), ("cpu", "cpu", True), ("cpu", "0", False), ("cu129", "cpu", False),
     ("xpu", "0", False)],
)  # fmt: skip
def test_vllm_takes_the_devices_of_its_build(
    monkeypatch: pytest.MonkeyPatch, build: str, device: str, fits: bool
) -> None:
    from rlvr_gate_fixtures.backends.vllm import backend as vllm

    monkeypatch.setattr(vllm, "version", lambda name: f"1.2.3+{build}")
    if fits:
        bound = "VLLM_CPU_OMP_THREADS_BIND"
        assert [(bound in b.environment()) for b, _ in spread("vllm", [device])._backends] == [
            device == "cpu"
        ]
    else:
        with pytest.raises(ValueError, match="but the installed vLLM is for"):
            spread("vllm", [device])
