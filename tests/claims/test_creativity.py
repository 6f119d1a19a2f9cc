"""The creativity index as claims read it: by hand, both ways, and open where texts are unknown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from rlvr_gate.claims import numbers
from rlvr_gate.claims.texts.corpus import Corpus
from rlvr_gate.claims.texts.spans import Spans
from rlvr_gate.claims.views import CheckpointView, PairView
from rlvr_gate.claims.ways.methods import Classifier, Used
from rlvr_gate.judging.ledger import Ledger
from rlvr_gate.records import Rounds, Tally, Verdict

Texts = Mapping[str, Sequence[Sequence[str]]]
"""By benchmark, of each problem the completions."""
OURS, THEIRS = "a b c d e f g h i j k l", "z y x w v u t s r q p o"


class Source:
    """Completions by role; those that end in `l` are right."""

    def __init__(self, base: Texts, rlvr: Texts, rounds: Rounds | None = None) -> None:
        self._of, self._rounds, self.known = {"base": base, "rlvr": rlvr}, rounds, True

    def methods(self, role: str, benchmark: str, classify: Classifier) -> object:
        def used(texts: Sequence[str]) -> Mapping[str, Used]:
            names = [classify(text) for text in texts]
            return {name: Used(names.count(name), 0) for name in names}

        return [used(texts) for texts in self._of[role][benchmark]] if self.known else None

    def tallies(self, role: str, benchmark: str) -> tuple[Tally, ...]:
        return tuple(
            Tally(f"p{i}", len(of), sum(t.endswith("l") for t in of), rounds=self._rounds)
            for i, of in enumerate(self._of[role][benchmark])
        )

    def guessing(self, benchmark: str) -> None:
        return None


def corpus(*documents: str) -> Corpus:
    return Corpus("c.txt", "0" * 64, Spans.of(documents, 10_000))


def pair_over(source: Source) -> PairView:
    ledger = Ledger()
    base, rlvr = (CheckpointView(role, source, ledger) for role in ("base", "rlvr"))  # type: ignore[arg-type]
    return PairView(base, rlvr)


def test_the_mean_over_completions_by_hand() -> None:
    """One copied whole (0), one of which nothing is held (8), and three of four of the first."""
    source = Source({"b": [[OURS, THEIRS], [OURS, OURS, OURS, THEIRS]]}, {"b": [[OURS], [OURS]]})
    found = numbers.creativity(pair_over(source).base, "b", corpus(OURS))
    assert found.low.tolist() == [4, 2]
    assert found.bounds == (0, 8)
    (shown,) = found.evidence.exhibits
    assert shown.facts == {"file": "c.txt", "words": 12, "sha256": "0" * 64}  # type: ignore[union-attr]


def test_what_moves_into_the_corpus_falls_and_the_swap_refutes() -> None:
    rng = np.random.default_rng(0)

    def drawn(copied: float) -> Texts:
        return {"b": [[OURS if rng.random() < copied else THEIRS for _ in range(8)]
                      for _ in range(60)]}  # fmt: skip

    few, many = drawn(0.2), drawn(0.7)
    for base, rlvr, verdict in ((few, many, Verdict.HOLDS), (many, few, Verdict.REFUTED)):
        pair = pair_over(Source(base, rlvr))
        before, after = (numbers.creativity(v, "b", corpus(OURS)) for v in (pair.base, pair.rlvr))
        judged = after < before
        assert judged.verdict is verdict
        assert judged.estimate == pytest.approx(4 if verdict is Verdict.REFUTED else -4, abs=0.8)


def test_unknown_texts_and_stopped_samples_say_nothing() -> None:
    of = {"b": [[OURS]] * 40}
    unknown, stopped = Source(of, of), Source(of, of, Rounds((1, 2), 1))
    unknown.known = False
    for source, why in ((unknown, "not recorded"), (stopped, "needs fixed samples")):
        pair = pair_over(source)
        base, rlvr = (numbers.creativity(v, "b", corpus(OURS)) for v in (pair.base, pair.rlvr))
        assert why in base.label
        assert (base.low.tolist(), base.high.tolist()) == ([0] * 40, [8] * 40)
        assert (rlvr < base).verdict is Verdict.UNDECIDED


def law(gains: bool) -> PairView:
    """Twelve tasks: the less base copies, the more is right afterwards, or the less."""
    rng, base, rlvr = np.random.default_rng(1), {}, {}
    for task in range(12):
        copied = 0.1 + 0.07 * task
        base[f"t{task}"] = [
            [OURS[:-2] if rng.random() < copied else THEIRS for _ in range(8)] for _ in range(60)
        ]
        chance = 0.8 * (1 - copied) if gains else 0.8 * copied
        rlvr[f"t{task}"] = [
            [OURS if rng.random() < chance else THEIRS for _ in range(8)] for _ in range(60)
        ]
    return pair_over(Source(base, rlvr))


def test_gains_against_what_base_copies() -> None:
    names = [f"t{task}" for task in range(12)]
    held = corpus(OURS)
    pays = numbers.creativity_against_gain(law(gains=True), 1, names, held)
    assert pays.verdict is Verdict.HOLDS
    assert pays.estimate > 0
    assert "creativity index" in pays.statement
    reverse = numbers.creativity_against_gain(law(gains=False), 1, names, held)
    assert reverse.verdict is Verdict.REFUTED
    few = numbers.creativity_against_gain(law(gains=True), 1, names[:9], held)
    assert few.verdict is Verdict.UNDECIDED
    assert "9 tasks, and a law over tasks needs 10" in few.evidence.notes
