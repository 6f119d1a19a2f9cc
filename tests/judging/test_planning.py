"""What a gate claim could detect, told before anything is drawn: beside the bound itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit, logit

from rlvr_gate.judging.planning import (
    KINDS,
    SPREAD,
    Design,
    chance,
    enough_k,
    enough_problems,
    enough_samples,
    smallest,
    told,
)
from rlvr_gate.stats.guaranteed import guaranteed_p_value
from rlvr_gate.stats.passk import pass_at_k

RISES, KEPT = Design(100, 64, 1, 0.0, 0.95), Design(500, 64, 32, -0.02, 0.95)


def held(design: Design, kind: str, shift: float, runs: int) -> tuple[float, float]:
    """Share of runs in which the claim holds by the real bound, and the true difference."""
    rng = np.random.default_rng(7)
    true = holds = 0.0
    for _ in range(runs):
        base = np.clip(rng.beta(*KINDS[kind], design.problems), 1e-12, 1 - 1e-12)
        noise = SPREAD * rng.standard_normal(design.problems)
        rlvr = base if shift == 0 else expit(logit(base) + noise + shift)
        counts = [rng.binomial(design.samples, p) for p in (base, rlvr)]
        one, other = (pass_at_k(design.samples, c, design.k) for c in counts)
        holds += guaranteed_p_value(other - one, design.threshold, low=-1.0) <= 0.025
        true += float(np.mean((1 - base) ** design.k - (1 - rlvr) ** design.k))
    return holds / runs, true / runs


@pytest.mark.parametrize(("design", "kind", "shift"), [(RISES, "hard", 0.5), (KEPT, "hard", 0.0)])
def test_the_chance_told_is_how_often_the_claim_holds(
    design: Design, kind: str, shift: float
) -> None:
    share, true = held(design, kind, shift, 60)
    assert 0.2 < share < 0.95  # where a wrong answer would show
    assert chance(design, kind, true) == pytest.approx(share, abs=0.15)


def test_the_smallest_effect_is_where_the_chance_is_four_in_five() -> None:
    effect = smallest(RISES, "hard")
    assert effect is not None
    assert chance(RISES, "hard", effect) == pytest.approx(0.8, abs=0.03)


def test_more_problems_see_less_and_enough_of_them_see_what_was_asked() -> None:
    found = [smallest(replace(RISES, problems=m), "mid") for m in (30, 100, 500)]
    assert found == sorted(found, reverse=True)
    needed = enough_problems(RISES, "mid", 0.02)
    assert needed is not None
    assert chance(replace(RISES, problems=needed), "mid", 0.02) >= 0.8
    assert chance(replace(RISES, problems=needed // 2), "mid", 0.02) < 0.8
    assert enough_problems(RISES, "mid", 0.0) is None  # on the threshold nothing decides
    assert enough_problems(RISES, "mid", 1e-4) is None


def test_samples_and_a_smaller_k_help_where_noise_is_in_the_way() -> None:
    samples, k = enough_samples(KEPT, "hard", 0.0), enough_k(KEPT, "hard", 0.0)
    assert samples is not None and samples > KEPT.samples  # noqa: PT018
    assert k is not None and k < KEPT.k  # noqa: PT018
    assert enough_samples(replace(KEPT, problems=30), "hard", 0.0) is None


def test_what_cannot_rise_further_detects_nothing() -> None:
    """In-between problems are solved at k = 32 nearly always: no rise of .1 is left."""
    assert smallest(replace(KEPT, problems=30), "mid") is None


def test_it_is_told_in_sentences_and_warns_where_a_claim_can_hardly_hold() -> None:
    few = told(replace(KEPT, problems=30))
    assert few[-1] == (
        "WARNING: it can hardly ever hold: where nothing changed, in fewer than half"
    )
    rises, given = told(RISES)
    assert rises.startswith("80% power needs a true difference in pass@1 of +0.0")
    assert "where it is +0.020 it holds in" in given
    assert "problems; no number of samples does" in given
    many = told(Design(5000, 64, 1, 0.0, 0.95))
    assert many[1].endswith("that is 80% or more")
    hopeless = told(Design(2, 64, 1, 0.0, 0.95))
    assert hopeless[0] == "no true difference in pass@1 makes it hold with 80%"


def test_where_nothing_but_another_margin_helps_it_says_so() -> None:
    nothing = told(Design(30, 2, 2, -1e-6, 0.95))
    assert "take another margin: nothing else does" in nothing[1]


def test_where_one_kind_alone_can_rise_so_far_it_is_named_alone() -> None:
    """In 20 problems only hard ones have room for the rise that is needed at k = 8."""
    needs, *_ = told(Design(20, 16, 8, -0.02, 0.95))
    assert needs.endswith("(hard problems)")
