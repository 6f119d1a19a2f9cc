"""What was fixed, against what is: told in words, and unknown as soon as a part of it is."""

from __future__ import annotations

import pytest

from rlvr_gate.records import Beforehand, Fixed
from rlvr_gate_fixtures.memory.beforehand import compared

THEN = {"policy": "p", "claims": {"K1": "a", "C1": "b"}, "samples": 64, "stopping rule": None}


def test_the_same_is_fixed_before_in_every_store_it_came_from() -> None:
    assert compared([[THEN], [THEN, dict(THEN)]], THEN) == Beforehand(Fixed.BEFORE)


@pytest.mark.parametrize("then", [[], [[]], [[THEN], []], [[THEN, {}]], [[THEN], [{}]]])
def test_one_stream_of_which_nobody_knows_makes_all_unknown(then: list[list[object]]) -> None:
    assert compared(then, THEN) == Beforehand(Fixed.UNKNOWN)  # type: ignore[arg-type]  # plain dicts


@pytest.mark.parametrize(
    ("now", "told"),
    [
        ({"policy": "q"}, "the policy"),
        ({"claims": {"K1": "a2", "X1": "c"}}, "claims C1 (left out), K1 (edited), X1 (added)"),
        ({"samples": 128, "stopping rule": 4}, "samples (64, now 128)"),
        ({"benchmarks": {"gsm8k": "d"}}, "benchmarks gsm8k (added)"),
    ],
)
def test_what_is_otherwise_is_told_once(now: dict[str, object], told: str) -> None:
    found = compared([[THEN], [THEN]], THEN | now)
    assert (found.fixed, found.changed[0]) == (Fixed.CHANGED, told)
    assert len(found.changed) == len(now)


def test_one_of_two_merged_promises_that_differs_is_a_change() -> None:
    assert compared([[THEN, THEN | {"policy": "q"}]], THEN).changed == ("the policy",)


def test_names_of_claims_are_bounded_and_many_are_counted() -> None:
    now = THEN | {"claims": {f"K{n}" + "x" * 500: "" for n in range(500)}}
    (told,) = compared([[THEN]], now).changed
    assert len(told) < 1_000
    assert told.endswith("and 494 more")


def test_a_promise_of_another_shape_is_no_match() -> None:
    found = compared([[{"policy": ["p"], "claims": "all"}]], THEN)
    assert found.fixed is Fixed.CHANGED
