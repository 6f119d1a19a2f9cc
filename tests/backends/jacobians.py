"""Kernels of tiny models the long way: Jacobians taken whole, in float64."""

from __future__ import annotations

import math
from copy import deepcopy

import numpy as np
import torch
import transformers

from rlvr_gate_fixtures.backends.transformers.gradients import code

PASSAGES = [([1, 2, 3], [4, 5]), ([3], [6, 7, 8, 9]), ([2, 2], [10]), ([9, 8, 1, 1], [0, 4, 4])]
CODES = (7, 8)


def tiny(seed: int, tied: bool = True, hidden: int = 8):
    torch.manual_seed(seed)
    config = transformers.LlamaConfig(
        vocab_size=11, hidden_size=hidden, intermediate_size=12, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=1, tie_word_embeddings=tied, eos_token_id=0,
        bos_token_id=None, initializer_range=0.4,
    )  # fmt: skip
    return transformers.LlamaForCausalLM(config).eval()


def outputs(model, passage):
    """Averaged centred logits, (vocabulary,), in the model's arithmetic."""
    prompt, completion = passage
    logits = model(torch.tensor([[*prompt, *completion]]), use_cache=False).logits[0]
    logits = logits[len(prompt) - 1 : len(prompt) - 1 + len(completion)]
    return (logits - logits.mean(-1, keepdim=True)).mean(0)


def jacobian(model, passage) -> np.ndarray:
    """Of them by every weight, (vocabulary, weights), in float64, a word at a time."""
    exact = deepcopy(model).double()
    found, weights = outputs(exact, passage), list(exact.parameters())
    rows = [torch.autograd.grad(each, weights, retain_graph=True) for each in found]
    return np.stack([np.concatenate([g.flatten().numpy() for g in row]) for row in rows])


def by_hand(model) -> np.ndarray:
    jacobians = [jacobian(model, passage) for passage in PASSAGES]
    kernels = []
    for seed in CODES:
        rows = np.stack([code(seed, 11).numpy() @ each for each in jacobians]) / math.sqrt(11)
        kernels.append(rows @ rows.T)
    return np.stack(kernels)
