"""What a machine lacks is said before anything is loaded, and only where it is certain."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from safetensors.numpy import save_file

from rlvr_gate.records import Checkpoint
from rlvr_gate_fixtures.backends import BackendError, InFloat32, check_float32, check_machine
from rlvr_gate_fixtures.backends.children import child, loads, machine
from rlvr_gate_fixtures.backends.children.places import Place
from rlvr_gate_fixtures.backends.devices import DevicesBackend, spread
from rlvr_gate_fixtures.backends.transformers import backend as transformers_backend
from rlvr_gate_fixtures.backends.transformers.backend import TransformersBackend
from rlvr_gate_fixtures.backends.vllm import backend as vllm_backend
from rlvr_gate_fixtures.backends.vllm import gpus as vllm_gpus
from rlvr_gate_fixtures.backends.vllm import shape
from rlvr_gate_fixtures.backends.vllm.backend import VllmBackend

H100 = "GPU-aaaa-1, NVIDIA H100 80GB HBM3, 81559, 9.0"
V100 = "GPU-bbbb-2, Tesla V100-SXM2-16GB, 16384, 7.0"
SHARED = "GPU-cccc-3, NVIDIA GB10, [N/A], 12.1"
Cards = Callable[..., None]


@pytest.fixture
def cards(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cards:
    """Have an `nvidia-smi` that lists these cards, the real way of asking it included."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(transformers_backend, "version", lambda _: "2.13.0+cu130")
    monkeypatch.setattr(vllm_backend, "version", lambda _: "0.32.0")

    def listed(*found: str, knows_kernels: bool = True) -> None:
        lines = [f"{i}, {card}" for i, card in enumerate(found)]
        short = [", ".join(line.split(", ")[:2]) for line in lines]
        plain = [line.rpartition(", ")[0] for line in lines]
        cases = [
            ("*compute_cap*", lines if knows_kernels else None),
            ("*memory.total*", plain),
            ("*index,uuid*", short),
        ]
        script = ["#!/bin/sh", 'case "$1" in']
        for pattern, told in cases:
            says = "exit 2" if told is None else f"printf '%s\\n' {' '.join(map(repr, told))}"
            script.append(f"{pattern}) {says} ;;")
        file = tmp_path / "bin" / "nvidia-smi"
        file.parent.mkdir(exist_ok=True)
        file.write_text("\n".join([*script, "esac\n"]))
        file.chmod(0o755)
        monkeypatch.setenv("PATH", f"{file.parent}{os.pathsep}{os.environ['PATH']}")

    return listed


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., Checkpoint]:
    """A checkpoint of so many numbers in bfloat16, which take no room on the disk."""

    def make(numbers: int = 64, **config: object) -> Checkpoint:
        folder = tmp_path / f"of-{numbers}-{len(config)}"
        folder.mkdir(exist_ok=True)
        save_file({"a.weight": np.zeros((1, 1), np.float16)}, folder / "model.safetensors")
        header = json.dumps(
            {"a.weight": {"dtype": "BF16", "shape": [numbers], "data_offsets": [0, 2 * numbers]}}
        ).encode()
        with (folder / "model.safetensors").open("wb") as file:
            file.write(len(header).to_bytes(8, "little") + header)
            file.truncate(8 + len(header) + 2 * numbers)
        (folder / "config.json").write_text(json.dumps(config))
        return Checkpoint("base", str(folder), folder, "d", "LlamaForCausalLM", "t", (1,))

    return make


def refused(backend: object, *checkpoints: Checkpoint) -> str:
    """What is said; nothing where the machine will do."""
    try:
        check_machine(backend, [[each] for each in checkpoints])
    except BackendError as error:
        return str(error)
    return ""


# GPUs


@pytest.mark.parametrize(
    ("shown", "words"),
    [
        ("0", ""),
        ("1,0", ""),
        ("GPU-aaaa-1", ""),
        ("GPU-b", ""),  # cut short, as CUDA allows
        ("MIG-1234", ""),  # a slice, which only the driver knows
        ("", "CUDA_VISIBLE_DEVICES= hides every GPU: unset it"),
        ("-1", "CUDA_VISIBLE_DEVICES=-1 hides every GPU"),
        ("NoDevFiles", "hides every GPU"),
        ("-1,0", "hides every GPU"),
        ("2", "names 2, and no GPU here is called so: CUDA would see none from there on; "
              "nvidia-smi shows 0 (NVIDIA H100 80GB HBM3, GPU-aaaa-1"),
        ("0,-1,1", "names -1, and no GPU"),
        ("0,cuda:1", "names cuda:1, and no GPU"),
        ("GPU-zzz", "names GPU-zzz, and no GPU"),
        ("GPU-", "names GPU-, and 2 GPUs here are called so"),
        ("0,0", "names GPU 0 (NVIDIA H100 80GB HBM3) twice: name each once"),
        ("0,GPU-aaaa-1", "names GPU 0 (NVIDIA H100 80GB HBM3) twice"),
        ("1, 0,GPU-b", "names GPU 1 (NVIDIA H100 80GB HBM3) twice"),
    ],
)  # fmt: skip
def test_what_cuda_visible_devices_says(
    cards: Cards, made: Callable[..., Checkpoint], monkeypatch: pytest.MonkeyPatch, shown: str,
    words: str,
) -> None:  # fmt: skip
    cards(H100, H100.replace("aaaa-1", "bbbb-2"))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", shown)
    told = refused(TransformersBackend(device="cuda"), made())
    assert words in told
    assert bool(words) == bool(told)


@pytest.mark.parametrize(
    ("shown", "device"),
    [("0", "cuda"), ("GPU-7", "cuda"), ("MIG-3", "cuda"), ("", "cpu"), ("-1", "cpu"),
     ("-1,0", "cpu"), ("NoDevFiles", "cpu"), (" 0", "cuda")],
)  # fmt: skip
def test_auto_takes_no_gpu_that_is_hidden(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, shown: str, device: str
) -> None:
    monkeypatch.setattr(transformers_backend, "_DRIVERS", (str(tmp_path),))
    monkeypatch.setattr(transformers_backend, "version", lambda _: "2.13.0+cu130")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", shown)
    assert TransformersBackend().device == device


@pytest.mark.parametrize(
    ("devices", "words"),
    [
        (["0", "1"], ""),
        (["1", "GPU-aaaa"], ""),
        (["0", "3"], "--devices names 3, and no GPU here is called so"),
        (["0", "GPU-aaaa-1"], "--devices names GPU 0 (NVIDIA H100 80GB HBM3) twice"),
        (["GPU-d"], "--devices names GPU-d, and no GPU here"),
    ],
)
@pytest.mark.parametrize("name", ["transformers", "vllm"])
def test_what_devices_says(
    cards: Cards, made: Callable[..., Checkpoint], name: str, devices: list[str], words: str
) -> None:
    cards(H100, H100.replace("aaaa-1", "bbbb-2"))
    told = refused(spread(name, devices), made())
    assert words in told
    assert bool(words) == bool(told)


def test_more_gpus_than_there_are_share_no_layer(
    cards: Cards, made: Callable[..., Checkpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    cards(H100, V100)
    backend = VllmBackend(tensor_parallel_size="4", dtype="float16")
    assert "needs 4 GPUs, and this process sees 2: lower it" in refused(backend, made())
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    two = VllmBackend(tensor_parallel_size="2", dtype="float16")
    assert "needs 2 GPUs, and this process sees 1" in refused(two, made())


@pytest.mark.parametrize("name", ["transformers", "vllm"])
def test_an_old_card_has_no_bfloat16(
    cards: Cards, made: Callable[..., Checkpoint], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cards(V100, H100)
    words = (
        "GPU 0 (Tesla V100-SXM2-16GB) has compute capability 7.0, and bfloat16 needs 8.0 or more: "
        "give the backend option dtype=float16"
    )
    assert words in refused(spread(name, ["0"]), made())
    assert not refused(spread(name, ["1"]), made())
    assert not refused(spread(name, ["0"], dtype="float16"), made())
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1,0")  # a child without a place takes the first
    assert not refused(TransformersBackend(device="cuda"), made())


def test_a_card_too_small_for_the_weights_is_refused_with_both_sizes(
    cards: Cards, made: Callable[..., Checkpoint]
) -> None:
    cards(V100)
    large = made(14 << 30)
    own = TransformersBackend(device="cuda", dtype="float16")
    assert "the weights alone take 28.0 GiB, and GPU 0 (Tesla V100-SXM2-16GB) has 16.0" in refused(
        own, large
    )
    theirs = VllmBackend(dtype="float16")
    assert "takes 28.0 GiB, and GPU 0" in refused(theirs, large)
    assert "raise tensor_parallel_size" in refused(theirs, large)
    assert not refused(VllmBackend(dtype="float16", quantization="fp8"), large)
    with pytest.raises(BackendError, match=r"take 18\.0 GiB"):  # a pair, to be scored together
        check_machine(own, [[made(9 << 29), made((9 << 29) + 1)]])


def too_large(backend: object, beside: int, *weights: Checkpoint) -> str:
    """What is said of such a sum; nothing where it fits."""
    try:
        check_float32(backend, InFloat32("gradients", weights, "all of them", beside, "do less"))
    except BackendError as error:
        return str(error)
    return ""


def test_what_is_taken_in_float32_is_refused_with_its_sum(
    cards: Cards, made: Callable[..., Checkpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    cards(V100, H100)
    told_of(monkeypatch, 64)
    of = made(1 << 30)  # 4 GiB in float32, whatever arithmetic samples have
    own = TransformersBackend(device="cuda", dtype="float16")
    assert too_large(own, 3 << 29, *[of] * 4) == (
        "gradients: at least 4.0 + 4.0 + 4.0 + 4.0 GiB of weights, always in float32 (all of "
        "them), and 1.5 GiB beside them, together 17.5 GiB, and GPU 0 (Tesla V100-SXM2-16GB) has "
        "16.0 in all: do less, or use a GPU with more"
    )
    assert not too_large(own, 0, *[of] * 4)
    other = TransformersBackend(device="cuda")
    other.move(Place(gpus=("1",)))
    assert not too_large(other, 3 << 29, *[of] * 4)
    told_of(monkeypatch, 3)
    assert too_large(other, 0, of) == (
        "gradients: a checkpoint on its way to the GPU takes 4.0 GiB of the machine's memory, and "
        "3.0 are available: do less"
    )
    here = TransformersBackend(device="cpu")
    told_of(monkeypatch, 8)
    assert not too_large(here, 0, of, of)
    assert too_large(here, 1, of, of) == (
        "gradients: at least 4.0 + 4.0 GiB of weights, always in float32 (all of them), and 0.0 "
        "GiB beside them, together 8.0 GiB of the machine's memory, and 8.0 are available: do "
        "less, or use a machine with more"
    )
    check_float32(object(), InFloat32("x", (of,), "", 1 << 60, ""))  # one that cannot tell


def test_where_nobody_can_tell_nothing_is_refused(
    cards: Cards, made: Callable[..., Checkpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    cards(V100, knows_kernels=False)
    assert [gpu.capability for gpu in machine.gpus()] == [None]
    assert not refused(TransformersBackend(device="cuda"), made())
    cards(SHARED)
    assert [gpu.memory for gpu in machine.gpus()] == [None]
    assert not refused(TransformersBackend(device="cuda"), made(1 << 30))
    monkeypatch.setenv("PATH", "/nonexistent")
    assert machine.gpus() == []
    assert not refused(TransformersBackend(device="cuda"), made())


def test_slices_are_the_transformers_backend_s_alone(
    cards: Cards, made: Callable[..., Checkpoint]
) -> None:
    cards(H100)
    assert not refused(spread("transformers", ["MIG-5"]), made())
    assert "MIG-5 is a slice of a GPU" in refused(spread("vllm", ["MIG-5"]), made())
    assert vllm_gpus.by_index(["GPU-aaaa"])["CUDA_VISIBLE_DEVICES"] == "0"


def test_a_torch_for_cpus_is_told(
    cards: Cards, made: Callable[..., Checkpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    cards(H100)
    monkeypatch.setattr(transformers_backend, "version", lambda _: "2.13.0+cpu")
    told = refused(TransformersBackend(device="cuda"), made())
    assert "torch 2.13.0+cpu is installed, which is built for CPUs" in told
    assert not refused(TransformersBackend(), made())


# The machine's memory


@pytest.fixture
def four_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3})


def told_of(monkeypatch: pytest.MonkeyPatch, gib: int) -> None:
    monkeypatch.setattr(machine, "available", lambda: gib << 30)


@pytest.mark.usefixtures("four_cores")
def test_children_on_the_cpu_fit_into_its_memory_side_by_side(
    made: Callable[..., Checkpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    base, rlvr = made(1 << 30), made(2 << 30)  # in float32 4 and 8 GiB
    two = spread("transformers", ["cpu", "cpu"])
    told_of(monkeypatch, 11)
    assert refused(two, base, rlvr) == (
        "--devices: 2 children side by side take at least 4.0 + 8.0 GiB, together 12.0 GiB of the "
        "machine's memory, and 11.0 are available: name fewer devices, or use a machine with more"
    )
    told_of(monkeypatch, 12)
    assert not refused(two, base, rlvr)
    four = spread("transformers", ["cpu"] * 4, dtype="bfloat16")  # mapped, and so there once
    told_of(monkeypatch, 6)
    assert not refused(four, base, rlvr)
    told_of(monkeypatch, 5)
    assert "4 children side by side take at least 2.0 + 4.0 GiB" in refused(four, base, rlvr)
    told_of(monkeypatch, 12)
    four = spread("transformers", ["cpu"] * 4)
    assert "4.0 + 8.0 + 4.0 + 8.0 GiB, together 24.0" in refused(four, base, rlvr)
    told_of(monkeypatch, 7)
    assert "transformers takes at least 8.0 GiB" in refused(TransformersBackend(), base, rlvr)


def test_a_pair_passes_through_the_machine_s_memory_one_after_the_other(
    cards: Cards, made: Callable[..., Checkpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    cards(H100)
    told_of(monkeypatch, 5)
    pair = [[made(2 << 30), made((2 << 30) + 1)]]  # in bfloat16 4 GiB each
    check_machine(TransformersBackend(device="cuda"), pair)
    with pytest.raises(BackendError, match=r"takes at least 8\.0 GiB"):
        check_machine(TransformersBackend(device="cpu", dtype="bfloat16"), pair)
    told_of(monkeypatch, 3)
    with pytest.raises(BackendError, match=r"takes at least 4\.0 GiB"):
        check_machine(TransformersBackend(device="cuda"), pair)


@pytest.mark.usefixtures("four_cores")
def test_engines_on_the_cpu_count_their_keys_and_values(
    made: Callable[..., Checkpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vllm_backend, "version", lambda _: "0.32.0+cpu")
    monkeypatch.delenv("VLLM_CPU_KVCACHE_SPACE", raising=False)
    base = made(1 << 30)
    two = spread("vllm", ["cpu", "cpu"])
    assert isinstance(two, DevicesBackend)
    told_of(monkeypatch, 11)
    assert "6.0 + 6.0 GiB, together 12.0" in refused(two, base)
    monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")
    assert not refused(two, base)


def test_memory_is_what_is_free_within_the_container_s_limit(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    free = loads.available()
    assert 0 < free <= os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(loads, "_LIMITS", (limit,))
    for text, most in (("max", 1 << 62), (str(1 << 30), 1 << 30)):
        limit.write_text(text)
        assert loads.available() <= most
    assert loads.available() == 1 << 30


# What vLLM would refuse later


@pytest.mark.parametrize(
    ("config", "options", "words"),
    [
        ({"num_attention_heads": 14}, {"tensor_parallel_size": "4"},
         "has 14 heads of attention, which do not divide among 4 devices; 1, 2, 7, 14 would do"),
        ({"num_attention_heads": 32}, {"tensor_parallel_size": "4"}, ""),
        ({"num_attention_heads": 24, "num_key_value_heads": 6}, {"tensor_parallel_size": "4"},
         "has 24 heads of attention, 6 of keys, which do not divide among 4 devices; 1, 2, 3, 6, "
         "12 would do"),
        ({"num_attention_heads": 28, "num_key_value_heads": 2}, {"tensor_parallel_size": "4"}, ""),
        ({"num_attention_heads": 28, "num_key_value_heads": 0}, {"tensor_parallel_size": "4"}, ""),
        ({"text_config": {"num_attention_heads": 14}}, {"tensor_parallel_size": "4"}, "14 heads"),
        ({"num_attention_heads": "many"}, {"tensor_parallel_size": "4"}, ""),
        ({}, {"tensor_parallel_size": "4"}, ""),
        ({"max_position_embeddings": 4096}, {"max_model_len": "8192"},
         "max_model_len=8192: {folder} has a context of 4096, see config.json; lower it"),
        ({"max_position_embeddings": 4096}, {"max_model_len": "4096"}, ""),
        ({"max_position_embeddings": 4096, "rope_scaling": {"type": "linear", "factor": 2}},
         {"max_model_len": "8192"}, ""),
        ({"max_position_embeddings": 4096, "rope_scaling": {"type": "linear", "factor": 2}},
         {"max_model_len": "8193"}, "max_model_len=8193: {folder} has a context of 8192"),
        ({"max_position_embeddings": 4096, "rope_scaling": {"rope_type": "yarn", "factor": 4}},
         {"max_model_len": "8192"}, "has a context of 4096"),
        ({}, {"max_model_len": "8192"}, ""),
    ],
)  # fmt: skip
def test_a_checkpoint_that_does_not_suit_its_options(
    cards: Cards, made: Callable[..., Checkpoint], config: dict[str, object],
    options: dict[str, str], words: str,
) -> None:  # fmt: skip
    cards(*[H100.replace("aaaa", f"a{n}") for n in range(4)])
    of = made(64, **config)
    told = refused(VllmBackend(**options), of)
    assert words.format(folder=of.path) in told
    assert bool(words) == bool(told)


def test_a_longer_context_is_allowed_to_whoever_allows_it_to_vllm(
    cards: Cards, made: Callable[..., Checkpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    cards(H100)
    monkeypatch.setenv("VLLM_ALLOW_LONG_MAX_MODEL_LEN", "1")
    assert not refused(VllmBackend(max_model_len="8192"), made(64, max_position_embeddings=4096))


@pytest.mark.parametrize(("mib", "devices", "refuses"), [(64, 2, True), (64, 1, False),
                                                        (1024, 2, False)])  # fmt: skip
def test_little_shared_memory_is_told_where_gpus_share_a_model(
    cards: Cards, made: Callable[..., Checkpoint], monkeypatch: pytest.MonkeyPatch, mib: int,
    devices: int, refuses: bool,
) -> None:  # fmt: skip
    cards(H100, H100.replace("aaaa-1", "bbbb-2"))
    monkeypatch.setattr(
        shape.os, "statvfs", lambda _: SimpleNamespace(f_frsize=4096, f_blocks=mib << 8)
    )
    told = refused(VllmBackend(tensor_parallel_size=str(devices)), made())
    assert refuses == ("/dev/shm has 64 MiB, too little for GPUs that share a model" in told)
    assert refuses == bool(told)


def test_vllm_that_is_absent_or_too_old_is_told_before_anything_is_asked_of_it(
    made: Callable[..., Checkpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vllm_backend, "_DISTRIBUTIONS", ())
    elsewhere = VllmBackend(build="0.32.0/cuda")
    assert "vLLM is not installed here: fill it where it is" in refused(elsewhere, made())
    monkeypatch.undo()
    monkeypatch.setattr(vllm_backend, "version", lambda _: "0.16.3+cpu")
    assert "needs vLLM 0.17 or newer" in refused(VllmBackend(), made())


def test_no_child_is_started_to_find_out(
    cards: Cards, made: Callable[..., Checkpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "Child", None)
    cards(H100)
    for backend in (TransformersBackend(device="cuda"), VllmBackend(), spread("vllm", ["0"])):
        assert not refused(backend, made())
    one = TransformersBackend(device="cuda")
    one.place = Place(gpus=("9",))
    assert "names 9" in refused(one, made())
