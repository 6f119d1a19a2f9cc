"""Our tests of the vllm backend on the engine that is installed, with either model runner."""

from __future__ import annotations

from gpu_steps.common import (
    GREEDY,
    check_law,
    checkpoint,
    draw,
    need_vllm,
    prompts,
    run_tests,
    stream,
)
from rlvr_gate_fixtures.backends import Request
from rlvr_gate_fixtures.backends.transformers.backend import TransformersBackend
from rlvr_gate_fixtures.backends.vllm.backend import VllmBackend

_TESTS = {"vllm_backend": 150, "vllm_scoring": 60, "agreement": 90}
"""Files of our tests, with the seconds that each may take."""
_NOT = ["-m", "not slow", "-k", "not server"]


def run(quick: bool) -> None:
    """The tests, and greedy completions beside those of transformers."""
    device = need_vllm()
    runners = ["v2", "v1"] if device == "cuda" else [""]
    of, count = checkpoint("rlvr"), 12 if quick else 100
    plain = TransformersBackend(dtype="bfloat16", device="cuda" if device == "cuda" else "cpu")
    asked = [Request(ids, 0, 1) for ids in prompts(plain, of, count)]
    expected = draw(plain, of, stream(of, top_p=GREEDY), asked)
    for runner in runners:
        backend = VllmBackend(enforce_eager="true", runner=runner)
        with backend.kept():
            found = draw(backend, of, stream(of, top_p=GREEDY), asked)
            same = sum(found[at].token_ids == expected[at].token_ids for at in expected)
            print(f"{backend.identity()}: {same} of {count} greedy completions are transformers'")
            many = [Request(each.prompt_ids, 0, 128) for each in asked[:3]]
            check_law(of, many, draw(backend, of, stream(of), many), backend.identity())
            cold = stream(of, temperature=0.7, top_p=0.9)
            draw(backend, of, cold, many)
        assert same >= 0.6 * count, "greedy completions differ from those of transformers"
        if not quick:
            number = {"v1": {"VLLM_USE_V2_MODEL_RUNNER": "0"}}.get(runner, {})
            for name, seconds in _TESTS.items():
                run_tests([f"tests/backends/test_{name}.py", *_NOT], seconds, **number)
