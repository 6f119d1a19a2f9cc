"""The transformers backend: a real child process on a shipped checkpoint, real kills."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import weakref
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rlvr_gate.records import Checkpoint, FinishReason, Sampling, Stream
from rlvr_gate_fixtures.backends import BackendError, Begun, Drawn, Request
from rlvr_gate_fixtures.backends.children.jobs import Refused
from rlvr_gate_fixtures.backends.children.places import Place
from rlvr_gate_fixtures.backends.transformers import backend as transformers_backend
from rlvr_gate_fixtures.backends.transformers.backend import TransformersBackend
from rlvr_gate_fixtures.inputs.checkpoints import resolve

pytest.importorskip("torch")
pytest.importorskip("transformers")

DEVICE = os.environ.get("RLVR_GATE_TEST_DEVICE", "cpu")
"""What is killed runs there; `make test-gpu` says `cuda`."""
PROMPTS = ["C9,23,15=17:", "C2,3,4=14:", "S29+67:"]


@pytest.fixture(scope="module")
def base() -> Checkpoint:
    return resolve("base", "base")


@pytest.fixture(scope="module")
def backend() -> TransformersBackend:
    return TransformersBackend(device=DEVICE, threads="1")


@pytest.fixture(scope="module")
def prompt_ids(backend: TransformersBackend, base: Checkpoint) -> list[tuple[int, ...]]:
    return backend.encode(base, PROMPTS)


def stream(base: Checkpoint, seed: int = 0, **sampling: float) -> Stream:
    settings = Sampling(**({"max_new_tokens": 80} | sampling))  # type: ignore[arg-type]
    return Stream(base.digest, settings, base.stop_ids, "transformers/float32/cpu", seed)


def children(parent: int) -> list[int]:
    found = subprocess.run(
        ["pgrep", "-f", "transformers.child"], capture_output=True, text=True, check=False
    )
    return [
        int(pid)
        for pid in found.stdout.split()
        if f"\nPPid:\t{parent}\n" in Path(f"/proc/{pid}/status").read_text()
    ]


def gone(pid: int) -> bool:
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.1)
    return False


def by_place(drawn: list[Drawn]) -> dict[tuple[int, int], tuple[int, ...]]:
    return {(d.request, d.completion.sample): d.completion.token_ids for d in drawn}


def test_the_parent_side_imports_no_model_library() -> None:
    code = (
        "import sys, rlvr_gate_fixtures.backends.transformers.backend as b\n"
        "b.TransformersBackend();"
        "print([m for m in ('torch', 'transformers', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_encode_is_the_tokenizers_own_encoding(
    base: Checkpoint, prompt_ids: list[tuple[int, ...]]
) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(base.path)
    assert [tokenizer.decode(ids) for ids in prompt_ids] == PROMPTS


def test_every_sample_comes_once_with_text_and_finish(
    backend: TransformersBackend, base: Checkpoint, prompt_ids: list[tuple[int, ...]]
) -> None:
    asked = [Request(prompt_ids[0], 0, 9), Request(prompt_ids[1], 4, 7)]
    drawn = list(backend.complete(base, stream(base), asked))
    places = sorted((d.request, d.completion.sample) for d in drawn)
    assert places == [*((0, i) for i in range(9)), *((1, i) for i in range(4, 7))]
    for completion in (d.completion for d in drawn):
        stopped = completion.token_ids[-1] in base.stop_ids
        assert stopped == (completion.finish is FinishReason.STOP)
        assert completion.text
        assert completion.logprob < 0


def test_a_sample_does_not_depend_on_what_is_drawn_beside_it(
    backend: TransformersBackend, base: Checkpoint, prompt_ids: list[tuple[int, ...]]
) -> None:
    whole = by_place(
        list(backend.complete(base, stream(base), [Request(i, 0, 24) for i in prompt_ids]))
    )
    parts = by_place(
        list(
            backend.complete(
                base, stream(base), [Request(prompt_ids[2], 10, 24), Request(prompt_ids[0], 3, 5)]
            )
        )
    )
    assert all(whole[(2, s)] == ids for (r, s), ids in parts.items() if r == 0)
    assert all(whole[(0, s)] == ids for (r, s), ids in parts.items() if r == 1)


def test_a_larger_budget_goes_on_where_the_smaller_one_cut(
    backend: TransformersBackend, base: Checkpoint, prompt_ids: list[tuple[int, ...]]
) -> None:
    """In a child of its own, with what is fresh beside it: exactly one long draw, bit for bit."""
    asked = [Request(ids, 0, 12) for ids in prompt_ids]
    long = {(d.request, d.completion.sample): d.completion
            for d in backend.complete(base, stream(base), asked)}  # fmt: skip
    short = [*backend.complete(base, stream(base, max_new_tokens=6), asked)]
    cut = [d for d in short if d.completion.finish is FinishReason.LENGTH]
    assert 3 < len(cut) < len(short)
    rest = [
        Request(
            prompt_ids[d.request],
            d.completion.sample,
            d.completion.sample + 1,
            Begun(d.completion.token_ids, d.completion.logprob),
        )
        for d in cut
    ]
    went_on = {d.request: d.completion
               for d in backend.complete(base, stream(base), [*rest, asked[0]])}  # fmt: skip
    for position, drawn in enumerate(cut):
        assert went_on[position] == long[drawn.request, drawn.completion.sample]


def test_another_seed_is_another_sample(
    backend: TransformersBackend, base: Checkpoint, prompt_ids: list[tuple[int, ...]]
) -> None:
    asked = [Request(prompt_ids[0], 0, 12)]
    one = by_place(list(backend.complete(base, stream(base, seed=1), asked)))
    two = by_place(list(backend.complete(base, stream(base, seed=2), asked)))
    assert one != two


def test_closing_the_iterator_leaves_no_child(
    backend: TransformersBackend, base: Checkpoint, prompt_ids: list[tuple[int, ...]]
) -> None:
    drawing = backend.complete(base, stream(base), [Request(prompt_ids[0], 0, 500)])
    next(drawing)
    running = children(os.getpid())
    assert len(running) == 1
    drawing.close()  # type: ignore[attr-defined]  # a generator
    assert gone(running[0])


def test_a_kept_child_serves_further_jobs_and_draws_the_same(
    base: Checkpoint, prompt_ids: list[tuple[int, ...]]
) -> None:
    backend = TransformersBackend(device="cpu", threads="1")
    alone = by_place(list(backend.complete(base, stream(base), [Request(prompt_ids[0], 4, 8)])))
    assert children(os.getpid()) == []
    with backend.kept():
        list(backend.complete(base, stream(base), [Request(prompt_ids[2], 0, 4)]))
        first = children(os.getpid())
        assert len(first) == 1
        again = by_place(
            list(backend.complete(base, stream(base), [Request(prompt_ids[0], 4, 8)]))
        )
        assert children(os.getpid()) == first
        other = resolve("rlvr", "rlvr")
        list(backend.complete(other, stream(other), [Request(prompt_ids[0], 0, 1)]))
        second = children(os.getpid())
        assert len(second) == 1
        assert second != first
    assert again == alone
    assert gone(first[0])
    assert gone(second[0])


def test_a_kept_child_that_was_killed_is_an_error_and_is_not_kept(
    base: Checkpoint, prompt_ids: list[tuple[int, ...]]
) -> None:
    backend = TransformersBackend(device="cpu", threads="1")
    asked = [Request(prompt_ids[0], 0, 2)]
    with backend.kept():
        list(backend.complete(base, stream(base), asked))
        child = children(os.getpid())[0]
        os.kill(child, signal.SIGKILL)
        assert gone(child)
        with pytest.raises(BackendError, match="killed by signal 9"):
            list(backend.complete(base, stream(base), asked))
        assert len(list(backend.complete(base, stream(base), asked))) == 2
    assert children(os.getpid()) == []


def test_a_killed_child_is_an_error_that_says_what_to_do(
    backend: TransformersBackend, base: Checkpoint, prompt_ids: list[tuple[int, ...]]
) -> None:
    drawing = backend.complete(base, stream(base), [Request(prompt_ids[0], 0, 3000)])
    next(drawing)
    os.kill(children(os.getpid())[0], signal.SIGKILL)
    with pytest.raises(BackendError, match=r"killed by signal 9.*draws the rest"):
        list(drawing)


def test_a_child_dies_with_its_parent(base: Checkpoint, prompt_ids: list[tuple[int, ...]]) -> None:
    code = (
        "import json, sys, time\n"
        "from rlvr_gate.records import Sampling, Stream\n"
        "from rlvr_gate_fixtures.backends import Request\n"
        "from rlvr_gate_fixtures.backends.transformers.backend import TransformersBackend\n"
        "from rlvr_gate_fixtures.inputs.checkpoints import resolve\n"
        "base = resolve('base', 'base')\n"
        "stream = Stream(base.digest, Sampling(max_new_tokens=80), base.stop_ids, 'x', 0)\n"
        f"drawing = TransformersBackend(device={DEVICE!r}, threads='1').complete(base, stream, "
        f"[Request(tuple({list(prompt_ids[0])}), 0, 100000)])\n"
        "next(drawing); print('drawing', flush=True); time.sleep(600)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    assert parent.stdout.readline() == "drawing\n"
    child = children(parent.pid)[0]
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert gone(child)


def test_a_broken_model_shows_the_childs_last_words(
    backend: TransformersBackend, base: Checkpoint, tmp_path: Path
) -> None:
    for name in ("tokenizer.json", "tokenizer_config.json", "generation_config.json"):
        (tmp_path / name).write_bytes((base.path / name).read_bytes())
    config = json.loads((base.path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"model_type": "nonesuch"}))
    broken = Checkpoint("base", "x", tmp_path, "d", "X", "t", (1,))
    with pytest.raises(BackendError, match="nonesuch"):
        list(backend.complete(broken, stream(base), [Request((5,), 0, 1)]))


def test_a_model_that_lost_a_tensor_since_it_was_checked_is_not_sampled(
    backend: TransformersBackend, base: Checkpoint, tmp_path: Path
) -> None:
    for file in base.path.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    raw = (base.path / "model.safetensors").read_bytes()
    (tmp_path / "model.safetensors").write_bytes(raw.replace(b"mlp.down_proj", b"mlp.downxproj"))
    broken = replace(base, path=tmp_path)
    with pytest.raises(BackendError, match=r"not loaded whole: 4 missing .*nothing is drawn"):
        list(backend.complete(broken, stream(base), [Request((5,), 0, 1)]))


def test_slots_suit_the_model() -> None:
    import torch
    from transformers import AutoModelForCausalLM, Qwen2Config, Qwen2ForCausalLM

    from rlvr_gate_fixtures.backends.transformers.slots import fitting_slots

    small = AutoModelForCausalLM.from_pretrained(resolve("base", "base").path)
    assert fitting_slots(small, 20, 80) == 1024
    assert fitting_slots(small, 20, 80, asked=24) == 24
    few = fitting_slots(small, 20, 200_000)
    assert 4 <= few < 16
    with pytest.raises(Refused, match=r"4 sequences in flight need .* lower --max-new-tokens"):
        fitting_slots(small, 20, 100_000_000)
    with pytest.raises(Refused, match=r"9999 sequences in flight need .* option slots"):
        fitting_slots(small, 20, 1_000_000, asked=9999)
    with torch.device("meta"):
        large = Qwen2ForCausalLM(Qwen2Config(num_hidden_layers=8))
    assert 4 <= fitting_slots(large, 20, 2000) <= 64


@dataclass
class Card:
    """What a model on a GPU shows of itself and of its device."""

    total: int
    free: int
    weights: int
    layers: int = 28
    dtype: str = "bfloat16"
    device = SimpleNamespace(type="cuda")

    @property
    def config(self) -> SimpleNamespace:
        return SimpleNamespace(
            head_dim=128, num_key_value_heads=4, num_hidden_layers=self.layers, vocab_size=152_064,
            num_attention_heads=28, hidden_size=3584,
        )  # fmt: skip

    def parameters(self) -> list[SimpleNamespace]:
        return [SimpleNamespace(nbytes=self.weights)]

    def buffers(self) -> list[SimpleNamespace]:
        return []


GIB = 1 << 30


@pytest.mark.parametrize(
    ("total", "free", "weights", "itemsize", "prompt", "budget", "slots"),
    [
        (80, 65, 15, 2, 100, 2048, 128),
        (80, 65, 15, 2, 250, 2048, 128),  # parts of a benchmark: the same rows
        (80, 65, 15, 2, 100, 16_384, 16),
        (80, 50, 30, 4, 100, 16_384, 4),
        (80, 50, 15, 2, 100, 16_384, 16),  # another program has some; what is needed is there
        (24, 9, 15, 2, 100, 2048, 16),
    ],
)
def test_slots_fit_beside_the_weights_on_a_gpu(
    monkeypatch: pytest.MonkeyPatch, total: int, free: int, weights: int, itemsize: int,
    prompt: int, budget: int, slots: int,
) -> None:  # fmt: skip
    import torch

    from rlvr_gate_fixtures.backends.transformers.sampler import MEMORY_PER_SLOT
    from rlvr_gate_fixtures.backends.transformers.slots import allowance, fitting_slots

    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (free * GIB, total * GIB))
    card = Card(total, free, weights * GIB)
    card.dtype = SimpleNamespace(itemsize=itemsize)  # type: ignore[assignment]
    assert fitting_slots(card, prompt, budget) == slots  # type: ignore[arg-type]
    each = 2 * 28 * 4 * 128 * itemsize * (allowance(prompt) + budget) * MEMORY_PER_SLOT
    assert slots * each + weights * GIB <= total * GIB  # the sum that once did not hold
    if slots < 1024:
        assert 2 * slots * (each + 40 * 152_064) > (0.9 * total - weights) * GIB


def test_what_does_not_fit_on_a_gpu_is_refused_with_the_sum(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import torch

    from rlvr_gate_fixtures.backends.transformers.slots import fitting_slots

    card = Card(24 * GIB, 0, 15 * GIB)
    card.dtype = SimpleNamespace(itemsize=2)  # type: ignore[assignment]
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (9 * GIB, 24 * GIB))
    with pytest.raises(Refused, match=r"4 sequences in flight need .* GiB, .* beside the weights"):
        fitting_slots(card, 100, 32_768)  # type: ignore[arg-type]
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (1 * GIB, 24 * GIB))
    with pytest.raises(Refused, match="another program holds the rest"):
        fitting_slots(card, 100, 2048)  # type: ignore[arg-type]


def test_what_an_earlier_job_left_with_torch_is_free_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import torch

    from rlvr_gate_fixtures.backends.transformers.slots import fitting_slots

    card = Card(80 * GIB, 0, 15 * GIB)
    card.dtype = SimpleNamespace(itemsize=2)  # type: ignore[assignment]
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (5 * GIB, 80 * GIB))
    with pytest.raises(Refused, match="another program holds the rest"):
        fitting_slots(card, 100, 2048)  # type: ignore[arg-type]
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda _: 74 * GIB)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda _: 15 * GIB)
    assert fitting_slots(card, 100, 2048) == 128  # type: ignore[arg-type]


def test_a_scoring_pass_takes_half_of_the_memory_that_a_gpu_has_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With what torch keeps of an earlier job, else every job's passes were half of the last's."""
    import torch

    from rlvr_gate_fixtures.backends.transformers.scoring import tokens_at_once

    each, pair = 4 * 6 * 2 * 152_064, [Card(80 * GIB, 0, 0)] * 2
    for free, kept in ((8, 0), (5, 3), (0, 8)):
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _, f=free: (f * GIB, 80 * GIB))
        monkeypatch.setattr(torch.cuda, "memory_reserved", lambda _, k=kept: (k + 30) * GIB)
        monkeypatch.setattr(torch.cuda, "memory_allocated", lambda _: 30 * GIB)
        assert tokens_at_once(pair) == 4 * GIB // each  # type: ignore[arg-type]


def test_a_prompt_is_drawn_among_as_many_in_every_job(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where memory bounds them: by its own length, not by the longest that a job lacks."""
    import torch

    from rlvr_gate_fixtures.backends.transformers.slots import by_slots

    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (65 * GIB, 80 * GIB))
    card = Card(80 * GIB, 0, 15 * GIB)
    card.dtype = SimpleNamespace(itemsize=2)  # type: ignore[assignment]
    prompts = [100, 5000, 230, 300, 90, 4000]
    whole = by_slots(card, prompts, 1024)  # type: ignore[arg-type]
    assert sorted(at for own in whole.values() for at in own) == list(range(6))
    assert list(whole) == sorted(whole, reverse=True)
    assert len(whole) > 1
    for slots, own in whole.items():
        for at in own:
            assert by_slots(card, [prompts[at]], 1024) == {slots: [0]}  # type: ignore[arg-type]
    assert by_slots(card, prompts, 1024, asked=7) == {7: [0, 1, 2, 3, 4, 5]}  # type: ignore[arg-type]
    with pytest.raises(Refused, match="sequences in flight need"):
        by_slots(card, [*prompts, 500_000], 1024)  # type: ignore[arg-type]


def test_a_kept_child_has_no_more_in_memory_than_its_job_asks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A pair after another pair, as where scores or gradients of several roles are taken."""
    from rlvr_gate_fixtures.backends.transformers import child

    class Model:
        def __init__(self, *asked: str) -> None:
            self.asked, self.itself = asked, self  # let go only with its circle
            loads.append((asked[0], {each.asked[0] for each in living}))
            living.add(self)

    loads: list[tuple[str, set[str]]] = []
    living: weakref.WeakSet[Model] = weakref.WeakSet()
    monkeypatch.setattr(child, "_model", Model)
    monkeypatch.setattr(child, "_KEPT", {})
    for pair in ("ab", "ac", "ca", "aa", "d"):
        found: Any = child._models([(each, "") for each in pair], "float32", "cpu")
        assert [each.asked for each in found] == [(each, "", "float32", "cpu") for each in pair]
        del found
    assert loads == [("a", set()), ("b", {"a"}), ("c", {"a"}), ("d", set())]


def test_prompts_of_different_slots_come_whole_and_as_they_would_alone(
    base: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rlvr_gate_fixtures.backends.transformers import child, slots

    monkeypatch.setattr(slots, "fitting_slots", lambda _, room, *more: 16 if room == 256 else 4)
    prompts = [(5, 9, 11), (7,) * 300, (6, 8), (9,) * 270]

    def drawn(*positions: int) -> dict[tuple[int, int], list[int]]:
        emitted: list[Any] = []
        sampling = {"max_new_tokens": 6, "temperature": 1.0, "top_p": 1.0, "stop": ()}
        job: Any = {
            "path": str(base.path), "adapter": "", "dtype": "float32", "device": "cpu",
            "threads": 1, "slots": 0, "load_memory": 0, "digest": base.digest, "seed": 0,
            "stop_ids": list(base.stop_ids), "sampling": sampling,
            "requests": [Request(prompts[at], 0, 5).to_wire() for at in positions],
        }  # fmt: skip
        child.complete(job, emitted.append)
        rows = [line for line in emitted if line != "ready"]
        assert len(rows) == 5 * len(positions)
        return {(positions[request], sample): ids for request, sample, ids, *_ in rows}

    whole = drawn(0, 1, 2, 3)
    assert len(whole) == 20
    assert whole == {**drawn(1, 3), **drawn(2), **drawn(0)}


def test_a_driver_without_torch_is_no_gpu_and_no_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    driver = tmp_path / "nvidiactl"
    driver.touch()
    monkeypatch.setattr(transformers_backend, "_DRIVERS", (str(driver),))
    monkeypatch.setattr(transformers_backend, "_ROCM", str(driver))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    def built(words: str) -> str:
        monkeypatch.setattr(transformers_backend, "version", lambda _: words)
        return TransformersBackend().device

    assert [built(v) for v in ("2.13.0", "2.13.0+cu130", "2.13.0+rocm6.4", "2.13.0+cpu")] == [
        "cuda", "cuda", "cuda", "cpu",
    ]  # fmt: skip

    def missing(_: str) -> str:
        raise PackageNotFoundError("torch")

    monkeypatch.setattr(transformers_backend, "version", missing)
    assert TransformersBackend().device == "cpu"


def test_on_gpus_one_kernel_of_attention_is_left() -> None:
    code = (
        "import torch; from rlvr_gate_fixtures.backends.transformers.child import attend_alike; "
        "attend_alike(); c = torch.backends.cuda; "
        "print(c.flash_sdp_enabled(), c.cudnn_sdp_enabled(), c.mem_efficient_sdp_enabled())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False", "True"]


_HEADS = """
import torch, transformers
from rlvr_gate_fixtures.backends.transformers import child
config = transformers.Qwen2Config(
    vocab_size=31, hidden_size=32, intermediate_size=32, num_hidden_layers=1,
    num_attention_heads=4, num_key_value_heads=2, bos_token_id=None, eos_token_id=1)
model = transformers.Qwen2ForCausalLM(config).eval()
plain = torch.nn.functional.scaled_dot_product_attention
def heard(query, key, value, **more):
    print(query.shape[1], key.shape[1], more.get("enable_gqa", False))
    return plain(query, key, value, **more)
torch.nn.functional.scaled_dot_product_attention = heard
ids = torch.tensor([[5, 6, 7, 8]])
before = model(ids).logits
child.attend_alike()
assert torch.allclose(before, model(ids).logits, atol=1e-5)
"""


def test_that_kernel_is_asked_with_as_many_heads_of_keys_as_of_queries() -> None:
    """It takes no others: whole passages would be a product of every two tokens."""
    done = subprocess.run([sys.executable, "-c", _HEADS], capture_output=True, text=True)
    assert done.stdout.splitlines() == ["4 2 True", "4 4 False"], done.stderr[-2000:]


def test_a_model_on_a_gpu_has_that_kernel_alone(
    base: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before it is loaded, whatever the job is."""
    import torch

    from rlvr_gate_fixtures.backends.transformers import child

    class Chosen(Exception):
        pass

    def choose() -> None:
        raise Chosen

    monkeypatch.setattr(child, "attend_alike", choose)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    with pytest.raises(Chosen):
        child._model(str(base.path), "", "bfloat16", "cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(Refused, match="torch sees no CUDA device"):
        child._model(str(base.path), "", "bfloat16", "cuda")


def test_arithmetic_is_as_wide_as_the_device_is_used_to() -> None:
    assert TransformersBackend(device="cpu").identity() == "transformers/float32/cpu"
    assert TransformersBackend(device="cuda").identity() == "transformers/bfloat16/cuda"
    asked = TransformersBackend(device="cuda", dtype="float32")
    assert asked.identity() == "transformers/float32/cuda"
    moved = TransformersBackend()
    moved.move(Place(gpus=("0",)))
    assert moved.options()["dtype"] == "bfloat16"


def test_a_device_out_of_memory_is_explained() -> None:
    log = (
        "Traceback (most recent call last):\n  File ...\n"
        "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has\n"
    )
    told = TransformersBackend().cause(log)
    assert told.startswith("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00")
    assert "dtype=bfloat16" in told
    assert "--backend vllm" in told
    assert TransformersBackend().cause("ValueError: other") == "ValueError: other"


def test_a_child_that_runs_out_of_a_device_s_memory_says_what_to_do(
    base: Checkpoint, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In the middle of a job, after its first answer."""
    (tmp_path / "full_child.py").write_text(
        "import torch\n"
        "from rlvr_gate_fixtures.backends.children.jobs import serve\n"
        "def complete(job, emit):\n"
        "    emit('ready')\n"
        "    emit([0, 0, [5], 'x', 'length', -1.0])\n"
        "    raise torch.cuda.OutOfMemoryError('CUDA out of memory. Tried to allocate 2.00 GiB. '"
        "'GPU 0 has a total capacity of 79.10 GiB of which 1.04 GiB is free.')\n"
        "serve(complete=complete)\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    monkeypatch.setattr(TransformersBackend, "module", "full_child")
    drawing = TransformersBackend(device="cpu").complete(base, stream(base), [Request((5,), 0, 2)])
    assert next(drawing).completion.token_ids == (5,)
    with pytest.raises(BackendError) as told:
        next(drawing)
    said = str(told.value)
    assert "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity" in said
    assert "dtype=bfloat16" in said
    assert "the same command draws the rest" in said
    assert "Traceback" not in said


def test_threads_follow_the_environment_unless_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert TransformersBackend().threads == 3
    assert TransformersBackend(threads="2").threads == 2
    monkeypatch.setenv("OMP_NUM_THREADS", "")
    assert TransformersBackend().threads == len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dtype": "int4"}, "dtype must be one of float32, bfloat16, float16, got 'int4'"),
        ({"device": "tpu"}, "device must be auto, cpu or cuda, got 'tpu'"),
        ({"threads": "many"}, "threads must be a whole number, got 'many'"),
    ],
)
def test_options_explain_their_refusal(options: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TransformersBackend(**options)


def test_on_a_gpu_the_origin_names_what_the_last_bits_depend_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("NVIDIA_TF32_OVERRIDE", raising=False)
    assert TransformersBackend(device="cuda").origin()["attention"].startswith("memory-efficient")
    monkeypatch.setenv("NVIDIA_TF32_OVERRIDE", "1")
    told = TransformersBackend(device="cuda").origin()["environment"]
    assert told.startswith("NVIDIA_TF32_OVERRIDE=1")
    assert "environment" not in TransformersBackend(device="cpu").origin()
    assert TransformersBackend(device="cuda").identity() == "transformers/bfloat16/cuda"


def test_the_origin_names_versions_hardware_and_options(backend: TransformersBackend) -> None:
    import torch

    origin = backend.origin()
    assert origin.keys() == {"torch", "transformers", "sums", "hardware", "options"}
    assert origin["torch"] == torch.__version__
    assert "threads=1" in origin["options"].split()
