"""Traps in what tools really write, as read from their sources in several versions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from rlvr_gate_fixtures.recorded import read

Line = Mapping[str, object]


def write(path: Path, items: Iterable[Line]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(item) + "\n" for item in items))
    return path


def turns(*said: str) -> list[Line]:
    """Messages, each `role: text`."""
    pairs = [text.split(": ", 1) for text in said]
    return [{"role": role, "content": content} for role, content in pairs]


def nemo_rl(rewards: Iterable[Iterable[float]], *, name: str = "a") -> list[Line]:
    """Its math environment has the last word in every log that NeMo-RL 0.2 and later write."""
    return [
        {"content": [turns(f"user: What is {i}?", f"assistant: {name} {j}",
                           "environment: Environment: " + ("correct" if right else "incorrect"))],
         "rewards": [right], "idx": j}
        for i, row in enumerate(rewards) for j, right in enumerate(row)
    ]  # fmt: skip


BASE, RLVR = [[1.0, 0.0], [0.0, 0.0]], [[1.0, 1.0], [0.0, 1.0]]


def test_the_environment_has_the_last_word_in_nemo_rl(kit, tmp_path) -> None:
    recorded = kit.both(
        write(tmp_path / "base", nemo_rl(BASE)), write(tmp_path / "rlvr", nemo_rl(RLVR))
    )
    assert [(t.n, t.correct) for t in recorded.tallies["rlvr"]] == [(2, 2), (2, 1)]
    assert recorded.benchmark.problems[1].prompt == "What is 1?"
    (first, *_) = recorded.examples["base"][recorded.benchmark.problems[0].id]
    assert first.text == "a 0"


def test_turns_of_a_prompt_and_of_the_checkpoint_are_told_apart(kit, tmp_path) -> None:
    """Two samples of one problem, with an example in the prompt and two turns drawn."""
    asked = ("user: 1+1?", "assistant: 2", "user: What is 2+3?")
    lines = [
        {"content": [turns(*asked, f"assistant: use {j}", "environment: 5", f"assistant: is {j}")],
         "rewards": [float(j)]}
        for j in (0, 1)
    ]  # fmt: skip
    path = write(tmp_path / "a", lines)
    recorded = kit.both(path, path)
    (problem,) = recorded.benchmark.problems
    assert problem.prompt == "1+1?\n2\nWhat is 2+3?"
    assert [t.n for t in recorded.tallies["base"]] == [2]
    assert {e.text for e in recorded.examples["base"][problem.id]} == {
        "use 0\nis 0",
        "use 1\nis 1",
    }


@pytest.fixture
def logs(tmp_path) -> Path:
    """What NeMo-RL logs into one folder: training beside validation."""
    for step, rewards in ((0, BASE), (10, RLVR), (20, RLVR)):
        write(tmp_path / f"val_data_step{step}.jsonl", nemo_rl(rewards, name=f"v{step}"))
        train = {"content": ["all in one text"], "rewards": [0.5], "token_ids": [[1]], "idx": 0}
        write(tmp_path / f"train_data_step{step + 1}.jsonl", [train])
    (tmp_path / "config.json").write_text('{"grpo": {"seed": 1}}')
    return tmp_path


def test_a_series_of_nemo_rl_is_its_validations(kit, logs) -> None:
    recorded = read("b", {"steps": [logs]})
    assert list(recorded.tallies) == ["base", "rlvr", "step-10"]
    assert kit.totals(recorded, "rlvr").correct == 3


def test_steps_of_nemo_rl_are_not_pooled_and_training_is_not_read(bench, logs) -> None:
    first, last = (logs / f"val_data_step{step}.jsonl" for step in (0, 10))
    assert "val_data_step10.jsonl is of step 10, val_data_step0.jsonl of step 0" in (
        bench.refusal([first, last], last)
    )
    assert "base is of step 10" in bench.refusal(last, first)
    train = logs / "train_data_step1.jsonl"
    assert "drew for training, each batch by another policy: give the val_data_step" in (
        bench.refusal(train, train)
    )


def nemo_rl_run(folder: Path, rewards: Iterable[Iterable[float]], **drawn: object) -> Path:
    entries = [
        {"prompt": f"What is {i}?", "response": f"{drawn} {j}", "reward": right,
         "message_log": "[…]", "extra_env_info": "{…}", "sample_index": j}
        for i, row in enumerate(rewards) for j, right in enumerate(row)
    ]  # fmt: skip
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_name": "m", "top_p": 1.0, **drawn}))
    (folder / "evaluation_data.json").write_text(json.dumps({"evaluation_data": entries}))
    return folder


def test_how_nemo_rl_drew_stands_beside_the_samples(kit, tmp_path) -> None:
    base = nemo_rl_run(tmp_path / "base", BASE, temperature=1.0)
    rlvr = nemo_rl_run(tmp_path / "rlvr", RLVR, temperature=0.6)
    recorded = kit.both(base, rlvr)
    assert recorded.differences == ("temperature differ: base 1.0, rlvr 0.6",)
    assert "sampling settings" not in recorded.unknown
    moved = [(tmp_path / role / "evaluation_data.json").rename(tmp_path / role / "mine.json")
             for role in ("base", "rlvr")]  # fmt: skip
    assert "sampling settings" in kit.both(*moved).unknown


def skyrl(i: int, j: int, score: object, stop: str | None = "stop") -> Line:
    return {"input_prompt": f"<|im_start|>What is {i}?", "output_response": f"{j}<|im_end|>",
            "score": score, "stop_reason": stop, "env_class": "aime",
            "env_extras": {"reward_spec": {"ground_truth": str(i)}},
            "data_source": "aime24"}  # fmt: skip


@pytest.fixture
def evals(tmp_path) -> Path:
    """The folder that SkyRL dumps evaluations into; the data sets have numbers too."""
    for step, rights in ((0, [1.0, 0.0]), (5, [1.0, 1.0]), (10, [0.0, 1.0])):
        folder = tmp_path / "dumped_evals" / f"global_step_{step}_evals"
        for data in ("aime24", "gsm8k"):
            lines = [
                skyrl(i, j + step, [0.0, right]) for i in (0, 1) for j, right in enumerate(rights)
            ]
            named = [line | {"input_prompt": f"{data} {line['input_prompt']}"} for line in lines]
            write(folder / f"{data}.jsonl", named)
        means = {"eval/aime24/avg_score": 0.5, "eval/aime24/pass_at_2": 1.0}
        write(folder / "aggregated_results.jsonl", [means])
    return tmp_path / "dumped_evals"


def test_a_series_of_skyrl_goes_by_its_folders(kit, evals) -> None:
    recorded = read("b", {"steps": [evals]})
    assert list(recorded.tallies) == ["base", "rlvr", "step-5"]
    assert [t.correct for t in recorded.tallies["step-5"]] == [2, 2, 2, 2]
    assert "global_step_10_evals/gsm8k.jsonl" in recorded.benchmark.source


def test_steps_of_skyrl_are_not_pooled(bench, evals) -> None:
    assert "aime24.jsonl of step 0" in bench.refusal(evals, evals)
    only = evals.with_name("eval_only")
    (evals / "global_step_0_evals").rename(only)
    moved = only.rename(evals / "eval_only")
    with pytest.raises(ValueError, match=r"eval_only/aime24.jsonl: no number in its name says"):
        read("b", {"steps": [evals]})
    assert moved.is_dir()


def test_what_skyrl_called_off_is_no_answer(kit, tmp_path) -> None:
    lines = [skyrl(0, 0, [0.0, 1.0]), skyrl(0, 1, 0.0, "abort"), skyrl(0, 2, []),
             skyrl(0, 3, 0.0, "length"), skyrl(0, 4, "0.0", None)]  # fmt: skip
    path = write(tmp_path / "a", lines)
    recorded = kit.both(path, path)
    assert kit.totals(recorded, "base") == kit.Totals(5, 1, 2, 1)
    assert "truncation" in recorded.unknown


def gym(j: int, reward: float, **more: object) -> Line:
    said = [{"type": "output_text", "text": f"{j}"}]
    return {"_ng_task_index": 0, "_ng_rollout_index": j, "agent_ref": {"name": "simple"},
            "responses_create_params": {"input": "What is 5?", "temperature": 0.6, "top_p": None},
            "response": {"output": [{"type": "message", "content": said}], "error": None,
                         "incomplete_details": None, "status": "completed"},
            "reward": reward, "expected_answer": "5", **more}  # fmt: skip


def test_a_rollout_that_its_agent_masked_is_unscored(kit, tmp_path) -> None:
    lines = [
        gym(0, 1.0, mask_sample=False), gym(1, 0.0, mask_sample=True),
        gym(2, 0.0, instance_config={"mask_sample": True}), gym(3, 0.0, mask_sample=None),
        gym(4, 0.0, response={"output": [], "status": "failed", "error": {"code": "x"}}),
    ]  # fmt: skip
    path = write(tmp_path / "a", lines)
    assert kit.totals(kit.both(path, path), "base") == kit.Totals(5, 1, 3, 1)


def test_how_nemo_gym_drew_is_compared(kit, tmp_path) -> None:
    cold = {"input": "What is 5?", "temperature": 0.0}
    base = write(tmp_path / "base", [gym(0, 0.0)])
    rlvr = write(tmp_path / "rlvr", [gym(0, 1.0, responses_create_params=cold)])
    assert "temperature differ: base 0.6, rlvr 0.0" in kit.both(base, rlvr).differences


def test_another_number_of_nemo_gym_may_be_named(kit, bench, tmp_path) -> None:
    path = write(tmp_path / "a", [gym(j, 0.3 + j, library_reward=float(j)) for j in (0, 1)])
    said = bench.refusal(path, path)
    assert "reward is 0.3, a shaped reward, which does not say what is correct: choose" in said
    assert kit.totals(kit.both(path, path, score="library_reward"), "base").correct == 1
    assert "it has reward, library_reward" in bench.refusal(path, path, score="_ng_task_index")


def test_attempts_of_nemo_gym_that_failed_are_no_run(kit, bench, tmp_path) -> None:
    run = tmp_path / "run"
    write(run / "rollouts.jsonl", [gym(0, 1.0), gym(1, 0.0)])
    failed = write(run / "rollouts_failures.jsonl", [gym(1, 0.0, _ng_failure_class="timeout")])
    recorded = kit.both(run, run)
    assert kit.totals(recorded, "base") == kit.Totals(2, 1, 0, 1)
    assert f"holding no run: {failed}" in recorded.benchmark.source
    assert "NeMo Gym's failed attempts" in bench.refusal(failed, failed)


def test_the_remedy_for_a_shaped_reward_is_one_that_works(bench, tmp_path) -> None:
    """Where a layout has one score, no other can be chosen."""
    path = write(tmp_path / "a", [skyrl(0, 0, 0.5)])
    said = bench.refusal(path, path)
    assert "--recorded-score" not in said
    assert "grade the completions with --regrade=VERIFIER, or write counts" in said


def verifiers(j: int, reward: float, **more: object) -> Line:
    return {"example_id": 0, "prompt": turns("user: What is 5?"),
            "completion": turns(f"assistant: {j}"), "answer": "5", "task": "default",
            "reward": reward, **more}  # fmt: skip


def test_a_rollout_of_verifiers_that_died_has_nothing_to_read(kit, bench, tmp_path) -> None:
    """As `state_to_output` writes it where the first call raised."""
    error = {
        "error": "ModelError",
        "message": "timed out",
        "error_chain_repr": "",
    }
    dead = verifiers(1, 0.0, completion=None, error=error, is_truncated=False)
    path = write(tmp_path / "a", [verifiers(0, 1.0, error=None), dead])
    assert kit.totals(kit.both(path, path), "base") == kit.Totals(2, 1, 1, 1)
    path = write(tmp_path / "a", [verifiers(0, 1.0), verifiers(1, 0.0, completion=None)])
    assert "line 2: completion must be a list" in bench.refusal(path, path)


def test_metrics_were_columns_and_examples_had_no_number(kit, bench, tmp_path) -> None:
    """verifiers 0.1.4 has no `example_id`, and 0.1.8 no `metrics`."""
    lines = [verifiers(j, 0.2 + j, correct_answer=float(j), generation_ms=7.5) for j in (0, 1)]
    path = write(tmp_path / "a", lines)
    recorded = kit.both(path, path, score="correct_answer")
    assert kit.totals(recorded, "base") == kit.Totals(2, 1, 0, 1)
    early = [{k: v for k, v in line.items() if k != "example_id"} for line in lines]
    write(path, early)
    assert kit.both(path, path, score="correct_answer").tallies == recorded.tallies
    assert "it has reward, correct_answer" in bench.refusal(path, path, score="generation_ms")


def test_how_verifiers_drew_stands_beside_the_results(kit, tmp_path) -> None:
    paths = []
    for role, temperature in (("base", 1.0), ("rlvr", 0.7)):
        args = {"temperature": temperature, "max_tokens": None, "top_p": 0.9}
        meta = {"env_id": "gsm8k", "pass_threshold": 0.5, "sampling_args": args}
        paths.append(write(tmp_path / role / "results.jsonl", [verifiers(0, 1.0, run=role)]))
        (tmp_path / role / "metadata.json").write_text(json.dumps(meta))
    assert "temperature differ: base 1.0, rlvr 0.7" in kit.both(*paths).differences
    (tmp_path / "base" / "metadata.json").write_text("{broken")
    assert "sampling settings" in kit.both(*paths).unknown


def test_statuses_of_evalplus_before_0_2_1(kit, bench, tmp_path) -> None:
    pairs = [("success", "success"), ("success", "failed"), ("failed", "timed out")]
    entry = {"files": ["0.py", "1.py", "2.py"],
             "base": [[base, [True]] for base, _ in pairs],
             "plus": [[plus, [True]] for _, plus in pairs]}  # fmt: skip
    path = tmp_path / "eval_results.json"
    path.write_text(json.dumps({"date": "2023-06-01", "eval": {"HumanEval/0": entry}}))
    assert kit.totals(kit.both(path, path), "base") == kit.Totals(3, 1, 0, 1)
    assert kit.totals(kit.both(path, path, score="base"), "base").correct == 2
    path.write_text(json.dumps({"eval": {"E": entry | {"base": [["crashed", []]] * 3}}}))
    assert "base_status must be one of pass, fail, timeout" in bench.refusal(path, path)


def lcb(test: object, graded: list[bool], **more: object) -> Line:
    return {"question_id": "2727", "question_content": "Count pairs.", "test_id": test,
            "output_list": ["a", "b"], "pred_list": ["1", "2"], "graded_list": graded,
            "pass@1": 0.5, **more}  # fmt: skip


def test_a_question_of_livecodebench_has_several_tests(kit, bench, tmp_path) -> None:
    rows = [lcb(0, [True, False]), lcb(1, [False, False])]
    path = tmp_path / "Scenario.testoutputprediction_2_0.2_eval_all.json"
    path.write_text(json.dumps(rows, indent=4))
    tallies = kit.both(path, path).tallies["base"]
    assert [(t.problem, t.correct) for t in tallies] == [("2727/0", 1), ("2727/1", 0)]
    path.write_text(json.dumps([*rows, lcb(1.0, [True, True])]))
    assert "item 3: the problem is already on item 2" in bench.refusal(path, path)
    calls = [lcb(None, [True, False], id=f"sample_{i}") for i in (0, 1)]
    path.write_text(json.dumps(calls))
    assert [t.problem for t in kit.both(path, path).tallies["base"]] == [
        "2727/sample_0",
        "2727/sample_1",
    ]


def test_the_temperature_of_livecodebench_stands_in_the_name(kit, tmp_path) -> None:
    paths = []
    for temperature in ("0.2", "1.0"):
        path = tmp_path / f"Scenario.codegeneration_2_{temperature}_eval_all.json"
        path.write_text(json.dumps([lcb(None, [True, False], output_list=[temperature, "b"])]))
        paths.append(path)
    assert "temperature differ: base 0.2, rlvr 1.0" in kit.both(*paths).differences


def skills(i: int, right: bool, **more: object) -> Line:
    return {"problem": f"What is {i}?", "expected_answer": str(i), "generation": f"{right}",
            "predicted_answer": "5", "symbolic_correct": right, **more}  # fmt: skip


def test_a_generation_of_nemo_skills_that_failed_is_unscored(kit, tmp_path) -> None:
    failed = skills(1, False, generation="", error="context", detailed_error="too long")
    empty = skills(2, False, generation="")
    path = write(tmp_path / "output-rs0.jsonl", [skills(0, True, error=""), failed, empty])
    assert kit.totals(kit.both(path, path), "base") == kit.Totals(3, 1, 1, 1)


def test_programs_that_nemo_skills_had_graded(kit, bench, tmp_path) -> None:
    """Its evaluation by LiveCodeBench leaves a list of one truth, and no question_id."""
    lines = [{"task_id": f"abc{i}", "question": f"Sort {i}.", "generation": f"def f(): {i}",
              "graded_list": [bool(i)]} for i in (0, 1)]  # fmt: skip
    path = write(tmp_path / "output-rs0.jsonl", lines)
    assert kit.totals(kit.both(path, path), "base").correct == 1
    path = write(tmp_path / "output-rs0.jsonl", [lines[0] | {"graded_list": [True, False]}])
    assert "graded_list must be a list of one" in bench.refusal(path, path)


def test_a_chunk_beside_what_it_was_merged_into_is_refused(bench, kit, tmp_path) -> None:
    chunk = write(tmp_path / "output-rs0_chunk_0.jsonl", [skills(0, True)])
    rest = write(tmp_path / "output-rs0_chunk_1.jsonl", [skills(1, False)])
    assert kit.totals(kit.both([chunk, rest], [chunk, rest]), "base").n == 2
    write(tmp_path / "output-rs0.jsonl", [skills(0, True), skills(1, False)])
    assert "output-rs0_chunk_0.jsonl: a part of output-rs0.jsonl, which lies beside it" in (
        bench.refusal(tmp_path, tmp_path)
    )


def test_a_sample_that_opencompass_left_out_is_missed(bench, kit, tmp_path) -> None:
    """Of two samples its evaluator judged one: the list of truths is shorter than the others."""
    detail = {"example_abbr": "gsm8k_0", "pred": ["5", "6"], "answer": ["5", "5"],
              "correct": [True, False], "G-Pass@2_0.5": 0.5}  # fmt: skip
    path = tmp_path / "gsm8k.json"
    path.write_text(json.dumps({"accuracy": 50.0, "details": [detail]}))
    assert kit.totals(kit.both(path, path), "base") == kit.Totals(2, 1, 0, 1)
    path.write_text(json.dumps({"accuracy": 50.0, "details": [detail | {"correct": [True]}]}))
    assert "details[0]: ragged: 1 in correct of 2 samples" in bench.refusal(path, path)
    path.write_text(json.dumps({"accuracy (2 runs average)": 50.0}))
    assert "a summary, which holds means and no counts" in bench.refusal(path, path)


def test_the_same_question_with_other_answers_in_both_runs_is_told(bench, tmp_path) -> None:
    """Files join by question and answer, so one would only seem to lack the problem."""
    other = skyrl(0, 1, 1.0) | {"env_extras": {"reward_spec": {"ground_truth": "7"}}}
    base = write(tmp_path / "base", [skyrl(0, 0, 1.0)])
    rlvr = write(tmp_path / "rlvr", [other])
    assert "ask the same with another answer on file: '<|im_start|>What is 0?', '0' and '7'" in (
        bench.refusal(base, rlvr)
    )


def test_one_key_for_two_questions_is_refused(bench, tmp_path) -> None:
    """Two environments in a file of prime-rl may number their tasks alike."""
    lines = [
        {"env": {"id": env}, "ok": True,
         "task": {"key": "task-0", "hash": "x", "data": {"prompt": f"{env}?", "answer": "5"}},
         "traces": [{"nodes": [{"message": {"role": "assistant", "content": env},
                                "sampled": True}],
                     "rewards": {"right": {"score": 1.0, "weight": 1.0}}, "ok": True}]}
        for env in ("sums", "words")
    ]  # fmt: skip
    path = write(tmp_path / "traces.jsonl", lines)
    assert "problem 'task-0' asks another question than in" in bench.refusal(path, path)
    assert "'words?' and 'sums?', so split the file" in bench.refusal(path, path)


def test_a_log_of_nemo_rl_without_text_says_where_the_text_is(bench, tmp_path) -> None:
    """Where NeMo Gym holds the conversation, NeMo-RL keeps token ids and writes empty turns."""
    line = {"content": [turns("user: ", "assistant: ")], "rewards": [1.0], "idx": 0}
    path = write(tmp_path / "val_data_step3.jsonl", [line])
    assert "give the rollouts that NeMo Gym writes" in bench.refusal(path, path)
