"""CKA and CKNNA: identities, unbiasedness by enumeration, what noise and masks do to them."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from rlvr_gate.kernels.alike import cka, cknna, hsic, linear, neighbours, shared_neighbours
from rlvr_gate.kernels.jackknife import jackknife
from rlvr_gate.kernels.spectrum import KernelError

RANDOM = np.random.default_rng(5)
X = RANDOM.normal(size=(60, 12))
K = linear(X)


def test_a_kernel_is_like_itself_scaled_turned_and_shifted() -> None:
    turn = np.linalg.qr(RANDOM.normal(size=(12, 12)))[0]
    other = linear(3 * X @ turn + 7)
    for alike in (cka, cknna, shared_neighbours):
        assert alike(K, other) == pytest.approx(1)


def test_the_order_of_texts_and_of_kernels_does_not_matter() -> None:
    other = linear(X + RANDOM.normal(size=X.shape))
    order = RANDOM.permutation(60)
    for alike in (cka, cknna, shared_neighbours):
        value = alike(K, other)
        assert 0 < value < 1
        assert alike(other, K) == pytest.approx(value)
        mixed = np.ix_(order, order)
        assert alike(K[mixed], other[mixed]) == pytest.approx(value)


def test_hsic_is_unbiased() -> None:
    """Over all ways to pair six texts with six the mean is 0: none of them is like another."""
    k, other = (linear(RANDOM.normal(size=(6, 3))) for _ in range(2))
    each = [hsic(k, other[np.ix_(p, p)]) for p in permutations(range(6))]
    assert np.mean(each) == pytest.approx(0, abs=1e-12)
    assert np.std(each) > 0.01


def test_noise_is_like_nothing_where_biased_alignment_says_so() -> None:
    """394 texts, 96 features: biased .2 (of centred kernels), unbiased about 0."""
    one, other = (linear(np.random.default_rng(s).normal(size=(394, 96))) for s in (1, 2))
    biased = (one * other).sum() / np.sqrt((one**2).sum() * (other**2).sum())
    assert biased > 0.15
    assert abs(cka(one, other)) < 0.02


def test_half_of_the_neighbours_agree_and_one_mask_would_not_say_so() -> None:
    """Two groups of texts: in one the neighbourhoods are as they were, in the other drawn anew."""
    other = X.copy()
    other[30:] = RANDOM.normal(size=(30, 12))
    far = np.where(np.arange(60)[:, None] < 30, 40.0, -40.0)
    one, two = linear(np.hstack([X, far])), linear(np.hstack([other, far]))
    shared = shared_neighbours(one, two)
    assert 0.5 < shared < 0.8
    both = neighbours(one, 10) & neighbours(two, 10)
    masked = both * one, both * two
    printed = hsic(*masked) / np.sqrt(hsic(masked[0], masked[0]) * hsic(masked[1], masked[1]))
    assert printed > 0.95
    assert cknna(one, two) < printed - 0.1


def test_neighbours_by_hand() -> None:
    kernel = np.array([[9, 1, 2, 2], [1, 9, 0, 3], [2, 0, 9, 1], [2, 3, 1, 9]], dtype=float)
    assert neighbours(kernel, 1).argmax(1).tolist() == [2, 3, 0, 1]  # of 2 and 2 the first
    assert neighbours(kernel, 2).sum(1).tolist() == [2] * 4
    assert not neighbours(kernel, 3).diagonal().any()


def test_cosines_do_not_see_lengths() -> None:
    longer = (X - X.mean(0)) * RANDOM.uniform(0.5, 4, size=(60, 1))
    assert linear(X, cosine=True).diagonal() == pytest.approx(np.ones(60))
    assert linear(np.vstack([longer, -longer]), cosine=True)[:60, :60] == pytest.approx(
        linear(np.vstack([X - X.mean(0), X.mean(0) - X]), cosine=True)[:60, :60]
    )


def test_its_interval_over_texts_covers() -> None:
    """Jackknife of CKA between features and a noisy copy of them, against the true value."""
    noise, covered = 0.7, 0
    rng = np.random.default_rng(11)
    true = cka(*(linear(x) for x in _copies(rng, 3000, noise)))
    for _ in range(60):
        kernels = [linear(x)[None] for x in _copies(rng, 80, noise)]
        found = jackknife(kernels, range(80), lambda ks, _: cka(*ks))
        low, high = found.interval(0.95)
        covered += low <= true <= high
    assert covered >= 50


def _copies(rng: np.random.Generator, count: int, noise: float):
    x = rng.normal(size=(count, 5))
    return x, x + noise * rng.normal(size=x.shape)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: cka(K[:3, :3], K[:3, :3]), "same 4 texts or more"),
        (lambda: cka(K, K[:59, :59]), "same 4 texts"),
        (lambda: cka(np.zeros((5, 5)), K[:5, :5]), "no spread"),
        (lambda: cknna(K[:10, :10], K[:10, :10]), "more than 10 texts, got 10"),
        (lambda: linear(np.full((4, 2), np.nan)), "finite matrix"),
        (lambda: linear(np.zeros(4)), "finite matrix"),
    ],
)
def test_what_cannot_be_compared_is_refused(call, said: str) -> None:
    with pytest.raises(KernelError, match=said):
        call()
