"""Kernels by factors against Jacobians taken whole, and against a library of curvature."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from rlvr_gate_fixtures.backends.transformers.factors import Factored  # noqa: E402
from rlvr_gate_fixtures.backends.transformers.gradients import (  # noqa: E402
    Gradients,
    Ground,
    code,
)

from .jacobians import CODES, PASSAGES, by_hand, tiny  # noqa: E402


def gpt2(seed: int) -> Any:
    """Matrices the other way round, tied, with biases and learned places."""
    torch.manual_seed(seed)
    config = transformers.GPT2Config(
        vocab_size=11, n_embd=8, n_layer=1, n_head=2, n_positions=16, initializer_range=0.4,
        bos_token_id=0, eos_token_id=0,
    )  # fmt: skip
    return transformers.GPT2LMHeadModel(config).eval()


def gemma(seed: int) -> Any:
    """An embedding that scales what it looks up, tied to the last layer."""
    torch.manual_seed(seed)
    config = transformers.Gemma3TextConfig(
        vocab_size=11, hidden_size=8, intermediate_size=12, num_hidden_layers=1,
        num_attention_heads=2, num_key_value_heads=1, head_dim=4, initializer_range=0.4,
        bos_token_id=0, eos_token_id=0, pad_token_id=4,
    )  # fmt: skip
    return transformers.Gemma3ForCausalLM(config).eval()


def experts(seed: int) -> Any:
    """Experts in one tensor of three axes, of which a token sees some."""
    torch.manual_seed(seed)
    config = transformers.MixtralConfig(
        vocab_size=11, hidden_size=8, intermediate_size=12, num_hidden_layers=1,
        num_attention_heads=2, num_key_value_heads=1, num_local_experts=4, initializer_range=0.4,
        bos_token_id=0, eos_token_id=0,
    )  # fmt: skip
    model = transformers.MixtralForCausalLM(config).eval()
    model.set_experts_implementation("eager")  # the other has no float64
    return model


MODELS = {
    "tied": tiny, "untied": lambda seed: tiny(seed, False), "gpt2": gpt2, "gemma": gemma,
    "experts": experts,
}  # fmt: skip


@pytest.fixture(params=MODELS)
def ground(request) -> Ground:
    torch.set_num_threads(1)
    return Ground(MODELS[request.param](0), [MODELS[request.param](1)])


def test_factors_make_the_kernels_of_whole_jacobians(ground: Ground) -> None:
    found = Gradients(ground, PASSAGES, CODES, None, factored=True)
    for scale in (0.0, 1.0):
        told = found.at(scale, None, False).kernels.numpy()
        expected = by_hand(ground.model)
        assert np.abs(told - expected).max() < 1e-5 * np.abs(expected).max()


def test_likelihoods_and_products_are_those_of_whole_gradients(ground: Ground) -> None:
    codes = (*CODES, None)
    whole, short = (
        Gradients(ground, PASSAGES, codes, None, factored=f).at(0, None, False)
        for f in (False, True)
    )
    for one, other in ((whole.kernels, short.kernels), (whole.products, short.products)):
        assert float((one - other).abs().max()) < 1e-5 * float(one.abs().max())
    assert torch.equal(whole.kl, short.kl)
    assert torch.equal(whole.logprob, short.logprob)


def test_a_model_is_left_as_it_was(ground: Ground) -> None:
    Gradients(ground, PASSAGES, CODES, None, factored=True).at(0, None, False)
    assert all(p.requires_grad and p.grad is None for p in ground.model.parameters())
    assert not any(m._forward_hooks for m in ground.model.modules())
    again = Gradients(ground, PASSAGES, CODES[:1], None).at(0, None, False).kernels[0].numpy()
    assert np.abs(again - by_hand(ground.model)[0]).max() < 1e-5 * np.abs(again).max()


def test_no_gradient_of_a_matrix_is_ever_made(ground: Ground, request) -> None:
    found = Gradients(ground, PASSAGES, CODES[:1], None, factored=True)._factored
    assert found is not None
    names = [name for name, _ in ground.model.named_parameters()]
    odd = ("embed" * (request.node.callspec.id == "gemma"), "gate.weight", "mlp.experts")
    ids = torch.tensor([[1, 2]])
    probe = found.passed(lambda: ground.model(ids).logits[0, :, 3].sum().backward())
    whole = {names[n] for n in probe.whole if ground.parameters[n].ndim > 1}
    assert whole == {name for name in names if any(part and part in name for part in odd)}
    assert len(probe.factors) > 3


class Sly(torch.nn.Module):
    """Uses a layer's weight behind its back, as what ties by a function does."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = torch.nn.Linear(3, 3, bias=False)
        self.plain = torch.nn.Linear(3, 3, bias=False)

    def forward(self, x: Any) -> Any:
        return torch.nn.functional.linear(self.plain(self.inner(x)), self.inner.weight)


def test_a_matrix_that_is_used_otherwise_too_is_taken_whole() -> None:
    torch.manual_seed(0)
    model, x = Sly(), torch.randn(1, 4, 3)
    found = Factored(model, list(model.parameters()), lambda: model(x).sum().backward())
    assert found._odd == {0}
    probe = found.passed(lambda: model(x).sum().backward())
    assert (probe.whole.keys(), probe.factors.keys()) == ({0}, {1})
    model.zero_grad()
    model(x).sum().backward()
    assert torch.allclose(probe.whole[0], model.inner.weight.grad.flatten())


# A library as an oracle: the Gauss-Newton matrix of a squared error, 2 J'J, has the eigenvalues of
# the kernel, and its product with the update says what `products` say.


class Coded(torch.nn.Module):
    """A model's coded output, in the form that curvlinops asks for."""

    def __init__(self, model: Any, seed: int) -> None:
        super().__init__()
        self.model, self.signs = model, code(seed, 11)

    def forward(self, given: dict[str, Any]) -> Any:
        logits = self.model(given["ids"], use_cache=False).logits[0][given["from"] - 1 : -1]
        centred = (logits - logits.mean(-1, keepdim=True)).mean(0)
        return (centred @ self.signs / math.sqrt(11)).reshape(1, 1)


@pytest.fixture(params=[True, False], ids=["tied", "untied"])
def llama(request) -> Iterator[Ground]:
    ground = Ground(tiny(0, request.param), [tiny(1, request.param)])
    ground.model.set_attn_implementation("eager")  # the other has no forward derivative
    return ground


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated")  # by what it imports
@pytest.mark.parametrize("factored", [False, True])
def test_curvlinops_finds_the_same_spectrum_and_products(llama: Ground, factored: bool) -> None:
    curvlinops = pytest.importorskip("curvlinops", reason="the Makefile installs it")
    told = Gradients(llama, PASSAGES, CODES[:1], None, factored=factored).at(0, None, False)
    data = [({"ids": torch.tensor([[*p, *c]]), "from": len(p)}, torch.zeros(1, 1))
            for p, c in PASSAGES]  # fmt: skip
    matrix = curvlinops.GGNLinearOperator(
        Coded(llama.model, CODES[0]), torch.nn.MSELoss(reduction="sum"), llama.parameters, data,
        check_deterministic=False, batch_size_fn=lambda given: 1,
    )  # fmt: skip
    dense = (matrix @ torch.eye(matrix.shape[1])).double() / 2
    ours = torch.linalg.eigvalsh(told.kernels[0])
    theirs = torch.linalg.eigvalsh(dense)
    assert torch.allclose(ours, theirs[-len(PASSAGES) :], rtol=1e-4)
    assert float(theirs[: -len(PASSAGES)].abs().max()) < 1e-4
    update = torch.cat([u.flatten() for u in llama.updates[0]])
    along = float(update.double() @ (matrix @ update).double()) / 2
    assert float(told.products[0].double().square().sum()) == pytest.approx(along, rel=1e-3)
