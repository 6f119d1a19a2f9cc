"""Arithmetic and comparisons of measured numbers, as people write them: `2 * q`, `1 - q > 0.1`.

What has a meaning keeps its interval; everything else is refused with a sentence.
"""

from __future__ import annotations

import math
from dataclasses import replace
from numbers import Real
from typing import NoReturn, Self

import numpy as np

from rlvr_gate.judging.beside import shown
from rlvr_gate.records import Crossover, Evidence, Exhibit, Judgement


class Measured:
    """A number with evidence: four comparisons, each a Judgement, and sums with plain numbers.

    A subclass says how it is stretched and moved (`_affine`), compared (`_compare`) and, where
    that has an interval, added to another of its kind (`_joined`).
    """

    label: str
    evidence: Evidence
    __array_ufunc__ = None  # numpy's numbers leave the arithmetic to this class
    __hash__ = object.__hash__

    def beside(self, *exhibits: Exhibit | Crossover) -> Self:
        """The same number, with a `Table`, `Curves`, `Heat` or `Facts` to show beside its verdict.

        Raises:
            TypeError, ValueError: something else, or too many.
        """
        return replace(self, evidence=shown(exhibits, self.evidence))  # type: ignore[type-var]  # every subclass is a dataclass

    def __gt__(self, other: object) -> Judgement:
        return self._compare(other, ">")

    def __ge__(self, other: object) -> Judgement:
        return self._compare(other, ">=")

    def __lt__(self, other: object) -> Judgement:
        return self._compare(other, "<")

    def __le__(self, other: object) -> Judgement:
        return self._compare(other, "<=")

    def __eq__(self, other: object) -> NoReturn:
        raise TypeError(
            f"{self.label} == {told(other)}: an interval never shows that two numbers are equal; "
            "use <, >, <= or >="
        )

    def __ne__(self, other: object) -> NoReturn:
        raise TypeError(
            f"{self.label} != {told(other)}: use < or >, one of which is what the claim means"
        )

    def __bool__(self) -> NoReturn:
        raise TypeError(
            f"{self.label} is a number with an interval, neither true nor false: compare it, "
            f"as in {self.label} > 0.1"
        )

    def __add__(self, other: object) -> Self:
        if isinstance(other, Measured):
            return self._joined(other, 1.0, f"{self.label} + {other.label}")
        by = number(other, f"add to {self.label}")
        return self._affine(1.0, by, _moved(self.label, by))

    def __radd__(self, other: object) -> Self:
        return self + other

    def __sub__(self, other: object) -> Self:
        if isinstance(other, Measured):
            return self._joined(other, -1.0, f"{self.label} − {grouped(other.label)}")
        by = number(other, f"subtract from {self.label}")
        return self._affine(1.0, -by, _moved(self.label, -by))

    def __rsub__(self, other: object) -> Self:
        whole = number(other, f"subtract {self.label} from")
        return self._affine(-1.0, whole, f"{whole:g} − {grouped(self.label)}")

    def __mul__(self, other: object) -> Self:
        factor = _factor(other, self.label)
        return self._affine(factor, 0.0, f"{factor:g} × {grouped(self.label)}")

    def __rmul__(self, other: object) -> Self:
        return self * other

    def __truediv__(self, other: object) -> Self:
        divisor = _factor(other, self.label)
        return self._affine(1 / divisor, 0.0, f"{grouped(self.label)} / {divisor:g}")

    def __rtruediv__(self, other: object) -> NoReturn:
        raise TypeError(
            f"cannot divide by {self.label}: a quotient has no interval here; move it to the "
            "other side, as in a > 2 * b for a / b > 2"
        )

    def __neg__(self) -> Self:
        return self._affine(-1.0, 0.0, f"−{grouped(self.label)}")

    def __pos__(self) -> Self:
        return self

    def __abs__(self) -> NoReturn:
        raise TypeError(
            f"|{self.label}| has no interval here: give both ends, as in -0.1 < {self.label} < 0.1"
        )

    def __pow__(self, other: object) -> NoReturn:
        self._refuse("power")

    def __floordiv__(self, other: object) -> NoReturn:
        self._refuse("whole quotient")

    def __mod__(self, other: object) -> NoReturn:
        self._refuse("remainder")

    def _refuse(self, what: str) -> NoReturn:
        raise TypeError(
            f"a {what} of {self.label} has no interval here: only multiples and sums with numbers "
            "have"
        )

    def __float__(self) -> NoReturn:
        raise TypeError(
            f"{self.label} is a number with an interval: compare it as it is, as in {self.label} "
            "> 0.1; its estimate alone is its `value`"
        )

    def __round__(self, digits: int | None = None) -> NoReturn:
        self.__float__()

    def __str__(self) -> str:
        return self.label

    def _affine(self, factor: float, offset: float, label: str) -> Self:
        """`factor * self + offset`, called `label`."""
        raise NotImplementedError  # pragma: no cover - every subclass has its own

    def _joined(self, other: Measured, sign: float, label: str) -> Self:
        """`self + sign * other`, called `label`."""
        raise TypeError(
            f"{label}: nothing here knows their joint interval; compare each with a number"
        )

    def _compare(self, other: object, relation: str) -> Judgement:
        raise NotImplementedError  # pragma: no cover - every subclass has its own


def number(value: object, doing: str, need: str = "need a number") -> float:
    """A finite number, numpy's included.

    Raises:
        TypeError, ValueError: it is none; the message says what could not be done.
    """
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"cannot {doing} {told(value)}: {need}")
    try:
        found = float(value)
    except OverflowError:
        found = math.inf
    if not math.isfinite(found):
        raise ValueError(f"cannot {doing} {told(value)}: need a finite number")
    return found


def told(value: object) -> str:
    """How a message names what came: a measured number by its label, anything else in short."""
    text = value.label if isinstance(value, Measured) else repr(value)
    return text if len(text) <= 80 else f"{text[:79]}…"


def grouped(label: str) -> str:
    """`label`, in parentheses where it is a sum, a product or a quotient itself."""
    signs = (" + ", " − ", " × ", " / ")
    return f"({label})" if label.startswith("−") or any(s in label for s in signs) else label


def check_range(label: str, threshold: float, bounds: tuple[float, float]) -> None:
    """Refuse a threshold that no data can reach: such a comparison is decided before it is made.

    Raises:
        ValueError: the threshold lies outside what `label` can be.
    """
    low, high = bounds
    if not low - 1e-9 <= threshold <= high + 1e-9:
        raise ValueError(
            f"{label} lies between {low:g} and {high:g}, so a comparison with {threshold:g} says "
            "nothing about the checkpoints: is the threshold, margin or bound meant in per cent?"
        )


def _factor(value: object, label: str) -> float:
    if isinstance(value, Measured):
        raise TypeError(
            f"cannot multiply or divide {label} by {value.label}: that has no interval here; "
            "move it to the other side, as in a > 2 * b for a / b > 2"
        )
    factor = number(value, f"multiply or divide {label} by")
    if not factor or not math.isfinite(1 / factor):
        raise ValueError(f"cannot multiply or divide {label} by {factor:g}: nothing would be left")
    return factor


def _moved(label: str, by: float) -> str:
    if not by:
        return label
    return f"{label} − {-by:g}" if by < 0 else f"{label} + {by:g}"
