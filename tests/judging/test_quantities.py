"""Comparing quantities: paired, explained, and never fooled by what was not scored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from rlvr_gate.claims.views import CheckpointView, PairView, incomparable
from rlvr_gate.judging.ledger import Ledger
from rlvr_gate.judging.quantities import Exact, Proportion
from rlvr_gate.records import (
    CheckpointFacts,
    ClaimRecord,
    Deciding,
    Judgement,
    Kind,
    Sampling,
    Tally,
    Unit,
    Verdict,
    WouldDecide,
)


class Recorded:
    """An EvidenceSource over counts given in the test."""

    def __init__(self, **counts: Sequence[tuple[int, ...]]) -> None:
        self.counts = {
            role: tuple(Tally(f"p{i}", n, c, *rest) for i, (n, c, *rest) in enumerate(rows))
            for role, rows in counts.items()
        }

    def tallies(self, role: str, benchmark: str) -> tuple[Tally, ...]:
        return self.counts[role]

    def guessing(self, benchmark: str) -> None:
        return None


def pair_of(ledger: Ledger | None = None, **counts: Sequence[tuple[int, ...]]) -> PairView:
    source, ledger = Recorded(**counts), ledger or Ledger()
    return PairView(
        CheckpointView("base", source, ledger),  # type: ignore[arg-type]  # counts are enough here
        CheckpointView("rlvr", source, ledger),  # type: ignore[arg-type]
    )


def rows(seed: int, problems: int, p: float, n: int = 64) -> list[tuple[int, int]]:
    draws = np.random.default_rng(seed).binomial(n, p, problems)
    return [(n, int(c)) for c in draws]


def test_a_clear_rise_holds_and_its_mirror_is_refuted() -> None:
    pair = pair_of(base=rows(0, 50, 0.1), rlvr=rows(1, 50, 0.6))
    up = pair.rlvr.pass_at(1, "b") > pair.base.pass_at(1, "b")
    down = pair.base.pass_at(1, "b") > pair.rlvr.pass_at(1, "b")
    assert up.verdict is Verdict.HOLDS
    assert down.verdict is Verdict.REFUTED
    assert up.estimate == -down.estimate
    assert up.interval.low == pytest.approx(-down.interval.high)
    assert bool(up) is True
    assert bool(down) is False


def test_a_model_against_itself_is_undecided() -> None:
    pair = pair_of(base=rows(0, 50, 0.3), rlvr=rows(1, 50, 0.3))
    assert (pair.rlvr.pass_at(1, "b") > pair.base.pass_at(1, "b")).verdict is Verdict.UNDECIDED


def test_every_comparison_is_noted_in_order() -> None:
    ledger = Ledger(level=0.9)
    pair = pair_of(ledger, base=rows(0, 20, 0.2), rlvr=rows(1, 20, 0.2))
    _ = pair.rlvr.pass_at(1, "b") > 0.1
    _ = pair.rlvr.pass_at(4, "b") <= pair.base.pass_at(4, "b")
    assert [j.statement for j in ledger.judgements] == [
        "rlvr pass@1 > 0.1",
        "rlvr pass@4 <= base pass@4",
    ]
    assert {j.interval.level for j in ledger.judgements} == {0.9}


def test_a_margin_moves_the_threshold_and_leaves_the_estimate_plain() -> None:
    pair = pair_of(base=rows(0, 80, 0.5), rlvr=rows(1, 80, 0.5))
    strict = pair.rlvr.pass_at(1, "b") > pair.base.pass_at(1, "b")
    slack = pair.rlvr.pass_at(1, "b") > pair.base.pass_at(1, "b") - 0.25
    assert slack.verdict is Verdict.HOLDS
    assert slack.threshold == -0.25
    assert (slack.estimate, slack.interval) == (strict.estimate, strict.interval)


def test_a_difference_can_be_bounded_by_a_number() -> None:
    pair = pair_of(base=rows(0, 80, 0.9), rlvr=rows(1, 80, 0.1))
    gap = pair.base.pass_at(1, "b") - pair.rlvr.pass_at(1, "b") < 0.2
    assert gap.verdict is Verdict.REFUTED
    assert gap.threshold == 0.2


def test_an_unscored_completion_is_neither_right_nor_wrong() -> None:
    """The interval must cover the reading in which every timeout was right and the other."""
    half = [(10, 2, 6)] * 40  # n, correct, unscored
    pair = pair_of(base=[(10, 5)] * 40, rlvr=half)
    judged = pair.rlvr.pass_at(1, "b") > pair.base.pass_at(1, "b")
    assert judged.verdict is Verdict.UNDECIDED
    assert judged.interval.low <= -0.3
    assert judged.interval.high >= 0.3
    assert judged.estimate == pytest.approx(0.0)


def test_k_above_the_samples_is_an_error_naming_both() -> None:
    pair = pair_of(base=rows(0, 5, 0.2, n=16), rlvr=rows(1, 5, 0.2, n=16))
    with pytest.raises(ValueError, match=r"32.*16|16.*32"):
        pair.base.pass_at(32, "b")


def test_only_the_same_problems_can_be_paired() -> None:
    pair = pair_of(base=rows(0, 5, 0.2), rlvr=rows(1, 6, 0.2))
    with pytest.raises(ValueError, match="are not paired"):
        _ = pair.rlvr.pass_at(1, "b") > pair.base.pass_at(1, "b")


def test_what_is_not_comparable_is_not_judged() -> None:
    ledger = Ledger(comparability=lambda benchmark: ["prompts differ"])
    pair = pair_of(ledger, base=rows(0, 50, 0.1), rlvr=rows(1, 50, 0.6))
    judged = pair.rlvr.pass_at(1, "b") > pair.base.pass_at(1, "b")
    assert judged.verdict is Verdict.NOT_COMPARABLE
    assert judged.evidence.incomparable == ("prompts differ",)
    alone = pair.rlvr.pass_at(1, "b") > 0.3
    assert alone.verdict is Verdict.HOLDS  # one checkpoint needs no partner


def test_a_refuted_claim_names_the_problems_that_decided_it() -> None:
    base = [(8, 4)] * 30 + [(8, 8)]
    rlvr = [(8, 2)] * 30 + [(8, 0)]
    judged = pair_of(base=base, rlvr=rlvr)
    verdict = judged.rlvr.pass_at(1, "b") > judged.base.pass_at(1, "b")
    first, *_ = verdict.evidence.deciding or ()
    assert first == Deciding("p30", -1.0, {"rlvr pass@1": "0/8", "base pass@1": "8/8"})


def test_solved_sets_count_problems() -> None:
    pair = pair_of(base=[(4, 1), (4, 4), (4, 0), (4, 0)], rlvr=[(4, 0), (4, 2), (4, 3), (4, 0)])
    sets = pair.solved("b")
    assert [sets.ids(w) for w in ("preserved", "gained", "lost", "unreached")] == [
        ("p1",), ("p2",), ("p0",), ("p3",),
    ]  # fmt: skip
    assert (sets.retention.count, sets.retention.total) == (1, 2)
    assert (sets.discovery.count, sets.discovery.total) == (1, 2)


@pytest.mark.parametrize(("lost", "gained"), [(4, 0), (6, 0), (5, 1), (18, 5), (7, 8), (0, 9)])
def test_the_lost_share_verdict_is_mcnemars_exact_test(lost: int, gained: int) -> None:
    from scipy.stats import binomtest

    ledger = Ledger(level=0.95)
    share = Proportion("lost share", lost, lost + gained, ledger, "b")
    verdict = (share > 0.5).verdict
    if lost > gained:
        p = binomtest(lost, lost + gained, alternative="greater").pvalue
        assert verdict is (Verdict.HOLDS if p < 0.025 else Verdict.UNDECIDED)
    else:
        p = binomtest(gained, lost + gained, alternative="greater").pvalue
        assert verdict is (Verdict.REFUTED if p < 0.025 else Verdict.UNDECIDED)


def test_nothing_to_count_is_undecided() -> None:
    share = Proportion("lost share", 0, 0, Ledger(), "b")
    judged = share > 0.5
    assert judged.verdict is Verdict.UNDECIDED
    assert (judged.interval.low, judged.interval.high) == (0.0, 1.0)
    assert judged.estimate is None
    assert (1 - share < 0.9).estimate is None


def test_exact_numbers_have_no_width() -> None:
    ledger = Ledger()
    sparse, dense = Exact("rlvr unchanged", 0.6, ledger), Exact("sft unchanged", 0.1, ledger)
    assert (sparse > dense).verdict is Verdict.HOLDS
    assert (sparse > dense).estimate == pytest.approx(0.5)
    assert (sparse >= 0.6).verdict is Verdict.HOLDS
    assert (sparse > 0.6).verdict is Verdict.REFUTED


def test_units_stay_with_exact_numbers_and_two_make_none() -> None:
    ledger = Ledger()
    turned = Exact("angle", 30.0, ledger, unit=Unit.DEGREES)
    assert (2 * turned - 10 > 0).unit == (turned - turned / 2 > 0).unit == Unit.DEGREES
    assert (turned - Exact("rank", 0.5, ledger) > 0).unit == Unit.NUMBER


def test_the_first_comparison_with_the_verdict_decides_else_the_first() -> None:
    holds, fails = (Exact("x", x, Ledger()) > 0 for x in (1.0, -1.0))
    claim = ClaimRecord(
        "K", "t", "s", Kind.GATE, "n", None, None, 0.0, Verdict.REFUTED, (holds, fails)
    )
    assert claim.deciding is fails
    assert replace(claim, verdict=Verdict.UNDECIDED).deciding is holds
    assert replace(claim, judgements=()).deciding is None


def test_only_numbers_and_quantities_can_be_compared() -> None:
    pair = pair_of(base=rows(0, 5, 0.2), rlvr=rows(1, 5, 0.2))
    with pytest.raises(TypeError, match="cannot compare base pass@1"):
        _ = pair.base.pass_at(1, "b") > "0.5"
    with pytest.raises(TypeError, match="can be compared with a number"):
        _ = Proportion("x", 1, 2, Ledger(), "b") > True


def facts(**changes: object) -> CheckpointFacts:
    fields = {
        "role": "base", "ref": "r", "digest": "d", "backend": "transformers/float32",
        "sampling": Sampling(), "stop_ids": (2,), "seed": 0, "prompt_digests": {"b": "x"},
    } | changes  # fmt: skip
    return CheckpointFacts(**fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"prompt_digests": {"b": "y"}}, "prompts differ"),
        ({"sampling": Sampling(temperature=0.6)}, "sampling settings differ"),
        ({"stop_ids": (2, 3)}, "stop ids differ"),
        ({"backend": "vllm/bfloat16"}, "backends differ"),
        ({"digest": "d"}, "both are the same samples"),
    ],
)
def test_unlike_runs_are_not_comparable(changes: dict[str, object], reason: str) -> None:
    tallies = [Tally("p", 10, 5)]
    other = facts(**({"digest": "e"} | changes))
    reasons = incomparable(facts(), other, "b", tallies, tallies)
    assert len(reasons) == 1
    assert reason in reasons[0]


def test_unscored_and_counts_are_part_of_the_question() -> None:
    other = facts(digest="e", role="rlvr")
    fine = [Tally("p", 100, 5, truncated=1)]
    assert incomparable(facts(), other, "b", fine, [Tally("p", 100, 9, truncated=2)]) == []
    timeouts = incomparable(facts(), other, "b", fine, [Tally("p", 100, 9, unscored=2)])
    assert "2.0% of rlvr's completions are unscored" in timeouts[0]
    fewer = incomparable(facts(), other, "b", fine, [Tally("p", 50, 9)])
    assert "samples differ" in fewer[0]


def decided_by(judged: Judgement) -> WouldDecide:
    found = judged.evidence.would_decide
    assert found is not None
    return found


def test_every_judgement_says_what_such_a_run_detects() -> None:
    pair = pair_of(base=rows(0, 50, 0.1), rlvr=rows(1, 50, 0.6))
    judged = pair.rlvr.pass_at(1, "b") > pair.base.pass_at(1, "b")
    power = judged.evidence.power
    assert power is not None
    half = (judged.interval.high - judged.interval.low) / 2
    assert half < power.effect < 2 * half
    assert judged.evidence.would_decide is None


def test_undecided_by_sampling_alone_names_samples_and_problems() -> None:
    base, rlvr = [(8, 3)] * 20 + [(8, 4)] * 20, [(8, 4)] * 20 + [(8, 3)] * 19 + [(8, 7)]
    pair = pair_of(base=base, rlvr=rlvr)
    judged = pair.rlvr.pass_at(1, "b") > pair.base.pass_at(1, "b")
    assert judged.verdict is Verdict.UNDECIDED
    more = decided_by(judged)
    assert isinstance(more.problems, int)
    assert more.problems > 0
    assert "more problems" in more.text


def test_where_problems_differ_too_much_no_number_of_samples_would_do() -> None:
    """Half of the problems all won, the other half all lost: sampling is not the trouble."""
    base = [(64, 0)] * 11 + [(64, 64)] * 9
    rlvr = [(64, 64)] * 11 + [(64, 0)] * 9
    pair = pair_of(base=base, rlvr=rlvr)
    judged = pair.rlvr.pass_at(1, "b") > pair.base.pass_at(1, "b")
    more = decided_by(judged)
    assert more.samples is None
    assert more.text.endswith("no number of samples at these problems would")


def test_what_was_not_scored_is_not_healed_by_more_of_it() -> None:
    pair = pair_of(base=[(10, 5)] * 40, rlvr=[(10, 2, 6)] * 40)
    judged = pair.rlvr.pass_at(1, "b") > pair.base.pass_at(1, "b")
    assert "were not scored leave it open" in decided_by(judged).text


def test_one_problem_asks_for_others() -> None:
    pair = pair_of(base=[(10, 5)], rlvr=[(10, 6)])
    judged = pair.rlvr.pass_at(1, "b") > pair.base.pass_at(1, "b")
    assert "more problems are needed" in decided_by(judged).text


def test_two_values_of_one_checkpoint_are_not_independent() -> None:
    pair = pair_of(base=rows(0, 30, 0.3), rlvr=rows(1, 30, 0.3))
    assert (pair.rlvr.pass_at(8, "b") - pair.rlvr.pass_at(1, "b")).within is None
    assert (pair.rlvr.pass_at(8, "b") - pair.base.pass_at(8, "b")).within is not None


def test_a_share_of_problems_asks_for_problems() -> None:
    pair = pair_of(
        base=[(4, 1)] * 3 + [(4, 0)] * 7, rlvr=[(4, 0)] * 3 + [(4, 1)] * 2 + [(4, 0)] * 5
    )
    judged = pair.solved("b").lost_share > 0.5
    more = decided_by(judged)
    assert isinstance(more.problems, int)
    assert more.samples is None


def test_a_verdict_explains_what_would_decide_it() -> None:
    from rlvr_gate.gate.explain import notes

    pair = pair_of(base=rows(0, 50, 0.3), rlvr=rows(1, 50, 0.3))
    seen, more, *_ = notes(pair.rlvr.pass_at(1, "b") > pair.base.pass_at(1, "b"))
    assert seen.startswith("a run of this size detects")
    assert more.startswith("if the estimate stays where it is: ")


@pytest.mark.parametrize("p", [0.3, 0.34, 0.36, 0.38, 0.42, 0.5])
def test_a_verdict_is_decided_when_its_p_value_is_small(p: float) -> None:
    pair = pair_of(base=rows(0, 60, 0.3), rlvr=rows(1, 60, p))
    for judged in (
        pair.rlvr.pass_at(1, "b") > pair.base.pass_at(1, "b"),
        pair.rlvr.pass_at(1, "b") < pair.base.pass_at(1, "b"),
        pair.solved("b").retention >= 0.9,
    ):
        assert judged.p_value is not None
        assert (judged.verdict is not Verdict.UNDECIDED) == (judged.p_value < 0.05)


def test_no_p_value_where_nothing_was_sampled_or_is_comparable() -> None:
    assert (Exact("x", 0.6, Ledger()) >= 0.5).p_value is None
    assert (Proportion("x", 0, 0, Ledger(), "b") > 0.5).p_value is None
    ledger = Ledger(comparability=lambda benchmark: ["prompts differ"])
    pair = pair_of(ledger, base=rows(0, 50, 0.1), rlvr=rows(1, 50, 0.6))
    assert (pair.rlvr.pass_at(1, "b") > pair.base.pass_at(1, "b")).p_value is None


def rare_loss() -> dict[str, Sequence[tuple[int, int]]]:
    """Thirty problems that all gain a little: so does a benchmark that missed a rare loss."""
    return {"base": [(64, 20)] * 30, "rlvr": [(64, 22 + i % 3) for i in range(30)]}


def test_a_gate_claim_is_not_opened_by_what_a_benchmark_may_have_missed() -> None:
    sure, sharp = pair_of(Ledger(guaranteed=True), **rare_loss()), pair_of(**rare_loss())
    found = [p.rlvr.pass_at(1, "b") > p.base.pass_at(1, "b") for p in (sure, sharp)]
    assert [j.verdict for j in found] == [Verdict.UNDECIDED, Verdict.UNDECIDED]
    assert [j.guaranteed for j in found] == [True, False]
    assert found[0].interval.low < found[1].interval.low < 0 < found[1].interval.high
    assert found[0].interval.high > found[1].interval.high


@pytest.mark.parametrize("p", [0.3, 0.36, 0.42, 0.5, 0.6])
def test_a_guaranteed_verdict_is_decided_when_its_p_value_is_small(p: float) -> None:
    pair = pair_of(Ledger(guaranteed=True), base=rows(0, 60, 0.3), rlvr=rows(1, 60, p))
    for judged in (
        pair.rlvr.pass_at(1, "b") > pair.base.pass_at(1, "b"),
        pair.rlvr.pass_at(1, "b") < pair.base.pass_at(1, "b"),
        pair.solved("b").retention_beyond_noise >= 0.9,
        pair.solved("b").retention >= 0.9,
    ):
        assert judged.guaranteed
        assert judged.p_value is not None
        assert (judged.verdict is not Verdict.UNDECIDED) == (judged.p_value < 0.05)
