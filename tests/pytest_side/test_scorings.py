"""What a claim has scored, as its markers say."""

from __future__ import annotations

import pytest

from rlvr_gate.records import Ask
from rlvr_gate_fixtures.needs import Scoring, needs_of


class Item:
    """As much of a collected test as needs are read from."""

    def __init__(self, *markers: pytest.MarkDecorator, fixtures: tuple[str, ...] = ()) -> None:
        self.fixturenames, self._markers = fixtures, [each.mark for each in markers]

    def iter_markers(self, name: str):
        return (mark for mark in self._markers if mark.name == name)

    def get_closest_marker(self, name: str):
        return next(self.iter_markers(name), None)


def scorings(*markers: pytest.MarkDecorator, fixtures: tuple[str, ...] = ()):
    given = ("base", "rlvr", "sft")
    return needs_of(Item(*markers, fixtures=fixtures), ["b"], (), given)  # type: ignore[arg-type]


def test_a_star_stands_for_every_checkpoint_but_those_beside_it() -> None:
    needs = scorings(pytest.mark.scores("base", under=("base", "*")), fixtures=("checkpoints",))
    assert [each.under for each in needs.scorings] == [("base", "rlvr"), ("base", "sft")]
    assert needs.roles == ("base", "rlvr", "sft")


def test_a_claim_that_takes_no_star_and_not_all_needs_no_others() -> None:
    needs = scorings(pytest.mark.scores("rlvr", under="base"))
    assert needs.scorings == (Scoring(Ask("rlvr"), ("base",)),)
    assert needs.roles == ("base", "rlvr")


def test_what_is_asked_otherwise_is_asked_and_scored_so() -> None:
    marker = pytest.mark.scores("base", under=("base", "rlvr"), choices=True, temperature=0.001)
    (scoring,) = (needs := scorings(marker)).scorings
    assert (scoring.of, scoring.choices) == ("base (temperature 0.001)", True)
    assert Ask("base", temperature=0.001) in needs.asks


def test_whoever_reads_texts_is_needed_and_without_a_benchmark_no_weights_are() -> None:
    item = Item(pytest.mark.represents("base", "sft"))
    needs = needs_of(item, ["b"], (), ("base", "rlvr", "sft"))  # type: ignore[arg-type]
    assert needs.represents == ("base", "sft")
    assert needs.roles == ("base", "rlvr", "sft")
    assert (needs.benchmarks, needs.weights) == ((), ())


def test_others_solutions_are_read_by_name() -> None:
    item = Item(pytest.mark.traces("teacher"))
    assert needs_of(item, ["b"], (), ()).traces == ("teacher",)  # type: ignore[arg-type]


def test_whoever_is_to_be_as_unsure_as_another_is_needed_with_it() -> None:
    item = Item(pytest.mark.matches("sft", to="base", samples=8))
    needs = needs_of(item, ["b"], (), ())  # type: ignore[arg-type]
    assert needs.matches == (("sft", "base", 8),)
    assert needs.roles == ("base", "rlvr", "sft")
