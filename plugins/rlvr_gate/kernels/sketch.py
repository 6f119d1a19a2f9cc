"""Long gradients folded into short ones that keep inner products: a CountSketch.

Every coordinate gets a random sign and a place among `size`; what shares a place is added up. Here
the coordinates come in tensors, each cut into blocks of `size`: a block keeps its order and is
turned round by a random shift, so that two coordinates of different blocks share a place with
chance ``1 / size`` and two of one block never. Then, with signs that are independent
(Charikar, Chen and Farach-Colton 2002; Weinberger and others 2009, appendix A):

    E <Sx, Sy> = <x, y>
    Var <Sx, Sy> <= (|x|^2 |y|^2 + <|x|, |y|>^2) / size <= 2 |x|^2 |y|^2 / size
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rlvr_gate.kernels.spectrum import Floats, KernelError, checked

Signs = NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Sketch:
    """One sketch, the same for every gradient that is folded by it.

    Raises:
        KernelError: size < 2.
    """

    size: int
    seed: int = 0

    def __post_init__(self) -> None:
        if self.size < 2:
            raise KernelError(f"a sketch has a size of 2 at least, got {self.size}")

    def plan(self, tensor: int, length: int) -> tuple[Signs, NDArray[np.int64]]:
        """The signs of a tensor's coordinates, (length,), and the shift of each of its blocks.

        Args:
            tensor: which one, so that each has its own.
            length: how many numbers it holds.
        """
        random = np.random.Generator(np.random.Philox(key=[self.seed, tensor]))
        shifts = random.integers(0, self.size, -(-length // self.size))
        bits = np.frombuffer(random.bytes(-(-length // 8)), np.uint8)
        signs = np.unpackbits(bits, count=length).view(np.int8)
        return 2 * signs - 1, shifts

    def fold(self, tensor: int, values: NDArray[np.floating]) -> Floats:
        """What a tensor adds to the sketch, (size,).

        Args:
            values: flat, (length,).
        """
        signs, shifts = self.plan(tensor, values.size)
        signed, folded = values * signs, np.zeros(self.size)
        for block, shift in enumerate(shifts):
            part = signed[block * self.size : (block + 1) * self.size]
            room = min(part.size, self.size - int(shift))
            folded[int(shift) : int(shift) + room] += part[:room]
            folded[: part.size - room] += part[room:]
        return folded


def sketch_error(kernel: NDArray[np.floating], size: int) -> float:
    """Bound on the root mean square of ``|K_sketched - K| / |K|``, Frobenius: ``sqrt(2 / size)``
    times trace over norm.

    It is of a single kernel. Two kernels under one sketch share most of its error.
    """
    square = checked(kernel)
    return math.sqrt(2 / size) * float(square.trace() / np.linalg.norm(square))
