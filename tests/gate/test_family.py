"""Findings counted together: what stays decided, and what counts once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rlvr_gate.claims.views import CheckpointView, PairView
from rlvr_gate.gate.family import staying, with_p_values
from rlvr_gate.gate.family import tests_of as count
from rlvr_gate.judging.ledger import Ledger
from rlvr_gate.records import ClaimRecord, Interval, Judgement, Kind, Tally, Verdict

HOLDS, REFUTED, OPEN = Verdict.HOLDS, Verdict.REFUTED, Verdict.UNDECIDED


def compared(p: float | None, verdict: Verdict = HOLDS, test: str = "") -> Judgement:
    return Judgement("a > b", verdict, 0.1, Interval(0.0, 0.2, 0.95), 0.0, ">", "sums", 1, 16,
                     p_value=p, test=test)  # fmt: skip


def finding(id: str, *judgements: Judgement, verdict: Verdict = HOLDS) -> ClaimRecord:
    return ClaimRecord(id, "", "", Kind.FINDING, id, "sums", None, 0.0, verdict, judgements)


def test_a_finding_that_chance_explains_among_many_is_undecided_and_says_so() -> None:
    """Twenty claims, one of them with p = .03: alone it holds, among twenty it is nothing."""
    others = [finding(f"F{i}", compared(0.5, OPEN), verdict=OPEN) for i in range(19)]
    lucky, *_ = with_p_values([finding("A", compared(0.03)), *others])
    assert lucky.verdict is OPEN
    assert lucky.adjusted_p == pytest.approx(0.6)
    assert lucky.reason == "alone it would hold; among the findings' 20 tests its p-value is 0.6"
    assert lucky.judgements[0].verdict is OPEN
    assert lucky.judgements[0].evidence.notes == (lucky.reason,)
    assert lucky.judgements[0].adjusted_p == pytest.approx(0.6)


def test_what_is_sure_stays_decided_and_gate_claims_are_not_counted() -> None:
    gate = replace(finding("K1", compared(0.04)), kind=Kind.GATE)
    weights = finding("W1", compared(None))
    sure = finding("A", compared(0.001, REFUTED), verdict=REFUTED)
    found = with_p_values([gate, weights, sure, finding("B", compared(0.04))])
    assert [claim.verdict for claim in found] == [HOLDS, HOLDS, REFUTED, HOLDS]
    assert [claim.adjusted_p for claim in found] == pytest.approx([None, None, 0.002, 0.04])
    assert count(found) == (2, 2)


def test_one_test_in_several_words_counts_once() -> None:
    once = [finding("K1k", compared(0.02, REFUTED, "t"), verdict=REFUTED),
            finding("K2", compared(0.02, HOLDS, "t"))]  # fmt: skip
    assert [claim.verdict for claim in with_p_values([*once, finding("X", compared(0.9, OPEN),
            verdict=OPEN)])] == [REFUTED, HOLDS, OPEN]  # fmt: skip
    assert count(once) == (2, 1)
    apart = [finding("K1k", compared(0.03)), finding("K2", compared(0.03))]
    assert [claim.verdict for claim in with_p_values(apart)] == [OPEN, OPEN]


def test_a_claim_of_several_comparisons_stays_as_far_as_each_does() -> None:
    """It holds where all stay, and is refuted where one stays refuted."""
    strong, weak = compared(0.001), compared(0.04)
    both, mixed = finding("A", strong, weak), finding("B", strong, compared(0.04, REFUTED))
    found = with_p_values([both, replace(mixed, verdict=REFUTED), finding("C", compared(0.2))])
    assert [claim.verdict for claim in found] == [OPEN, OPEN, OPEN]
    assert [j.verdict for j in found[0].judgements] == [HOLDS, OPEN]
    sure = finding("B", strong, compared(0.001, REFUTED), verdict=REFUTED)
    assert with_p_values([sure])[0].verdict is REFUTED


def test_a_refutation_is_of_the_claims_own_comparisons_too() -> None:
    """Two comparisons, either may refute: twice the p of the one, whatever Holm says of it."""
    found = finding("B", compared(0.001), compared(0.03, REFUTED), verdict=REFUTED)
    (said,) = with_p_values([found])
    assert (said.p_value, said.adjusted_p, said.verdict) == (0.06, 0.06, OPEN)


class Drawn:
    """Counts of two runs of 60 problems."""

    def __init__(self) -> None:
        rng = np.random.default_rng(3)
        self.of = {
            role: tuple(
                Tally(f"p{i}", 16, int(c)) for i, c in enumerate(rng.binomial(16, chance, 60))
            )
            for role, chance in (("base", 0.15), ("rlvr", 0.02))
        }

    def tallies(self, role: str, benchmark: str) -> tuple[Tally, ...]:
        return self.of[role]

    def guessing(self, benchmark: str) -> None:
        return None


def test_nested_claims_are_recognised_and_others_are_not() -> None:
    """K2 is K1k at the largest k from the other side, and K7's share never solved is that too."""
    views = (CheckpointView(r, Drawn(), Ledger()) for r in ("base", "rlvr"))  # type: ignore[arg-type]
    base, rlvr = (pair := PairView(*views)).base, pair.rlvr
    leads, overtakes = (
        rlvr.pass_at(16, "b") > base.pass_at(16, "b"),
        base.pass_at(16, "b") > rlvr.pass_at(16, "b"),
    )
    never = rlvr.never_solved("b") > base.never_solved("b")
    assert leads.test == overtakes.test == never.test
    assert leads.p_value == overtakes.p_value == pytest.approx(never.p_value)
    others = [
        rlvr.pass_at(8, "b") > base.pass_at(8, "b"),
        rlvr.pass_at(16, "b") > base.pass_at(16, "b") - 0.02,
        rlvr.pass_at(16, "b") > 0.5,
        rlvr.always_solved("b") > base.always_solved("b"),
        rlvr.pass_at(16, "b").among([i < 50 for i in range(60)], "first") > 0.5,
    ]
    assert len({leads.test, *(other.test for other in others)}) == 6


def test_two_measurements_that_came_out_alike_are_two_tests() -> None:
    """Every problem always or never solved: pass@8 and pass@16 agree, but say different things."""
    source = Drawn()
    source.of = {role: tuple(Tally(f"p{i}", 16, 16 * (i % j == 0)) for i in range(60))
                 for role, j in (("base", 2), ("rlvr", 3))}  # fmt: skip
    views = (CheckpointView(r, source, Ledger()) for r in ("base", "rlvr"))  # type: ignore[arg-type]
    pair = PairView(*views)
    one, other = (pair.rlvr.pass_at(k, "b") > pair.base.pass_at(k, "b") for k in (8, 16))
    assert one.p_value == other.p_value
    assert one.test != other.test


def test_where_problems_have_their_own_number_of_samples_never_solved_is_no_pass_at_k() -> None:
    source = Drawn()
    source.of = {role: tuple(replace(t, n=16 + i % 2) for i, t in enumerate(tallies))
                 for role, tallies in source.of.items()}  # fmt: skip
    views = (CheckpointView(r, source, Ledger()) for r in ("base", "rlvr"))  # type: ignore[arg-type]
    pair = PairView(*views)
    never = pair.rlvr.never_solved("b") > pair.base.never_solved("b")
    overtakes = pair.base.pass_at(16, "b") > pair.rlvr.pass_at(16, "b")
    assert never.test != overtakes.test


def came_to(id: str, *ps: float) -> ClaimRecord:
    """A finding that holds where all of its comparisons are below .05."""
    verdict = HOLDS if max(ps) <= 0.05 else OPEN
    return finding(id, *(compared(p, HOLDS if p <= 0.05 else OPEN) for p in ps), verdict=verdict)


def test_what_settled_findings_rejected_needs_no_share_any_more() -> None:
    """Nineteen that are sure leave .05 to the twentieth; alone, .0025 would be asked of it."""
    strong = [came_to(f"F{i}", 1e-6) for i in range(19)]
    assert "A" in staying([came_to("A", 0.04), *strong], settled=())
    assert "A" not in staying([came_to("A", 0.04), *strong], settled=(), unknown=1)
    weak = [came_to(f"F{i}", 0.2) for i in range(19)]
    assert staying([came_to("A", 0.0024), *weak], settled=()) == {"A"}
    assert staying([came_to("A", 0.0026), *weak], settled=()) == frozenset()


def test_a_finding_that_goes_on_lends_nothing_to_another() -> None:
    """B's first comparison is sure; B is not, so it may change, and A must do without it."""
    a, b = came_to("A", 0.02), came_to("B", 1e-6, 0.2)
    assert staying([a, b], settled=()) == frozenset()
    assert staying([a, b], settled={"B"}) == {"A", "B"}


def test_who_stays_decided_does_so_whatever_the_others_become() -> None:
    rng = np.random.default_rng(0)
    kept = 0
    for _ in range(400):
        sizes = rng.integers(1, 3, 8)
        now = [came_to(f"F{i}", *(10.0 ** rng.uniform(-5, 0, n))) for i, n in enumerate(sizes)]
        settled = {c.nodeid for c in now[:2] if c.verdict is OPEN}
        stay = staying(now, settled, unknown=1)
        later = [
            c if c.nodeid in stay else came_to(c.nodeid, *(10.0 ** rng.uniform(-5, 0, n)))
            for c, n in zip(now, sizes, strict=True)
        ]
        judged = with_p_values([*later, came_to("F9", 10.0 ** rng.uniform(-5, 0))])
        decided = {c.nodeid for c in judged if c.verdict is HOLDS}
        assert stay - settled <= decided
        kept += len(stay - settled)
    assert kept > 200
