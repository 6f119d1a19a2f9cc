"""Is the gain as large on variants as on the originals?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np
import pytest

from rlvr_gate.claims.robust.variants import keeps_gain
from rlvr_gate.claims.views import CheckpointView, EvidenceSource, PairView
from rlvr_gate.judging.ledger import Ledger
from rlvr_gate.records import Ask, Judgement, Table, Tally, Verdict

from .counted import drawn

N = 16


class Varied:
    """Counts by ask; problems with no variant are missing there."""

    def __init__(self, counts: Mapping[str, Sequence[Tally]]) -> None:
        self.counts = counts

    def tallies(self, role: str, benchmark: str) -> tuple[Tally, ...]:
        return tuple(self.counts[role])

    def was_asked(self, name: str, benchmark: str) -> bool:
        return name in self.counts

    def guessing(self, benchmark: str) -> None:
        return None


Sides = tuple[Sequence[int], Sequence[int]]
"""Correct of base, and of RLVR."""


def judged(own: Sides, *variants: Sides, n: int = N, first: int = 0) -> Judgement:
    """Variants begin at the problem `first`: those before have none."""
    names = [f"isomorphic {i}" for i in range(1, len(variants) + 1)]
    counts: dict[str, list[Tally]] = {}
    for name, sides in zip(["", *names], [own, *variants], strict=True):
        for role, correct in zip(("base", "rlvr"), sides, strict=True):
            ask, at = Ask(role, samples=n, variant=name), first if name else 0
            counts[ask.name] = [Tally(f"p{at + i}", n, int(c)) for i, c in enumerate(correct)]
    source, ledger = cast(EvidenceSource, Varied(counts)), Ledger()
    pair = PairView(CheckpointView("base", source, ledger), CheckpointView("rlvr", source, ledger))
    found = keeps_gain(pair, names or ["isomorphic 1"], n, "b", 0.05)
    assert ledger.judgements == [found]
    return found


def test_the_definition_in_numbers() -> None:
    """Gains of the originals 1 and 0; variants' mean gains .5 and 0: D is -.5 and 0."""
    own = [0, 0], [16, 0]
    found = judged(own, ([0, 0], [16, 0]), ([0, 0], [0, 0]))
    assert found.estimate == pytest.approx(-0.25)
    (table,) = (e for e in found.evidence.exhibits if isinstance(e, Table))
    assert [row[1] for row in table.rows] == pytest.approx([0.0, -0.5])


MANY = [4] * 400
BETTER = [12] * 400


@pytest.mark.parametrize(
    ("variant", "verdict"),
    [
        ((MANY, BETTER), Verdict.HOLDS),
        ((MANY, MANY), Verdict.REFUTED),  # the gain is gone
        (([8] * 400, [16] * 400), Verdict.NOT_COMPARABLE),  # as large, of easier problems
        (([0] * 400, [8] * 400), Verdict.NOT_COMPARABLE),  # of harder ones
        (([1, 9] * 200, [9, 16] * 200), Verdict.UNDECIDED),  # perhaps easier
    ],
)
def test_a_gain_on_variants(variant: Sides, verdict: Verdict) -> None:
    assert judged((MANY, BETTER), variant).verdict is verdict


def test_problems_without_a_variant_have_no_part_in_the_estimate() -> None:
    """The last 300 of 400; the others gained nothing that could be lost."""
    found = judged((MANY, [4] * 100 + [12] * 300), (MANY[:300], BETTER[:300]), first=100)
    assert found.verdict is Verdict.HOLDS
    assert found.estimate == 0
    assert "300 of 400 problems have such variants" in found.evidence.notes


@pytest.mark.parametrize(
    ("without", "gain", "verdict"),
    [
        (340, 8, Verdict.UNDECIDED),  # a gain of .5 where nothing could be asked anew
        (60, 8, Verdict.UNDECIDED),  # .5 of 60 of 400: .075
        (8, 8, Verdict.HOLDS),  # .01
        (200, 0, Verdict.HOLDS),  # nothing that could be lost
        (200, -8, Verdict.HOLDS),
    ],
)
def test_a_gain_cannot_hide_among_problems_without_a_variant(
    without: int, gain: int, verdict: Verdict
) -> None:
    """The rest keeps its gain of .5 on variants; the mean over all counts these at nothing."""
    rest = 400 - without
    own = [8] * 400, [8 + gain] * without + [16] * rest
    found = judged(own, ([8] * rest, [16] * rest), first=without)
    assert found.verdict is verdict
    assert found.estimate == 0
    said = f"{-without * gain / 16 / 400:+.3f}"
    (note,) = (n for n in found.evidence.notes if n.startswith("with nothing gained"))
    low, high = map(float, note.partition("[")[2].rstrip("]").split(", "))
    assert low <= float(said) <= high


def test_a_loss_is_not_made_up_for_by_problems_without_a_variant() -> None:
    """RLVR fell by .5 on these: at nothing gained they rise, and the others have fallen."""
    own = [8] * 400, [0] * 200 + [16] * 200
    found = judged(own, ([8] * 200, [12] * 200), first=200)
    assert found.verdict is Verdict.REFUTED


def test_where_nothing_has_a_variant_no_number_of_samples_decides() -> None:
    found = judged((MANY, BETTER))
    assert found.verdict is Verdict.UNDECIDED
    assert found.evidence.would_decide is not None
    assert found.estimate is None
    assert "no problem of this benchmark has such a variant" in found.evidence.would_decide.text


def test_variants_of_a_problem_are_one_problem() -> None:
    """Four copies of a variant say no more than one: the interval stays as wide."""
    rng = np.random.default_rng(1)
    p = rng.beta(0.5, 0.5, 40)
    sides = drawn(p / 2, N, rng), drawn(p, N, rng)
    one, four = (judged(sides, *[(sides[0], drawn(p, N, rng))] * times) for times in (1, 4))
    wide = one.interval.high - one.interval.low
    assert four.interval.high - four.interval.low > 0.6 * wide


def test_what_does_not_hold_on_variants_is_seldom_said_to() -> None:
    """A loss of the margin itself, two variants: at most 2.5 % of 100 runs hold, up to noise."""
    rng, wrong = np.random.default_rng(2), 0
    for _ in range(100):
        p = rng.beta(0.5, 1.0, 80) * 0.9
        rlvr = np.maximum(p, 0.05)
        chances = rlvr, rlvr - 0.05, rlvr - 0.05
        sides = [(drawn(p / 3, N, rng), drawn(each, N, rng)) for each in chances]
        wrong += judged(*sides).verdict is Verdict.HOLDS
    assert wrong <= 7
