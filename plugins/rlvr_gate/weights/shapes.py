"""The shape of an update, matrix by matrix: size, rank, spectrum, rotation, and where it lands.

Takes whole matrices, so it costs time where `scan` costs reading; a budget picks layers evenly
where a model is too large to measure all, and what was left out is counted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from rlvr_gate.records import MaskShare, MatrixShape
from rlvr_gate.weights.layout import TensorSlot
from rlvr_gate.weights.masks import ALPHA, RANK, base_masks, mask_overlaps
from rlvr_gate.weights.pairing import Pair
from rlvr_gate.weights.rounding import NOISES, RankNull, SignalRank, rank_null, signal_rank
from rlvr_gate.weights.sources import coarser, elements, matrix, round_to_bf16
from rlvr_gate.weights.spectra import (
    KEPT,
    Array,
    Decomposition,
    Matrix,
    NumericsError,
    decompose,
    difference,
    frobenius,
    singular_values,
)
from rlvr_gate.weights.subspaces import Geometry, geometry

Known = Callable[[str, Matrix, int], Decomposition]
"""(name, base matrix, vectors to keep) -> its decomposition, perhaps from an earlier run."""

_DRAWS = 2  # spectra of rounded noise for each matrix
_MASK_DRAWS = 60  # of rounded noise under each mask


@dataclass(frozen=True, slots=True)
class ShapeSettings:
    """What is measured; the defaults are those of arXiv:2606.07082 at a width of 4096."""

    top: int = KEPT
    """k of the principal angles, at most an eighth of the shorter side."""
    rank: int = RANK
    """Rank of the reconstruction that defines principal weights; at most an eighth likewise."""
    alpha: float = ALPHA
    """Share of the weights in each mask."""
    work: float = 4e12
    """Sum over matrices of (shorter side)^2 x longer side; beyond it layers are left out."""


@dataclass(frozen=True, slots=True)
class Shapes:
    """All measured matrices of an update."""

    matrices: tuple[MatrixShape, ...]
    left_out: tuple[str, ...] = ()
    """Matrices of layers that the budget did not cover."""
    violations: tuple[str, ...] = ()
    """Where computed numbers contradict Weyl, Mirsky or Wedin: a fault of the numerics."""


def layer_of(name: str) -> int | None:
    """The layer a tensor belongs to; None outside the layers."""
    found = re.search(r"\.(\d+)\.", name)
    return int(found[1]) if found else None


def kind_of(name: str) -> str:
    """The type of a tensor, `q_proj`: its name without layer and `.weight`."""
    parts = name.removesuffix(".weight").split(".")
    return parts[-2] + " bias" if parts[-1] == "bias" and len(parts) > 1 else parts[-1]


def is_norm(name: str) -> bool:
    """Whether a tensor scales a normalisation."""
    return "norm" in kind_of(name) or kind_of(name).startswith("ln_")


def choose(pairs: Sequence[Pair], most: float) -> tuple[list[Pair], list[Pair]]:
    """The matrices of the layers to measure, and those left out to stay within `most`."""
    found = [p for p in pairs if len(p.base.shape) == 2 and layer_of(p.name) is not None]
    found = [p for p in found if min(p.base.shape) > 1]
    layers = sorted({layer_of(p.name) or 0 for p in found})
    for count in range(len(layers), 0, -1):
        at = np.linspace(0, len(layers) - 1, count).round().astype(int)
        kept = {layers[i] for i in at}
        chosen = [p for p in found if (layer_of(p.name) or 0) in kept]
        if count == 1 or sum(map(work, chosen)) <= most:
            return chosen, [p for p in found if p not in chosen]
    return [], []


def work(pair: Pair) -> float:
    """What decomposing a matrix costs, in multiplications up to a factor common to all."""
    return elements(pair.base) * min(pair.base.shape)


def measure_shapes(
    pairs: Sequence[Pair],
    settings: ShapeSettings,
    known: Known | None = None,
    tell: Callable[[float], None] = lambda _: None,
) -> Shapes:
    """Describe the update of every matrix in the layers, embeddings and heads aside.

    Args:
        pairs: as `pairing.pair_tensors` found them.
        known: gives a base matrix' decomposition from an earlier comparison.
        tell: called after each matrix with its `work`.

    Raises:
        SpectraError: a matrix is not finite.
    """
    chosen, left_out = choose(pairs, settings.work)
    found: list[MatrixShape] = []
    violations: list[str] = []
    for pair in chosen:
        try:
            found.append(_measured(pair, settings, known or _decomposed))
        except NumericsError as error:
            violations.append(f"{pair.name}: {error}")
        tell(work(pair))
    return Shapes(tuple(found), tuple(p.name for p in left_out), tuple(violations))


def _decomposed(name: str, base: Matrix, keep: int) -> Decomposition:
    return decompose(base, keep=keep)


def _measured(pair: Pair, settings: ShapeSettings, known: Known) -> MatrixShape:
    base, exact = matrix(pair.base), matrix(pair.other)
    rounds = coarser(pair.base.dtype, pair.other.dtype) == "BF16"
    base = round_to_bf16(base) if rounds else base
    stored = round_to_bf16(exact) if rounds else exact
    rlvr = stored if isinstance(pair.other, TensorSlot) else exact  # an adapter keeps its rank
    short = min(base.shape)
    top = max(1, min(settings.top, short // 8))
    rank = max(1, min(settings.rank, short // 8))
    ours = known(pair.name, base, max(top, rank))
    update = difference(base, stored)
    values = singular_values(update) if update.any() else np.zeros(0)
    found = geometry(
        base, rlvr, k=top, known=ours, update_values=values if rlvr is stored else None
    )
    masks = _masks(base, stored, ours, rank, settings.alpha, rounds)
    noise = _against_rounding(base, frobenius(update), values) if rounds else (None, None)
    return _described(pair.name, found, masks, *noise)


def _against_rounding(
    base: Matrix, norm: float, values: Array
) -> tuple[SignalRank | None, RankNull | None]:
    """Of an update with this norm and these singular values; nothing where there is none."""
    if not norm:
        return None, None
    return signal_rank(base, norm, values), rank_null(base, norm, draws=_DRAWS)


def _masks(
    base: Matrix, stored: Matrix, ours: Decomposition, rank: int, alpha: float, rounds: bool
) -> tuple[MaskShare, ...]:
    masks = base_masks(base, ours, rank=rank, alpha=alpha)
    noises = NOISES if rounds else ()
    rows = mask_overlaps(base, stored, masks, noises=noises, draws=_MASK_DRAWS)
    return tuple(
        MaskShare(
            row.mask,
            row.density,
            row.overlap,
            min(means) if means else None,
            max(means) if means else None,
            max(sds) if sds else None,
        )
        for row in rows
        for means in [[n.null.mean for n in row.nulls if n.null.mean is not None]]
        for sds in [[n.null.sd for n in row.nulls if n.null.sd is not None]]
    )


def _described(
    name: str,
    found: Geometry,
    masks: tuple[MaskShare, ...],
    signal: SignalRank | None,
    null: RankNull | None,
) -> MatrixShape:
    update, turned, laws = found.update, found.rotation, found.inequalities
    return MatrixShape(
        name=name,
        shape=found.shape,
        norm=update.frobenius_norm,
        relative_norm=update.relative_norm,
        spectral_norm=update.spectral_norm,
        nss=found.shift.nss,
        rank=update.rank,
        full_rank=update.full_rank,
        stable_rank=update.stable_rank,
        effective_rank=update.effective_rank,
        signal_rank=None if signal is None else signal.rank,
        signal_share=None if signal is None else signal.explained,
        null_stable_rank=None if null is None else null.stable_rank,
        null_effective_rank=None if null is None else null.effective_rank,
        top=turned.k,
        left_angle=turned.left.largest,
        right_angle=turned.right.largest,
        projector_distance=max(turned.left.projector_distance, turned.right.projector_distance),
        gap=turned.gap,
        ill_conditioned=turned.ill_conditioned,
        weyl_slack=laws.weyl_slack,
        mirsky_slack=laws.mirsky_slack,
        wedin_slack=laws.wedin_slack,
        note=turned.note,
        masks=masks,
    )
