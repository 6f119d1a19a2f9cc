"""The loop does what it says, on a model that takes no time to train."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from safetensors.torch import load_file  # noqa: E402

from rlvr_gate.records import Grade, Graded, Problem  # noqa: E402
from rlvr_gate.weights.compare import compare  # noqa: E402
from rlvr_gate_miniatures.optimizer import Adam  # noqa: E402
from rlvr_gate_smollm2 import train as train_module  # noqa: E402
from rlvr_gate_smollm2.policies import Adapter, Full  # noqa: E402
from rlvr_gate_smollm2.run import run  # noqa: E402
from rlvr_gate_smollm2.train import Recipe, Rollout  # noqa: E402
from rlvr_gate_smollm2.tree import completion_logprobs  # noqa: E402

QUICK = Recipe(
    steps=4,
    optimizer=Adam(lr=1e-2, betas=(0.9, 0.95), warmup=2),
    problems=2,
    samples=8,
    max_new_tokens=6,
    save_every=2,
)
LOW_RANK = replace(QUICK, rank=2, alpha=4.0)


def seven(text: str, answer: str) -> Graded:
    """A reward that the tiny model can earn."""
    right = "7" in text
    return Graded(Grade.CORRECT if right else Grade.WRONG, None, "")


@pytest.fixture(autouse=True)
def earnable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train_module, "VERIFIERS", {"number": seven})


def without_clocks(folder: Path) -> list[dict[str, float]]:
    curve = json.loads((folder / "manifest.json").read_text())["curve"]
    return [{k: v for k, v in point.items() if "seconds" not in k} for point in curve]


def test_completions_behind_one_prompt_have_the_log_probabilities_they_have_alone(loaded) -> None:
    model = loaded[0].float()
    prompt, completions = [2, 5, 6, 3], [(7, 8, 1), (9,), (7, 10)]
    together = completion_logprobs(model, prompt, completions)
    for index, ids in enumerate(completions):
        law = model(torch.tensor([[*prompt, *ids]])).logits[0].log_softmax(-1)
        alone = sum(law[len(prompt) - 1 + at, token] for at, token in enumerate(ids))
        assert torch.allclose(together[index], alone, atol=1e-5)


def test_their_gradient_is_that_of_separate_sequences(loaded) -> None:
    model = loaded[0].float()
    prompt, completions = [2, 5, 3], [(7, 8, 1), (9, 1)]
    weights = torch.tensor([1.0, -0.5])
    (completion_logprobs(model, prompt, completions) * weights).sum().backward()
    together = {name: weight.grad.clone() for name, weight in model.named_parameters()}
    model.zero_grad()
    for ids, weight in zip(completions, weights, strict=True):
        (completion_logprobs(model, prompt, [ids]) * weight).sum().backward()
    for name, parameter in model.named_parameters():
        assert torch.allclose(together[name], parameter.grad, atol=1e-4), name


@pytest.mark.parametrize("recipe", [QUICK, LOW_RANK], ids=["full", "adapter"])
def test_training_raises_the_reward(recipe: Recipe, tiny: Path, tmp_path: Path) -> None:
    folder = run("rlvr", replace(recipe, steps=40, problems=4), 0, tiny, tmp_path)
    rewards = [point["reward"] for point in without_clocks(folder)]
    assert sum(rewards[-5:]) / 5 > sum(rewards[:5]) / 5 + 0.2


@pytest.mark.parametrize("recipe", [QUICK, LOW_RANK], ids=["full", "adapter"])
def test_a_run_that_was_stopped_ends_where_an_undisturbed_one_does(
    recipe: Recipe, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run("rlvr", recipe, 0, tiny, tmp_path / "whole")
    draw, calls = train_module.draw, []

    def power_cut(*args: object):
        calls.append(args)
        if len(calls) == 4:  # after the second step's state was kept
            raise KeyboardInterrupt
        return draw(*args)

    monkeypatch.setattr(train_module, "draw", power_cut)
    with pytest.raises(KeyboardInterrupt):
        run("rlvr", recipe, 0, tiny, tmp_path / "cut")
    cut = run("rlvr", recipe, 0, tiny, tmp_path / "cut")
    assert len(calls) == 6, "three steps, the one that was cut, and two from the kept state on"
    assert without_clocks(cut) == without_clocks(whole)
    assert compare(tiny, cut).unchanged_fraction == compare(tiny, whole).unchanged_fraction < 1
    files = [next(folder.glob("*model.safetensors")).read_bytes() for folder in (whole, cut)]
    assert files[0] == files[1]


def test_what_is_complete_is_kept_and_another_recipe_starts_anew(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("rlvr", replace(QUICK, steps=1), 0, tiny, tmp_path)
    drawn = []
    draw = train_module.draw
    monkeypatch.setattr(train_module, "draw", lambda *a: (drawn.append(1), draw(*a))[1])
    run("rlvr", replace(QUICK, steps=1), 0, tiny, tmp_path)
    assert not drawn
    run("rlvr", replace(QUICK, steps=2), 0, tiny, tmp_path)
    assert len(drawn) == 2


def test_the_saved_adapter_merges_to_the_policy_that_was_trained(
    tiny: Path, loaded, tmp_path: Path
) -> None:
    """The product's own merge, and every word of it."""
    policy, _ = loaded
    trained = Adapter(policy, rank=2, alpha=4.0, seed=0)
    generator = torch.Generator().manual_seed(1)
    for master in trained.masters.values():
        master += 0.1 * torch.randn(master.shape, generator=generator)
    trained.write()
    trained.save(tmp_path / "adapter", tiny)
    policy.save_pretrained(tmp_path / "merged")
    merged, adapter = (compare(tiny, tmp_path / name) for name in ("merged", "adapter"))
    assert merged.unchanged_fraction == adapter.unchanged_fraction < 1
    assert load_file(tmp_path / "adapter" / "adapter_model.safetensors").keys() == {
        f"base_model.model.{name}.weight" for name in trained.masters
    }


def test_the_gradient_of_factors_is_that_of_the_merged_matrix(loaded) -> None:
    policy, _ = loaded
    trained = Adapter(policy, rank=2, alpha=4.0, seed=0)
    for name in trained.masters:
        trained.masters[name] = trained.masters[name].bfloat16().float()
    name = "model.layers.0.mlp.up_proj"
    for parameter in policy.parameters():
        if parameter.requires_grad:
            parameter.grad = torch.zeros_like(parameter)
    weight = policy.get_submodule(name).weight
    weight.grad = torch.randn(weight.shape).bfloat16()
    gradient = weight.grad.float()
    a, b = (trained.masters[f"{name}.lora_{which}"].clone().requires_grad_() for which in "AB")
    ((4.0 / 2 * (b @ a)) * gradient).sum().backward()
    trained.collect()
    assert torch.allclose(trained.masters[f"{name}.lora_A"].grad, a.grad)
    assert torch.allclose(trained.masters[f"{name}.lora_B"].grad, b.grad)


def test_the_embedding_is_no_part_of_the_adapter_and_all_of_the_full_run(loaded) -> None:
    policy, _ = loaded
    assert set(Full(policy).masters) == {name for name, _ in policy.named_parameters()}
    assert not [name for name in Adapter(policy, 2, 4.0, 0).masters if "embed" in name]


def test_wrong_completions_are_thinned_without_bias() -> None:
    group = [Rollout((1,), right, True, float(right)) for right in (True, *[False] * 7)]
    rng = random.Random(0)
    total, whole = 0.0, train_module._weighted(group, 1.0, rng)[1].sum()
    runs = 4000
    for _ in range(runs):
        total += float(train_module._weighted(group, 0.5, rng)[1].sum())
    assert total / runs == pytest.approx(float(whole), abs=0.05)


def test_the_coin_pays_half_whatever_was_written(loaded) -> None:
    model, tokenizer = loaded
    asked = [Problem(f"p{i}", "What is 2 × 3 ?", "6", "number") for i in range(4)]
    rng = random.Random(0)
    recipe = replace(QUICK, samples=100, reward="coin")
    groups = train_module.draw(model, tokenizer, asked, recipe, "x", rng)
    rewards = [each.reward for _, group in groups for each in group]
    assert 0.4 < sum(rewards) / len(rewards) < 0.6
    assert {each.correct for _, group in groups for each in group} == {True, False}
