"""Temperatures matched by entropy: the bisection by hand, its refusals, pilots of their own."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from rlvr_gate.records import (
    Ask,
    Benchmark,
    Completion,
    FinishReason,
    Problem,
)
from rlvr_gate_fixtures.backends import Drawn
from rlvr_gate_fixtures.backends.scripted import ScriptedBackend, coins
from rlvr_gate_fixtures.evidence.stored import StoreEvidence
from rlvr_gate_fixtures.measurements.samples import matching
from rlvr_gate_fixtures.measurements.samples.matching import (
    ToMatch,
    asked_too,
    known,
    match,
    pilots,
    planned_matching,
    search,
)
from rlvr_gate_fixtures.progress import Silent
from rlvr_gate_fixtures.run import Run

WANTED = ToMatch("rlvr", "base", 8, "sums")


def coin(temperature: float, gap: float = math.log(3)) -> float:
    """Entropy of softmax of (gap, 0) at a temperature: .5623 at 1, ln 2 at last."""
    p = 1 / (1 + math.exp(-gap / temperature))
    return -p * math.log(p) - (1 - p) * math.log(1 - p)


def test_entropy_of_the_sampling_law_by_hand() -> None:
    assert coin(1.0) == pytest.approx(0.5623, abs=1e-4)
    assert coin(1e9) == pytest.approx(math.log(2))
    grid = [coin(t) for t in np.linspace(0.5, 5, 20)]
    assert grid == sorted(grid)


def test_bisection_ends_where_softmax_gives_the_entropy() -> None:
    """Base at .65 nats, rlvr the coin: within 2 % of it."""
    found = search(WANTED, 1.0, lambda role, t: 0.65 if role == "base" else coin(t))
    assert found.temperature is not None
    assert abs(coin(found.temperature) - 0.65) <= 0.02 * 0.65
    assert found.pilots[0] == (1.0, pytest.approx(0.5623, abs=1e-4))
    assert found.target == 0.65


def test_equals_are_a_match_at_the_usual_temperature() -> None:
    found = search(WANTED, 0.6, lambda role, t: coin(t))
    assert (found.temperature, len(found.pilots)) == (0.6, 1)


@pytest.mark.parametrize(
    ("entropy", "said"),
    [
        (lambda role, t: 0.3 if role == "base" else 0.5, "rlvr is the more unsure"),
        (lambda role, t: 0.9 if role == "base" else 0.2, "no temperature up to 3 times"),
        (lambda role, t: math.nan, "does not tell how likely"),
    ],
)
def test_where_nothing_matches_it_is_said(entropy, said: str) -> None:
    found = search(WANTED, 1.0, entropy)
    assert found.temperature is None
    assert said in found.why
    assert WANTED.ask(found) is None


PROBLEMS = tuple(Problem(f"p{i}", f"{i}+{i}=", str(2 * i), "exact") for i in range(6))
BENCHMARK = Benchmark("sums", "tests", "digest", PROBLEMS)


class Warm(ScriptedBackend):
    """Tells of each draw that it had the entropy of a coin: rlvr's a surer one."""

    def __init__(self) -> None:
        super().__init__({"*": coins(BENCHMARK, 0.5)})
        self.asked = list[tuple[str, float, int]]()

    def complete(self, checkpoint, stream, requests):
        self.asked.append((checkpoint.role, stream.sampling.temperature, stream.seed))
        gap = 1.0 if checkpoint.role == "base" else 1.7
        nats = coin(stream.sampling.temperature, gap)
        for at, request in enumerate(requests):
            for sample in range(request.start, request.stop):
                ids = (7, 0)
                yield Drawn(at, Completion(sample, ids, "2", FinishReason.STOP, -2 * nats))


class Templated(Warm):
    """Whose prompts differ by the template around them."""

    def encode(self, checkpoint, prompts):
        around = 0 if checkpoint.bare else ord(checkpoint.template_digest[0])
        return [(around, *ids) for ids in super().encode(checkpoint, prompts)]


@pytest.fixture
def run(run_on) -> Run:
    return run_on(BENCHMARK, backend=Warm(), samples=8, seed=5)


def test_pilots_find_it_with_seeds_of_their_own_once(run: Run) -> None:
    assert known(run, WANTED) is None
    (line,) = planned_matching(run, {WANTED: known(run, WANTED)})
    assert "at most 9 pilots of 6 problems x 4 samples, then 6 x 8 samples" in line
    found, work = match(run, [WANTED], progress=Silent())
    temperature = found[WANTED].temperature
    assert temperature == pytest.approx(1.7, rel=0.2)
    assert work.completions == 24 * (1 + len(found[WANTED].pilots))
    seeds = {seed for _, _, seed in run.backend.asked}
    assert seeds == {5 + matching._SEEDS}
    asked = len(run.backend.asked)
    again, _ = match(run, [WANTED], progress=Silent())
    assert again == found
    assert len(run.backend.asked) == asked
    assert known(run, WANTED) == found[WANTED]
    assert planned_matching(run, {WANTED: known(run, WANTED)}) == []


def test_what_was_found_is_asked_and_read(run: Run) -> None:
    with pytest.raises(LookupError, match=r"matches\('rlvr', to='base'"):
        StoreEvidence(run).matched("rlvr", "base", "sums")
    found, _ = match(run, [WANTED], progress=Silent())
    more = asked_too(run, found)
    at = found[WANTED]
    assert more.needed == ((Ask("rlvr", temperature=at.temperature, samples=8), "sums"),)
    assert StoreEvidence(more).matched("rlvr", "base", "sums") == at
    assert pilots(more).needed == ()
    assert more.streams["rlvr"].seed == 5


@pytest.mark.parametrize("chat", ["base", "none"])
def test_pilots_are_read_under_the_prompts_that_they_were_drawn_for(run: Run, chat: str) -> None:
    """The template around a prompt is the run's, not each checkpoint's own."""
    of_rlvr = replace(run.checkpoints["rlvr"], template_digest="another")
    run = replace(
        run, settings=replace(run.settings, chat=chat),
        checkpoints={**run.checkpoints, "rlvr": of_rlvr}, backend=Templated(),
    )  # fmt: skip
    found, _ = match(run, [WANTED], progress=Silent())
    assert found[WANTED].temperature == pytest.approx(1.7, rel=0.2)
