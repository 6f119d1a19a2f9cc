"""Rotary positions that depend on a sample's company are refused, and they do depend on it."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from rlvr_gate_fixtures.backends import Request  # noqa: E402
from rlvr_gate_fixtures.backends.children.jobs import Refused  # noqa: E402
from rlvr_gate_fixtures.backends.transformers import child  # noqa: E402
from rlvr_gate_fixtures.backends.transformers.positions import check_alone  # noqa: E402
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
    rope: dict[str, Any], positions: int
) -> None:
    made = model(rope, positions)
    assert short(made, 16) == pytest.approx(short(made, 12), abs=1e-4)
    assert short(made, 40) != pytest.approx(short(made, 12), abs=1e-2)  # this is why
    check_alone(made, 16)
    with pytest.raises(
        Refused, match=r"beyond 16 tokens .* and 17 are needed: lower --max-new-to"
    ):
        check_alone(made, 17)


def test_jobs_are_refused_before_anything_is_drawn_or_scored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(child, "load_tokenizer", lambda path: None)
    monkeypatch.setattr(child, "_models", lambda folders, *_: [model(LONG, 64)] * len(folders))
    common = {"threads": 1, "load_memory": 0, "dtype": "float32", "device": "cpu"}
    sampling = {"max_new_tokens": 10, "temperature": 1.0, "top_p": 1.0, "stop": ()}
    draw = {
        **common, "path": "", "adapter": "", "sampling": sampling, "slots": 0, "seed": 0,
        "digest": "", "stop_ids": [],
    }  # fmt: skip
    emitted: list[object] = []
    with pytest.raises(Refused, match="beyond 16 tokens"):
        child.complete({**draw, "requests": [Request((5,) * 7, 0, 1).to_wire()]}, emitted.append)
    passages = [[[5, 6], [7]], [[5] * 10, [7] * 7]]
    asked = {**common, "paths": ["", ""], "adapters": ["", ""], "choices": False}
    with pytest.raises(Refused, match="beyond 16 tokens"):
        child.score({**asked, "passages": passages}, emitted.append)
    assert emitted == ["ready"] * 2
    child.score({**asked, "passages": passages[:1]}, emitted.append)
    assert len(emitted) == 4


@pytest.mark.parametrize("kind", PLAIN)
def test_others_are_the_same_in_any_company(kind: str) -> None:
    made = model(PLAIN[kind], 64)
    assert short(made, 40) == pytest.approx(short(made, 12), abs=1e-4)
    check_alone(made, 10_000)


def test_each_kind_of_layer_has_positions_of_its_own() -> None:
    made = model(PLAIN["default"], 64)
    made.config.rope_parameters = {"full_attention": LONG, "sliding_attention": PLAIN["default"]}
    with pytest.raises(Refused, match="beyond 16 tokens"):
        check_alone(made, 17)
