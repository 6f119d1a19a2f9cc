"""The next token's distribution: temperature, top-p, and drawing by inversion."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch")

from rlvr_gate_fixtures.backends.transformers.law import draw, log_law  # noqa: E402  # after importorskip

PROBABILITIES = [0.05, 0.4, 0.1, 0.4, 0.05]


def law(top_p: float, temperature: float = 1.0) -> list[float]:
    logits = torch.tensor([PROBABILITIES]).log()
    return [round(p, 6) for p in log_law(logits, temperature, top_p)[0].exp().tolist()]


def test_temperature_is_a_power_of_the_probabilities() -> None:
    powers = [p ** (1 / 0.5) for p in PROBABILITIES]
    assert law(1.0, temperature=0.5) == pytest.approx([p / sum(powers) for p in powers], abs=1e-6)


@pytest.mark.parametrize(
    ("top_p", "kept"),
    [
        (1.0, {0, 1, 2, 3, 4}),
        (0.94, {0, 1, 2, 3}),  # of the two equals at the end the smaller id
        (0.85, {1, 2, 3}),
        (0.5, {1, 3}),
        (0.3, {1}),  # likewise at the top
        (1e-9, {1}),
    ],
)
def test_top_p_keeps_the_fewest_most_probable_tokens(top_p: float, kept: set[int]) -> None:
    found = law(top_p)
    assert {i for i, p in enumerate(found) if p > 0} == kept
    total = sum(PROBABILITIES[i] for i in kept)
    assert found == pytest.approx(
        [p / total if i in kept else 0 for i, p in enumerate(PROBABILITIES)], abs=1e-5
    )


def test_top_p_agrees_with_transformers() -> None:
    from transformers import TopPLogitsWarper

    torch.manual_seed(0)
    logits = torch.randn(200, 97) * 3
    for top_p in (0.3, 0.8, 0.95):
        theirs = TopPLogitsWarper(top_p)(None, logits).log_softmax(-1)
        assert torch.allclose(log_law(logits, 1.0, top_p), theirs, atol=1e-5)


def test_a_draw_is_where_the_cumulative_sum_passes_the_uniform() -> None:
    logs = torch.tensor([PROBABILITIES]).log()
    edges = [0.0, 0.04, 0.06, 0.44, 0.46, 0.54, 0.56, 0.94, 0.96, 1 - 2.0**-52]
    uniform = torch.tensor(edges, dtype=torch.float64)
    rows = torch.zeros(len(edges), dtype=torch.long)
    assert draw(logs, rows, uniform).tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]


def test_impossible_tokens_are_never_drawn() -> None:
    possible = [False, True, False, False, True, False, False]
    logs = torch.tensor([[math.log(0.5) if ok else -math.inf for ok in possible]])
    uniform = torch.tensor([0.0, 0.25, 0.5, 0.75, 1 - 2.0**-52], dtype=torch.float64)
    rows = torch.zeros(5, dtype=torch.long)
    assert draw(logs, rows, uniform).tolist() == [1, 1, 4, 4, 4]


@pytest.mark.parametrize("vocabulary", [1, 2, 3, 64, 65, 157])
def test_draws_agree_with_searchsorted(vocabulary: int) -> None:
    torch.manual_seed(vocabulary)
    logs = torch.randn(5, vocabulary).log_softmax(-1)
    rows = torch.randint(5, (400,))
    uniform = torch.rand(400, dtype=torch.float64)
    sums = logs.double().exp().cumsum(-1)[rows]
    expected = torch.searchsorted(sums, uniform[:, None] * sums[:, -1:], right=True)[:, 0]
    assert torch.equal(draw(logs, rows, uniform), expected)


def test_logits_that_are_not_finite_are_an_error_not_a_token() -> None:
    logs = log_law(torch.tensor([[0.0, 1.0], [0.0, float("nan")]]), 1.0, 1.0)
    with pytest.raises(FloatingPointError, match="not finite"):
        draw(logs, torch.tensor([0]), torch.tensor([0.5], dtype=torch.float64))
