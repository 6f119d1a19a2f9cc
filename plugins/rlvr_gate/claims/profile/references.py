"""References of the profile: shipped checkpoints whose training is known.

Two completions a problem of `countdown`, scored under base (`studies/training_kinds.py`).
"""

from __future__ import annotations

from rlvr_gate.claims.profile.rule import (
    DISTILLATION,
    RLVR,
    SFT,
    SPURIOUS,
    Features,
    Reference,
    Span,
)


def _row(
    name: str, run: str, kind: str, unchanged: float, surprise: Span, gain: Span,
    fits: bool = True,
) -> Reference:  # fmt: skip
    return Reference(name, run, kind, Features(unchanged, surprise, gain), fits)


REFERENCES: tuple[Reference, ...] = (
    _row("step-8", "rlvr", RLVR, 0.9081, (-0.0562, -0.0046),
         (0.0673, 0.1956)),
    _row("step-16", "rlvr", RLVR, 0.8448, (-0.14, -0.104),
         (0.1636, 0.3104)),
    _row("step-20", "rlvr", RLVR, 0.8202, (-0.157, -0.1088),
         (0.1602, 0.3119)),
    _row("rlvr", "rlvr", RLVR, 0.7983, (-0.1768, -0.1388),
         (0.2341, 0.3866)),
    _row("rlvr-adamw", "rlvr-adamw", RLVR, 0.564, (-0.0261, 0.0165),
         (-0.0389, 0.0694)),
    _row("spurious", "spurious", SPURIOUS, 0.7008, (0.0063, 0.0609),
         (-0.0599, 0.0197)),
    _row("sft-4", "sft", SFT, 0.4841, (-0.0092, 0.0417),
         (-0.0247, 0.0793), fits=False),
    _row("sft-8", "sft", SFT, 0.1267, (-0.0185, 0.0308),
         (-0.0264, 0.0895), fits=False),
    _row("sft", "sft", SFT, 0.0147, (8.6401, 8.8129),
         (0.1632, 0.3274)),
    _row("sft-rlvr-optimizer", "sft-rlvr-optimizer", SFT, 0.0578, (8.6228, 8.8032),
         (-0.0274, 0.0924)),
    _row("distilled", "distilled", DISTILLATION, 0.0194, (3.089, 3.3446),
         (0.1008, 0.2387)),
)  # fmt: skip
"""The first steps of SFT are judged and not fitted on: they look like no training yet."""
