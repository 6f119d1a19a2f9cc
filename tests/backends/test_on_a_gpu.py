"""Sampler, scorer, probes and gradients make no mistake about devices: on a GPU that is none."""

from __future__ import annotations

import copy
import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from rlvr_gate.kernels.sketch import Sketch  # noqa: E402  # after importorskip
from rlvr_gate_fixtures.backends.philox import stream_key  # noqa: E402  # after importorskip
from rlvr_gate_fixtures.backends.transformers import (  # noqa: E402
    blocks,
    factors,
    gradients,
    representing,
    sampler,
    scoring,
    steady,
)

sys.path.append(str(Path(__file__).parent))
from elsewhere import Elsewhere, WrongDevice, a_gpu  # noqa: E402  # beside this file

Model = transformers.PreTrainedModel
PROMPTS = [[5 + i for i in range(length)] for length in (3, 4, 7, 7, 9)]
NEAR = 1e-5  # nats; the last bits may be other ones


def make(seed: int = 0, *, tied: bool = False) -> Model:
    torch.manual_seed(seed)
    config = transformers.Qwen2Config(
        vocab_size=61, hidden_size=48, intermediate_size=96, num_hidden_layers=2,
        num_attention_heads=6, num_key_value_heads=2, max_position_embeddings=256,
        initializer_range=0.15, bos_token_id=None, eos_token_id=1, pad_token_id=0,
        tie_word_embeddings=tied,
    )  # fmt: skip
    return transformers.Qwen2ForCausalLM(config).eval()


@pytest.fixture(scope="module")
def model() -> Model:
    return make()


@pytest.fixture(autouse=True)
def memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (1 << 34, 1 << 34))


def drawn(model: Model, top_p: float = 1.0, of: ModuleType = sampler) -> dict[object, list[float]]:
    """(request, sample, token ids) -> log-probabilities."""
    made = of.Sampler(model, stop_ids=[3], max_new_tokens=12, slots=16, top_p=top_p)
    work = [of.Draws(prompt, 0, 8, stream_key(0, "d", prompt)) for prompt in PROMPTS]
    return {(d.request, d.sample, *d.token_ids): d.logprobs for d in made.run(work)}


def scored(models: list[Model], of: ModuleType = scoring) -> dict[object, list[float]]:
    passages = [(prompt, [7, 8, 9, 10][: 1 + n]) for n, prompt in enumerate(PROMPTS[:4])]
    return {
        (position, *key): values.tolist()
        for position, each in of.score(models, passages, True)
        for key, values in each.items()
        if of.packed({key: values})
    }


HELD = {"whole": (None, False), "sketched": (Sketch(50), False), "factored": (None, True)}
"""How gradients are held: by which sketch, and whether as factors."""


def tangent(models: list[Model], held: str, of: ModuleType = gradients) -> list[float]:
    """Everything that points at, on the way to and beside a checkpoint tell."""
    sketch, factored = HELD[held]
    passages = [(prompt, [7, 8, 9, 10][: 1 + n]) for n, prompt in enumerate(PROMPTS[:3])]
    made = of.Gradients(
        of.Ground(models[0], models[1:]), passages, (7, None), sketch, factored=factored
    )
    points = [made.at(0.0, None, False), made.at(0.5, None, True), made.at(1.0, 3, False)]
    arrays = [a.numpy() for p in points for a in (p.kernels, p.products, p.kl, p.logprob)]
    return [number for a in arrays for number in a.flatten().tolist()] + [p.size for p in points]


def represented(model: Model, of: ModuleType = representing) -> list[float]:
    """How alike texts are in every layer."""
    layers = of.kernels(model, PROMPTS, lambda: None)
    return [float(number) for layer in layers for number in layer.flatten()]


def test_representations_are_those_of_the_cpu(model: Model) -> None:
    expected, there = represented(model), copy.deepcopy(model)
    with a_gpu(there):
        assert represented(there) == pytest.approx(expected, abs=NEAR)


@pytest.mark.parametrize(
    ("held", "tied"),
    [
        *((held, True) for held in HELD),
        ("whole", False),
        pytest.param("sketched", False, marks=pytest.mark.slow),
        pytest.param("factored", False, marks=pytest.mark.slow),
    ],
)
def test_kernels_are_those_of_the_cpu(held: str, tied: bool) -> None:
    pair = [make(0, tied=tied), make(1, tied=tied)]
    expected, there = tangent(copy.deepcopy(pair), held), copy.deepcopy(pair)
    with a_gpu(*there, learning=True):
        assert (there[0].lm_head.weight is there[0].model.embed_tokens.weight) is tied
        found = tangent(there, held)
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("top_p", [1.0, 0.9])
def test_samples_are_those_of_the_cpu(model: Model, top_p: float) -> None:
    expected, there = drawn(model, top_p), copy.deepcopy(model)
    with a_gpu(there):
        assert there.device.type == "cuda"
        found = drawn(there, top_p)
    assert found.keys() == expected.keys()
    for place, logprobs in expected.items():
        assert found[place] == pytest.approx(logprobs, abs=NEAR)


def test_scores_are_those_of_the_cpu(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one pass and in pieces."""
    pair = [model, make(1)]
    expected, there = scored(pair), copy.deepcopy(pair)
    with a_gpu(*there):
        whole = scored(there)
        monkeypatch.setattr(scoring, "tokens_at_once", lambda models: 5)
        pieces = scored(there)
    assert whole.keys() == pieces.keys() == expected.keys()
    for place, values in expected.items():
        assert whole[place] == pytest.approx(values, abs=NEAR)
        assert pieces[place] == pytest.approx(values, abs=NEAR)


def test_probes_ask_the_device_that_the_weights_are_on(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    for most in (2**25, 0):  # by cancelling copies, and as they are
        monkeypatch.setattr(steady, "LARGEST_COPY", most)
        there = copy.deepcopy(model)
        with a_gpu(there):
            assert 8 <= steady.SteadyRows(there, 32).at_least(5) <= 32


# It would find mistakes


def planted(module: ModuleType, line: str, wrong: str) -> ModuleType:
    """The module with one of its lines changed, as another module."""
    assert module.__file__
    text = Path(module.__file__).read_text("utf-8")
    assert text.count(line), f"{module.__name__} no longer has {line!r}"
    spec = importlib.util.spec_from_loader(f"planted_{module.__name__.rpartition('.')[2]}", None)
    assert spec
    made = importlib.util.module_from_spec(spec)
    sys.modules[made.__name__] = made  # where its dataclasses are looked up
    code = compile(text.replace(line, wrong), made.__name__, "exec")
    exec(code, made.__dict__)  # noqa: S102  # our own text
    return made


@pytest.fixture
def registered() -> Iterator[None]:
    yield
    transformers.AttentionInterface.register(blocks.ATTENTION, blocks.block_attention)


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize(
    ("module", "line", "wrong"),
    [
        (sampler, "torch.from_numpy(tokens).to(model.device)", "torch.from_numpy(tokens)"),
        (sampler, "torch.tensor(ids, device=model.device)", "torch.tensor(ids)"),
        (sampler, "torch.from_numpy(at).to(law.device)", "torch.from_numpy(at)"),
        (sampler, "position)).to(law.device)", "position))"),
        (sampler, "uniform).cpu().numpy()", "uniform).numpy()"),
        (sampler, "chosen].cpu().numpy()", "chosen].numpy()"),
        (sampler, "dtype=model.dtype, device=model.device", "dtype=model.dtype"),
        (blocks, "[:, None].to(tokens.device)", "[:, None]"),
        (blocks, "torch.arange(prompts.shape[1], device=prompts.device)",
         "torch.arange(prompts.shape[1])"),
        (representing, "[ids[:LONGEST]], device=model.device", "[ids[:LONGEST]]"),
        (representing, "for state in states]).cpu()", "for state in states])"),
        (scoring, "ids = ids.to(models[0].device)", "ids = ids"),
        (scoring, "torch.arange(logits.shape[-1], device=ids.device)",
         "torch.arange(logits.shape[-1])"),
        (scoring, "dim=1).cpu()", "dim=1)"),
        (steady, ".to(weight.device, weight.dtype)", ".to(weight.dtype)"),
        (steady, "batch.to(device, dtype)", "batch.to(dtype)"),
    ],
)  # fmt: skip
def test_a_forgotten_device_is_found(
    model: Model, module: ModuleType, line: str, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, there = planted(module, line, wrong), copy.deepcopy([model, make(1)])
    calls: dict[ModuleType, Callable[[], object]] = {
        sampler: lambda: drawn(there[0], of=made),
        blocks: lambda: drawn(there[0]),
        representing: lambda: represented(there[0], of=made),
        scoring: lambda: scored(there, of=made),
        steady: lambda: [
            made.SteadyRows(there[0], 32).at_least(5),
            monkeypatch.setattr(made, "LARGEST_COPY", 0),
            made.SteadyRows(there[0], 32).at_least(5),
        ],
    }
    if module is blocks:
        monkeypatch.setattr(sampler, "Batch", made.Batch)
        monkeypatch.setattr(sampler, "prefill", made.prefill)
    with a_gpu(*there), pytest.raises(WrongDevice):
        calls[module]()


@pytest.mark.parametrize(
    ("module", "held", "line", "wrong"),
    [
        (gradients, "whole", "code(seed, size).to(device)", "code(seed, size)"),
        (gradients, "whole", "generator=random).to(update.device)", "generator=random)"),
        (gradients, "sketched", "self._sink.width, device=device",
         "self._sink.width"),
        (gradients, "whole", "[1], device=law.device", "[1]"),
        (gradients, "whole", "completion]], device=self._ground.model.device", "completion]]"),
        (gradients, "whole", "met.double().cpu()", "met.double()"),
        (gradients, "sketched", "torch.from_numpy(signs).to(gradient.device)",
         "torch.from_numpy(signs)"),
        (factors, "factored", "rows.T).double().cpu()", "rows.T).double()"),
        (factors, "factored", "met.sum(0).double().cpu()", "met.sum(0).double()"),
    ],
)  # fmt: skip
def test_a_forgotten_device_is_found_in_gradients(
    module: ModuleType, held: str, line: str, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, there = planted(module, line, wrong), [make(0), make(1)]
    if module is factors:
        monkeypatch.setattr(gradients, "Factored", made.Factored)
        monkeypatch.setattr(gradients, "kernel", made.kernel)
    with a_gpu(*there, learning=True), pytest.raises(WrongDevice):
        tangent(there, held, gradients if module is factors else made)


def test_what_torch_allows_across_devices_is_allowed() -> None:
    numbers = torch.arange(6.0).reshape(2, 3)
    with a_gpu():
        there = numbers.to("cuda")
        assert isinstance(there, Elsewhere)
        assert there[torch.tensor([1])].cpu().tolist() == [[3.0, 4.0, 5.0]]  # indexes
        there[0] = torch.ones(3)  # a copy
        assert (there * torch.tensor(2.0))[0].tolist() == [2.0, 2.0, 2.0]  # a number
        assert torch.zeros(2, device="cuda").device.type == "cuda"
        assert there.to("cpu").numpy().sum() == 15
        with pytest.raises(WrongDevice, match="same device"):
            there + numbers
        with pytest.raises(WrongDevice, match="use cpu"):
            there.numpy()
