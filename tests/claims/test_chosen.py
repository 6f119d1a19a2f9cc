"""Where two checkpoints would choose different tokens: by hand, and against their identities."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from rlvr_gate.claims import numbers
from rlvr_gate.claims.tokens.choices import Chosen
from rlvr_gate.claims.tokens.promoted import SHOWN, of_each, promoted
from rlvr_gate.claims.views import CheckpointView, PairView
from rlvr_gate.judging.quantities import Ledger
from rlvr_gate.records import Facts, Table, Verdict

from .counted import Counted, tallies


def of(*positions: tuple[int, int, int, float]) -> Chosen:
    """(what base would choose, what rlvr would, its rank under base, base's entropy) each."""
    ours, theirs, rank, entropy = (np.array(each) for each in zip(*positions, strict=True))
    return Chosen(tuple(ours.tolist()), ours, theirs, rank, entropy.astype(float))


class Source(Counted):
    """Problems with one completion each, whoever answers."""

    def __init__(self, problems: Sequence[Chosen]) -> None:
        super().__init__({"base": tallies([0] * len(problems), 1)})
        self.problems = problems

    def chosen(self, along: str, under: str, other: str, benchmark: str):
        return tuple((chosen,) for chosen in self.problems)

    def spelled(self, role: str, ids: Sequence[tuple[int, ...]]) -> list[str]:
        return ["".join(map(chr, each)) for each in ids]


def pair_of(problems: Sequence[Chosen]) -> PairView:
    source, ledger = Source(problems), Ledger()
    base, rlvr = (CheckpointView(role, source, ledger) for role in ("base", "rlvr"))  # type: ignore[arg-type]
    return PairView(base, rlvr)


def facts(evidence, title: str) -> dict:
    return next(e.facts for e in evidence.exhibits if isinstance(e, Facts) and title in e.title)


SAME, OTHER, FAR = (65, 65, 1, 0.1), (65, 66, 2, 0.9), (65, 90, 6, 0.4)


def test_the_share_is_a_mean_over_problems_and_the_share_of_all_tokens_stands_beside() -> None:
    """1 of 2 and 0 of 6: mean .25, of all tokens 1/8."""
    pair = pair_of([of(SAME, OTHER), of(*[SAME] * 6)])
    found = numbers.chosen_otherwise(pair.base, pair.rlvr, "b", along=pair.base)
    assert found.value == 0.25
    assert facts(found.evidence, "rlvr against base")["share over all positions"] == 1 / 8
    assert "along base's completions" in found.label


def test_a_checkpoint_against_itself_never_chooses_otherwise() -> None:
    pair = pair_of([of(SAME, SAME)] * 40)
    found = numbers.chosen_otherwise(pair.base, pair.rlvr, "b", along=pair.base)
    assert found.value == 0
    assert not any(isinstance(e, Table) for e in found.evidence.exhibits)
    asked = (
        numbers.considered(pair.base, pair.rlvr, "b", along=pair.base) >= 0.99,
        numbers.hesitation(pair.base, pair.rlvr, "b", along=pair.base) > 0,
    )
    assert [judged.verdict for judged in asked] == [Verdict.UNDECIDED] * 2


def test_many_changes_refute_few() -> None:
    pair = pair_of([of(SAME, OTHER)] * 40)
    found = numbers.chosen_otherwise(pair.base, pair.rlvr, "b", along=pair.base)
    assert (found <= 0.05).verdict is Verdict.REFUTED
    few = pair_of([of(*[SAME] * 99, OTHER)] * 400)
    assert (
        numbers.chosen_otherwise(few.base, few.rlvr, "b", along=few.base) <= 0.05
    ).verdict is Verdict.HOLDS


def test_considered_is_a_ratio_in_which_long_answers_weigh_more() -> None:
    """Per problem 3 of 4 near, or 1 of 1: in all 30 * 3 + 30 of 150, unweighted .875."""
    pair = pair_of([of(OTHER, OTHER, OTHER, FAR), of(SAME, OTHER)] * 30)
    found = numbers.considered(pair.base, pair.rlvr, "b", along=pair.base)
    assert found.value == pytest.approx(120 / 150)
    beside = facts(found.evidence, "Rank of")
    assert (beside["beyond the top 5"], beside["largest rank"]) == (30, 6)
    assert beside["mean rank"] == pytest.approx((120 * 2 + 30 * 6) / 150)
    assert beside["unweighted share"] == pytest.approx(0.875)
    assert (found >= 0.99).verdict is Verdict.REFUTED


def test_what_was_always_considered_holds_once_there_are_problems_enough() -> None:
    for problems, verdict in ((60, Verdict.UNDECIDED), (800, Verdict.HOLDS)):
        pair = pair_of([of(OTHER, OTHER, SAME)] * problems)
        found = numbers.considered(pair.base, pair.rlvr, "b", along=pair.base)
        assert found.value == 1
        assert (found >= 0.99).verdict is verdict


@pytest.mark.parametrize(
    "problems", [[of(OTHER)] * 99, [of(*[OTHER] * 6)] * 19, [of(*[FAR] * 9)] * 11]
)
def test_few_differing_positions_say_nothing(problems: list[Chosen]) -> None:
    pair = pair_of(problems)
    found = numbers.considered(pair.base, pair.rlvr, "b", along=pair.base)
    assert (found >= 0.99).verdict is Verdict.UNDECIDED
    assert "100 of 20" in found.evidence.notes[0]


def test_hesitation_is_paired_by_problem_and_leaves_out_those_of_one_kind() -> None:
    """.9 - .1 in forty problems; one without a difference and one of nothing else drop out."""
    pair = pair_of([of(SAME, OTHER)] * 40 + [of(SAME, SAME), of(OTHER, OTHER)])
    found = numbers.hesitation(pair.base, pair.rlvr, "b", along=pair.base)
    assert found.value == pytest.approx(0.8)
    beside = facts(found.evidence, "Entropy")
    assert beside["problems without one kind"] == 2
    assert beside["nats elsewhere"] == pytest.approx(0.1)
    assert beside["times"] == pytest.approx(9)
    assert beside["difference without first tokens"] is None  # one position each is left
    assert (found > 0).verdict is Verdict.HOLDS


def test_where_base_is_surer_it_is_refuted() -> None:
    pair = pair_of([of((65, 65, 1, 0.9), (65, 66, 2, 0.1), (65, 65, 1, 0.5))] * 40)
    found = numbers.hesitation(pair.base, pair.rlvr, "b", along=pair.base)
    assert (found > 0).verdict is Verdict.REFUTED
    assert facts(found.evidence, "Entropy")["difference without first tokens"] == pytest.approx(
        0.1 - 0.5
    )


def spell(ids: list[tuple[int, ...]]) -> list[str]:
    return ["".join(map(chr, each)) for each in ids]


def test_the_table_of_promoted_tokens_is_fixed_byte_for_byte() -> None:
    """Problems first, then counts, then ids; a pair in one problem comes last however frequent."""
    a_b, a_c, d_newline = (97, 98, 2, 1.0), (97, 99, 3, 1.0), (100, 10, 2, 1.0)
    problems = [[of(a_b, a_c, a_c, a_c)], [of(d_newline, a_b)], [of(d_newline)]]
    pairs, places = promoted(problems, ["p", "q", "r"], "along x", spell)
    assert pairs.title == "Tokens promoted along x"
    assert pairs.rows == (
        ('"a"', '"b"', 2, 2 / 7, 2),
        ('"d"', '"\\n"', 2, 2 / 7, 2),
        ('"a"', '"c"', 3, 3 / 7, 1),
    )
    assert places.rows[:3] == (
        ('"a" → "b"', "p", ' ▸ "aaaa"'),
        ('"a" → "b"', "q", '"d" ▸ "a"'),
        ('"d" → "\\n"', "q", ' ▸ "da"'),
    )
    assert len(places.rows) == 7
    assert places.problems == "problem"


def test_places_are_of_different_problems_first_and_few_pairs_are_shown() -> None:
    a_b = (97, 98, 2, 1.0)
    many = [of(*[(97, 200 + i, 2, 1.0) for i in range(30)])]
    pairs, places = promoted([[of(*[a_b] * 9)], [of(a_b)], many], ["p", "q", "r"], "x", spell)
    assert [row[1] for row in places.rows[:3]] == ["p", "q", "p"]
    assert len(pairs.rows) == 20
    assert "the first 20 of 31 pairs" in pairs.title


def test_every_problem_has_its_own_promoted_tokens_all_of_them_counted() -> None:
    """Whatever the tables above show: the first eight are spelled, and none is left uncounted."""
    many = of(*[OTHER] * (SHOWN + 2), SAME)
    seen = of_each([(many,), (of(SAME),)], ["p", "q"], "base", letters)
    assert (seen["p"].positions, seen["p"].differing) == (SHOWN + 3, SHOWN + 2)
    assert [place.position for place in seen["p"].places] == list(range(SHOWN))
    last = seen["p"].places[-1]
    assert (last.before, last.now, last.left, last.right) == ("A", "B", "A" * 7, "AAAA")
    assert (seen["q"].positions, seen["q"].differing, seen["q"].places) == (1, 0, ())
    assert seen["q"].along == "base"


def test_where_nothing_differs_nothing_is_spelled() -> None:
    def spell(ids: list[tuple[int, ...]]) -> list[str]:
        raise AssertionError(ids)

    assert of_each([(of(SAME),)], ["p"], "base", spell)["p"].places == ()


def letters(ids: list[tuple[int, ...]]) -> list[str]:
    return ["".join(map(chr, each)) for each in ids]
