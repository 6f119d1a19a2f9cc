"""Whether weights and answers look like what one kind of training leaves behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rlvr_gate.claims.profile.references import REFERENCES
from rlvr_gate.claims.profile.rule import (
    KINDS,
    UNDECIDED,
    Cuts,
    Features,
    confusion,
    cuts,
    profile,
)
from rlvr_gate.records import Evidence, Interval, Judgement, Table, Unit, Verdict

if TYPE_CHECKING:
    from rlvr_gate.claims.views import PairView
    from rlvr_gate.judging.quantities import Quantity


def looks_like(pair: PairView, benchmark: str, kind: str) -> Judgement:
    """Whether the profile is `kind`: by the weights, what base makes of the answers, and the gain.

    Refuted where it is another kind's, undecided where a number lies on both sides of a cut
    (`rlvr_gate.claims.profile.rule`). The claim needs
    ``@pytest.mark.scores("base", "rlvr", under="base")``. Some 200 completions of each suffice.

    Raises:
        ValueError: a kind that is none of the five.
    """
    if kind not in KINDS:
        raise ValueError(f"a profile is one of {', '.join(KINDS)}, got {kind!r}")
    base, rlvr, ledger = pair.base, pair.rlvr, pair.base.ledger
    surprise = base.log_perplexity(benchmark, of=rlvr) - base.log_perplexity(benchmark)
    gain = rlvr.pass_at(1, benchmark) - base.pass_at(1, benchmark)
    unchanged = rlvr.update_since(base).unchanged().value
    found = Features(unchanged, _ends(surprise), _ends(gain))
    at = cuts(REFERENCES)
    said = profile(found, at)
    verdict = {kind: Verdict.HOLDS, UNDECIDED: Verdict.UNDECIDED}.get(said, Verdict.REFUTED)
    low, high = (float(verdict is Verdict.HOLDS), float(verdict is not Verdict.REFUTED))
    return ledger.enter(
        benchmark,
        Judgement(
            statement=f"its profile is {said}; that it is {kind}",
            verdict=verdict,
            estimate=low,
            interval=Interval(low, high, ledger.level),
            threshold=1.0,
            relation=">=",
            benchmark=benchmark,
            k=1,
            n=gain.samples,
            unit=Unit.COUNT,
            evidence=Evidence(exhibits=_shown(found, at, surprise.value, gain.value)),
        ),
    )


def _ends(quantity: Quantity) -> tuple[float, float]:
    interval = quantity.interval(quantity.ledger.level)
    return interval.low, interval.high


def _shown(found: Features, at: Cuts, surprise: float, gain: float) -> tuple[Table, ...]:
    """What was read, beside the references, and how often the rule is right about them."""
    rows: list[tuple[str | float | None, ...]] = [
        ("this checkpoint", "?", found.unchanged, surprise, *found.surprise, gain, *found.gain),
        ("cut", "", at.dense, at.foreign, None, None, None, None, None),
        *((r.name, r.kind, r.features.unchanged, sum(r.features.surprise) / 2,
           *r.features.surprise, sum(r.features.gain) / 2, *r.features.gain) for r in REFERENCES),
    ]  # fmt: skip
    head = ("checkpoint", "trained by", "unchanged", "surprise", "low", "high", "gain", "lowest",
            "highest")  # fmt: skip
    table = Table("Beside the references, miniatures of one base", head, rows)
    told = Table(
        "What the rule makes of each reference by the others, its own run left out",
        ("trained by", *KINDS, UNDECIDED), confusion(REFERENCES),
    )  # fmt: skip
    return table, told
