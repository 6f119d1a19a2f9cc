"""An adapter in memory draws what its merged checkpoint draws, bit for bit."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from safetensors.torch import load_file, save_file  # noqa: E402
from transformers import AutoModelForCausalLM  # noqa: E402

from rlvr_gate.records import Checkpoint, Measure, Sampling, Stream  # noqa: E402
from rlvr_gate_fixtures.backends import BackendError, Passage, Request, load  # noqa: E402
from rlvr_gate_fixtures.backends.children.jobs import Refused  # noqa: E402
from rlvr_gate_fixtures.backends.devices import spread  # noqa: E402
from rlvr_gate_fixtures.backends.transformers import merging  # noqa: E402
from rlvr_gate_fixtures.backends.transformers.merging import merge  # noqa: E402
from rlvr_gate_fixtures.backends.vllm.child import lora_rank  # noqa: E402
from rlvr_gate_fixtures.inputs.checkpoints import resolve  # noqa: E402

needs_vllm = pytest.mark.skipif(not find_spec("vllm"), reason="needs vLLM: make test-vllm")

RANK, ALPHA = 4, 8.0
REQUESTS = [Request((5, 6, 7, 8), 0, 6), Request((9, 10, 11), 0, 6)]


@pytest.fixture(scope="module")
def base() -> Checkpoint:
    return resolve("base", "base")


@pytest.fixture(scope="module")
def folder(base: Checkpoint, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter of every matrix of the shipped base's layers, large enough to be seen."""
    where = tmp_path_factory.mktemp("adapter")
    generator, factors = torch.Generator().manual_seed(0), {}
    for name, weight in load_file(base.path / "model.safetensors").items():
        if name.endswith("_proj.weight"):
            rows, columns = weight.shape
            module = f"base_model.model.{name.removesuffix('.weight')}"
            a = torch.randn((RANK, columns), generator=generator) / columns**0.5
            factors[f"{module}.lora_A.weight"] = a
            factors[f"{module}.lora_B.weight"] = 0.05 * torch.randn(
                (rows, RANK), generator=generator
            )
    save_file(factors, where / "adapter_model.safetensors")
    settings = {"peft_type": "LORA", "r": RANK, "lora_alpha": ALPHA,
                "target_modules": ["q_proj", "k_proj", "v_proj", "o_proj", "up_proj", "gate_proj",
                                   "down_proj"]}  # fmt: skip
    (where / "adapter_config.json").write_text(json.dumps(settings))
    return where


@pytest.fixture(scope="module")
def merged(base: Checkpoint, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The merged checkpoint, made by hand as PEFT makes it."""
    where = tmp_path_factory.mktemp("merged")
    for file in base.path.iterdir():
        if file.name != "model.safetensors":
            (where / file.name).write_bytes(file.read_bytes())
    factors = load_file(folder / "adapter_model.safetensors")
    weights = load_file(base.path / "model.safetensors")
    for name, weight in weights.items():
        module = f"base_model.model.{name.removesuffix('.weight')}"
        if f"{module}.lora_A.weight" in factors:
            a, b = (factors[f"{module}.lora_{which}.weight"] for which in "AB")
            scaled = (b.numpy() * np.float32(ALPHA / RANK)) @ a.numpy()
            weights[name] = (weight.float() + torch.from_numpy(scaled)).to(weight.dtype)
    save_file(weights, where / "model.safetensors", metadata={"format": "pt"})
    return where


@pytest.fixture(scope="module")
def adapted(base: Checkpoint, folder: Path) -> Checkpoint:
    return resolve("rlvr", str(folder), onto=base)


def model(path: Path, dtype: torch.dtype = torch.float32):
    return AutoModelForCausalLM.from_pretrained(path, dtype=dtype)


def drawn(backend, checkpoint: Checkpoint) -> dict[tuple[int, int], tuple[int, ...]]:
    """Token ids by request and sample, from one stream whatever the checkpoint."""
    stream = Stream("one", Sampling(max_new_tokens=12), checkpoint.stop_ids, "x", 0)
    found = backend.complete(checkpoint, stream, REQUESTS)
    return {(d.request, d.completion.sample): d.completion.token_ids for d in found}


@pytest.mark.parametrize("at_once", [10_000, merging._AT_ONCE])
def test_every_number_is_the_merged_checkpoints(
    base: Checkpoint, folder: Path, merged: Path, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merging, "_AT_ONCE", at_once)
    ours, theirs = model(base.path), model(merged)
    merge(ours, base.path, folder)
    changed = 0
    before = dict(model(base.path).named_parameters())
    for name, weight in theirs.named_parameters():
        mine = ours.get_parameter(name)
        # rounding of a float32 product may differ in order of summation, now and then
        assert float((mine != weight).float().mean()) < 1e-3, name
        assert torch.allclose(mine, weight, rtol=0.01)
        changed += int((mine != before[name]).sum())
    assert changed > 100_000
    assert torch.equal(ours.get_input_embeddings().weight, theirs.get_input_embeddings().weight)


@pytest.mark.parametrize("dtype", [pytest.param("float32", marks=pytest.mark.slow), "bfloat16"])
def test_it_draws_what_its_weights_held_in_a_file_draw(
    base: Checkpoint, adapted: Checkpoint, tmp_path: Path, dtype: str
) -> None:
    held = model(base.path, torch.bfloat16)
    merge(held, base.path, adapted.weights)
    for file in base.path.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    held.save_pretrained(tmp_path)
    whole = resolve("rlvr", str(tmp_path))
    backend = load("transformers", device="cpu", threads="1", dtype=dtype)
    with backend.kept():
        found, plain, expected = (drawn(backend, c) for c in (adapted, base, whole))
    assert found == expected != plain


def test_a_child_that_holds_the_base_does_not_answer_for_the_adapter(
    base: Checkpoint, adapted: Checkpoint
) -> None:
    backend = load("transformers", device="cpu", threads="1")
    with backend.kept():
        first, second, third = (drawn(backend, c) for c in (base, adapted, base))
    assert first == third != second
    spreading = spread("transformers", ("cpu",), device="cpu", threads="1")
    stream = Stream("one", Sampling(max_new_tokens=12), base.stop_ids, "x", 0)
    calls = [(checkpoint, stream, REQUESTS) for checkpoint in (base, adapted)]
    found: dict[int, dict[tuple[int, int], tuple[int, ...]]] = {0: {}, 1: {}}
    for call, item in spreading.complete_all(calls):
        found[call][item.request, item.completion.sample] = item.completion.token_ids
    assert found == {0: first, 1: second}


def test_it_is_scored_as_it_is_sampled(base: Checkpoint, adapted: Checkpoint) -> None:
    backend = load("transformers", device="cpu", threads="1")
    passages = [Passage((5, 6, 7), (8, 9, 10))]
    pair = [s.values for s in backend.score([adapted, base], passages)]
    alone = [s.values for s in backend.score([base], passages)]
    (together,), (alone,) = pair, alone
    ours, theirs = (together[Measure.LOGPROB, (index,)] for index in (0, 1))
    assert np.allclose(theirs, alone[Measure.LOGPROB, (0,)])
    assert not np.allclose(ours, theirs, atol=1e-3)


def test_an_adapter_that_changed_since_the_run_began_is_refused(
    base: Checkpoint, folder: Path, tmp_path: Path
) -> None:
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    adapted = resolve("rlvr", str(tmp_path), onto=base)
    factors = load_file(tmp_path / "adapter_model.safetensors")
    save_file(
        {f"other.{n}": f for n, f in factors.items()}, tmp_path / "adapter_model.safetensors"
    )
    with pytest.raises(BackendError, match="for another base"):
        drawn(load("transformers", device="cpu", threads="1"), adapted)


def test_a_tensor_that_the_library_keeps_under_another_name_is_refused(
    base: Checkpoint, folder: Path
) -> None:
    loaded = model(base.path)
    loaded.model.layers[0].mlp.renamed = loaded.model.layers[0].mlp.up_proj
    del loaded.model.layers[0].mlp.up_proj
    with pytest.raises(Refused, match=r"changes model\.layers\.0\.mlp\.up_proj.* merge the"):
        merge(loaded, base.path, folder)


@pytest.mark.parametrize(("rank", "room"), [(1, 8), (8, 8), (9, 16), (65, 128), (300, 320)])
def test_an_engine_has_room_for_the_rank(tmp_path: Path, rank: int, room: int) -> None:
    wide = {"m.lora_A.weight": torch.ones(rank, 600), "m.lora_B.weight": torch.ones(600, rank)}
    save_file(wide, tmp_path / "adapter_model.safetensors")
    (tmp_path / "adapter_config.json").write_text("{}")
    assert lora_rank(tmp_path) == room


@pytest.mark.parametrize(
    ("settings", "name", "rank", "words"),
    [
        ({"alpha_pattern": {"q_proj": 3}}, "m.lora_A.weight", 2, "alpha_pattern"),
        ({"modules_to_save": ["norm"]}, "m.lora_A.weight", 2, "modules_to_save"),
        ({}, "model.norm.weight", 2, "has model.norm.weight"),
        ({}, "model.embed_tokens.lora_embedding_A", 2, "lora_embedding_A"),
        ({}, "m.lora_A.weight", 513, "rank 513"),
    ],
)
def test_what_vllm_would_pass_over_is_refused(
    tmp_path: Path, settings: dict[str, object], name: str, rank: int, words: str
) -> None:
    save_file({name: torch.ones(rank, 600)}, tmp_path / "adapter_model.safetensors")
    (tmp_path / "adapter_config.json").write_text(json.dumps(settings))
    with pytest.raises(Refused, match=rf"{words}.*merge it into its base"):
        lora_rank(tmp_path)


@needs_vllm
def test_vllm_draws_from_the_adapter(base: Checkpoint, adapted: Checkpoint, merged: Path) -> None:
    """Not the bits: its requests add the factors' product to activations. The law is the same."""
    backend = load("vllm", enforce_eager="true", dtype="float32")
    stream = Stream("one", Sampling(max_new_tokens=12), base.stop_ids, "x", 0)
    found = [
        (REQUESTS[d.request].prompt_ids, d.completion)
        for d in backend.complete(adapted, stream, REQUESTS)
    ]
    passages = [Passage(prompt, completion.token_ids) for prompt, completion in found]
    told = np.array([completion.logprob for _, completion in found])

    def scored(checkpoint: Checkpoint) -> np.ndarray:
        scores = load("transformers", device="cpu", threads="1").score([checkpoint], passages)
        sums = {s.passage: s.values[Measure.LOGPROB, (0,)].sum() for s in scores}
        return np.array([sums[i] for i in range(len(passages))])

    assert np.allclose(told, scored(resolve("rlvr", str(merged))), atol=0.1)
    assert np.abs(told - scored(base)).max() > 0.5


def test_vllm_scores_under_no_adapter(adapted: Checkpoint) -> None:
    build = {} if find_spec("vllm") else {"build": "0.32.0/cpu"}
    with pytest.raises(ValueError, match="scores no tokens under an adapter"):
        load("vllm", **build).score([adapted], [])
