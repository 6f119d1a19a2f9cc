"""GPUs by index, by UUID and in slices; parts of a CPU."""

from __future__ import annotations

import os

from gpu_steps.common import Skip, checkpoint, draw, need_gpus, need_torch, stream
from rlvr_gate_fixtures.backends import Backend, BackendError, Request
from rlvr_gate_fixtures.backends.devices import spread
from rlvr_gate_fixtures.backends.vllm.backend import VllmBackend


def run(quick: bool) -> None:
    """Samples are those of a run that names no device."""
    device = need_torch()
    of, asked = checkpoint("base"), [Request((5, 9, 11), 0, 40)]
    options = {"threads": "1"} if device == "cpu" else {}
    one = spread("transformers", [device if device == "cpu" else "0"], **options)
    expected = draw(one, of, stream(of), asked)
    if device == "cpu":
        if len(os.sched_getaffinity(0)) < 2:
            raise Skip("needs two cores, or a GPU")
        two = spread("transformers", ["cpu", "cpu"], **options)
        assert draw(two, of, stream(of), asked) == expected
        print("--devices cpu,cpu: 40 samples, those of --devices cpu")
    need_gpus()
    (uuid, *_) = need_gpus()
    for name in ("0", uuid):
        for engine in ("transformers", "vllm"):
            _draw(f"--devices {name}", lambda e=engine, n=name: spread(e, [n]), of, asked)
    os.environ["CUDA_VISIBLE_DEVICES"] = uuid
    _draw(f"CUDA_VISIBLE_DEVICES={uuid}", lambda: VllmBackend(enforce_eager="true"), of, asked)
    os.environ["CUDA_VISIBLE_DEVICES"] = "MIG-0"
    try:
        draw(VllmBackend(), of, stream(of), asked)
    except BackendError as error:
        print(f"a slice of a GPU: {str(error)[:300]}")


def _draw(what, make, of, asked) -> None:  # type: ignore[no-untyped-def]
    try:
        backend: Backend = make()
    except ValueError as error:
        print(f"{what}: {error}")
        return
    draw(backend, of, stream(of), asked)
    print(f"{what}, {backend.identity()}: all came")
