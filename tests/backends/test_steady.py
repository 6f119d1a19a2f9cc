"""Batch sizes that compute the same bits: found by asking, refused where unknown."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from rlvr_gate_fixtures.backends.transformers import steady  # noqa: E402  # after importorskip
from rlvr_gate_fixtures.backends.transformers.steady import SteadyRows  # noqa: E402


def chain(kind: type = torch.nn.Linear) -> torch.nn.Module:
    return torch.nn.Sequential(torch.nn.Embedding(9, 64), kind(64, 96), kind(96, 64))


def test_a_batch_holds_what_is_needed_and_at_most_the_largest() -> None:
    rows = SteadyRows(chain(), 256)
    for needed in (1, 31, 32, 33, 200, 255, 256):
        assert needed <= rows.at_least(needed) <= 256
    assert rows.at_least(256) == 256
    assert SteadyRows(chain(), 8).at_least(3) == 8


def test_little_is_padded_and_few_sizes_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = SteadyRows(chain(), 1024)
    asked: list[int] = []
    monkeypatch.setattr(rows, "_is_steady", lambda size: not asked.append(size))
    for needed in range(1, 1024):
        assert rows.at_least(needed) <= max(needed * 1.25, needed + steady.LEAST_ROWS - 1)
    assert len(set(asked)) <= 25


def test_another_order_of_addition_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def backwards_below_100_rows(batch: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        order = torch.arange(batch.shape[1])
        order = order.flip(0) if len(batch) < 100 else order
        total = torch.zeros(len(batch), len(weight), dtype=batch.dtype)
        for k in order:
            total = total + batch[:, k, None] * weight[:, k]
        return total

    monkeypatch.setattr(steady, "linear", backwards_below_100_rows)
    rows = SteadyRows(chain(), 256)
    assert [rows.at_least(needed) for needed in (1, 64, 100, 129)] == [112, 112, 112, 160]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_sizes_found_agree_on_other_numbers(dtype: torch.dtype) -> None:
    model = torch.nn.Sequential(torch.nn.Linear(192, 640), torch.nn.Linear(640, 192)).to(dtype)
    rows = SteadyRows(model, 256).at_least(40)
    torch.manual_seed(5)
    batch = torch.randn(256, 192).to(dtype)
    for start in range(0, 256 - rows + 1, rows):
        part = slice(start, start + rows)
        assert torch.equal(model(batch[part]), model(batch)[part])


def test_matrices_of_other_kinds_keep_the_largest_batch() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.Bilinear(8, 8, 8))
    assert SteadyRows(model, 256).at_least(40) == 256


def test_a_matrix_of_vocabulary_size_is_asked_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    model = torch.nn.Sequential(torch.nn.Linear(64, 96), torch.nn.Linear(96, 4000))
    monkeypatch.setattr(steady, "LARGEST_COPY", 96 * 4000 - 1)
    asked: list[int] = []

    def otherwise_below_64_rows(batch: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        asked.append(weight.data_ptr())
        if len(weight) < 4000 or len(batch) >= 64:
            return torch.nn.functional.linear(batch, weight)
        return batch.flip(1) @ weight.flip(1).T

    monkeypatch.setattr(steady, "linear", otherwise_below_64_rows)
    assert SteadyRows(model, 256).at_least(20) >= 64
    assert model[1].weight.data_ptr() in asked
