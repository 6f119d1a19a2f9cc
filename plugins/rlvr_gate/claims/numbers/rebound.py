"""Does RLVR solve more of what base failed than base itself would, asked again? (2510.11653)"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rlvr_gate.claims.numbers.ratio import both_readings, fewest, ratio, unknown
from rlvr_gate.judging.quantities import Estimate
from rlvr_gate.judging.readings import ONE_SAMPLE
from rlvr_gate.records import Evidence

if TYPE_CHECKING:
    from rlvr_gate.claims.views import PairView


def expansion_beyond_rebound(pair: PairView, benchmark: str) -> Estimate:
    """RLVR's expansion of what q draws of base failed, less what q fresh draws of base give.

    q is half of the samples. A problem weighs w(q), the chance that q draws of base all fail:
    ``sum w(q) pass@q(rlvr) - (w(q) - w(2q))`` over ``sum w(q)``, over all ways to part base's
    samples at once. Two runs of one model give 0; on the draws that selected they would not. One
    sample of a problem says nothing.
    """
    q = fewest(pair, benchmark) // 2
    if q < 1:
        one = pair.rlvr.pass_at(1, benchmark)
        return unknown("expansion beyond rebound", one, (-1.0, 1.0), ONE_SAMPLE)
    half, whole = (pair.base.pass_at(k, benchmark) for k in (q, 2 * q))
    rlvr = pair.rlvr.pass_at(q, benchmark)
    readings = [
        (1 - once, twice - once, solved)
        for once, twice in both_readings(half, whole)
        for (solved,) in both_readings(rlvr)
    ]
    # In [0, 1] as Fieller's interval wants it: half of one more than the excess.
    parts = [((failed * solved - back + failed) / 2, failed) for failed, back, solved in readings]
    failed, back, solved = readings[0]
    shares = {
        "draws that select": q,
        "expansion": float((failed * solved).sum() / failed.sum()) if failed.any() else None,
        "rebound of base": float(back.sum() / failed.sum()) if failed.any() else None,
        "expected problems that base fails": float(failed.sum()),
    }
    found = ratio("", rlvr, parts, Evidence(numbers=shares))
    return 2 * found._affine(1.0, -0.5, f"expansion beyond rebound at {q} draws")
