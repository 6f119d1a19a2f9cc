"""The arithmetic people write on quantities: intervals follow it, and the rest is explained."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from rlvr_gate.claims.views import CheckpointView, PairView
from rlvr_gate.judging.ledger import Ledger
from rlvr_gate.judging.quantities import Estimate, Exact, Proportion, Quantity
from rlvr_gate.records import Evidence, Interval, Tally, Verdict

LEVEL = 0.95


class Counted:
    """An EvidenceSource over 40 problems; some of rlvr's completions are unscored."""

    def __init__(self, problems: int = 40, unscored: int = 8) -> None:
        rng = np.random.default_rng(7)
        self.counts = {}
        for role, p, missing in (("base", 0.3, 0), ("rlvr", 0.45, unscored)):
            correct = rng.binomial(32 - missing, p, problems)
            self.counts[role] = tuple(
                Tally(f"p{i}", 32, int(c), missing) for i, c in enumerate(correct)
            )

    def tallies(self, role: str, benchmark: str) -> tuple[Tally, ...]:
        return self.counts[role]

    def guessing(self, benchmark: str) -> None:
        return None


def pair_of(source: object) -> PairView:
    ledger = Ledger()
    return PairView(
        CheckpointView("base", source, ledger),  # type: ignore[arg-type]  # counts are enough here
        CheckpointView("rlvr", source, ledger),  # type: ignore[arg-type]
    )


@pytest.fixture
def pair() -> PairView:
    return pair_of(Counted())


@pytest.fixture
def q(pair: PairView) -> Quantity:
    return pair.rlvr.pass_at(1, "b")


def same(left: Quantity, right: Quantity) -> None:
    """Equal in everything a verdict is made from."""
    ours, theirs = left.interval(LEVEL), right.interval(LEVEL)
    assert left.value == pytest.approx(right.value, abs=1e-12)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)
    assert left.p_value(0.2) == pytest.approx(right.p_value(0.2), abs=1e-9)
    if left.within is None or right.within is None:
        assert left.within is right.within
    else:
        assert left.within.each == pytest.approx(right.within.each)


@pytest.mark.parametrize(
    ("made", "factor", "offset", "label"),
    [
        (lambda q: 2 * q, 2, 0, "2 × rlvr pass@1"),
        (lambda q: q * 0.5, 0.5, 0, "0.5 × rlvr pass@1"),
        (lambda q: q / 4, 0.25, 0, "rlvr pass@1 / 4"),
        (lambda q: -q, -1, 0, "−rlvr pass@1"),
        (lambda q: +q, 1, 0, "rlvr pass@1"),
        (lambda q: 1 - q, -1, 1, "1 − rlvr pass@1"),
        (lambda q: 0.1 + q, 1, 0.1, "rlvr pass@1 + 0.1"),
        (lambda q: 0.1 - q, -1, 0.1, "0.1 − rlvr pass@1"),
        (lambda q: q + -0.1, 1, -0.1, "rlvr pass@1 − 0.1"),
        (lambda q: -2 * (q - 0.1), -2, 0.2, "-2 × (rlvr pass@1 − 0.1)"),
        (lambda q: np.float32(2) * q, 2, 0, "2 × rlvr pass@1"),
        (lambda q: np.float64(0.25) - q, -1, 0.25, "0.25 − rlvr pass@1"),
        (lambda q: q * np.int64(3), 3, 0, "3 × rlvr pass@1"),
        (lambda q: q + np.array(0.5), 1, 0.5, "rlvr pass@1 + 0.5"),
        (lambda q: sum([q, q]), 2, 0, "rlvr pass@1 + rlvr pass@1"),
        (lambda q: q + q - q / 2, 1.5, 0, "rlvr pass@1 + rlvr pass@1 − (rlvr pass@1 / 2)"),
    ],
)
def test_value_and_interval_are_stretched_and_moved_as_written(
    q: Quantity, made: Callable[[Any], Quantity], factor: float, offset: float, label: str
) -> None:
    found, plain = made(q), q.interval(LEVEL)
    ends = sorted(factor * end + offset for end in (plain.low, plain.high))
    interval = found.interval(LEVEL)
    assert found.label == label
    assert found.value == pytest.approx(factor * q.value + offset, abs=1e-12)
    assert (interval.low, interval.high) == pytest.approx(tuple(ends), abs=1e-12)
    assert found.within is not None
    assert q.within is not None
    assert found.within.mean == pytest.approx(factor**2 * q.within.mean)
    threshold = factor * 0.4 + offset
    assert found.p_value(threshold) == pytest.approx(q.p_value(0.4), abs=1e-9)


def test_identities_hold_between_two_checkpoints(pair: PairView) -> None:
    base, rlvr = pair.base.pass_at(4, "b"), pair.rlvr.pass_at(4, "b")
    same(rlvr - base, -(base - rlvr))
    same(rlvr - base, rlvr + -base)
    same(2 * (rlvr - base), 2 * rlvr - 2 * base)
    same((1 - base) - (1 - rlvr), rlvr - base)
    same(rlvr + base - base, rlvr)
    same(0.1 * rlvr + 0.2 * rlvr - 0.3 * rlvr + base, base)


def test_unscored_completions_swap_readings_under_a_negative_factor(q: Quantity) -> None:
    mirrored = 1 - q
    assert not q.certain
    assert (mirrored.low <= mirrored.high).all()
    assert mirrored.low + 1 == pytest.approx(1 - q.high)
    assert (mirrored.bounds, mirrored.offset) == ((-1.0, 0.0), 1.0)


def test_what_cancels_leaves_no_doubt_behind(pair: PairView, q: Quantity) -> None:
    """Unscored completions count once: q + q - q is as sure as q, and q - q is 0."""
    assert (q + q - q).low == pytest.approx(q.low)
    assert (q - q).value == 0
    assert (q - q).interval(LEVEL).high == 0
    with pytest.raises(ValueError, match="compares a number with itself: nothing is measured"):
        _ = q > q
    with pytest.raises(ValueError, match="compares a number with itself"):
        _ = 0.1 * q + 0.2 * q > 0.3 * q


def test_a_weighted_difference_covers_as_its_parts_do() -> None:
    """Simulation: the interval of 2 a - b holds its true mean as often as its level says."""
    rng, inside = np.random.default_rng(0), 0
    for _ in range(300):
        source = Counted(unscored=0)
        p = rng.uniform(0.1, 0.8, 40)
        for role in ("base", "rlvr"):
            drawn = rng.binomial(16, p)
            source.counts[role] = tuple(Tally(f"p{i}", 16, int(c)) for i, c in enumerate(drawn))
        pair = pair_of(source)
        found = (2 * pair.rlvr.pass_at(1, "b") - pair.base.pass_at(1, "b")).interval(LEVEL)
        inside += found.low <= 0.45 <= found.high
    assert inside >= 276  # 285 expected, three standard deviations below


@pytest.mark.parametrize(
    ("compared", "statement"),
    [
        (lambda q, b: 0.1 < q, "rlvr pass@1 > 0.1"),  # noqa: SIM300 - the point of it
        (lambda q, b: 0.1 >= q, "rlvr pass@1 <= 0.1"),  # noqa: SIM300 - likewise
        (lambda q, b: np.float64(0.1) < q, "rlvr pass@1 > 0.1"),
        (lambda q, b: q > np.float32(0.5), "rlvr pass@1 > 0.5"),
        (lambda q, b: q > 1.5 * b, "rlvr pass@1 > 1.5 × base pass@1"),
        (lambda q, b: 1 - q < 1 - b, "1 − rlvr pass@1 < 1 − base pass@1"),
    ],
)
def test_a_reflected_comparison_means_the_same(
    pair: PairView, q: Quantity, compared: Callable[..., Any], statement: str
) -> None:
    assert compared(q, pair.base.pass_at(1, "b")).statement == statement


def test_a_stretched_comparison_gives_the_verdict_of_the_plain_one(pair: PairView) -> None:
    base, rlvr = pair.base.pass_at(1, "b"), pair.rlvr.pass_at(1, "b")
    plain = rlvr > base + 0.02
    for other in (-rlvr < -base - 0.02, 2 * rlvr - 2 * base > 0.04, rlvr - 0.02 > base):
        assert other.verdict is plain.verdict
        assert other.p_value == pytest.approx(plain.p_value, abs=1e-9)


KINDS = {
    "quantity": lambda: pair_of(Counted()).rlvr.pass_at(1, "b"),
    "proportion": lambda: Proportion("retention", 30, 40, Ledger(), "b"),
    "estimate": lambda: Estimate("leash", 0.9, Interval(0.8, 0.97, LEVEL), Ledger(), "b"),
    "exact": lambda: Exact("weights unchanged", 0.6, Ledger()),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("do", "error", "message"),
    [
        (lambda m: m == 0.5, TypeError, "use <, >, <= or >="),
        (lambda m: m == m, TypeError, "use <, >, <= or >="),
        (lambda m: m != 0.5, TypeError, "use < or >"),
        (lambda m: bool(m), TypeError, "neither true nor false: compare it"),
        (lambda m: abs(m), TypeError, "give both ends"),
        (lambda m: m * m, TypeError, "cannot multiply or divide"),
        (lambda m: m / m, TypeError, "cannot multiply or divide"),
        (lambda m: 1 / m, TypeError, "cannot divide by"),
        (lambda m: m**2, TypeError, "a power of .* has no interval here: only multiples and sums"),
        (lambda m: m // 2, TypeError, "a whole quotient of .* has no interval here"),
        (lambda m: m % 2, TypeError, "a remainder of .* has no interval here"),
        (float, TypeError, "is a number with an interval: compare it as it is"),
        (lambda m: round(m, 2), TypeError, "its estimate alone is its `value`"),
        (lambda m: m * 0, ValueError, "nothing would be left"),
        (lambda m: m / 0, ValueError, "nothing would be left"),
        (lambda m: m * float("nan"), ValueError, "need a finite number"),
        (lambda m: m + float("inf"), ValueError, "need a finite number"),
        (lambda m: m + "0.1", TypeError, "cannot add to .* '0.1': need a number"),
        (lambda m: m - True, TypeError, "need a number"),
        (lambda m: m > True, TypeError, "can be compared with a number|quantity or a number"),
        (lambda m: m > float("nan"), ValueError, "with nan: need a finite number"),
        (lambda m: m < float("inf"), ValueError, "with inf: need a finite number"),
        (lambda m: m < 10**400, ValueError, "need a finite number"),
        (lambda m: m > np.array([0.1, 0.2]), TypeError, "cannot compare"),
        (lambda m: np.array([0.1, 0.2]) * m, TypeError, "cannot multiply or divide"),
    ],
)
def test_what_has_no_meaning_is_explained(
    kind: str, do: Callable[[Any], object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        do(KINDS[kind]())


@pytest.mark.parametrize("kind", KINDS)
def test_it_reads_in_a_message_as_what_it_is_called(kind: str) -> None:
    measured = KINDS[kind]()
    assert f"{measured}" == measured.label


@pytest.mark.parametrize("one", KINDS)
@pytest.mark.parametrize("other", KINDS)
def test_unlike_kinds_are_neither_compared_nor_added(one: str, other: str) -> None:
    if one == other:
        return
    with pytest.raises(TypeError, match=r"cannot compare .*each with a number"):
        _ = KINDS[one]() > KINDS[other]()
    with pytest.raises(TypeError, match="each with a number"):
        _ = KINDS[one]() - KINDS[other]()


@pytest.mark.parametrize("kind", ["proportion", "estimate"])
def test_a_share_takes_numbers_and_keeps_its_interval(kind: str) -> None:
    share = KINDS[kind]()
    for found, factor, offset in (
        (1 - share, -1, 1), (2 * share, 2, 0), (share - 0.25, 1, -0.25), (share / 2, 0.5, 0)
    ):  # fmt: skip
        ends = sorted(factor * end + offset for end in (share.interval.low, share.interval.high))
        assert found.value == pytest.approx(factor * share.value + offset)
        assert (found.interval.low, found.interval.high) == pytest.approx(tuple(ends))
    assert (1 - share < 0.5).verdict is (share > 0.5).verdict is Verdict.HOLDS
    assert (1 - share < 0.5).p_value == (share > 0.5).p_value


def test_nothing_to_count_stays_undecided_however_it_is_moved() -> None:
    assert (1 - Proportion("r", 0, 0, Ledger(), "b") < 0.9).verdict is Verdict.UNDECIDED


def test_exact_numbers_add_up_and_keep_their_reasons() -> None:
    ledger = Ledger()
    ours = Exact("rlvr shift", 0.2, ledger, Evidence(numbers={"matrices": 4}), ("no update",))
    theirs = Exact("sft shift", 0.5, ledger)
    found = theirs - 2 * ours
    assert (found.label, found.value) == ("sft shift − (2 × rlvr shift)", pytest.approx(0.1))
    assert found.reasons == ["no update"]
    assert (found > 0).verdict is Verdict.NOT_COMPARABLE
    assert (1 - theirs >= 0.5).verdict is Verdict.HOLDS
    assert (2 * theirs > theirs).verdict is Verdict.HOLDS


@pytest.mark.parametrize(
    "compared",
    [
        lambda p: p.rlvr.pass_at(1, "b") > 5,
        lambda p: p.rlvr.pass_at(1, "b") > p.base.pass_at(1, "b") - 2,
        lambda p: p.base.pass_at(1, "b") - p.rlvr.pass_at(1, "b") < 20,
        lambda p: p.solved("b").lost_share < 50,
        lambda p: 1 - p.solved("b").lost_share < 50,
    ],
)
def test_a_threshold_that_nothing_can_reach_is_refused(
    pair: PairView, compared: Callable[[PairView], object]
) -> None:
    with pytest.raises(ValueError, match=r"lies between .* says nothing about the checkpoints"):
        compared(pair)


def test_quantities_can_still_be_kept_in_sets_and_lists(q: Quantity) -> None:
    assert q in [q]
    assert len({q, q}) == 1
