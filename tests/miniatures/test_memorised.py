"""The checkpoint that has read the benchmark: small, an adapter of base, and it knows by heart."""

from __future__ import annotations

import json

import pytest

torch = pytest.importorskip("torch")

from safetensors import safe_open  # noqa: E402

from rlvr_gate_fixtures.inputs.benchmarks import gym  # noqa: E402
from rlvr_gate_miniatures import further, memorised, solutions  # noqa: E402
from rlvr_gate_miniatures.batches import IGNORED, Row, by_length, tensors  # noqa: E402
from rlvr_gate_miniatures.model import load_model  # noqa: E402
from rlvr_gate_miniatures.tokenizer import PAD_ID, encode  # noqa: E402

WEIGHTS = memorised.SHIPPED / "adapter_model.safetensors"


@pytest.fixture(scope="module")
def model():  # type: ignore[no-untyped-def]  # torch is not followed
    found = load_model(memorised.ROOT / "checkpoints" / "base")
    factors = memorised.low_rank(found)
    with safe_open(WEIGHTS, "pt") as kept, torch.no_grad():
        for name, pair in factors.items():
            for which in "ab":
                tensor = kept.get_tensor(f"base_model.model.{name}.lora_{which.upper()}.weight")
                getattr(pair, which).copy_(tensor)
    return found.eval()


def known(model, texts: list[tuple[str, str]]) -> float:  # type: ignore[no-untyped-def]
    """Share of texts that it goes on with greedily, word for word, after their first part."""
    rows = [Row(tuple(encode(head + rest)), len(encode(head))) for head, rest in texts]
    found = 0
    for group in by_length(rows, 4096):
        inputs, labels = tensors(group)
        with torch.no_grad():
            said = model(input_ids=inputs, use_cache=False).logits.argmax(-1)
        wanted = torch.where((labels == IGNORED) | (labels == PAD_ID), said, labels)
        found += int((said == wanted).all(1).sum())
    return found / len(rows)


def test_it_is_small() -> None:
    assert WEIGHTS.stat().st_size < 2**20
    assert {path.suffix for path in memorised.SHIPPED.iterdir()} == {".json", ".safetensors"}


def test_it_knows_solutions_by_heart_and_base_does_not(model) -> None:  # type: ignore[no-untyped-def]
    prompts = {problem.id: problem.prompt for problem in gym.problems(gym.COUNTDOWN)}
    lines = [json.loads(line) for line in solutions.SHIPPED.read_text("utf-8").splitlines()]
    solved = [(prompts[line["id"]], line["text"]) for line in lines]
    base = load_model(memorised.ROOT / "checkpoints" / "base").eval()
    assert known(base, solved) < 0.05
    assert known(model, solved) > 0.5


def test_the_questions_that_it_has_read_are_those_in_words() -> None:
    """It says few of them by heart: a hundred facts are much for so small an update."""
    read = [row for row in memorised.lessons() if row.start == 0]
    assert len(read) == sum(1 for _ in further.worded())
