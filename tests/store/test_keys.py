"""A key never changes: whoever filled a store with an earlier release finds all of it."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path
from textwrap import dedent

import pytest

from rlvr_gate.records import Measure, Sampling, Score, Stream
from rlvr_gate_fixtures.store import keys
from rlvr_gate_fixtures.store.packing import digest16

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PLAIN = Stream("d" * 64, Sampling(), (2,), "transformers/float32", 0)
OTHER = Stream("e" * 64, Sampling(0.6, 0.95, 4096), (151643, 151645), "vllm/bfloat16", 7)
WHOLE = Stream("e" * 64, Sampling(1, 1, 16), (), "server/x é", -1)
GOLDEN = {
    "4e122f44ac87d35b2abe7b57b4e56676": keys.stream_key(PLAIN).encode(),
    "6a8940b4df4b84d3f4af68fade9d06b0": keys.stream_key(OTHER).encode(),
    "71f6c0037c3e87cc76593c3ced88ba9d": keys.stream_key(WHOLE).encode(),
    "d75d74c6b125f50f333a1583800f593d": keys.prompt_key((1, 2, 3)),
    "c8883c782b793a6000e1e40710cbd12f": keys.prompt_key((70000,)),
    "923d9cde6069eca37817446bceab83f7": keys.prompt_key(tuple(range(300))),
    "f65f233f4ec106a56243ac3f5fbfa0a9": keys.rubric_key("integer", "1", "42").encode(),
    "937a4bedcd4d7fe9262ac28928489894": keys.rubric_key("exact", "2", "é\n").encode(),
    "3b43900376cfbce1ace10d309b1260f3": keys.score_key(
        Score(Measure.LOGPROB, "d" * 64, "transformers/float32")).encode(),
    "0559a15e64572bce3e90261bd5b069a8": keys.score_key(
        Score(Measure.KL, "d" * 64, "transformers/float32", "e" * 64)).encode(),
    "e8857f314695a41049a5842d733bac63": keys.score_key(
        Score(Measure.CHOICE, "d" * 64, "transformers/float32")).encode(),
    "532dbb72aa77a5a7daf21ffebdc49615": keys.score_key(
        Score(Measure.RANK, "d" * 64, "transformers/float32", "e" * 64)).encode(),
    "1a654bc7621360dfdf2d807d58812103": keys.encoding_key(
        "transformers abc", "What is 1+1?").encode(),
    "95c432fd895f0ee2505e15711b5d6f48": keys.adapted_digest("d" * 64, "e" * 64, "f" * 64).encode(),
    "4b67af485db5ae6717d8a331cf3233e5": keys.question_key("K1", ["sums"], 1, [
        keys.asked_key("rlvr", "e" * 64, Sampling(), ""),
        keys.asked_key("base", "d" * 64, Sampling(1, 1, 16), "{prompt}!")]).encode(),
    "58bdc43aa43f5d0e4aa80e04e4e8d854": keys.state_key(
        [OTHER, PLAIN], ["ab"], ["exact 1"], 64, None).encode(),
}  # fmt: skip


@pytest.mark.parametrize("digest", GOLDEN)
def test_the_digests_of_release_0_1_stand(digest: str) -> None:
    assert digest16(GOLDEN[digest]).hex() == digest


def test_names_of_kept_comparisons_stand() -> None:
    assert keys.comparison_name("update", "a", "b") == (
        "update-200c313af-60270911794ae6e2b85c041d.json"
    )
    assert (
        keys.kernel_name(
            "a", "b", (0.5, None, False), [((1, 2), (3,))], (0, 1), 0, "transformers/float32/cpu"
        )
        == "kernel-1-72dd2d4483b5105b50296365.npz"
    )
    assert (
        keys.kernel_name("a", "b", (1, 7, True), [((1, 2), (3,)), ((4,), (70000,))], (5,), 64, "x")
        == "kernel-1-031f47e25f045e4b619591c9.npz"
    )
    assert keys.likeness_name("a", ["x", "y"], "transformers/float32/cpu") == (
        "texts-1-ea04cecf1427eaa268853f28.npz"
    )
    assert keys.traces_name("f", "b", ["1", "2"], "t") == "traces-0d79d8ef32d0d03545ecfef3.json"
    assert keys.decomposition_name("a", "w", "BF16") == "81a450f0179eb5b77cfa29cc.npz"


def test_a_key_names_every_field() -> None:
    """A field that is added is either named where it is no default, or named here as no part."""
    stopping = replace(PLAIN, sampling=replace(PLAIN.sampling, stop=("a",)))
    named = json.loads(keys.stream_key(stopping))
    assert {field.name for field in fields(Stream)} == named.keys()
    assert {field.name for field in fields(Sampling)} == named["sampling"].keys()
    score = keys.score_key(Score(Measure.LOGPROB, "d", "b"))
    assert {field.name for field in fields(Score)} == json.loads(score).keys()


def test_a_smaller_budget_is_known_by_its_stream_s_facts() -> None:
    def facts(**sampling: object) -> str:
        return keys.stream_key(replace(PLAIN, sampling=replace(PLAIN.sampling, **sampling)))

    assert keys.budget_below(facts(max_new_tokens=16), PLAIN) == 16
    for other in (
        facts(),  # itself
        facts(max_new_tokens=PLAIN.sampling.max_new_tokens + 1),
        facts(max_new_tokens=16, temperature=0.5),
        facts(max_new_tokens=16, stop=("a",)),
        keys.stream_key(OTHER),
        '{"sampling": 3}',
        facts(max_new_tokens=16).replace("16", '"16"'),
        facts(max_new_tokens=16).replace('"seed"', '"more":1,"seed"'),
    ):
        assert keys.budget_below(other, PLAIN) is None


def test_a_store_that_release_0_1_filled_reads_as_full(tmp_path: Path) -> None:
    """Drawn with transformers from the shipped pair, with scores; nothing is drawn again."""
    store = tmp_path / "store"
    store.mkdir()
    packed = (HERE / "data" / "store-0.1.sqlite.gz").read_bytes()
    (store / "samples.sqlite").write_bytes(gzip.decompress(packed))
    claim = """
        import pytest
        from rlvr_gate import claim

        @pytest.mark.scores("base", "rlvr", under="base")
        @claim("scored", id="MY1", kind="gate")
        def test_scored(pair, benchmark):
            base = pair.base
            assert base.log_perplexity(benchmark, of=pair.rlvr) < base.log_perplexity(benchmark)
    """
    (tmp_path / "test_mine.py").write_text(dedent(claim))
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    rooms = os.pathsep.join(str(ROOT / room) for room in ("plugins", "fixtures", "reports"))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--model-pair=base,rlvr",
         f"--benchmarks={HERE}/data/four.jsonl", "--samples=4", "--score-samples=2",
         "--max-new-tokens=24", "--backend-option=threads=1", f"--sample-store={store}", "--plan",
         "test_mine.py"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": rooms}, check=False,
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "total: 0 to draw, 32 stored; nothing to draw" in done.stdout
    assert "rlvr under base on four: 8 completions, nothing to score" in done.stdout
