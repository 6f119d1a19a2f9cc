"""Kill what runs, at every level; nothing may be left, and the same command goes on."""

from __future__ import annotations

from importlib.util import find_spec

from gpu_steps.common import need_torch, run_tests


def run(quick: bool) -> None:
    """`kill -9` of the child, of the engine's core, of the parent, and Ctrl-C."""
    here = {"RLVR_GATE_TEST_DEVICE": need_torch()}
    child = ["tests/backends/test_transformers_backend.py", "-k", "killed or parent or closing"]
    run_tests(child, 60, **here)
    if not quick:
        run_tests(["tests/whole_runs/test_kills.py", "-m", "not slow"], 120, **here)
    if not find_spec("vllm"):
        print("vLLM is not installed: its engine was not killed")
        return
    named = "left or child or parent" if not quick else "EngineCore"
    run_tests(["tests/backends/test_vllm_backend.py", "-m", "slow", "-k", named], 300)
