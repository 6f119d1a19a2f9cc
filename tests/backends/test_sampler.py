"""The sampler: exact log-probabilities, the same bits in any company, generate's distribution."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from rlvr_gate.records import FinishReason  # noqa: E402  # after importorskip
from rlvr_gate_fixtures.backends.philox import stream_key, uniforms  # noqa: E402
from rlvr_gate_fixtures.backends.transformers.blocks import (  # noqa: E402
    Batch,
    Block,
    _attend,
    span,
)
from rlvr_gate_fixtures.backends.transformers.law import draw, log_law  # noqa: E402
from rlvr_gate_fixtures.backends.transformers.sampler import (  # noqa: E402
    MEMORY_PER_SLOT,
    Draws,
    Sampled,
    Sampler,
)

VOCABULARY = 61
STOP = (1, 2, 3)
SHAPE = {
    "vocab_size": VOCABULARY,
    "hidden_size": 48,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 6,
    "num_key_value_heads": 3,
    "max_position_embeddings": 256,
    "initializer_range": 0.15,
    "bos_token_id": None,
    "eos_token_id": 1,
    "pad_token_id": 0,
}
Model = transformers.PreTrainedModel
Found = dict[tuple[int, int], tuple[list[int], list[float]]]


def llama(**shape: object) -> Model:
    torch.manual_seed(0)
    config = transformers.LlamaConfig(**SHAPE | {"tie_word_embeddings": True} | shape)
    return transformers.LlamaForCausalLM(config).eval()


def qwen2() -> Model:
    torch.manual_seed(1)
    config = transformers.Qwen2Config(**SHAPE | {"num_key_value_heads": 2})
    return transformers.Qwen2ForCausalLM(config).eval()


def mistral(window: int | None = None) -> Model:
    torch.manual_seed(2)
    config = transformers.MistralConfig(**SHAPE | {"sliding_window": window})
    return transformers.MistralForCausalLM(config).eval()


def prompts(count: int, shortest: int = 3, longest: int = 12) -> list[list[int]]:
    lot = random.Random(count)
    return [
        [lot.randrange(4, VOCABULARY) for _ in range(lot.randint(shortest, longest))]
        for _ in range(count)
    ]


def ask(prompt: list[int], start: int, stop: int, seed: int = 0) -> Draws:
    return Draws(prompt, start, stop, stream_key(seed, "digest", prompt))


def run(model: Model, asked: list[Draws], **options: object) -> list[Sampled]:
    settings = {"stop_ids": STOP, "max_new_tokens": 24, "slots": 64} | options
    return list(Sampler(model, **settings).run(asked))


def found(model: Model, asked: list[Draws], **options: object) -> Found:
    """(key of the prompt, sample index) -> token ids and log-probabilities."""
    sampled = run(model, asked, **options)
    places = {(asked[s.request].key, s.sample): (s.token_ids, s.logprobs) for s in sampled}
    assert len(places) == len(sampled)
    return places


@pytest.fixture(scope="module")
def model() -> Model:
    return llama()


# Exactness


@pytest.mark.parametrize("build", [llama, qwen2, mistral])
@pytest.mark.parametrize(("temperature", "top_p"), [(1.0, 1.0), (0.7, 0.8)])
def test_tokens_and_logprobs_are_those_of_a_plain_forward(
    build: Callable[[], Model], temperature: float, top_p: float
) -> None:
    """Each token is the plain forward's own distribution, inverted at the sample's uniform."""
    model = build()
    asked = [ask(prompt, 0, 12) for prompt in prompts(6)]
    for s in run(model, asked, temperature=temperature, top_p=top_p):
        ids = torch.tensor([[*asked[s.request].prompt_ids, *s.token_ids]])
        with torch.no_grad():
            logits = model(input_ids=ids).logits[0, -len(s.token_ids) - 1 : -1]
        law = log_law(logits, temperature, top_p)
        count = len(s.token_ids)
        key = np.full(count, asked[s.request].key, np.uint64)
        uniform = uniforms(key, np.full_like(key, s.sample), np.arange(count, dtype=np.uint64))
        again = draw(law, torch.arange(count), torch.from_numpy(uniform))
        assert again.tolist() == s.token_ids
        assert law[torch.arange(count), again].tolist() == pytest.approx(s.logprobs, abs=2e-5)


@pytest.mark.parametrize(("temperature", "top_p"), [(1.0, 1.0), (0.8, 0.9)])
def test_the_distribution_is_that_of_generate(temperature: float, top_p: float) -> None:
    """Homogeneity by chi-square, Holm over four statistics; false alarms 1 in 1000 by design."""
    model, prompt, count, budget = llama(initializer_range=0.3), prompts(1)[0], 4000, 12
    options = {"temperature": temperature, "top_p": top_p, "max_new_tokens": budget}
    ours = [s.token_ids for s in run(model, [ask(prompt, 0, count)], slots=512, **options)]
    torch.manual_seed(3)
    out = model.generate(
        torch.tensor([prompt]),
        attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
        do_sample=True,
        top_k=0,
        num_return_sequences=count,
        eos_token_id=list(STOP),
        **options,
    )
    theirs = [until_stop(row) for row in out[:, len(prompt) :].tolist()]
    statistics: list[Callable[[list[int]], Hashable]] = [
        lambda ids: ids[0],
        lambda ids: tuple(ids[:2]),
        len,
        tuple,
    ]
    pvalues = [
        homogeneity([statistic(ids) for ids in ours], [statistic(ids) for ids in theirs])
        for statistic in statistics
    ]
    assert min(p * left for p, left in zip(sorted(pvalues), (4, 3, 2, 1), strict=True)) > 1e-3


def until_stop(ids: list[int]) -> list[int]:
    ends = [i for i, token in enumerate(ids) if token in STOP]
    return ids[: ends[0] + 1] if ends else ids


def homogeneity(ours: Sequence[Hashable], theirs: Sequence[Hashable]) -> float:
    """P-value that both were drawn alike; values seen fewer than ten times are one class."""
    a, b = Counter(ours), Counter(theirs)
    common = [value for value in a | b if a[value] + b[value] >= 10]
    table = [[counts[value] for value in common] for counts in (a, b)]
    rest = [len(ours) - sum(table[0]), len(theirs) - sum(table[1])]
    if min(rest) > 0:
        table = [[*row, other] for row, other in zip(table, rest, strict=True)]
    return float(stats.chi2_contingency(table).pvalue)


# Same sample, same bits


@pytest.mark.parametrize("threads", [2, 3])
@pytest.mark.parametrize(("kv_heads", "queries", "width"), [(1, 4, 64), (3, 2, 8), (3, 3, 16)])
def test_attention_has_the_same_bits_on_any_thread(
    threads: int, kv_heads: int, queries: int, width: int
) -> None:
    rows, generator, before = 9, torch.Generator().manual_seed(0), torch.get_num_threads()
    query = torch.randn(rows, kv_heads, queries, width, generator=generator)
    memory = torch.randn(2, rows, 300, kv_heads, width, generator=generator)
    hidden = torch.zeros(rows, 1, 1, 300)
    for row in range(rows):  # gaps of every width, from none
        hidden[row, ..., 16 - row : 16] = torch.finfo(torch.float32).min
    torch.set_num_threads(threads)
    try:
        for tokens in (*range(1, 40), 129, 201, 299):
            key, value = memory[:, :, :tokens].transpose(2, 3).unbind(0)
            mask = hidden[..., :tokens]
            whole = _attend(query, key, value, mask, 0.3)
            for part in (slice(0, 1), slice(3, 4), slice(1, 6), slice(2, 9)):
                alone = _attend(query[part], key[part], value[part], mask[part], 0.3)
                assert torch.equal(alone, whole[part]), (tokens, part)
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_sample_is_the_same_in_any_company(dtype: torch.dtype) -> None:
    model = llama(num_hidden_layers=3, hidden_size=192, intermediate_size=640).to(dtype)
    asked = [ask(prompt, 0, 40) for prompt in prompts(12)]
    whole = found(model, asked, slots=256)
    assert len(whole) == 12 * 40
    shuffled = random.Random(0).sample(asked, len(asked))
    pieces = [Draws(w.prompt_ids, at, at + 10, w.key) for at in (30, 0, 10, 20) for w in asked]
    for other in (shuffled, pieces, asked[3:4], asked[:2]):
        assert found(model, other, slots=256).items() <= whole.items()
    for index in (0, 7, 39):
        one = Draws(asked[5].prompt_ids, index, index + 1, asked[5].key)
        assert found(model, [one], slots=256).items() <= whole.items()


def test_more_samples_later_equal_all_at_once(model: Model) -> None:
    prompt = prompts(1)[0]
    at_once = found(model, [ask(prompt, 0, 100)])
    assert found(model, [ask(prompt, 0, 30)]) | found(model, [ask(prompt, 30, 100)]) == at_once


def test_samples_differ_by_index_seed_and_prompt(model: Model) -> None:
    one, two = prompts(2)
    first = [ids for ids, _ in found(model, [ask(one, 0, 50)]).values()]
    assert len({tuple(ids) for ids in first}) > 40
    other_seed = [ids for ids, _ in found(model, [ask(one, 0, 50, seed=1)]).values()]
    other_prompt = [ids for ids, _ in found(model, [ask(two, 0, 50)]).values()]
    assert first != other_seed != other_prompt != first


# What is asked for, comes


def test_more_problems_and_samples_than_slots(model: Model) -> None:
    asked = [ask(prompt, 0, 5) for prompt in prompts(60, shortest=1, longest=30)]
    sampled = run(model, asked, slots=32)
    assert sorted((s.request, s.sample) for s in sampled) == [
        (request, sample) for request in range(60) for sample in range(5)
    ]


def test_sequences_end_at_the_first_stop_token_or_at_the_budget(model: Model) -> None:
    sampled = run(model, [ask(prompt, 0, 50) for prompt in prompts(4)], max_new_tokens=9)
    assert {s.finish for s in sampled} == {FinishReason.STOP, FinishReason.LENGTH}
    for s in sampled:
        assert s.token_ids == until_stop(s.token_ids)
        assert len(s.logprobs) == len(s.token_ids) <= 9
        stopped = s.token_ids[-1] in STOP
        assert s.finish == (FinishReason.STOP if stopped else FinishReason.LENGTH)
        assert stopped or len(s.token_ids) == 9


def test_a_stop_token_may_come_first(model: Model) -> None:
    prompt = prompts(1)[0]
    first = run(model, [ask(prompt, 0, 1)])[0].token_ids[0]
    (only,) = run(model, [ask(prompt, 0, 1)], stop_ids=[first])
    assert (only.token_ids, only.finish) == ([first], FinishReason.STOP)


def test_a_budget_of_one_token_and_no_stop_ids(model: Model) -> None:
    sampled = run(model, [ask(prompts(1)[0], 3, 9)], max_new_tokens=1, stop_ids=[])
    assert [len(s.token_ids) for s in sampled] == [1] * 6
    assert {s.finish for s in sampled} == {FinishReason.LENGTH}


def test_nothing_asked_is_nothing_drawn(model: Model) -> None:
    assert run(model, []) == []
    assert run(model, [ask([5], 4, 4)]) == []


def test_an_empty_prompt_is_refused(model: Model) -> None:
    with pytest.raises(ValueError, match="at least one token"):
        run(model, [ask([], 0, 1)])


# Work saved


def test_a_beginning_that_samples_share_is_computed_once(model: Model) -> None:
    asked = [ask(prompt, 0, 20) for prompt in prompts(3)]
    greedy = Sampler(model, stop_ids=STOP, max_new_tokens=20, slots=256, temperature=1e-4)
    sampled = list(greedy.run(asked))
    lengths = {s.request: len(s.token_ids) for s in sampled}
    assert greedy.fed == sum(lengths.values()) - 3  # the last token is never fed
    free = Sampler(model, stop_ids=STOP, max_new_tokens=20, slots=256)
    sampled = list(free.run(asked))
    beginnings = {
        (s.request, *s.token_ids[:i]) for s in sampled for i in range(1, len(s.token_ids))
    }
    assert free.fed == len(beginnings)


# The model is left as it was


def test_prompts_of_many_lengths_are_in_flight_together(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two samples of each of forty lengths take as many steps as one of them."""
    work = [ask([5, 6, 7] + [8] * i, 0, 2) for i in range(40)]
    steps: list[int] = []
    step = Batch.step

    def counted(self: Batch, blocks: Sequence[Block], ids: torch.Tensor) -> torch.Tensor:
        steps.append(len(blocks))
        return step(self, blocks, ids)

    monkeypatch.setattr(Batch, "step", counted)
    sampler = Sampler(model, stop_ids=[], max_new_tokens=9, slots=256)
    assert len(list(sampler.run(work))) == 80
    assert steps == [len({span(len(w.prompt_ids)) for w in work})] * 8 == [3] * 8


@pytest.mark.parametrize("slots", [1, 3, 8, 40])
def test_memory_stays_within_its_rows_whatever_is_asked(
    model: Model, slots: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[int] = []
    empty = torch.empty
    monkeypatch.setattr(torch, "empty", lambda *a, **k: (held.append(a[0][2]), empty(*a, **k))[1])
    lot = random.Random(slots)
    work = [ask(p, 0, lot.choice([1, 2, 7, 30])) for p in prompts(25)]
    most = MEMORY_PER_SLOT * max(4, slots)
    found = list(Sampler(model, stop_ids=STOP, max_new_tokens=6, slots=slots).run(work))
    assert len(found) == sum(w.stop for w in work)
    assert max(held) <= max(1, slots // 4)
    assert len(held) <= most + len(work)


def test_no_distribution_is_computed_for_padding(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a vocabulary of 152,000 that took longer than the model."""
    steps, laws = [], []
    step, law = Batch.step, Sampler.law

    def stepped(self: Batch, blocks: Sequence[Block], tokens: torch.Tensor) -> torch.Tensor:
        steps.append((sum(block.rows for block in blocks), len(tokens)))
        laws.clear()
        return step(self, blocks, tokens)

    def asked(self: Sampler, logits: torch.Tensor) -> torch.Tensor:
        laws.append(len(logits))
        if steps:
            assert laws[0] == steps[-1][0]
        return law(self, logits)

    monkeypatch.setattr(Batch, "step", stepped)
    monkeypatch.setattr(Sampler, "law", asked)
    monkeypatch.setattr(Sampler, "rows", lambda self, needed: 64)
    run(model, [ask(prompt, 0, 3) for prompt in prompts(2)], slots=64)
    assert steps
    assert all(rows < padded == 64 for rows, padded in steps)


def test_the_model_is_left_as_it_was() -> None:
    model = llama().train()
    before = model.config._attn_implementation
    drawing = Sampler(model, stop_ids=STOP, max_new_tokens=8).run([ask(prompts(1)[0], 0, 4)])
    next(drawing)
    assert torch.is_grad_enabled()
    assert model.config._attn_implementation == before
    drawing.close()
    assert model.training
    model(input_ids=torch.tensor([[5, 6]])).logits.sum().backward()


def test_new_weights_are_used_in_the_next_run(model: Model) -> None:
    model = llama()
    asked = [ask(prompts(1)[0], 0, 10)]
    sampler = Sampler(model, stop_ids=STOP, max_new_tokens=12)
    before = [s.logprobs for s in sampler.run(asked)]
    with torch.no_grad():
        model.model.norm.weight.mul_(1.5)
    assert [s.logprobs for s in sampler.run(asked)] != before


def test_sequences_beyond_a_sliding_window_are_refused() -> None:
    asked = [ask(prompts(1)[0][:4], 0, 4)]
    assert run(mistral(window=16), asked, max_new_tokens=10, stop_ids=[])
    with pytest.raises(NotImplementedError, match="sliding window of 16"):
        run(mistral(window=16), asked, max_new_tokens=30, stop_ids=[])


# Completions that were begun


@pytest.mark.parametrize("first", [3, 9])
def test_what_is_gone_on_with_is_what_one_long_draw_gives(model: Model, first: int) -> None:
    """Same tokens, same log-probabilities; with others of the same prompt in company or alone."""
    prompts = [[5, 6, 7], [8, 9, 10], [11, 12]]
    whole = [Draws(ids, 0, 12, stream_key(0, "m", ids)) for ids in prompts]
    long, short = found(model, whole), found(model, whole, max_new_tokens=first)
    cut = {at: ids for at, (ids, _) in short.items() if len(ids) == first and ids[-1] not in STOP}
    assert 3 <= len(cut) < len(short)
    asked = {work.key: work.prompt_ids for work in whole}
    rest = [Draws(asked[key], i, i + 1, key, ids) for (key, i), ids in cut.items()]
    for more in ([], [replace(work, start=20, stop=26) for work in whole]):
        went_on = found(model, [*rest, *more])
        assert {place: went_on[place] for place in cut} == {place: long[place] for place in cut}
    assert all(long[place][0][:first] == ids for place, ids in cut.items())
