"""Has a sample the same bits whatever is drawn beside it? And what attention kernels cost."""

from __future__ import annotations

import itertools
import time

from gpu_steps.common import need_torch
from rlvr_gate_fixtures.backends.transformers.child import attend_alike

_ROWS = (2, 8, 13, 24, 48)
_PROMPTS = (5, 9, 17, 33)  # tokens


def run(quick: bool) -> None:
    """A sample alone and in blocks, in both arithmetics, with our kernel and with torch's own."""
    device = need_torch()
    import torch

    torch.manual_seed(0)
    rows, budget = (_ROWS[:3], 12) if quick else (_ROWS, 60 if device == "cpu" else 400)
    for dtype in (torch.float32, torch.bfloat16):
        model = _model(dtype, device)
        for name, choose in _KERNELS if device == "cuda" else [("torch's kernel", None)]:
            if choose:
                choose()
            alone, told = _tokens(model, 1, budget), []
            for count in rows:
                company = _tokens(model, count, budget)
                told.append(sum(company[place] == alone[place] for place in alone))
            words = ", ".join(f"{n} beside {r - 1}" for n, r in zip(told, rows, strict=True))
            print(f"{dtype} on {device}, {name}: the same bits, of {len(alone)}: {words}")
            if choose is not _any_kernel:
                assert all(n == len(alone) for n in told), "a sample depends on its company"
    attend_alike()
    _long_passage(_model(torch.bfloat16, device), 8000 if device == "cuda" else 200)
    if device == "cuda":
        _time_kernels(_model(torch.bfloat16, device))


def _model(dtype, device):  # type: ignore[no-untyped-def]
    """Grouped attention as of a 7B model, 28 heads on 4, in two layers with random weights."""
    from transformers import Qwen2Config, Qwen2ForCausalLM

    config = Qwen2Config(
        vocab_size=512, hidden_size=256, intermediate_size=512, num_hidden_layers=2,
        num_attention_heads=28, num_key_value_heads=4, head_dim=128, max_position_embeddings=4096,
    )  # fmt: skip
    return Qwen2ForCausalLM(config).to(device, dtype).eval()


def _tokens(model, count, budget):  # type: ignore[no-untyped-def]
    """(tokens, log-probabilities) of sample 0 of each prompt, drawn beside `count - 1` others."""
    from rlvr_gate_fixtures.backends.transformers.sampler import Draws, Sampler

    sampler = Sampler(model, stop_ids=range(20), max_new_tokens=budget, slots=64)
    work = [
        Draws([30 + (7 * i + n) % 400 for i in range(length)], 0, count, 1000 + n)
        for n, length in enumerate(_PROMPTS)
    ]
    runs = [work] if count > 1 else [[each] for each in work]
    drawn = itertools.chain.from_iterable(
        ((work.index(each[s.request]), s) for s in sampler.run(each)) for each in runs
    )
    return {n: (s.token_ids, s.logprobs) for n, s in drawn if s.sample == 0}


def _long_passage(model, tokens) -> None:  # type: ignore[no-untyped-def]
    """A passage is scored without a product of every two of its tokens."""
    import torch

    from rlvr_gate_fixtures.backends.transformers.scoring import score

    on_gpu = model.device.type == "cuda"
    if on_gpu:
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
    ((_, values),) = score([model], [([30] * 9, [31] * tokens)])
    assert all(len(each) == tokens for each in values.values())
    if on_gpu:
        took = torch.cuda.max_memory_allocated() - before
        products = 4 * model.config.num_attention_heads * tokens**2
        print(f"a passage of {tokens:,} tokens is scored in {took >> 20} MiB; products of every "
              f"two tokens would take {products >> 20}")  # fmt: skip
        assert took < products // 4, "attention kept a product of every two tokens"


def _any_kernel() -> None:
    import torch

    torch.backends.cuda.enable_flash_sdp(True)
    torch.backends.cuda.enable_cudnn_sdp(True)


_KERNELS = (("torch's choice of kernel", _any_kernel), ("ours", attend_alike))


def _time_kernels(model) -> None:  # type: ignore[no-untyped-def]
    """200 steps of 48 sequences: cuDNN plans anew for every length."""
    import torch

    for name, choose in _KERNELS:
        choose()
        _tokens(model, 48, 20)
        torch.cuda.synchronize()
        started = time.perf_counter()
        _tokens(model, 48, 200)
        torch.cuda.synchronize()
        print(f"200 steps, {name}: {(time.perf_counter() - started) * 5:.1f} ms a step")
