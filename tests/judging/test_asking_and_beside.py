"""What a claim may ask, what may stand beside its verdict, and what would decide it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from rlvr_gate.claims.views import CheckpointView
from rlvr_gate.judging import readings
from rlvr_gate.judging.beside import shown
from rlvr_gate.judging.ledger import Ledger
from rlvr_gate.judging.quantities import Quantity
from rlvr_gate.judging.readings import ONE_SAMPLE
from rlvr_gate.judging.terms import Term
from rlvr_gate.judging.truncation import ALIKE, Likeness, alike
from rlvr_gate.records import Crossover, Evidence, Facts, Margins, Rounds, Tally, Verdict

LEAD = Crossover(8, None, 4, None, 0.95, (1, 2, 4, 8), "they cross at k=8")


class Counts:
    """Evidence of counts alone."""

    def __init__(self, **of: Sequence[Tally]) -> None:
        self.of = {role: tuple(tallies) for role, tallies in of.items()}

    def tallies(self, role: str, benchmark: str) -> tuple[Tally, ...]:
        return self.of[role]

    def guessing(self, benchmark: str) -> None:
        return None


def view(tallies: Sequence[Tally], ledger: Ledger | None = None) -> CheckpointView:
    return CheckpointView("rlvr", Counts(rlvr=tallies), ledger or Ledger())  # type: ignore[arg-type]


def test_a_claim_about_one_benchmark_does_not_reach_for_another() -> None:
    asked = view([Tally("p", 4, 2)] * 3, Ledger(about=("countdown",)))
    assert asked.pass_at(1, "countdown").value == 0.5
    with pytest.raises(LookupError, match="is about countdown, but asks about aime: pass on"):
        asked.pass_at(1, "aime")


def test_a_claim_about_none_does_not_reach_for_one() -> None:
    asked = view([Tally("p", 4, 2)], Ledger(about=()))
    with pytest.raises(LookupError, match="asks about aime without the `benchmark` fixture"):
        asked.never_solved("aime")


def test_a_comparison_of_another_benchmark_is_not_noted() -> None:
    """A quantity may be kept from an earlier claim; its verdict is not this claim's."""
    free, bound = Ledger(), Ledger(about=("b",))
    judged = view([Tally("p", 4, 2)] * 9, free).pass_at(1, "a") > 0.1
    with pytest.raises(LookupError, match="about b, but asks about a"):
        bound.note(judged)
    assert bound.judgements == []


@pytest.mark.parametrize(
    ("roles", "both"),
    [
        (("base", "rlvr"), ()),
        (("rlvr", "base"), ()),
        (("rlvr@hot", "base@hot"), ("base@hot", "rlvr@hot")),
        (("sft", "base"), ("base", "sft")),
    ],
)
def test_two_ways_of_asking_are_held_to_their_own_comparability(
    roles: tuple[str, str], both: tuple[str, ...]
) -> None:
    """Base first, and those of the pair itself are not named: they are the run's own."""
    asked: list[tuple[str, ...]] = []
    ledger = Ledger(comparability=lambda b, *names: asked.append(names) or ["settings differ"])  # type: ignore[func-returns-value]
    counts = Counts(**{role: [Tally(f"p{i}", 8, i) for i in range(8)] for role in roles})
    one, other = (CheckpointView(role, counts, ledger).pass_at(1, "b") for role in roles)  # type: ignore[arg-type]
    assert (one > other).verdict is Verdict.NOT_COMPARABLE
    assert set(asked) == {both}


def test_a_crossover_and_exhibits_stand_beside_a_verdict() -> None:
    found = shown([LEAD, Facts({"a": 1}), Facts({"b": 2})], Evidence(problems=3))
    assert (found.problems, found.crossover) == (3, LEAD)
    assert [each.facts for each in found.exhibits] == [{"a": 1}, {"b": 2}]


def test_a_crossover_that_lies_about_its_types_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Crossover.ladder\[0\]: expected int"):
        shown([Crossover(8, None, 4, None, 0.95, ("<script>",), "text")], Evidence())  # type: ignore[arg-type]


class Own(Facts):
    """A kind of facts whose author changed what it does."""


@pytest.mark.parametrize("what", [{"a": 1}, "text", None, Own({"a": 1}), Evidence(problems=9)])
def test_nothing_else_stands_beside_a_verdict(what: Any) -> None:
    with pytest.raises(TypeError, match=f"Heat map or Facts, got {type(what).__name__}:"):
        shown([what], Evidence())


def test_a_verdict_is_not_buried_under_exhibits() -> None:
    many = [Facts({"n": n}) for n in range(20)]
    assert len(shown(many, Evidence()).exhibits) == 20
    with pytest.raises(ValueError, match="at most 20 exhibits"):
        shown([*many, Facts({"n": 20})], Evidence())
    with pytest.raises(ValueError, match="at most 20 exhibits"):
        shown([Facts({"n": 20})], Evidence(exhibits=tuple(many)))


RULE = Rounds((4, 8), 2)


@pytest.mark.parametrize(
    ("tallies", "read", "why"),
    [
        ([Tally("p", 1, 1)] * 9, CheckpointView.always_solved, ONE_SAMPLE),
        ([Tally("p", 1, 0)] * 9, CheckpointView.never_solved, ONE_SAMPLE),
        ([Tally("p", 4, 4, rounds=RULE)] * 9, CheckpointView.always_solved,
         "adaptive samples only bound it"),
        ([Tally("p", 4, 2, 2)] * 9, CheckpointView.always_solved, "were not scored leave it"),
    ],
)  # fmt: skip
def test_what_no_run_of_this_kind_decides_says_why(
    tallies: Sequence[Tally], read: Callable[[CheckpointView, str], Quantity], why: str
) -> None:
    judged = read(view(tallies), "b") > 0.5
    assert judged.verdict is Verdict.UNDECIDED
    more = judged.evidence.would_decide
    assert more is not None
    assert why in more.text
    assert (more.problems, more.samples) == (None, None)


def test_a_policy_on_unscored_ones_decides_nothing_that_a_stopping_rule_left_open() -> None:
    """59 problems stopped early and may yet fail; one completion of the 60th has no grade."""
    rule = Rounds((4, 16), 4)
    early = [Tally(f"p{i}", 4, 4, rounds=rule) for i in range(59)]
    last = Tally("p59", 16, 3, 1, rounds=rule)
    for share in (1.0, 0.5, 0.01, 0.0):
        ledger = Ledger(margins=Margins(unscored=share))
        judged = view([*early, last], ledger).always_solved("b") < 0.2
        assert judged.verdict is Verdict.UNDECIDED, share
        assert judged.interval.high > 0.9


def test_what_did_not_come_from_counts_cannot_be_continued() -> None:
    tallies = (Tally("p", 4, 2, 0, 1),)
    values = readings.solve_rate(tallies, 1)
    with pytest.raises(ValueError, match="rlvr KL does not follow from counts"):
        Term("rlvr", "rlvr KL", values.low, values.high, tallies).continued(0.5)


def test_rates_that_nobody_recorded_are_not_called_unlike() -> None:
    """There is nothing to test; who wants to know sees that truncation may be anything."""
    cut, unknown = [Tally("p", 100, 0, 0, 100)], [Tally("p", 100, 0, 0, None)]
    for pair in ((cut, unknown), (unknown, cut), ([], cut), (cut, [])):
        assert alike(*pair, Margins(), 0.95) is ALIKE
    mixed = [*cut, Tally("q", 100, 0, 0, None)]
    assert alike(mixed, [Tally("p", 100, 0)] * 2, Margins(), 0.95) is ALIKE


@pytest.mark.parametrize(
    ("rates", "said"),
    [
        ((0, 0), ()),
        ((0, 60), ("truncated: base 0.0%, rlvr 60.0%; difference in [",)),
        ((98, 99), ()),  # told as a reason against every comparison, not beside each
    ],
)
def test_a_difference_of_rates_is_said_where_comparisons_may_stand(
    rates: tuple[int, int], said: tuple[str, ...]
) -> None:
    found: Likeness = alike(
        *([Tally("p", 1000, 0, 0, 10 * cut)] for cut in rates), Margins(), 0.95
    )
    assert len(found.said) == len(said)
    for text, start in zip(found.said, said, strict=True):
        assert text.startswith(start)
        assert text.endswith(
            "; each comparison is judged by what its cut completions could change"
        )
