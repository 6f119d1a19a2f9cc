"""Intervals of what is computed from kernels: over probes, which come in problems, and codes.

Leave out one problem (all of its probes), or one code, and see how the number moves. The two
variances add up; degrees of freedom are Welch and Satterthwaite's. Resampling with repetition
would put equal rows into a kernel, whose spectrum is then another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from rlvr_gate.kernels.spectrum import Floats, KernelError

Kept = NDArray[np.intp]
Number = Callable[[Sequence[Floats], Kept], float]
"""Of several kernels on the same probes, means over the same codes, and which probes those are."""


@dataclass(frozen=True, slots=True)
class Jackknifed:
    """A number with its uncertainty."""

    value: float
    over_probes: float
    """Standard error: other problems."""
    over_codes: float
    """Standard error: other codes."""
    freedom: float
    """Degrees of freedom."""

    @property
    def error(self) -> float:
        """Standard error of both."""
        return float(np.hypot(self.over_probes, self.over_codes))

    def interval(self, level: float) -> tuple[float, float]:
        """Two-sided, by Student's t."""
        half = float(student.ppf((1 + level) / 2, self.freedom)) * self.error if self.error else 0
        return self.value - half, self.value + half

    def p_value(self, threshold: float) -> float:
        """Two-sided p of a threshold."""
        if not self.error:
            return float(self.value == threshold)
        return float(2 * student.sf(abs(self.value - threshold) / self.error, self.freedom))


def jackknife(kernels: Sequence[Floats], clusters: Sequence[int], number: Number) -> Jackknifed:
    """The number, and how it varies over problems and codes.

    Args:
        kernels: of each checkpoint (codes, probes, probes).
        clusters: which problem each probe is of, (probes,).

    Raises:
        KernelError: no code or fewer than three problems, or shapes that differ.
    """
    problems, codes = np.unique(clusters), {len(kernel) for kernel in kernels}
    if {kernel.shape[1:] for kernel in kernels} != {(len(clusters),) * 2} or len(codes) != 1:
        raise KernelError("kernels need the same codes and probes, each probe its problem")
    (count,) = codes
    if count < 1 or len(problems) < 3:
        raise KernelError(
            f"an interval needs a code and three problems, got {count} and {len(problems)}"
        )
    means, whole = [kernel.mean(0) for kernel in kernels], np.arange(len(clusters))
    without = [np.flatnonzero(np.asarray(clusters) != problem) for problem in problems]
    by_problem = [number([k[np.ix_(rest, rest)] for k in means], rest) for rest in without]
    coded = range(count if count > 1 else 0)  # one code, or none: it is no sample of any
    by_code = [number([_rest(k, code) for k in kernels], whole) for code in coded]
    over_probes, over_codes = _variance(by_problem), _variance(by_code or [0.0])
    return Jackknifed(
        number(means, whole), over_probes**0.5, over_codes**0.5,
        _freedom((over_probes, len(problems)), (over_codes, count)),
    )  # fmt: skip


def _rest(kernel: Floats, code: int) -> Floats:
    """The mean over all codes but one."""
    return np.asarray((kernel.sum(0) - kernel[code]) / (len(kernel) - 1))


def _variance(left_out: Sequence[float]) -> float:
    """Of the whole's number: ``(n - 1) / n`` times the squares' sum (Tukey)."""
    n = len(left_out)
    return float((n - 1) * np.var(left_out))


def _freedom(*parts: tuple[float, int]) -> float:
    """Welch and Satterthwaite's, of variances each with its n; 1 where there is no variance."""
    below = sum(variance**2 / (n - 1) for variance, n in parts if n > 1)
    return float(sum(variance for variance, _ in parts) ** 2 / below) if below else 1.0
