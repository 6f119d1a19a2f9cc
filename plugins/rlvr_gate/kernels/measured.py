"""What was measured at a point among the weights, and over which probes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rlvr_gate.kernels.jackknife import Kept
from rlvr_gate.kernels.points import FEWEST
from rlvr_gate.kernels.spectrum import Floats


@dataclass(frozen=True, slots=True)
class KernelAt:
    """What was measured at a point."""

    kernels: NDArray[np.float32]
    """(codes, probes, probes)."""
    products: NDArray[np.float32]
    """``<df_i/dtheta, theta - theta0>`` of the whole update, (codes, probes); at scale 0 alone,
    else (codes, 0)."""
    kl: NDArray[np.float32]
    """KL(base || point) in nats a token, (probes,); NaN where it was not computed."""
    logprob: NDArray[np.float32]
    """Mean log-probability of a token of the completion, (probes,)."""
    size: float
    """``|theta - theta0|`` of the point."""

    def mean(self) -> Floats:
        """The kernel over all codes, (probes, probes)."""
        return np.asarray(self.kernels.mean(0, dtype=np.float64))


@dataclass(frozen=True, slots=True)
class TextKernels:
    """How alike a checkpoint finds texts, layer by layer."""

    kernels: NDArray[np.float32]
    """(layers + 1, texts, texts), the first of the embedding: cosines of the mean hidden states of
    each text's tokens, centred over the texts."""


@dataclass(frozen=True, slots=True)
class Probes:
    """What the kernel is over: completions, each of a problem and of a checkpoint."""

    clusters: Sequence[int]
    """The problem of each, (probes,)."""
    of: Sequence[str]
    """Who wrote each, (probes,)."""
    traits: Sequence[str] = ()
    """The trait that each tells of, (probes,); none where each is a function of its own."""
    given: str = ""
    """The file that they are of, where a user gave them: then clusters are its prompts."""
    pooled: bool = False
    """Whether they are of several benchmarks: then clusters are of no single one."""

    @property
    def enough(self) -> bool:
        """Whether a kernel over them says anything, and whether there are three traits."""
        several = not self.traits or len(set(self.traits)) >= FEWEST // 2
        return several and len(self.of) >= FEWEST and len(set(self.clusters)) >= FEWEST // 2

    @property
    def own(self) -> bool:
        """Whether clusters are places among the benchmark's problems."""
        return not (self.given or self.pooled)

    def along(self, kept: Kept) -> list[int]:
        """Those of them that a divergence from base is taken along: its own, if any is."""
        return [i for i in kept if self.of[i] == "base"] or [int(i) for i in kept]

    def reduced(self, kernel: Floats, kept: Kept) -> Floats:
        """The kernel of the traits, whose gradients are means over their probes; or as it is.

        Args:
            kernel: of the probes kept, (kept, kept).
            kept: their places among all.
        """
        if not self.traits:
            return kernel
        names = np.array(self.traits)[kept]
        share = np.stack([(names == name) / (names == name).sum() for name in np.unique(names)])
        return np.asarray(share @ kernel @ share.T)
