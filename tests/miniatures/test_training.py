"""The training loops do what their papers say, on models that take no time to train."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from rlvr_gate.records import Problem  # noqa: E402
from rlvr_gate_miniatures import grpo as grpo_module  # noqa: E402
from rlvr_gate_miniatures import manifest, model, pretrain, run  # noqa: E402
from rlvr_gate_miniatures import rollouts as rollouts_module  # noqa: E402
from rlvr_gate_miniatures.batches import Row, by_length, row, token_logprobs  # noqa: E402
from rlvr_gate_miniatures.family import LANES, STAGES  # noqa: E402
from rlvr_gate_miniatures.grpo import Grpo, grpo  # noqa: E402
from rlvr_gate_miniatures.optimizer import Adam, cosine, gradient_rms, warm  # noqa: E402
from rlvr_gate_miniatures.rollouts import Rollout, rollouts  # noqa: E402
from rlvr_gate_miniatures.sft import Sft, sft  # noqa: E402
from rlvr_gate_miniatures.tokenizer import EOS_ID, decode, encode  # noqa: E402

PROBLEMS = [Problem(f"p-{i}", f"S{i}+1:", str(i + 1), "integer") for i in range(4)]


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch):
    """A miniature of two layers that answers at once."""
    monkeypatch.setattr(model, "SHAPE", {**model.SHAPE, **TINY})
    return model.new_model(0)


TINY = {
    "hidden_size": 32,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
}


def test_a_rows_log_probability_is_that_of_its_completion_alone(tiny) -> None:
    short, long = row("S1+1:", "2"), row("Nd5,83,93:", "93,83,5")
    together, mask = token_logprobs(tiny, [short, long])
    for index, item in enumerate((short, long)):
        alone, _ = token_logprobs(tiny, [item])
        assert torch.allclose(together[index].sum(), alone.sum(), atol=0.05)
        assert int(mask[index].sum()) == len(item.ids) - item.start
    assert (together <= 0).all()


def test_groups_hold_every_row_once_within_the_budget() -> None:
    rng = random.Random(0)
    rows = [Row(tuple(range(rng.randint(2, 40))), 1) for _ in range(100)]
    groups = list(by_length(rows, 200))
    assert sorted(len(item.ids) for group in groups for item in group) == sorted(
        len(item.ids) for item in rows
    )
    assert all(len(group) == 1 or len(group) * len(group[-1].ids) <= 200 for group in groups)


def _rollout(problem: int, correct: bool, length: int = 2) -> Rollout:
    return Rollout(problem, (3,) * length, "", correct, False)


def test_advantages_are_centred_per_group_and_agreeing_groups_are_left_out() -> None:
    recipe = Grpo(samples=4, keep_incorrect=1.0)
    drawn = [_rollout(0, index < 1) for index in range(4)] + [_rollout(1, True)] * 4
    rewards = [float(item.correct) for item in drawn]
    rows, tokens = grpo_module._learned(PROBLEMS, drawn, rewards, recipe, random.Random(0))
    assert len(rows) == 4
    assert tokens == 8
    assert sum(item.weight for item in rows) == pytest.approx(0)
    assert rows[0].weight == pytest.approx(3**0.5, rel=1e-3)


def test_dropping_incorrect_completions_leaves_the_expected_weight() -> None:
    drawn = [_rollout(0, index < 2) for index in range(32)]
    rewards = [float(item.correct) for item in drawn]
    total = {1.0: 0.0, 0.25: 0.0}
    for keep in total:
        recipe = Grpo(samples=32, keep_incorrect=keep)
        for seed in range(400):
            rows, _ = grpo_module._learned(PROBLEMS, drawn, rewards, recipe, random.Random(seed))
            total[keep] += sum(item.weight for item in rows if item.weight < 0) / 400
    assert total[0.25] == pytest.approx(total[1.0], rel=0.05)


def test_a_coin_rewards_whatever_was_written() -> None:
    drawn = [_rollout(0, False) for _ in range(2000)]
    rewards = grpo_module._rewards(drawn, "coin", random.Random(0))
    assert 0.45 < sum(rewards) / len(rewards) < 0.55
    assert grpo_module._rewards(drawn, "verifier", random.Random(0)) == [0.0] * 2000


def test_rewarding_a_completion_makes_it_likelier(tiny, monkeypatch) -> None:
    """GRPO on a bandit: the reward is for starting with an odd token."""

    def graded(items, reward, rng):
        return [float(item.ids[0] % 2) for item in items]

    monkeypatch.setattr(grpo_module, "_rewards", graded)
    monkeypatch.setattr(rollouts_module, "MAX_NEW_TOKENS", 2)
    adam = Adam(lr=1e-2, betas=(0.9, 0.95))
    recipe = Grpo(steps=18, problems=4, samples=32, optimizer=adam)
    points = list(grpo(tiny, PROBLEMS * 18, recipe, seed=0))
    assert points[0]["reward"] < 0.7
    assert points[-1]["reward"] > 0.9
    assert [point["step"] for point in points] == list(range(1, 19))


def test_the_same_seed_trains_the_same_weights(tiny, tmp_path: Path) -> None:
    recipe = Sft(steps=3, rows=4, optimizer=Adam(lr=1e-3, betas=(0.9, 0.98)))
    texts = [(problem.prompt, problem.answer) for problem in PROBLEMS]
    digests = set()
    for attempt in range(2):
        copy = model.new_model(0)
        list(sft(copy, texts, recipe, seed=5))
        digests.add(model.save_model(copy, tmp_path / str(attempt)))
    assert len(digests) == 1


def test_supervised_training_lowers_the_loss(tiny) -> None:
    recipe = Sft(steps=30, rows=4, optimizer=Adam(lr=1e-2, betas=(0.9, 0.98)))
    points = list(sft(tiny, [(p.prompt, p.answer) for p in PROBLEMS], recipe, seed=0))
    assert points[-1]["loss"] < points[0]["loss"] / 3


def test_too_few_texts_are_refused(tiny) -> None:
    recipe = Sft(steps=1, rows=5, optimizer=Adam(lr=1e-3, betas=(0.9, 0.98)))
    with pytest.raises(ValueError, match="needs 5 texts, got 1 in all"):
        next(sft(tiny, [("S1+1:", "2")], recipe, seed=0))


def test_eps_is_a_multiple_of_the_first_gradient(tiny) -> None:
    adam = Adam(lr=0.0, betas=(0.9, 0.95), eps_in_gradient_rms=30.0)
    optimizer = adam.build(tiny)
    logprobs, _ = token_logprobs(tiny, [row("S1+1:", "2")])
    (-logprobs.sum() * 1e-3).backward()
    expected = 30 * gradient_rms(tiny)
    grpo_module._update(tiny, optimizer, adam, 0)
    assert optimizer.param_groups[0]["eps"] == pytest.approx(expected, rel=1e-5)


def test_schedules_count_steps() -> None:
    assert [warm(step, 4) for step in range(5)] == [0.25, 0.5, 0.75, 1.0, 1.0]
    assert warm(0, 0) == 1.0
    assert cosine(0, 10, 0.1) == 1.0
    assert cosine(10, 10, 0.1) == pytest.approx(0.1)


def test_rollouts_depend_on_their_stream_only(tiny) -> None:
    first = rollouts(tiny, PROBLEMS, 4, "a", slots=32)
    assert first == rollouts(tiny, PROBLEMS, 4, "a", slots=32)
    assert first != rollouts(tiny, PROBLEMS, 4, "b", slots=32)
    assert [item.problem for item in first] == [i for i in range(4) for _ in range(4)]
    assert all(item.truncated is not (item.ids[-1] == EOS_ID) for item in first)


def test_a_saved_checkpoint_loads_with_the_standard_classes(tiny, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    digest = model.save_model(tiny, tmp_path)
    assert digest == model.weights_digest(tmp_path)
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path)
    assert loaded.dtype == torch.bfloat16
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    text = "C9,23,15=17:goal 15; s25+9:134-7:27=27n>(9+23)*15"
    assert tokenizer(text)["input_ids"] == encode(text)
    assert tokenizer.decode(encode(text)) == text == decode(encode(text))
    assert not list(tmp_path.glob("*.bin")) + list(tmp_path.glob("*.pt"))


def test_a_stage_runs_once_and_again_when_its_recipe_changes(
    tiny, tmp_path: Path, monkeypatch, capsys
) -> None:
    from dataclasses import replace

    monkeypatch.setattr(run, "training", lambda: ())
    monkeypatch.setattr(run, "texts", lambda *_: [(p.prompt, p.answer) for p in PROBLEMS])
    model.save_model(tiny, tmp_path / "base")
    recipe = Sft(steps=2, rows=2, optimizer=Adam(lr=1e-3, betas=(0.9, 0.98)))
    stage = replace(STAGES["sft"], recipe=recipe, steps=(1,))
    run.run_stage(stage, tmp_path, tmp_path / "base", 0)
    made = manifest.read(tmp_path / "sft")
    assert made is not None
    assert [point["step"] for point in made["curve"]] == [1, 2]
    assert made["parents"] == {"base": model.weights_digest(tmp_path / "base")}
    assert (tmp_path / "sft-1" / "manifest.json").is_file()
    capsys.readouterr()
    run.run_stage(stage, tmp_path, tmp_path / "base", 0)
    assert "sft: complete" in capsys.readouterr().out
    run.run_stage(replace(stage, recipe=replace(recipe, steps=1)), tmp_path, tmp_path / "base", 0)
    assert "complete" not in capsys.readouterr().out


def test_every_stage_is_in_exactly_one_lane_after_what_it_reads() -> None:
    placed = ["base", *(name for lane in LANES for name in lane)]
    assert sorted(placed) == sorted(STAGES)
    for lane in LANES:
        for index, name in enumerate(lane):
            assert set(STAGES[name].parents) <= {"base", *lane[:index]}


def test_processes_add_their_gradients_over_all_tokens(tiny, tmp_path: Path) -> None:
    """With one process the average is the plain mean-loss gradient."""
    store = torch.distributed.FileStore(str(tmp_path / "rendezvous"), 1)
    torch.distributed.init_process_group("gloo", store=store, rank=0, world_size=1)
    try:
        logprobs, _ = token_logprobs(tiny, [row("S1+1:", "2")])
        (-logprobs.sum()).backward()
        summed = tiny.lm_head.weight.grad.clone()
        loss = pretrain._average_gradients(tiny, loss=6.0, learned=3)
    finally:
        torch.distributed.destroy_process_group()
    assert loss == 2.0
    assert torch.allclose(tiny.lm_head.weight.grad, summed / 3)


def test_authors_change_at_their_step() -> None:
    phase = pretrain.PRETRAINING.phases[0]
    nothing = pretrain.HeldOut(frozenset(), frozenset())
    switch = max(phase.authors)
    for step, share in ((0, 0.55), (switch - 1, 0.55), (switch, 0.10)):
        rng = random.Random(0)
        rows = [r for _ in range(30) for r in pretrain.draw_rows(phase, step, nothing, rng)]
        puzzles = [decode(r.ids[r.start :]) for r in rows if decode(r.ids[:1]) == "C"]
        searching = sum(text.startswith("s") for text in puzzles) / len(puzzles)
        assert searching == pytest.approx(share, abs=0.06)
