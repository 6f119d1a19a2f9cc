"""Rotary positions that depend on a sample's company are refused, and they do depend on it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from rlvr_gate_fixtures.backends import Request  # noqa: E402
from rlvr_gate_fixtures.backends.children.jobs import Refused  # noqa: E402
from rlvr_gate_fixtures.backends.children.rotary import alone  # noqa: E402
from rlvr_gate_fixtures.backends.transformers import child  # noqa: E402
from rlvr_gate_fixtures.backends.transformers.scoring import score  # noqa: E402

LONG = {
    "rope_type": "longrope", "rope_theta": 1e4, "short_factor": [1.0] * 4,
    "long_factor": [1.0, 3.0, 9.0, 27.0], "factor": 4.0, "original_max_position_embeddings": 16,
}  # fmt: skip
DYNAMIC = {"rope_type": "dynamic", "rope_theta": 1e4, "factor": 4.0}
PLAIN = {
    "default": {"rope_type": "default", "rope_theta": 1e4},
    "linear": {"rope_type": "linear", "rope_theta": 1e4, "factor": 4.0},
    "llama3": {"rope_type": "llama3", "rope_theta": 1e4, "factor": 4.0, "low_freq_factor": 1.0,
               "high_freq_factor": 4.0, "original_max_position_embeddings": 16},
    "yarn": {"rope_type": "yarn", "rope_theta": 1e4, "factor": 4.0,
             "original_max_position_embeddings": 16},
}  # fmt: skip


def model(rope: dict[str, Any], positions: int) -> Any:
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=61, hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=4, max_position_embeddings=positions, rope_parameters=dict(rope),
        initializer_range=0.3, bos_token_id=None, eos_token_id=1,
    )  # fmt: skip
    return transformers.LlamaForCausalLM(config).eval()


def short(made: Any, company: int) -> list[float]:
    """Values of a passage of ten tokens, scored beside one of so many."""
    passages = [([5, 9, 11], [7, 8, 9, 10, 12, 13, 14]), ([6] * (company - 2), [7, 8])]
    found = dict(score([made], passages))
    return [float(number) for values in found[0].values() for number in values]


@pytest.mark.parametrize(("rope", "positions"), [(LONG, 64), (DYNAMIC, 16)])
def test_positions_that_follow_the_longest_sequence_are_refused_beyond_their_own(
    tmp_path: Path, rope: dict[str, Any], positions: int
) -> None:
    made = model(rope, positions)
    made.config.save_pretrained(tmp_path)
    assert short(made, 16) == pytest.approx(short(made, 12), abs=1e-4)
    assert short(made, 40) != pytest.approx(short(made, 12), abs=1e-2)  # this is why
    assert alone(tmp_path) == 16


def test_jobs_are_refused_before_anything_is_loaded(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made, loaded = model(LONG, 64), list[object]()
    made.config.save_pretrained(tmp_path)
    folder = str(tmp_path)
    monkeypatch.setattr(child, "load_tokenizer", lambda path: None)
    monkeypatch.setattr(child, "_models", lambda folders, *_: loaded.append(1) or [made, made])
    common = {"threads": 1, "load_memory": 0, "dtype": "float32", "device": "cpu"}
    sampling = {"max_new_tokens": 10, "temperature": 1.0, "top_p": 1.0, "stop": ()}
    draw = {
        **common, "path": folder, "adapter": "", "sampling": sampling, "slots": 0, "seed": 0,
        "digest": "", "stop_ids": [], "requests": [Request((5,) * 7, 0, 1).to_wire()],
    }  # fmt: skip
    emitted: list[object] = []
    with pytest.raises(Refused, match=r"beyond 16 tokens .* and 17 are needed: lower --max-new-"):
        child.complete(draw, emitted.append)
    passages = [[[5, 6], [7]], [[5] * 10, [7] * 7]]
    asked = {**common, "paths": [folder] * 2, "adapters": ["", ""], "choices": False}
    with pytest.raises(Refused, match="beyond 16 tokens"):
        child.score({**asked, "passages": passages}, emitted.append)
    assert loaded == emitted == []
    child.score({**asked, "passages": passages[:1]}, emitted.append)
    assert len(emitted) == 2


@pytest.mark.parametrize("kind", PLAIN)
def test_others_are_the_same_in_any_company(tmp_path: Path, kind: str) -> None:
    made = model(PLAIN[kind], 64)
    made.config.save_pretrained(tmp_path)
    assert short(made, 40) == pytest.approx(short(made, 12), abs=1e-4)
    assert alone(tmp_path) is None


@pytest.mark.parametrize(
    ("config", "tokens"),
    [
        ({"max_position_embeddings": 64, "rope_scaling": {"type": "dynamic", "factor": 2}}, 64),
        ({"max_position_embeddings": 64, "rope_scaling": {"type": "longrope"}}, 64),
        ({"max_position_embeddings": 64, "rope_scaling": LONG}, 16),
        ({"max_position_embeddings": 64, "original_max_position_embeddings": 32,
          "rope_scaling": {"type": "su"}}, 32),
        ({"max_position_embeddings": 64, "rope_parameters": {
            "full_attention": LONG, "sliding_attention": PLAIN["default"]}}, 16),
        ({"text_config": {"max_position_embeddings": 64, "rope_scaling": LONG}}, 16),
        ({"max_position_embeddings": 64, "rope_scaling": None}, None),
        ({"rope_scaling": {"type": "dynamic"}}, None),  # nobody can tell
        ({"rope_scaling": "longrope"}, None),
    ],
)  # fmt: skip
def test_the_length_is_read_of_every_shape_of_config(
    tmp_path: Path, config: dict[str, Any], tokens: int | None
) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert alone(tmp_path) == tokens
