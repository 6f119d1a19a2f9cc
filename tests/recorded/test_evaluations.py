"""Evaluations with a file for each task or episode, and EvalScope's reviews."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rlvr_gate_fixtures.recorded import FileError, read

BASE, RLVR = [[1, 0, 0], [0, 0, 0]], [[1, 1, 0], [1, 0, 0]]
COUNTS = {"base": [(3, 1), (3, 0)], "rlvr": [(3, 2), (3, 1)]}


def lines(path: Path, items: list[dict]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(item) + "\n" for item in items))
    return path


def counts(recorded) -> dict:
    return {role: [(t.n, t.correct) for t in of] for role, of in recorded.tallies.items()}


def why(files: dict[str, Path | list[Path]]) -> str:
    listed = {role: [paths] if isinstance(paths, Path) else paths for role, paths in files.items()}
    with pytest.raises(FileError) as raised:
        read("b", listed)
    return str(raised.value)


def areal(version: int, i: int, j: int, right: int, **more: object) -> dict:
    return {"task_id": i, "sample_idx": j, "seqlen": 9, "prompt_len": 4, "head_version": version,
            "tail_version": version, "reward": float(right), "prompt": f"<user>What is {i}?",
            "completion": "5", **more}  # fmt: skip


def tasks(folder: Path, version: int, rights: list[list[int]], **more: object) -> Path:
    """A folder of one version, where equal completions of equal tasks are nothing strange."""
    for i, row in enumerate(rights):
        samples = [areal(version, i, j, right, **more) for j, right in enumerate(row)]
        lines(folder / f"{version}/{i + 7 * version}.jsonl", samples)
    return folder / str(version)


def test_files_of_areal_are_tasks_of_one_version(tmp_path) -> None:
    evaluated = tmp_path / "eval-rollout"
    base, rlvr = tasks(evaluated, 0, BASE), tasks(evaluated, 20, RLVR)
    assert counts(read("b", {"base": [base], "rlvr": [rlvr]})) == COUNTS
    assert "base is of step 20" in why({"base": rlvr, "rlvr": base})
    assert "step" in why({"base": [base, rlvr], "rlvr": rlvr})
    assert read("b", {"base": [base], "rlvr": [rlvr]}).unknown[0] == "sampling settings"


def test_a_task_twice_in_areal_is_more_samples(kit, tmp_path) -> None:
    """A set that repeats its problems, as AIME is asked, has a file for each time."""
    base = tasks(tmp_path / "eval-rollout", 0, [[1], [0]])
    lines(base / "99.jsonl", [areal(0, 0, 0, 1, task_id=99)])
    lines(base / "98.jsonl", [areal(0, 1, 0, 0, task_id=98)])
    assert kit.totals(kit.both(base, base), "base") == kit.Totals(4, 2, 0, 1)
    lines(base / "97.jsonl", [areal(0, 0, 0, 1, task_id=99)])
    assert "holds the same samples as" in why({"base": base, "rlvr": base})


def test_a_series_of_areal_leaves_out_what_was_drawn_for_training(tmp_path) -> None:
    for version, rights in ((0, BASE), (10, BASE), (20, RLVR)):
        tasks(tmp_path / "eval-rollout", version, rights)
        trained = tasks(tmp_path / "rollout", version + 1, RLVR)
    found = counts(read("b", {"steps": [tmp_path]}))
    assert found == {**COUNTS, "step-10": COUNTS["base"]}
    assert "what AReaL drew for training" in why({"base": trained, "rlvr": trained})


def test_what_two_versions_wrote_is_of_no_checkpoint(tmp_path) -> None:
    base = tasks(tmp_path / "eval-rollout", 1, BASE, head_version=0)
    assert "from version 0 to 1: no checkpoint wrote it" in why({"base": base, "rlvr": base})


def test_scales_that_differ_between_files_of_one_role_are_a_shaped_reward(tmp_path) -> None:
    base = tasks(tmp_path / "eval-rollout", 0, [[1, -1], [1, 0]])
    assert "scale of the grades" in why({"base": base, "rlvr": base})


def episode(i: int, j: int, right: int, **more: object) -> dict:
    said = {"model_response": f"{i} {j}", "chat_completions": []}
    task = {"question": f"What is {i}?", "ground_truth": str(i)}
    return {"task": task, "is_correct": bool(right),
            "termination_reason": "env_done", "metadata": {}, "episode_id": f"{i}:{j}",
            "trajectories": [{"name": "solver", "steps": [said, said]}], **more}  # fmt: skip


def episodes(folder: Path, rights: list[list[int]], **more: object) -> Path:
    folder.mkdir(parents=True)
    for i, row in enumerate(rights):
        for j, right in enumerate(row):
            path = folder / f"episode_hash{i}_id{i}_{j}.json"
            path.write_text(json.dumps(episode(i, j, right, **more), indent=2) + "\n")
    (folder / "batch_summary.json").write_text(json.dumps({"episode_files": []}))
    return folder


def test_episodes_of_rllm_are_samples(tmp_path) -> None:
    base = episodes(tmp_path / "a/episodes", BASE, eval_idx=0)
    rlvr = episodes(tmp_path / "b/episodes", RLVR, eval_idx=0)
    recorded = read("b", {"base": [base], "rlvr": [rlvr]})
    assert counts(recorded) == COUNTS
    assert recorded.benchmark.problems[1].answer == "1"
    assert "batch_summary.json" in recorded.benchmark.source
    told = recorded.examples["base"][recorded.tallies["base"][0].problem]
    assert {example.text for example in told} == {"0 0\n0 0", "0 1\n0 1", "0 2\n0 2"}


def test_a_series_of_rllm_is_its_validations(tmp_path) -> None:
    for step, rights in ((0, BASE), (10, BASE), (20, RLVR)):
        more = {"training_step": step, "epoch": 1}
        episodes(tmp_path / f"val_step_{step}_epoch_1", rights, **more)
    trained = episodes(tmp_path / "train_step_15_epoch_1", RLVR, training_step=15)
    found = counts(read("b", {"steps": [tmp_path]}))
    assert found == {**COUNTS, "step-10": COUNTS["base"]}
    assert "what rLLM drew for training" in why({"base": trained, "rlvr": trained})


@pytest.mark.parametrize(
    ("more", "unscored"),
    [
        ({"termination_reason": "error"}, 6),
        ({"metadata": {"error": {"message": "connection reset"}}}, 6),
        ({"termination_reason": "timeout"}, 5),
        ({"termination_reason": "max_response_length_exceeded"}, 0),
        ({"is_correct": None}, 6),
    ],
)
def test_an_episode_without_an_end_of_its_own_is_unscored(
    kit, tmp_path, more: dict, unscored: int
) -> None:
    base, rlvr = episodes(tmp_path / "a", RLVR), episodes(tmp_path / "b", BASE, **more)
    if unscored == 6:
        assert "no sample is scored" in why({"base": base, "rlvr": rlvr})
    else:
        assert kit.totals(kit.both(base, rlvr), "rlvr").unscored == unscored


def review(i: int, j: int, right: int, **more: object) -> dict:
    score = {"value": {"acc": float(right)}, "extracted_prediction": f"{j}", "status": "success",
             "prediction": f"so {i} {j}", "main_score_name": "acc", **more}  # fmt: skip
    return {"index": 3 * i + j, "target": str(i), "agent_trace": None, "messages": [
                {"id": f"a{i}{j}", "role": "user", "content": "What is 9? 9. What is 2?"},
                {"id": f"b{i}{j}", "role": "assistant", "content": "2"},
                {"id": f"c{i}{j}", "role": "user", "content": f"What is {i}?"},
                {"id": f"d{i}{j}", "role": "assistant", "content": f"so {i} {j}"}],
            "sample_score": {"score": score, "sample_id": 3 * i + j, "group_id": i}}  # fmt: skip


def reviews(path: Path, rights: list[list[int]], **more: object) -> Path:
    return lines(
        path,
        [
            review(i, j, right, **more)
            for i, row in enumerate(rights)
            for j, right in enumerate(row)
        ],
    )


def test_reviews_of_evalscope_are_samples(kit, tmp_path) -> None:
    """Shots that stand as turns before the question are no answers of the checkpoint."""
    base, rlvr = reviews(tmp_path / "a.jsonl", BASE), reviews(tmp_path / "b.jsonl", RLVR)
    recorded = kit.both(base, rlvr)
    assert counts(recorded) == COUNTS
    assert "prompts" not in recorded.unknown
    assert recorded.answers["base"][0].given == {"0": 1, "1": 1, "2": 1}
    assert recorded.differences == ("both are the same samples: every completion is the same",)


def test_a_review_whose_judge_failed_is_unscored(kit, bench, tmp_path) -> None:
    items = [json.loads(line) for line in reviews(tmp_path / "a", BASE).read_text().splitlines()]
    items[0]["sample_score"]["score"] |= {"value": {}, "status": "parse_error"}
    base = lines(tmp_path / "base.jsonl", items)
    assert kit.totals(kit.both(base, base), "base") == kit.Totals(6, 0, 1, 0)
    rerun = lines(tmp_path / "rerun.jsonl", [*items, items[3]])
    assert "(index 3) is already on line 4" in bench.refusal(rerun, rerun)


def test_values_of_evalscope_are_chosen_between(kit, bench, tmp_path) -> None:
    value = {"loose": 1.0, "strict": 0.5}
    base = reviews(tmp_path / "a.jsonl", BASE, value=value)
    assert "expected one score, got loose, strict" in bench.refusal(base, base)
    assert "strict is 0.5, a shaped reward" in bench.refusal(base, base, score="strict")
    assert kit.totals(kit.both(base, base, score="loose"), "base").correct == 6


def test_early_reviews_have_what_was_asked_as_text(kit, tmp_path) -> None:
    def early(name: str, rights: list[list[int]]) -> Path:
        written = reviews(tmp_path / name, rights).read_text()
        items = [json.loads(line) for line in written.splitlines()]
        for item in items:
            item["input"] = f"What is {item['target']}?"
            del item["messages"]
        return lines(tmp_path / name, items)

    assert counts(kit.both(early("a", BASE), early("b", RLVR))) == COUNTS


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ({"prompt": ["a"], "responses": ["b"], "scores": [1.0]}, "what ROLL drew for training"),
        ({"prompt": ["a"], "completion": ["b"], "acc": [1.0], "advantages": [0.1]}, "ms-swift"),
        ({"prompt_tokens": [1], "response_tokens": [2], "prompt_idx": 0}, "open-instruct"),
        ({"items": [], "signal_averages": {}, "pass_at": {}}, "whose episodes tell their tasks"),
        ({"index": 0, "model_output": {}, "messages": []}, "in reviews/ beside predictions/"),
    ],
)
def test_what_is_no_evaluation_says_what_is(tmp_path, item: dict, words: str) -> None:
    path = lines(tmp_path / "step_0/a.jsonl", [item])
    assert words in why({"base": path, "rlvr": path})
    assert words in why({"steps": tmp_path})
