"""Scores of given tokens: against laws computed token by token, and against what was sampled."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from rlvr_gate.records import Checkpoint, Measure, Sampling, Stream
from rlvr_gate_fixtures.backends import BackendError, Passage, Request, Scored, load_scorer
from rlvr_gate_fixtures.backends.transformers.backend import TransformersBackend
from rlvr_gate_fixtures.inputs.checkpoints import resolve

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

LOGPROB, ENTROPY, KL = (Measure.LOGPROB, (0,)), (Measure.ENTROPY, (0,)), (Measure.KL, (0, 1))


@pytest.fixture(scope="module")
def pair() -> tuple[Checkpoint, Checkpoint]:
    return resolve("base", "base"), resolve("rlvr", "rlvr")


@pytest.fixture(scope="module")
def models(pair):
    from transformers import AutoModelForCausalLM

    torch.set_num_threads(1)
    return [
        AutoModelForCausalLM.from_pretrained(checkpoint.path, dtype=torch.float32).eval()
        for checkpoint in pair
    ]


@pytest.fixture(scope="module")
def backend() -> Iterator[TransformersBackend]:
    backend = TransformersBackend(device="cpu", threads="1")
    with backend.kept():
        yield backend


@pytest.fixture(scope="module")
def drawn(backend, pair):
    """Two hundred completions of the base, as passages, with the log-probabilities drawn at."""
    base = pair[0]
    prompts = backend.encode(base, ["C9,23,15=17:", "S29+67:"])
    stream = Stream(base.digest, Sampling(1.0, 1.0, 80), base.stop_ids, "x", 0)
    found = list(backend.complete(base, stream, [Request(ids, 0, 100) for ids in prompts]))
    return [
        (Passage(prompts[d.request], d.completion.token_ids), d.completion.logprob) for d in found
    ]


def by_hand(models: Sequence[object], passage: Passage) -> dict[str, list[float]]:
    """The definitions, one token at a time, in float64."""
    values: dict[str, list[float]] = {"logprob": [], "entropy": [], "kl": []}
    ids = [*passage.prompt_ids, *passage.token_ids]
    for at in range(len(passage.prompt_ids), len(ids)):
        with torch.no_grad():
            logits = [m(input_ids=torch.tensor([ids[:at]])).logits[0, -1].double() for m in models]
        p, q = (each.softmax(-1) for each in logits)
        values["logprob"].append(math.log(p[ids[at]]))
        values["entropy"].append(-float((p * p.log()).sum()))
        values["kl"].append(float((p * (p / q).log()).sum()))
    return values


def in_order(scored: list[Scored]) -> list[Scored]:
    return sorted(scored, key=lambda s: s.passage)


def test_every_measure_is_its_definition(backend, pair, models, drawn):
    passages = [passage for passage, _ in drawn[::40]]
    for scored in backend.score(pair, passages):
        true = by_hand(models, passages[scored.passage])
        for key, name in ((LOGPROB, "logprob"), (ENTROPY, "entropy"), (KL, "kl")):
            np.testing.assert_allclose(scored.values[key], true[name], atol=2e-5)
    assert {(m.value, of) for m, of in scored.values} == {
        ("logprob", (0,)), ("logprob", (1,)), ("entropy", (0,)), ("entropy", (1,)),
        ("kl", (0, 1)), ("kl", (1, 0)),
    }  # fmt: skip


def test_choices_are_the_likeliest_tokens_and_their_places(backend, pair, models, drawn):
    passages = [passage for passage, _ in drawn[::50]]
    differed = 0
    for scored in backend.score(pair, passages, choices=True):
        passage, values = passages[scored.passage], scored.values
        ids = [*passage.prompt_ids, *passage.token_ids]
        for at in range(len(passage.token_ids)):
            until = torch.tensor([ids[: len(passage.prompt_ids) + at]])
            with torch.no_grad():
                laws = [m(input_ids=until).logits[0, -1].double().tolist() for m in models]
            order = sorted(range(len(laws[0])), key=lambda i: -laws[0][i])
            theirs = int(values[Measure.CHOICE, (1,)][at])
            assert theirs == max(range(len(laws[1])), key=lambda i: laws[1][i])
            assert values[Measure.CHOICE, (0,)][at] == order[0]
            assert values[Measure.RANK, (0, 1)][at] == order.index(theirs) + 1
            differed += theirs != order[0]
        alike = values[Measure.CHOICE, (0,)] == values[Measure.CHOICE, (1,)]
        assert ((values[Measure.RANK, (1, 0)] == 1) == alike).all()
        assert {LOGPROB, KL} <= values.keys()
    assert differed > 0


def test_of_equal_tokens_the_first_is_chosen_and_comes_first():
    from rlvr_gate_fixtures.backends.transformers.scoring import _choices

    flat, peaked = torch.zeros(1, 1, 4), torch.tensor([[[0.0, 1.0, 1.0, 0.0]]])
    found = {(m.value, of): v.item() for (m, of), v in _choices([flat, peaked]).items()}
    assert found == {
        ("choice", (0,)): 0, ("choice", (1,)): 1, ("rank", (0, 1)): 2, ("rank", (1, 0)): 3,
    }  # fmt: skip


def test_a_completion_scores_what_it_was_drawn_at(backend, pair, drawn):
    for scored in backend.score(pair[:1], [passage for passage, _ in drawn]):
        passage, logprob = drawn[scored.passage]
        assert len(scored.values[LOGPROB]) == len(passage.token_ids)
        assert scored.values[LOGPROB].sum() == pytest.approx(logprob, abs=1e-3)


def test_divergence_sums_to_the_mean_log_ratio_of_whole_completions(backend, pair, drawn):
    """The chain rule: E sum of KL per token = E log p(y) / q(y), for y drawn from p."""
    summed, ratios = [], []
    for scored in backend.score(pair, [passage for passage, _ in drawn]):
        values = scored.values
        summed.append(values[KL].sum())
        ratios.append(values[LOGPROB].sum() - values[Measure.LOGPROB, (1,)].sum())
    error = np.std(np.subtract(summed, ratios), ddof=1) / np.sqrt(len(ratios))
    assert abs(np.mean(summed) - np.mean(ratios)) < 4 * error
    assert np.mean(summed) > 0.5  # the pair does differ, or this would say nothing


def test_a_checkpoint_does_not_diverge_from_itself(backend, pair, drawn):
    (scored,) = backend.score([pair[0], pair[0]], [drawn[0][0]])
    assert not scored.values[KL].any()
    np.testing.assert_array_equal(scored.values[LOGPROB], scored.values[Measure.LOGPROB, (1,)])


@pytest.mark.parametrize("room", [3, 7, 64])
def test_long_passages_in_pieces_are_the_same(models, drawn, monkeypatch, room):
    from rlvr_gate_fixtures.backends.transformers import scoring

    texts = [(p.prompt_ids, p.token_ids) for p, _ in drawn[:6]]
    whole = dict(scoring.score(models, texts))
    monkeypatch.setattr(scoring, "tokens_at_once", lambda models: room)
    pieces = dict(scoring.score(models, texts))
    assert pieces.keys() == whole.keys() == set(range(6))
    for position, values in whole.items():
        for key, each in values.items():
            np.testing.assert_allclose(pieces[position][key], each, atol=2e-5)


def test_nothing_to_score_and_a_completion_without_tokens(backend, pair, drawn):
    assert list(backend.score(pair[:1], [])) == []
    prompt = drawn[0][0].prompt_ids
    found = in_order(list(backend.score(pair[:1], [Passage(prompt, ()), Passage(prompt, (5,))])))
    assert [len(scored.values[LOGPROB]) for scored in found] == [0, 1]


def test_many_jobs_keep_positions(backend, pair, drawn, monkeypatch):
    from rlvr_gate_fixtures.backends.children import child

    passages = [passage for passage, _ in drawn[:20]]
    one = in_order(list(backend.score(pair[:1], passages)))
    monkeypatch.setattr(child, "_JOB_TOKENS", 60)
    several = in_order(list(backend.score(pair[:1], passages)))
    assert [s.passage for s in several] == list(range(20))
    for left, right in zip(one, several, strict=True):
        np.testing.assert_allclose(left.values[LOGPROB], right.values[LOGPROB], atol=1e-5)


def test_what_never_happens_counts_nothing(models):
    from rlvr_gate_fixtures.backends.transformers import scoring

    logits = torch.tensor([[[0.0, 0.0, -math.inf]]])
    values = scoring._values([logits, logits], torch.tensor([[1]]))
    assert float(values[ENTROPY]) == pytest.approx(math.log(2))
    assert float(values[KL]) == 0.0


def test_other_vocabularies_are_refused(models, drawn):
    from rlvr_gate_fixtures.backends.transformers import scoring

    class Other:
        config = type("Config", (), {"vocab_size": 7})

    with pytest.raises(ValueError, match=r"one vocabulary, got \[7, "):
        next(scoring.score([models[0], Other()], [(drawn[0][0].prompt_ids, (1,))]))


def test_an_empty_prompt_is_refused_in_words(backend, pair):
    with pytest.raises(BackendError, match="a prompt has one token at least"):
        list(backend.score(pair[:1], [Passage((), (5,))]))


def test_only_what_can_score_is_a_scorer():
    for name in ("server", "ray", "scripted"):
        with pytest.raises(ValueError, match="must be transformers or vllm"):
            load_scorer(name)
    with pytest.raises(ValueError, match="unknown backend 'gguf'"):
        load_scorer("gguf")
