"""Every engine samples the checkpoint's own distribution, and not one near it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.util import find_spec

import numpy as np
import pytest

from rlvr_gate.records import Checkpoint, Completion, Sampling, Stream
from rlvr_gate_fixtures.backends import Backend, Request, load
from rlvr_gate_fixtures.inputs.checkpoints import resolve

pytest.importorskip("torch")
needs_vllm = pytest.mark.skipif(not find_spec("vllm"), reason="needs vLLM: make test-vllm")

PROMPTS = ["C9,23,15=17:", "C2,3,4=14:", "S29+67:"]
SAMPLES = 256
FAR = 4.5  # of a standard normal value; nine of them are looked at


@pytest.fixture(scope="module")
def base() -> Checkpoint:
    return resolve("base", "base")


@pytest.fixture(
    params=[
        "transformers",
        pytest.param("vllm", marks=needs_vllm),
        pytest.param("server", marks=[needs_vllm, pytest.mark.slow]),  # the same engine, served
    ]
)
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Backend]:
    monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")
    if request.param == "server":
        url, _ = request.getfixturevalue("vllm")
        made = load("server", url=url)
    else:
        eager = {"enforce_eager": "true"} if request.param == "vllm" else {}
        made = load(request.param, dtype="bfloat16", **eager)
    with made.kept():
        yield made


def deviations(
    base: Checkpoint,
    drawn: Sequence[tuple[tuple[int, ...], Completion]],
    temperatures: Sequence[float],
) -> np.ndarray:
    """How far sums over all drawn tokens are from what each law says, in standard errors.

    The sums are of each token's log-probability, which a wrong temperature or a cut law moves, and
    of eight random values a token id, which other shifts of probability move. Given what came
    before, a token's value has mean and variance under the law of a plain forward, so each sum of
    differences over its standard error is nearly a standard normal value.
    """
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(base.path, dtype=torch.bfloat16).eval()
    random = torch.randn(8, model.config.vocab_size, generator=torch.manual_seed(0)).double()
    inverse = 1 / torch.tensor(temperatures).double()[:, None, None]
    total, variance = torch.zeros(2, len(temperatures), 9).double()
    for prompt, completion in drawn:
        ids = torch.tensor([[*prompt, *completion.token_ids]])
        count = len(completion.token_ids)
        with torch.no_grad():
            logits = model(input_ids=ids).logits[0, -count - 1 : -1]
        law = torch.log_softmax(logits.double() * inverse, -1)[:, None]
        values = torch.cat([law, random[None, :, None].expand(len(law), -1, count, -1)], 1)
        mean = (law.exp() * values).sum(-1)
        total += (values[:, :, torch.arange(count), ids[0, -count:]] - mean).sum(-1)
        variance += ((law.exp() * values**2).sum(-1) - mean**2).sum(-1)
    return (total / variance.sqrt()).abs().numpy()


def test_tokens_follow_the_law_of_the_checkpoint(backend: Backend, base: Checkpoint) -> None:
    """And would be told from a law that is a little colder or warmer."""
    prompts = backend.encode(base, PROMPTS)
    sampling = Sampling(1.0, 1.0, max_new_tokens=80)
    stream = Stream(base.digest, sampling, base.stop_ids, backend.identity(), 0)
    asked = [Request(ids, 0, SAMPLES) for ids in prompts]
    drawn = [(prompts[d.request], d.completion) for d in backend.complete(base, stream, asked)]
    assert len(drawn) == SAMPLES * len(PROMPTS)
    right, colder, warmer = deviations(base, drawn, [1.0, 0.8, 1.2])
    assert right.max() < FAR < min(colder.max(), warmer.max())
