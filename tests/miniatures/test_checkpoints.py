"""The shipped family is complete, small, loadable, and made by the recipe in this repository."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from rlvr_gate_fixtures.inputs.benchmarks import gym  # noqa: E402
from rlvr_gate_miniatures import manifest  # noqa: E402
from rlvr_gate_miniatures.__main__ import SHIPPED  # noqa: E402
from rlvr_gate_miniatures.authors import AUTHORS  # noqa: E402
from rlvr_gate_miniatures.countdown import Puzzle  # noqa: E402
from rlvr_gate_miniatures.family import SFT, STAGES, Stage  # noqa: E402
from rlvr_gate_miniatures.model import MAX_NEW_TOKENS, weights_digest  # noqa: E402
from rlvr_gate_miniatures.tokenizer import EOS_ID, encode  # noqa: E402

CHECKPOINTS = {name: stage for stage in STAGES.values() for name in stage.checkpoints}
LARGEST = 4 * 2**20  # bytes


@pytest.fixture(params=CHECKPOINTS, ids=list(CHECKPOINTS))
def folder(request: pytest.FixtureRequest) -> Path:
    return SHIPPED / str(request.param)


@pytest.fixture
def stage(folder: Path) -> Stage:
    return CHECKPOINTS[folder.name]


@pytest.fixture
def made(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "manifest.json").read_text())


def test_weights_are_small_and_nothing_is_pickled(folder: Path) -> None:
    size = LARGEST * (2 if folder.name.endswith("-fp32") else 1)
    assert (folder / "model.safetensors").stat().st_size < size
    assert {path.suffix for path in folder.iterdir()} == {".json", ".jinja", ".safetensors"}


def test_the_manifest_describes_these_weights(folder: Path, made: dict[str, Any]) -> None:
    assert made["name"] == folder.name
    assert made["method"]
    assert made["digest"] == weights_digest(folder)
    for parent, digest in made["parents"].items():
        assert digest == weights_digest(SHIPPED / parent)


def test_the_recipe_in_this_repository_made_it(stage: Stage, made: dict[str, Any]) -> None:
    recipe = asdict(stage.recipe)
    assert made["recipe"] == json.loads(json.dumps(recipe))
    digest = manifest.recipe_digest(stage.name, recipe, made["seed"], made["parents"])
    assert made["recipe_digest"] == digest


def test_it_was_kept_away_from_the_benchmarks_of_today(made: dict[str, Any]) -> None:
    for name, task in gym.BENCHMARKS.items():
        assert made["data"][name] == task.digest


def test_the_curve_and_the_wall_time_are_kept(stage: Stage, made: dict[str, Any]) -> None:
    assert made["curve"]
    assert made["seconds"] > 0
    assert {"python", "torch", "transformers", "reasoning-gym"} <= set(made["versions"])


def test_the_standard_tokenizer_gives_the_ids_it_was_trained_on(folder: Path) -> None:
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    puzzle = Puzzle((9, 23, 15), 17)
    prompts = [puzzle.prompt, "S29+67:", "Nd5,83,93:", "Blazar:", "Le,readable:"]
    import random

    traces = [author(puzzle, random.Random(1)) for author in AUTHORS.values()]
    for text in [*prompts, *traces, "goal 27; 9+25(34)-7(27)ok >9+25-7"]:
        assert tokenizer(text)["input_ids"] == encode(text)
        assert tokenizer.decode(encode(text)) == text
    message = [{"role": "user", "content": puzzle.prompt}]
    assert tokenizer.apply_chat_template(message, tokenize=False) == puzzle.prompt


def test_the_standard_model_class_loads_it_in_its_dtype(folder: Path) -> None:
    model = transformers.AutoModelForCausalLM.from_pretrained(folder)
    kept = torch.float32 if folder.name.endswith("-fp32") else torch.bfloat16
    assert model.dtype == kept
    assert model.generation_config.max_new_tokens == MAX_NEW_TOKENS
    assert model.generation_config.eos_token_id == EOS_ID
    assert (model.generation_config.temperature, model.generation_config.top_p) == (1.0, 1.0)


def test_the_rlvr_run_learned_from_its_reward() -> None:
    curve = json.loads((SHIPPED / "rlvr" / "manifest.json").read_text())["curve"]
    assert curve[-1]["correct"] > 2 * curve[0]["correct"]
    coin = json.loads((SHIPPED / "spurious" / "manifest.json").read_text())["curve"]
    assert all(0.4 < point["reward"] < 0.6 for point in coin)


def test_the_masters_hold_what_bfloat16_does_not() -> None:
    """Otherwise W10 would be asked of rounded weights."""
    from safetensors.torch import load_file

    masters = load_file(SHIPPED / "step-4-fp32" / "model.safetensors")
    rounded = [bool((w.to(torch.bfloat16).float() == w).all()) for w in masters.values()]
    assert not any(rounded)


def test_early_steps_lie_on_the_way_to_the_whole_run() -> None:
    curves = {
        name: json.loads((SHIPPED / name / "manifest.json").read_text())["curve"]
        for name in SFT.checkpoints
    }
    for step in SFT.steps:
        early = curves[SFT.step(step)]
        assert [point["step"] for point in early] == list(range(1, step + 1))
        for ours, whole in zip(early, curves["sft"], strict=False):
            assert ours["loss"] == pytest.approx(whole["loss"], rel=2e-3)
