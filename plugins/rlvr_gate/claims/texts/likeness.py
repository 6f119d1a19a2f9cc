"""Does a checkpoint represent unrelated texts as its base does?

A text is represented by the mean of a layer's hidden states over its tokens; two checkpoints agree
on it where they find the same other texts like it. CKNNA looks at the nearest alone, CKA at all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import numpy as np

from rlvr_gate.judging.ledger import Ledger
from rlvr_gate.judging.quantities import Estimate
from rlvr_gate.records import Curves, Evidence, Interval, Unit

if TYPE_CHECKING:
    from rlvr_gate.kernels.jackknife import Number
    from rlvr_gate.kernels.measured import TextKernels
    from rlvr_gate.kernels.spectrum import Floats

GROUPS = 40
"""Parts of the texts, each left out once: what an interval is over."""


class TextSource(Protocol):
    """Where representations come from."""

    def represented(self, role: str) -> TextKernels:
        """What the claim asked to have read; LookupError where it did not ask in time."""


@dataclass(frozen=True)
class LikenessView:
    """One checkpoint's representations of texts beside its base's, asked by a claim."""

    role: str
    base: str
    source: TextSource
    ledger: Ledger

    def cknna(self, layer: int = -1) -> Estimate:
        """Alignment over texts that are neighbours in both (arXiv:2405.07987), 1 where alike.

        Args:
            layer: 0 is the embedding, -1 the last.
        """
        from rlvr_gate.kernels.alike import cknna

        return self._judged("CKNNA", cknna, layer)

    def cka(self, layer: int = -1) -> Estimate:
        """Centred kernel alignment, unbiased (arXiv:1905.00414)."""
        from rlvr_gate.kernels.alike import cka

        return self._judged("CKA", cka, layer)

    def cknna_above(self, other: LikenessView, layer: int = -1) -> Estimate:
        """How much liker the base this checkpoint is than another, over the same texts."""
        from rlvr_gate.kernels.alike import cknna

        kernels = [self._base.kernels, self._own.kernels, other._own.kernels]
        label = f"CKNNA to {self.base} of {self.role} less that of {other.role}"
        return self._jackknifed(
            f"{label}, layer {self._named(layer)}", [each[layer] for each in kernels],
            lambda k, _: cknna(k[0], k[1]) - cknna(k[0], k[2]), -2.0, 2.0, (self, other),
        )  # fmt: skip

    def _judged(self, name: str, alike: Callable[[Floats, Floats], float], layer: int) -> Estimate:
        return self._jackknifed(
            f"{name} of {self.role} to {self.base}, layer {self._named(layer)}",
            [self._base.kernels[layer], self._own.kernels[layer]],
            lambda k, _: alike(k[0], k[1]), -1.0, 1.0, (self,),
        )  # fmt: skip

    def _jackknifed(
        self, label: str, kernels: Sequence[Floats], number: Number, least: float, most: float,
        of: Sequence[LikenessView],
    ) -> Estimate:  # fmt: skip
        from rlvr_gate.kernels.jackknife import jackknife

        texts, level = len(kernels[0]), self.ledger.level
        each = [kernel[None].astype(np.float64) for kernel in kernels]
        found = jackknife(each, np.arange(texts) % GROUPS, number)  # type: ignore[arg-type]  # a sequence of numbers
        low, high = (min(max(end, least), most) for end in found.interval(level))
        curves = {
            f"{view.role}, {name}": points for view in of for name, points in view._curves.items()
        }
        shown = Curves(f"Likeness to {self.base} of {texts} texts", curves, x="layer")
        return Estimate(
            label, found.value, Interval(low, high, level), self.ledger, None,
            Evidence(numbers={"texts": texts}, exhibits=(shown,)), texts, found.p_value,
            (least, most), Unit.NUMBER,
        )  # fmt: skip

    @cached_property
    def _curves(self) -> dict[str, list[tuple[float, float]]]:
        """By layer, the embedding first."""
        from rlvr_gate.kernels.alike import cka, cknna, shared_neighbours

        numbers = {"CKNNA": cknna, "CKA": cka, "same nearest": shared_neighbours}
        both = [
            (_precise(one), _precise(other))
            for one, other in zip(self._base.kernels, self._own.kernels, strict=True)
        ]
        return {
            name: [(float(layer), alike(*pair)) for layer, pair in enumerate(both)]
            for name, alike in numbers.items()
        }

    def _named(self, layer: int) -> int:
        return layer % len(self._own.kernels)

    @cached_property
    def _own(self) -> TextKernels:
        return self.source.represented(self.role)

    @cached_property
    def _base(self) -> TextKernels:
        return self.source.represented(self.base)


def _precise(kernel: Floats) -> Floats:
    return kernel.astype(np.float64)
