"""Likeness of representations to the base's: identities, its interval, and what it tells apart."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from rlvr_gate.claims.texts.likeness import LikenessView
from rlvr_gate.claims.views import CheckpointView
from rlvr_gate.judging.ledger import Ledger
from rlvr_gate.kernels.alike import cknna, linear
from rlvr_gate.kernels.measured import TextKernels
from rlvr_gate.records import Verdict

RANDOM = np.random.default_rng(4)


class Read:
    """Representations that a test makes up: features of each layer by role."""

    def __init__(self, features: Mapping[str, list[np.ndarray]]) -> None:
        self._features = features

    def represented(self, role: str) -> TextKernels:
        each = [linear(layer, cosine=True) for layer in self._features[role]]
        return TextKernels(np.stack(each).astype(np.float32))


def views(**features: list[np.ndarray]) -> dict[str, LikenessView]:
    ledger = Ledger()
    return {role: LikenessView(role, "base", Read(features), ledger) for role in features}


def noisy(features: np.ndarray, size: float) -> np.ndarray:
    return features + size * RANDOM.normal(size=features.shape)


X = RANDOM.normal(size=(120, 16))
TURN = np.linalg.qr(RANDOM.normal(size=(16, 16)))[0]


def test_what_is_turned_and_scaled_is_alike_and_what_is_drawn_anew_is_not() -> None:
    other = RANDOM.normal(size=X.shape)
    seen = views(base=[X, X], rlvr=[X, 3 * X @ TURN + 1], sft=[X, other])
    assert (seen["rlvr"].cknna() >= 0.9).verdict is Verdict.HOLDS
    assert seen["rlvr"].cka().value == pytest.approx(1, abs=1e-5)
    anew = seen["sft"].cknna()
    assert (anew >= 0.9).verdict is Verdict.REFUTED
    assert anew.value == pytest.approx(0, abs=0.2)
    assert (seen["sft"].cka().value or 0) == pytest.approx(0, abs=0.05)
    assert seen["sft"].cknna(layer=0).value == pytest.approx(1, abs=1e-5)
    assert "layer 1" in anew.label


def test_the_liker_one_is_told_from_the_other_and_swapped_the_sign_turns() -> None:
    seen = views(base=[X], rlvr=[noisy(X, 0.2)], sft=[noisy(X, 1.0)])
    more = seen["rlvr"].cknna_above(seen["sft"])
    less = seen["sft"].cknna_above(seen["rlvr"])
    assert (more > 0).verdict is Verdict.HOLDS
    assert (less > 0).verdict is Verdict.REFUTED
    assert more.value == pytest.approx(-(less.value or 0))
    judged = more > 0
    assert judged.benchmark is None
    (curves,) = judged.evidence.exhibits
    assert list(curves.curves)[:2] == ["rlvr, CKNNA", "rlvr, CKA"]
    assert len(curves.curves["sft, same nearest"]) == 1


def test_the_order_of_texts_changes_no_number_and_a_rival_as_like_decides_nothing() -> None:
    order = RANDOM.permutation(120)
    near, far = noisy(X, 0.4), noisy(X, 0.4)
    here = views(base=[X], rlvr=[near], sft=[far])
    mixed = views(base=[X[order]], rlvr=[near[order]], sft=[far[order]])
    assert here["rlvr"].cknna().value == pytest.approx(mixed["rlvr"].cknna().value or 0)
    assert (here["rlvr"].cknna_above(here["sft"]) > 0).verdict is Verdict.UNDECIDED


def test_intervals_over_texts_hold_the_true_likeness() -> None:
    """Of a noisy copy, against a mean over many texts' worth of draws of 80 texts each."""
    draws = [cknna(*(linear(x, cosine=True) for x in drawn())) for _ in range(100)]
    held = 0
    for _ in range(40):
        one, other = drawn()
        found = views(base=[one], rlvr=[other])["rlvr"].cknna().interval
        held += found.low <= np.mean(draws) <= found.high
    assert held >= 34


def drawn() -> tuple[np.ndarray, np.ndarray]:
    x = RANDOM.normal(size=(80, 6))
    return x, noisy(x, 0.3)


def test_a_checkpoint_view_hands_out_its_likeness() -> None:
    source, ledger = Read({"base": [X], "rlvr": [X]}), Ledger()
    base, rlvr = (CheckpointView(role, source, ledger) for role in ("base", "rlvr"))  # type: ignore[arg-type]
    assert rlvr.likeness_to(base).cknna().value == pytest.approx(1, abs=1e-5)
