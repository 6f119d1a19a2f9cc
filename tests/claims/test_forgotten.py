"""A law of forgetting over checkpoints: exact ones hold, noise and clusters do not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rlvr_gate.claims import numbers
from rlvr_gate.claims.forgetting.law import heaviest, unseen_r2
from rlvr_gate.claims.views import CheckpointView, PairView, ScoreOf, TokenScores
from rlvr_gate.judging.ledger import Ledger
from rlvr_gate.records import Curves, Measure, Table, Tally, Verdict

M, N = 60, 40
EVEN = np.linspace(0, 1, 9)


def test_a_parabola_is_known_without_its_points() -> None:
    x = np.arange(4.0)
    assert unseen_r2(np.arange(5.0), np.arange(5.0) ** 2) == pytest.approx(1)
    assert heaviest(np.arange(5.0), np.arange(5.0) ** 2) == 0
    assert unseen_r2(np.append(x, 9), np.ones(5)) < -10  # nothing to explain


def test_it_is_what_leaving_each_point_out_gives() -> None:
    rng = np.random.default_rng(2)
    x, f = rng.random(9), rng.random(9)
    seen = [np.polyval(np.polyfit(np.delete(x, i), np.delete(f, i), 2), x[i]) for i in range(9)]
    assert unseen_r2(x, f) == pytest.approx(
        1 - ((f - seen) ** 2).sum() / ((f - f.mean()) ** 2).sum()
    )
    for scaled in (unseen_r2(5 - 3 * x, f), unseen_r2(x, 7 - 2 * f)):
        assert scaled == pytest.approx(unseen_r2(x, f))


def test_noise_is_no_law_although_it_fits() -> None:
    rng = np.random.default_rng(4)
    draws = rng.random((400, 2, 9))
    seen = [np.corrcoef(f, np.polyval(np.polyfit(x, f, 2), x))[0, 1] ** 2 for x, f in draws]
    unseen = [unseen_r2(x, f) for x, f in draws]
    assert np.quantile(seen, 0.95) > 0.55
    assert np.mean(np.array(unseen) >= 0.7) < 0.01
    assert np.median(unseen) < 0


def test_a_point_far_out_makes_the_law() -> None:
    x = np.array([*np.linspace(0, 0.1, 8), 3.0])
    f = np.array([0, 0.02, 0, 0.02, 0, 0.02, 0, 0.02, 0.5])
    assert heaviest(x, f) > 1
    assert heaviest(EVEN, EVEN + np.array([0.1, -0.1] * 4 + [0.1])) < 1.5


class Source:
    """Checkpoints c0, c1, … at these divergences, which have lost so much of an old task."""

    def __init__(self, kl: np.ndarray, lost: np.ndarray, noise: float) -> None:
        self._kl, self._lost = kl, lost
        rng = np.random.default_rng(7)
        self._each = rng.normal(0, noise, (len(kl), M))

    def tallies(self, role: str, benchmark: str) -> tuple[Tally, ...]:
        if benchmark == "new" or role == "base":
            return tuple(Tally(f"p{i}", N, N) for i in range(M))
        at = int(role[1:])
        rates = np.clip(1 - self._lost[at] + self._each[at], 0, 1)
        return tuple(Tally(f"p{i}", N, round(N * rate)) for i, rate in enumerate(rates))

    def scores(self, asked: ScoreOf, benchmark: str) -> TokenScores:
        assert asked.measure is Measure.KL
        assert asked.of == "base"
        back = asked.to == "base"  # the reverse one knows nothing here
        kl = ((7 * int(asked.under[1:])) % 5 + 1.0) if back else self._kl[int(asked.to[1:])]
        return TokenScores(np.full((M, 2), kl), np.ones((M, 2)), "toy")

    def guessing(self, benchmark: str) -> None:
        return None


def judged(
    kl: Any, lost: Any, *, noise: float = 0.02, prior: tuple[str, ...] = ("old",),
    ledger: Ledger | None = None,
):  # fmt: skip
    source, ledger = Source(np.asarray(kl), np.asarray(lost), noise), ledger or Ledger()
    roles = ["base", *(f"c{i}" for i in range(len(kl)))]
    views = [CheckpointView(role, source, ledger) for role in roles]  # type: ignore[arg-type]
    pair = PairView(views[0], views[1])
    return numbers.divergence_predicts_forgetting(pair, views, ("new", *prior), 0.7)


def test_a_law_holds_and_is_shown() -> None:
    found = judged(EVEN, 0.1 + 0.4 * EVEN**2)
    assert found.verdict is Verdict.HOLDS
    assert found.estimate > 0.95
    table, plane = found.evidence.exhibits
    assert isinstance(table, Table)
    assert isinstance(plane, Curves)
    assert [row[-1] for row in table.rows] == [f"c{i}" for i in range(9)]
    assert plane.curves["c8"][0][0] == 1


def test_one_checkpoint_that_was_asked_otherwise_leaves_no_law() -> None:
    unlike = Ledger(comparability=lambda b, *of: ["prompts differ"] * (of == ("base", "c3")))
    found = judged(EVEN, 0.1 + 0.4 * EVEN**2, ledger=unlike)
    assert found.verdict is Verdict.NOT_COMPARABLE
    assert found.evidence.incomparable == ("c3 on old: prompts differ",)


def test_forgetting_that_has_nothing_to_do_with_divergence_is_refuted() -> None:
    assert judged(EVEN, [0.1, 0.4, 0.1, 0.4, 0.1, 0.4, 0.1, 0.4, 0.1]).verdict is Verdict.REFUTED


@pytest.mark.parametrize(
    ("kl", "lost", "said"),
    [
        (EVEN[:7], EVEN[:7] / 2, "7 checkpoints"),
        ([0.0, 0.001, 0.002, 0.003, 1, 1.001, 1.002, 1.003, 1.004], EVEN / 2, "on 2 levels"),
        (EVEN, [0.2] * 9, "hardly more than its measurement"),
        ([*np.linspace(0, 1.4, 8), 3.4], [0.1, 0.2] * 4 + [0.7], "one checkpoint makes the law"),
    ],
)
def test_what_is_no_law_is_undecided_and_says_why(kl: Any, lost: Any, said: str) -> None:
    found = judged(kl, lost)
    assert found.verdict is Verdict.UNDECIDED
    assert said in found.evidence.notes[0]


@pytest.mark.parametrize("few", [2, 7])
def test_few_checkpoints_are_drawn_all_the_same(few: int) -> None:
    found = judged(EVEN[:few], EVEN[:few] / 2, noise=0)
    assert found.verdict is Verdict.UNDECIDED
    table, plane = found.evidence.exhibits
    assert isinstance(table, Table)
    assert isinstance(plane, Curves)
    points = {role: point for role, (point,) in plane.curves.items()}
    for i in range(few):
        x, lost = points[f"c{i}"]
        assert x == pytest.approx(EVEN[i])
        assert lost == pytest.approx(round(N * EVEN[i] / 2) / N)


def test_one_checkpoint_is_no_picture() -> None:
    assert judged([0.3], [0.1]).evidence.exhibits == ()


def test_without_a_prior_task_it_is_undecided() -> None:
    assert judged(EVEN, EVEN, prior=()).verdict is Verdict.UNDECIDED
