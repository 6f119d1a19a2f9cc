"""Others' solutions: paired by problem, by category, and undecided where there are too few."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from rlvr_gate.claims import numbers
from rlvr_gate.claims.views import CheckpointView, PairView
from rlvr_gate.judging.ledger import Ledger
from rlvr_gate.records import Verdict

from .counted import Counted, tallies

Of = Sequence[Sequence[float]]


class Traced(Counted):
    """Counts, and surprises of solutions by role and problem."""

    def __init__(self, base: Of, rlvr: Of, solved: tuple[list[int], list[int]]) -> None:
        super().__init__({"base": tallies(solved[0], 8), "rlvr": tallies(solved[1], 8)})
        self._surprise = {"base": base, "rlvr": rlvr}

    def traced(self, name: str, role: str, benchmark: str) -> tuple[np.ndarray, ...]:
        assert name == "teacher"
        return tuple(np.array(each, dtype=float) for each in self._surprise[role])


def pair_of(base: Of, rlvr: Of, solved: tuple[list[int], list[int]] | None = None) -> PairView:
    both = solved or ([4] * len(base), [4] * len(base))
    source, ledger = Traced(base, rlvr, both), Ledger()
    return PairView(
        CheckpointView("base", source, ledger),  # type: ignore[arg-type]
        CheckpointView("rlvr", source, ledger),  # type: ignore[arg-type]
    )


def test_by_hand() -> None:
    """Base .20, .30, rlvr .35, .25: differences .15 and -.05, mean .05, a ratio of 1.051."""
    found = numbers.less_at_home(pair_of([[0.2], [0.3]], [[0.35], [0.25]]), "teacher", "b")
    assert found.low.tolist() == pytest.approx([0.15, -0.05])
    ratio = found.evidence.numbers["perplexity of rlvr over base's"]
    assert ratio == pytest.approx(1.051, abs=5e-4)
    assert (found > 0).verdict is Verdict.UNDECIDED


def test_solutions_of_one_problem_are_averaged_first() -> None:
    found = numbers.less_at_home(pair_of([[0.0] * 9, [1.0]], [[1.0] * 9, [1.0]]), "teacher", "b")
    assert found.value == pytest.approx(0.5)


def test_swapped_the_sign_turns_and_the_order_of_problems_does_not_matter() -> None:
    rng = np.random.default_rng(0)
    one, other = ([[x] for x in rng.gamma(4, 1, 60)] for _ in range(2))
    here = numbers.less_at_home(pair_of(one, other), "teacher", "b")
    there = numbers.less_at_home(pair_of(other, one), "teacher", "b")
    back = numbers.less_at_home(pair_of(one[::-1], other[::-1]), "teacher", "b")
    assert here.value == pytest.approx(-there.value)
    assert here.value == pytest.approx(back.value)
    assert here.interval(0.95).low == pytest.approx(back.interval(0.95).low)


def test_it_holds_and_is_refuted() -> None:
    rng = np.random.default_rng(1)
    base = [[x] for x in rng.gamma(4, 0.3, 80)]
    worse = [[x + abs(rng.normal(0.2, 0.1))] for (x,) in base]
    assert (
        numbers.less_at_home(pair_of(base, worse), "teacher", "b") > 0
    ).verdict is Verdict.HOLDS
    judged = numbers.less_at_home(pair_of(worse, base), "teacher", "b") > 0
    assert judged.verdict is Verdict.REFUTED


def test_problems_without_a_solution_are_left_out_and_one_alone_says_nothing() -> None:
    found = numbers.less_at_home(pair_of([[0.1], [], [0.3]], [[0.2], [], [0.4]]), "teacher", "b")
    assert found.low.tolist() == pytest.approx([0.1, 0.1])
    for some in ([[0.1], [], []], [[], [], []]):
        nothing = numbers.less_at_home(pair_of(some, some), "teacher", "b")
        assert (nothing > 0).verdict is Verdict.UNDECIDED
        assert "right solutions of 2 problems or more" in nothing.evidence.notes[0]


def test_categories_are_those_of_the_pair_and_few_problems_say_nothing() -> None:
    base, rlvr = [[1.0]] * 24, [[1.5]] * 24
    solved = [1] * 12 + [3] * 9 + [0] * 3, [1] * 12 + [0] * 9 + [2] * 3
    found = numbers.less_at_home(pair_of(base, rlvr, solved), "teacher", "b")
    (table,) = found.evidence.exhibits
    rows = {row[0]: row[1:] for row in table.rows}
    assert rows["preserved"][:4] == pytest.approx((12, np.e, np.exp(1.5), 0.5))
    assert rows["lost"] == (9, None, None, None, None, None)
    assert rows["gained"][0] == 3
    assert rows["unreached"][0] == 0


def test_truncation_and_prompts_of_the_pair_turn_nothing() -> None:
    """Both read one prompt, and what either drew is no part of it."""
    pair = pair_of([[1.0]] * 60, [[2.0]] * 60)
    pair.base.ledger.comparability = lambda benchmark, *both: ["prompts differ"]
    assert (numbers.less_at_home(pair, "teacher", "b") > 0).verdict is Verdict.HOLDS


def test_one_model_against_itself_seldom_alarms() -> None:
    rng, alarms = np.random.default_rng(3), 0
    for _ in range(300):
        x = rng.gamma(4, 0.3, 60)
        one, other = ([[abs(v)] for v in x + rng.normal(0, 0.05, 60)] for _ in range(2))
        judged = numbers.less_at_home(pair_of(one, other), "teacher", "b") > 0
        alarms += judged.verdict is not Verdict.UNDECIDED
    assert alarms <= 0.08 * 300
