"""`pytest suites/ -k weight` as users run it: no samples, no tokenizer, clear errors."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

SUITES = str(Path(__file__).parents[2] / "suites")
NAMES = [f"model.layers.{i}.{n}.weight" for i in range(2) for n in ("self_attn.q_proj", "mlp.up")]


def write(folder: Path, seed: int = 0, flips: float = 0.0) -> Path:
    """Four bf16 matrices and nothing else: no configuration, no tokenizer."""
    rng = np.random.default_rng(0)
    tensors = {n: rng.integers(0x3C00, 0x3D80, (24, 16), dtype=np.uint16) for n in NAMES}
    other = np.random.default_rng(seed)
    header, data = {}, b""
    for name, words in tensors.items():
        raw = (words ^ (other.random(words.shape) < flips)).astype(np.uint16).tobytes()
        entry = {"dtype": "BF16", "shape": [24, 16], "data_offsets": [len(data), len(data + raw)]}
        header[name], data = entry, data + raw
    text = json.dumps(header).encode()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + data)
    return folder


@pytest.fixture
def weigh(pytester: pytest.Pytester):
    """Two checkpoints, and a run of the weight claims alone."""
    write(pytester.path / "old")
    write(pytester.path / "new", 1, 0.2)

    def _weigh(*args: str, pair: str = "./old,./new") -> pytest.RunResult:
        return pytester.runpytest_subprocess(
            SUITES, "-k", "weight", f"--model-pair={pair}", "--gate-policy=weights",
            "--gate-json=gate.json", "-p", "no:randomly", *args,
        )  # fmt: skip

    return _weigh


def document(pytester: pytest.Pytester) -> dict:
    return json.loads((pytester.path / "gate.json").read_text())


def test_weights_are_judged_without_tokenizer_or_samples(pytester, weigh) -> None:
    result = weigh("--gate-report=gate.html", "--gate-summary=gate.md")
    assert result.ret == 0
    found = document(pytester)
    verdicts = {claim["id"]: claim["verdict"] for claim in found["claims"]}
    assert verdicts["W0"] == verdicts["W1"] == "holds"
    assert verdicts["W1-sft"] == "undecided"
    assert all(claim["id"].startswith("W") for claim in found["claims"])
    assert found["counts"] == {}
    update = found["weights"]["rlvr"]
    assert update["total"]["parameters"] == 4 * 24 * 16
    assert len(update["tensors"]) == len(update["matrices"]) == 4
    assert 0.75 < update["total"]["unchanged_fraction"] < 0.85
    assert not (pytester.path / ".rlvr-gate" / "samples.sqlite").exists()
    page = (pytester.path / "gate.html").read_text()
    assert "self_attn.q_proj" in page
    assert "weights only, nothing sampled" in (pytester.path / "gate.md").read_text()


def test_a_claim_about_samples_that_is_skipped_leaves_the_weights_their_report(pytester, weigh):
    result = weigh("-k", "weight or lies_along_traits")
    assert result.ret == 0
    result.stdout.no_fnmatch_line("*record could not be made*")
    verdicts = {claim["id"]: claim for claim in document(pytester)["claims"]}
    assert verdicts["E5"]["skipped"]
    assert verdicts["W0"]["verdict"] == "holds"


def test_the_report_of_weights_alone_keeps_to_the_schema(pytester, weigh) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    from rlvr_gate_reports.document import schema

    write(pytester.path / "s8", 1, 0.1)
    assert weigh("--checkpoint=step-8=./s8").ret == 0
    jsonschema.validate(document(pytester), schema())


def test_the_second_run_reads_no_weights(pytester, weigh) -> None:
    assert weigh().ret == 0
    first = document(pytester)
    pytester.makeconftest(
        """
        import rlvr_gate.weights.scan as scan, rlvr_gate.weights.spectra as spectra
        def read(*args, **kwargs):
            raise AssertionError("weights were read again")
        scan.words = read
        spectra.gram = read
        """
    )
    assert weigh("--confcutdir=.", "-c", "/dev/null", f"--rootdir={pytester.path}").ret == 0
    second = document(pytester)
    assert second["weights"] == first["weights"]


def test_two_equal_checkpoints_close_the_gate(pytester, weigh) -> None:
    write(pytester.path / "new")
    result = weigh()
    assert result.ret == 1
    verdicts = {c["id"]: c["verdict"] for c in document(pytester)["claims"]}
    assert verdicts["W0"] == "refuted"
    assert {verdicts[i] for i in ("W1", "W2", "W4", "W5", "W6", "W8")} == {"not comparable"}


def test_contrasts_trajectory_and_bounds(pytester, weigh) -> None:
    for role, seed, flips in (("sft", 2, 0.9), ("second", 3, 0.2), ("s8", 1, 0.1)):
        write(pytester.path / role, seed, flips)
    policy = pytester.path / "ours.toml"
    policy.write_text('[policy]\nname = "ours"\n[claims.W1]\nkind = "gate"\nbound = 0.9\n')
    result = weigh(
        "--checkpoint=sft=./sft", "--checkpoint=rlvr-2=./second", "--checkpoint=step-8=./s8",
        f"--gate-policy={policy}",
    )  # fmt: skip
    assert result.ret == 1
    found = document(pytester)
    claims = {claim["id"]: claim for claim in found["claims"]}
    assert claims["W1"]["verdict"] == "refuted"
    assert claims["W1"]["judgements"][0]["threshold"] == 0.9
    assert claims["W1-sft"]["verdict"] == "holds"
    assert claims["W7"]["verdict"] in ("holds", "refuted")
    assert set(found["weights"]) == {"rlvr", "rlvr-2", "sft", "step-8"}
    rlvr = found["weights"]["rlvr"]
    assert rlvr["trajectory"]["previous"] == "step-8"
    assert rlvr["trajectory"]["ever_changed"] >= rlvr["trajectory"]["changed"]
    assert found["weights"]["step-8"]["trajectory"]["previous"] == "base"
    assert "trajectory" not in found["weights"]["sft"]
    assert set(rlvr["overlaps"]) == {"rlvr-2", "sft", "step-8"}


def test_the_plan_measures_nothing(pytester, weigh) -> None:
    result = weigh("--plan")
    result.stdout.fnmatch_lines([
        "weights of rlvr: every weight against base's, *M weights: about * s",
        "weights of rlvr: matrices decomposed, to measure: about * s",
    ])  # fmt: skip
    assert not list(pytester.path.rglob("update-*.json"))
    weigh()
    result = weigh("--plan")
    result.stdout.fnmatch_lines(["weights of rlvr: matrices decomposed, kept from an earlier run"])


def test_workers_say_the_same(pytester, weigh) -> None:
    pytest.importorskip("xdist")
    assert weigh().ret == 0
    alone = document(pytester)
    assert weigh("-n2").ret == 0
    together = document(pytester)
    assert together["weights"] == alone["weights"]
    assert [c["verdict"] for c in together["claims"]] == [c["verdict"] for c in alone["claims"]]


def damaged(folder: Path, how: str) -> str:
    """Break the trained checkpoint; returns what the message must say."""
    file = folder / "model.safetensors"
    raw = bytearray(file.read_bytes())
    if how == "truncated":
        file.write_bytes(raw[:-9])
        return "is truncated"
    if how == "nan":
        raw[-2:] = b"\xff\x7f"
        file.write_bytes(raw)
        return "holds NaN or infinite values"
    if how == "pickle":
        file.unlink()
        (folder / "pytorch_model.bin").write_bytes(b"\x80")
        return "pickles run code"
    if how == "index":
        index = {"weight_map": {NAMES[0]: "a-1.safetensors"}}
        file.unlink()
        (folder / "model.safetensors.index.json").write_text(json.dumps(index))
        return "shard a-1.safetensors"
    file.write_bytes(bytes(raw).replace(b"[24, 16]", b"[16, 24]", 1))
    return "has shape"


@pytest.mark.parametrize("how", ["truncated", "pickle", "index", "shape"])
def test_damaged_checkpoints_are_refused_before_any_test(pytester, weigh, how: str) -> None:
    message = damaged(pytester.path / "new", how)
    result = weigh()
    text = result.stdout.str() + result.stderr.str()
    assert result.ret == 4
    assert message in text
    assert "Traceback" not in text


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["plain", "workers"])
def test_nan_weights_are_refused_before_any_test(pytester, weigh, workers) -> None:
    message = damaged(pytester.path / "new", "nan")
    result = weigh(*workers)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert message in result.stdout.str() + result.stderr.str()
    assert "passed" not in result.stdout.str()


def test_another_adapter_is_refused(pytester, weigh) -> None:
    folder = pytester.path / "adapter"
    write(folder)
    (folder / "model.safetensors").rename(folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text('{"peft_type": "LOHA"}')
    result = weigh(pair="./old,./adapter")
    assert result.ret == 4
    assert "adapter of kind 'LOHA', expected 'LORA'" in result.stdout.str() + result.stderr.str()
