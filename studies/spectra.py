"""Singular-value diagnostics of one weight matrix pair against plain float64 SVDs, in one run.

Both measure the same pair: a bfloat16 base whose rows span a decade and a bfloat16 update that
leaves about half the weights unchanged. The peer is two numpy SVDs in float64 and the textbook
formulas on them; ours is timed with the base unknown (cold) and with its decomposition at hand
(cached), as for a second checkpoint against the same base. Accuracy is the peer's disagreement.
CPU seconds are counted, of all threads: run it with one.

    OMP_NUM_THREADS=1 python studies/spectra.py
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from rlvr_gate.weights.sources import round_to_bf16
from rlvr_gate.weights.spectra import (
    Array,
    Decomposition,
    Matrix,
    decompose,
    frobenius,
    spectral_shift,
)
from rlvr_gate.weights.subspaces import geometry, rotation

T = TypeVar("T")
SHAPES = ((2048, 2048), (3584, 18944))


@dataclass(frozen=True)
class Outcome:
    """Shift and ascending angles in degrees of both sides."""

    nss: float
    left: Array
    right: Array


def pair(rows: int, columns: int, seed: int) -> tuple[Matrix, Matrix]:
    """A base whose row norms span a decade, and its update."""
    rng = np.random.default_rng(seed)
    scale = np.geomspace(0.02, 0.002, rows, dtype=np.float32)[:, None]
    base = round_to_bf16(scale * rng.standard_normal((rows, columns), dtype=np.float32))
    step = np.float32(2e-5) * rng.standard_normal((rows, columns), dtype=np.float32)
    return base, round_to_bf16(base + step)


def plain(base: Matrix, rlvr: Matrix, k: int) -> Outcome:
    """The definitions on two full SVDs."""
    (u0, s0, v0), (u1, s1, v1) = (
        np.linalg.svd(m.astype(np.float64), full_matrices=False) for m in (base, rlvr)
    )
    sides = []
    for a, b in ((u0[:, :k], u1[:, :k]), (v0[:k].T, v1[:k].T)):
        sines = np.linalg.svd(b - a @ (a.T @ b), compute_uv=False)[::-1]
        sides.append(np.degrees(np.arcsin(np.minimum(sines, 1))))
    return Outcome(float(np.linalg.norm(s1 - s0) / np.linalg.norm(s0)), *sides)


def ours(base: Matrix, rlvr: Matrix, k: int, known: Decomposition | None) -> Outcome:
    """Shift and angles, with the base's decomposition where it is known."""
    before = known or decompose(base, keep=k)
    after = decompose(rlvr, keep=k)
    shift = spectral_shift(before, after)
    turned = rotation(base, rlvr, before, after, k=k, update_norm=frobenius(rlvr - base))
    if not (shift.precise and turned.precise and shift.nss is not None):
        raise SystemExit(f"the fast path is not precise here: {shift}, {turned.error_degrees}")
    return Outcome(shift.nss, np.array(turned.left.curve), np.array(turned.right.curve))


def timed(call: Callable[[], T]) -> tuple[float, T]:
    """CPU seconds, so that other work on the machine does not count, and the result."""
    started = time.process_time()
    result = call()
    return time.process_time() - started, result


def compare(rows: int, columns: int, options: argparse.Namespace) -> str:
    """One row of the table: best of the rounds, interleaved so that noise disturbs all."""
    base, rlvr = pair(rows, columns, options.seed)
    known, k = decompose(base, keep=options.k), options.k
    peer, cold, warm, full = [], [], [], []
    for _ in range(options.rounds):
        cold.append(timed(lambda: ours(base, rlvr, k, None)))
        warm.append(timed(lambda: ours(base, rlvr, k, known)))
        full.append(timed(lambda: geometry(base, rlvr, k=k, known=known)))
        peer.append(timed(lambda: plain(base, rlvr, k)))
    exact, found = peer[0][1], cold[0][1]
    angle = max(np.abs(found.left - exact.left).max(), np.abs(found.right - exact.right).max())
    svds, ours_cold, ours_warm, all_of_it = (
        min(seconds for seconds, _ in runs) for runs in (peer, cold, warm, full)
    )
    return (
        f"| {rows} x {columns} | {(base == rlvr).mean():.2f} | {exact.nss:.1e} | "
        f"{exact.left[-1]:.2f} / {exact.right[-1]:.2f} | {svds:.1f} | {ours_cold:.1f} | "
        f"{ours_warm:.1f} | {all_of_it:.1f} | {svds / ours_cold:.1f} | {svds / ours_warm:.1f} | "
        f"{angle:.0e} | {abs(found.nss / exact.nss - 1):.0e} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--k", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--shapes", nargs="*", default=["x".join(map(str, s)) for s in SHAPES],
        help="Rows and columns, such as 2048x2048",
    )  # fmt: skip
    options = parser.parse_args()
    print(
        "CPU seconds: two SVDs; ours cold, cached, and cached with the update's whole spectrum\n\n"
        "| shape | unchanged | NSS | largest angles | SVDs | cold | cached | all | "
        "cold ratio | cached ratio | angle error, degrees | NSS error, relative |\n"
        "|---|---|---|---|---|---|---|---|---|---|---|---|"
    )
    for shape in options.shapes:
        rows, columns = map(int, shape.split("x"))
        print(compare(rows, columns, options), flush=True)


if __name__ == "__main__":
    main()
