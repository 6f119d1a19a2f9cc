"""Where kernels are taken among the weights: at a checkpoint, on the way to it, at a null.

A point lies at ``theta0 + scale (theta - theta0)``; or, with a seed of noise, at theta0 plus
normal noise that has the norm of ``scale (theta - theta0)`` in every tensor. It may be rounded to
bfloat16, as a checkpoint is that was saved so.
"""

from __future__ import annotations

from dataclasses import dataclass

LINE = tuple(0.5**power for power in range(1, 7))
"""Scales along the way to a checkpoint, beside 1: down to a 64th of the update."""
SEEDS = (0, 1, 2)
"""Of random updates."""
FEWEST = 6
"""Probes that a kernel is taken over at least, of half as many problems."""


@dataclass(frozen=True, slots=True)
class Traits:
    """Ways of behaving, each the mean log-probability of some completions.

    Those of base that are right are a trait for each stratum of each benchmark; those that hold a
    text are one for each text, those that another grading takes one for each grading. Passages
    that a user gives by a name are one more.
    """

    written: tuple[str, ...] = ()
    """Such texts: a preferred operator, a word."""
    over: tuple[str, ...] = ()
    """Further benchmarks, whose traits are among them."""
    grading: tuple[str, ...] = ()
    """Such gradings, as `asks` has them."""


@dataclass(frozen=True, slots=True)
class WeightPoint:
    """Where gradients are taken."""

    role: str
    """The checkpoint that it lies towards, or whose update's size it has."""
    scale: float = 1.0
    """0 is the base itself."""
    noise: int | None = None
    """Seed of the random update; None for the checkpoint's own."""
    rounded: bool = False

    @property
    def name(self) -> str:
        """In words."""
        if not self.scale:
            return "base"
        size = "" if self.scale == 1 else f"{self.scale:g} of "
        if self.noise is None:
            return f"{size}{self.role}" + (", in bfloat16" if self.rounded else "")
        rounded = " in bfloat16" if self.rounded else ""
        return f"noise {self.noise} of the size of {size}{self.role}{rounded}"
