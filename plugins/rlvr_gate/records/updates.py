"""What training did to the weights: the record of one update, as reports read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from rlvr_gate.records.evidence import WeightTotals
from rlvr_gate.records.plain import Tagged


@dataclass(frozen=True, slots=True)
class TensorRow:
    """How far one tensor moved."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    parameters: int
    unchanged: int
    unchanged_bf16: int
    within_tolerance: Annotated[int, Tagged("within_1e-5")]
    max_abs: float
    relative_l2: float
    row_dispersion: float | None
    """Variance of the rows' update ratios over what chance would show."""
    column_dispersion: float | None
    row_density: tuple[float, ...]
    """Share changed along the rows, in at most 24 equal bins; empty for vectors."""
    column_density: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Matching:
    """How tensors were matched, and what was compared with nothing."""

    notes: tuple[str, ...]
    missing: tuple[str, ...]
    extra: tuple[str, ...]
    not_weights: Annotated[tuple[str, ...], Tagged("not weights")]
    unmatched_parameters: int


@dataclass(frozen=True, slots=True)
class Compared:
    """The two checkpoints of an update."""

    ref: str
    digest: str
    base_ref: str
    base_digest: str


@dataclass(frozen=True, slots=True)
class MaskShare:
    """How much of the update one mask of the base holds, beside what rounding alone shows."""

    mask: str
    """`principal`, `low` or `principal_not_low`."""
    density: float
    overlap: float | None
    null_low: float | None
    """Least and largest mean over the kinds of rounding noise; None without a null."""
    null_high: float | None
    null_sd: float | None
    """The largest sd over the kinds of noise."""


@dataclass(frozen=True, slots=True)
class MatrixShape:
    """What one matrix and its update look like; angles in degrees."""

    name: str
    shape: tuple[int, int]
    norm: float
    """||dW||_F."""
    relative_norm: float | None
    """||dW||_F / ||W0||_F."""
    spectral_norm: float
    """||dW||_2."""
    nss: float | None
    """||sigma(W+) - sigma(W0)|| / ||sigma(W0)||."""
    rank: int
    """Singular values of dW above max(m, n) eps_fp32 sigma_1."""
    full_rank: int
    stable_rank: float
    effective_rank: float
    signal_rank: int | None
    """Rank above what bf16 rounding noise explains; None where the base is not bfloat16."""
    signal_share: float | None
    """Share of ||dW||_F^2 that this part holds."""
    null_stable_rank: float | None
    """What rounded noise of the same norm would show."""
    null_effective_rank: float | None
    top: int
    """k of the angles."""
    left_angle: float
    right_angle: float
    projector_distance: float
    """The larger of left and right."""
    gap: float
    """gamma_k of the base."""
    ill_conditioned: bool
    """||dW||_2 >= gamma_k: angles say little."""
    weyl_slack: float
    mirsky_slack: float
    wedin_slack: float | None
    note: str
    masks: tuple[MaskShare, ...]

    @property
    def angle(self) -> float:
        """The larger of the left and right principal angles."""
        return max(self.left_angle, self.right_angle)

    @property
    def unchanged(self) -> bool:
        """Whether there is no update to describe."""
        return self.norm == 0


@dataclass(frozen=True, slots=True)
class UpdateOverlap:
    """Two update masks of one base, I1 and I2 of densities p and q, and their chance levels."""

    jaccard: float | None
    """|I1 & I2| / |I1 | I2|; None where neither changed anything."""
    jaccard_random: float | None
    """p q / (p + q - p q) (arXiv:2511.08567)."""
    o1: float | None
    """|I1 & I2| / |I1|; None where I1 is empty."""
    o1_random: float
    """q = 1 - s2 (arXiv:2505.11711)."""
    o2: float | None
    """|I1 & I2| / |I2|; None where I2 is empty."""
    o2_random: float
    """p = 1 - s1."""
    z: float | None
    """Intersection against its hypergeometric mean and sd: weights placed independently."""


@dataclass(frozen=True, slots=True)
class NotMeasured:
    """What of an update was not measured, or not believed."""

    left_out: Annotated[tuple[str, ...], Tagged("layers left out")]
    violations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One of several checkpoints along a run, in shares of all weights."""

    previous: str
    unchanged_since_previous: float
    ever_changed: float
    changed: float


@dataclass(frozen=True, slots=True)
class UpdateRecord:
    """Everything measured of a checkpoint's weights against those of another."""

    against: str
    total: WeightTotals
    tensors: tuple[TensorRow, ...]
    matching: Matching
    checkpoint: Compared
    matrices: tuple[MatrixShape, ...]
    not_measured: Annotated[NotMeasured, Tagged("not measured")]
    overlaps: Mapping[str, UpdateOverlap]
    """Another checkpoint -> how the two updates of one base overlap."""
    trajectory: Step | None = None
