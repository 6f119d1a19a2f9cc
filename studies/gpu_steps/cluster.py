"""A local Ray cluster, and two GPUs side by side where there are two."""

from __future__ import annotations

import os
import tempfile
from importlib.util import find_spec

from gpu_steps.common import Skip, checkpoint, draw, has_cuda, need_gpus, stream
from rlvr_gate_fixtures.backends import Request, load
from rlvr_gate_fixtures.backends.devices import spread


def run(quick: bool) -> None:
    """The same samples with Ray and without; no race of engines that compile the same."""
    of, asked = checkpoint("base"), [Request((5, 9, 11), 0, 60)]
    told = []
    if find_spec("ray"):
        given = (
            {"device": "cuda", "gpus": "1"} if has_cuda() else {"device": "cpu", "threads": "1"}
        )
        plain = {k: v for k, v in given.items() if k != "gpus"}
        expected = draw(load("transformers", **plain), of, stream(of), asked)
        assert draw(load("ray", workers="1", **given), of, stream(of), asked) == expected
        told.append("ray of transformers: the same 60 samples as without")
        if has_cuda() and find_spec("vllm"):
            inner = load("ray", inner="vllm", gpus="1", workers="1", enforce_eager="true")
            draw(inner, of, stream(of), asked)
            told.append("ray of vllm on a GPU: all came")
    else:
        told.append("Ray is not installed: not tried")
    print("\n".join(told))
    if len(told) == 1 and not find_spec("ray"):
        _two(of, asked)
        return
    try:
        _two(of, asked)
    except Skip as skipped:
        print(f"two engines side by side: {skipped}")


def _two(of, asked) -> None:  # type: ignore[no-untyped-def]
    need_gpus(2)
    for attempt in range(3):
        with tempfile.TemporaryDirectory() as cold:
            os.environ["VLLM_CACHE_ROOT"] = cold
            draw(spread("vllm", ["0", "1"]), of, stream(of), asked)
        print(f"--devices 0,1 with cold caches, attempt {attempt + 1}: all came")
    pair = load("vllm", tensor_parallel_size="2", enforce_eager="true")
    draw(pair, of, stream(of), asked)
    print("tensor_parallel_size=2: all came")
