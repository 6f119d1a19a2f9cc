"""What a claim compares, found on counts that nobody drew."""

from __future__ import annotations

from rlvr_gate.claims.foreseeing import Supposed, design_of, foreseen, supposed_pair
from rlvr_gate.judging.planning import Design, told
from rlvr_gate.records import Problem, Verdict


def problems(clusters: int = 0) -> tuple[Problem, ...]:
    return tuple(
        Problem(f"p{i}", "?", "1", "exact", cluster=f"c{i % clusters}" if clusters else "")
        for i in range(40)
    )


SOURCE = Supposed({"b": problems(), "c": problems(10)}, 16)


def test_a_claim_of_a_rise_is_recognised_with_its_k_margin_and_independent_problems() -> None:
    pair, _ = supposed_pair(SOURCE, 0.95)
    kept = pair.rlvr.pass_at(8, "c") > pair.base.pass_at(8, "c") - 0.02
    assert design_of(kept, SOURCE, 0.95) == Design(10, 16, 8, -0.02, 0.95)
    assert foreseen(kept, SOURCE, 0.95) == list(told(Design(10, 16, 8, -0.02, 0.95)))
    assert kept.guaranteed


def test_of_any_other_claim_the_effect_is_read_from_its_interval() -> None:
    pair, ledger = supposed_pair(SOURCE, 0.95)
    (told_,) = foreseen(pair.gain(1, ["b", "c"]) > 0, SOURCE, 0.95)
    assert told_.endswith("beyond the threshold")
    falls = pair.rlvr.pass_at(8, "b") < pair.base.pass_at(8, "b")
    assert design_of(falls, SOURCE, 0.95) is None
    assert design_of(pair.rlvr.pass_at(8, "b") > 0.5, SOURCE, 0.95) is None
    assert len(ledger.judgements) == 3


def test_what_nobody_samples_has_nothing_to_detect() -> None:
    from rlvr_gate.judging.quantities import Exact

    _, ledger = supposed_pair(SOURCE, 0.95)
    assert foreseen(Exact("x", 1.0, ledger) > 0, SOURCE, 0.95) == []


def test_the_made_up_run_decides_nothing_in_favour_of_a_checkpoint() -> None:
    pair, _ = supposed_pair(SOURCE, 0.95)
    assert (pair.rlvr.pass_at(1, "b") > pair.base.pass_at(1, "b")).verdict is Verdict.UNDECIDED
    assert SOURCE.guessing("b") is None
