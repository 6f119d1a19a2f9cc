"""Whether what is cheap to see of weights follows what is costly to see of the tangent kernel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rlvr_gate.judging.quantities import Exact
from rlvr_gate.records import Curves, Evidence, Table, Unit

if TYPE_CHECKING:
    from rlvr_gate.claims.views import CheckpointView

FEWEST = 4
"""Checkpoints that an order says anything about."""


def weights_track_kernel(
    base: CheckpointView, checkpoints: Sequence[CheckpointView], benchmark: str
) -> Exact:
    """Kendall's tau between the turns of kernels and the median principal angles of weights.

    1 where both order the checkpoints alike, -1 where they order them the other way round. The
    claim needs `gradients(spectra=True)`.

    Args:
        checkpoints: four at least, without base.
    """
    from scipy.stats import kendalltau

    rows = sorted(
        (each.update_since(base).typical_rotation().value,
         each.kernel_since(base, benchmark).turn().value or 0.0, each.role)
        for each in checkpoints if each.role != base.role
    )  # fmt: skip
    table = Table("Weights and kernel", ("checkpoint", "angle, degrees", "turn"),
                  [(role, angle, turn) for angle, turn, role in rows])  # fmt: skip
    line = dict.fromkeys(angle for angle, *_ in rows)
    points = [(angle, next(t for a, t, _ in rows if a == angle)) for angle in line]
    curves = Curves("Weights and kernel", {"checkpoints": points}, "angle, degrees", "turn")
    few = len(rows) < FEWEST
    why = (f"an order needs {FEWEST} checkpoints, got {len(rows)}",) if few else ()
    tau = 0.0 if few else float(kendalltau([r[0] for r in rows], [r[1] for r in rows]).statistic)
    return Exact(
        f"order of {len(rows)} checkpoints by angle against that by turn (tau)",
        tau, base.ledger, Evidence(exhibits=(table, curves)), why, Unit.NUMBER,
    )  # fmt: skip
