"""The profile's rule, on numbers whose answer is known, and left out honestly."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from rlvr_gate.claims.profile.rule import (
    KINDS,
    UNDECIDED,
    Cuts,
    Features,
    Reference,
    confusion,
    cuts,
    left_out,
    profile,
)

AT = Cuts(dense=0.4, foreign=0.5, taught=2.0)


def features(unchanged: float, surprise: float, gain: float, give: float = 0.01) -> Features:
    return Features(unchanged, (surprise - give, surprise + give), (gain - give, gain + give))


def reference(kind: str, run: str, *numbers: float, name: str = "") -> Reference:
    return Reference(name or run, run, kind, features(*numbers))


KNOWN = [
    reference("rlvr", "a", 0.8, -0.1, 0.3),
    reference("rlvr", "b", 0.6, 0.0, 0.1),
    reference("spurious", "c", 0.7, 0.0, 0.0),
    reference("sft", "d", 0.02, 4.0, 0.2),
    reference("sft", "e", 0.06, 3.0, 0.1),
    reference("distillation", "f", 0.02, 1.0, 0.2),
]


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (features(1.0, 0.0, 0.0), "nothing"),
        (features(0.8, -0.1, 0.3), "rlvr"),
        (features(0.8, 0.1, 0.0), "spurious"),
        (features(0.8, 0.1, -0.3), "spurious"),
        (features(0.02, 4.0, 0.3), "sft"),
        (features(0.02, 1.0, 0.3), "distillation"),
        # dense without surprise, or sparse with it: no side
        (features(0.02, 0.1, 0.3), UNDECIDED),
        (features(0.8, 4.0, 0.3), UNDECIDED),
        # on both sides of a cut
        (features(0.8, 0.5, 0.3), UNDECIDED),
        (features(0.02, 2.0, 0.3), UNDECIDED),
        (features(0.8, 0.1, 0.03, give=0.04), UNDECIDED),
        # not a number
        (features(0.8, math.nan, 0.3), UNDECIDED),
    ],
)
def test_the_rule_in_numbers(found: Features, said: str) -> None:
    assert profile(found, AT) == said


def test_a_wider_interval_never_turns_one_kind_into_another() -> None:
    """It may only undecide: the rule reads whole intervals."""
    for known in KNOWN:
        at = known.features
        for give in (0.02, 0.1, 0.5, 3.0):
            low, high = at.surprise
            wider = replace(at, surprise=(low - give, high + give),
                            gain=(at.gain[0] - give, at.gain[1] + give))  # fmt: skip
            assert profile(wider, AT) in (profile(at, AT), UNDECIDED)


def test_cuts_lie_half_way_between_the_nearest_of_both_sides() -> None:
    found = cuts(KNOWN)
    assert found.dense == pytest.approx((0.06 + 0.6) / 2)
    assert found.foreign == pytest.approx((0.0 + 1.0) / 2)
    assert found.taught == pytest.approx((1.0 + 3.0) / 2)


def test_sides_that_overlap_or_are_missing_have_no_cut() -> None:
    assert cuts([]) == Cuts(None, None, None)
    assert cuts([r for r in KNOWN if r.kind != "distillation"]).taught is None
    mixed = [*KNOWN, reference("sft", "g", 0.9, -0.2, 0.0)]
    assert cuts(mixed).dense is None
    assert cuts(mixed).foreign is None
    for known in KNOWN:
        assert profile(known.features, cuts(mixed)) == UNDECIDED


def test_the_first_steps_of_a_training_move_no_cut_and_are_judged_all_the_same() -> None:
    early = replace(reference("sft", "d", 0.3, 0.0, 0.0, name="d-4"), fits=False)
    assert cuts([*KNOWN, early]) == cuts(KNOWN)
    told = {reference.name: said for reference, said in left_out([*KNOWN, early])}
    assert told["d-4"] == UNDECIDED


def test_what_is_left_out_has_no_part_in_its_own_cuts() -> None:
    """A run's checkpoints go together; the only one of its kind cannot be told from the next."""
    told = {reference.name: said for reference, said in left_out(KNOWN)}
    assert told == {"a": "rlvr", "b": "rlvr", "c": "spurious", "d": "sft", "e": "sft",
                    "f": UNDECIDED}  # fmt: skip
    twins = [*KNOWN, reference("distillation", "f", 0.02, 1.1, 0.2, name="f2")]
    assert {said for r, said in left_out(twins) if r.kind == "distillation"} == {UNDECIDED}


def test_the_confusion_counts_every_reference_once() -> None:
    rows = confusion(KNOWN)
    assert [row[0] for row in rows] == [k for k in KINDS if k != "nothing"]
    assert sum(sum(row[1:]) for row in rows) == len(KNOWN)
    by_kind = {row[0]: dict(zip((*KINDS, UNDECIDED), row[1:], strict=True)) for row in rows}
    assert by_kind["rlvr"]["rlvr"] == 2
    assert by_kind["distillation"][UNDECIDED] == 1
