"""The vllm backend scores given tokens as transformers does, on a real engine.

`make test-vllm` runs these; elsewhere they are skipped.
"""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from rlvr_gate.records import Checkpoint, Measure
from rlvr_gate_fixtures.backends import BackendError, Passage, load_scorer
from rlvr_gate_fixtures.backends.vllm.backend import VllmBackend
from rlvr_gate_fixtures.inputs.checkpoints import resolve

pytestmark = pytest.mark.skipif(not find_spec("vllm"), reason="needs vLLM: make test-vllm")

PROMPTS = ["C9,23,15=17:", "C2,3,4=14:", "S29+67:"]


@pytest.fixture(autouse=True)
def small_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")


@pytest.fixture(scope="module")
def base() -> Checkpoint:
    return resolve("base", "base")


def test_scores_are_those_of_transformers(base: Checkpoint) -> None:
    ours = VllmBackend(dtype="float32", enforce_eager="true")
    prompts = ours.encode(base, PROMPTS)
    texts = ["9+23-15=17", "2*3+4", "96", ""]
    ids = ours.encode(base, texts)
    passages = [Passage(prompt, answer) for prompt in prompts for answer in ids]
    theirs = load_scorer("transformers", device="cpu", threads="1").score([base], passages)
    key = (Measure.LOGPROB, (0,))
    expected = {scored.passage: scored.values[key] for scored in theirs}
    found = {scored.passage: scored.values[key] for scored in ours.score([base], passages)}
    assert found.keys() == expected.keys() == set(range(len(passages)))
    for position, values in expected.items():
        assert found[position] == pytest.approx(values, abs=1e-4)


@pytest.mark.slow
def test_a_passage_that_fills_the_checkpoint_s_context_is_scored(base: Checkpoint) -> None:
    """As one that a context of that length has cut; one token more is refused."""
    backend = VllmBackend(dtype="float32", enforce_eager="true")
    (prompt,) = backend.encode(base, PROMPTS[:1])
    answer = tuple(5 + n % 30 for n in range(160 - len(prompt)))
    key, passages = (Measure.LOGPROB, (0,)), [Passage(prompt, answer), Passage(prompt, (6, 7))]
    theirs = load_scorer("transformers", device="cpu", threads="1").score([base], passages)
    expected = {scored.passage: scored.values[key] for scored in theirs}
    with backend.kept():
        found = {scored.passage: scored.values[key] for scored in backend.score([base], passages)}
        assert len(found[0]) == len(answer)
        for position, values in expected.items():
            assert found[position] == pytest.approx(values, abs=1e-4)
        with pytest.raises(
            BackendError, match=r"a passage of 161 tokens .* need a context of 162"
        ):
            list(backend.score([base], [Passage(prompt, (*answer, 6))]))


@pytest.mark.slow
def test_a_passage_that_does_not_fit_is_refused(base: Checkpoint) -> None:
    backend = VllmBackend(enforce_eager="true", max_model_len="32")
    with pytest.raises(BackendError, match=r"a passage of 32 tokens .* need a context of 33"):
        list(backend.score([base], [Passage((5,) * 20, (6,) * 12)]))


def test_divergences_are_refused_before_anything_runs(base: Checkpoint) -> None:
    with pytest.raises(ValueError, match="one checkpoint at a time"):
        VllmBackend().score([base, base], [])
