"""Intervals over problems and codes: exact where theory is, held by simulation elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import sem, t

from rlvr_gate.kernels.change import distance, turn
from rlvr_gate.kernels.jackknife import Jackknifed, jackknife
from rlvr_gate.kernels.spectrum import KernelError


def trace(kernels: list[np.ndarray], kept: np.ndarray) -> float:
    assert len(kept) == len(kernels[0])
    return float(np.trace(kernels[0])) / len(kernels[0])


def ratio(kernels: list[np.ndarray], kept: np.ndarray) -> float:
    return trace(kernels[:1], kept) / trace(kernels[1:], kept)


def test_of_a_mean_it_is_the_standard_error() -> None:
    """A trace is a mean over probes and a mean over codes."""
    diagonals = np.random.default_rng(4).normal(size=(4, 12)) ** 2
    kernels = np.stack([np.diag(each) for each in diagonals])
    found = jackknife([kernels], range(12), trace)
    assert found.value == pytest.approx(diagonals.mean())
    assert found.over_probes == pytest.approx(sem(diagonals.mean(0)))
    assert found.over_codes == pytest.approx(sem(diagonals.mean(1)))
    assert found.error == pytest.approx(np.hypot(found.over_probes, found.over_codes))
    assert 3 <= found.freedom <= 14


def test_probes_of_one_problem_leave_together() -> None:
    diagonal = np.repeat([1.0, 2.0, 6.0], 2)
    kernels = np.stack([np.diag(diagonal)] * 2)
    found = jackknife([kernels], [0, 0, 1, 1, 2, 2], trace)
    assert found.over_probes == pytest.approx(sem([1.0, 2.0, 6.0]))
    assert found.over_codes == 0
    assert found.freedom == pytest.approx(2)


def test_interval_and_p_say_the_same() -> None:
    found = Jackknifed(1.0, 0.3, 0.4, 7.0)
    low, high = found.interval(0.95)
    assert high - low == pytest.approx(2 * 0.5 * t.ppf(0.975, 7))
    assert found.p_value(low) == pytest.approx(0.05)
    assert found.p_value(high) == pytest.approx(0.05)
    assert found.p_value(1.0) == 1


def test_what_never_varies_is_certain() -> None:
    kernels = np.stack([np.eye(6)] * 3)
    found = jackknife([kernels], [0, 0, 1, 1, 2, 2], lambda of, kept: 0.25)
    assert found.interval(0.95) == (0.25, 0.25)
    assert (found.p_value(0.25), found.p_value(0.0)) == (1, 0)
    assert found.freedom == 1


@pytest.mark.parametrize(("codes", "clusters"), [(2, [0, 0, 1, 1]), (2, [0, 1, 2])])
def test_too_little_has_no_interval(codes: int, clusters: list[int]) -> None:
    with pytest.raises(KernelError, match=r"a code and three problems|each probe its problem"):
        jackknife([np.stack([np.eye(4)] * codes)], clusters, trace)


def test_one_code_has_no_variance_of_codes() -> None:
    diagonal = np.array([1.0, 2.0, 6.0])
    found = jackknife([np.diag(diagonal)[None]], [0, 1, 2], trace)
    assert (found.over_codes, found.freedom) == (0, 2)
    assert found.over_probes == pytest.approx(sem(diagonal))


def test_codes_are_the_same_on_both_sides() -> None:
    with pytest.raises(KernelError, match="the same codes"):
        jackknife([np.ones((2, 4, 4)), np.ones((3, 4, 4))], [0, 1, 2, 3], trace)


def test_the_interval_covers_a_ratio() -> None:
    """95 % intervals of a ratio of traces, two-way: 300 draws of problems and codes."""
    random, hits = np.random.default_rng(5), 0
    for _ in range(300):
        problem = random.gamma(9, size=20)
        code = 1 + 0.1 * random.normal(size=(4, 1))
        up = problem * code + random.normal(size=(4, 20))
        down = problem + random.gamma(9, size=20) + random.normal(size=(4, 20))
        kernels = [np.stack([np.diag(row) for row in rows]) for rows in (up, down)]
        found = jackknife(
            kernels, range(20), lambda of, kept: float(np.trace(of[0]) / np.trace(of[1]))
        )
        low, high = found.interval(0.95)
        hits += low <= 0.5 <= high
    assert 0.92 <= hits / 300 <= 0.99


def drawn(random: np.random.Generator, problems: int) -> list[np.ndarray]:
    """Kernels of a base and of two updates, one twice as large, over problems of a population."""
    fixed = np.random.default_rng(6)
    styles, one, other = fixed.normal(size=(6, 60)), *(fixed.normal(size=(2, 60, 60)) / 8)
    mixed = random.gamma(1.0, size=(problems, 6)).repeat(2, axis=0)
    plain = mixed @ styles + 0.8 * random.normal(size=(2 * problems, 60))
    base = np.stack([plain + 0.04 * plain @ fixed.normal(size=(60, 60)) for _ in range(4)])
    rows = (base, base + 0.05 * base @ one, base + 0.1 * base @ other)
    return [each @ each.transpose(0, 2, 1) for each in rows]


@pytest.mark.parametrize("number", [distance, turn])
def test_the_interval_covers_what_is_compared_of_kernels(number) -> None:
    """Logarithms of ratios over 150 draws of ten problems, against their mean over the draws."""
    random, clusters = np.random.default_rng(7), np.arange(10).repeat(2)

    def ratio_of(kernels: list[np.ndarray], kept: np.ndarray) -> float:
        base, one, other = kernels
        return float(np.log(number(base, one) / number(base, other)))

    found = [jackknife(drawn(random, 10), clusters, ratio_of) for _ in range(150)]
    values = np.array([each.value for each in found])
    ends = [each.interval(0.95) for each in found]
    assert np.mean([low <= values.mean() <= high for low, high in ends]) >= 0.93
    assert 0.85 < np.mean([each.over_probes for each in found]) / values.std() < 1.5
