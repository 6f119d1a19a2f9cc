"""What is said where something does not fit: to be read by a person."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from gpu_steps.common import Skip, checkpoint, draw, has_cuda, need_torch, need_vllm, stream, words
from rlvr_gate_fixtures.backends import Backend, BackendError, Request
from rlvr_gate_fixtures.backends.transformers.backend import TransformersBackend
from rlvr_gate_fixtures.backends.vllm.backend import VllmBackend


def run(quick: bool) -> None:
    """Each must be refused with words that name an option."""
    device = need_torch()
    wide = {"slots": "100000000", "device": device}
    _refused("more sequences in flight than fit", TransformersBackend(**wide), "slots")
    try:
        need_vllm()
    except Skip as skipped:
        print(f"vllm: {skipped}")
        return
    too_long = VllmBackend(enforce_eager="true", max_model_len="200000")
    _refused("a context beyond the checkpoint's", too_long, "max_model_len")
    if not has_cuda():
        print("no GPU: neither one that is full nor a fraction of one was tried")
        return
    full = VllmBackend(enforce_eager="true", gpu_memory_utilization="0.99")
    with _held(0.6):
        _refused("another program holds 60 %", VllmBackend(enforce_eager="true"), "memory")
        _refused("99 % of a GPU that is not free", full, "gpu_memory_utilization")
        large = TransformersBackend(dtype="float32", slots="500000")
        _refused("float32 beside another program", large, "dtype=bfloat16")


def _refused(what: str, backend: Backend, word: str) -> None:
    of = checkpoint("base")
    said = ""
    try:
        draw(backend, of, stream(of, budget=100), [Request((5, 6, 7), 0, 1)])
    except BackendError as error:
        said = words(error)
    print(f"{what}:\n    " + (said or "was not refused").replace("\n", "\n    "))
    assert word in said, f"{what}: the message does not say {word!r}"


@contextmanager
def _held(share: float) -> Iterator[None]:
    """So much of the GPU is in use by this process."""
    import torch

    total = torch.cuda.mem_get_info()[1]
    held = torch.empty(int(share * total), dtype=torch.uint8, device="cuda")
    try:
        yield
    finally:
        del held
        torch.cuda.empty_cache()
