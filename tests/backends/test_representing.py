"""Representations of texts: means of hidden states, by hand and in a child."""

from __future__ import annotations

import numpy as np
import pytest

from rlvr_gate.kernels.alike import linear
from rlvr_gate_fixtures.backends import BackendError
from rlvr_gate_fixtures.backends.transformers.backend import TransformersBackend
from rlvr_gate_fixtures.inputs.checkpoints import resolve

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from rlvr_gate_fixtures.backends.transformers import representing  # noqa: E402

TEXTS = [[1, 2, 3], [4], [5, 6, 7, 8, 9], [9, 9], [3, 1]]


def tiny():
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=11, hidden_size=8, intermediate_size=12, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=1, eos_token_id=0, bos_token_id=None,
    )  # fmt: skip
    return transformers.LlamaForCausalLM(config).eval()


def test_each_layer_s_mean_over_tokens_and_the_embedding_first() -> None:
    model, told = tiny(), list[None]()
    found = list(representing.kernels(model, TEXTS, lambda: told.append(None)))
    assert (len(found), len(told)) == (3, len(TEXTS))
    rows = [model.model.embed_tokens(torch.tensor(ids)).double().mean(0) for ids in TEXTS]
    first = torch.stack(rows).detach().numpy()
    assert found[0] == pytest.approx(linear(first, cosine=True))
    last = [
        model.model(torch.tensor([ids])).last_hidden_state[0].double().mean(0) for ids in TEXTS
    ]
    assert found[2] == pytest.approx(linear(torch.stack(last).detach().numpy(), cosine=True))


def test_of_a_long_text_the_beginning_is_read(monkeypatch) -> None:
    monkeypatch.setattr(representing, "LONGEST", 3)
    whole, cut = (
        list(representing.kernels(tiny(), texts, lambda: None))
        for texts in (TEXTS, [ids[:3] for ids in TEXTS])
    )
    assert all(np.array_equal(*pair) for pair in zip(whole, cut, strict=True))


def test_a_child_reads_texts_and_refuses_one_without_tokens() -> None:
    base, ticks = resolve("base", "base"), list[int]()
    backend = TransformersBackend(device="cpu", threads="1")
    texts = [f"{i}+{i + 1}=" for i in range(6)]
    found = backend.represent(base, texts, ticks.append).kernels
    assert found.shape[1:] == (6, 6)
    assert ticks == [1, 2, 3, 4, 5, 6]
    assert np.allclose(np.diagonal(found, axis1=1, axis2=2), 1, atol=1e-5)
    with pytest.raises(BackendError, match="no token for the text ''"):
        backend.represent(base, [*texts, ""], ticks.append)


def test_an_answer_that_is_no_kernel_is_refused(monkeypatch) -> None:
    backend, base = TransformersBackend(device="cpu"), resolve("base", "base")
    for lines, said in (([[[[2, 2], "AAAA"]]], "nothing that was asked"), ([], "no layer")):
        monkeypatch.setattr(backend, "_run", lambda job, lines=lines: (each for each in lines))
        with pytest.raises(BackendError, match=said):
            backend.represent(base, ["a", "b", "c"], print)
