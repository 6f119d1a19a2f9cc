"""A larger budget of tokens: what ended stays, what was cut goes on, and nothing chooses."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

import pytest

from rlvr_gate.records import (
    Benchmark,
    Checkpoint,
    Completion,
    FinishReason,
    Problem,
    Sampling,
    Stream,
)
from rlvr_gate_fixtures.backends import BackendError, Drawn, Request
from rlvr_gate_fixtures.measurements.samples.fill import fill
from rlvr_gate_fixtures.measurements.samples.plan import Need, Plan, make_plan, prompted
from rlvr_gate_fixtures.store.samples import Store

STOP = 0
LAST = 0.05  # probability that a token is the last one


class Fickle:
    """An engine whose completions have a geometric length.

    As vLLM does, it goes on with other random numbers than it began with, and after a kill it
    draws the same again. What is short arrives first.
    """

    goes_on = True

    def __init__(self, die_after: float = math.inf) -> None:
        self.die_after = die_after
        self.asked: list[Request] = []
        self.fed = 0

    def identity(self) -> str:
        return "fickle"

    def origin(self):
        return {}

    def encode(self, checkpoint, prompts) -> list[tuple[int, ...]]:
        return [tuple(prompt.encode()) for prompt in prompts]

    def complete(
        self, checkpoint: Checkpoint, stream: Stream, requests: Sequence[Request]
    ) -> Iterator[Drawn]:
        self.asked += requests
        drawn = [
            Drawn(position, self.completion(stream, request, sample))
            for position, request in enumerate(requests)
            for sample in range(request.start, request.stop)
        ]
        for each in sorted(drawn, key=lambda one: len(one.completion.token_ids)):
            if self.die_after <= 0:
                raise BackendError("killed")
            self.die_after -= 1
            begun = requests[each.request].begun
            self.fed += len(each.completion.token_ids) - (len(begun.token_ids) if begun else 0)
            yield each

    def completion(self, stream: Stream, request: Request, sample: int) -> Completion:
        ids = list(request.begun.token_ids) if request.begun else []
        first = len(ids)
        while len(ids) < stream.sampling.max_new_tokens:
            key = f"{stream.seed} {request.prompt_ids} {sample} {first} {len(ids)}"
            number = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") / 2**64
            if number < LAST:
                return Completion(sample, (*ids, STOP), "a", FinishReason.STOP, -1.0)
            ids.append(1 + int(number * 1000) % 200)
        return Completion(sample, tuple(ids), "b", FinishReason.LENGTH, -2.0)


def wanted(
    checkpoint, budget: int, *, samples: int = 8, seed: int = 0, problems: int = 10
) -> Need:
    items = tuple(Problem(f"p{i}", f"{i}+{i}=", "a", "exact") for i in range(problems))
    stream = Stream(checkpoint.digest, Sampling(max_new_tokens=budget), (STOP,), "fickle", seed)
    return Need(checkpoint, Benchmark("sums", "t", "d", items), stream, samples)


def filled(store: Store, need: Need, engine: Fickle | None = None) -> Plan:
    engine = engine or Fickle()
    plan = make_plan([need], store, engine)
    fill(plan, store, engine)
    return plan


def kept(store: Store, need: Need) -> list[Completion]:
    problems = prompted(need.checkpoint, need.benchmark, store, Fickle())
    return [c for p in problems for c in store.completions(need.stream, p.prompt_ids, 10**6)]


def test_what_ended_stays_and_what_was_cut_goes_on(store, checkpoint) -> None:
    small, large = wanted(checkpoint, 20), wanted(checkpoint, 60)
    filled(store, small)
    before = kept(store, small)
    cut = [c for c in before if c.finish is FinishReason.LENGTH]
    engine = Fickle()
    plan = make_plan([large], store, engine)
    assert (plan.missing, plan.stored, plan.complete) == (len(cut), 80 - len(cut), False)
    told = plan.lines()
    assert f"{80 - len(cut)} stored ({80 - len(cut)} ended within a smaller budget), " in told[0]
    assert f"{len(cut)} to draw, {len(cut)} of them to go on with: at most" in told[0]
    assert told[-1].endswith(f"; {len(cut)} of them begin with what a smaller budget cut")
    fill(plan, store, engine)
    assert len(engine.asked) == len(cut)
    after = kept(store, large)
    assert [c.sample for c in after] == [c.sample for c in before]
    for short, long in zip(before, after, strict=True):
        assert long.token_ids[:20] == short.token_ids[:20]
        assert (long == short) == (short.finish is FinishReason.STOP)
    assert kept(store, small) == before
    assert make_plan([large], store, engine).complete
    assert make_plan([small], store, engine).complete
    assert sum(store.rows("SELECT count(*) FROM bodies")[0]) == 80 + len(cut)


def test_grades_come_along(store, checkpoint, monkeypatch) -> None:
    small, large = wanted(checkpoint, 20), wanted(checkpoint, 60)
    filled(store, small)
    problems = prompted(checkpoint, small.benchmark, store, Fickle())
    filled(store, large)
    tallies = [
        sum(t.correct for t in store.tallies(n.stream, problems, 8)) for n in (small, large)
    ]
    ended = [sum(c.finish is FinishReason.STOP for c in kept(store, n)) for n in (small, large)]
    assert tallies == ended  # only what ends says "a"
    assert ended[0] < ended[1]


def test_a_run_that_has_everything_but_under_a_smaller_budget_draws_nothing(store, checkpoint):
    filled(store, wanted(checkpoint, 500))
    larger, engine = wanted(checkpoint, 5000), Fickle()
    plan = make_plan([larger], store, engine)
    assert (plan.missing, plan.complete) == (0, False)
    filled(store, larger, engine)
    assert not engine.asked
    assert make_plan([larger], store, engine).complete


def test_a_killed_run_goes_on_as_it_began(store, checkpoint) -> None:
    small, large = wanted(checkpoint, 20), wanted(checkpoint, 60)
    filled(store, small)
    engine = Fickle(die_after=7)
    with suppress(BackendError):
        filled(store, large, engine)
    filled(store, large)
    with Store.open(store.path.parent / "calm") as calm:
        filled(calm, small)
        filled(calm, large)
        assert kept(store, large) == kept(calm, large)


def ended_share(checkpoint, folder, script) -> tuple[float, float]:
    """Share of completions that end within the largest budget, and its standard error."""
    with Store.open(folder) as store:
        for budget, die_after, samples in script:
            need = wanted(checkpoint, budget, samples=samples, problems=150)
            with suppress(BackendError):
                filled(store, need, Fickle(die_after))
        found = kept(store, need)
    share = sum(c.finish is FinishReason.STOP for c in found) / len(found)
    return share, math.sqrt(share * (1 - share) / len(found))


@pytest.mark.parametrize(
    "script",
    [
        [(10, math.inf, 8), (40, math.inf, 8)],
        # Drawn afresh and killed: what is there are the short ones. Then lower, and back again.
        [(40, 600, 8), (10, math.inf, 8), (40, math.inf, 8)],
        # A budget between was killed: its short ones are not picked out.
        [(10, math.inf, 8), (20, 600, 8), (40, math.inf, 8)],
        [(20, 600, 8), (10, math.inf, 8), (40, math.inf, 8)],
        [(10, 300, 8), (40, math.inf, 8)],
        [(10, math.inf, 4), (40, 600, 8), (10, math.inf, 8), (40, math.inf, 8)],
        [(10, math.inf, 8), (40, 250, 8), (20, math.inf, 8), (40, math.inf, 8)],
    ],
)
def test_no_order_of_budgets_and_kills_changes_how_many_end(tmp_path, checkpoint, script) -> None:
    share, error = ended_share(checkpoint, tmp_path, script)
    assert abs(share - (1 - (1 - LAST) ** 40)) < 4 * error


def test_where_a_store_was_begun_before_starts_were_kept_everything_is_fresh(
    store, checkpoint
) -> None:
    small, large = wanted(checkpoint, 20), wanted(checkpoint, 60)
    with suppress(BackendError):
        filled(store, large, Fickle(die_after=30))
    filled(store, small)
    with store.keeping() as db:
        db.execute("DELETE FROM starts")
    plan = make_plan([large], store, Fickle())
    assert plan.missing == 50
    assert not any(each.shorter for job in plan.jobs for each in job.starts)


def test_a_store_of_an_older_release_gives_what_it_has_in_whole(store, checkpoint) -> None:
    small, large = wanted(checkpoint, 20), wanted(checkpoint, 60)
    filled(store, small)
    with store.keeping() as db:
        db.execute("DELETE FROM starts")
    cut = sum(c.finish is FinishReason.LENGTH for c in kept(store, small))
    assert make_plan([large], store, Fickle()).missing == cut
    with store.keeping() as db:  # one that never came, or had not come yet
        db.execute("DELETE FROM draws WHERE sample = 7 AND prompt = 3")
    assert make_plan([large], store, Fickle()).missing == 80


def test_only_the_very_same_stream_is_gone_on_with(store, checkpoint) -> None:
    filled(store, wanted(checkpoint, 20))
    large = wanted(checkpoint, 60)
    for other in (
        replace(large.stream, seed=1),
        replace(large.stream, stop_ids=(STOP, 5)),
        replace(large.stream, checkpoint_digest="D2"),
        replace(large.stream, backend="other"),
        replace(large.stream, sampling=Sampling(max_new_tokens=60, temperature=0.6)),
        replace(large.stream, sampling=Sampling(max_new_tokens=60, top_p=0.9)),
        replace(large.stream, sampling=Sampling(max_new_tokens=10)),
    ):
        assert make_plan([replace(large, stream=other)], store, Fickle()).missing == 80
    assert make_plan([large], store, Fickle()).missing < 80


def test_an_engine_that_cannot_go_on_draws_from_the_first_token(store, checkpoint) -> None:
    filled(store, wanted(checkpoint, 20))
    engine = Fickle()
    engine.goes_on = False
    assert make_plan([wanted(checkpoint, 60)], store, engine).missing == 80


def test_further_samples_are_drawn_afresh(store, checkpoint) -> None:
    filled(store, wanted(checkpoint, 20))
    larger, engine = wanted(checkpoint, 60, samples=12), Fickle()
    filled(store, larger, engine)
    fresh = [request for request in engine.asked if request.begun is None]
    assert {(r.start, r.stop) for r in fresh} == {(8, 12)}
    assert len(kept(store, larger)) == 120


def test_an_answer_that_does_not_go_on_is_asked_for_again_and_never_kept(store, checkpoint):
    class Forgetful(Fickle):
        def completion(self, stream, request, sample):
            other = super().completion(stream, replace(request, begun=None), sample + 1)
            return replace(other, sample=sample)

    filled(store, wanted(checkpoint, 20))
    with pytest.raises(BackendError, match="does not go on after the 20 tokens that it has"):
        filled(store, wanted(checkpoint, 60), Forgetful())
    assert all(c.finish is FinishReason.STOP for c in kept(store, wanted(checkpoint, 60)))


def test_beginnings_travel_in_bounded_parts(store, checkpoint, monkeypatch) -> None:
    filled(store, wanted(checkpoint, 20))
    monkeypatch.setattr("rlvr_gate_fixtures.measurements.samples.fill._MOST_BEGUN", 45)
    calls: list[int] = []

    class Counted(Fickle):
        def complete(self, checkpoint, stream, requests):
            calls.append(len(requests))
            return super().complete(checkpoint, stream, requests)

    filled(store, wanted(checkpoint, 60), Counted())
    assert set(calls[:-1]) == {2}
    assert make_plan([wanted(checkpoint, 60)], store, Fickle()).complete
