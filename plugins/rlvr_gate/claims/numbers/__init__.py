"""Numbers that a claim can ask of a checkpoint's samples: one file each, listed here.

`cover_at(pair.rlvr, benchmark, tau=0.5)` is a quantity like any other: compare it. What a file
says is `shown` has a row in every report, base beside rlvr.
"""

from rlvr_gate.claims.numbers.cover import cover_at
from rlvr_gate.claims.numbers.number import PerProblem
from rlvr_gate.claims.numbers.solved_over import solved_over

NUMBERS: tuple[PerProblem, ...] = (cover_at, solved_over)

__all__ = ["NUMBERS", "PerProblem", "cover_at", "solved_over"]
