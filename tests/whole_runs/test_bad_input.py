"""Bad input: one clear message, exit status 4, and no verdict in any output."""

from __future__ import annotations

import json

import pytest


def refused(gate, result, *lines: str) -> None:
    assert result.ret == 4
    text = result.stdout.str() + result.stderr.str()
    for line in lines:
        assert line in text
    assert "Traceback" not in text
    file = gate.root / "gate.json"  # absent where the command line could not be read
    if file.exists():
        assert gate.document()["gate"]["state"] in ("no decision", "not finished")


@pytest.fixture
def pair(gate):
    gate.write(base=0.2, rlvr=0.7)
    gate.options.append("--gate-json=gate.json")
    return gate


def test_no_pair(pair) -> None:
    refused(pair, pair.run(pair=""), "claims need --model-pair BASE,RLVR")


@pytest.mark.parametrize("text", ["old", "a,b,c", "a,", ",b"])
def test_one_name_instead_of_two(pair, text: str) -> None:
    refused(pair, pair.run(pair=text), "expected two checkpoints separated by a comma")


def test_an_unknown_name_lists_the_known_ones(pair) -> None:
    refused(pair, pair.run(pair="./old,rlvrr"), "rlvr checkpoint 'rlvrr'")


def test_missing_weights(pair) -> None:
    (pair.root / "new" / "model.safetensors").unlink()
    refused(pair, pair.run(), "rlvr checkpoint './new'", "model.safetensors")


def test_truncated_weights(pair) -> None:
    file = pair.root / "new" / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-7])
    refused(pair, pair.run(), "rlvr checkpoint './new'", "truncated")


def test_another_architecture(pair) -> None:
    path = pair.root / "new" / "config.json"
    other = {"model_type": "mistral", "architectures": ["MistralForCausalLM"]}
    path.write_text(json.dumps(json.loads(path.read_text()) | other))
    refused(pair, pair.run(), "need one architecture", "model_type")


def test_a_configuration_of_another_model(pair) -> None:
    path = pair.root / "new" / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"hidden_size": 16}))
    refused(pair, pair.run(), "rlvr checkpoint './new'", "model.embed_tokens.weight has [16, 8]")


def test_another_tokenizer(pair) -> None:
    path = pair.root / "new" / "tokenizer.json"
    data = json.loads(path.read_text())
    data["model"]["vocab"] = {"a": 0, "b": 1}
    path.write_text(json.dumps(data))
    refused(pair, pair.run(), "need one tokenizer")


def test_k_above_samples(pair) -> None:
    refused(pair, pair.run("--k=1,32"), "pass@k needs k <= samples, got k=32 with --samples 16")


def test_k_above_samples_in_a_suite(pair) -> None:
    pair.pytester.makepyfile(
        """
        import pytest
        from rlvr_gate import claim

        @claim("far", id="F")
        @pytest.mark.at_k(64)
        def test_far(pair, benchmark, k):
            assert pair.rlvr.pass_at(k, benchmark) > 0
        """
    )
    refused(pair, pair.run(suites=str(pair.root)), "got k=64 with --samples 16")


def test_an_empty_benchmark(pair) -> None:
    (pair.root / "sums.jsonl").write_text("")
    refused(pair, pair.run(), "sums.jsonl", "empty")


def test_a_malformed_line_is_named(pair) -> None:
    file = pair.root / "sums.jsonl"
    file.write_text(file.read_text() + '{"problem": "1+1=", "answer": \n')
    refused(pair, pair.run(), "sums.jsonl", "21")


def test_a_store_from_a_newer_release(pair) -> None:
    import sqlite3

    assert pair.run().ret == 0
    (pair.root / "gate.json").unlink()
    database = pair.root / ".rlvr-gate" / "samples.sqlite"
    with sqlite3.connect(database) as db:
        db.execute("PRAGMA user_version = 99")
    refused(pair, pair.run(), "99")


def test_a_report_path_that_cannot_be_written_is_refused_before_sampling(pair) -> None:
    result = pair.run("--gate-report=sums.jsonl/gate.html")
    refused(pair, result, "--gate-report: cannot write")
    assert not (pair.root / ".rlvr-gate").exists()


def test_a_store_folder_that_cannot_be_made(pair) -> None:
    refused(pair, pair.run("--sample-store=sums.jsonl/store"), "sums.jsonl/store")


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--samples=0", "expected a whole number of at least 1, got '0'"),
        ("--k=one", "expected a whole number of at least 1, got 'one'"),
        ("--temperature=0", "expected a temperature above 0"),
        ("--top-p=1.5", "expected a number in (0, 1]"),
        ("--checkpoint=sft", "expected ROLE=REF"),
        ("--checkpoint=base=x", "belongs to --model-pair"),
        ("--backend-option=dtype", "expected KEY=VALUE"),
        ("--benchmarks=,", "expected at least one name"),
        ("--gate-policy=strict", "no policy 'strict'"),
        ("--backend=gguf", "unknown backend 'gguf'"),
        ("--benchmarks=countdwn", "unknown benchmark 'countdwn'; did you mean 'countdown'"),
    ],
)
def test_every_option_explains_its_refusal(pair, option: str, message: str) -> None:
    refused(pair, pair.run(option), message)


def test_a_checkpoint_without_one_of_its_tensors_is_never_sampled(pair) -> None:
    file = pair.root / "new" / "model.safetensors"
    file.write_bytes(file.read_bytes().replace(b"mlp.down_proj", b"mlp.downxproj"))
    result = pair.run()
    refused(pair, result, "rlvr checkpoint './new'", "1 missing (model.layers.0.mlp.down_proj")
    assert not (pair.root / ".rlvr-gate" / "samples.sqlite").exists()


def test_what_is_odd_and_accepted_is_told_in_the_plan_and_in_the_record(pair) -> None:
    (pair.root / "new" / "pytorch_model.bin").write_bytes(b"old")
    note = "not read: pytorch_model.bin"
    pair.run("--plan").stdout.fnmatch_lines([f"note on rlvr: {note}"])
    pair.run().stdout.fnmatch_lines([f"note on rlvr: {note}"])
    told = {c["role"]: c["notes"] for c in pair.document()["checkpoints"]}
    assert told == {"base": [], "rlvr": [note]}
