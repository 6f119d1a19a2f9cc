"""What tallies say of a problem, by enumeration of every sequence of outcomes.

An outcome is `c` (correct), `w` (wrong) or `u` (unscored); a capital letter was cut as well.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from itertools import product

import numpy as np
import pytest

from rlvr_gate.judging.readings import (
    Reading,
    always_solved,
    never_solved,
    own_rate,
    solve_rate,
    solve_rates,
    stopping_rule,
    supposing,
    truncated,
)
from rlvr_gate.records import Rounds, Tally

RULES = [Rounds((1, 2, 4), 1), Rounds((2, 3, 5), 2), Rounds((2, 6), 1), Rounds((5,), 2)]


def tally(outcomes: str, rule: Rounds | None) -> Tally:
    """What is on record of these outcomes: all of them, or up to where the rule stops."""
    for size in rule.sizes if rule else ():
        if outcomes[:size].lower().count("c") >= rule.target:
            outcomes = outcomes[:size]
            break
    low, cut = outcomes.lower(), sum(map(str.isupper, outcomes))
    return Tally("p", len(low), low.count("c"), low.count("u"), cut, rounds=rule)


def sequences(letters: str, length: int) -> list[str]:
    return ["".join(each) for each in product(letters, repeat=length)]


def chances(outcomes: Iterable[str], each: Mapping[str, float]) -> np.ndarray:
    return np.array([np.prod([each[letter] for letter in of]) for of in outcomes])


@pytest.mark.parametrize("rule", RULES, ids=str)
@pytest.mark.parametrize(("right", "unscored"), [(0.1, 0.2), (0.5, 0.1), (0.3, 0.6), (0.0, 0.3)])
def test_both_readings_of_a_solve_rate_are_unbiased_under_the_rule(rule, right, unscored):
    """Of the chance that one of k is correct, and that one is correct or unscored."""
    size = rule.sizes[-1]
    seen = sequences("cuw", size)
    weight = chances(seen, {"c": right, "u": unscored, "w": 1 - right - unscored})
    tallies = [tally(each, rule) for each in seen]
    for k in range(1, size + 1):
        found = solve_rate(tallies, k)
        assert np.all(found.low <= found.high)
        assert weight @ found.low == pytest.approx(1 - (1 - right) ** k, abs=1e-12)
        assert weight @ found.high == pytest.approx(1 - (1 - right - unscored) ** k, abs=1e-12)


def test_counts_as_if_nothing_had_stopped_them_are_biased_where_unscored_ones_are():
    """Why the upper reading needs an argument of its own."""
    rule, each = Rounds((2, 6), 1), {"c": 0.3, "u": 0.2, "w": 0.5}
    seen = sequences("cuw", 6)
    naive = [tally(of, rule) for of in seen]
    rates = np.array([(t.correct + t.unscored) / t.n for t in naive])
    assert abs(chances(seen, each) @ rates - 0.5) > 0.03


def worlds(state: Tally, rule: Rounds | None, size: int) -> list[str]:
    """Every run to the end, all graded, of which this may be what is on record."""
    return [
        "".join(graded)
        for seen in sequences("cuw", size)
        if tally(seen, rule) == state
        for graded in product(*("cw" if letter == "u" else letter for letter in seen))
    ]


@pytest.mark.parametrize("rule", [None, *RULES], ids=str)
@pytest.mark.parametrize(
    ("read", "true"),
    [
        (never_solved, lambda graded: "c" not in graded),
        (always_solved, lambda graded: set(graded) == {"c"}),
    ],
)
def test_never_and_always_hold_in_every_world_or_may(rule, read, true):
    """Low: true in all worlds that look like this; high: in one of them."""
    size = rule.sizes[-1] if rule else 4
    for state in {tally(seen, rule) for seen in sequences("cuw", size)}:
        answers = {true(world) for world in worlds(state, rule, size)}
        found = read([state])
        assert (found.low[0], found.high[0]) == (min(answers), max(answers)), state


def test_one_sample_says_neither_never_nor_always():
    for read, state in ((never_solved, Tally("p", 1, 0)), (always_solved, Tally("p", 1, 1))):
        found = read([state])
        assert (found.low[0], found.high[0]) == (0.0, 1.0)
    assert never_solved([Tally("p", 1, 1)]).high[0] == 0.0
    assert always_solved([Tally("p", 1, 0)]).high[0] == 0.0


def first_is_cut(rule: Rounds) -> dict[tuple[int, int, int], set[float]]:
    """Share of the sequences behind a tally whose first sample was cut, for every split of the
    cut ones into correct and not: the Rao-Blackwell estimators that a tally cannot tell apart."""
    behind: dict[tuple[int, int, int], dict[int, list[bool]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for seen in sequences("cCwW", rule.sizes[-1]):
        state = tally(seen, rule)
        split = seen[: state.n].count("C")
        behind[state.n, state.correct, state.truncated or 0][split].append(seen[0].isupper())
    return {
        state: {float(np.mean(cut)) for cut in splits.values()} for state, splits in behind.items()
    }


@pytest.mark.parametrize("rule", RULES[:2] + RULES[3:], ids=str)
def test_a_truncation_rate_is_bounded_by_what_the_tally_cannot_tell(rule):
    for (n, correct, cut), estimates in first_is_cut(rule).items():
        found = truncated([Tally("p", n, correct, 0, cut, rounds=rule)])
        assert found.low[0] == pytest.approx(min(estimates))
        assert found.high[0] == pytest.approx(max(estimates))


@pytest.mark.parametrize("rule", RULES[:2], ids=str)
@pytest.mark.parametrize(("of_right", "of_wrong"), [(0.0, 0.8), (0.5, 0.5), (0.9, 0.1)])
def test_the_true_truncation_rate_lies_between_the_means(rule, of_right, of_wrong):
    seen = sequences("cCwW", rule.sizes[-1])
    for p in (0.2, 0.7):
        each = {"c": p * (1 - of_right), "C": p * of_right,
                "w": (1 - p) * (1 - of_wrong), "W": (1 - p) * of_wrong}  # fmt: skip
        found, weight = truncated([tally(of, rule) for of in seen]), chances(seen, each)
        true = p * of_right + (1 - p) * of_wrong
        assert weight @ found.low <= true + 1e-12
        assert weight @ found.high >= true - 1e-12


def test_a_truncation_rate_of_fixed_samples_is_their_share():
    found = truncated([Tally("a", 8, 2, 1, 3), Tally("b", 4, 0, 0, 0)])
    assert found.low.tolist() == found.high.tolist() == [3 / 8, 0]


def test_a_truncation_rate_that_nobody_recorded_may_be_anything():
    found = truncated([Tally("a", 8, 2, 0, 3), Tally("b", 8, 2, 0, None)])
    assert found.low.tolist() == [0, 0]
    assert found.high.tolist() == [1, 1]


@pytest.mark.parametrize("read", [partial(solve_rate, k=2), truncated])
def test_parts_of_a_benchmark_keep_their_own_rules_and_their_places(
    read: Callable[[list[Tally]], Reading],
):
    seen = ["cW", "wwC", "uW", "WwcwW", "ccww"]
    rules = [RULES[0], RULES[1], None, RULES[1], None]
    tallies = [tally(of.ljust(rule.sizes[-1] if rule else 4, "w"), rule)
               for of, rule in zip(seen, rules, strict=True)]  # fmt: skip
    together = read(tallies)
    alone = [read([each]) for each in tallies]
    assert together.low.tolist() == [float(each.low[0]) for each in alone]
    assert together.high.tolist() == [float(each.high[0]) for each in alone]


def test_tallies_of_two_rules_have_no_rule_in_common():
    assert stopping_rule([]) is None
    assert stopping_rule([tally("ww", None)]) is None
    assert stopping_rule([tally("wwwww", RULES[1])] * 2) == RULES[1]
    with pytest.raises(ValueError, match="need one stopping rule, got 2"):
        stopping_rule([tally("wwwww", RULES[1]), tally("ww", None)])


def test_an_own_rate_is_of_the_scored_ones():
    assert own_rate([Tally("a", 8, 3, 2), Tally("b", 4, 0, 4)]).tolist() == [0.5, 0.0]


@pytest.mark.parametrize("share", [0.0, 0.4])
@pytest.mark.parametrize(("read", "seen"), [(always_solved, "ccwww"), (truncated, "cWcww")])
def test_supposing_narrows_only_what_grades_would_tell(read, seen, share):
    """That a rule stopped a problem early leaves open what no grade of another one closes."""
    rule = RULES[1]
    early, other = tally(seen, rule), tally("wuwwu", rule)
    known = read([early])
    assert known.low[0] < known.high[0]
    for tallies in ([early], [early, other]):
        found = supposing(read, tallies, share, read(tallies))
        assert (found.low[0], found.high[0]) == (known.low[0], known.high[0])


@pytest.mark.parametrize("rounds", [None, Rounds((4, 8), 2)])
@pytest.mark.parametrize("unscored", [0, 2])
def test_a_whole_curve_is_read_as_each_of_its_points(rounds: Rounds | None, unscored: int) -> None:
    tallies = [
        Tally(f"p{c}", 8, c, unscored=unscored * (c % 2), rounds=rounds)
        for c in (0, 1, 2, 5, 6)
        if rounds is None or c < 4
    ]
    for k, found in zip(range(1, 9), solve_rates(tallies, range(1, 9)), strict=True):
        expected = solve_rate(tallies, k)
        assert found.low.tolist() == expected.low.tolist()
        assert found.high.tolist() == expected.high.tolist()
